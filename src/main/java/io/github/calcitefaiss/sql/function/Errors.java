/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import static io.github.calcitefaiss.run.SqlState.DATA;
import static io.github.calcitefaiss.run.SqlState.UNKNOWN_NAME;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sqlite.TableModels;
import java.util.Collection;
import org.apache.calcite.sql.parser.SqlParserPos;

/** What the functions say to the person who called them wrongly; every message is here. */
public final class Errors {
  private Errors() {}

  /** The same of a place in the statement, said as Calcite's validation errors are. */
  public static FaissException at(FaissException e, SqlParserPos position) {
    return position.getLineNum() <= 0
        ? e
        : new FaissException(
            e.getSQLState(),
            e.getMessage()
                + " (line "
                + position.getLineNum()
                + ", column "
                + position.getColumnNum()
                + ")",
            e);
  }

  public static FaissException unknownDatabase(
      String function, String name, Collection<String> known) {
    return new FaissException(
        UNKNOWN_NAME,
        function
            + ": database: unknown database '"
            + shorten(name)
            + "'"
            + (known.isEmpty()
                ? "; this connection has no SQLite database"
                : Names.among(shorten(name), known)));
  }

  public static FaissException unknownTable(
      String function, String schema, String name, Collection<String> indexed) {
    return new FaissException(
        UNKNOWN_NAME,
        function
            + ": table: unknown table '"
            + shorten(name)
            + "' in database '"
            + schema
            + "'"
            + Names.didYouMean(shorten(name), indexed)
            + "; tables with an index: "
            + (indexed.isEmpty() ? "none" : String.join(", ", indexed)));
  }

  public static FaissException noIndex(
      String function, String schema, String name, Collection<String> indexed) {
    return new FaissException(
        UNKNOWN_NAME,
        function
            + ": table: '"
            + schema
            + "."
            + name
            + "' has no index; tables with an index: "
            + (indexed.isEmpty() ? "none" : String.join(", ", indexed))
            + ". Name it in the operand \"tables\", with its columns of ids and embeddings");
  }

  public static FaissException changedMeanwhile(String function, String schema, String name) {
    return new FaissException(
        SqlState.CHANGED,
        function
            + ": table: '"
            + schema
            + "."
            + name
            + "' was changed while the statement was planned; run it again");
  }

  public static FaissException notAName(String function, String argument, Object got) {
    return new FaissException(
        DATA, function + ": " + argument + ": expected a name as text, got " + Shown.value(got));
  }

  static FaissException notAVector(String function, String argument, Object got) {
    return new FaissException(
        DATA,
        function
            + ": "
            + argument
            + ": expected a blob of float32 elements or a JSON array of numbers, got "
            + Shown.value(got));
  }

  static FaissException badVector(String function, String argument, String problem) {
    return new FaissException(DATA, function + ": " + argument + ": " + problem);
  }

  public static FaissException emptyVector(String function, String argument) {
    return new FaissException(
        DATA, function + ": " + argument + ": the vector is empty (0 bytes), expected elements");
  }

  public static FaissException dimensions(
      String function, String argument, Object expected, int got) {
    // Bytes of float64 are read as twice as many float32.
    boolean doubled = got >= 8 && String.valueOf(expected).equals(String.valueOf(2 * got));
    return new FaissException(
        DATA,
        function
            + ": "
            + argument
            + ": expected "
            + expected
            + " dimensions, got "
            + got
            + (doubled
                ? "; if the column holds float64, the command info says how to convert it"
                : ""));
  }

  static FaissException dimensionsDiffer(String function, int a, int b) {
    return new FaissException(
        DATA, function + ": the vectors' dimensions differ: " + a + " and " + b);
  }

  static FaissException notAWholeNumber(String function, String argument, Object got) {
    return new FaissException(
        DATA, function + ": " + argument + ": expected a whole number, got " + Shown.value(got));
  }

  static FaissException negative(String function, String argument, Object got) {
    return new FaissException(
        DATA, function + ": " + argument + ": expected 0 or more, got " + got);
  }

  public static FaissException notText(String function, String argument, Object got) {
    return new FaissException(
        DATA, function + ": " + argument + ": expected JSON text, got " + Shown.value(got));
  }

  public static FaissException notABlob(String function, String argument, Object got) {
    return new FaissException(
        DATA,
        function
            + ": "
            + argument
            + ": expected a blob of float32 elements, got "
            + Shown.value(got));
  }

  static FaissException noText(String function, Object got) {
    return new FaissException(DATA, function + ": text: expected text, got " + Shown.value(got));
  }

  /** A model that can't be used, in the words of who looked for it. */
  public static FaissException noModel(String function, FaissException why) {
    return new FaissException(why.getSQLState(), function + ": " + why.getMessage(), why);
  }

  /**
   * A text without a vector. The text itself is not in the message.
   *
   * @param number which of the statement's texts it is, from 1 in the order of its rows
   */
  static FaissException notEmbedded(String function, long number, String text, FaissException why) {
    return new FaissException(
        why.getSQLState(),
        function
            + ": "
            + why.getMessage()
            + " (text "
            + number
            + " of those that the statement embeds, "
            + text.codePointCount(0, text.length())
            + " characters; the operand onBadText = null gives NULL instead)",
        why);
  }

  /** Vectors of two models, which have nothing to do with each other. */
  public static FaissException modelsDiffer(
      String function, String table, TableModels.Made made, TableModels.Made asked) {
    return new FaissException(
        DATA,
        function
            + ": the vectors of "
            + table
            + " were made by the model "
            + made
            + ", and the text is embedded by "
            + asked
            + "; vectors of two models can't be compared. Name the table's: embed('"
            + made.model()
            + "', text)");
  }

  static FaissException malformedJson(String function, String problem) {
    return new FaissException(DATA, function + ": malformed JSON: " + problem);
  }

  static FaissException badPath(String function, String path, String problem) {
    return new FaissException(
        DATA,
        function
            + ": path: '"
            + shorten(path)
            + "' "
            + problem
            + "; expected a path such as $[0] or $.key");
  }

  static FaissException changedInGroup(String function, String argument, String first, String now) {
    return new FaissException(
        DATA,
        function
            + ": "
            + argument
            + " changes within a group: first "
            + first
            + ", then "
            + now
            + "; it must be the same for all rows");
  }

  static FaissException overflow(String function, int element, double value) {
    return new FaissException(
        DATA,
        function + ": element " + element + " of the result is " + value + ", beyond float32");
  }

  static FaissException sliceRange(int start, int end, int dims) {
    return new FaissException(
        DATA,
        "vec_slice: elements "
            + start
            + " to "
            + end
            + " are not all in a vector of "
            + dims
            + " dimensions; expected 0 <= start <= end <= "
            + dims);
  }

  static FaissException subvectorRange(int start, int count, int dims) {
    return new FaissException(
        DATA,
        "subvector: "
            + count
            + " elements from number "
            + start
            + " are not all in a vector of "
            + dims
            + " dimensions; elements count from 1");
  }

  /** What a person wrote, cut where nobody would read on. */
  private static String shorten(String text) {
    return text.length() > 100 ? text.substring(0, 100) + "…" : text;
  }
}
