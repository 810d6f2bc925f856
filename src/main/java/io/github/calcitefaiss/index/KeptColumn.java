/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.Arrays;
import java.util.BitSet;

/**
 * A column of a table, kept beside the vectors: a code for each row, and what each code stands for.
 *
 * <p>Code 0 is NULL; the others stand for the distinct values in {@link Ids#compare}'s order, which
 * is SQLite's, so that a comparison leaves a range of codes. Values that are equal but not the
 * same, as 1 and 1.0, have codes of their own, side by side. Immutable.
 */
public final class KeptColumn {
  /** What a constant becomes before it is compared with the column: SQLite's type affinity. */
  public enum Affinity {
    /** A number, if it is a text that is written as one. */
    NUMERIC,
    /** A text, if it is a number. */
    TEXT,
    /** What it is. */
    NONE
  }

  /** Up to so many ranges of codes are found one by one. */
  private static final int FEW_RUNS = 4;

  /** A range of codes: {@code from} is the first, {@code to} the first beyond. */
  record Range(int from, int to) {}

  private final String name;
  private final Affinity affinity;
  private final Values values;
  private final Codes codes;
  private volatile BitPlanes planes;

  KeptColumn(String name, Affinity affinity, Values values, Codes codes) {
    this.name = name;
    this.affinity = affinity;
    this.values = values;
    this.codes = codes;
  }

  /**
   * A column of an index's ids, all longs. Where they ascend, as those of a table that is read in
   * the order of its key do, nothing is made: the code of a row is its number.
   */
  static KeptColumn ofIds(KeptColumns.Wanted name, IdColumn ids) {
    int size = ids.size();
    boolean ascending = true;
    for (int row = 1; row < size && ascending; row++) {
      ascending = ids.getLong(row - 1) < ids.getLong(row);
    }
    if (ascending) {
      Values values = new Values(ids.longs(), null, null, size);
      return new KeptColumn(name.name(), name.affinity(), values, Codes.ofOrder(size));
    }
    long[] distinct = Arrays.stream(ids.longs(), 0, size).sorted().distinct().toArray();
    Codes codes = Codes.of(size, distinct.length + 1);
    for (int row = 0; row < size; row++) {
      codes.set(row, 1 + Arrays.binarySearch(distinct, ids.getLong(row)));
    }
    return new KeptColumn(name.name(), name.affinity(), Values.of(distinct), codes);
  }

  /** Its name in the table. */
  public String name() {
    return name;
  }

  /** What becomes of a constant that it is compared with. */
  public Affinity affinity() {
    return affinity;
  }

  /** Number of rows. */
  public int size() {
    return codes.size();
  }

  /** Bytes of memory held, once it was asked for. */
  public long bytes() {
    return values.bytes() + codes.bytes() + planesBytes();
  }

  private long planesBytes() {
    return codes.isOrder() ? 0 : BitPlanes.bytes(size(), codes());
  }

  /** One more than the largest code. */
  public int codes() {
    return values.size() + 1;
  }

  /** The code of a row. */
  public int code(int row) {
    return codes.get(row);
  }

  /** Gives each row what its code has. */
  void map(int[] ofCode, int[] to) {
    codes.map(ofCode, to);
  }

  /** What a code stands for: Long, Double, String, byte[], or null for code 0. */
  public Object value(int code) {
    return code == 0 ? null : values.get(code - 1);
  }

  /** Whether it holds no text and no blob. */
  public boolean holdsOnlyNumbers() {
    // Numbers come first in the order.
    return values.size() == 0 || values.get(values.size() - 1) instanceof Number;
  }

  /** The codes of values that compare equal to one; as reals, if the column is to be cast. */
  Range equal(Object value, boolean asReal) {
    return new Range(bound(value, asReal, 0), bound(value, asReal, 1));
  }

