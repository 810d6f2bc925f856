/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.VectorNorm;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/**
 * What {@code spark.sql.extensions} names: brings the functions, the index and the join into every
 * session of a Spark application.
 */
public final class FaissExtensions extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
  /** Creates the extension; Spark does so by name. */
  public FaissExtensions() {}

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    for (String name : Functions.METRICS.keySet()) {
      add(
          extensions,
          name,
          arguments -> {
            List<Expression> two = vectors(name, arguments, 2, List.of("a", "b"));
            return new Distance(name, two.get(0), two.get(1));
          });
    }
    one(extensions, DataTypes.LongType, "dims", "vector_dims", "vec_length");
    one(extensions, DataTypes.BinaryType, "normalize", "l2_normalize", "vec_normalize");
    one(extensions, DataTypes.StringType, "toJson", "vec_to_json");
    // Spark's own takes two arguments.
    add(
        extensions,
        "vector_norm",
        arguments ->
            arguments.size() == 2
                ? new VectorNorm(arguments.get(0), arguments.get(1))
                : call("vector_norm", arguments, 1, DataTypes.DoubleType, "norm"));
    add(
        extensions,
        "faiss_encode",
        arguments ->
            arguments.size() == 1 && Vectors.of(arguments.get(0).dataType()) == Vectors.JSON
                ? Distance.invoke(Functions.class, DataTypes.BinaryType, "encode", arguments)
                : call("faiss_encode", arguments, 1, DataTypes.BinaryType, "encodeArray"));
    add(
        extensions,
        "faiss_decode",
        arguments -> {
          List<Expression> blob = vectors("faiss_decode", arguments, 1, List.of("blob"));
          if (Vectors.of(blob.get(0).dataType()) != Vectors.BLOB) {
            throw wrong(
                "faiss_decode: blob: expected a BINARY, got " + blob.get(0).dataType().sql());
          }
          return Distance.invoke(Functions.class, DataTypes.StringType, "decode", blob);
        });
    for (String name : List.of("vec_add", "vec_sub")) {
      add(extensions, name, a -> call(name, a, 2, DataTypes.BinaryType, "combine"));
    }
    add(extensions, "vec_slice", a -> part("vec_slice", a, "slice", "start", "end"));
    add(extensions, "subvector", a -> part("subvector", a, "subvector", "start", "count"));
    aggregate(extensions, "faiss_agg", false);
    aggregate(extensions, "faiss_agg_with_scores", true);
    for (String name : List.of("faiss_search", "faiss_search_with_scores")) {
      boolean scores = name.endsWith("scores");
      add(extensions, name, arguments -> SearchFunctions.search(name, scores, arguments));
    }
    extensions.injectTableFunction(
        new Tuple3<>(
            new FunctionIdentifier("faiss_neighbors"),
            new ExpressionInfo(FaissExtensions.class.getName(), "faiss_neighbors"),
            Scala.function(arguments -> SearchFunctions.neighbors(Scala.list(arguments)))));
    extensions.injectPlannerStrategy(Scala.function(session -> new TopKStrategy()));
    extensions.injectPostHocResolutionRule(Scala.function(session -> new KnnJoinRule()));
    extensions.injectPlannerStrategy(
        Scala.function(
            session -> new KnnJoinStrategy((org.apache.spark.sql.classic.SparkSession) session)));
    return BoxedUnit.UNIT;
  }

  private static void add(
      SparkSessionExtensions extensions, String name, Function<List<Expression>, Expression> of) {
    extensions.injectFunction(
        new Tuple3<>(
            new FunctionIdentifier(name),
            new ExpressionInfo(FaissExtensions.class.getName(), name),
            Scala.<Seq<Expression>, Expression>function(a -> of.apply(Scala.list(a)))));
  }

  private static void one(
      SparkSessionExtensions extensions, DataType type, String method, String... names) {
    for (String name : names) {
      add(extensions, name, a -> call(name, a, 1, type, method));
    }
  }

  /** A call of one of {@link Functions}, whose arguments are vectors. */
  private static Expression call(
      String name, List<Expression> arguments, int arity, DataType type, String method) {
    List<String> names = arity == 1 ? List.of("vector") : List.of("a", "b");
    List<Expression> all = new ArrayList<>(vectors(name, arguments, arity, names));
    all.add(text(name));
    for (Expression vector : List.copyOf(all.subList(0, arity))) {
      all.add(text(Vectors.of(vector.dataType()).name()));
    }
    return Distance.invoke(Functions.class, type, method, all);
  }

  private static Expression part(
      String name, List<Expression> arguments, String method, String second, String third) {
    List<Expression> all =
        new ArrayList<>(vectors(name, arguments, 3, List.of("vector", second, third)));
    for (int i = 1; i < 3; i++) {
      if (!(all.get(i).dataType() instanceof NumericType)) {
        throw wrong(
            name
                + ": "
                + (i == 1 ? second : third)
                + ": expected a whole number, got "
                + all.get(i).dataType().sql());
      }
      all.set(i, cast(all.get(i), DataTypes.LongType));
    }
    all.add(text(name));
    all.add(text(Vectors.of(all.get(0).dataType()).name()));
    return Distance.invoke(Functions.class, DataTypes.BinaryType, method, all);
  }

  private static void aggregate(SparkSessionExtensions extensions, String name, boolean scores) {
    add(
        extensions,
        name,
        arguments -> {
          List<String> names = List.of("id", "embedding", "query", "k");
          count(name, arguments, 4, names);
          List<Expression> all = new ArrayList<>(arguments);
          for (int i = 1; i < 3; i++) {
            all.set(i, vector(name, names.get(i), arguments.get(i)));
          }
          return new NearestAggregate(Scala.seq(all), scores, 0, 0);
        });
  }

  /** The arguments, the first ones of which (all but numbers) are vectors. */
  private static List<Expression> vectors(
      String function, List<Expression> arguments, int arity, List<String> names) {
    count(function, arguments, arity, names);
    List<Expression> checked = new ArrayList<>(arguments);
    int vectors = arity == 3 ? 1 : arity;
    for (int i = 0; i < vectors; i++) {
      checked.set(i, vector(function, names.get(i), arguments.get(i)));
    }
    return checked;
  }

  private static Expression vector(String function, String name, Expression argument) {
    if (!argument.resolved()) {
      return argument;
    }
    DataType cast = Vectors.cast(argument.dataType());
    Expression vector = cast == null ? argument : cast(argument, cast);
    if (Vectors.of(vector.dataType()) == null) {
      throw wrong(
          function
              + ": "
              + name
              + ": expected a vector (BINARY, ARRAY<FLOAT>, ARRAY<DOUBLE> or JSON text), got "
              + argument.dataType().sql());
    }
    return vector;
  }

  private static void count(
      String function, List<Expression> arguments, int arity, List<String> names) {
    if (arguments.size() != arity) {
      throw wrong(
          function
              + ": expected "
              + arity
              + (arity == 1 ? " argument (" : " arguments (")
              + String.join(", ", names)
              + "), got "
              + arguments.size());
    }
  }

  private static Expression cast(Expression expression, DataType type) {
    return org.apache.spark.sql.catalyst.expressions.Cast$.MODULE$.apply(expression, type, false);
  }

  private static Literal text(String text) {
    return new Literal(UTF8String.fromString(text), DataTypes.StringType);
  }

  private static RuntimeException wrong(String message) {
    return new IllegalArgumentException(message);
  }
}
