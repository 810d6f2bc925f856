/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Reader;
import java.io.StringReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.sql.Clob;
import java.sql.NClob;
import java.sql.SQLException;

/** Text in memory, which a program may write. Positions count characters from 1. */
final class HeldClob implements NClob {
  private final StringBuilder text;

  HeldClob(String text) {
    this.text = new StringBuilder(text);
  }

  private int index(long position) throws SQLException {
    return HeldBlob.index(position, text.length(), "clob");
  }

  @Override
  public long length() {
    return text.length();
  }

  @Override
  public String getSubString(long position, int length) throws SQLException {
    int from = index(position);
    return text.substring(from, from + HeldBlob.part(length, text.length() - from, "clob"));
  }

  @Override
  public Reader getCharacterStream() {
    return new StringReader(text.toString());
  }

  @Override
  public Reader getCharacterStream(long position, long length) throws SQLException {
    int from = index(position);
    return new StringReader(
        text.substring(from, from + HeldBlob.part(length, text.length() - from, "clob")));
  }

  @Override
  public InputStream getAsciiStream() {
    return new ByteArrayInputStream(text.toString().getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  public long position(String searched, long start) throws SQLException {
    int found = text.indexOf(FaissErrors.given(searched, "What is searched for"), index(start));
    return found < 0 ? -1 : found + 1;
  }

  @Override
  public long position(Clob searched, long start) throws SQLException {
    FaissErrors.given(searched, "What is searched for");
    return position(searched.getSubString(1, (int) searched.length()), start);
  }

  @Override
  public int setString(long position, String written) throws SQLException {
    return setString(position, written, 0, FaissErrors.given(written, "What is written").length());
  }

  @Override
  public int setString(long position, String written, int offset, int length) throws SQLException {
    int from = index(position);
    FaissErrors.given(written, "What is written");
    if (offset < 0 || length < 0 || length > written.length() - offset) {
      throw FaissErrors.badArgument(
          "There are no " + length + " characters from " + offset + " in " + written.length());
    }
    text.replace(
        from, Math.min(text.length(), from + length), written.substring(offset, offset + length));
    return length;
  }

  @Override
  public OutputStream setAsciiStream(long position) throws SQLException {
    int[] at = {index(position)};
    return new OutputStream() {
      @Override
      public void write(int b) {
        put(at, String.valueOf((char) (b & 0x7f)));
      }
    };
  }

  @Override
  public Writer setCharacterStream(long position) throws SQLException {
    int[] at = {index(position)};
    return new Writer() {
      @Override
      public void write(char[] written, int offset, int length) {
        put(at, String.valueOf(written, offset, length));
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
  }

  private void put(int[] at, String written) {
    int end = at[0] + written.length();
    text.replace(at[0], Math.min(text.length(), end), written);
    at[0] = end;
  }

  @Override
  public void truncate(long length) throws SQLException {
    text.setLength(HeldBlob.part(length, text.length(), "clob"));
  }

  @Override
  public void free() {
    text.setLength(0);
  }
}
