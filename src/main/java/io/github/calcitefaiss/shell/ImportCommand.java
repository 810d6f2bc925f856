/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code import}: a folder of texts into a table of passages. */
@Command(
    name = "import",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Reads a folder of .md, .txt and .csv files, with the folders in it, into a table (id, path,"
          + " part, title, body) of a SQLite file, which is made if need be: a row for each passage"
          + " of a text, or of a CSV file's row.",
      "Again, it reads only the files that changed, and removes the rows of those that are gone."
    },
    footer = {"", "Example: import notes.db notes/"})
final class ImportCommand implements Callable<Integer> {
  private static final long LONGEST_FILE = 64L << 20;
  private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6}[ \\t]+(.+?)[ \\t#]*$");

  @Parameters(index = "0", paramLabel = "DATABASE", description = "A SQLite file, new or not.")
  private Path database;

  @Parameters(index = "1", paramLabel = "FOLDER", description = "A folder, or one file.")
  private Path folder;

  @Option(
      names = "--table",
      paramLabel = "TABLE",
      defaultValue = "docs",
      description = "The table; default ${DEFAULT-VALUE}. Each folder needs one of its own.")
  private String table;

  @Option(
      names = "--size",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Characters in a passage, at most; default ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = "--overlap",
      paramLabel = "N",
      defaultValue = "100",
      description =
          "Characters at its end that the next passage repeats, at most; default ${DEFAULT-VALUE}.")
  private int overlap;

  @Spec private CommandSpec spec;

  private record Passage(String title, String body) {}

  @Override
  public Integer call() throws Main.CommandException {
    if (size < 100 || size > 1_000_000) {
      throw new Main.CommandException("--size is " + size + ", expected 100 to 1000000");
    } else if (overlap < 0 || overlap > size / 2) {
      throw new Main.CommandException(
          "--overlap is " + overlap + ", expected 0 to half of --size, " + size / 2);
    }
    Map<String, Path> files = files();
    if (files.isEmpty()) {
      throw new Main.CommandException("no .md, .txt or .csv file in " + folder);
    }
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
      execute(connection, "pragma busy_timeout = 30000");
      execute(connection, "begin immediate");
      String said = write(connection, files);
      execute(connection, "commit");
      spec.commandLine().getOut().println(said);
      return Main.OK;
    } catch (SQLException e) {
      throw new Main.CommandException(database + ": " + e.getMessage(), e);
    }
  }

  /** The files by their names below the folder, none of them hidden. */
  private Map<String, Path> files() throws Main.CommandException {
    Map<String, Path> files = new TreeMap<>();
    if (Files.isRegularFile(folder)) {
      files.put(folder.getFileName().toString(), folder);
      return files;
    } else if (!Files.isDirectory(folder)) {
      throw new Main.CommandException("no such folder: " + folder);
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) all::iterator) {
        String name = folder.relativize(file).toString().replace('\\', '/');
        if (Files.isRegularFile(file)
            && !name.startsWith(".")
            && !name.contains("/.")
            && name.toLowerCase(Locale.ROOT).matches("(?s).*\\.(md|txt|csv)")) {
          files.put(name, file);
        }
      }
      return files;
    } catch (IOException e) {
      throw new Main.CommandException(folder + " can't be read: " + e, e);
    }
  }

  private String write(Connection connection, Map<String, Path> files)
      throws SQLException, Main.CommandException {
    String name = Identifiers.quote(table);
    execute(
        connection,
        "create table if not exists "
            + name
            + " (id integer primary key autoincrement, path text not null, part integer not null,"
            + " title text, body text not null, file_hash blob not null)");
    execute(
        connection,
        "create index if not exists "
            + Identifiers.quote(table + "_path")
            + " on "
            + name
            + " (path)");
    Map<String, byte[]> known = new TreeMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("select path, file_hash from " + name + " group by path")) {
      while (rows.next()) {
        known.put(rows.getString(1), rows.getBytes(2));
      }
    }
    long passages = 0;
    int read = 0;
    try (PreparedStatement delete =
            connection.prepareStatement("delete from " + name + " where path = ?");
        PreparedStatement insert =
            connection.prepareStatement(
                "insert into "
                    + name
                    + " (path, part, title, body, file_hash) values (?, ?, ?, ?, ?)")) {
      for (Map.Entry<String, Path> file : files.entrySet()) {
        byte[] bytes = bytes(file.getValue());
        byte[] hash = hash(bytes);
        if (Arrays.equals(hash, known.remove(file.getKey()))) {
          continue;
        }
        read++;
        delete.setString(1, file.getKey());
        delete.execute();
        int part = 0;
        for (Passage passage : passages(file.getKey(), text(file.getValue(), bytes))) {
          insert.setString(1, file.getKey());
          insert.setInt(2, ++part);
          insert.setString(3, passage.title());
          insert.setString(4, passage.body());
          insert.setBytes(5, hash);
          insert.execute();
          passages++;
        }
      }
      for (String gone : known.keySet()) {
        delete.setString(1, gone);
        delete.execute();
      }
    }
    return String.format(
        Locale.ROOT,
        "%s: %,d passages of %,d files, %,d files unchanged, %,d gone",
        table,
        passages,
        read,
        files.size() - read,
        known.size());
  }

  private List<Passage> passages(String path, String text) {
    String title = path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.[^.]*$", "");
    List<Passage> passages = new ArrayList<>();
    Passages cut = new Passages(size, overlap);
    String lower = path.toLowerCase(Locale.ROOT);
    if (lower.endsWith(".csv")) {
      List<List<String>> rows = CsvRows.of(text);
      for (int i = 1; i < rows.size(); i++) {
        List<String> row = rows.get(i);
        String first = row.stream().filter(cell -> !cell.isBlank()).findFirst().orElse(title);
        cut.of(csv(rows.get(0), row)).forEach(body -> passages.add(new Passage(first, body)));
      }
      return passages;
    }
    Matcher heading = HEADING.matcher(text);
    String said = lower.endsWith(".md") && heading.find() ? heading.group(1) : title;
    cut.of(text).forEach(body -> passages.add(new Passage(said, body)));
    return passages;
  }

  /** A row as lines: what each column is called, and what it holds. */
  private static String csv(List<String> header, List<String> row) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < row.size(); i++) {
      if (!row.get(i).isBlank()) {
        lines
            .append(i < header.size() ? header.get(i).strip() : "column " + (i + 1))
            .append(": ")
            .append(row.get(i).strip())
            .append('\n');
      }
    }
    return lines.toString();
  }

  private static byte[] bytes(Path file) throws Main.CommandException {
    try {
      if (Files.size(file) > LONGEST_FILE) {
        throw new Main.CommandException(file + " is longer than 64 MB");
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new Main.CommandException(file + " can't be read: " + e, e);
    }
  }

  private static String text(Path file, byte[] bytes) throws Main.CommandException {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return (text.startsWith("\ufeff") ? text.substring(1) : text).replace("\r\n", "\n");
    } catch (CharacterCodingException e) {
      throw new Main.CommandException(file + " is no text in UTF-8", e);
    }
  }

  /** Of what a file's rows are made of: its bytes, and how they are cut. */
  private byte[] hash(byte[] bytes) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((size + " " + overlap + " ").getBytes(StandardCharsets.US_ASCII));
      return digest.digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