  /** The first code whose value compares with {@code value} as {@code least} says, or greater. */
  private int bound(Object value, boolean asReal, int least) {
    int from = 0;
    int to = values.size();
    while (from < to) {
      int middle = (from + to) >>> 1;
      Object found = values.get(middle);
      Object compared = asReal ? (Object) ((Number) found).doubleValue() : found;
      if (Ids.compare(compared, value) < least) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from + 1;
  }

  /** The rows whose code is one of some. */
  BitSet rows(BitSet of) {
    if (planesBytes() == 0) {
      return codes.rows(of, codes());
    }
    int runs = 0;
    for (int from = of.nextSetBit(0); from >= 0 && runs <= FEW_RUNS; runs++) {
      from = of.nextSetBit(of.nextClearBit(from));
    }
    return runs <= FEW_RUNS ? inRuns(of) : codes.rows(of, codes());
  }

  private BitSet inRuns(BitSet of) {
    BitPlanes turned = planes;
    if (turned == null) {
      // Two threads may both make them; either result serves.
      turned = new BitPlanes(size(), codes(), codes::get);
      planes = turned;
    }
    long[] found = new long[(size() + 63) / 64];
    for (int from = of.nextSetBit(0); from >= 0; ) {
      int to = of.nextClearBit(from);
      turned.add(from, to, found);
      from = of.nextSetBit(to);
    }
    return BitSet.valueOf(found);
  }

  Values values() {
    return values;
  }

  Codes codesOfRows() {
    return codes;
  }

  /** Distinct values in order; longs or doubles as long as all are. */
  static final class Values {
    private final long[] longs;
    private final double[] doubles;
    private final Object[] objects;

    private final int size;

    private Values(long[] longs, double[] doubles, Object[] objects, int size) {
      this.longs = longs;
      this.doubles = doubles;
      this.objects = objects;
      this.size = size;
    }

    static Values of(long[] longs) {
      return new Values(longs, null, null, longs.length);
    }

    static Values of(double[] doubles) {
      return new Values(null, doubles, null, doubles.length);
    }

    static Values of(Object[] objects) {
      if (Arrays.stream(objects).allMatch(Long.class::isInstance)) {
        return of(Arrays.stream(objects).mapToLong(value -> (Long) value).toArray());
      } else if (Arrays.stream(objects).allMatch(Double.class::isInstance)) {
        return of(Arrays.stream(objects).mapToDouble(value -> (Double) value).toArray());
      }
      return new Values(null, null, objects, objects.length);
    }

    int size() {
      return size;
    }

    Object get(int i) {
      return longs != null ? (Object) longs[i] : doubles != null ? (Object) doubles[i] : objects[i];
    }

    long bytes() {
      if (objects == null) {
        return 8L * size();
      }
      return Arrays.stream(objects).mapToLong(Values::bytes).sum();
    }

    /** About what an object takes, its reference included. */
    static long bytes(Object value) {
      return value instanceof String text
          ? 56 + 2L * text.length()
          : value instanceof byte[] blob ? 24 + blob.length : 24;
    }
  }

  /** A code for each row, in one, two or four bytes; in none where codes follow one another. */
  static final class Codes {
    private final byte[] bytes;
    private final char[] chars;
    private final int[] ints;
    private final int size;

    private Codes(byte[] bytes, char[] chars, int[] ints, int size) {
      this.bytes = bytes;
      this.chars = chars;
      this.ints = ints;
      this.size = size;
    }

    /** From 1, one row after the other. */
    static Codes ofOrder(int rows) {
      return new Codes(null, null, null, rows);
    }

    private boolean isOrder() {
      return bytes == null && chars == null && ints == null;
    }

    /** Makes room for so many rows. */
    static Codes of(int rows, int codes) {
      return ofWidth(rows, width(codes));
    }

    static Codes ofWidth(int rows, int width) {
      return new Codes(
          width == 1 ? new byte[rows] : null,
          width == 2 ? new char[rows] : null,
          width == 4 ? new int[rows] : null,
          rows);
    }

    static int width(int codes) {
      return codes <= 1 << 8 ? 1 : codes <= 1 << 16 ? 2 : 4;
    }

    int size() {
      return size;
    }

    long bytes() {
      return isOrder()
          ? 0
          : bytes != null ? bytes.length : chars != null ? 2L * chars.length : 4L * ints.length;
    }

    int get(int row) {
      if (isOrder()) {
        return row + 1;
      }
      return bytes != null ? bytes[row] & 0xFF : chars != null ? chars[row] : ints[row];
    }

    /** A loop for each width, since a choice for each row takes several times as long. */
    void map(int[] ofCode, int[] to) {
      if (bytes != null) {
        for (int row = 0; row < size; row++) {
          to[row] = ofCode[bytes[row] & 0xFF];
        }
      } else if (chars != null) {
        for (int row = 0; row < size; row++) {
          to[row] = ofCode[chars[row]];
        }
      } else {
        for (int row = 0; row < size; row++) {
          to[row] = ofCode[get(row)];
        }
      }
    }

    void set(int row, int code) {
      if (bytes != null) {
        bytes[row] = (byte) code;
      } else if (chars != null) {
        chars[row] = (char) code;
      } else {
        ints[row] = code;
      }
    }

    BitSet rows(BitSet of, int codes) {
      if (isOrder()) {
        return of.get(1, size + 1);
      }
      int from = of.nextSetBit(0);
      if (from < 0) {
        return new BitSet();
      }
      int to = of.nextClearBit(from);
      long[] words = new long[(size() + 63) / 64];
      if (ints != null && of.nextSetBit(to) < 0) {
        inRange(from, to - from, words);
      } else {
        boolean[] wanted = new boolean[codes];
        of.stream().forEach(code -> wanted[code] = true);
        among(wanted, words);
      }
      return BitSet.valueOf(words);
    }

    private void inRange(int from, int length, long[] words) {
      int rows = size();
      for (int w = 0; w < words.length; w++) {
        int first = 64 * w;
        int n = Math.min(64, rows - first);
        long word = 0;
        for (int i = 0; i < n; i++) {
          word |= in(ints[first + i] - from, length) << i;
        }
        words[w] = word;
      }
    }

    /** 1 if a number is at least 0 and below a length, else 0. */
    private static long in(int number, int length) {
      return (number & 0xFFFF_FFFFL) - length >>> 63;
    }

    private void among(boolean[] wanted, long[] words) {
      int rows = size();
      for (int w = 0; w < words.length; w++) {
        int first = 64 * w;
        int n = Math.min(64, rows - first);
        long word = 0;
        for (int i = 0; i < n; i++) {
          word |= (wanted[get(first + i)] ? 1L : 0L) << i;
        }
        words[w] = word;
      }
    }
  }
}
