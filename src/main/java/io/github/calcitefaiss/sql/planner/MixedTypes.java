/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.sql.function.SqliteOperators;
import java.util.ArrayList;
import java.util.List;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.sql.SqlCallBinding;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.fun.SqlCase;
import org.apache.calcite.sql.type.SqlTypeUtil;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.implicit.TypeCoercionImpl;

/** CASE and COALESCE of numbers and texts give each row its own type, as in SQLite. */
final class MixedTypes extends TypeCoercionImpl {
  MixedTypes(RelDataTypeFactory typeFactory, SqlValidator validator) {
    super(typeFactory, validator);
  }

  @Override
  public boolean caseWhenCoercion(SqlCallBinding binding) {
    SqlCase call = (SqlCase) binding.getCall();
    List<SqlNode> branches = new ArrayList<>(call.getThenOperands());
    if (call.getElseOperand() != null) {
      branches.add(call.getElseOperand());
    }
    boolean text = false;
    boolean other = false;
    for (SqlNode branch : branches) {
      RelDataType type = validator.deriveType(binding.getScope(), branch);
      text |= SqlTypeUtil.isCharacter(type);
      other |= SqlTypeUtil.isNumeric(type) || SqlTypeUtil.isBinary(type);
    }
    if (!text || !other) {
      return super.caseWhenCoercion(binding);
    }
    SqlNodeList thens = call.getThenOperands();
    for (int i = 0; i < thens.size(); i++) {
      thens.set(i, any(binding, thens.get(i)));
    }
    if (call.getElseOperand() != null) {
      call.setOperand(3, any(binding, call.getElseOperand()));
    }
    return true;
  }

  private SqlNode any(SqlCallBinding binding, SqlNode branch) {
    SqlNode cast = SqliteOperators.AS_IT_COMES.createCall(branch.getParserPosition(), branch);
    validator.deriveType(binding.getScope(), cast);
    return cast;
  }
}
