/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.sqlite.SqliteEvaluator;
import io.github.calcitefaiss.sqlite.SqliteQuery;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntUnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.calcite.adapter.enumerable.CallImplementor;
import org.apache.calcite.adapter.enumerable.NullPolicy;
import org.apache.calcite.adapter.enumerable.RexImpTable;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.Types;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeFactoryImpl;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.ImplementableFunction;
import org.apache.calcite.schema.ScalarFunction;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCallBinding;
import org.apache.calcite.sql.SqlFunctionCategory;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlOperandCountRange;
import org.apache.calcite.sql.SqlOperator;
import org.apache.calcite.sql.SqlOperatorBinding;
import org.apache.calcite.sql.SqlOperatorTable;
import org.apache.calcite.sql.SqlSyntax;
import org.apache.calcite.sql.SqlWriter;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlOperandMetadata;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql.validate.SqlNameMatcher;
import org.apache.calcite.sql.validate.SqlUserDefinedFunction;

/**
 * SQLite's scalar functions in Calcite's table of operators, in the place of Calcite's own of the
 * same names: what a plan doesn't send to SQLite as SQL, SQLite computes call by call.
 */
public final class SqliteOperators implements SqlOperatorTable {
  private static final Set<String> TEXT =
      Set.of(
          "char",
          "concat",
          "concat_ws",
          "date",
          "datetime",
          "format",
          "json",
          "json_array",
          "json_insert",
          "json_object",
          "json_patch",
          "json_pretty",
          "json_quote",
          "json_remove",
          "json_replace",
          "json_set",
          "json_type",
          "lower",
          "ltrim",
          "printf",
          "quote",
          "replace",
          "rtrim",
          "soundex",
          "sqlite_version",
          "strftime",
          "time",
          "timediff",
          "trim",
          "typeof",
          "upper");

  private static final Set<String> WHOLE =
      Set.of(
          "glob",
          "instr",
          "json_array_length",
          "json_error_position",
          "json_valid",
          "octet_length",
          "random",
          "sign",
          "unicode",
          "unixepoch");

  private static final Set<String> REAL =
      Set.of(
          "acos",
          "acosh",
          "asin",
          "asinh",
          "atan",
          "atan2",
          "atanh",
          "cos",
          "cosh",
          "degrees",
          "exp",
          "julianday",
          "ln",
          "log",
          "log10",
          "log2",
          "mod",
          "pi",
          "pow",
          "power",
          "radians",
          "round",
          "sin",
          "sinh",
          "sqrt",
          "tan",
          "tanh");

  private static final Set<String> BLOB = Set.of("randomblob", "unhex", "zeroblob");

  private static final Set<String> OF_ANY =
      Set.of(
          "abs", "ceil", "ceiling", "floor", "likely", "substr", "substring", "trunc", "unlikely");

  private static final String TRUE = "not not ?";

  private static final Set<String> ARITHMETIC =
      Set.of("? % ?", "? / ?", "? + ?", "? - ?", "? * ?", "- ?");

  private static final Set<String> OF_NOW =
      Set.of("date", "datetime", "julianday", "strftime", "time", "timediff", "unixepoch");

  /** The largest or smallest of several arguments, as a name. */
  private static final Pattern EXTREME = Pattern.compile("(?i)(max|min)\\(\\?(,\\?)+\\)");

  /**
   * A function of JSON whose arguments are JSON that others gave: {@code json_array(json(?),?)}.
   */
  private static final Pattern OF_JSON =
      Pattern.compile(
          "(?i)json_(array|insert|object|quote|replace|set)"
              + "\\((\\?|json\\(\\?\\)|json_extract\\(\\?(,\\?)*\\)|,)+\\)");

  // The names of what Java evaluates itself.
  private static final String GIVEN = "?";
  private static final String COMPUTATION = "(?)";
  private static final String OPAQUE = "hidden ?";
  private static final String COLLATE_BINARY = "? collate binary";
  private static final String COLLATE_NOCASE = "? collate nocase";
  private static final String COLLATE_RTRIM = "? collate rtrim";
  private static final String ORDERED = "ordered ?";
  private static final String UNORDERED = "text of ordered ?";
  private static final String INTEGER = "cast(? as integer)";
  private static final String FIRST = "coalesce";
  private static final String ADD = "? + ?";
  private static final String SUBTRACT = "? - ?";
  private static final String MULTIPLY = "? * ?";

