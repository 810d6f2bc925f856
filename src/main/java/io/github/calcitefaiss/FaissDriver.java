/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.run.Release;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.logging.Logger;

/**
 * JDBC driver for {@code jdbc:faiss:path/to/file.db} and {@code jdbc:faiss:path/to/model.json}.
 *
 * <p>It differs from Calcite's own in what a person needs: SQLite's way with identifiers and NULLs,
 * this project's parser and functions, errors that say what is wrong, statements that can be
 * cancelled, and plans that are used again. It never writes.
 */
public final class FaissDriver implements Driver {
  static {
    // Compiled plans shared by all connections; Calcite reads this once, when it is loaded, and
    // leaves the cache off unless told. A class with static state is never shared.
    if (System.getProperty("calcite.bindable.cache.maxSize") == null) {
      System.setProperty("calcite.bindable.cache.maxSize", "500");
    }
    // Text beyond Latin-1 in literals, which Calcite refuses by default; read once, too.
    if (System.getProperty("calcite.default.charset") == null
        && System.getProperty("saffron.default.charset") == null) {
      System.setProperty("calcite.default.charset", "UTF-8");
    }
    try {
      DriverManager.registerDriver(new FaissDriver());
    } catch (SQLException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @Override
  public boolean acceptsURL(String url) {
    return url != null && url.startsWith(FaissUrl.PREFIX);
  }

  /**
   * Opens a connection.
   *
   * @return null if the URL belongs to another driver
   * @throws SQLException if the URL names no database, a property is unknown, or the database or
   *     model can't be opened
   */
  @Override
  public Connection connect(String url, Properties info) throws SQLException {
    if (!acceptsURL(url)) {
      return null;
    }
    return Opening.open(url, FaissUrl.parse(url, info));
  }

  @Override
  public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) {
    List<DriverPropertyInfo> list = new ArrayList<>();
    ConnectionProperties.NAMES.forEach(
        (name, known) -> {
          DriverPropertyInfo property =
              new DriverPropertyInfo(
                  name,
                  info == null ? known.byDefault() : info.getProperty(name, known.byDefault()));
          property.description = known.description();
          property.choices =
              known.choices() == null ? null : known.choices().toArray(new String[0]);
          list.add(property);
        });
    return list.toArray(new DriverPropertyInfo[0]);
  }

  @Override
  public int getMajorVersion() {
    return Release.number(0);
  }

  @Override
  public int getMinorVersion() {
    return Release.number(1);
  }

  @Override
  public boolean jdbcCompliant() {
    return false;
  }

  @Override
  public Logger getParentLogger() {
    return Logger.getLogger(FaissDriver.class.getPackageName());
  }
}
