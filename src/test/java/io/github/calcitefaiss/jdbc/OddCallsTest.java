/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.calcitefaiss.TestDatabase;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every method of JDBC's objects, called with what no program should pass and after closing: it
 * answers, or throws an SQLException with a sentence and an SQLSTATE.
 */
class OddCallsTest {
  private static final Pattern CLASS_NAME =
      Pattern.compile("[a-z]+\\.[a-z]+\\.[A-Za-z.]*[A-Z]|Exception|\\bnull pointer|@[0-9a-f]{6}");

  private static final int ATTEMPTS = 6;

  @TempDir private Path folder;

  /** Makes an object to be called, anew for each call: what it is made from is closed later. */
  private interface Maker {
    Object make(Connection connection, boolean closed) throws SQLException;
  }

  private static final String QUERY =
      "select 1 as a, 'x' as b, x'01' as c, null as d, 1.5 as e where ? is not ?";

  private static ResultSet rows(Connection connection) throws SQLException {
    PreparedStatement statement = connection.prepareStatement(QUERY);
    statement.setInt(1, 1);
    statement.setString(2, "z");
    ResultSet rows = statement.executeQuery();
    rows.next();
    return rows;
  }

  private static final Map<Class<?>, Maker> OBJECTS = new TreeMap<>(OddCallsTest::byName);

  static {
    OBJECTS.put(Connection.class, (c, closed) -> c);
    OBJECTS.put(
        Statement.class,
        (c, closed) -> {
          Statement statement = c.createStatement();
          close(statement, closed);
          return statement;
        });
    OBJECTS.put(
        PreparedStatement.class,
        (c, closed) -> {
          PreparedStatement statement = c.prepareStatement(QUERY);
          close(statement, closed);
          return statement;
        });
    OBJECTS.put(
        ResultSet.class,
        (c, closed) -> {
          ResultSet rows = rows(c);
          close(rows, closed);
          return rows;
        });
    OBJECTS.put(ResultSetMetaData.class, (c, closed) -> rows(c).getMetaData());
    OBJECTS.put(
        ParameterMetaData.class, (c, closed) -> c.prepareStatement(QUERY).getParameterMetaData());
    OBJECTS.put(Blob.class, (c, closed) -> rows(c).getBlob(3));
    OBJECTS.put(Clob.class, (c, closed) -> rows(c).getClob(2));
    OBJECTS.put(Array.class, (c, closed) -> c.createArrayOf("FLOAT", new Object[] {1.5, 2.5}));
  }

  private static int byName(Class<?> one, Class<?> other) {
    return one.getName().compareTo(other.getName());
  }

