/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What other databases call things, and what does the same here. */
final class OtherDialects {
  private static final String NEAREST =
      "SELECT * FROM faiss_neighbors('schema', 'table', '[…]', k) gives the nearest rows";

  private static final String NO_REGULAR_EXPRESSIONS =
      "LIKE, GLOB, instr and replace; regular expressions are not offered";

  private static final Map<String, String> FUNCTIONS = new HashMap<>();

  /** Schemas and tables in which other databases list their tables. */
  private static final Set<String> CATALOGUES =
      Set.of(
          "information_schema",
          "pg_catalog",
          "pg_tables",
          "pg_class",
          "sys",
          "sysobjects",
          "user_tables",
          "all_tables",
          "dba_tables",
          "duckdb_tables",
          "sqlite_masters",
          "sqlite_tables");

  static {
    functions("datetime('now')", "now", "getdate", "sysdate", "getutcdate", "current_datetime");
    functions("date('now')", "curdate", "today");
    functions("time('now')", "curtime");
    functions("datetime(x, '+1 day')", "dateadd", "date_add", "date_sub", "adddate", "interval");
    functions("julianday(a) - julianday(b), in days", "datediff", "date_diff", "timestampdiff");
    functions("strftime('%Y', x)", "year", "to_date", "to_timestamp", "date_format", "date_part");
    functions("strftime or printf", "to_char");
    functions("length(x)", "len", "strlen", "datalength");
    functions("ifnull(x, y)", "isnull", "if_null", "nvl2");
    functions("hex(randomblob(16))", "uuid", "newid", "gen_random_uuid", "generate_uuid");
    functions("sqlite_version()", "version");
    functions("Connection.getSchema(), or .databases in the shell", "database", "current_database");
    functions("group_concat(x, ',')", "listagg", "array_to_string");
    functions("json_group_array(x)", "array_agg", "collect_list");
    functions("json_each, which gives rows", "unnest", "explode", "string_to_array", "split");
    functions(NO_REGULAR_EXPRESSIONS, "regexp", "regexp_like", "regexp_matches", "regexp_replace");
    functions("LIKE, which ignores the case of ASCII letters", "ilike");
    functions("instr(a, b) > 0", "contains", "strpos");
    functions("l2_distance(a, b), cosine_distance(a, b) or inner_product(a, b)", "distance");
    functions("l2_distance(a, b)", "l2", "euclidean", "euclidean_distance", "vector_distance_l2");
    functions("l1_distance(a, b)", "l1", "manhattan", "manhattan_distance");
    functions("cosine_distance(a, b)", "cosine", "cos_distance", "vector_distance_cos");
    functions(
        "cosine_similarity(a, b)", "cos_sim", "cosine_sim", "similarity", "vector_similarity");
    functions("inner_product(a, b)", "dot", "dot_product", "vector_dot");
    functions("'[1, 2]', which is a vector as it is", "vector", "to_vector", "string_to_vector");
    functions("'[1, 2]', which is a vector as it is", "vector32", "vector64", "vec_fromtext");
    functions(
        NEAREST, "vector_top_k", "vss_search", "vss_search_params", "top_k", "knn", "nearest");
  }

  private OtherDialects() {}

  private static void functions(String here, String... names) {
    for (String name : names) {
      FUNCTIONS.put(name, here);
    }
  }

  /** What to write for a function that isn't here, or null. */
  static String function(String name) {
    return FUNCTIONS.get(name.toLowerCase(Locale.ROOT));
  }

  /** What to write for a table or schema that isn't here, or null. */
  static String catalogue(String name) {
    return CATALOGUES.contains(name.toLowerCase(Locale.ROOT))
        ? "select name from sqlite_schema lists tables"
        : null;
  }

  /** What to write for a word that was taken for a column, or null. */
  static String column(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "distance", "score", "_distance", "similarity" ->
          "it is computed, as in ORDER BY l2_distance(embedding, '[…]')";
      case "count" -> "here: count(*)";
      case "rownum", "rowcount", "row_number" -> "here: LIMIT n at the end";
      case "sysdate", "getdate", "now", "today" -> "here: datetime('now')";
      default -> null;
    };
  }
}
