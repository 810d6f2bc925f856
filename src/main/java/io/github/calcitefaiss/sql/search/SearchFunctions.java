/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Floats;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Neighbors;
import io.github.calcitefaiss.index.Search;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.RecentlyUsed;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.Arguments;
import io.github.calcitefaiss.sql.function.Errors;
import io.github.calcitefaiss.sql.function.JsonText;
import io.github.calcitefaiss.sql.function.Values;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.sql.SQLException;
import java.util.BitSet;
import java.util.Map;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;

/**
 * The scalar functions of the plugin datasette-faiss (Apache-2.0, Simon Willison), with its names,
 * arguments and text formats.
 *
 * <p>NULL in any argument gives NULL. Errors are {@link io.github.calcitefaiss.run.FaissException}s
 * that begin with the function's name.
 */
public final class SearchFunctions {
  private SearchFunctions() {}

  /** {@code faiss_search(database, table, vector, k)}: the nearest ids as a JSON array. */
  public static String faissSearch(
      DataContext root, Object database, Object table, Object vector, Object k) {
    return search(root, "faiss_search", database, table, vector, k, false);
  }

  /** {@code faiss_search_with_scores}: pairs of id and squared L2 distance as a JSON array. */
  public static String faissSearchWithScores(
      DataContext root, Object database, Object table, Object vector, Object k) {
    return search(root, "faiss_search_with_scores", database, table, vector, k, true);
  }

  /** {@code faiss_encode(json)}: a JSON array of numbers as a blob of float32 elements. */
  public static ByteString faissEncode(DataContext root, Object json) {
    if (json == null) {
      return null;
    }
    if (!(json instanceof String)) {
      throw Errors.notText("faiss_encode", "json", json).raise();
    }
    return new ByteString(VectorCodec.encode(Arguments.vector("faiss_encode", "json", json)));
  }

  /** {@code faiss_decode(blob)}: a blob of float32 elements as a JSON array of numbers. */
  public static String faissDecode(DataContext root, Object blob) {
    if (blob == null) {
      return null;
    }
    if (Values.bytes(blob) == null) {
      throw Errors.notABlob("faiss_decode", "blob", blob).raise();
    }
    return JsonText.ofVector(Arguments.vector("faiss_decode", "blob", blob));
  }

