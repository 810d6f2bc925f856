/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A virtual table of the extension sqlite-vec, taken apart by its CREATE statement, and the query
 * that reads it from the ordinary tables in which the extension keeps it.
 *
 * <p>Those are {@code …_rowids}, a row for each row and where its values are; {@code …_chunks} and
 * {@code …_vector_chunksNN}, the vectors of some hundred rows in one blob; {@code …_auxiliary} and
 * {@code …_metadata…}.
 *
 * @param name its name
 * @param columns as they are shown, the key first
 * @param query a SELECT of these columns
 */
record Vec0Table(String name, List<SqliteTable.Column> columns, String query) {
  private static final Pattern CREATE =
      Pattern.compile(
          "(?is)\\s*create\\s+virtual\\s+table\\s+(?:if\\s+not\\s+exists\\s+)?.*?\\susing\\s+vec0"
              + "\\s*\\((.*)\\)\\s*;?\\s*");

  private static final Pattern VECTOR =
      Pattern.compile("(?is)(\\w+)\\s+(float|f32|int8|i8|bit)\\s*\\[\\s*(\\d+)\\s*\\](.*)");

  private static final Pattern COLUMN = Pattern.compile("(?is)(\\+?)\\s*(\\w+)\\s+(\\w+)\\s*(.*)");

  private static final Pattern OPTION = Pattern.compile("(?is)\\w+\\s*=.*");

  /** What the names of the tables that hold a virtual table add to its own. */
  private static final Pattern SHADOW =
      Pattern.compile(
          "_(info|chunks|rowids|auxiliary|vector_chunks\\d\\d|metadatachunks\\d\\d|metadatatext\\d\\d)");

  /** Reads a CREATE statement; null if it is none of this kind, or of one that isn't known. */
  static Vec0Table of(String name, String create) {
    Matcher statement = CREATE.matcher(create);
    if (!statement.matches()) {
      return null;
    }
    Parser parser = new Parser(name);
    for (String argument : split(statement.group(1))) {
      if (!parser.add(argument.strip())) {
        return null;
      }
    }
    return parser.build();
  }

  /** Whether a table is one of those that hold this. */
  boolean isHeldIn(String table) {
    return table.startsWith(name) && SHADOW.matcher(table.substring(name.length())).matches();
  }

  /** The first column of float vectors, or null. */
  String vectorColumn() {
    return columns.stream()
        .filter(column -> column.declared().toLowerCase(Locale.ROOT).startsWith("float["))
        .map(SqliteTable.Column::name)
        .findFirst()
        .orElse(null);
  }

