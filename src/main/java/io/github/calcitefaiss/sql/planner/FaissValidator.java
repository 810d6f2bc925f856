/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sql.function.Arguments;
import io.github.calcitefaiss.sql.function.EmbedFunctions;
import io.github.calcitefaiss.sql.function.Errors;
import io.github.calcitefaiss.sql.function.SqliteOperators;
import io.github.calcitefaiss.sql.search.IndexAccess;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.TableModels;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.calcite.prepare.CalciteCatalogReader;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.sql.SqlBasicCall;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlCallBinding;
import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlDataTypeSpec;
import org.apache.calcite.sql.SqlDynamicParam;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlNumericLiteral;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.fun.SqlStdOperatorTable;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.calcite.sql.type.SqlTypeName;
import org.apache.calcite.sql.util.SqlBasicVisitor;
import org.apache.calcite.sql.validate.SqlQualified;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.SqlValidatorImpl;
import org.apache.calcite.sql.validate.SqlValidatorScope;

/**
 * Calcite's validator, which then checks the constant arguments of our functions: what is known to
 * be wrong is an error of the statement, with its place in the text, before it runs.
 *
 * <p>The messages are those of the run, which checks everything again. A call with a NULL is NULL,
 * whatever else it holds; a call that may never be evaluated (in CASE and what is made of it) is
 * left alone.
 */
public final class FaissValidator extends SqlValidatorImpl {
  private static final Set<String> NULLARY =
      Set.of(
          "CURRENT_CATALOG",
          "CURRENT_DATE",
          "CURRENT_PATH",
          "CURRENT_ROLE",
          "CURRENT_SCHEMA",
          "CURRENT_TIME",
          "CURRENT_TIMESTAMP",
          "CURRENT_USER",
          "LOCALTIME",
          "LOCALTIMESTAMP");

  private final View view;

  private FaissValidator(SqlValidator like, View view) {
    super(
        new SqliteOperators(like.getOperatorTable()),
        like.getCatalogReader(),
        like.getTypeFactory(),
        like.config().withTypeCoercionFactory(MixedTypes::new));
    this.view = view;
  }

  /**
   * A validator with everything that another one has.
   *
   * @param view what the run that a statement is prepared for sees
   */
  public static SqlValidator like(SqlValidator other, View view) {
    return new FaissValidator(other, view);
  }

  /** A name that is no keyword of SQLite's is a column's. */
  @Override
  public SqlCall makeNullaryCall(SqlIdentifier id) {
    return id.isSimple() && NULLARY.contains(id.getSimple().toUpperCase(Locale.ROOT))
        ? super.makeNullaryCall(id)
        : null;
  }

  /** A parameter may stand anywhere; where nothing says its type, the value that is set does. */
  @Override
  protected void inferUnknownTypes(RelDataType inferred, SqlValidatorScope scope, SqlNode node) {
    boolean open = node instanceof SqlDynamicParam && inferred.equals(unknownType);
    super.inferUnknownTypes(
        open ? typeFactory.createSqlType(SqlTypeName.ANY) : inferred, scope, node);
  }

  /** A parameter that ORDER BY names was not seen when its expression was looked at. */
  @Override
  public RelDataType getValidatedNodeType(SqlNode node) {
    RelDataType known =
        node instanceof SqlDynamicParam ? getValidatedNodeTypeIfKnown(node) : unknownType;
    return known == null
        ? typeFactory.createTypeWithNullability(typeFactory.createSqlType(SqlTypeName.ANY), true)
        : super.getValidatedNodeType(node);
  }

  /**
   * A list of values of several kinds has no type that serves for all: each is compared by itself,
   * or Calcite would cut the 14.5 of {@code id IN (3, 14.5)} to what the first one is.
   */
  @Override
  protected SqlNode performUnconditionalRewrites(SqlNode node, boolean underFrom) {
    SqlNode rewritten = super.performUnconditionalRewrites(node, underFrom);
    if (!(rewritten instanceof SqlCall call)
        || call.getKind() != SqlKind.IN && call.getKind() != SqlKind.NOT_IN
        || call.operand(0) instanceof SqlLiteral
        || call.operand(0) instanceof SqlDynamicParam
        || !isRepeatable(call.operand(0))
        || !(call.operand(1) instanceof SqlNodeList list)
        || !isMixed(list)) {
      return rewritten;
    }
    SqlNode any = any(call.operand(0), list, 0, list.size());
    return call.getKind() == SqlKind.IN
        ? any
        : SqlStdOperatorTable.NOT.createCall(call.getParserPosition(), any);
  }

  /** Whether something equals one of some values: halves of halves, so that none is deep. */
  private static SqlNode any(SqlNode left, SqlNodeList values, int from, int to) {
    SqlParserPos pos = values.get(from).getParserPosition();
    if (to - from == 1) {
      return SqlStdOperatorTable.EQUALS.createCall(
          pos, left.clone(left.getParserPosition()), values.get(from));
    }
    int middle = (from + to) >>> 1;
    return SqlStdOperatorTable.OR.createCall(
        pos, any(left, values, from, middle), any(left, values, middle, to));
  }

