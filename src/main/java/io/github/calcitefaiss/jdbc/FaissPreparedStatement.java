/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.sql.parser.ReadOnly;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URL;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Date;
import java.sql.NClob;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.Ref;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLType;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.Arrays;
import java.util.Calendar;
import java.util.List;
import java.util.TimeZone;
import org.apache.calcite.avatica.AvaticaParameter;

/**
 * A statement planned once, with its parameters.
 *
 * <p>A value is converted to its parameter's type when it is set, so that a wrong one is refused
 * there. If a schema changed since, the statement is planned anew before it runs.
 */
final class FaissPreparedStatement extends FaissStatement implements PreparedStatement {
  private static final Object UNSET = new Object();

  private final String sql;
  private final Object[] values;
  private Prepared prepared;
  private boolean batched;

  FaissPreparedStatement(FaissConnection connection, String sql) throws SQLException {
    super(connection);
    this.sql = ReadOnly.query(sql);
    this.prepared = connection.prepareAlone(this.sql);
    this.values = new Object[prepared.parameters().size()];
    Arrays.fill(values, UNSET);
  }

  private FaissResultSet query() throws SQLException {
    checkOpen();
    for (int i = 0; i < values.length; i++) {
      if (values[i] == UNSET) {
        throw FaissErrors.parameter(
            "Parameter " + (i + 1) + " of " + values.length + " has no value; set each of them");
      }
    }
    return run(
        started -> {
          if (!prepared.isCurrent(started)) {
            prepared = connection().prepare(sql, started);
          }
          return prepared;
        },
        values.clone());
  }

  @Override
  public ResultSet executeQuery() throws SQLException {
    return query();
  }

  @Override
  public boolean execute() throws SQLException {
    query();
    return true;
  }

  @Override
  public int executeUpdate() throws SQLException {
    throw ReadOnly.refused("executeUpdate");
  }

  @Override
  public long executeLargeUpdate() throws SQLException {
    return executeUpdate();
  }

  @Override
  public void addBatch() throws SQLException {
    checkOpen();
    batched = true;
  }

  @Override
  public void clearBatch() throws SQLException {
    checkOpen();
    batched = false;
  }

  @Override
  public int[] executeBatch() throws SQLException {
    checkOpen();
    if (!batched) {
      return new int[0];
    }
    batched = false;
    throw batchRefused();
  }

  @Override
  public ResultSet executeQuery(String other) throws SQLException {
    throw notWithText();
  }

  @Override
  public boolean execute(String other) throws SQLException {
    throw notWithText();
  }

  @Override
  public int executeUpdate(String other) throws SQLException {
    throw notWithText();
  }

  @Override
  public void addBatch(String other) throws SQLException {
    throw notWithText();
  }

  private static SQLException notWithText() {
    return FaissErrors.badArgument(
        "A prepared statement has its text already; call the method without one");
  }

  @Override
  public ResultSetMetaData getMetaData() throws SQLException {
    checkOpen();
    return new FaissResultSetMetaData(prepared.columns());
  }

  @Override
  public ParameterMetaData getParameterMetaData() throws SQLException {
    checkOpen();
    return new Parameters(prepared.describedParameters());
  }

  @Override
  public void clearParameters() throws SQLException {
    checkOpen();
    Arrays.fill(values, UNSET);
  }

  private void set(int index, Object value) throws SQLException {
    set(index, value, Types.OTHER, null);
  }

  private void set(int index, Object value, int wanted, Calendar calendar) throws SQLException {
    checkOpen();
    if (index < 1 || index > values.length) {
      throw FaissErrors.parameter(
          "There is no parameter " + index + "; the statement has " + values.length);
    }
    int type = prepared.parameters().get(index - 1).parameterType;
    boolean any = type == Types.OTHER || type == Types.JAVA_OBJECT || type == Types.NULL;
    TimeZone zone = calendar == null ? connection().timeZone() : calendar.getTimeZone();
    values[index - 1] =
        any && JdbcType.of(wanted).kind() == JdbcType.Kind.MOMENT
            ? ParameterValues.momentText(value, wanted, index, zone)
            : ParameterValues.convert(value, any ? wanted : type, index, zone);
    if (any && values[index - 1] instanceof Boolean flag) {
      // SQLite has no other.
      values[index - 1] = flag ? 1L : 0L;
    }
  }

