/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.calcite.rel.RelHomogeneousShuttle;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.logical.LogicalProject;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.rex.RexSubQuery;

/**
 * Subqueries inside of a window function, as in {@code ROW_NUMBER() OVER (ORDER BY
 * l2_distance(embedding, (SELECT …)))}, become columns of its input, where Calcite's rules find
 * them.
 */
final class WindowQueries extends RelHomogeneousShuttle {
  private WindowQueries() {}

  /** A query's tree without subqueries in its windows. */
  static RelNode rewrite(RelNode query) {
    return query.accept(new WindowQueries());
  }

  @Override
  public RelNode visit(RelNode other) {
    RelNode node = super.visit(other);
    node =
        node.accept(
            new RexShuttle() {
              @Override
              public RexNode visitSubQuery(RexSubQuery subQuery) {
                RelNode inner = rewrite(subQuery.rel);
                RexSubQuery visited = (RexSubQuery) super.visitSubQuery(subQuery);
                return inner == subQuery.rel ? visited : visited.clone(inner);
              }
            });
    return node instanceof Project project ? lifted(project) : node;
  }

  private static RelNode lifted(Project project) {
    RelNode input = project.getInput();
    RexBuilder rex = project.getCluster().getRexBuilder();
    int fields = input.getRowType().getFieldCount();
    List<RexSubQuery> queries = new ArrayList<>();
    RexShuttle inWindow =
        new RexShuttle() {
          @Override
          public RexNode visitSubQuery(RexSubQuery subQuery) {
            int known = queries.indexOf(subQuery);
            if (known < 0) {
              known = queries.size();
              queries.add(subQuery);
            }
            return new RexInputRef(fields + known, subQuery.getType());
          }
        };
    List<RexNode> results = new ArrayList<>();
    for (RexNode result : project.getProjects()) {
      results.add(
          result.accept(
              new RexShuttle() {
                @Override
                public RexNode visitOver(RexOver over) {
                  return inWindow.visitOver(over);
                }
              }));
    }
    if (queries.isEmpty()) {
      return project;
    }
    // The others go with them: what they are correlated with is the input as it was.
    results.replaceAll(
        result ->
            result.accept(
                new RexShuttle() {
                  @Override
                  public RexNode visitSubQuery(RexSubQuery subQuery) {
                    boolean above = subQuery.operands.stream().anyMatch(RexOver::containsOver);
                    return above ? super.visitSubQuery(subQuery) : inWindow.visitSubQuery(subQuery);
                  }
                }));
    List<RexNode> below = new ArrayList<>();
    List<String> names = new ArrayList<>(input.getRowType().getFieldNames());
    for (int i = 0; i < fields; i++) {
      below.add(rex.makeInputRef(input, i));
    }
    for (RexSubQuery query : queries) {
      below.add(query);
      names.add("query" + below.size());
    }
    return LogicalProject.create(
        LogicalProject.create(input, List.of(), below, names, project.getVariablesSet()),
        project.getHints(),
        results,
        project.getRowType().getFieldNames(),
        Set.of());
  }
}
