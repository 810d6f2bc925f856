/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.sqlite.DeclaredType;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Date;
import java.sql.NClob;
import java.sql.Ref;
import java.sql.ResultSetMetaData;
import java.sql.RowId;
import java.sql.SQLDataException;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Calendar;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.Meta;
import org.apache.calcite.avatica.MetaImpl;
import org.apache.calcite.avatica.util.ArrayFactoryImpl;
import org.apache.calcite.avatica.util.Cursor;

/**
 * The rows of one execution, read forward.
 *
 * <p>Its resources are released when the last row was read, when it is closed, or when it fails,
 * whichever comes first. Reading a value never gives a wrong one: what doesn't fit is an error.
 */
public final class FaissResultSet implements RowsByLabel, ReadOnlyRows, Unwrappable {
  private static final int MAX_RESTARTS = 10;

  /** What rows whose values may be of any type show of themselves. */
  interface Shown {
    /** The columns as they are announced. */
    List<ColumnMetaData> columns(Object[] row) throws SQLException;

    /** Whether {@link #columns} would say more with the values of a row. */
    boolean asksForRow();

    /** The text of a number of this row, in a column counted from 0. */
    String text(int column, Double value) throws SQLException;

    /** What a column, from 0, is declared as, if that is to be said; else null. */
    DeclaredType declared(int column);

    /** Whether 1 and 0 of a column say true and false. */
    boolean isFlag(int column);

    /** Whether a column's values that are whole numbers are integers in SQLite. */
    boolean keepsIntegers(int column);
  }

  private final FaissStatement statement;
  private final PlannedRun run;
  private List<ColumnMetaData> columns;
  private Meta.CursorFactory cursorFactory;
  private final Supplier<Iterable<Object>> source;
  private final Calendar calendar;
  private final long maxRows;
  private final ArrayFactoryImpl arrays;
  private Cursor cursor;
  private List<Cursor.Accessor> accessors;
  private volatile boolean cursorOpen;
  private int restarts;
  private RowDigest digest = new RowDigest();
  private volatile boolean closed;
  private boolean onRow;

  /** Whether the first row was read, and not yet asked for. */
  private boolean ahead;

  private boolean wasNull;
  private long row;
  private int fetchSize;

  /**
   * @param statement whose result it is; null for metadata
   * @param run the execution; null for rows that are in memory
   * @param columns the columns
   * @param cursorFactory how a row is stored
   * @param maxRows how many rows to give at most; 0 for all
   * @param source runs the plan and gives the rows; called again if the data changed meanwhile
   * @param timeZone in which dates and times are shown
   */
  FaissResultSet(
      FaissStatement statement,
      PlannedRun run,
      List<ColumnMetaData> columns,
      Meta.CursorFactory cursorFactory,
      long maxRows,
      Supplier<Iterable<Object>> source,
      TimeZone timeZone) {
    this.statement = statement;
    this.run = run;
    this.columns = columns;
    this.maxRows = maxRows;
    this.calendar = Calendar.getInstance(timeZone, Locale.ROOT);
    this.cursorFactory = cursorFactory;
    this.source = source;
    this.arrays = new ArrayFactoryImpl(timeZone);
    start();
  }

  private void start() {
    while (!cursorOpen) {
      try {
        Iterable<Object> rows = source.get();
        if (run != null && run.plan() != null) {
          // That of the beginning, or what was planned since for other types.
          columns = ResultColumns.withLabels(run.plan().signature().columns, columns);
          cursorFactory = run.plan().signature().cursorFactory;
          rows = digest.over(rows);
        }
        cursor = MetaImpl.createCursor(cursorFactory, rows);
        cursorOpen = true;
      } catch (Throwable t) {
        if (!changedMeanwhile(t)) {
          throw FaissException.<RuntimeException>sneakyThrow(t);
        }
        run.restart();
      }
    }
    accessors = cursor.createAccessors(columns, calendar, arrays);
  }

  /** Whether what was planned for or read has changed meanwhile: then all is read anew. */
  private boolean changedMeanwhile(Throwable t) {
    return run != null
        && restarts++ < MAX_RESTARTS
        && SqlState.CHANGED.equals(run.translate(t).getSQLState());
  }

