/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.CallImplementor;
import org.apache.calcite.adapter.enumerable.NullPolicy;
import org.apache.calcite.adapter.enumerable.RexImpTable;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.Types;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.ImplementableFunction;
import org.apache.calcite.schema.ScalarFunction;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * The parameters and result of a function, in SQL's types.
 *
 * <p>Arguments arrive as objects, NULL as null. A vector's parameter is ANY, since a blob, JSON
 * text and an array will all do, and so that {@code ?} gets a type.
 */
public final class Signature {
  private final List<FunctionParameter> parameters;

  private Signature(List<FunctionParameter> parameters) {
    this.parameters = parameters;
  }

  /** Parameters written {@code name} for ANY, or {@code name:TYPE}. */
  public static Signature of(String... parameters) {
    List<FunctionParameter> list = new ArrayList<>();
    for (String parameter : parameters) {
      int colon = parameter.indexOf(':');
      list.add(
          new Parameter(
              list.size(),
              colon < 0 ? parameter : parameter.substring(0, colon),
              colon < 0 ? SqlTypeName.ANY : SqlTypeName.valueOf(parameter.substring(colon + 1))));
    }
    return new Signature(List.copyOf(list));
  }

  public List<FunctionParameter> parameters() {
    return parameters;
  }

  /**
   * A scalar function that a static method evaluates.
   *
   * @param method takes the statement's run and the arguments, as {@code Object}s
   */
  public ScalarFunction scalar(SqlTypeName result, Class<?> owner, String method) {
    return new Scalar(parameters, result, method(owner, method, parameters.size()));
  }

  public static Method method(Class<?> owner, String name, int arguments) {
    Class<?>[] types = new Class<?>[arguments + 1];
    Arrays.fill(types, Object.class);
    types[0] = DataContext.class;
    return Types.lookupMethod(owner, name, types);
  }

  /** A call of a static method with the statement's run and boxed arguments. */
  public static CallImplementor call(Method method) {
    return RexImpTable.createImplementor(
        (translator, call, operands) -> {
          List<Expression> arguments = new ArrayList<>();
          arguments.add(translator.getRoot());
          for (Expression operand : operands) {
            arguments.add(Expressions.convert_(Expressions.box(operand), Object.class));
          }
          return Expressions.call(method, arguments);
        },
        NullPolicy.NONE,
        false);
  }

  public static RelDataType nullable(RelDataTypeFactory factory, SqlTypeName type) {
    return factory.createTypeWithNullability(factory.createSqlType(type), true);
  }

  /** A function of this product's, and not another's of the same name. */
  public interface Own extends org.apache.calcite.schema.Function {}

  /** A function that a static method evaluates, given the statement's run and its arguments. */
  public interface Evaluated extends Own {
    /** The method, which takes the run and the arguments as {@code Object}s. */
    Method method();

    /** Whether its value depends on its arguments alone: neither on a database nor on a model. */
    default boolean isPure() {
      return getParameters().stream()
          .map(FunctionParameter::getName)
          .noneMatch(name -> name.equals("database") || name.equals("text"));
    }
  }

  private record Parameter(int ordinal, String name, SqlTypeName type)
      implements FunctionParameter {
    @Override
    public int getOrdinal() {
      return ordinal;
    }

    @Override
    public String getName() {
      return name;
    }

    @Override
    public RelDataType getType(RelDataTypeFactory typeFactory) {
      // As a Java type, since only such a parameter is shown its literals while planning.
      return type == SqlTypeName.VARCHAR
          ? typeFactory.createTypeWithNullability(typeFactory.createJavaType(String.class), true)
          : nullable(typeFactory, type);
    }

    @Override
    public boolean isOptional() {
      return false;
    }
  }

  private record Scalar(List<FunctionParameter> parameters, SqlTypeName result, Method method)
      implements ScalarFunction, ImplementableFunction, Evaluated {
    @Override
    public List<FunctionParameter> getParameters() {
      return parameters;
    }

    @Override
    public RelDataType getReturnType(RelDataTypeFactory typeFactory) {
      return nullable(typeFactory, result);
    }

    @Override
    public CallImplementor getImplementor() {
      return call(method);
    }
  }
}
