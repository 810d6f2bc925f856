/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.catalyst.expressions.Alias;
import org.apache.spark.sql.catalyst.expressions.Ascending$;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.NamedExpression;
import org.apache.spark.sql.catalyst.expressions.NullsFirst$;
import org.apache.spark.sql.catalyst.expressions.SortOrder;
import org.apache.spark.sql.catalyst.plans.logical.GlobalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LimitAndOffset;
import org.apache.spark.sql.catalyst.plans.logical.LocalLimit;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.plans.logical.Offset;
import org.apache.spark.sql.catalyst.plans.logical.OffsetAndLimit;
import org.apache.spark.sql.catalyst.plans.logical.Project;
import org.apache.spark.sql.catalyst.plans.logical.ReturnAnswer;
import org.apache.spark.sql.catalyst.plans.logical.Sort;
import org.apache.spark.sql.execution.ProjectExec;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.SparkStrategy;
import org.apache.spark.sql.execution.TakeOrderedAndProjectExec;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import scala.Option;
import scala.Tuple3;
import scala.Tuple4;
import scala.collection.immutable.Seq;

/** {@code ORDER BY distance LIMIT k}: from an index where there is one, with ties by id. */
final class TopKStrategy extends SparkStrategy {
  static final String ID = "id";

  /** The statement's order and cut. */
  private record Cut(int limit, int offset, Sort sort, Seq<NamedExpression> project) {}

  @Override
  public Seq<SparkPlan> apply(LogicalPlan plan) {
    Cut cut = cut(plan instanceof ReturnAnswer answer ? answer.child() : plan);
    List<SortOrder> order = cut == null ? List.of() : Scala.list(cut.sort.order());
    if (order.isEmpty()) {
      return Scala.seq(List.of());
    }
    LogicalPlan below = cut.sort.child();
    Operation operation = Operation.of(below);
    Distance distance = distance(order.get(0).child(), operation);
    if (distance == null) {
      return Scala.seq(List.of());
    }
    Object found = operation.relation == null ? "the rows are no table of files" : null;
    if (found == null) {
      found = indexed(cut, order, operation, distance);
    }
    return Scala.seq(
        List.of(found instanceof SparkPlan p ? p : rowWise(cut, order, (String) found)));
  }

  private static Cut cut(LogicalPlan plan) {
    if (plan instanceof Offset offset) {
      Option<Tuple3<Object, Object, LogicalPlan>> both = LimitAndOffset.unapply(offset);
      return both.isEmpty()
          ? null
          : cut((Integer) both.get()._1(), (Integer) both.get()._2(), both.get()._3());
    } else if (plan instanceof GlobalLimit limit) {
      Option<Tuple3<Object, Object, LogicalPlan>> both = OffsetAndLimit.unapply(limit);
      if (both.isDefined()) {
        int offset = (Integer) both.get()._1();
        int count = (Integer) both.get()._2();
        long sum = (long) offset + count;
        return sum > Integer.MAX_VALUE ? null : cut((int) sum, offset, both.get()._3());
      }
      return limit.limitExpr() instanceof Literal literal
              && limit.child() instanceof LocalLimit local
          ? cut((Integer) literal.value(), 0, local.child())
          : null;
    }
    return null;
  }

  private static Cut cut(int limit, int offset, LogicalPlan child) {
    if (child instanceof Sort sort && sort.global()) {
      List<NamedExpression> all = new ArrayList<>(Scala.list(sort.output()));
      return new Cut(limit, offset, sort, Scala.seq(all));
    } else if (child instanceof Project project
        && project.child() instanceof Sort sort
        && sort.global()) {
      return new Cut(limit, offset, sort, project.projectList());
    }
    return null;
  }

  /** The distance that a sort key is, in the terms of the operation's table. */
  private static Distance distance(Expression key, Operation operation) {
    Expression expression = operation.below(key);
    return expression instanceof Distance distance ? distance : null;
  }