  private static void close(AutoCloseable object, boolean closed) throws SQLException {
    try {
      if (closed) {
        object.close();
      }
    } catch (SQLException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static <T> T one(List<T> values, int attempt) {
    return values.get(attempt % values.size());
  }

  private static Object odd(Class<?> type, int attempt) throws Exception {
    if (type == int.class) {
      return one(List.of(0, -1, 1, 99, Integer.MAX_VALUE, Integer.MIN_VALUE), attempt);
    } else if (type == long.class) {
      return one(List.of(0L, -1L, 1L, 99L, Long.MAX_VALUE, Long.MIN_VALUE), attempt);
    } else if (type == short.class) {
      return (short) -1;
    } else if (type == byte.class) {
      return (byte) -1;
    } else if (type == boolean.class) {
      return attempt % 2 == 0;
    } else if (type == float.class) {
      return one(List.of(Float.NaN, 1f, Float.NEGATIVE_INFINITY), attempt);
    } else if (type == double.class) {
      return one(List.of(Double.NaN, 1.0, Double.NEGATIVE_INFINITY), attempt);
    } else if (attempt == 0) {
      return null;
    } else if (type == String.class) {
      return one(Arrays.asList("", "%", "a", "\u0000", "select", "FLOAT"), attempt);
    } else if (type == Object.class) {
      return one(
          Arrays.asList(new Object(), "", -1, new int[0], List.of(new Object()), 'c'), attempt);
    } else if (type == byte[].class) {
      return new byte[attempt % 2];
    } else if (type == int[].class) {
      return new int[] {-1};
    } else if (type == String[].class) {
      return new String[] {null};
    } else if (type == Object[].class) {
      return new Object[] {null, new Object(), "x"};
    } else if (type == char[].class) {
      return new char[0];
    } else if (type == BigDecimal.class) {
      return new BigDecimal("1e9999");
    } else if (type == Date.class) {
      return new Date(Long.MAX_VALUE);
    } else if (type == Time.class) {
      return new Time(Long.MIN_VALUE);
    } else if (type == Timestamp.class) {
      return new Timestamp(Long.MIN_VALUE);
    } else if (type == Calendar.class) {
      return Calendar.getInstance(TimeZone.getTimeZone("UTC"), Locale.ROOT);
    } else if (type == InputStream.class) {
      return InputStream.nullInputStream();
    } else if (type == Reader.class) {
      return new StringReader("x");
    } else if (type == Class.class) {
      return one(List.of(Void.class, int.class, Object.class, List.class, Thread.class), attempt);
    } else if (type == Map.class) {
      return Map.of("x", Object.class);
    } else if (type == Properties.class) {
      return new Properties();
    } else if (type == java.util.concurrent.Executor.class) {
      return (java.util.concurrent.Executor) Runnable::run;
    }
    return null;
  }

  private static String complaint(Throwable thrown) {
    if (!(thrown instanceof SQLException e)) {
      return "throws " + thrown;
    } else if (e.getMessage() == null || e.getMessage().isBlank()) {
      return "says nothing";
    } else if (CLASS_NAME.matcher(e.getMessage()).find()) {
      return "says " + e.getMessage();
    } else if (e.getSQLState() == null || e.getSQLState().length() != 5) {
      return "has the state " + e.getSQLState() + ": " + e.getMessage();
    }
    return null;
  }

  private List<String> complaints(Path file, String way, boolean closed) throws Exception {
    List<String> complaints = new ArrayList<>();
    for (Map.Entry<Class<?>, Maker> object : OBJECTS.entrySet()) {
      Connection connection = DriverManager.getConnection("jdbc:faiss:" + file + way);
      Object made = object.getValue().make(connection, closed);
      int calls = 0;
      for (Method method : object.getKey().getMethods()) {
        int attempts = method.getParameterCount() == 0 ? 1 : ATTEMPTS;
        for (int attempt = 0; attempt < attempts; attempt++) {
          boolean ends = method.getName().matches("close|free|abort|closeOnCompletion");
          if (ends || closed && object.getKey() == Connection.class && calls++ == 0) {
            connection.close();
          }
          if (connection.isClosed() && !(closed && object.getKey() == Connection.class)) {
            connection = DriverManager.getConnection("jdbc:faiss:" + file + way);
            made = object.getValue().make(connection, closed);
          }
          Object[] arguments = new Object[method.getParameterCount()];
          for (int i = 0; i < arguments.length; i++) {
            arguments[i] = odd(method.getParameterTypes()[i], attempt);
          }
          try {
            method.invoke(made, arguments);
          } catch (InvocationTargetException e) {
            String complaint = complaint(e.getCause());
            if (complaint != null) {
              complaints.add(
                  object.getKey().getSimpleName()
                      + "."
                      + method.getName()
                      + Arrays.deepToString(arguments)
                      + " "
                      + complaint);
            }
          }
          if (ends) {
            connection.close();
          }
        }
      }
      connection.close();
    }
    return complaints;
  }

  @Test
  void everyCallAnswersOrSaysWhatIsWrong() throws Exception {
    Path file = TestDatabase.blog(folder);
    List<String> complaints = new ArrayList<>();
    for (String way : List.of("", ";native=off")) {
      for (boolean closed : List.of(false, true)) {
        complaints(file, way, closed)
            .forEach(each -> complaints.add(each + (closed ? " (closed)" : "") + way));
      }
    }
    assertEquals("", String.join("\n", complaints));
  }
}