  /** Whether an expression gives the same whenever it is computed, and isn't a query. */
  private static boolean isRepeatable(SqlNode node) {
    if (node instanceof SqlCall call) {
      return !call.isA(SqlKind.QUERY)
          && call.getKind() != SqlKind.SCALAR_QUERY
          && !call.getOperator().getName().toLowerCase(Locale.ROOT).startsWith("random")
          && call.getOperandList().stream().allMatch(FaissValidator::isRepeatable);
    }
    return node == null
        || node instanceof SqlIdentifier
        || node instanceof SqlLiteral
        || node instanceof SqlDynamicParam
        || node instanceof SqlDataTypeSpec;
  }

  private static boolean isMixed(SqlNodeList list) {
    Set<String> kinds = list.stream().map(FaissValidator::kind).collect(Collectors.toSet());
    return kinds.size() > 1 && !kinds.equals(Set.of("parameter", "integer"));
  }

  private static String kind(SqlNode node) {
    if (node instanceof SqlCall call && call.getKind() == SqlKind.MINUS_PREFIX) {
      return kind(call.operand(0));
    } else if (node instanceof SqlDynamicParam) {
      return "parameter";
    } else if (node instanceof SqlNumericLiteral number) {
      return number.isExact() && number.isInteger() ? "integer" : "real";
    }
    return node instanceof SqlCharStringLiteral ? "text" : "other";
  }

  /** A list has the type of its first value: what {@code ? in (…)} is compared with. */
  @Override
  public RelDataType deriveType(SqlValidatorScope scope, SqlNode node) {
    return node instanceof SqlNodeList list && !list.isEmpty()
        ? super.deriveType(scope, list.get(0))
        : super.deriveType(scope, node);
  }

  @Override
  public SqlNode validate(SqlNode query) {
    SqlNode validated = super.validate(query);
    validated.accept(new Calls());
    return validated;
  }

  /** Finds the calls that are evaluated whatever the rows hold. */
  private final class Calls extends SqlBasicVisitor<Void> {
    private static final Set<String> CONDITIONAL =
        Set.of("COALESCE", "DECODE", "IF", "IFNULL", "NULLIF", "NVL", "NVL2");

    private SqlValidatorScope scope;

    @Override
    public Void visit(SqlCall call) {
      if (call.getKind() == SqlKind.CASE
          || CONDITIONAL.contains(call.getOperator().getName().toUpperCase(Locale.ROOT))) {
        return null;
      }
      SqlValidatorScope outer = scope;
      if (call instanceof SqlSelect select) {
        scope = getWhereScope(select);
      }
      super.visit(call);
      scope = outer;
      if (Constant.isOurs(call.getOperator())) {
        new Check(FaissValidator.this, view, scope, call).run();
      }
      return null;
    }
  }

  private interface Test {
    void run() throws SQLException;
  }

  private static final class Check {
    private final SqlValidator validator;
    private final View view;
    private final SqlValidatorScope scope;
    private final SqlCall call;
    private final String function;
    private final List<SqlNode> operands;
    private final List<Object> values = new ArrayList<>();

    private Check(SqlValidator validator, View view, SqlValidatorScope scope, SqlCall call) {
      this.validator = validator;
      this.view = view;
      this.scope = scope;
      this.call = call;
      this.function = call.getOperator().getName().toLowerCase(Locale.ROOT);
      this.operands =
          scope == null
              ? call.getOperandList()
              : new SqlCallBinding(validator, scope, call).operands();
      for (SqlNode operand : operands) {
        values.add(Constant.of(operand));
      }
    }

    private void run() {
      if (values.contains(null)) {
        return;
      }
      IndexedTable table = null;
      SqliteSchema schema = null;
      List<FunctionParameter> parameters = Constant.parameters(call.getOperator());
      for (int i = 0; i < values.size(); i++) {
        Object value = values.get(i);
        if (value == Constant.UNKNOWN) {
          continue;
        }
        int operand = i;
        String name = parameters.get(i).getName();
        switch (name) {
          case "database":
            schema = schema(operand);
            break;
          case "table":
            table = schema == null ? null : table(schema, operand);
            break;
          case "model":
            at(operands.get(i), () -> EmbedFunctions.chosen(function, value, root()));
            break;
          case "text":
            at(operands.get(i), () -> EmbedFunctions.text(function, value));
            break;
          case "k":
          case "start":
          case "end":
          case "count":
            at(operands.get(i), () -> Arguments.count(function, name, value));
            break;
          case "a":
          case "b":
            String side = name.equals("a") ? "first vector" : "second vector";
            at(operands.get(i), () -> Arguments.vector(function, side, value));
            break;
          case "vector":
          case "query":
          case "embedding":
            at(operands.get(i), () -> Arguments.vector(function, name, value));
            break;
          default:
            break;
        }
      }
      if (table != null && parameters.size() > 2) {
        searched(schema, table);
        IndexedTable asked = table;
        SqliteSchema of = schema;
        at(operands.get(2), () -> sameModel(of, asked, operands.get(2)));
      }
      if (parameters.size() == 2 && parameters.get(0).getName().equals("a")) {
        compared(0, 1);
        compared(1, 0);
      }
      if (!values.contains(Constant.UNKNOWN)) {
        at(call, () -> Constant.evaluate(call.getOperator(), values));
      }
    }

