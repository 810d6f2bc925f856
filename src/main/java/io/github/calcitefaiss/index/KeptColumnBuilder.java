/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import io.github.calcitefaiss.index.KeptColumn.Affinity;
import io.github.calcitefaiss.index.KeptColumn.Codes;
import io.github.calcitefaiss.index.KeptColumn.Values;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Collects the values of one column.
 *
 * <p>Values are numbered as they come. Numbers of which there are more than {@link #MANY} are
 * collected as they are, and numbered when all are there.
 */
final class KeptColumnBuilder {
  /** So many distinct values are numbered as they come. */
  private static final int MANY = 1 << 16;

  /** Texts beyond this many must be few among the rows, a quarter, to be kept unasked. */
  private static final int FEW_TEXTS = 256;

  private static final int TEXTS_OF_ROWS = 4;

  /** A column with a longer text is none of few values. */
  private static final int LONGEST_TEXT = 256;

  /** About what an entry of the map takes beside the value. */
  private static final int ENTRY_BYTES = 80;

  private final String name;
  private final Affinity affinity;
  private final boolean named;
  private final LongConsumer charge;
  private final Map<Object, Integer> numbers = new HashMap<>();
  private final List<Object> values = new ArrayList<>();
  private Codes codes = Codes.ofWidth(0, 1);
  private int width = 1;
  private int size;
  private long charged;
  private int texts;
  private boolean givenUp;

  /** Where numbers are many, the bits of each; nulls apart. */
  private long[] many;

  private boolean doubles;
  private BitSet nulls;

  /**
   * Prepares.
   *
   * @param named whether the column is kept however many values it has
   */
  KeptColumnBuilder(String name, Affinity affinity, boolean named, LongConsumer charge) {
    this.name = name;
    this.affinity = affinity;
    this.named = named;
    this.charge = charge;
  }

  boolean isGivenUp() {
    return givenUp;
  }

  void giveUp() {
    givenUp = true;
    numbers.clear();
    values.clear();
    codes = null;
    many = null;
    charge(-charged);
  }

  /** Charges memory; keeps nothing if there is none. */
  private boolean charge(long bytes) {
    try {
      charge.accept(bytes);
    } catch (MemoryLimitException e) {
      giveUp();
      return false;
    }
    charged += bytes;
    return true;
  }

  void add(Object value) {
    if (givenUp) {
      return;
    } else if (isDamaged(value) || many != null && !isOfMany(value) && !named) {
      giveUp();
    } else if (many != null && isOfMany(value)) {
      addToMany(value);
    } else if (many == null || few()) {
      number(value);
    }
  }

  /** Whether a text may not be what is stored: JDBC shows bytes that are no text as this. */
  private static boolean isDamaged(Object value) {
    return value instanceof String text && (text.indexOf('\uFFFD') >= 0 || text.indexOf(0) >= 0);
  }

  private void number(Object value) {
    int code = 0;
    if (value != null) {
      Object key = value instanceof byte[] blob ? ByteBuffer.wrap(blob) : value;
      Integer known = numbers.get(key);
      if (known == null) {
        if (values.size() == MANY && allNumbers(value instanceof Double) && isNumber(value)) {
          if (many(value instanceof Double)) {
            addToMany(value);
          }
          return;
        }
        if (!named && (values.size() == MANY || !isNumber(value) && isTooMuch(value))) {
          giveUp();
          return;
        }
        known = values.size() + 1;
        if (!charge(ENTRY_BYTES + Values.bytes(value))) {
          return;
        }
        values.add(value);
        numbers.put(key, known);
      }
      code = known;
    }
    if (hasRoom(code)) {
      codes.set(size++, code);
    }
  }

  private static boolean isNumber(Object value) {
    return value instanceof Number;
  }

  private boolean isTooMuch(Object value) {
    texts++;
    return value instanceof byte[]
        || ((String) value).length() > LONGEST_TEXT
        || texts > Math.min(MANY, FEW_TEXTS + size / TEXTS_OF_ROWS);
  }

  /** Whether all values, and another one, are doubles, or all are longs. */
  private boolean allNumbers(boolean asDoubles) {
    return values.stream().allMatch(asDoubles ? Double.class::isInstance : Long.class::isInstance);
  }

  private boolean isOfMany(Object value) {
    return value == null || (doubles ? value instanceof Double : value instanceof Long);
  }

  /** Makes room for another row with a code. */
  private boolean hasRoom(int code) {
    int needed = Math.max(width, Codes.width(code + 1));
    if (size < codes.size() && needed == width) {
      return true;
    }
    int rows = size < codes.size() ? codes.size() : grown();
    if (!charge((long) rows * needed - codes.bytes())) {
      return false;
    }
    Codes larger = Codes.ofWidth(rows, needed);
    for (int i = 0; i < size; i++) {
      larger.set(i, codes.get(i));
    }
    codes = larger;
    width = needed;
    return true;
  }

  private int grown() {
    return (int) Math.min(Integer.MAX_VALUE - 8, Math.max(64, size + (size >> 1) + 0L));
  }

  // ------------------------------------------------------------------ many numbers

  /** Goes on without numbering. */
  private boolean many(boolean asDoubles) {
    int rows = Math.max(codes.size(), grown());
    if (!charge(8L * rows - codes.bytes())) {
      return false;
    }
    long[] bits = new long[rows];
    nulls = new BitSet();
    for (int i = 0; i < size; i++) {
      int code = codes.get(i);
      nulls.set(i, code == 0);
      bits[i] = code == 0 ? 0 : bits(values.get(code - 1));
    }
    doubles = asDoubles;
    many = bits;
    codes = Codes.ofWidth(0, 1);
    width = 1;
    charge(-values.stream().mapToLong(value -> ENTRY_BYTES + Values.bytes(value)).sum());
    values.clear();
    numbers.clear();
    return true;
  }

  private static long bits(Object value) {
    return value instanceof Long number ? number : Double.doubleToRawLongBits((Double) value);
  }

  private Object number(long bits) {
    return doubles ? (Object) Double.longBitsToDouble(bits) : (Object) bits;
  }

  private void addToMany(Object value) {
    if (size == many.length) {
      int rows = grown();
      if (!charge(8L * (rows - size))) {
        return;
      }
      many = Arrays.copyOf(many, rows);
    }
    nulls.set(size, value == null);
    many[size++] = value == null ? 0 : bits(value);
  }

  /** Numbers what was collected, since a value of another kind came; false if there is no room. */
  private boolean few() {
    long[] bits = many;
    int rows = size;
    many = null;
    size = 0;
    charge(-8L * bits.length);
    for (int i = 0; i < rows && !givenUp; i++) {
      numberOneOfMany(nulls.get(i) ? null : number(bits[i]));
    }
    return !givenUp;
  }

  private void numberOneOfMany(Object value) {
    Integer code = value == null ? Integer.valueOf(0) : numbers.get(value);
    if (code == null) {
      if (!charge(ENTRY_BYTES + Values.bytes(value))) {
        return;
      }
      values.add(value);
      code = values.size();
      numbers.put(value, code);
    }
    if (hasRoom(code)) {
      codes.set(size++, code);
    }
  }

  // ------------------------------------------------------------------ the end

  /** The column; null if there is no room for it. */
  KeptColumn build() {
    KeptColumn column = many == null ? ofFew() : doubles ? ofDoubles() : ofLongs();
    return charge(column.bytes() - charged) ? column : null;
  }

  private KeptColumn ofFew() {
    int n = values.size();
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    // Equal values that aren't the same stay side by side, in an order of their own.
    Arrays.sort(
        order,
        Comparator.<Integer, Object>comparing(values::get, Ids::compare)
            .thenComparing(i -> values.get(i) instanceof Double));
    int[] code = new int[n + 1];
    Object[] sorted = new Object[n];
    for (int i = 0; i < n; i++) {
      sorted[i] = values.get(order[i]);
      code[order[i] + 1] = i + 1;
    }
    Codes last = Codes.of(size, n + 1);
    for (int row = 0; row < size; row++) {
      last.set(row, code[codes.get(row)]);
    }
    return new KeptColumn(name, affinity, Values.of(sorted), last);
  }

  private KeptColumn ofLongs() {
    long[] distinct = new long[size - nulls.cardinality()];
    int n = 0;
    for (int row = 0; row < size; row++) {
      if (!nulls.get(row)) {
        distinct[n++] = many[row];
      }
    }
    Arrays.sort(distinct);
    long[] sorted = Arrays.stream(distinct).distinct().toArray();
    Codes last = Codes.of(size, sorted.length + 1);
    for (int row = 0; row < size; row++) {
      last.set(row, nulls.get(row) ? 0 : 1 + Arrays.binarySearch(sorted, many[row]));
    }
    return new KeptColumn(name, affinity, Values.of(sorted), last);
  }

  private KeptColumn ofDoubles() {
    double[] distinct = new double[size - nulls.cardinality()];
    int n = 0;
    for (int row = 0; row < size; row++) {
      if (!nulls.get(row)) {
        distinct[n++] = Double.longBitsToDouble(many[row]);
      }
    }
    Arrays.sort(distinct);
    int kept = 0;
    for (int i = 0; i < distinct.length; i++) {
      if (i == 0 || Double.compare(distinct[i], distinct[i - 1]) != 0) {
        distinct[kept++] = distinct[i];
      }
    }
    double[] sorted = Arrays.copyOf(distinct, kept);
    Codes last = Codes.of(size, kept + 1);
    for (int row = 0; row < size; row++) {
      double value = Double.longBitsToDouble(many[row]);
      last.set(row, nulls.get(row) ? 0 : 1 + Arrays.binarySearch(sorted, value));
    }
    return new KeptColumn(name, affinity, Values.of(sorted), last);
  }
}