  private static List<String> split(String arguments) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int from = 0;
    for (int i = 0; i < arguments.length(); i++) {
      char c = arguments.charAt(i);
      depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
      if (c == ',' && depth == 0) {
        parts.add(arguments.substring(from, i));
        from = i + 1;
      }
    }
    parts.add(arguments.substring(from));
    return parts;
  }

  private static final class Parser {
    private final String name;
    private final List<SqliteTable.Column> columns = new ArrayList<>();
    private final List<String> expressions = new ArrayList<>();
    private final StringBuilder joins = new StringBuilder();
    private boolean hasKey;
    private int vectors;
    private int partitions;
    private int auxiliaries;
    private int metadata;

    private Parser(String name) {
      this.name = name;
    }

    private String shadow(String suffix) {
      return Identifiers.quote(name + suffix);
    }

    private boolean add(String argument) {
      Matcher vector = VECTOR.matcher(argument);
      if (vector.matches()) {
        return vector(vector);
      }
      Matcher column = COLUMN.matcher(argument);
      if (column.matches()) {
        return column(column.group(1), column.group(2), column.group(3), column.group(4));
      }
      return OPTION.matcher(argument).matches();
    }

    private boolean vector(Matcher vector) {
      String options = vector.group(4).strip();
      if (!options.isEmpty() && !OPTION.matcher(options).matches()) {
        // Kept in another way, as one that is indexed by the extension.
        return false;
      }
      int elements = Integer.parseInt(vector.group(3));
      String type = vector.group(2).toLowerCase(Locale.ROOT);
      boolean floats = type.startsWith("f");
      int bytes = floats ? 4 * elements : type.equals("bit") ? elements / 8 : elements;
      String chunk = "v" + vectors;
      join(chunk, String.format(Locale.ROOT, "_vector_chunks%02d", vectors++));
      show(
          vector.group(1),
          (floats ? "float" : type) + "[" + elements + "]",
          SqlTypeName.VARBINARY,
          "substr(" + chunk + ".vectors, r.chunk_offset * " + bytes + " + 1, " + bytes + ")");
      return true;
    }

    private boolean column(String plus, String column, String type, String rest) {
      String words = rest.toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip();
      SqlTypeName sqlType = ColumnType.of(type);
      if (!plus.isEmpty()) {
        if (auxiliaries == 0) {
          joins
              .append(" LEFT JOIN ")
              .append(shadow("_auxiliary"))
              .append(" AS a ON a.rowid = r.rowid");
        }
        String value = String.format(Locale.ROOT, "a.value%02d", auxiliaries++);
        show(column, type, sqlType, value);
        return true;
      } else if (words.equals("primary key")) {
        hasKey = true;
        boolean integer = sqlType == SqlTypeName.BIGINT;
        columns.add(0, new SqliteTable.Column(column, type, sqlType, false, 1));
        expressions.add(0, (integer ? "r.rowid" : "r.id") + " AS " + Identifiers.quote(column));
        return true;
      } else if (words.equals("partition key")) {
        if (partitions == 0) {
          joins
              .append(" JOIN ")
              .append(shadow("_chunks"))
              .append(" AS c ON c.chunk_id = r.chunk_id");
        }
        show(column, type, sqlType, String.format(Locale.ROOT, "c.partition%02d", partitions++));
        return true;
      }
      return words.isEmpty() && metadata(column, type, sqlType);
    }

    /** A value of a fixed width in a blob for each chunk; a long text stands elsewhere. */
    private boolean metadata(String column, String type, SqlTypeName sqlType) {
      String number = String.format(Locale.ROOT, "%02d", metadata++);
      String data = "m" + number;
      join(data, "_metadatachunks" + number);
      switch (sqlType) {
        case BOOLEAN:
          show(column, type, sqlType, bit(data + ".data"));
          return true;
        case BIGINT:
          show(column, type, sqlType, integer(slot(data, 8), 8));
          return true;
        case DOUBLE:
          show(column, type, sqlType, Vec0Views.DOUBLE + "(" + slot(data, 8) + ")");
          return true;
        case VARCHAR:
          String length = integer(slot(data, 16), 4);
          show(
              column,
              type,
              sqlType,
              "CASE WHEN "
                  + length
                  + " > 12 THEN (SELECT t.data FROM "
                  + shadow("_metadatatext" + number)
                  + " AS t WHERE t.rowid = r.rowid) ELSE CAST(substr("
                  + slot(data, 16)
                  + ", 5, "
                  + length
                  + ") AS TEXT) END");
          return true;
        default:
          return false;
      }
    }

    private static String slot(String data, int width) {
      return "substr(" + data + ".data, r.chunk_offset * " + width + " + 1, " + width + ")";
    }

    private static String integer(String blob, int bytes) {
      return Vec0Views.INTEGER + "(substr(" + blob + ", 1, " + bytes + "))";
    }

    private static String bit(String data) {
      return Vec0Views.INTEGER
          + "(substr("
          + data
          + ", r.chunk_offset / 8 + 1, 1)) >> (r.chunk_offset % 8) & 1";
    }

    private void join(String alias, String suffix) {
      joins
          .append(" JOIN ")
          .append(shadow(suffix))
          .append(" AS ")
          .append(alias)
          .append(" ON ")
          .append(alias)
          .append(".rowid = r.chunk_id");
    }

    private void show(String column, String declared, SqlTypeName type, String expression) {
      columns.add(new SqliteTable.Column(column, declared, type, true, 0));
      expressions.add(expression + " AS " + Identifiers.quote(column));
    }

    private Vec0Table build() {
      if (!hasKey) {
        columns.add(0, new SqliteTable.Column("rowid", "INTEGER", SqlTypeName.BIGINT, false, 1));
        expressions.add(0, "r.rowid AS \"rowid\"");
      }
      return new Vec0Table(
          name,
          List.copyOf(columns),
          "SELECT "
              + String.join(", ", expressions)
              + " FROM "
              + shadow("_rowids")
              + " AS r"
              + joins);
    }
  }
}
