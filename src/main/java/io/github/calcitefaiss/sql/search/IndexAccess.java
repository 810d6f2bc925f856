/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.connect.SparkSchema;
import io.github.calcitefaiss.connect.SparkTable;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Floats;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Neighbors;
import io.github.calcitefaiss.index.Search;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sql.function.Arguments;
import io.github.calcitefaiss.sql.function.Errors;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.calcite.DataContext;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.calcite.schema.lookup.Named;

/** From the names that a function is called with to the neighbours in that table's index. */
public final class IndexAccess {
  private IndexAccess() {}

  /**
   * What was found.
   *
   * @param ids the id of each ordinal
   * @param neighbors what was found
   */
  record Found(IntFunction<Object> ids, Neighbors neighbors) {}

  /** The {@code k} rows nearest to a vector by squared L2 or its root. */
  static Found search(
      DataContext root,
      String function,
      Object database,
      Object table,
      Object vector,
      Object k,
      Metric metric) {
    Execution execution = Execution.of(root);
    execution.check();
    try {
      SparkSchema cluster = cluster(root.getRootSchema(), database);
      if (cluster != null) {
        return search(cluster, function, table, vector, k, metric, execution);
      }
      SqliteSchema schema = schema(function, root.getRootSchema(), database);
      IndexedTable indexed = table(function, schema, table, execution);
      float[] query = Arguments.vector(function, "vector", vector);
      int count = Arguments.count(function, "k", k);
      IndexCache.Entry entry = schema.indexedTables().index(indexed, execution);
      if (query.length == 0) {
        throw Errors.emptyVector(function, "vector");
      }
      if (entry.mixed() != null && !entry.mixed().toldApart()) {
        throw new FaissException(SqlState.DATA, entry.mixed().what());
      }
      FlatIndex index = entry.index(query.length);
      if (index == null) {
        throw Errors.dimensions(function, "vector", dims(entry), query.length);
      }
      if (count == 0 || index.size() == 0) {
        return new Found(index::id, new Neighbors(new int[0], new double[0]));
      }
      Floats floats = schema.indexedTables().floats(indexed, entry, index, execution);
      Search search = Search.nearest(query, metric, count);
      return new Found(index::id, index.search(search, execution, floats));
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  private static Found search(
      SparkSchema cluster,
      String function,
      Object table,
      Object vector,
      Object k,
      Metric metric,
      Execution execution)
      throws SQLException {
    SparkTable found = table(function, cluster, table);
    float[] query = Arguments.vector(function, "vector", vector);
    int count = Arguments.count(function, "k", k);
    if (query.length == 0) {
      throw Errors.emptyVector(function, "vector");
    }
    if (count == 0) {
      return new Found(ordinal -> null, new Neighbors(new int[0], new double[0]));
    }
    SparkSchema.Found rows =
        cluster.search(found, query, count, metric == Metric.L2_SQUARED, execution);
    int[] ordinals = IntStream.range(0, rows.values().length).toArray();
    return new Found(rows.ids()::get, new Neighbors(ordinals, rows.values()));
  }

  /** The schema of a database's name, if it is on a cluster; else null. */
  public static SparkSchema cluster(SchemaPlus root, Object database) {
    if (!(database instanceof String name)) {
      return null;
    }
    SparkSchema found = SparkSchema.of(root.subSchemas().get(name));
    if (found == null) {
      Named<? extends SchemaPlus> other = root.subSchemas().getIgnoreCase(name);
      found = other == null ? null : SparkSchema.of(other.entity());
    }
    return found;
  }

  /** The table of a cluster of a name, which has ids and vectors. */
  static SparkTable table(String function, SparkSchema cluster, Object table) throws SQLException {
    if (!(table instanceof String name)) {
      throw Errors.notAName(function, "table", table);
    }
    SparkTable found = cluster.table(name);
    if (found == null) {
      throw Errors.unknownTable(function, cluster.name(), name, cluster.searchable());
    } else if (!found.isSearchable()) {
      throw Errors.noIndex(function, cluster.name(), name, cluster.searchable());
    }
    return found;
  }

  /** The dimensions of a table's vectors, in words. */
  static String dims(IndexCache.Entry entry) {
    return String.join(
        " or ", entry.indexes().stream().map(index -> String.valueOf(index.dims())).toList());
  }

  /** The schema of a database's name, matched without regard to case if no other way. */
  public static SqliteSchema schema(String function, SchemaPlus root, Object database)
      throws FaissException {
    if (!(database instanceof String name)) {
      throw Errors.notAName(function, "database", database);
    }
    SqliteSchema found = SqliteSchema.of(root.subSchemas().get(name));
    if (found == null) {
      Named<? extends SchemaPlus> other = root.subSchemas().getIgnoreCase(name);
      found = other == null ? null : SqliteSchema.of(other.entity());
    }
    if (found == null) {
      throw Errors.unknownDatabase(function, name, databases(root));
    }
    return found;
  }

  private static Collection<String> databases(SchemaPlus root) {
    Collection<String> names = new TreeSet<>();
    for (String name : root.subSchemas().getNames(LikePattern.any())) {
      if (SqliteSchema.of(root.subSchemas().get(name)) != null) {
        names.add(name);
      }
    }
    return names;
  }

  /** The indexed table of a name in the version that a run sees. */
  public static IndexedTable table(String function, SqliteSchema schema, Object table, View view)
      throws SQLException {
    if (!(table instanceof String name)) {
      throw Errors.notAName(function, "table", table);
    }
    IndexedTable indexed = schema.indexedTables().find(name, view);
    if (indexed != null) {
      return indexed;
    }
    List<String> known = new ArrayList<>();
    for (IndexedTable each : schema.indexedTables().list(view)) {
      if (each.table().equalsIgnoreCase(name)) {
        // It came in between.
        return each;
      }
      known.add(each.table());
    }
    SqliteTable plain = schema.sqliteTable(name, view);
    throw plain == null
        ? Errors.unknownTable(function, schema.name(), name, known)
        : Errors.noIndex(function, schema.name(), plain.name(), known);
  }
}
