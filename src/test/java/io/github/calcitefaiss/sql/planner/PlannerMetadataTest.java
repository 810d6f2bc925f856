/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import org.apache.calcite.rel.metadata.MetadataHandler;
import org.apache.calcite.rel.metadata.RelMetadataQuery;
import org.junit.jupiter.api.Test;

/** The planner's metadata comes from the classes that the build compiled. */
class PlannerMetadataTest {
  @Test
  void everyKindIsCompiled() throws ReflectiveOperationException {
    RelMetadataQuery query = PlannerMetadata.query();
    int kinds = 0;
    for (Field field : RelMetadataQuery.class.getDeclaredFields()) {
      if (MetadataHandler.class.isAssignableFrom(field.getType())) {
        kinds++;
        field.setAccessible(true);
        assertSame(PlannerMetadata.compiledClass(field.getType()), field.get(query).getClass());
      }
    }
    assertTrue(kinds > 20, "kinds of metadata: " + kinds);
  }
}
