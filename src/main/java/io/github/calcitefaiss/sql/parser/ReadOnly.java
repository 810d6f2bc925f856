/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Refuses statements that would write, by their first word, before anything looks at them.
 *
 * <p>Refusing here gives a message that says why; the databases are opened read-only besides.
 */
public final class ReadOnly {
  private static final Set<String> REFUSED =
      Set.of(
          "ALTER",
          "ANALYZE",
          "ATTACH",
          "BEGIN",
          "CALL",
          "COMMIT",
          "CREATE",
          "DELETE",
          "DETACH",
          "DROP",
          "GRANT",
          "INSERT",
          "MERGE",
          "REFRESH",
          "RESET",
          "SET",
          "USE",
          "REINDEX",
          "RELEASE",
          "REPLACE",
          "REVOKE",
          "ROLLBACK",
          "SAVEPOINT",
          "TRUNCATE",
          "UPDATE",
          "UPSERT",
          "VACUUM");

  /** Pragmas that only tell; those of them that can also set something, without a value. */
  private static final Set<String> READING =
      Set.of(
          "application_id",
          "collation_list",
          "compile_options",
          "data_version",
          "database_list",
          "encoding",
          "foreign_key_check",
          "foreign_key_list",
          "freelist_count",
          "function_list",
          "index_info",
          "index_list",
          "index_xinfo",
          "integrity_check",
          "journal_mode",
          "module_list",
          "page_count",
          "page_size",
          "pragma_list",
          "quick_check",
          "schema_version",
          "table_info",
          "table_list",
          "table_xinfo",
          "user_version");

  /** Those whose argument says what to tell. */
  private static final Set<String> WITH_ARGUMENT =
      Set.of(
          "foreign_key_check",
          "foreign_key_list",
          "index_info",
          "index_list",
          "index_xinfo",
          "integrity_check",
          "quick_check",
          "table_info",
          "table_list",
          "table_xinfo");

  private ReadOnly() {}

  /** Whether a text is one PRAGMA that only reads. */
  public static boolean isReadingPragma(SqliteText text) {
    List<SqliteText.Token> tokens = text.tokens();
    if (text.isSeveral() || tokens.size() < 2 || !tokens.get(0).is("pragma")) {
      return false;
    }
    int at = tokens.size() > 3 && tokens.get(2).isOperator(".") ? 3 : 1;
    String name = tokens.get(at).name().toLowerCase(Locale.ROOT);
    boolean bare = tokens.size() == at + 1 || tokens.get(at + 1).isOperator(";");
    return READING.contains(name) && (bare || WITH_ARGUMENT.contains(name));
  }

  /**
   * The query of a text: without the semicolon that people and tools put at its end.
   *
   * @throws SQLException if there is none, or the statement would write
   */
  public static String query(String sql) throws SQLException {
    if (sql == null) {
      throw new FaissException(SqlState.BAD_ARGUMENT, "No SQL text given (null)");
    }
    refuseWrites(sql);
    int end = sql.length();
    while (end > 0 && (sql.charAt(end - 1) == ';' || Character.isWhitespace(sql.charAt(end - 1)))) {
      end--;
    }
    return sql.substring(0, end);
  }

  /** The error for a statement or call that would write. */
  public static SQLException refused(String verb) {
    if (verb.equals("USE")) {
      return new FaissException(
          SqlState.READ_ONLY,
          "USE is another database's: a table of another schema is written schema.table; in the shell"
              + " !connect opens another file");
    }
    return new FaissException(
        SqlState.READ_ONLY,
        verb + " is refused: databases are opened read-only; only queries run here");
  }

  private static void refuseWrites(String sql) throws SQLException {
    int start = afterBlanks(sql);
    int end = start;
    while (end < sql.length() && Character.isLetter(sql.charAt(end))) {
      end++;
    }
    String verb = sql.substring(start, end).toUpperCase(Locale.ROOT);
    if (REFUSED.contains(verb)) {
      throw refused(verb);
    }
    if (start == sql.length() || sql.charAt(start) == ';') {
      throw new FaissException(SqlState.BAD_ARGUMENT, "The SQL text is empty");
    }
  }

  private static int afterBlanks(String sql) {
    int i = 0;
    while (i < sql.length()) {
      if (Character.isWhitespace(sql.charAt(i)) || sql.charAt(i) == '(') {
        i++;
      } else if (sql.startsWith("--", i) || sql.startsWith("//", i)) {
        int newline = sql.indexOf('\n', i);
        i = newline < 0 ? sql.length() : newline + 1;
      } else if (sql.startsWith("/*", i) && !sql.startsWith("/*+", i)) {
        int close = sql.indexOf("*/", i + 2);
        i = close < 0 ? sql.length() : close + 2;
      } else {
        break;
      }
    }
    return i;
  }
}