  /**
   * {@code faiss_refresh(database, table)}: loads the index of what is committed now, if it isn't
   * loaded yet, and gives its number of rows. For indexes with the operand {@code refresh} set.
   */
  public static Long faissRefresh(DataContext root, Object database, Object table) {
    Execution execution = Execution.of(root);
    if (database == null || table == null) {
      return null;
    }
    try {
      SqliteSchema schema = IndexAccess.schema("faiss_refresh", root.getRootSchema(), database);
      IndexedTable indexed = IndexAccess.table("faiss_refresh", schema, table, execution);
      return schema.indexedTables().current(indexed, execution).size();
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  /**
   * Loads the index that a call will search, if there is one, so that it is there when SQLite makes
   * the call.
   *
   * @return whether it is there
   */
  public static boolean load(DataContext root, String database, String table) {
    try {
      SqliteSchema schema = IndexAccess.schema("faiss_search", root.getRootSchema(), database);
      Execution execution = Execution.of(root);
      IndexedTable indexed = IndexAccess.table("faiss_search", schema, table, execution);
      schema.indexedTables().load(indexed, execution);
      return true;
    } catch (SQLException e) {
      if (SqlState.CHANGED.equals(e.getSQLState())) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
      // Said when the function is called, if it is.
      return false;
    }
  }

  /**
   * The ids that the nearest of some rows are among, as a JSON array: the nearest ones with all
   * that are as near as the last, those that have no distance, and those that the index doesn't
   * know.
   *
   * @param vector what they are near to; NULL for all of them
   * @param metric the name of a {@link Metric}
   * @param count how many are wanted; less than 0 for all
   * @param skip how many are passed over before
   * @param ids a JSON array of the rows' ids, which are whole numbers
   */
  public static String nearestIds(
      DataContext root,
      Object database,
      Object table,
      Object vector,
      Object metric,
      Object count,
      Object skip,
      Object ids) {
    Execution execution = Execution.of(root);
    String all = ids == null ? "[]" : ids.toString();
    long wanted = number(count);
    if (vector == null || wanted < 0) {
      return all;
    }
    wanted = Math.min(Integer.MAX_VALUE - 1L, wanted + Math.max(0, number(skip)));
    try {
      Metric by = Metric.valueOf((String) metric);
      SqliteSchema schema = IndexAccess.schema("faiss_search", root.getRootSchema(), database);
      IndexedTable indexed = IndexAccess.table("faiss_search", schema, table, execution);
      IndexCache.Entry entry = schema.indexedTables().index(indexed, execution);
      float[] query;
      try {
        query = Arguments.vector("", "", vector);
      } catch (RuntimeException e) {
        // SQLite says so when it computes the first distance, if it does.
        return all;
      }
      FlatIndex index = entry.index(query.length);
      if (index == null || index.size() == 0) {
        return all;
      }
      JsonText.Hits hits = new JsonText.Hits(false);
      BitSet rows = new BitSet(index.size());
      for (long id : VectorJson.wholeNumbers(all)) {
        int ordinal = index.ordinal(id);
        if (ordinal < 0) {
          hits.add(id, 0);
        } else {
          rows.set(ordinal);
        }
      }
      Floats floats = schema.indexedTables().floats(indexed, entry, index, execution);
      BitSet found = nearest(index, query, by, (int) wanted, rows, execution, floats);
      found.stream().forEach(ordinal -> hits.add(index.id(ordinal), 0));
      return hits.json();
    } catch (SQLException e) {
      throw FaissException.<RuntimeException>sneakyThrow(e);
    }
  }

  private static BitSet nearest(
      FlatIndex index,
      float[] query,
      Metric by,
      int wanted,
      BitSet rows,
      Execution execution,
      Floats floats) {
    BitSet found = new BitSet(index.size());
    if (by == Metric.COSINE_DISTANCE || by == Metric.COSINE_SIMILARITY) {
      if (Double.isNaN(by.value(query, query))) {
        return rows;
      }
      // What has no value is first or last, as SQLite sorts NULL.
      found.or(rows);
      found.and(index.zeroRows());
      rows.andNot(found);
    }
    if (wanted >= rows.cardinality()) {
      found.or(rows);
      return found;
    }
    Search search = new Search(query, by, wanted + 1, Double.NaN, rows);
    Neighbors nearest = index.search(search, execution, floats);
    int size = wanted;
    if (wanted > 0 && nearest.values()[wanted] == nearest.values()[wanted - 1]) {
      double last = nearest.values()[wanted];
      Search ties = new Search(query, by, Integer.MAX_VALUE, last, rows);
      nearest = index.search(ties, execution, floats);
      size = nearest.size();
    }
    for (int i = 0; i < size; i++) {
      found.set(nearest.ordinals()[i]);
    }
    return found;
  }

  private static long number(Object value) {
    // What isn't a whole number is refused by SQLite where it cuts the rows.
    return value instanceof Number number ? number.longValue() : -1;
  }

  private static String search(
      DataContext root,
      String function,
      Object database,
      Object table,
      Object vector,
      Object k,
      boolean scores) {
    // Before anything else, so that the planner can't evaluate the call and freeze its answer.
    Execution execution = Execution.of(root);
    if (database == null || table == null || vector == null || k == null) {
      return null;
    }
    Recent recent = execution.memo(Recent.class, key -> new Recent());
    Call call = new Call(function, database, table, vector, k);
    String known = recent.get(call);
    if (known == null) {
      IndexAccess.Found found =
          IndexAccess.search(root, function, database, table, vector, k, Metric.L2_SQUARED);
      known = json(found, scores);
      recent.put(call, known);
    }
    return known;
  }

  private static String json(IndexAccess.Found found, boolean scores) {
    Neighbors neighbors = found.neighbors();
    JsonText.Hits json = new JsonText.Hits(scores);
    for (int i = 0; i < neighbors.size(); i++) {
      json.add(found.ids().apply(neighbors.ordinals()[i]), neighbors.values()[i]);
    }
    return json.json();
  }

  private record Call(String function, Object database, Object table, Object vector, Object k) {}

  /** The last answers of a run: a call with the same arguments for every row searches once. */
  private static final class Recent {
    private static final int CAPACITY = 16;

    private final Map<Call, String> answers = new RecentlyUsed<>(CAPACITY);

    private synchronized String get(Call call) {
      return answers.get(call);
    }

    private synchronized void put(Call call, String answer) {
      answers.put(call, answer);
    }
  }
}