  private static final Map<String, SqlUserDefinedFunction> FUNCTIONS = new ConcurrentHashMap<>();

  private static final Method CALL =
      Types.lookupMethod(
          SqliteOperators.class, "call", String.class, SqlTypeName.class, Object[].class);

  /** {@code like(pattern, text[, escape])} as a condition, which stands for LIKE in a plan. */
  public static final SqlUserDefinedFunction LIKE = function("like", SqlTypeName.BOOLEAN);

  /** SQLite's {@code %}, of whole numbers, and NULL for a divisor of 0. */
  public static final SqlUserDefinedFunction MOD = function("? % ?", SqlTypeName.ANY);

  /** SQLite's {@code /}, which is NULL for a divisor of 0. */
  public static final SqlUserDefinedFunction DIVIDE = function("? / ?", SqlTypeName.ANY);

  /** Sums of values whose types come with them. */
  public static final SqlUserDefinedFunction PLUS = function(ADD, SqlTypeName.ANY);

  public static final SqlUserDefinedFunction MINUS = function(SUBTRACT, SqlTypeName.ANY);

  public static final SqlUserDefinedFunction TIMES = function(MULTIPLY, SqlTypeName.ANY);

  public static final SqlUserDefinedFunction NEGATIVE = function("- ?", SqlTypeName.ANY);

  /** Texts of values of any type, one after the other. */
  public static final SqlUserDefinedFunction CONCAT = function("? || ?", SqlTypeName.ANY);

  /** A blob or anything else as text. */
  public static final SqlUserDefinedFunction TEXT_OF =
      function("cast(? as text)", SqlTypeName.VARCHAR);

  /** The number that a text begins with, or 0; of a condition 1 or 0. */
  public static final SqlUserDefinedFunction TO_INTEGER = function(INTEGER, SqlTypeName.BIGINT);

  public static final SqlUserDefinedFunction TO_REAL =
      function("cast(? as real)", SqlTypeName.DOUBLE);

  public static final SqlUserDefinedFunction TO_NUMERIC =
      function("cast(? as numeric)", SqlTypeName.ANY);

  /** Whether a value is a number other than 0, or a text that begins with one. */
  public static final SqlUserDefinedFunction TRUTH = function(TRUE, SqlTypeName.BOOLEAN);

  /** A text that equals all that differ from it only in the case of ASCII letters. */
  public static final SqlUserDefinedFunction NOCASE = function(COLLATE_NOCASE, SqlTypeName.ANY);

  /** A text without the spaces at its end. */
  public static final SqlUserDefinedFunction RTRIM = function(COLLATE_RTRIM, SqlTypeName.ANY);

  /** A text by all its bytes, whatever its column declares. */
  public static final SqlUserDefinedFunction BINARY = function(COLLATE_BINARY, SqlTypeName.ANY);

  /**
   * A text or a value of any type that Java compares with others of its kind as SQLite does: texts
   * by code point, numbers by value.
   */
  public static final SqlUserDefinedFunction TO_ORDERED = function(ORDERED, SqlTypeName.VARCHAR);

  /** What {@link #TO_ORDERED} was given. */
  public static final SqlUserDefinedFunction FROM_ORDERED =
      function(UNORDERED, SqlTypeName.VARCHAR);

  /** Its argument, a text, of which a planner doesn't see what it is. */
  public static final SqlUserDefinedFunction HIDDEN = function(OPAQUE, SqlTypeName.VARCHAR);

  /** Its argument, of which only the value says the type. */
  public static final SqlUserDefinedFunction AS_IT_COMES = function(GIVEN, SqlTypeName.ANY);

  /** The same of what is computed, which isn't compared as a column is. */
  public static final SqlUserDefinedFunction COMPUTED = function(COMPUTATION, SqlTypeName.ANY);

  /**
   * The first argument that isn't NULL. Calcite's own becomes a CASE whose branch it takes for
   * never NULL, and is then true for rows where it is.
   */
  public static final SqlUserDefinedFunction COALESCE = function(FIRST, SqlTypeName.ANY);

