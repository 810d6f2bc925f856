/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The shell runs all that it is given, says how it went, and shows values so that they are read.
 */
class ShellTest {
  @TempDir private Path folder;
  private String blog;

  @BeforeEach
  void write() throws SQLException {
    blog = TestDatabase.blog(folder).toString();
  }

  private Terminal csv(String... arguments) throws IOException {
    String[] all = new String[arguments.length + 2];
    all[0] = blog;
    all[1] = "--outputformat=csv";
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return Terminal.run(all);
  }

  private static String lines(String text) {
    return text.replace(System.lineSeparator(), "\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select 1 as one -- hi",
        "select 1 as one; -- it's over",
        "select 1 as one /* ; */",
        "-- first\nselect 1 as one;\n-- last",
        "/* ' */ select 1 as one",
        "select 1 as one;;",
        "select 1 -- as two;\n as one",
      })
  void commentsAreNoPartOfAStatement(String sql) throws IOException {
    Terminal given = csv("-e", sql);
    assertEquals("one\n1\n", lines(given.out()), given.err());
    assertEquals(0, given.exitCode(), given.err());
    assertEquals("one\n1\n", lines(csv(sql).out()));
    Terminal piped = Terminal.read(sql, blog, "--outputformat=csv");
    assertEquals("one\n1\n", lines(piped.out()), piped.err());
    assertEquals(0, piped.exitCode(), piped.err());
    Path script = Files.writeString(folder.resolve("s.sql"), sql);
    assertEquals("one\n1\n", lines(csv("-f", script.toString()).out()));
  }

