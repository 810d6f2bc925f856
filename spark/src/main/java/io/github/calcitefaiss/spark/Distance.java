/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Metric;
import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenContext;
import org.apache.spark.sql.catalyst.expressions.codegen.ExprCode;
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke;
import org.apache.spark.sql.types.AbstractDataType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.ObjectType;
import scala.Option;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** A function of two vectors that gives a {@link Metric}'s value, or NULL. */
public final class Distance extends Expression implements Serializable {
  private final String function;
  private final Expression left;
  private final Expression right;
  private transient DistanceCall call;

  /** Each argument's type is one of {@link Vectors}. */
  public Distance(String function, Expression left, Expression right) {
    this.function = function;
    this.left = left;
    this.right = right;
  }

  String function() {
    return function;
  }

  Metric metric() {
    return Functions.METRICS.get(function);
  }

  Expression left() {
    return left;
  }

  Expression right() {
    return right;
  }

  /** How it is called; an argument that is the same for all rows is evaluated once. */
  private DistanceCall call() {
    if (call == null) {
      Vectors first = Vectors.of(left.dataType());
      Vectors second = Vectors.of(right.dataType());
      Expression constant = right.foldable() ? right : left.foldable() ? left : null;
      Object value = constant == null ? null : constant.eval(null);
      if (value == null) {
        call = new DistanceCall(function, first, second, null, false);
      } else {
        boolean leftIs = constant == left;
        float[] elements =
            Functions.vector(
                function,
                leftIs ? "first vector" : "second vector",
                leftIs ? first : second,
                value);
        call = new DistanceCall(function, first, second, elements, leftIs);
      }
    }
    return call;
  }

  @Override
  public Object eval(InternalRow row) {
    Object a = left.eval(row);
    Object b = a == null ? null : right.eval(row);
    if (b == null) {
      return null;
    }
    DistanceCall known = call();
    return known.constant() == null
        ? DistanceCall.both(a, b, known)
        : DistanceCall.one(known.constantFirst() ? b : a, known);
  }

  @Override
  public ExprCode doGenCode(CodegenContext context, ExprCode code) {
    DistanceCall known = call();
    Literal object = new Literal(known, new ObjectType(DistanceCall.class));
    List<Expression> arguments =
        known.constant() == null
            ? List.of(left, right, object)
            : List.of(known.constantFirst() ? right : left, object);
    String method = known.constant() == null ? "both" : "one";
    return invoke(DistanceCall.class, DataTypes.DoubleType, method, arguments).genCode(context);
  }

  /** A call of a public static method, which gives NULL if an argument is NULL. */
  static StaticInvoke invoke(Class<?> owner, DataType type, String method, List<Expression> args) {
    List<? extends AbstractDataType> types = args.stream().map(Expression::dataType).toList();
    return new StaticInvoke(
        owner, type, method, Scala.seq(args), Scala.seq(types), true, true, true, Option.empty());
  }

  @Override
  public Seq<Expression> children() {
    return Scala.seq(List.of(left, right));
  }

  @Override
  public Expression withNewChildrenInternal(IndexedSeq<Expression> children) {
    return new Distance(function, children.apply(0), children.apply(1));
  }

  @Override
  public DataType dataType() {
    return DataTypes.DoubleType;
  }

  @Override
  public boolean nullable() {
    return left.nullable() || right.nullable() || undefined();
  }

  private boolean undefined() {
    return metric() == Metric.COSINE_DISTANCE || metric() == Metric.COSINE_SIMILARITY;
  }

  @Override
  public boolean foldable() {
    return left.foldable() && right.foldable();
  }

  @Override
  public boolean nullIntolerant() {
    return true;
  }

  @Override
  public String prettyName() {
    return function;
  }

  @Override
  public scala.collection.Iterator<Object> stringArgs() {
    return Scala.<Object>seq(List.of(left, right)).iterator();
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof Distance;
  }

  @Override
  public int productArity() {
    return 3;
  }

  @Override
  public Object productElement(int i) {
    return i == 0 ? function : i == 1 ? left : right;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Distance d
        && d.function.equals(function)
        && d.left.equals(left)
        && d.right.equals(right);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * function.hashCode() + left.hashCode()) + right.hashCode();
  }
}