  private static final Map<String, SqlUserDefinedFunction> BY_NAME =
      Stream.of(
              LIKE,
              MOD,
              DIVIDE,
              TEXT_OF,
              TO_INTEGER,
              TO_REAL,
              TO_NUMERIC,
              TRUTH,
              NOCASE,
              RTRIM,
              BINARY,
              AS_IT_COMES,
              COMPUTED,
              HIDDEN,
              COALESCE,
              function("? glob ?", SqlTypeName.BOOLEAN),
              function("? -> ?", SqlTypeName.VARCHAR),
              function("? ->> ?", SqlTypeName.ANY),
              function("? & ?", SqlTypeName.BIGINT),
              function("? | ?", SqlTypeName.BIGINT),
              function("? << ?", SqlTypeName.BIGINT),
              function("? >> ?", SqlTypeName.BIGINT),
              function("~ ?", SqlTypeName.BIGINT))
          .collect(Collectors.toMap(SqlOperator::getName, each -> each));

  private final SqlOperatorTable others;

  /** The functions before all other operators. */
  public SqliteOperators(SqlOperatorTable others) {
    this.others = others;
  }

  @Override
  public void lookupOperatorOverloads(
      SqlIdentifier name,
      SqlFunctionCategory category,
      SqlSyntax syntax,
      List<SqlOperator> found,
      SqlNameMatcher matcher) {
    SqlOperator known =
        name.isSimple() ? BY_NAME.get(name.getSimple().toLowerCase(Locale.ROOT)) : null;
    if (known != null) {
      found.add(known);
      return;
    }
    if (name.isSimple() && EXTREME.matcher(name.getSimple()).matches()) {
      found.add(
          FUNCTIONS.computeIfAbsent(
              name.getSimple().toLowerCase(Locale.ROOT), key -> function(key, SqlTypeName.ANY)));
      return;
    }
    if (name.isSimple() && OF_JSON.matcher(name.getSimple()).matches()) {
      found.add(
          FUNCTIONS.computeIfAbsent(
              name.getSimple().toLowerCase(Locale.ROOT),
              key -> function(key, SqlTypeName.VARCHAR)));
      return;
    }
    if (name.isSimple() && syntax == SqlSyntax.FUNCTION) {
      SqlTypeName type = type(name.getSimple().toLowerCase(Locale.ROOT));
      if (type != null) {
        found.add(
            FUNCTIONS.computeIfAbsent(
                name.getSimple().toLowerCase(Locale.ROOT), key -> function(key, type)));
        return;
      }
    }
    others.lookupOperatorOverloads(name, category, syntax, found, matcher);
  }

  @Override
  public List<SqlOperator> getOperatorList() {
    return others.getOperatorList();
  }

  /** Whether a function's name, in lower case, is one of SQLite's that is computed by SQLite. */
  public static boolean isSame(String name) {
    return type(name) != null && !GrownTexts.isOne(name);
  }

  /** Whether an operator gives its operand a collation. */
  public static boolean isCollation(SqlOperator operator) {
    return operator == NOCASE || operator == RTRIM || operator == BINARY;
  }

  /** The operator of a collation's name, in lower case. */
  public static SqlUserDefinedFunction collation(String collation) {
    return collation.equals("nocase") ? NOCASE : collation.equals("rtrim") ? RTRIM : BINARY;
  }

  /** Whether an operator is one of these functions. */
  public static boolean isOne(SqlOperator operator) {
    return operator instanceof SqlUserDefinedFunction function
        && function.getFunction() instanceof Evaluated;
  }

  private static SqlTypeName type(String name) {
    SqlTypeName type =
        TEXT.contains(name)
            ? SqlTypeName.VARCHAR
            : WHOLE.contains(name)
                ? SqlTypeName.BIGINT
                : REAL.contains(name)
                    ? SqlTypeName.DOUBLE
                    : BLOB.contains(name)
                        ? SqlTypeName.VARBINARY
                        : OF_ANY.contains(name) ? SqlTypeName.ANY : null;
    return GrownTexts.isOne(name)
        ? SqlTypeName.VARCHAR
        : type != null && SqliteEvaluator.isFunction(name) ? type : null;
  }

  private static boolean takes(String name, int arguments) {
    if (name.equals(OPAQUE)) {
      return arguments == 1;
    }
    return GrownTexts.isOne(name)
        ? GrownTexts.takes(name, arguments)
        : SqliteEvaluator.takes(name, arguments);
  }