  private boolean advance() throws SQLException {
    while (true) {
      try {
        return cursor.next();
      } catch (Throwable t) {
        if (!changedMeanwhile(t)) {
          throw t;
        }
        cursorOpen = false;
        cursor.close();
        run.restart();
        RowDigest given = digest;
        digest = new RowDigest();
        start();
        if (!again(given)) {
          throw t;
        }
      }
    }
  }

  /** Goes past the rows that were given before; false if they aren't the same ones now. */
  private boolean again(RowDigest given) throws SQLException {
    while (digest.rows() < given.rows()) {
      if (!cursor.next()) {
        return false;
      }
    }
    return digest.equals(given);
  }

  @Override
  public void checkOpen() throws SQLException {
    if (closed) {
      throw FaissErrors.closed("result set");
    }
  }

  @Override
  public boolean next() throws SQLException {
    checkOpen();
    if (!cursorOpen || (maxRows > 0 && row >= maxRows)) {
      boolean ended = end();
      // Rows that another thread closed just now didn't come to their end.
      checkOpen();
      return ended;
    }
    if (ahead) {
      ahead = false;
      onRow = true;
    } else {
      onRow = step();
    }
    if (!onRow) {
      return end();
    }
    row++;
    return true;
  }

  /** Reads a row, if there is one. */
  private boolean step() throws SQLException {
    boolean found;
    if (run == null) {
      found = cursor.next();
    } else {
      try {
        run.enter();
        // Only now: whoever closes this sees that a thread is inside, or is seen here.
        checkOpen();
        found = advance();
      } catch (Throwable t) {
        onRow = false;
        SQLException translated = run.translate(t);
        releaseQuietly(translated);
        throw translated;
      } finally {
        run.leave();
        leftAfter();
      }
      checkOpen();
    }
    return found;
  }

  /** The values of the row that is shown, or of the first one; null if there is none. */
  private Object[] values() throws SQLException {
    if (!onRow && !ahead) {
      if (row > 0 || !cursorOpen) {
        return null;
      }
      ahead = step();
      if (!ahead) {
        end();
        return null;
      }
    }
    Object[] values = new Object[columns.size()];
    for (int i = 0; i < values.length; i++) {
      try {
        values[i] = accessors.get(i).getObject();
      } catch (RuntimeException e) {
        throw unreadable(i + 1, e);
      }
    }
    return values;
  }

  /**
   * Called by a thread that has left the run: gives up the rows if another thread closed them
   * meanwhile, which left it to this one.
   */
  void leftAfter() {
    if (closed) {
      onRow = false;
      releaseQuietly(null);
    }
  }

  private boolean end() throws SQLException {
    onRow = false;
    try {
      release();
    } catch (Throwable t) {
      throw ErrorTranslation.of(t);
    }
    return false;
  }

  private synchronized void release() {
    if (cursorOpen) {
      cursorOpen = false;
      try {
        cursor.close();
      } finally {
        if (run != null) {
          run.finish();
        }
      }
    }
  }

  private void releaseQuietly(SQLException reason) {
    try {
      release();
    } catch (Throwable t) {
      if (reason != null) {
        reason.addSuppressed(t);
      }
    }
  }

  /**
   * Releases the rows; a failure to do so can harm nothing, since nothing was written. If another
   * thread is reading them, it is ended as by a cancel, and releases them.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    if (run != null && run.isWithinElsewhere()) {
      run.cancel();
    }
    if (run == null || !run.isWithinElsewhere()) {
      onRow = false;
      releaseQuietly(null);
    }
    if (statement != null) {
      statement.resultClosed(this);
    }
  }

  @Override
  public boolean isClosed() {
    return closed;
  }

  private Cursor.Accessor accessor(int column) throws SQLException {
    checkOpen();
    if (column < 1 || column > columns.size()) {
      throw FaissErrors.data(
          "There is no column " + column + "; the result has " + columns.size(), "07009");
    }
    if (!onRow) {
      throw FaissErrors.data(
          row == 0 ? "No row yet: call next() first" : "No row left: next() returned false",
          "24000");
    }
    return accessors.get(column - 1);
  }

  /** The value as Calcite holds it: a binary is a ByteString, a date a number of days. */
  private Object raw(int column) throws SQLException {
    try {
      Object value = accessor(column).getObject();
      wasNull = value == null;
      if (value instanceof Long number
          && (number == 0 || number == 1)
          && source instanceof Shown shown
          && shown.isFlag(column - 1)) {
        return number == 1;
      }
      return value instanceof Double number
              && isWhole(number)
              && source instanceof Shown shown
              && shown.keepsIntegers(column - 1)
          ? (Object) number.longValue()
          : value;
    } catch (RuntimeException e) {
      throw unreadable(column, e);
    }
  }