  private static byte[] read(InputStream in, long length, int index) throws SQLException {
    if (in == null) {
      return null;
    }
    try {
      byte[] bytes = length < 0 ? in.readAllBytes() : in.readNBytes((int) checkedLength(length));
      if (length >= 0 && bytes.length < length) {
        throw FaissErrors.parameter(
            "Parameter " + index + ": the stream ended after " + bytes.length + " of " + length);
      }
      return bytes;
    } catch (IOException e) {
      throw new SQLException("Parameter " + index + ": the stream can't be read: " + e, "22000", e);
    }
  }

  private static String read(Reader in, long length, int index) throws SQLException {
    if (in == null) {
      return null;
    }
    try {
      StringWriter text = new StringWriter();
      in.transferTo(text);
      if (text.getBuffer().length() < length) {
        throw FaissErrors.parameter(
            "Parameter "
                + index
                + ": the reader ended after "
                + text.getBuffer().length()
                + " of "
                + length);
      }
      return length < 0 || length >= text.getBuffer().length()
          ? text.toString()
          : text.getBuffer().substring(0, (int) length);
    } catch (IOException e) {
      throw new SQLException("Parameter " + index + ": the reader failed: " + e, "22000", e);
    }
  }

  private static long checkedLength(long length) throws SQLException {
    if (length > Integer.MAX_VALUE - 8) {
      throw FaissErrors.parameter("A value of " + length + " bytes is too long");
    }
    return length;
  }

  private static String decoded(byte[] bytes, Charset charset) {
    return bytes == null ? null : new String(bytes, charset);
  }

  @Override
  public void setNull(int index, int sqlType) throws SQLException {
    set(index, null);
  }

  @Override
  public void setNull(int index, int sqlType, String typeName) throws SQLException {
    set(index, null);
  }

