/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static io.github.calcitefaiss.sql.function.OrderedValue.plain;

import io.github.calcitefaiss.index.Ids;
import io.github.calcitefaiss.sql.function.Signature;
import io.github.calcitefaiss.sqlite.PushDown;
import io.github.calcitefaiss.sqlite.SqliteEvaluator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.SqlWriter;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.InferTypes;
import org.apache.calcite.sql.type.OperandTypes;
import org.apache.calcite.sql.type.ReturnTypes;
import org.apache.calcite.sql.type.SqlTypeFamily;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeTransforms;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/**
 * Comparisons of values of any type, and what an affinity makes of a value that is compared: as in
 * SQLite, numbers come before texts, and texts before blobs.
 */
public final class ValueComparison {
  /** A text that says a number, as that number; a whole number as an integer. */
  static final SqlFunction NUMERIC = affinity(PushDown.AS_NUMBER, "numeric");

  /** A number as its text. */
  static final SqlFunction TEXT = affinity(PushDown.AS_TEXT, "text");

  /** A value as it is, whatever it is compared with; for planning, it isn't known. */
  static final SqlFunction AS_IT_IS = affinity(PushDown.AS_IT_IS, "asItIs");

  /** The same of what is computed here alone. */
  static final SqlFunction OPAQUE = affinity("AS_IT_IS_HERE", "asItIs");

  private static final Map<SqlKind, SqlFunction> BY_KIND =
      Map.of(
          SqlKind.EQUALS, comparison("IS_EQUAL", "equal"),
          SqlKind.NOT_EQUALS, comparison("IS_UNEQUAL", "unequal"),
          SqlKind.LESS_THAN, comparison("IS_LESS", "less"),
          SqlKind.LESS_THAN_OR_EQUAL, comparison("IS_AT_MOST", "atMost"),
          SqlKind.GREATER_THAN, comparison("IS_GREATER", "greater"),
          SqlKind.GREATER_THAN_OR_EQUAL, comparison("IS_AT_LEAST", "atLeast"),
          SqlKind.IS_DISTINCT_FROM, comparison("IS_DIFFERENT", "different"),
          SqlKind.IS_NOT_DISTINCT_FROM, comparison("IS_SAME", "same"));

  private static final long EXACT = 1L << 53;
  private static final Pattern NUMBER =
      Pattern.compile(
          "[ \\t\\n\\x0b\\f\\r]*[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?[ \\t\\n\\x0b\\f\\r]*");
  private static final Pattern WHOLE = Pattern.compile("-?\\d{1,18}");

  private ValueComparison() {}

  /** Whether a kind of call is a comparison of two values. */
  static boolean isOne(SqlKind kind) {
    return BY_KIND.containsKey(kind);
  }

  /** What compares two values of any type. */
  static SqlFunction of(SqlKind kind) {
    return BY_KIND.get(kind);
  }

  /** Whether an operator is what an affinity makes of a value. */
  static boolean isAffinity(SqlOperator operator) {
    return operator == NUMERIC || operator == TEXT || operator == AS_IT_IS;
  }

  // Called by generated code.

  /** What the affinity NUMERIC makes of a value. */
  public static Object numeric(DataContext root, Object value) {
    Object plain = plain(value);
    if (plain instanceof Double number) {
      boolean whole = number == Math.rint(number) && Math.abs(number) < EXACT;
      return whole ? (Object) number.longValue() : number;
    }
    String text = plain instanceof String said ? said : "";
    if (!NUMBER.matcher(text).matches()) {
      return value instanceof ByteString ? value : plain;
    } else if (WHOLE.matcher(text).matches()) {
      return Long.valueOf(text);
    }
    return SqliteEvaluator.call("cast(? as numeric)", text);
  }

  /** What the affinity TEXT makes of a value. */
  public static Object text(DataContext root, Object value) {
    Object plain = plain(value);
    if (plain instanceof Long number) {
      return number.toString();
    }
    return plain instanceof Double
        ? SqliteEvaluator.call("cast(? as text)", plain)
        : value instanceof ByteString ? value : plain;
  }

  /** The value. */
  public static Object asItIs(DataContext root, Object value) {
    return value;
  }

  /** {@code a = b}. */
  public static Boolean equal(DataContext root, Object a, Object b) {
    return a == null || b == null ? null : (Boolean) (compare(a, b) == 0);
  }

  /** {@code a <> b}. */
  public static Boolean unequal(DataContext root, Object a, Object b) {
    return a == null || b == null ? null : (Boolean) (compare(a, b) != 0);
  }

  /** {@code a < b}. */
  public static Boolean less(DataContext root, Object a, Object b) {
    return a == null || b == null ? null : (Boolean) (compare(a, b) < 0);
  }

  /** {@code a <= b}. */
  public static Boolean atMost(DataContext root, Object a, Object b) {
    return a == null || b == null ? null : (Boolean) (compare(a, b) <= 0);
  }

  /** {@code a > b}. */
  public static Boolean greater(DataContext root, Object a, Object b) {
    return a == null || b == null ? null : (Boolean) (compare(a, b) > 0);
  }

  /** {@code a >= b}. */
  public static Boolean atLeast(DataContext root, Object a, Object b) {
    return a == null || b == null ? null : (Boolean) (compare(a, b) >= 0);
  }

  /** {@code a is not b}. */
  public static Boolean different(DataContext root, Object a, Object b) {
    return compare(a, b) != 0;
  }

  /** {@code a is b}. */
  public static Boolean same(DataContext root, Object a, Object b) {
    return compare(a, b) == 0;
  }

  private static int compare(Object a, Object b) {
    return Ids.compare(plain(a), plain(b));
  }

  private static SqlFunction comparison(String name, String method) {
    return new SqlUserDefinedFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        SqlKind.OTHER_FUNCTION,
        ReturnTypes.BOOLEAN_FORCE_NULLABLE,
        InferTypes.ANY_NULLABLE,
        OperandTypes.operandMetadata(
            List.of(SqlTypeFamily.ANY, SqlTypeFamily.ANY),
            factory ->
                List.of(
                    factory.createSqlType(SqlTypeName.ANY), factory.createSqlType(SqlTypeName.ANY)),
            i -> i == 0 ? "a" : "b",
            i -> false),
        Signature.of("a", "b").scalar(SqlTypeName.BOOLEAN, ValueComparison.class, method));
  }

  /** SQLite applies it by itself to what a column is compared with. */
  private static SqlFunction affinity(String name, String method) {
    return new SqlUserDefinedFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        SqlKind.OTHER_FUNCTION,
        ReturnTypes.explicit(SqlTypeName.ANY).andThen(SqlTypeTransforms.TO_NULLABLE),
        InferTypes.ANY_NULLABLE,
        OperandTypes.operandMetadata(
            List.of(SqlTypeFamily.ANY),
            factory -> List.of(factory.createSqlType(SqlTypeName.ANY)),
            i -> "value",
            i -> false),
        Signature.of("value").scalar(SqlTypeName.ANY, ValueComparison.class, method)) {
      @Override
      public boolean isDynamicFunction() {
        return method.equals("asItIs");
      }

      @Override
      public void unparse(SqlWriter writer, SqlCall call, int left, int right) {
        call.operand(0).unparse(writer, left, right);
      }
    };
  }
}
