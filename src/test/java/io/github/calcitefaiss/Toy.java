/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** Connections to {@link ToySchemaFactory}'s schema. */
public final class Toy {
  static final String URL =
      "jdbc:faiss:model='inline:{\"version\": \"1.0\", \"defaultSchema\": \"toy\", \"schemas\":"
          + " [{\"name\": \"toy\", \"type\": \"custom\", \"factory\":"
          + " \"io.github.calcitefaiss.ToySchemaFactory\"}]}'";

  private Toy() {}

  public static Connection connect() throws SQLException {
    return DriverManager.getConnection(URL);
  }
}