  /** Wherever a statement stands, places are counted from its own beginning. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "select nope from post",
        "select 1;\n\nselect nope from post;",
        "-- one\nselect 1; select 2;\n  /* two */ select nope from post"
      })
  void anErrorsPlaceIsCountedFromItsStatement(String sql) throws IOException {
    Terminal given = csv("-e", sql);
    assertEquals(1, given.exitCode());
    assertTrue(given.err().contains("(line 1, column 8)"), given.err());
  }

  @Test
  void whatHasNoEndIsAnErrorThatSaysWhere() throws IOException {
    Terminal quote = csv("-e", "select 1 as a;\nselect 'abc");
    assertEquals("a\n1\n", lines(quote.out()));
    assertEquals(1, quote.exitCode());
    assertTrue(
        quote
            .err()
            .contains("the last statement has no end: the ' at line 2, column 8 has no partner"),
        quote.err());
    assertEquals(1, csv("-e", "select 1 /* x").exitCode());
    Terminal piped = Terminal.read("select \"a", blog);
    assertTrue(piped.err().contains("the \" at line 1, column 8"), piped.err());
    assertEquals(1, piped.exitCode());
  }

  /** A parenthesis that is missing is an error of its own statement and not of those after it. */
  @Test
  void aScriptEndsAtItsFirstFailure() throws IOException {
    String text = "select 1 as a;\nselect (2 as b;\nselect 3 as c;\n";
    String script = Files.writeString(folder.resolve("s.sql"), text).toString();
    Terminal ended = csv("-f", script);
    assertEquals("a\n1\n", lines(ended.out()));
    assertEquals(1, ended.exitCode());
    Terminal forced = csv("--force=true", "-f", script);
    assertEquals("a\n1\nc\n3\n", lines(forced.out()));
    assertEquals(1, forced.exitCode());
    assertEquals("a\n1\nc\n3\n", lines(Terminal.read(text, blog, "--outputformat=csv").out()));
    assertEquals(1, Terminal.read(text, blog).exitCode());
  }

  @Test
  void wrongArgumentsAreNamed() throws IOException {
    Terminal unknown = Terminal.run(blog, "--outputfromat=csv", "select 1");
    assertEquals(2, unknown.exitCode());
    assertTrue(
        unknown
            .err()
            .contains("unknown option '--outputfromat=csv' (did you mean 'outputformat'?)"),
        unknown.err());
    assertEquals(1, unknown.err().lines().count(), unknown.err());
    assertEquals(2, Terminal.run(blog, "-x", "select 1").exitCode());
    assertEquals(2, Terminal.run(blog, "-e").exitCode());
    assertEquals(2, Terminal.run(blog, blog).exitCode());
    Terminal missing = Terminal.run(blog, "-f", "none.sql");
    assertEquals(1, missing.exitCode());
    assertTrue(missing.err().contains("no such file: none.sql (in "), missing.err());
  }

  @Test
  void csvIsThatOfItsStandard() throws IOException {
    assertEquals(
        "\"a,b\",q,lines,empty,nothing,number\n\"1,5\",\"say \"\"hi\"\"\",\"x\ny\",\"\",,\n",
        lines(
            csv("select '1,5' as \"a,b\", 'say \"hi\"' as q, 'x\ny' as lines, '' as empty,"
                    + " cast(null as varchar) as nothing, cast(null as integer) as number")
                .out()));
    assertEquals(
        "a,b\n-,\"-\"\n",
        lines(csv("--nullvalue=-", "select cast(null as varchar) as a, '-' as b").out()));
  }

  @Test
  void valuesAreShownForPeople() throws IOException, SQLException {
    StringBuilder vector = new StringBuilder("[0.123, -0.05");
    vector.append(", 0.25".repeat(382)).append(']');
    Terminal table =
        Terminal.run(
            blog,
            "select faiss_encode('"
                + vector
                + "') as v, faiss_encode('[1,0.5]') as w, x'01' as b,"
                + " cast(null as varchar) as n, cast(null as integer) as i, 'one\ntwo' as t,"
                + " 'a\u001b[31mb' as c");
    assertEquals(
        """
        +----------------------+-----------+-------+------+------+-----+---------+
        |          v           |     w     |   b   |  n   |  i   |  t  |    c    |
        +----------------------+-----------+-------+------+------+-----+---------+
        | [0.12, -0.05, … 384] | [1, 0.50] | x'01' | NULL | NULL | one | a␛[31mb |
        |                      |           |       |      |      | two |         |
        +----------------------+-----------+-------+------+------+-----+---------+
        """,
        lines(table.out()),
        table.err());
    Terminal cut = Terminal.run(blog, "--maxWidth=20", "select 'abcdefghijklmnopqrstuvwxyz' as x");
    assertTrue(cut.out().contains("| abcdefghijklmnopqrs… |"), cut.out());
    assertTrue(
        Terminal.run(
                blog, "--outputformat=vertical", "select 'x' as a, cast(null as integer) as bb")
            .out()
            .contains("a   x" + System.lineSeparator() + "bb  NULL"));
    assertEquals(
        "[\n{\"a\":1,\"b\":null,\"c\":\"x\\ny\"}\n]\n",
        lines(
            Terminal.run(
                    blog,
                    "--outputformat=json",
                    "select 1 as a, cast(null as varchar) as b, 'x\ny' as c")
                .out()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {".tables", "tables", "show tables", "SHOW TABLES;", ".tables emb", "\\dt"})
  void tablesAreListed(String typed) throws IOException {
    Terminal terminal = Terminal.run(blog, typed);
    assertTrue(terminal.out().contains("embeddings (index on embedding)"), terminal.err());
    assertEquals(!typed.contains("emb"), terminal.out().contains("titles (view)"));
    assertEquals(0, terminal.exitCode());
  }

  @Test
  void commandsOfSqlite3AreUnderstood() throws IOException {
    Terminal terminal =
        Terminal.read(
            ".schema author\n.mode csv\n.headers off\n.nullvalue none\nselect 1, null;\n"
                + "describe titles;\n.print hello\n.mode jsn\n.tabels\nexit\nselect 2;\n",
            blog);
    assertEquals(
        "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);\n1,none\n"
            + "CREATE VIEW titles AS SELECT id, title FROM post;\nhello\n",
        lines(terminal.out()),
        terminal.err());
    assertTrue(terminal.err().contains("unknown mode 'jsn' (did you mean 'json'?)"));
    assertTrue(terminal.err().contains("unknown command .tabels (did you mean '.tables'?)"));
    assertEquals(1, terminal.exitCode());
    assertTrue(Terminal.run(blog, ".help").out().contains(".mode MODE"));
    assertTrue(Terminal.run(blog, ".schema autor").err().contains("(did you mean 'author'?)"));
  }

  @Test
  void completesNames() throws SQLException {
    try (Connection connection = TestDatabase.connect(Path.of(blog))) {
      var tables = NameCompleter.candidates(connection, "select * from po");
      assertEquals("table", tables.get("post"));
      assertEquals("view", tables.get("titles"));
      assertFalse(tables.containsKey("body"));
      var all = NameCompleter.candidates(connection, "select ");
      assertEquals("column", all.get("body"));
      assertEquals("function", all.get("l2_distance("));
      assertEquals("function", all.get("faiss_search("));
      assertEquals("word", all.get("order by"));
      assertEquals("command", NameCompleter.candidates(connection, ".ta").get(".tables"));
    }
  }

  @Test
  void aStatementGoesOnToItsSemicolon() {
    for (String whole :
        List.of("select 1;", "exit", "show tables", ".tables", "!tables", "", "--")) {
      assertTrue(Prompt.isWhole(whole), whole);
    }
    for (String part : List.of("select 1", "select ';", "select /* ;", "select 1 -- ;")) {
      assertFalse(Prompt.isWhole(part), part);
    }
  }

  /** What is completed is the word before the cursor; a name with blanks keeps its quotes. */
  @Test
  void completesTheWordBeforeTheCursor() {
    for (String[] each :
        new String[][] {
          {"select na", "na"},
          {"select l2_", "l2_"},
          {"select \"a", "\"a"},
          {"select \"a b", "\"a b"},
          {"select \"a b\", \"c", "\"c"},
          {"select \"a b\" fr", "fr"},
          {"select e.emb", "emb"},
          {"select upper(na", "na"},
          {"select ", ""},
          {".ta", ".ta"},
          {" !ta", "!ta"},
          {"select 1 from a where x = 'y' or", "or"},
        }) {
      Prompt.Word word = new Prompt.Word(each[0], each[0].length());
      assertEquals(each[1], word.word(), each[0]);
      assertEquals(each[1].length(), word.rawWordCursor());
      assertEquals("order by", word.escape("order by", true));
    }
  }

  @Test
  void resultsGoToAFile() throws IOException {
    Path file = folder.resolve("out.csv");
    Terminal terminal =
        Terminal.read(
            ".mode csv\n.output "
                + file
                + "\nselect 1 as a;\nselect 'é' as b;\n.output\nselect 2 as c;\n.once "
                + file
                + ".2\nselect 3 as d;\nselect 4 as e;\n.once /no/such/folder/x\n",
            blog);
    assertEquals("c\n2\ne\n4\n", lines(terminal.out()), terminal.err());
    assertEquals("a\n1\nb\né\n", lines(Files.readString(file)));
    assertEquals("d\n3\n", lines(Files.readString(Path.of(file + ".2"))));
    assertTrue(terminal.err().contains("'/no/such/folder/x' can't be written"), terminal.err());
  }

  /** Every command of sqlite3 either works or says what to type instead. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        ".archive",
        ".auth",
        ".backup",
        ".bail",
        ".cd",
        ".changes",
        ".clone",
        ".connection",
        ".crlf",
        ".databases",
        ".dbconfig",
        ".dbinfo",
        ".dump",
        ".echo",
        ".eqp",
        ".excel",
        ".exit",
        ".expert",
        ".explain",
        ".filectrl",
        ".fullschema",
        ".headers",
        ".help",
        ".import",
        ".indexes",
        ".intck",
        ".limit",
        ".lint",
        ".load",
        ".log",
        ".mode",
        ".nonce",
        ".nullvalue",
        ".once",
        ".open",
        ".output",
        ".parameter",
        ".print",
        ".progress",
        ".prompt",
        ".quit",
        ".read",
        ".recover",
        ".restore",
        ".save",
        ".scanstats",
        ".schema",
        ".separator",
        ".session",
        ".sha3sum",
        ".shell",
        ".show",
        ".stats",
        ".system",
        ".tables",
        ".timeout",
        ".timer",
        ".trace",
        ".unmodule",
        ".version",
        ".vfsinfo",
        ".vfslist",
        ".vfsname",
        ".width",
        ".www"
      })
  void everyCommandOfSqlite3IsKnown(String command) throws IOException {
    assertFalse(Terminal.run(blog, command).err().contains("unknown command"), command);
  }

  @Test
  void commandsOfPsqlAreUnderstood() throws IOException {
    assertTrue(Terminal.run(blog, "\\d author").out().startsWith("CREATE TABLE author"));
    assertTrue(Terminal.run(blog, "\\dt+").out().contains("embeddings (index on embedding)"));
    Terminal vertical = Terminal.read("\\x\n\\timing off\n\\echo Hi\nselect 1 as a;\n", blog);
    assertEquals("Hi\n\na  1\n\n", lines(vertical.out()), vertical.err());
    assertEquals("1 row selected", vertical.err().strip());
    assertTrue(Terminal.run(blog, "\\c other").err().contains("!connect jdbc:faiss:FILE"));
    assertTrue(Terminal.run(blog, "help select").out().contains(".tables"));
  }

  @Test
  void commandsThatAreNotHereSayWhatIs() throws IOException {
    assertTrue(
        Terminal.run(blog, ".dump")
            .err()
            .contains(".dump is not here: sqlite3 FILE .dump writes a file as SQL"));
    assertTrue(Terminal.run(blog, ".eqp on").err().contains("EXPLAIN PLAN FOR SELECT"));
    assertEquals(1, Terminal.run(blog, ".dump").exitCode());
  }

  @Test
  void settingsOfSqllineStandInScripts() throws IOException {
    String text = "!set maxwidth 20\nselect 'abcdefghijklmnopqrstuvwxyz' as x;\n";
    String script = Files.writeString(folder.resolve("s.sql"), text).toString();
    for (Terminal terminal : List.of(Terminal.run(blog, "-f", script), Terminal.read(text, blog))) {
      assertTrue(terminal.out().contains("| abcdefghijklmnopqrs… |"), terminal.err());
      assertEquals(0, terminal.exitCode(), terminal.err());
    }
    Terminal xml = Terminal.run(blog, "--outputformat=xmlattr", "select 1 as a");
    assertTrue(xml.out().contains("<result a=\"1\"/>"), xml.err());
    // A command that sqlline doesn't know ends a script, as any failure does.
    Files.writeString(folder.resolve("s.sql"), "!nosuch\nselect 1;\n");
    Terminal unknown = Terminal.run(blog, "-f", script);
    assertEquals("Unknown command: nosuch", unknown.err().strip());
    assertEquals("", unknown.out());
    assertEquals(1, unknown.exitCode());
    Terminal tables = Terminal.run(blog, "!tables");
    assertTrue(tables.out().contains("embeddings (index on embedding)"), tables.err());
  }

  @ParameterizedTest
  @ValueSource(strings = {"--outputformat=nosuch", "--maxwidth=abc", "--headers=on"})
  void withAWrongOptionNothingIsRun(String option) throws IOException {
    Terminal terminal = Terminal.run(blog, option, "select 1");
    assertEquals(2, terminal.exitCode(), terminal.err());
    assertEquals("", terminal.out());
    assertEquals(1, terminal.err().lines().count(), terminal.err());
  }

  @Test
  void aCommandThatIsMisspeltIsNamed() throws IOException {
    assertTrue(Terminal.run("serch", "x").err().contains("(did you mean 'search'?)"));
  }

  /** On a terminal; elsewhere a table is as wide as it must be. */
  @Test
  void aTableThatIsTooWideIsShownLineByLine() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Connection connection = TestDatabase.connect(Path.of(blog));
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("select 'a long text' as a, 'another long text' as b, 1 as c")) {
      new ResultPrinter(new PrintStream(out, true, UTF_8), "table", true, null, 80, 20).print(rows);
    }
    assertEquals("\na  a long text\nb  another long text\nc  1\n\n", lines(out.toString(UTF_8)));
  }

  /** A file that another program wrote, or that was damaged, is no reason for a stack trace. */
  @Test
  void aForeignHistoryIsNoHarm() throws IOException {
    Path history = folder.resolve("history");
    Files.writeString(history, "select 1;\n1700000000000:select 2;\n");
    assertTrue(Prompt.isUsable(history));
    assertEquals("1700000000000:select 2;\n", lines(Files.readString(history)));
  }
}
