/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Map;

/** An array of Avatica's, whose errors are sentences. Positions count from 1. */
final class HeldArray implements Array {
  private final Array array;

  HeldArray(Array array) {
    this.array = array;
  }

  @Override
  public String getBaseTypeName() throws SQLException {
    return array.getBaseTypeName();
  }

  @Override
  public int getBaseType() throws SQLException {
    return array.getBaseType();
  }

  @Override
  public Object getArray() throws SQLException {
    return array.getArray();
  }

  @Override
  public Object getArray(Map<String, Class<?>> map) throws SQLException {
    checkMap(map);
    return getArray();
  }

  @Override
  public Object getArray(long index, int count) throws SQLException {
    Object all = getArray();
    int length = java.lang.reflect.Array.getLength(all);
    if (index < 1 || index > length || count < 0) {
      throw FaissErrors.badArgument(
          "There are no "
              + count
              + " elements from "
              + index
              + " in an array of "
              + length
              + "; they count from 1");
    }
    int from = (int) index - 1;
    int taken = Math.min(count, length - from);
    Object part = java.lang.reflect.Array.newInstance(all.getClass().getComponentType(), taken);
    System.arraycopy(all, from, part, 0, taken);
    return part;
  }

  @Override
  public Object getArray(long index, int count, Map<String, Class<?>> map) throws SQLException {
    checkMap(map);
    return getArray(index, count);
  }

  private static void checkMap(Map<String, Class<?>> map) throws SQLException {
    if (map != null && !map.isEmpty()) {
      throw FaissErrors.unsupported("A type map");
    }
  }

  @Override
  public ResultSet getResultSet() throws SQLException {
    throw FaissErrors.unsupported("An array as rows");
  }

  @Override
  public ResultSet getResultSet(Map<String, Class<?>> map) throws SQLException {
    return getResultSet();
  }

  @Override
  public ResultSet getResultSet(long index, int count) throws SQLException {
    return getResultSet();
  }

  @Override
  public ResultSet getResultSet(long index, int count, Map<String, Class<?>> map)
      throws SQLException {
    return getResultSet();
  }

  @Override
  public void free() {
    // It is in memory only.
  }

  @Override
  public String toString() {
    try {
      Object all = getArray();
      return all instanceof Object[] objects ? Arrays.toString(objects) : array.toString();
    } catch (SQLException e) {
      return array.toString();
    }
  }
}
