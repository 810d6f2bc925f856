/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.TopK;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.Shown;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.DataContext;
import org.apache.calcite.adapter.enumerable.AggAddContext;
import org.apache.calcite.adapter.enumerable.AggContext;
import org.apache.calcite.adapter.enumerable.AggImplementor;
import org.apache.calcite.adapter.enumerable.AggResetContext;
import org.apache.calcite.adapter.enumerable.AggResultContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.linq4j.tree.Expressions;
import org.apache.calcite.linq4j.tree.Statement;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.schema.AggregateFunction;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.ImplementableAggFunction;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * One group of {@code faiss_agg(id, embedding, query, k)} or {@code faiss_agg_with_scores}: the
 * nearest of the rows that were added, in memory that grows with k and not with the rows.
 */
public final class FaissAggregate {
  private static final int ROWS_A_CHECK = 1024;

  private final Execution execution;
  private final String function;
  private final boolean scores;
  private long rows;
  private Object query;
  private Object count;
  private float[] target;
  private boolean isNull;
  private TopK nearest;

  /** Begins a group; called by generated code. */
  public FaissAggregate(DataContext root, boolean scores) {
    this.execution = Execution.of(root);
    this.scores = scores;
    this.function = scores ? "faiss_agg_with_scores" : "faiss_agg";
  }

  /** Adds a row; called by generated code. */
  public void add(Object id, Object vector, Object rowQuery, Object rowCount) {
    if (rows++ % ROWS_A_CHECK == 0) {
      execution.check();
    }
    if (rows == 1) {
      query = rowQuery;
      count = rowCount;
      isNull = rowQuery == null || rowCount == null;
      if (!isNull) {
        target = Arguments.vector(function, "query", rowQuery);
        nearest = new TopK(Arguments.count(function, "k", rowCount));
        if (target.length == 0) {
          throw Errors.emptyVector(function, "query").raise();
        }
      }
    } else {
      if (rowQuery != query && !same(rowQuery, query)) {
        throw Errors.changedInGroup(function, "query", Shown.value(query), Shown.value(rowQuery))
            .raise();
      }
      if (rowCount != count && !same(rowCount, count)) {
        throw Errors.changedInGroup(function, "k", Shown.value(count), Shown.value(rowCount))
            .raise();
      }
    }
    if (isNull || vector == null) {
      return;
    }
    nearest.offer(distance(vector), normal(id));
  }

  private double distance(Object vector) {
    byte[] blob = vector instanceof byte[] bytes ? bytes : null;
    if (blob == null && vector instanceof ByteString bytes) {
      blob = bytes.getBytes();
    }
    try {
      if (blob != null) {
        return TopK.l2Squared(target, blob);
      }
    } catch (VectorException e) {
      throw Errors.badVector(function, "embedding", e.getMessage()).raise();
    }
    float[] element = Arguments.vector(function, "embedding", vector);
    if (element.length != target.length) {
      throw Errors.dimensions(function, "embedding", target.length, element.length).raise();
    }
    return Metric.L2_SQUARED.value(target, element);
  }

  /** The group's answer as JSON text, or NULL if it has no rows; may be asked for repeatedly. */
  public String result() {
    if (rows == 0 || isNull) {
      return null;
    }
    List<TopK.Hit> hits = nearest.drain();
    for (TopK.Hit hit : hits) {
      // A window asks again after more rows.
      nearest.offer(hit.value(), hit.id());
    }
    JsonText.Hits json = new JsonText.Hits(scores);
    hits.forEach(hit -> json.add(hit.id(), hit.value()));
    return json.json();
  }

  private static boolean same(Object a, Object b) {
    return a == null ? b == null : a.equals(b);
  }

  /** An id as the index knows ids. */
  private static Object normal(Object id) {
    if (id == null || id instanceof Long || id instanceof String || id instanceof Double) {
      return id;
    } else if (id instanceof Integer || id instanceof Short || id instanceof Byte) {
      return ((Number) id).longValue();
    } else if (id instanceof Number number) {
      return number.doubleValue();
    }
    byte[] blob = Values.bytes(id);
    return blob == null ? id.toString() : blob;
  }

  /** The aggregate function as Calcite sees it. */
  public static AggregateFunction function(boolean scores) {
    return new Function(Signature.of("id", "embedding", "query", "k").parameters(), scores);
  }

  private record Function(List<FunctionParameter> parameters, boolean scores)
      implements AggregateFunction, ImplementableAggFunction, Signature.Own {
    @Override
    public List<FunctionParameter> getParameters() {
      return parameters;
    }

    @Override
    public RelDataType getReturnType(RelDataTypeFactory typeFactory) {
      return Signature.nullable(typeFactory, SqlTypeName.VARCHAR);
    }

    @Override
    public AggImplementor getImplementor(boolean windowContext) {
      return new Implementor(scores);
    }
  }

  /** Not strict, unlike Calcite's own: rows with NULLs count, since they tell [] from NULL. */
  private record Implementor(boolean scores) implements AggImplementor {
    @Override
    public List<Type> getStateType(AggContext info) {
      return List.of(FaissAggregate.class);
    }

    @Override
    public void implementReset(AggContext info, AggResetContext reset) {
      reset
          .currentBlock()
          .add(
              Expressions.statement(
                  Expressions.assign(
                      reset.accumulator().get(0),
                      Expressions.new_(
                          FaissAggregate.class, DataContext.ROOT, Expressions.constant(scores)))));
    }

    @Override
    public void implementAdd(AggContext info, AggAddContext add) {
      List<Expression> arguments = new ArrayList<>();
      for (Expression argument : add.arguments()) {
        arguments.add(Expressions.convert_(Expressions.box(argument), Object.class));
      }
      Statement row =
          Expressions.statement(Expressions.call(add.accumulator().get(0), "add", arguments));
      // The FILTER clause is each implementor's own affair.
      RexNode filter = add.rexFilterArgument();
      add.currentBlock().add(filter == null ? row : Expressions.ifThen(isTrue(add, filter), row));
    }

    private static Expression isTrue(AggAddContext add, RexNode filter) {
      Expression value = add.rowTranslator().translateList(List.of(filter)).get(0);
      return Expressions.call(
          Expressions.field(null, Boolean.class, "TRUE"),
          "equals",
          Expressions.convert_(Expressions.box(value), Object.class));
    }

    @Override
    public Expression implementResult(AggContext info, AggResultContext result) {
      return Expressions.call(result.accumulator().get(0), "result");
    }
  }
}