  private static SqlUserDefinedFunction function(String name, SqlTypeName type) {
    boolean ofNow = OF_NOW.contains(name);
    boolean coalesce = name.equals(FIRST);
    return new SqlUserDefinedFunction(
        new SqlIdentifier(name, SqlParserPos.ZERO),
        coalesce ? SqlKind.COALESCE : SqlKind.OTHER_FUNCTION,
        binding -> coalesce ? common(binding) : returned(binding, type),
        null,
        new AnyArguments(name),
        new Evaluated(type)) {
      @Override
      public void unparse(SqlWriter writer, SqlCall call, int left, int right) {
        if (name.equals(TRUE)) {
          SqlWriter.Frame not = writer.startList("(NOT NOT ", ")");
          call.operand(0).unparse(writer, 0, 0);
          writer.endList(not);
          return;
        } else if (!name.contains(" collate ")) {
          super.unparse(writer, call, left, right);
          return;
        }
        SqlWriter.Frame frame = writer.startList("(", ")");
        call.operand(0).unparse(writer, 0, 0);
        writer.keyword(name.substring(name.indexOf("collate")).toUpperCase(Locale.ROOT));
        writer.endList(frame);
      }

      @Override
      public boolean isDynamicFunction() {
        return ofNow || name.equals(OPAQUE);
      }

      @Override
      public boolean isDeterministic() {
        return !name.startsWith("random");
      }
    };
  }

  /** The type of all arguments, if they have one; else each value has its own. */
  private static RelDataType common(SqlOperatorBinding binding) {
    RelDataType common = null;
    for (RelDataType type : binding.collectOperandTypes()) {
      if (type.getSqlTypeName() == SqlTypeName.NULL) {
        continue;
      }
      boolean same =
          common == null
              || type.getSqlTypeName() == common.getSqlTypeName()
              || SqlTypeUtil.isCharacter(type) && SqlTypeUtil.isCharacter(common)
              || SqlTypeName.INT_TYPES.contains(type.getSqlTypeName())
                  && SqlTypeName.INT_TYPES.contains(common.getSqlTypeName());
      if (!same) {
        return Signature.nullable(binding.getTypeFactory(), SqlTypeName.ANY);
      }
      common = common == null ? type : common;
    }
    if (common == null) {
      return Signature.nullable(binding.getTypeFactory(), SqlTypeName.ANY);
    } else if (SqlTypeUtil.isCharacter(common)) {
      return Signature.nullable(binding.getTypeFactory(), SqlTypeName.VARCHAR);
    } else if (SqlTypeName.INT_TYPES.contains(common.getSqlTypeName())) {
      return Signature.nullable(binding.getTypeFactory(), SqlTypeName.BIGINT);
    }
    return binding.getTypeFactory().createTypeWithNullability(common, true);
  }

  private static RelDataType returned(SqlOperatorBinding binding, SqlTypeName type) {
    SqlTypeName name = type;
    String operator = binding.getOperator().getName();
    if (operator.contains(" collate ")) {
      // Not CHAR, which fills a shorter text with spaces.
      return binding.getOperandType(0).getSqlTypeName() == SqlTypeName.CHAR
          ? Signature.nullable(binding.getTypeFactory(), SqlTypeName.VARCHAR)
          : binding.getTypeFactory().createTypeWithNullability(binding.getOperandType(0), true);
    }
    if (EXTREME.matcher(operator).matches()) {
      return common(binding);
    }
    if (ARITHMETIC.contains(operator)) {
      List<RelDataType> types = binding.collectOperandTypes();
      boolean numbers = types.stream().allMatch(SqlTypeUtil::isNumeric);
      boolean whole =
          types.stream().allMatch(each -> SqlTypeName.INT_TYPES.contains(each.getSqlTypeName()));
      name = whole ? SqlTypeName.BIGINT : numbers ? SqlTypeName.DOUBLE : SqlTypeName.ANY;
    }
    boolean named = !binding.getOperator().getName().contains("?");
    if (named && type == SqlTypeName.ANY && binding.getOperandCount() > 0) {
      // As its argument: of a text or a blob a part, of a number another.
      RelDataType first = binding.getOperandType(0);
      boolean part = binding.getOperator().getName().startsWith("substr");
      if (SqlTypeUtil.isCharacter(first)) {
        name = part ? SqlTypeName.VARCHAR : SqlTypeName.ANY;
      } else if (SqlTypeName.INT_TYPES.contains(first.getSqlTypeName())) {
        name = part ? SqlTypeName.VARCHAR : SqlTypeName.BIGINT;
      } else if (first.getSqlTypeName() == SqlTypeName.DOUBLE) {
        name = part ? SqlTypeName.VARCHAR : SqlTypeName.DOUBLE;
      } else if (first.getSqlTypeName() == SqlTypeName.VARBINARY && part) {
        name = SqlTypeName.VARBINARY;
      }
    }
    return Signature.nullable(binding.getTypeFactory(), name);
  }

