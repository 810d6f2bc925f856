/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Linq4j;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.ScannableTable;
import org.apache.calcite.schema.Schema;
import org.apache.calcite.schema.SchemaFactory;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.Table;
import org.apache.calcite.schema.impl.AbstractSchema;
import org.apache.calcite.schema.impl.AbstractTable;
import org.apache.calcite.sql.type.SqlTypeName;

/** A schema in memory, whose tables don't look at the cancel flag. */
public final class ToySchemaFactory implements SchemaFactory {
  /** Rows of the table "numbers" that statements read. */
  public static final AtomicLong NUMBERS_READ = new AtomicLong();

  /** How many scans of the table "restless" still find that its data changed. */
  public static final AtomicInteger CHANGES = new AtomicInteger();

  /** What the planner waits for when a statement names the table "stuck". */
  public static final AtomicReference<CountDownLatch> STUCK = new AtomicReference<>();

  @Override
  public Schema create(SchemaPlus parent, String name, Map<String, Object> operand) {
    Object[][] docs = {
      {5_000_000_000L, "cat", new ByteString(new byte[] {0, 0, (byte) 0x80, 0x3f}), "x"},
      {2L, "dog", null, 7L},
      {3L, null, new ByteString(new byte[] {1}), new ByteString(new byte[] {2})}
    };
    return new AbstractSchema() {
      @Override
      protected Map<String, Table> getTableMap() {
        return Map.of(
            "docs",
            table(Linq4j.asEnumerable(docs)),
            "numbers",
            numbers(),
            "stuck",
            stuck(),
            "restless",
            table(Linq4j.asEnumerable(docs).where(row -> unchanged())));
      }
    };
  }

  private static boolean unchanged() {
    if (CHANGES.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      throw new FaissException(SqlState.CHANGED, "changed").raise();
    }
    return true;
  }

  private static Table stuck() {
    return new AbstractTable() {
      @Override
      public RelDataType getRowType(RelDataTypeFactory types) {
        try {
          STUCK.get().await();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
        return types.builder().add("id", SqlTypeName.BIGINT).build();
      }
    };
  }

  private static Table numbers() {
    List<Object[]> rows =
        IntStream.range(0, 100_000)
            .mapToObj(i -> new Object[] {(long) i, "n" + i, null, i})
            .toList();
    return table(
        Linq4j.asEnumerable(rows)
            .where(
                row -> {
                  NUMBERS_READ.incrementAndGet();
                  return true;
                }));
  }

  private static Table table(Enumerable<Object[]> rows) {
    class Toy extends AbstractTable implements ScannableTable {
      @Override
      public RelDataType getRowType(RelDataTypeFactory types) {
        return types
            .builder()
            .add("id", SqlTypeName.BIGINT)
            .add("title", SqlTypeName.VARCHAR)
            .nullable(true)
            .add("embedding", SqlTypeName.VARBINARY)
            .nullable(true)
            .add("anything", SqlTypeName.ANY)
            .nullable(true)
            .build();
      }

      @Override
      public Enumerable<Object[]> scan(DataContext root) {
        return rows;
      }
    }
    return new Toy();
  }
}
