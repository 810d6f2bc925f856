/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.search;

import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.function.EmbedFunctions;
import io.github.calcitefaiss.sql.function.FaissAggregate;
import io.github.calcitefaiss.sql.function.JsonFunctions;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sql.function.Values;
import io.github.calcitefaiss.sql.function.VectorFunctions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.calcite.DataContext;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.impl.AbstractSchema;
import org.apache.calcite.sql.type.SqlTypeName;

/** Puts the functions into a root schema, where they are found from every default schema. */
public final class FaissFunctions {
  private static final String METADATA = "metadata";

  private FaissFunctions() {}

  /**
   * Adds the functions to a root schema, once, however many schemas ask for it.
   *
   * @param schema what asks, and will be added under this name
   */
  public static void register(SchemaPlus root, String schema) {
    synchronized (root) {
      if (schema.equalsIgnoreCase(METADATA)) {
        // It takes the place of the usual one.
        metadata(root, "faiss_" + METADATA);
      }
      if (!root.getFunctions("faiss_search").isEmpty()) {
        return;
      }
      scalars().forEach(function -> root.add(function.getKey(), function.getValue()));
      root.add("faiss_agg", FaissAggregate.function(false));
      root.add("faiss_agg_with_scores", FaissAggregate.function(true));
      root.add("json_each", TableFunctions.jsonEach(false));
      root.add("json_each", TableFunctions.jsonEach(true));
      root.add("faiss_neighbors", TableFunctions.neighbors(root));
      metadata(root, METADATA);
    }
  }

  private static void metadata(SchemaPlus root, String name) {
    SchemaPlus metadata = root.subSchemas().get(name);
    if (metadata == null) {
      metadata = root.add(name, new AbstractSchema());
    }
    metadata.add(IndexesTable.NAME, new IndexesTable());
  }

  private static final Set<String> RANKING = ranking();

  private static final Set<String> CHECKED = checked();

  private static final Map<String, List<String>> PARAMETERS = parameters();

  private static Set<String> checked() {
    Set<String> names = new TreeSet<>(scalars().stream().map(Map.Entry::getKey).toList());
    names.removeAll(List.of("hex", "length", "json_extract"));
    names.addAll(List.of("faiss_agg", "faiss_agg_with_scores"));
    return names;
  }

  private static Set<String> ranking() {
    Set<String> names = new TreeSet<>(DistanceFunctions.all().keySet());
    names.addAll(List.of("faiss_neighbors", "<->", "<=>", "<#>", "<+>", "nearest"));
    return names;
  }

  /**
   * Whether an index may answer a statement, so that it's worth planning.
   *
   * @param words keywords, names and operators of the statement, in lower case
   */
  public static boolean mayRank(Set<String> words) {
    return RANKING.stream().anyMatch(words::contains);
  }

  /**
   * Whether a statement calls a function whose constant arguments are looked at beforehand.
   *
   * @param words keywords, names and operators of the statement, in lower case
   */
  public static boolean mayBeWrong(Set<String> words) {
    return CHECKED.stream().anyMatch(words::contains);
  }

  /** Whether a function's name, in lower case, is one that is the same whoever calls it. */
  public static boolean isSame(String name) {
    return CHECKED.contains(name) || name.equals("hex") || name.startsWith("faiss_");
  }

  /**
   * The name of a function's parameter.
   *
   * @param function in lower case
   * @param position from 0
   * @return null if there is none, or functions of this name differ in it
   */
  public static String parameter(String function, int position) {
    return PARAMETERS.getOrDefault(function, List.of()).size() > position
        ? PARAMETERS.get(function).get(position)
        : null;
  }

  private static Map<String, List<String>> parameters() {
    Map<String, List<String>> names = new LinkedHashMap<>();
    List<Map.Entry<String, Function>> all = new ArrayList<>(scalars());
    all.add(Map.entry("faiss_agg", FaissAggregate.function(false)));
    all.add(Map.entry("faiss_agg_with_scores", FaissAggregate.function(true)));
    all.add(Map.entry("faiss_neighbors", TableFunctions.neighbors(null)));
    for (Map.Entry<String, Function> function : all) {
      List<String> mine =
          function.getValue().getParameters().stream().map(FunctionParameter::getName).toList();
      names.merge(function.getKey(), mine, (one, other) -> List.of());
    }
    return names;
  }

  /** The scalar functions by name; a name has several where they differ in their arguments. */
  static List<Map.Entry<String, Function>> scalars() {
    Map<String, Function> map = new LinkedHashMap<>();
    Signature search = Signature.of("database:VARCHAR", "table:VARCHAR", "vector", "k");
    map.put(
        "faiss_search", search.scalar(SqlTypeName.VARCHAR, SearchFunctions.class, "faissSearch"));
    map.put(
        "faiss_search_with_scores",
        search.scalar(SqlTypeName.VARCHAR, SearchFunctions.class, "faissSearchWithScores"));
    map.put(
        "faiss_refresh",
        Signature.of("database:VARCHAR", "table:VARCHAR")
            .scalar(SqlTypeName.BIGINT, SearchFunctions.class, "faissRefresh"));
    map.put(
        "faiss_encode",
        Signature.of("json").scalar(SqlTypeName.VARBINARY, SearchFunctions.class, "faissEncode"));
    map.put(
        "faiss_decode",
        Signature.of("blob").scalar(SqlTypeName.VARCHAR, SearchFunctions.class, "faissDecode"));
    map.put(
        "json_extract",
        Signature.of("json", "path").scalar(SqlTypeName.ANY, JsonFunctions.class, "jsonExtract"));
    map.put("hex", Signature.of("value").scalar(SqlTypeName.VARCHAR, FaissFunctions.class, "hex"));
    map.put(
        "length", Signature.of("value").scalar(SqlTypeName.BIGINT, FaissFunctions.class, "length"));
    map.putAll(DistanceFunctions.all());
    map.putAll(VectorFunctions.all());
    List<Map.Entry<String, Function>> all = new ArrayList<>(map.entrySet());
    all.addAll(EmbedFunctions.all());
    return all;
  }

  /** {@code hex(value)}, as SQLite's. */
  public static String hex(DataContext root, Object value) {
    return Values.sqlHex(value);
  }

  /** {@code length(value)}, as SQLite's. */
  public static Long length(DataContext root, Object value) {
    return Values.sqlLength(value);
  }
}