  private static String folded(String text) {
    StringBuilder out = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 'A' && c <= 'Z') {
        out = out == null ? new StringBuilder(text) : out;
        out.setCharAt(i, (char) (c + ('a' - 'A')));
      }
    }
    return out == null ? text : out.toString();
  }

  private static String trimmed(String text) {
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == ' ') {
      end--;
    }
    return text.substring(0, end);
  }

  /** Whether Java orders a text otherwise than SQLite does, before some other. */
  public static boolean isHigh(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= Character.MIN_SURROGATE) {
        return true;
      }
    }
    return false;
  }

  /**
   * What {@link #TO_ORDERED} gives: surrogates change places with the characters above them, since
   * the code points that they stand for come after these.
   */
  public static String ordered(String text) {
    return mapped(text, c -> c <= Character.MAX_SURROGATE ? c + 0x2000 : c - 0x800);
  }

  private static String unordered(String text) {
    return mapped(text, c -> c >= 0xF800 ? c - 0x2000 : c + 0x800);
  }

  private static String mapped(String text, IntUnaryOperator high) {
    if (!isHigh(text)) {
      return text;
    }
    char[] chars = text.toCharArray();
    for (int i = 0; i < chars.length; i++) {
      if (chars[i] >= Character.MIN_SURROGATE) {
        chars[i] = (char) high.applyAsInt(chars[i]);
      }
    }
    return new String(chars);
  }

  /**
   * A comparison of values of different types.
   *
   * @param expression of SQLite's, with two question marks, whose casts give each side the affinity
   *     that it has
   */
  public static SqlUserDefinedFunction comparison(String expression) {
    return FUNCTIONS.computeIfAbsent(expression, key -> function(key, SqlTypeName.BOOLEAN));
  }

  private static Object first(Object[] arguments) {
    for (Object argument : arguments) {
      if (argument != null) {
        return argument;
      }
    }
    return null;
  }

  /** Arithmetic of two numbers, which needs no SQLite; null for anything else. */
  private static Object quick(String name, Object left, Object right) {
    if (left instanceof Long a && right instanceof Long b) {
      // Small ones: what overflows is real in SQLite.
      return a == a.intValue() && b == b.intValue() ? (Object) whole(name, a, b) : null;
    } else if (!isExact(left) || !isExact(right)) {
      return null;
    }
    double result = real(name, ((Number) left).doubleValue(), ((Number) right).doubleValue());
    return Double.isNaN(result) ? null : (Object) result;
  }

  private static long whole(String name, long a, long b) {
    return name.equals(ADD) ? a + b : name.equals(SUBTRACT) ? a - b : a * b;
  }

  private static double real(String name, double a, double b) {
    return name.equals(ADD) ? a + b : name.equals(SUBTRACT) ? a - b : a * b;
  }

  /** Whether a value is a double, or a whole number that one holds. */
  private static boolean isExact(Object number) {
    return number instanceof Double
        || number instanceof Long whole && whole > -(1L << 53) && whole < 1L << 53;
  }

  /** Evaluates a call; called by generated code. */
  public static Object call(String name, SqlTypeName type, Object[] arguments) {
    switch (name) {
      case GIVEN:
      case COMPUTATION:
      case OPAQUE:
      case COLLATE_BINARY:
        return SqliteQuery.held(arguments[0]);
      case COLLATE_NOCASE:
        return arguments[0] instanceof String text ? folded(text) : arguments[0];
      case COLLATE_RTRIM:
        return arguments[0] instanceof String text ? trimmed(text) : arguments[0];
      case ORDERED:
        return type == SqlTypeName.ANY || type == SqlTypeName.OTHER
            ? OrderedValue.of(arguments[0])
            : arguments[0] instanceof String text ? ordered(text) : arguments[0];
      case UNORDERED:
        return arguments[0] instanceof OrderedValue ordered
            ? ordered.value()
            : arguments[0] instanceof String text ? unordered(text) : arguments[0];
      case INTEGER:
        if (arguments[0] instanceof Boolean condition) {
          return condition ? 1L : 0L;
        }
        break;
      case ADD:
      case SUBTRACT:
      case MULTIPLY:
        Object result = quick(name, arguments[0], arguments[1]);
        if (result != null) {
          return result;
        }
        break;
      case FIRST:
        return typed(first(arguments), type);
      default:
        break;
    }
    return typed(
        GrownTexts.isOne(name)
            ? GrownTexts.call(name, arguments)
            : SqliteEvaluator.call(name, arguments),
        type);
  }

  /** What SQLite gave as a plan holds values of a type. */
  private static Object typed(Object value, SqlTypeName type) {
    if (value == null) {
      return null;
    }
    switch (type) {
      case BOOLEAN:
        return ((Number) value).longValue() != 0;
      case BIGINT:
        return value instanceof Number number ? number.longValue() : value;
      case DOUBLE:
        return value instanceof Number number ? number.doubleValue() : value;
      case VARCHAR:
        return value instanceof ByteString bytes
            ? new String(bytes.getBytes(), StandardCharsets.UTF_8)
            : value.toString();
      default:
        return value;
    }
  }

  /** Arguments of any type, as many as SQLite's function takes. */
  private record AnyArguments(String name) implements SqlOperandMetadata {
    @Override
    public boolean checkOperandTypes(SqlCallBinding binding, boolean throwOnFailure) {
      boolean taken = takes(name, binding.getOperandCount());
      if (!taken && throwOnFailure) {
        throw binding.newValidationSignatureError();
      }
      return taken;
    }

    @Override
    public SqlOperandCountRange getOperandCountRange() {
      return new SqlOperandCountRange() {
        @Override
        public boolean isValidCount(int count) {
          return takes(name, count);
        }

        @Override
        public int getMin() {
          return 0;
        }

        @Override
        public int getMax() {
          return -1;
        }
      };
    }

    @Override
    public String getAllowedSignatures(SqlOperator operator, String name) {
      return name + "(…)";
    }

    @Override
    public List<RelDataType> paramTypes(RelDataTypeFactory typeFactory) {
      return List.of();
    }

    @Override
    public List<String> paramNames() {
      return List.of();
    }

    @Override
    public boolean isFixedParameters() {
      return false;
    }
  }

  /**
   * A function that SQLite evaluates.
   *
   * @param type what its value is; ANY for as the call's type says
   */
  private record Evaluated(SqlTypeName type) implements ScalarFunction, ImplementableFunction {
    @Override
    public List<FunctionParameter> getParameters() {
      return List.of();
    }

    @Override
    public RelDataType getReturnType(RelDataTypeFactory typeFactory) {
      return Signature.nullable(typeFactory, type);
    }

    @Override
    public CallImplementor getImplementor() {
      return RexImpTable.createImplementor(
          (translator, call, operands) -> {
            SqlTypeName result = call.getType().getSqlTypeName();
            Expression value =
                Expressions.call(
                    CALL,
                    Expressions.constant(call.getOperator().getName().toLowerCase(Locale.ROOT)),
                    Expressions.constant(result),
                    Expressions.newArrayInit(
                        Object.class,
                        operands.stream()
                            .map(each -> Expressions.convert_(Expressions.box(each), Object.class))
                            .map(Expression.class::cast)
                            .toList()));
            return Expressions.convert_(
                value,
                call.getType() instanceof RelDataTypeFactoryImpl.JavaType ordered
                    ? ordered.getJavaClass()
                    : java(result));
          },
          NullPolicy.NONE,
          false);
    }

    private static Class<?> java(SqlTypeName type) {
      switch (type) {
        case BOOLEAN:
          return Boolean.class;
        case BIGINT:
          return Long.class;
        case DOUBLE:
          return Double.class;
        case VARCHAR:
          return String.class;
        case VARBINARY:
          return ByteString.class;
        default:
          return Object.class;
      }
    }
  }
}