  /** Compares all rows, as Spark plans it, but with ties by id. */
  private SparkPlan rowWise(Cut cut, List<SortOrder> order, String reason) {
    List<SortOrder> all = new ArrayList<>(order);
    Attribute id = id(Scala.list(cut.sort.child().output()));
    if (order.size() == 1 && id != null) {
      all.add(ascending(id));
    }
    return new TakeOrderedAndProjectExec(
        cut.limit,
        Scala.seq(all),
        cut.project,
        new RowWiseExec(reason, planLater(cut.sort.child())),
        cut.offset);
  }

  private static SortOrder ascending(Attribute attribute) {
    return new SortOrder(attribute, Ascending$.MODULE$, NullsFirst$.MODULE$, Scala.seq(List.of()));
  }

  /** The one column called id, or null. */
  static Attribute id(List<? extends Attribute> columns) {
    Attribute found = null;
    for (Attribute column : columns) {
      if (column.name().equalsIgnoreCase(ID)) {
        if (found != null) {
          return null;
        }
        found = column;
      }
    }
    return found;
  }

  /** A plan with the index, or why there is none. */
  private Object indexed(Cut cut, List<SortOrder> order, Operation operation, Distance distance) {
    Files files = Files.of(operation.relation);
    if (files == null) {
      return "the table is not of Parquet or ORC files";
    }
    boolean queryFirst = distance.right() instanceof AttributeReference;
    Expression column = queryFirst ? distance.right() : distance.left();
    Expression query = queryFirst ? distance.left() : distance.right();
    if (!(column instanceof AttributeReference vector) || !files.has(vector)) {
      return "no argument of " + distance.function() + " is a column of the files";
    } else if (!query.references().isEmpty() || !query.deterministic()) {
      return "the query is not the same for all rows";
    }
    SortOrder first = order.get(0);
    boolean ascending = first.direction() == Ascending$.MODULE$;
    if (ascending == distance.metric().descending()) {
      return "the farthest rows are asked for";
    }
    Attribute id = id(files.output());
    if (id == null
        && order.size() == 2
        && operation.below(order.get(1).child()) instanceof AttributeReference other
        && files.has(other)
        && Ids.usable(other.dataType())) {
      // Ties by the column that the statement names.
      id = other;
    }
    if (id != null && (!Ids.usable(id.dataType()) || !files.has(id))) {
      return "the type of id, " + id.dataType().sql() + ", has no place in an index";
    }
    if (order.size() > 1) {
      boolean byId =
          order.size() == 2
              && id != null
              && order.get(1).direction() == Ascending$.MODULE$
              && order.get(1).nullOrdering() == NullsFirst$.MODULE$
              && operation.below(order.get(1).child()) instanceof AttributeReference a
              && a.exprId().equals(id.exprId());
      if (!byId) {
        return "more than the distance and the id order the rows";
      }
    }
    return plan(cut, first, operation, distance, files, vector, id, query, queryFirst);
  }

