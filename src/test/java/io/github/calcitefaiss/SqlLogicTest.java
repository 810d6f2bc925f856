/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.index.Seeds;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SQLite's own tests, <a href="https://sqlite.org/sqllogictest/">sqllogictest</a>: what SQLite
 * answers, we answer, value for value and type for type; and where Calcite plans, never otherwise.
 *
 * <p>The system properties {@code slt.every}, {@code slt.queries} and {@code slt.planned} say how
 * many files are passed over for one that is taken, and how many queries of a file are asked on
 * each way; the profile sqllogictest takes all.
 */
class SqlLogicTest {
  private static final int EVERY = Integer.getInteger("slt.every", 14);
  private static final int QUERIES = Integer.getInteger("slt.queries", 60);
  private static final int PLANNED = Integer.getInteger("slt.planned", 6);
  private static final int SHOWN = 20;

  @TempDir private Path folder;
  private final Tally tally = new Tally();

  /** What came out. */
  private static final class Tally {
    private long files;
    private long asked;
    private long planned;
    private long refusedByCalcite;
    private long wrongCount;
    private final List<String> wrong = new ArrayList<>();
    private final List<String> refusals = new ArrayList<>();

    private void wrong(String what) {
      wrongCount++;
      if (wrong.size() < SHOWN) {
        wrong.add(what.length() > 900 ? what.substring(0, 900) + "…" : what);
      }
    }
  }

  @Test
  void whatSqliteAnswers() throws Exception {
    URI jar = jar();
    try (FileSystem files = FileSystems.newFileSystem(URI.create("jar:" + jar), Map.of())) {
      List<Path> tests;
      try (Stream<Path> walk = Files.walk(files.getPath("/test"))) {
        tests = walk.filter(p -> p.toString().endsWith(".test")).sorted().toList();
      }
      assertEquals(622, tests.size());
      for (int i = Seeds.random("SqlLogicTest").nextInt(EVERY); i < tests.size(); i += EVERY) {
        run(tests.get(i), i);
      }
    }
    System.out.println(
        "sqllogictest: "
            + tally.files
            + " files, "
            + tally.asked
            + " SELECTs that SQLite answers; "
            + tally.planned
            + " of them by Calcite too, which refused "
            + tally.refusedByCalcite
            + "; wrong: "
            + tally.wrongCount);
    tally.refusals.forEach(System.out::println);
    assertTrue(tally.wrong.isEmpty(), () -> String.join("\n", tally.wrong));
    assertTrue(tally.asked > 20L * tally.files, "only " + tally.asked + " were asked");
  }

  private static URI jar() throws URISyntaxException {
    return net.hydromatic.sqllogictest.Main.class
        .getProtectionDomain()
        .getCodeSource()
        .getLocation()
        .toURI();
  }

  private void run(Path test, int number) throws IOException, SQLException {
    tally.files++;
    Path file = folder.resolve(number + ".db");
    int queries = 0;
    Connection ours = null;
    Connection planned = null;
    try (BufferedReader lines = Files.newBufferedReader(test);
        Connection sqlite = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = sqlite.createStatement()) {
      statement.execute("PRAGMA synchronous = OFF");
      statement.execute("PRAGMA journal_mode = MEMORY");
      statement.execute("CREATE TABLE _begun(a)");
      Record record;
      while (queries < QUERIES && (record = next(lines)) != null) {
        if (!record.query) {
          try {
            statement.execute(record.sql);
          } catch (SQLException e) {
            // Those that are to fail.
          }
          continue;
        }
        List<String> expected;
        try {
          expected = rows(statement, record);
        } catch (SQLException e) {
          continue;
        }
        if (ours == null) {
          ours = TestDatabase.connect(file);
          planned = TestDatabase.connectPlanned(file);
        }
        queries++;
        tally.asked++;
        String where = test + ": " + record.sql;
        try (Statement s = ours.createStatement()) {
          List<String> got = rows(s, record);
          if (!got.equals(expected)) {
            tally.wrong(where + "\n  expected " + expected + "\n  got " + got);
          }
        } catch (SQLException e) {
          tally.wrong(where + "\n  refused: " + e.getMessage());
        }
        if (queries <= PLANNED) {
          tally.planned++;
          try (Statement s = planned.createStatement()) {
            List<String> got = rows(s, record);
            if (!got.equals(expected)) {
              tally.wrong("by Calcite, " + where + "\n  expected " + expected + "\n  got " + got);
            }
          } catch (SQLException e) {
            tally.refusedByCalcite++;
            if (tally.refusals.size() < SHOWN) {
              tally.refusals.add("Calcite refused " + where + ": " + e.getMessage());
            }
          }
        }
      }
    } finally {
      if (ours != null) {
        ours.close();
        planned.close();
      }
      Files.deleteIfExists(file);
    }
  }

  private record Record(boolean query, String sql, boolean ordered) {}

  /** The next statement or query that is meant for SQLite. */
  private static Record next(BufferedReader lines) throws IOException {
    boolean skip = false;
    String line;
    while ((line = lines.readLine()) != null) {
      String[] words = line.strip().split("\\s+");
      switch (words[0]) {
        case "skipif":
          skip |= words[1].equals("sqlite");
          break;
        case "onlyif":
          skip |= !words[1].equals("sqlite");
          break;
        case "halt":
          if (!skip) {
            return null;
          }
          skip = false;
          break;
        case "statement":
        case "query":
          String sql = block(lines);
          if (!skip) {
            return new Record(
                words[0].equals("query"), sql, words.length > 2 && words[2].equals("nosort"));
          }
          skip = false;
          break;
        default:
          break;
      }
    }
    return null;
  }

  /** The lines up to an empty one or to the results. */
  private static String block(BufferedReader lines) throws IOException {
    StringBuilder sql = new StringBuilder();
    String line;
    while ((line = lines.readLine()) != null && !line.isBlank() && !line.startsWith("----")) {
      sql.append(line).append('\n');
    }
    return sql.toString().strip();
  }

  private static List<String> rows(Statement statement, Record record) throws SQLException {
    List<String> list = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery(record.sql)) {
      int n = rows.getMetaData().getColumnCount();
      while (rows.next()) {
        StringBuilder row = new StringBuilder();
        for (int i = 1; i <= n; i++) {
          Object value = rows.getObject(i);
          row.append(
                  value instanceof byte[] bytes
                      ? "x" + HexFormat.of().formatHex(bytes)
                      : value instanceof String text
                          ? "'" + text + "'"
                          // Calcite has booleans, SQLite 1 and 0 for them.
                          : value instanceof Boolean flag
                              ? flag ? "1" : "0"
                              : String.valueOf(value))
              .append(" | ");
        }
        list.add(row.toString());
      }
    }
    if (!record.ordered) {
      Collections.sort(list);
    }
    return list;
  }
}
