/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.embed.ModelDescription;
import io.github.calcitefaiss.index.MemorySize;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sql.function.Names;
import io.github.calcitefaiss.sqlite.ColumnsToKeep;
import io.github.calcitefaiss.sqlite.IndexOptions;
import io.github.calcitefaiss.sqlite.IndexedTable;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a schema's operands, or a {@code jdbc:faiss:} URL's properties, say.
 *
 * @param database the SQLite file
 * @param tables the tables to index; empty for every table and view with the default columns
 * @param options how indexes are kept: {@code onBadRow} ({@code error}, the default, or {@code
 *     skip}), {@code refresh} ({@code auto}, the default; a time such as {@code 5s} for which an
 *     index may lag behind; or {@code manual}), {@code memoryLimit} (such as {@code 512MB}), {@code
 *     memory} ({@code auto}, the default, or {@code codes}), {@code snapshots}, the folder of files
 *     of indexes, {@code columns} ({@code auto}, the default, {@code none}, or names), {@code
 *     embeddingModel} and {@code onBadText} ({@code error}, the default, or {@code null})
 * @param busyTimeoutMillis how long to wait for a writer that holds the file
 */
public record FaissConfig(
    Path database, List<IndexedTable> tables, IndexOptions options, int busyTimeoutMillis) {
  static final String DATABASE = "database";
  static final String TABLES = "tables";
  static final String ON_BAD_ROW = "onBadRow";
  static final String BUSY_TIMEOUT = "busyTimeout";
  static final String REFRESH = "refresh";
  static final String MEMORY_LIMIT = "memoryLimit";
  static final String EMBEDDING_MODEL = "embeddingModel";
  static final String ON_BAD_TEXT = "onBadText";
  static final String MEMORY = "memory";
  static final String SNAPSHOTS = "snapshots";
  static final String COLUMNS = "columns";

  /** Every operand there is. */
  static final Map<String, Operand> OPERANDS = operands();

  /**
   * What is said of an operand to those who ask what there is.
   *
   * @param description what it does
   * @param byDefault its value where none is given, or null
   * @param choices the values it may have, or null for any
   */
  record Operand(String description, String byDefault, List<String> choices) {}

  private static Map<String, Operand> operands() {
    Map<String, Operand> all = new LinkedHashMap<>();
    all.put(DATABASE, new Operand("the SQLite file", null, null));
    all.put(
        TABLES,
        new Operand(
            "the tables to index, as name or name(id, embedding); by default all with the columns"
                + " id and embedding",
            null,
            null));
    all.put(
        ON_BAD_ROW,
        new Operand(
            "error: a row without a usable vector is an error; skip: it is left out",
            "error",
            List.of("error", "skip")));
    all.put(
        BUSY_TIMEOUT,
        new Operand(
            "how long to wait for a program that writes the file, in milliseconds",
            String.valueOf(DEFAULT_BUSY_TIMEOUT_MILLIS),
            null));
    all.put(
        REFRESH,
        new Operand(
            "auto: an index is always up to date; a time such as 5s: it may be that old; manual:"
                + " until faiss_refresh is called",
            "auto",
            null));
    all.put(
        MEMORY_LIMIT,
        new Operand(
            "how much memory the indexes of the file may take, such as 512MB; by default what the"
                + " process allows",
            null,
            null));
    all.put(
        MEMORY,
        new Operand(
            "auto: an index whose vectors don't fit the limit leaves them in the file; codes: every"
                + " index does",
            "auto",
            List.of("auto", "codes")));
    all.put(
        SNAPSHOTS,
        new Operand(
            "a folder where indexes are kept as files, to be opened at once at the next start; with"
                + " it, memory is codes",
            null,
            null));
    all.put(
        COLUMNS,
        new Operand(
            "which columns are kept beside the vectors, so that filters by them don't ask SQLite;"
                + " auto: numbers, and texts of few distinct values; none; or names with commas",
            "auto",
            null));
    all.put(
        EMBEDDING_MODEL,
        new Operand(
            "the installed embedding model that embed(text) takes, and that made the vectors where"
                + " the file doesn't say which",
            null,
            null));
    all.put(
        ON_BAD_TEXT,
        new Operand(
            "error: a text that can't be embedded is an error; null: its vector is NULL",
            "error",
            List.of("error", "null")));
    return Collections.unmodifiableMap(all);
  }

  private static final Pattern DURATION = Pattern.compile("(\\d{1,9}) ?(ms|s|min)");

  /** A comma that isn't in quotes. */
  private static final Pattern COMMA = Pattern.compile(",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)");

  private static final String NAME = "((?:\\s*\"(?:[^\"]|\"\")*\"\\s*)|[^,()\"]*)";

  private static final Pattern NAMED =
      Pattern.compile(NAME + "(?:\\(" + NAME + "," + NAME + "\\)\\s*)?(?=,|$)");

  static final int DEFAULT_BUSY_TIMEOUT_MILLIS = 5000;

  /** What Calcite itself puts among the operands of a model's schema. */
  private static final Set<String> FROM_CALCITE = Set.of("modelUri", "baseDirectory");

  private static final List<String> TABLE_KEYS = List.of("table", "id", "embedding", "model");

  /**
   * Reads the operands of a schema.
   *
   * @throws FaissException if an operand is unknown, missing or has a wrong value
   */
  static FaissConfig of(String schema, Map<String, Object> operand) throws FaissException {
    for (String key : operand.keySet()) {
      if (!OPERANDS.containsKey(key) && !FROM_CALCITE.contains(key)) {
        throw wrong(schema, "unknown operand '" + key + "'" + Names.among(key, OPERANDS.keySet()));
      }
    }
    boolean skip = onBadRow(schema, operand.get(ON_BAD_ROW));
    long stale = refresh(schema, operand.get(REFRESH));
    Path snapshots = snapshots(schema, operand);
    boolean codesOnly = codesOnly(schema, operand.get(MEMORY)) || snapshots != null;
    if (codesOnly && stale > 0) {
      throw wrong(
          schema,
          (snapshots == null ? "operand 'memory' is 'codes'" : "operand 'snapshots' is given")
              + " and 'refresh' is '"
              + operand.get(REFRESH)
              + "': vectors that are left in the file are read as they are now, so 'refresh' must"
              + " be 'auto'");
    }
    return new FaissConfig(
        database(schema, operand),
        tables(schema, operand.get(TABLES), skip),
        new IndexOptions(
            skip,
            stale,
            memoryLimit(schema, operand.get(MEMORY_LIMIT)),
            codesOnly,
            snapshots,
            columns(schema, operand.get(COLUMNS)),
            embeddingModel(schema, operand.get(EMBEDDING_MODEL)),
            onBadText(schema, operand.get(ON_BAD_TEXT))),
        busyTimeout(schema, operand.get(BUSY_TIMEOUT)));
  }

  private static Path database(String schema, Map<String, Object> operand) throws FaissException {
    Object value = operand.get(DATABASE);
    if (!(value instanceof String text) || text.isBlank()) {
      throw wrong(
          schema,
          "operand 'database' must be the path of a SQLite file, got "
              + (value == null ? "none" : "'" + value + "'"));
    }
    String lower = text.toLowerCase(Locale.ROOT);
    if (text.startsWith(":")
        || lower.startsWith("file:")
        || lower.startsWith("jdbc:")
        || lower.contains("://")) {
      throw wrong(
          schema,
          "operand 'database' is '" + text + "', expected the path of a SQLite file, not a URL");
    }
    return path(schema, DATABASE, text, operand);
  }

  private static Path path(String schema, String name, String text, Map<String, Object> operand)
      throws FaissException {
    try {
      Path path = Path.of(text);
      if (!path.isAbsolute() && operand.get("baseDirectory") instanceof File base) {
        // Of an inline model Calcite gives an empty File, which stands for the working directory.
        path = base.getPath().isEmpty() ? path : base.toPath().resolve(path);
      }
      return path.toAbsolutePath().normalize();
    } catch (InvalidPathException e) {
      throw wrong(
          schema, "operand '" + name + "' is '" + text + "', which is no path: " + e.getReason());
    }
  }

  private static Path snapshots(String schema, Map<String, Object> operand) throws FaissException {
    Object value = operand.get(SNAPSHOTS);
    if (value == null) {
      return null;
    }
    if (!(value instanceof String text) || text.isBlank()) {
      throw wrong(schema, "operand 'snapshots' must be the path of a folder, got '" + value + "'");
    }
    Path folder = path(schema, SNAPSHOTS, text, operand);
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw wrong(schema, "operand 'snapshots' is '" + text + "', which is no folder");
    }
    return folder;
  }

  private static ColumnsToKeep columns(String schema, Object value) throws FaissException {
    if (value == null || "auto".equals(value)) {
      return ColumnsToKeep.SMALL;
    } else if ("none".equals(value)) {
      return ColumnsToKeep.NONE;
    }
    Collection<?> given =
        value instanceof String text
            ? Arrays.stream(COMMA.split(text, -1)).map(FaissConfig::unquoted).toList()
            : value instanceof Collection<?> list ? list : List.of(value);
    List<String> names = new ArrayList<>();
    for (Object name : given) {
      if (!(name instanceof String text) || text.isBlank()) {
        throw wrong(
            schema,
            "operand 'columns' is '" + value + "', expected 'auto', 'none', or names of columns");
      }
      names.add(text);
    }
    return new ColumnsToKeep(List.copyOf(names));
  }

  private static List<IndexedTable> tables(String schema, Object value, boolean skip)
      throws FaissException {
    List<IndexedTable> tables = new ArrayList<>();
    Collection<?> entries;
    if (value == null) {
      entries = List.of();
    } else if (value instanceof String text) {
      entries = named(schema, text);
    } else if (value instanceof Collection<?> list) {
      entries = list;
    } else {
      throw wrong(schema, "operand 'tables' must be a list, got '" + value + "'");
    }
    Set<String> seen = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    for (Object entry : entries) {
      IndexedTable table = table(schema, entry, skip);
      if (!seen.add(table.table())) {
        throw wrong(schema, "operand 'tables' names '" + table.table() + "' twice");
      }
      tables.add(table);
    }
    return tables;
  }

  /** The entries of a URL: names with commas, each perhaps with its columns, as in t(id, vec). */
  private static List<?> named(String schema, String text) throws FaissException {
    List<Object> entries = new ArrayList<>();
    int at = 0;
    while (at <= text.length()) {
      Matcher entry = NAMED.matcher(text).region(at, text.length());
      if (!entry.lookingAt()) {
        throw wrong(
            schema,
            "operand 'tables' is '"
                + text
                + "', expected names with commas, each perhaps with its columns of ids and vectors,"
                + " as in notes(rowid, vec)");
      }
      String name = unquoted(entry.group(1));
      if (entry.group(2) == null) {
        entries.add(name);
      } else {
        entries.add(
            Map.of(
                "table", name,
                "id", unquoted(entry.group(2)),
                "embedding", unquoted(entry.group(3))));
      }
      at = entry.end() + 1;
    }
    return entries;
  }

  private static String unquoted(String name) {
    String text = name.strip();
    return text.length() > 1 && text.startsWith("\"") && text.endsWith("\"")
        ? text.substring(1, text.length() - 1).replace("\"\"", "\"")
        : text;
  }

  private static IndexedTable table(String schema, Object entry, boolean skip)
      throws FaissException {
    if (entry instanceof String name && !name.isEmpty()) {
      return new IndexedTable(name, IndexedTable.DEFAULT_ID, IndexedTable.DEFAULT_EMBEDDING, skip);
    } else if (entry instanceof List<?> pair
        && pair.size() == 2
        && pair.get(0) instanceof String database
        && pair.get(1) instanceof String name) {
      // The plugin's form.
      if (!database.equalsIgnoreCase(schema)) {
        throw wrong(
            schema,
            "operand 'tables' names the database '" + database + "', expected '" + schema + "'");
      }
      return table(schema, name, skip);
    } else if (entry instanceof Map<?, ?> map) {
      for (Object key : map.keySet()) {
        if (!(key instanceof String name) || !TABLE_KEYS.contains(name)) {
          throw wrong(
              schema,
              "operand 'tables' has an entry with the unknown key '"
                  + key
                  + "'"
                  + Names.among(String.valueOf(key), TABLE_KEYS));
        }
        if (!(map.get(key) instanceof String text) || text.isEmpty()) {
          throw wrong(
              schema, "operand 'tables': '" + key + "' must be a name, got '" + map.get(key) + "'");
        }
      }
      if (!map.containsKey("table")) {
        throw wrong(schema, "operand 'tables' has an entry without 'table': " + map);
      }
      return new IndexedTable(
          (String) map.get("table"),
          map.containsKey("id") ? (String) map.get("id") : IndexedTable.DEFAULT_ID,
          map.containsKey("embedding")
              ? (String) map.get("embedding")
              : IndexedTable.DEFAULT_EMBEDDING,
          skip,
          (String) map.get("model"));
    }
    throw wrong(
        schema,
        "operand 'tables' has the entry '"
            + entry
            + "', expected a table's name, or {\"table\": …, \"id\": …, \"embedding\": …}");
  }

  private static boolean onBadRow(String schema, Object value) throws FaissException {
    if (value == null || "error".equals(value)) {
      return false;
    } else if ("skip".equals(value)) {
      return true;
    }
    throw wrong(schema, "operand 'onBadRow' is '" + value + "', expected 'error' or 'skip'");
  }

  private static String embeddingModel(String schema, Object value) throws FaissException {
    if (value == null || value instanceof String text && ModelDescription.isName(text)) {
      return (String) value;
    }
    throw wrong(
        schema, "operand 'embeddingModel' is '" + value + "', expected the name of a model");
  }

  private static boolean onBadText(String schema, Object value) throws FaissException {
    if (value == null || "error".equals(value)) {
      return false;
    } else if ("null".equals(value)) {
      return true;
    }
    throw wrong(schema, "operand 'onBadText' is '" + value + "', expected 'error' or 'null'");
  }

  private static boolean codesOnly(String schema, Object value) throws FaissException {
    if (value == null || "auto".equals(value)) {
      return false;
    } else if ("codes".equals(value)) {
      return true;
    }
    throw wrong(schema, "operand 'memory' is '" + value + "', expected 'auto' or 'codes'");
  }

  private static int busyTimeout(String schema, Object value) throws FaissException {
    if (value == null) {
      return DEFAULT_BUSY_TIMEOUT_MILLIS;
    }
    try {
      int millis = Integer.parseInt(value.toString());
      if (millis >= 0) {
        return millis;
      }
    } catch (NumberFormatException e) {
      // The message below says it.
    }
    throw wrong(
        schema, "operand 'busyTimeout' is '" + value + "', expected milliseconds, 0 or more");
  }

  private static long refresh(String schema, Object value) throws FaissException {
    if (value == null || "auto".equals(value)) {
      return 0;
    } else if ("manual".equals(value)) {
      return IndexOptions.MANUAL;
    }
    Matcher matcher = DURATION.matcher(value.toString());
    if (!matcher.matches()) {
      throw wrong(
          schema,
          "operand 'refresh' is '"
              + value
              + "', expected 'auto', 'manual', or for how long an index may lag behind, such as"
              + " '500ms', '5s' or '10min'");
    }
    long number = Long.parseLong(matcher.group(1));
    switch (matcher.group(2)) {
      case "ms":
        return TimeUnit.MILLISECONDS.toNanos(number);
      case "s":
        return TimeUnit.SECONDS.toNanos(number);
      default:
        return TimeUnit.MINUTES.toNanos(number);
    }
  }

  private static long memoryLimit(String schema, Object value) throws FaissException {
    if (value == null) {
      return Long.MAX_VALUE;
    }
    long bytes = MemorySize.parse(value.toString());
    if (bytes <= 0) {
      throw wrong(
          schema,
          "operand 'memoryLimit' is '" + value + "', expected an amount such as '512MB' or '2GB'");
    }
    return bytes;
  }

  static FaissException wrong(String schema, String problem) {
    return new FaissException(SqlState.CONNECTION, "schema '" + schema + "': " + problem);
  }
}
