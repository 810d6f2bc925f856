/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows of an index in groups, each in one at most.
 *
 * @param of the group of each row, from 1; 0 for none
 * @param count how many groups there are; some may have no row
 */
public record RowGroups(int[] of, int count) {
  /** Up to so many pairs of values are numbered by an array. */
  private static final long FEW_PAIRS = 1 << 20;

  /**
   * The groups of rows that have the same values in some columns.
   *
   * @param columns at least one
   * @param numbers for each column and code, the number of the value, from 0: what has the same
   *     number is the same
   */
  public static RowGroups of(List<KeptColumn> columns, List<int[]> numbers) {
    int[] of = new int[columns.get(0).size()];
    int count = 1;
    for (int c = 0; c < columns.size(); c++) {
      count = refine(of, count, columns.get(c), numbers.get(c));
    }
    return new RowGroups(of, count);
  }

  private static int refine(int[] of, int count, KeptColumn column, int[] numbers) {
    int distinct = Arrays.stream(numbers).max().orElse(0) + 1;
    if (count == 1) {
      column.map(Arrays.stream(numbers).map(number -> number + 1).toArray(), of);
      return distinct;
    }
    long pairs = (long) count * distinct;
    int[] few = new int[pairs <= FEW_PAIRS ? (int) pairs : 0];
    Map<Long, Integer> many = new HashMap<>();
    int found = 0;
    for (int row = 0; row < of.length; row++) {
      long pair = (of[row] - 1L) * distinct + numbers[column.code(row)];
      int known = few.length > 0 ? few[(int) pair] : many.getOrDefault(pair, 0);
      if (known == 0) {
        known = ++found;
        if (few.length > 0) {
          few[(int) pair] = known;
        } else {
          many.put(pair, known);
        }
      }
      of[row] = known;
    }
    return Math.max(1, found);
  }

  /** The groups of lists of rows, of which none is in two. */
  public static RowGroups of(List<int[]> members, int rows) {
    int[] of = new int[rows];
    for (int group = 0; group < members.size(); group++) {
      for (int row : members.get(group)) {
        of[row] = group + 1;
      }
    }
    return new RowGroups(of, members.size());
  }

  /** These groups without the rows that aren't among some. */
  public RowGroups among(BitSet rows) {
    int[] fewer = new int[of.length];
    for (int row = rows.nextSetBit(0); row >= 0; row = rows.nextSetBit(row + 1)) {
      fewer[row] = of[row];
    }
    return new RowGroups(fewer, count);
  }

  /** The rows of each group, ascending. */
  public int[][] members() {
    int[] sizes = new int[count + 1];
    for (int group : of) {
      sizes[group]++;
    }
    int[][] members = new int[count][];
    for (int group = 1; group <= count; group++) {
      members[group - 1] = new int[sizes[group]];
    }
    for (int row = of.length - 1; row >= 0; row--) {
      if (of[row] > 0) {
        members[of[row] - 1][--sizes[of[row]]] = row;
      }
    }
    return members;
  }
}
