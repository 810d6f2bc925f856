/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.connect;

import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.Table;
import org.apache.calcite.schema.impl.AbstractSchema;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** The tables of a model that are on a Spark cluster. */
public final class SparkSchema extends AbstractSchema {
  /**
   * A table as the model names it.
   *
   * @param name its name here
   * @param from what Spark reads: names of its catalog, or a format and a path
   * @param id the column of ids
   * @param embedding the column of vectors
   */
  public record Named(String name, List<String> from, String id, String embedding) {}

  private final String name;
  private final SparkServer server;
  private final Map<String, Table> tables = new LinkedHashMap<>();

  /**
   * Asks the cluster which columns the tables have.
   *
   * @throws FaissException if it doesn't answer, or knows no such table
   */
  public SparkSchema(String name, String url, List<Named> named) throws FaissException {
    this.name = name;
    server = new SparkServer(name, url);
    server.reach();
    SparkConvention convention = new SparkConvention(this);
    for (Named table : named) {
      tables.put(table.name(), new SparkTable(this, convention, table, columns(table)));
    }
  }

  private List<StructField> columns(Named table) throws FaissException {
    try {
      StructType type =
          server.session().sql("SELECT * FROM " + SparkDialect.quoted(table.from())).schema();
      return List.of(type.fields());
    } catch (NoClassDefFoundError e) {
      throw server.noClient(e);
    } catch (RuntimeException e) {
      throw wrong(table, e);
    } catch (Exception e) {
      throw wrong(table, e);
    }
  }

  private FaissException wrong(Named table, Throwable e) {
    return new FaissException(
        SqlState.CONNECTION,
        "schema '" + name + "', table '" + table.name() + "': " + server.translated(e).getMessage(),
        e);
  }

  /** The schema behind one of Calcite's, or null if it is of another kind. */
  public static SparkSchema of(SchemaPlus schema) {
    if (schema == null) {
      return null;
    }
    return schema.unwrap(CalciteSchema.class).schema instanceof SparkSchema ours ? ours : null;
  }

  @Override
  protected Map<String, Table> getTableMap() {
    return tables;
  }

  /** Its name in the model. */
  public String name() {
    return name;
  }

  SparkServer server() {
    return server;
  }

  /** The table of a name, matched without regard to case; or null. */
  public SparkTable table(String wanted) {
    Map<String, Table> any = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    any.putAll(tables);
    return (SparkTable) any.get(wanted);
  }

  /** The names of the tables that have an id and a vector. */
  public List<String> searchable() {
    List<String> names = new ArrayList<>();
    tables.forEach(
        (known, table) -> {
          if (((SparkTable) table).isSearchable()) {
            names.add(known);
          }
        });
    return names;
  }

  /** Ids and distances, nearest first. */
  public record Found(List<Object> ids, double[] values) {}

  /** The {@code k} rows of a table nearest to a vector, by L2 or its square. */
  public Found search(SparkTable table, float[] query, int k, boolean squared, Execution execution)
      throws SQLException {
    String id = SparkDialect.quoted(List.of(table.named().id()));
    String call =
        (squared ? "l2_squared_distance(" : "l2_distance(")
            + SparkDialect.quoted(List.of(table.named().embedding()))
            + ", "
            + literal(query)
            + ")";
    String sql =
        "SELECT "
            + id
            + ", "
            + call
            + " AS d FROM "
            + SparkDialect.quoted(table.named().from())
            + " ORDER BY d NULLS LAST LIMIT "
            + k;
    List<Object> ids = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    SparkRows rows = new SparkRows(server, execution, sql, new Object[0]);
    try {
      while (rows.moveNext()) {
        if (rows.current()[1] != null) {
          Object found = rows.current()[0];
          ids.add(
              found instanceof Number n && !(found instanceof Double)
                  ? (Object) n.longValue()
                  : found);
          values.add((Double) rows.current()[1]);
        }
      }
    } finally {
      rows.close();
    }
    return new Found(ids, values.stream().mapToDouble(value -> value).toArray());
  }

  static String literal(float[] vector) {
    return "X'" + HexFormat.of().withUpperCase().formatHex(VectorCodec.encode(vector)) + "'";
  }
}