  private static boolean isWhole(double number) {
    return number == Math.rint(number) && Math.abs(number) < 1L << 53;
  }

  /** Reads through Avatica's accessor, which knows dates, times, intervals, arrays and structs. */
  <T> T converted(int column, Conversion<T> conversion) throws SQLException {
    try {
      T value = conversion.apply(accessor(column));
      wasNull = value == null;
      return value;
    } catch (RuntimeException e) {
      throw unreadable(column, e);
    }
  }

  @FunctionalInterface
  interface Conversion<T> {
    T apply(Cursor.Accessor accessor) throws SQLException;
  }

  private SQLException unreadable(int column, RuntimeException e) {
    SQLException why = ErrorTranslation.of(e);
    return new SQLDataException(
        "Column '" + label(column) + "': " + why.getMessage(), why.getSQLState(), e);
  }

  private String label(int column) {
    return columns.get(column - 1).label;
  }

  private int type(int column) throws SQLException {
    accessor(column);
    return columns.get(column - 1).type.id;
  }

  @Override
  public boolean wasNull() throws SQLException {
    checkOpen();
    return wasNull;
  }

  @Override
  public int findColumn(String label) throws SQLException {
    checkOpen();
    for (ColumnMetaData column : columns) {
      if (column.label.equalsIgnoreCase(label)) {
        return column.ordinal + 1;
      }
    }
    throw FaissErrors.data(
        "There is no column '" + label + "'; the result has " + labels(), SqlState.NO_COLUMN);
  }

  private List<String> labels() {
    return columns.stream().map(c -> c.label).toList();
  }

  @Override
  public String getString(int column) throws SQLException {
    switch (JdbcType.of(type(column)).kind()) {
      case BINARY:
      case NESTED:
      case FLAG:
        return ColumnValues.text(raw(column));
      case ANY:
        if (isInterval(column)) {
          return converted(column, Cursor.Accessor::getString);
        }
        Object value = raw(column);
        return value instanceof Double number && source instanceof Shown shown
            ? shown.text(column - 1, number)
            : ColumnValues.text(value);
      case FRACTION:
        return source instanceof Shown shown && shown.keepsIntegers(column - 1)
            ? ColumnValues.text(raw(column))
            : converted(column, Cursor.Accessor::getString);
      default:
        return converted(column, Cursor.Accessor::getString);
    }
  }

  private boolean isInterval(int column) {
    return columns.get(column - 1).type.getName().startsWith("INTERVAL_");
  }

  @Override
  public boolean getBoolean(int column) throws SQLException {
    return ColumnValues.toBoolean(raw(column), label(column));
  }

  @Override
  public byte getByte(int column) throws SQLException {
    return (byte) ColumnValues.toLong(raw(column), label(column), Byte.MIN_VALUE, Byte.MAX_VALUE);
  }

  @Override
  public short getShort(int column) throws SQLException {
    return (short)
        ColumnValues.toLong(raw(column), label(column), Short.MIN_VALUE, Short.MAX_VALUE);
  }

