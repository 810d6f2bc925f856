/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.FaissException;
import java.util.Arrays;
import java.util.Iterator;
import org.apache.calcite.avatica.util.ByteString;

/**
 * How many rows were given and what they were, in one number of 64 bits, so that a statement that
 * has to begin again can tell whether it gives the same ones.
 */
final class RowDigest {
  private static final int SAMPLE = 64;
  private static final long FACTOR = 0x9E3779B97F4A7C15L;

  private long rows;
  private long digest;

  long rows() {
    return rows;
  }

  /** The same rows, each counted when it is read. */
  Iterable<Object> over(Iterable<Object> source) {
    return () -> new Counting(source.iterator());
  }

  /** Closes what it goes through, if that can be closed. */
  private final class Counting implements Iterator<Object>, AutoCloseable {
    private final Iterator<Object> source;

    private Counting(Iterator<Object> source) {
      this.source = source;
    }

    @Override
    public boolean hasNext() {
      return source.hasNext();
    }

    @Override
    public Object next() {
      Object row = source.next();
      add(row);
      return row;
    }

    @Override
    public void close() {
      try {
        if (source instanceof AutoCloseable closeable) {
          closeable.close();
        }
      } catch (Exception e) {
        throw FaissException.<RuntimeException>sneakyThrow(e);
      }
    }
  }

  private void add(Object row) {
    rows++;
    if (row instanceof Object[] values) {
      for (Object value : values) {
        mix(of(value));
      }
    } else {
      mix(of(row));
    }
  }

  private void mix(long value) {
    digest = Long.rotateLeft((digest ^ value) * FACTOR, 29);
  }

  /** The same for a value however its column is typed: 1, 1.0 and true. Of blobs, samples. */
  private static long of(Object value) {
    if (value instanceof Number number) {
      return Double.doubleToLongBits(number.doubleValue() + 0.0);
    } else if (value instanceof Boolean truth) {
      return of(truth ? 1 : 0);
    } else if (value instanceof ByteString bytes) {
      int sample = Math.min(SAMPLE, bytes.length());
      return bytes.length() * FACTOR
          + 31L * bytes.substring(0, sample).hashCode()
          + bytes.substring(bytes.length() - sample).hashCode();
    } else if (value instanceof Object[] values) {
      return Arrays.deepHashCode(values);
    }
    return value == null ? 1 : value.hashCode();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RowDigest that && rows == that.rows && digest == that.digest;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(digest);
  }
}
