/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.adapter.enumerable.EnumerableRel;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rex.RexBuilder;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexShuttle;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.type.SqlTypeName;

/** A blob that is cast to text, in what a plan computes itself, is its bytes as text. */
final class SqliteOperations {
  private SqliteOperations() {}

  static RelNode bySqlite(RelNode node) {
    if (!(node instanceof EnumerableRel)) {
      return node;
    }
    List<RelNode> inputs = new ArrayList<>();
    node.getInputs().forEach(input -> inputs.add(bySqlite(input)));
    RelNode copy = inputs.equals(node.getInputs()) ? node : node.copy(node.getTraitSet(), inputs);
    RexBuilder rex = node.getCluster().getRexBuilder();
    return copy.accept(
        new RexShuttle() {
          @Override
          public RexNode visitCall(RexCall call) {
            RexCall visited = (RexCall) super.visitCall(call);
            boolean textOfBlob =
                visited.getKind() == SqlKind.CAST
                    && visited.getType().getSqlTypeName() == SqlTypeName.VARCHAR
                    && visited.getOperands().get(0).getType().getSqlTypeName()
                        == SqlTypeName.VARBINARY;
            return textOfBlob
                ? rex.makeCall(visited.getType(), SqliteOperators.TEXT_OF, visited.getOperands())
                : visited;
          }
        });
  }
}