  @Override
  public int getInt(int column) throws SQLException {
    return (int)
        ColumnValues.toLong(raw(column), label(column), Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  @Override
  public long getLong(int column) throws SQLException {
    return ColumnValues.toLong(raw(column), label(column), Long.MIN_VALUE, Long.MAX_VALUE);
  }

  @Override
  public float getFloat(int column) throws SQLException {
    return ColumnValues.toFloat(raw(column), label(column));
  }

  @Override
  public double getDouble(int column) throws SQLException {
    return ColumnValues.toDouble(raw(column), label(column));
  }

  @Override
  public BigDecimal getBigDecimal(int column) throws SQLException {
    return ColumnValues.toDecimal(raw(column), label(column));
  }

  @Override
  @Deprecated
  public BigDecimal getBigDecimal(int column, int scale) throws SQLException {
    BigDecimal value = getBigDecimal(column);
    return value == null ? null : value.setScale(scale, RoundingMode.HALF_UP);
  }

  @Override
  public byte[] getBytes(int column) throws SQLException {
    return ColumnValues.toBytes(raw(column), label(column));
  }

  @Override
  public Date getDate(int column) throws SQLException {
    return getDate(column, calendar);
  }

  @Override
  public Date getDate(int column, Calendar calendar) throws SQLException {
    if (isTemporal(column)) {
      return converted(column, a -> a.getDate(calendar));
    }
    Moment moment = moment(column);
    return moment == null ? null : moment.toDate(calendar);
  }

  @Override
  public Time getTime(int column) throws SQLException {
    return getTime(column, calendar);
  }

  @Override
  public Time getTime(int column, Calendar calendar) throws SQLException {
    if (isTemporal(column)) {
      return converted(column, a -> a.getTime(calendar));
    }
    Moment moment = moment(column);
    return moment == null ? null : moment.toTime(calendar);
  }

  @Override
  public Timestamp getTimestamp(int column) throws SQLException {
    return getTimestamp(column, calendar);
  }

  @Override
  public Timestamp getTimestamp(int column, Calendar calendar) throws SQLException {
    if (isTemporal(column)) {
      return converted(column, a -> a.getTimestamp(calendar));
    }
    Moment moment = moment(column);
    return moment == null ? null : moment.toTimestamp(calendar);
  }

  private boolean isTemporal(int column) throws SQLException {
    return JdbcType.of(type(column)).kind() == JdbcType.Kind.MOMENT;
  }

  /** SQLite keeps dates as text: read what its own date functions write. */
  private Moment moment(int column) throws SQLException {
    Object value = raw(column);
    return value == null ? null : ColumnValues.toMoment(value, label(column));
  }

  @Override
  public InputStream getAsciiStream(int column) throws SQLException {
    String text = getString(column);
    return text == null ? null : new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Override
  @Deprecated
  public InputStream getUnicodeStream(int column) throws SQLException {
    String text = getString(column);
    return text == null ? null : new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public InputStream getBinaryStream(int column) throws SQLException {
    byte[] bytes = getBytes(column);
    return bytes == null ? null : new ByteArrayInputStream(bytes);
  }

  @Override
  public Reader getCharacterStream(int column) throws SQLException {
    String text = getString(column);
    return text == null ? null : new StringReader(text);
  }

  @Override
  public Reader getNCharacterStream(int column) throws SQLException {
    return getCharacterStream(column);
  }

  @Override
  public String getNString(int column) throws SQLException {
    return getString(column);
  }

  @Override
  public Blob getBlob(int column) throws SQLException {
    byte[] bytes = getBytes(column);
    return bytes == null ? null : new HeldBlob(bytes);
  }

  @Override
  public Clob getClob(int column) throws SQLException {
    String text = getString(column);
    return text == null ? null : new HeldClob(text);
  }

  @Override
  public Array getArray(int column) throws SQLException {
    if (type(column) != Types.ARRAY) {
      throw ColumnValues.mismatch(raw(column), label(column), "an array");
    }
    Array array = converted(column, Cursor.Accessor::getArray);
    return array == null ? null : new HeldArray(array);
  }

  @Override
  public Object getObject(int column) throws SQLException {
    JdbcType type = JdbcType.of(type(column));
    if (source instanceof Shown shown) {
      DeclaredType declared = shown.declared(column - 1);
      if (declared != null) {
        return ColumnValues.asDeclared(plain(column), declared.type(), calendar);
      } else if (shown.keepsIntegers(column - 1)) {
        return plain(column);
      }
    }
    return type.read(this, column);
  }

  /** A value as it is held, in the class that JDBC's users expect. */
  Object plain(int column) throws SQLException {
    return ColumnValues.plain(raw(column));
  }

  <T> T orNull(T value) {
    return wasNull ? null : value;
  }

  @Override
  public Object getObject(int column, Map<String, Class<?>> map) throws SQLException {
    if (map != null && !map.isEmpty()) {
      throw FaissErrors.unsupported("A type map");
    }
    return getObject(column);
  }

  @Override
  public <T> T getObject(int column, Class<T> type) throws SQLException {
    if (type == null) {
      throw FaissErrors.badArgument("No class given (null)");
    }
    Object value;
    if (type == String.class) {
      value = getString(column);
    } else if (type == Long.class) {
      value = orNull(getLong(column));
    } else if (type == Integer.class) {
      value = orNull(getInt(column));
    } else if (type == Short.class) {
      value = orNull(getShort(column));
    } else if (type == Byte.class) {
      value = orNull(getByte(column));
    } else if (type == Double.class) {
      value = orNull(getDouble(column));
    } else if (type == Float.class) {
      value = orNull(getFloat(column));
    } else if (type == Boolean.class) {
      value = orNull(getBoolean(column));
    } else if (type == BigDecimal.class) {
      value = getBigDecimal(column);
    } else if (type == BigInteger.class) {
      BigDecimal number = getBigDecimal(column);
      value = number == null ? null : number.toBigInteger();
    } else if (type == byte[].class) {
      value = getBytes(column);
    } else if (type == float[].class) {
      value = ColumnValues.toVector(raw(column), label(column));
    } else if (type == Date.class) {
      value = getDate(column);
    } else if (type == Time.class) {
      value = getTime(column);
    } else if (type == Timestamp.class) {
      value = getTimestamp(column);
    } else if (type == LocalDate.class) {
      value = local(column, moment -> moment.local().toLocalDate(), c -> getDate(c).toLocalDate());
    } else if (type == LocalTime.class) {
      value = local(column, moment -> moment.local().toLocalTime(), c -> getTime(c).toLocalTime());
    } else if (type == LocalDateTime.class) {
      value = local(column, Moment::local, c -> getTimestamp(c).toLocalDateTime());
    } else if (type == InputStream.class) {
      value = getBinaryStream(column);
    } else if (type == Blob.class) {
      value = getBlob(column);
    } else if (type == Clob.class) {
      value = getClob(column);
    } else {
      value = getObject(column);
      if (value != null && !type.isInstance(value)) {
        throw ColumnValues.mismatch(value, label(column), type.getSimpleName());
      }
    }
    return type.cast(value);
  }

  /** What has no zone is read without one. */
  private Object local(int column, Function<Moment, Object> read, Reading temporal)
      throws SQLException {
    if (isTemporal(column)) {
      return raw(column) == null ? null : temporal.read(column);
    }
    Moment moment = moment(column);
    return moment == null ? null : read.apply(moment);
  }

  @FunctionalInterface
  private interface Reading {
    Object read(int column) throws SQLException;
  }

  @Override
  public Ref getRef(int column) throws SQLException {
    throw FaissErrors.unsupported("A REF");
  }

  @Override
  public RowId getRowId(int column) throws SQLException {
    throw FaissErrors.unsupported("A ROWID");
  }

  @Override
  public NClob getNClob(int column) throws SQLException {
    throw FaissErrors.unsupported("An NCLOB");
  }

  @Override
  public SQLXML getSQLXML(int column) throws SQLException {
    throw FaissErrors.unsupported("SQLXML");
  }

  @Override
  public URL getURL(int column) throws SQLException {
    throw FaissErrors.unsupported("A URL");
  }

  @Override
  public ResultSetMetaData getMetaData() throws SQLException {
    checkOpen();
    return new FaissResultSetMetaData(
        source instanceof Shown shown
            ? shown.columns(shown.asksForRow() ? values() : null)
            : columns);
  }

  @Override
  public Statement getStatement() throws SQLException {
    checkOpen();
    return statement;
  }

  @Override
  public int getRow() throws SQLException {
    checkOpen();
    return onRow ? (int) Math.min(row, Integer.MAX_VALUE) : 0;
  }

  @Override
  public boolean isBeforeFirst() throws SQLException {
    checkOpen();
    return row == 0 && cursorOpen;
  }

  @Override
  public boolean isAfterLast() throws SQLException {
    checkOpen();
    return row > 0 && !onRow;
  }

  @Override
  public boolean isFirst() throws SQLException {
    checkOpen();
    return onRow && row == 1;
  }

  @Override
  public void setFetchSize(int rows) throws SQLException {
    checkOpen();
    if (rows < 0) {
      throw FaissErrors.badArgument("The fetch size must be 0 or more, got " + rows);
    }
    fetchSize = rows;
  }

  @Override
  public int getFetchSize() throws SQLException {
    checkOpen();
    return fetchSize;
  }
}
