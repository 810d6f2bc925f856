/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What a column says of its rows, beside what its values say one by one. */
class KeptColumnTest {
  @Test
  void rowsOfAnyConditionAreThoseOfTheirValues() {
    Random random = Seeds.random("KeptColumnTest");
    int[] sizes = {1, 63, 64, 65, 700, 70_000};
    int[] distinct = {1, 2, 3, 127, 255, 256, 600, 65_535, 65_536, 70_000};
    for (int size : sizes) {
      for (int most : distinct) {
        List<Long> values = new ArrayList<>();
        KeptColumns.Builder builder =
            new KeptColumns.Builder(
                List.of(new KeptColumns.Wanted("n", KeptColumn.Affinity.NUMERIC)),
                false,
                bytes -> {});
        for (int row = 0; row < size; row++) {
          boolean isNull = random.nextInt(8) == 0;
          // All of the values at least once where there are rows enough.
          long value = row < most ? row : random.nextInt(most);
          values.add(isNull ? null : (Long) value);
          builder.add(0, values.get(row));
        }
        KeptColumn column = builder.build().get("n");
        for (RowFilter.Comparison comparison : RowFilter.Comparison.values()) {
          for (long than : new long[] {-1, 0, random.nextInt(most), most - 1, most}) {
            RowFilter compare = new RowFilter.Compare(column, false, comparison, than);
            BitSet expected = new BitSet();
            BitSet contrary = new BitSet();
            for (int row = 0; row < size; row++) {
              if (values.get(row) != null) {
                (is(values.get(row), comparison, than) ? expected : contrary).set(row);
              }
            }
            String what = size + " rows of " + most + " values, " + comparison + " " + than;
            assertEquals(expected, compare.rows(size), what);
            assertEquals(contrary, new RowFilter.Not(compare).rows(size), "not: " + what);
          }
        }
        List<RowFilter> some = new ArrayList<>();
        BitSet expected = new BitSet();
        for (int i = 0; i < 12; i++) {
          long value = random.nextInt(most);
          some.add(new RowFilter.Compare(column, false, RowFilter.Comparison.EQUAL, value));
          for (int row = 0; row < size; row++) {
            if (Long.valueOf(value).equals(values.get(row))) {
              expected.set(row);
            }
          }
        }
        assertEquals(expected, new RowFilter.Or(some).rows(size), size + " of " + most);
      }
    }
  }

  private static boolean is(long value, RowFilter.Comparison comparison, long than) {
    switch (comparison) {
      case EQUAL:
        return value == than;
      case LESS:
        return value < than;
      case LESS_OR_EQUAL:
        return value <= than;
      case GREATER:
        return value > than;
      default:
        return value >= than;
    }
  }
}