  private static Object plan(
      Cut cut,
      SortOrder first,
      Operation operation,
      Distance distance,
      Files files,
      Attribute vector,
      Attribute id,
      Expression query,
      boolean queryFirst) {
    Attribute value = attribute("distance", DataTypes.DoubleType);
    Attribute tie = id == null ? attribute("place", DataTypes.LongType) : id;
    // The project's expressions over what the index gives: the distance is a column of it.
    List<NamedExpression> projects = new ArrayList<>();
    List<Attribute> columns = new ArrayList<>();
    for (NamedExpression project : operation.projects) {
      Expression replaced =
          Scala.replace(
              (Expression) project,
              e -> e instanceof Distance d && d.semanticEquals(distance) ? value : null);
      NamedExpression named =
          replaced instanceof NamedExpression n
              ? n
              : new Alias(
                  replaced,
                  project.name(),
                  project.exprId(),
                  Scala.seq(List.of()),
                  Option.empty(),
                  Scala.seq(List.of()));
      projects.add(named);
      for (Attribute attribute : files.output()) {
        if (((Expression) named).references().contains(attribute)
            && columns.stream().noneMatch(c -> c.exprId().equals(attribute.exprId()))) {
          columns.add(attribute);
        }
      }
    }
    boolean known = columns.stream().allMatch(files::has);
    for (Expression filter : operation.filters) {
      for (Attribute attribute : files.output()) {
        known &= !filter.references().contains(attribute) || files.has(attribute);
      }
    }
    if (!known) {
      return "a column is not one of the files";
    }
    if (id != null && columns.stream().noneMatch(c -> c.exprId().equals(id.exprId()))) {
      columns.add(id);
    }
    List<Attribute> output = new ArrayList<>(columns);
    output.add(value);
    if (id == null) {
      output.add(tie);
    }
    boolean nullsFirst = first.nullOrdering() == NullsFirst$.MODULE$;
    SparkPlan search =
        new VectorTopKExec(
            new VectorTopKExec.Spec(
                files, distance.function(), queryFirst, vector, id, columns, cut.limit, nullsFirst),
            query,
            Scala.seq(operation.filters),
            Scala.seq(output));
    // Above it, what the statement selects, and what it is ordered by.
    List<NamedExpression> passed = new ArrayList<>(projects);
    passed.add(value);
    if (projects.stream().noneMatch(p -> p.exprId().equals(tie.exprId()))) {
      passed.add(tie);
    }
    SortOrder byValue =
        new SortOrder(value, first.direction(), first.nullOrdering(), Scala.seq(List.of()));
    return new TakeOrderedAndProjectExec(
        cut.limit,
        Scala.seq(List.of(byValue, ascending(tie))),
        Scala.seq(over(Scala.list(cut.project), distance, operation, value)),
        new ProjectExec(Scala.seq(passed), search),
        cut.offset);
  }

  /** What is selected above the sort, with the distance taken from below. */
  private static List<NamedExpression> over(
      List<NamedExpression> project, Distance distance, Operation operation, Attribute value) {
    List<NamedExpression> result = new ArrayList<>();
    for (NamedExpression expression : project) {
      Expression replaced =
          Scala.replace(
              (Expression) expression,
              e ->
                  e instanceof Distance d && operation.below(d).semanticEquals(distance)
                      ? value
                      : null);
      result.add((NamedExpression) replaced);
    }
    return result;
  }

  static Attribute attribute(String name, org.apache.spark.sql.types.DataType type) {
    return new AttributeReference(
        name, type, true, Metadata.empty(), NamedExpression.newExprId(), Scala.seq(List.of()));
  }

  /**
   * Projections and filters over a relation, in the terms of its columns.
   *
   * @param projects what is given
   * @param filters which rows
   * @param relation the table, or null if it is something else
   */
  record Operation(
      List<NamedExpression> projects, List<Expression> filters, LogicalRelation relation) {
    static Operation of(LogicalPlan plan) {
      Option<Tuple4<Seq<NamedExpression>, Seq<Expression>, Seq<Expression>, LogicalPlan>> scan =
          org.apache.spark.sql.catalyst.planning.ScanOperation.unapply(plan);
      if (scan.isDefined() && scan.get()._4() instanceof LogicalRelation relation) {
        List<Expression> filters = new ArrayList<>(Scala.list(scan.get()._2()));
        filters.addAll(Scala.list(scan.get()._3()));
        return new Operation(Scala.list(scan.get()._1()), filters, relation);
      }
      return new Operation(
          plan instanceof Project project ? Scala.list(project.projectList()) : List.of(),
          List.of(),
          null);
    }

    /** An expression over what is given as one over the relation's columns. */
    Expression below(Expression expression) {
      return Scala.replace(
          expression,
          e -> {
            if (e instanceof AttributeReference attribute) {
              for (NamedExpression project : projects) {
                if (project instanceof Alias alias && alias.exprId().equals(attribute.exprId())) {
                  return alias.child();
                }
              }
            }
            return null;
          });
    }
  }
}