  @Override
  public void setBoolean(int index, boolean x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setByte(int index, byte x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setShort(int index, short x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setInt(int index, int x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setLong(int index, long x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setFloat(int index, float x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setDouble(int index, double x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setBigDecimal(int index, BigDecimal x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setString(int index, String x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setNString(int index, String x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setBytes(int index, byte[] x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setDate(int index, Date x) throws SQLException {
    set(index, x, Types.DATE, null);
  }

  @Override
  public void setDate(int index, Date x, Calendar calendar) throws SQLException {
    set(index, x, Types.DATE, calendar);
  }

  @Override
  public void setTime(int index, Time x) throws SQLException {
    set(index, x, Types.TIME, null);
  }

  @Override
  public void setTime(int index, Time x, Calendar calendar) throws SQLException {
    set(index, x, Types.TIME, calendar);
  }

  @Override
  public void setTimestamp(int index, Timestamp x) throws SQLException {
    set(index, x, Types.TIMESTAMP, null);
  }

  @Override
  public void setTimestamp(int index, Timestamp x, Calendar calendar) throws SQLException {
    set(index, x, Types.TIMESTAMP, calendar);
  }

  @Override
  public void setObject(int index, Object x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setObject(int index, Object x, int sqlType) throws SQLException {
    set(index, x, sqlType, null);
  }

  @Override
  public void setObject(int index, Object x, int sqlType, int scaleOrLength) throws SQLException {
    set(index, x, sqlType, null);
  }

  @Override
  public void setObject(int index, Object x, SQLType type) throws SQLException {
    set(index, x, number(type), null);
  }

  @Override
  public void setObject(int index, Object x, SQLType type, int scaleOrLength) throws SQLException {
    set(index, x, number(type), null);
  }

  private static int number(SQLType type) throws SQLException {
    Integer number = FaissErrors.given(type, "A type").getVendorTypeNumber();
    return number == null ? Types.OTHER : number;
  }

  @Override
  public void setAsciiStream(int index, InputStream x) throws SQLException {
    set(index, decoded(read(x, -1, index), StandardCharsets.US_ASCII));
  }

  @Override
  public void setAsciiStream(int index, InputStream x, int length) throws SQLException {
    setAsciiStream(index, x, (long) length);
  }

  @Override
  public void setAsciiStream(int index, InputStream x, long length) throws SQLException {
    set(index, decoded(read(x, length, index), StandardCharsets.US_ASCII));
  }

  @Override
  @Deprecated
  public void setUnicodeStream(int index, InputStream x, int length) throws SQLException {
    set(index, decoded(read(x, length, index), StandardCharsets.UTF_8));
  }

  @Override
  public void setBinaryStream(int index, InputStream x) throws SQLException {
    set(index, read(x, -1, index));
  }

  @Override
  public void setBinaryStream(int index, InputStream x, int length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setBinaryStream(int index, InputStream x, long length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setCharacterStream(int index, Reader x) throws SQLException {
    set(index, read(x, -1, index));
  }

  @Override
  public void setCharacterStream(int index, Reader x, int length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setCharacterStream(int index, Reader x, long length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setNCharacterStream(int index, Reader x) throws SQLException {
    set(index, read(x, -1, index));
  }

  @Override
  public void setNCharacterStream(int index, Reader x, long length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setBlob(int index, Blob x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setBlob(int index, InputStream x) throws SQLException {
    set(index, read(x, -1, index));
  }

  @Override
  public void setBlob(int index, InputStream x, long length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setClob(int index, Clob x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setClob(int index, Reader x) throws SQLException {
    set(index, read(x, -1, index));
  }

  @Override
  public void setClob(int index, Reader x, long length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setNClob(int index, NClob x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setNClob(int index, Reader x) throws SQLException {
    set(index, read(x, -1, index));
  }

  @Override
  public void setNClob(int index, Reader x, long length) throws SQLException {
    set(index, read(x, length, index));
  }

  @Override
  public void setArray(int index, Array x) throws SQLException {
    set(index, x);
  }

  @Override
  public void setRef(int index, Ref x) throws SQLException {
    throw FaissErrors.unsupported("A REF");
  }

  @Override
  public void setURL(int index, URL x) throws SQLException {
    throw FaissErrors.unsupported("A URL");
  }

  @Override
  public void setRowId(int index, RowId x) throws SQLException {
    throw FaissErrors.unsupported("A ROWID");
  }

  @Override
  public void setSQLXML(int index, SQLXML x) throws SQLException {
    throw FaissErrors.unsupported("SQLXML");
  }

  /** The parameters' types, as the validator inferred them. */
  private record Parameters(List<AvaticaParameter> parameters)
      implements ParameterMetaData, Unwrappable {
    private AvaticaParameter parameter(int index) throws SQLException {
      if (index < 1 || index > parameters.size()) {
        throw FaissErrors.parameter(
            "There is no parameter " + index + "; the statement has " + parameters.size());
      }
      return parameters.get(index - 1);
    }

    @Override
    public int getParameterCount() {
      return parameters.size();
    }

    @Override
    public int isNullable(int index) throws SQLException {
      parameter(index);
      return parameterNullable;
    }

    @Override
    public boolean isSigned(int index) throws SQLException {
      return JdbcType.of(parameter(index).parameterType).isNumber();
    }

    @Override
    public int getPrecision(int index) throws SQLException {
      return Math.max(parameter(index).precision, 0);
    }

    @Override
    public int getScale(int index) throws SQLException {
      return Math.max(parameter(index).scale, 0);
    }

    @Override
    public int getParameterType(int index) throws SQLException {
      return parameter(index).parameterType;
    }

    @Override
    public String getParameterTypeName(int index) throws SQLException {
      return parameter(index).typeName;
    }

    @Override
    public String getParameterClassName(int index) throws SQLException {
      return parameter(index).className;
    }

    @Override
    public int getParameterMode(int index) throws SQLException {
      parameter(index);
      return parameterModeIn;
    }
  }
}
