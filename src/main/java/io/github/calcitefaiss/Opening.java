/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.calcitefaiss.jdbc.ErrorTranslation;
import io.github.calcitefaiss.jdbc.FaissConnection;
import io.github.calcitefaiss.jdbc.FaissErrors;
import io.github.calcitefaiss.sql.planner.FaissTypeSystem;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.calcite.avatica.AvaticaConnection;
import org.apache.calcite.config.CalciteConnectionConfigImpl;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.jdbc.CalciteFactory;
import org.apache.calcite.jdbc.CalciteJdbc41Factory;
import org.apache.calcite.jdbc.Driver;
import org.apache.calcite.jdbc.JavaTypeFactoryImpl;
import org.apache.calcite.rel.type.RelDataTypeSystem;
import org.apache.calcite.schema.SchemaPlus;

/**
 * Opens a connection: makes Calcite's own with the properties that people need, and adds the schema
 * of the database, or those of the model.
 *
 * <p>Whatever goes wrong is an error with an SQLSTATE of class 08, and leaves nothing open.
 */
final class Opening {
  private Opening() {}

  static FaissConnection open(String url, FaissUrl target) throws SQLException {
    ConnectionProperties properties = ConnectionProperties.of(target.properties());
    Properties calciteProperties = properties.calcite();
    if (target.model() != null) {
      if (!properties.operands().isEmpty()) {
        throw FaissErrors.connect(
            "With a model, "
                + properties.operands().keySet()
                + " belongs into the model, as an operand of its schema");
      }
      if (!target.model().startsWith("inline:") && !Files.isReadable(Path.of(target.model()))) {
        throw FaissErrors.connect("Model file '" + target.model() + "' can't be read");
      }
      // Of a file in the working folder Calcite would take "" for the folder that paths begin in.
      calciteProperties.setProperty(
          "model",
          target.model().startsWith("inline:")
              ? target.model()
              : Path.of(target.model()).toAbsolutePath().toString());
    }
    CalciteConnection calcite = null;
    try {
      calcite = calciteConnection(calciteProperties);
      if (target.database() != null) {
        String name = FaissUrl.schemaName(target.database());
        Map<String, Object> operands = new HashMap<>(properties.operands());
        operands.put(FaissConfig.DATABASE, target.database());
        SchemaPlus root = calcite.getRootSchema();
        root.add(name, new FaissSchemaFactory().create(root, name, operands));
        calcite.setSchema(name);
      }
      FaissConnection connection =
          new FaissConnection(url, calcite, properties.nativeWay(), properties.declaredTypes());
      if (properties.schema() != null) {
        connection.setSchema(properties.schema());
      }
      return connection;
    } catch (Throwable t) {
      if (calcite != null) {
        calcite.close();
      }
      throw notOpened(t, target);
    }
  }

  /** What Calcite's driver would make, except that text is Unicode whatever the JVM's settings. */
  private static CalciteConnection calciteConnection(Properties properties) throws SQLException {
    RelDataTypeSystem types =
        new CalciteConnectionConfigImpl(properties)
            .typeSystem(RelDataTypeSystem.class, FaissTypeSystem.INSTANCE);
    JavaTypeFactoryImpl unicode =
        new JavaTypeFactoryImpl(types) {
          @Override
          public Charset getDefaultCharset() {
            return StandardCharsets.UTF_8;
          }
        };
    Driver driver = new Driver();
    CalciteFactory factory = new CalciteJdbc41Factory();
    AvaticaConnection connection =
        factory.newConnection(driver, factory, "jdbc:calcite:", properties, null, unicode);
    driver.handler.onConnectionInit(connection);
    return (CalciteConnection) connection;
  }

  private static SQLException notOpened(Throwable t, FaissUrl target) {
    for (Throwable cause = t; cause != null; cause = cause.getCause()) {
      if (cause instanceof JsonProcessingException json && target.model() != null) {
        JsonLocation at = json.getLocation();
        return FaissErrors.connect(
            "The model can't be read: "
                + json.getOriginalMessage()
                + (at == null
                    ? ""
                    : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")"),
            t);
      }
    }
    SQLException e = ErrorTranslation.of(t);
    return e.getSQLState().startsWith("08") ? e : FaissErrors.connect(e.getMessage(), t);
  }
}
