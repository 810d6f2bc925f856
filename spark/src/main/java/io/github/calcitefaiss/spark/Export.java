/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Types;

/**
 * Writes the tables of SQLite files as Parquet, a folder each, for Spark to read.
 *
 * <p>A table's folder appears when all of it is written: after a kill there is none, or the one of
 * before. A file is one row group, and so one partition of an index.
 */
public final class Export {
  /** About how many bytes go into one file. */
  static final long FILE_BYTES = 64L << 20;

  private static final String UNFINISHED = ".unfinished-";
  private static final String OLD = UNFINISHED + "old-";

  private final Connection connection;
  private final Path target;
  private final long fileBytes;

  private Export(Connection connection, Path target, long fileBytes) {
    this.connection = connection;
    this.target = target;
    this.fileBytes = fileBytes;
  }

  /** What a column becomes. */
  private enum Kind {
    LONG,
    DOUBLE,
    TEXT,
    BLOB
  }

  private record Column(String name, Kind kind) {}

  /** The command line: {@code DB… --parquet DIR [--table NAME]…}; exits with 0, 1 or 2. */
  public static void main(String[] arguments) {
    System.exit(run(arguments, System.out, System.err));
  }

  static int run(String[] arguments, PrintStream out, PrintStream err) {
    List<Path> files = new ArrayList<>();
    Set<String> tables = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    Path folder = null;
    for (int i = 0; i < arguments.length; i++) {
      boolean option = arguments[i].startsWith("--");
      if (!option) {
        files.add(Path.of(arguments[i]));
      } else if (i + 1 < arguments.length && arguments[i].equals("--parquet")) {
        folder = Path.of(arguments[++i]);
      } else if (i + 1 < arguments.length && arguments[i].equals("--table")) {
        tables.add(arguments[++i]);
      } else {
        err.println("export: unknown option, or one without a value: " + arguments[i]);
        return 2;
      }
    }
    if (files.isEmpty() || folder == null) {
      err.println("expected: export DB… --parquet DIR [--table NAME]…");
      return 2;
    }
    Map<String, Path> names = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    for (Path file : files) {
      Path other = names.put(name(file), file);
      if (other != null && files.size() > 1) {
        err.printf(
            "export: %s and %s would both go to %s; export one of them to another folder%n",
            other, file, folder.resolve(name(file)));
        return 2;
      }
    }
    int status = 0;
    for (Path file : files) {
      Path target = files.size() == 1 ? folder : folder.resolve(name(file));
      try {
        export(file, target, tables, FILE_BYTES, out::println);
      } catch (SQLException | IOException e) {
        err.println("export: " + e.getMessage());
        status = 1;
      }
    }
    return status;
  }

  /** A file's name without its ending. */
  private static String name(Path file) {
    return file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
  }

  /**
   * Writes tables, all of one committed version of the file. One that can't be written doesn't keep
   * the others from it; what is wrong is said in the end.
   *
   * @param tables which; none for all that have columns of their own
   * @return a line for each table written
   */
  static List<String> export(Path file, Path target, Set<String> tables, long fileBytes)
      throws SQLException, IOException {
    List<String> lines = new ArrayList<>();
    export(file, target, tables, fileBytes, lines::add);
    return lines;
  }

