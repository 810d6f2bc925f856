/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.sql.Blob;
import java.sql.SQLException;
import java.util.Arrays;

/** Bytes in memory, of any number, which a program may write. Positions count from 1. */
final class HeldBlob implements Blob {
  private byte[] bytes;

  HeldBlob(byte[] bytes) {
    this.bytes = bytes;
  }

  /** A position as an index, checked; one after the last byte is fine. */
  static int index(long position, long length, String what) throws SQLException {
    if (position < 1 || position > length + 1) {
      throw FaissErrors.badArgument(
          "The position in a "
              + what
              + " of length "
              + length
              + " must be from 1 to "
              + (length + 1)
              + ", got "
              + position);
    }
    return (int) (position - 1);
  }

  /** How much of a wanted length there is. */
  static int part(long wanted, long available, String what) throws SQLException {
    if (wanted < 0) {
      throw FaissErrors.badArgument(
          "The length of a part of a " + what + " must be 0 or more, got " + wanted);
    }
    return (int) Math.min(wanted, available);
  }

  @Override
  public long length() {
    return bytes.length;
  }

  @Override
  public byte[] getBytes(long position, int length) throws SQLException {
    int from = index(position, bytes.length, "blob");
    return Arrays.copyOfRange(bytes, from, from + part(length, bytes.length - from, "blob"));
  }

  @Override
  public InputStream getBinaryStream() {
    return new ByteArrayInputStream(bytes);
  }

  @Override
  public InputStream getBinaryStream(long position, long length) throws SQLException {
    int from = index(position, bytes.length, "blob");
    return new ByteArrayInputStream(bytes, from, part(length, bytes.length - from, "blob"));
  }

  @Override
  public long position(byte[] pattern, long start) throws SQLException {
    FaissErrors.given(pattern, "What is searched for");
    for (int i = index(start, bytes.length, "blob"); i + pattern.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + pattern.length, pattern, 0, pattern.length)) {
        return i + 1;
      }
    }
    return -1;
  }

  @Override
  public long position(Blob pattern, long start) throws SQLException {
    FaissErrors.given(pattern, "What is searched for");
    return position(pattern.getBytes(1, (int) pattern.length()), start);
  }

  @Override
  public int setBytes(long position, byte[] written) throws SQLException {
    return setBytes(position, written, 0, FaissErrors.given(written, "What is written").length);
  }

  @Override
  public int setBytes(long position, byte[] written, int offset, int length) throws SQLException {
    int from = index(position, bytes.length, "blob");
    FaissErrors.given(written, "What is written");
    if (offset < 0 || length < 0 || length > written.length - offset) {
      throw FaissErrors.badArgument(
          "There are no " + length + " bytes from " + offset + " in " + written.length);
    }
    bytes = Arrays.copyOf(bytes, Math.max(bytes.length, Math.addExact(from, length)));
    System.arraycopy(written, offset, bytes, from, length);
    return length;
  }

  @Override
  public OutputStream setBinaryStream(long position) throws SQLException {
    int[] at = {index(position, bytes.length, "blob")};
    return new OutputStream() {
      @Override
      public void write(int b) {
        write(new byte[] {(byte) b}, 0, 1);
      }

      @Override
      public void write(byte[] written, int offset, int length) {
        int end = Math.addExact(at[0], length);
        bytes = Arrays.copyOf(bytes, Math.max(bytes.length, end));
        System.arraycopy(written, offset, bytes, at[0], length);
        at[0] = end;
      }
    };
  }

  @Override
  public void truncate(long length) throws SQLException {
    bytes = Arrays.copyOf(bytes, part(length, bytes.length, "blob"));
  }

  @Override
  public void free() {
    bytes = new byte[0];
  }
}