    private SchemaPlus root() {
      return validator.getCatalogReader().unwrap(CalciteCatalogReader.class).getRootSchema().plus();
    }

    private SqliteSchema schema(int operand) {
      SqliteSchema[] found = new SqliteSchema[1];
      SchemaPlus schemas = root();
      if (IndexAccess.cluster(schemas, values.get(operand)) != null) {
        return null;
      }
      at(
          operands.get(operand),
          () -> found[0] = IndexAccess.schema(function, schemas, values.get(operand)));
      return found[0];
    }

    private IndexedTable table(SqliteSchema schema, int operand) {
      IndexedTable[] found = new IndexedTable[1];
      at(
          operands.get(operand),
          () -> found[0] = IndexAccess.table(function, schema, values.get(operand), view));
      return found[0];
    }

    /** The vector that an index is searched for. */
    private void searched(SqliteSchema schema, IndexedTable table) {
      if (values.get(2) == Constant.UNKNOWN) {
        return;
      }
      at(
          operands.get(2),
          () -> {
            int got = Arguments.vector(function, "vector", values.get(2)).length;
            int dims = schema.indexedTables().knownDims(table, view);
            if (got == 0) {
              throw Errors.emptyVector(function, "vector");
            } else if (dims > 0 && dims != got) {
              throw Errors.dimensions(function, "vector", dims, got);
            }
          });
    }

    /** A constant that is compared with the column of an index. */
    private void compared(int column, int constant) {
      if (scope == null || !(operands.get(column) instanceof SqlIdentifier name)) {
        return;
      }
      if (values.get(constant) == Constant.UNKNOWN) {
        at(
            operands.get(constant),
            () -> {
              SqliteTable table = table(name);
              IndexedTable indexed = indexed(table, name);
              if (indexed != null) {
                sameModel(table.schema(), indexed, operands.get(constant));
              }
            });
        return;
      }
      at(
          operands.get(constant),
          () -> {
            int dims = dims(name);
            int got = Arguments.vector(function, "vector", values.get(constant)).length;
            if (dims > 0 && dims != got) {
              throw Errors.dimensions(function, "vector", dims, got);
            }
          });
    }

    /** A text that is embedded, and a table whose vectors another model made. */
    private void sameModel(SqliteSchema schema, IndexedTable table, SqlNode vector)
        throws SQLException {
      if (!(vector instanceof SqlBasicCall call)
          || !Constant.isOurs(call.getOperator())
          || !EmbedFunctions.embeds(call.getOperator().getName().toLowerCase(Locale.ROOT))) {
        return;
      }
      Object model = call.operandCount() == 1 ? null : Constant.of(call.operand(0));
      if (model == Constant.UNKNOWN || call.operandCount() > 1 && model == null) {
        return;
      }
      TableModels.Made made = schema.madeBy(table, view);
      if (made != null) {
        TableModels.Made asked = EmbedFunctions.chosen("embed", model, root());
        if (!made.model().equals(asked.model())
            || made.dims() != 0 && made.dims() != asked.dims()) {
          throw Errors.modelsDiffer(function, schema.name() + "." + table.table(), made, asked);
        }
      }
    }

    /** The table of a column, or null. */
    private SqliteTable table(SqlIdentifier column) {
      SqlQualified qualified = scope.fullyQualify(column);
      return qualified.namespace == null || qualified.namespace.getTable() == null
          ? null
          : qualified.namespace.getTable().unwrap(SqliteTable.class);
    }

    /** How a table is indexed by a column, or null if it isn't. */
    private IndexedTable indexed(SqliteTable table, SqlIdentifier column) {
      IndexedTable indexed = table == null ? null : table.schema().indexedTables().of(table);
      List<String> names = scope.fullyQualify(column).identifier.names;
      return indexed == null
              || !indexed.table().equals(table.name())
              || !indexed.embedding().equals(names.get(names.size() - 1))
          ? null
          : indexed;
    }

    /** The dimension of all vectors of a column, or 0 where it isn't known. */
    private int dims(SqlIdentifier column) throws SQLException {
      SqliteTable table = table(column);
      IndexedTable indexed = indexed(table, column);
      return indexed == null || indexed.skipBadRows()
          ? 0
          : table.schema().indexedTables().knownDims(indexed, view);
    }

    private static void at(SqlNode node, Test test) {
      try {
        test.run();
      } catch (FaissException e) {
        throw Errors.at(e, node.getParserPosition()).raise();
      } catch (SQLException e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
    }
  }
}