  private static void export(
      Path file, Path target, Set<String> tables, long fileBytes, Consumer<String> done)
      throws SQLException, IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException("no such file: " + file);
    }
    Files.createDirectories(target);
    clean(target);
    String url = "jdbc:sqlite:file:" + file.toAbsolutePath().toUri().getRawPath() + "?mode=ro";
    try (Connection connection = DriverManager.getConnection(url)) {
      connection.setAutoCommit(false);
      Export export = new Export(connection, target, fileBytes);
      List<String> known = export.tables();
      for (String table : tables) {
        if (known.stream().noneMatch(table::equalsIgnoreCase)) {
          throw new SQLException(
              "no table '" + table + "' in " + file + "; there are: " + String.join(", ", known));
        }
      }
      List<String> wrong = new ArrayList<>();
      Map<Path, String> folders = new HashMap<>();
      for (String table : known) {
        if (!tables.isEmpty() && !tables.contains(table)) {
          continue;
        }
        String other = folders.put(export.folder(table), table);
        try {
          if (other != null) {
            throw new SQLException(
                "tables '"
                    + other
                    + "' and '"
                    + table
                    + "' would go to one folder: "
                    + export.folder(table));
          }
          done.accept(export.table(table));
        } catch (SQLException e) {
          String at = "table '" + table + "': ";
          wrong.add(e.getMessage().startsWith("table") ? e.getMessage() : at + e.getMessage());
        }
      }
      if (!wrong.isEmpty()) {
        throw new SQLException(String.join("\nexport: ", wrong));
      }
    }
  }

  private List<String> tables() throws SQLException {
    List<String> names = new ArrayList<>();
    String sql =
        "select name from pragma_table_list where schema = 'main' and type in ('table', 'view')"
            + " and name not like 'sqlite\\_%' escape '\\' order by name";
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        names.add(rows.getString(1));
      }
    }
    return names;
  }

  private static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  private List<Column> columns(String table) throws SQLException {
    List<Column> columns = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                // Hidden are a virtual table's; generated ones are not.
                "select name, type from pragma_table_xinfo("
                    + text(table)
                    + ") where hidden <> 1")) {
      while (rows.next()) {
        columns.add(
            new Column(rows.getString(1), kind(table, rows.getString(1), rows.getString(2))));
      }
    }
    return columns;
  }

  private static String text(String value) {
    return "'" + value.replace("'", "''") + "'";
  }

  /** What a column holds, by the types of its values; where there is none, as it is declared. */
  private Kind kind(String table, String column, String declared) throws SQLException {
    Set<String> types = new TreeSet<>();
    String sql = "select distinct typeof(" + quoted(column) + ") from " + quoted(table);
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        types.add(rows.getString(1));
      }
    }
    types.remove("null");
    if (types.isEmpty()) {
      String type = declared.toUpperCase(Locale.ROOT);
      return type.contains("INT")
          ? Kind.LONG
          : type.contains("BLOB")
              ? Kind.BLOB
              : type.contains("REAL") || type.contains("FLOA") || type.contains("DOUB")
                  ? Kind.DOUBLE
                  : Kind.TEXT;
    } else if (types.equals(Set.of("integer"))) {
      return Kind.LONG;
    } else if (types.equals(Set.of("blob"))) {
      return Kind.BLOB;
    } else if (types.equals(Set.of("text"))) {
      return Kind.TEXT;
    } else if (!types.contains("blob") && !types.contains("text")) {
      if (types.contains("integer") && anyBeyondDouble(table, column)) {
        throw new SQLException(
            "table '"
                + table
                + "', column '"
                + column
                + "' holds real numbers and whole ones beyond 2^53, and no type of Parquet's holds"
                + " both exactly; name other tables with --table, or a view that casts it");
      }
      return Kind.DOUBLE;
    }
    throw new SQLException(
        "table '"
            + table
            + "', column '"
            + column
            + "' holds values of several types ("
            + String.join(", ", types)
            + "), and Parquet's columns have one; name other tables with --table, or a view that"
            + " casts it");
  }

  private boolean anyBeyondDouble(String table, String column) throws SQLException {
    String c = quoted(column);
    String sql =
        "select exists (select 1 from "
            + quoted(table)
            + " where typeof("
            + c
            + ") = 'integer' and "
            + c
            + " not between -9007199254740992 and 9007199254740992)";
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      return row.next() && row.getBoolean(1);
    }
  }

  private Path folder(String table) {
    return target.resolve(table.replaceAll("[/\\\\]", "_"));
  }

  private String table(String table) throws SQLException, IOException {
    List<Column> columns = columns(table);
    MessageType schema = schema(columns);
    Path unfinished =
        Files.createDirectory(target.resolve(UNFINISHED + ProcessHandle.current().pid()));
    long n = 0;
    int files = 0;
    String sql = "select " + names(columns) + " from " + quoted(table);
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      ParquetWriter<Group> writer = null;
      long bytes = 0;
      try {
        while (rows.next()) {
          if (writer == null || bytes >= fileBytes) {
            if (writer != null) {
              writer.close();
            }
            String name = String.format(Locale.ROOT, "part-%05d.parquet", files++);
            writer = writer(schema, unfinished.resolve(name));
            bytes = 0;
          }
          Group group = new SimpleGroup(schema);
          bytes += fill(group, rows, columns);
          writer.write(group);
          n++;
        }
        if (files == 0) {
          writer = writer(schema, unfinished.resolve("part-00000.parquet"));
          files++;
        }
      } finally {
        if (writer != null) {
          writer.close();
        }
      }
    }
    Path finished = folder(table);
    if (Files.exists(finished)) {
      // A rename can't replace a folder: for a moment there is none.
      Path old = target.resolve(OLD + finished.getFileName());
      Files.move(finished, old, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.move(unfinished, finished, StandardCopyOption.ATOMIC_MOVE);
    clean(target);
    return finished + ": " + n + " rows in " + files + (files == 1 ? " file" : " files");
  }

  private static String names(List<Column> columns) {
    return String.join(", ", columns.stream().map(column -> quoted(column.name)).toList());
  }

  private static MessageType schema(List<Column> columns) {
    Types.MessageTypeBuilder message = Types.buildMessage();
    for (Column column : columns) {
      switch (column.kind) {
        case LONG:
          message.optional(PrimitiveTypeName.INT64).named(column.name);
          break;
        case DOUBLE:
          message.optional(PrimitiveTypeName.DOUBLE).named(column.name);
          break;
        case TEXT:
          message
              .optional(PrimitiveTypeName.BINARY)
              .as(LogicalTypeAnnotation.stringType())
              .named(column.name);
          break;
        default:
          message.optional(PrimitiveTypeName.BINARY).named(column.name);
      }
    }
    return message.named("row");
  }

  private static ParquetWriter<Group> writer(MessageType schema, Path path) throws IOException {
    return ExampleParquetWriter.builder(new LocalOutputFile(path))
        .withConf(new Configuration(false))
        .withType(schema)
        .withRowGroupSize(4 * FILE_BYTES)
        .withDictionaryEncoding(true)
        .withCompressionCodec(CompressionCodecName.UNCOMPRESSED)
        .build();
  }

  private static long fill(Group group, ResultSet rows, List<Column> columns) throws SQLException {
    long bytes = 0;
    for (int i = 0; i < columns.size(); i++) {
      Object value = rows.getObject(i + 1);
      if (value == null) {
        continue;
      }
      switch (columns.get(i).kind) {
        case LONG:
          group.add(i, rows.getLong(i + 1));
          bytes += 8;
          break;
        case DOUBLE:
          group.add(i, rows.getDouble(i + 1));
          bytes += 8;
          break;
        case TEXT:
          byte[] utf8 = rows.getString(i + 1).getBytes(StandardCharsets.UTF_8);
          group.add(i, Binary.fromConstantByteArray(utf8));
          bytes += utf8.length;
          break;
        default:
          byte[] blob = rows.getBytes(i + 1);
          group.add(i, Binary.fromConstantByteArray(blob));
          bytes += blob.length;
      }
    }
    return bytes;
  }

  /** Removes what an earlier export left when it was killed. */
  private static void clean(Path target) throws IOException {
    List<Path> left = new ArrayList<>();
    try (var entries = Files.newDirectoryStream(target, UNFINISHED + "*")) {
      entries.forEach(left::add);
    }
    for (Path folder : left) {
      String name = folder.getFileName().toString();
      Path was = target.resolve(name.startsWith(OLD) ? name.substring(OLD.length()) : "");
      if (name.startsWith(OLD) && !Files.exists(was)) {
        // Killed between the two renames: what was there comes back.
        Files.move(folder, was, StandardCopyOption.ATOMIC_MOVE);
        continue;
      }
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e)
                throws IOException {
              Files.delete(visited);
              return FileVisitResult.CONTINUE;
            }
          });
    }
  }
}
