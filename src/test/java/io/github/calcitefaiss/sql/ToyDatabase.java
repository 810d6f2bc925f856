/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.calcitefaiss.sql.parser.FaissParser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.apache.calcite.DataContext;
import org.apache.calcite.avatica.util.ByteString;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.linq4j.Enumerable;
import org.apache.calcite.linq4j.Linq4j;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.schema.ScannableTable;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.impl.AbstractSchema;
import org.apache.calcite.schema.impl.AbstractTable;
import org.apache.calcite.schema.impl.AggregateFunctionImpl;
import org.apache.calcite.schema.impl.ScalarFunctionImpl;
import org.apache.calcite.schema.impl.TableFunctionImpl;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A database in memory, read through Calcite's own driver and {@link FaissParser}: the plugin's
 * tables, and functions of the plugin's names that do as little as a parser's test needs.
 */
public final class ToyDatabase implements AutoCloseable {
  private final Connection connection;

  public ToyDatabase() throws SQLException {
    Properties properties = new Properties();
    properties.put("parserFactory", FaissParser.class.getName() + "#FACTORY");
    properties.put("lex", "MYSQL_ANSI");
    properties.put("caseSensitive", "false");
    properties.put("conformance", "LENIENT");
    connection = DriverManager.getConnection("jdbc:calcite:", properties);
    CalciteConnection calcite = connection.unwrap(CalciteConnection.class);
    SchemaPlus root = calcite.getRootSchema();
    SchemaPlus blog = root.add("blog", new AbstractSchema());
    List<Object[]> entries = new ArrayList<>();
    List<Object[]> embeddings = new ArrayList<>();
    for (long id = 1; id <= 20; id++) {
      entries.add(new Object[] {id, "title " + id, "2023-01-" + (10 + id)});
      embeddings.add(new Object[] {id, new ByteString(new byte[] {(byte) id, 0, 0, 0})});
    }
    blog.add("blog_entry", new Rows("id:BIGINT title:VARCHAR created:VARCHAR", entries));
    blog.add("embeddings", new Rows("id:BIGINT embedding:VARBINARY", embeddings));
    blog.add("blog_entry_embeddings", new Rows("id:BIGINT embedding:VARBINARY", embeddings));
    blog.add(
        "docs",
        new Rows(
            "id:VARCHAR tags:VARCHAR n:INTEGER",
            List.of(
                new Object[] {"a", "[\"x\",\"y\"]", 1},
                new Object[] {"b", "[\"y\"]", 2},
                new Object[] {"c", "[]", 3})));
    root.add("json_each", TableFunctionImpl.create(JsonEach.class, "eval"));
    root.add("faiss_search", ScalarFunctionImpl.create(Functions.class, "search"));
    root.add("faiss_encode", ScalarFunctionImpl.create(Functions.class, "encode"));
    root.add("faiss_decode", ScalarFunctionImpl.create(Functions.class, "decode"));
    root.add("json_extract", ScalarFunctionImpl.create(Functions.class, "extract"));
    root.add("hex", ScalarFunctionImpl.create(Functions.class, "hex"));
    root.add("faiss_agg", AggregateFunctionImpl.create(Agg.class));
    root.add("faiss_agg_with_scores", AggregateFunctionImpl.create(AggWithScores.class));
    connection.setSchema("blog");
  }

  public Connection connection() {
    return connection;
  }

  /** Runs a statement and returns its rows, columns separated by {@code |}. */
  public List<String> query(String sql, Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet results = statement.executeQuery()) {
        List<String> rows = new ArrayList<>();
        while (results.next()) {
          StringBuilder row = new StringBuilder();
          for (int i = 1; i <= results.getMetaData().getColumnCount(); i++) {
            row.append(i == 1 ? "" : "|").append(results.getString(i));
          }
          rows.add(row.toString());
        }
        return rows;
      }
    }
  }

  /** Names of a statement's columns, separated by commas. */
  public String columns(String sql) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      List<String> names = new ArrayList<>();
      for (int i = 1; i <= statement.getMetaData().getColumnCount(); i++) {
        names.add(statement.getMetaData().getColumnLabel(i));
      }
      return String.join(",", names);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }

  /** Scalar functions. */
  public static final class Functions {
    private Functions() {}

    /** The ids from the query's first byte on, as the nearest ones. */
    public static String search(String database, String table, ByteString query, Integer k) {
      return query == null ? null : ids(query.getBytes()[0], k, false);
    }

    public static ByteString encode(String json) {
      JsonNode array = parse(json);
      ByteBuffer bytes = ByteBuffer.allocate(4 * array.size()).order(ByteOrder.LITTLE_ENDIAN);
      array.forEach(element -> bytes.putFloat((float) element.doubleValue()));
      return new ByteString(bytes.array());
    }

    public static String decode(ByteString blob) {
      FloatBuffer floats =
          ByteBuffer.wrap(blob.getBytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      List<String> elements = new ArrayList<>();
      while (floats.hasRemaining()) {
        elements.add(Double.toString(floats.get()));
      }
      return elements.toString();
    }

    public static String extract(String json, String path) {
      return parse(json).get(path.charAt(2) - '0').asText();
    }

    public static String hex(ByteString blob) {
      return blob.toString().toUpperCase(Locale.ROOT);
    }
  }

  private static String ids(int first, int k, boolean scores) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < k; i++) {
      ids.add(scores ? "[" + (first + i) + ", " + i + ".0]" : Integer.toString(first + i));
    }
    return ids.toString();
  }

  /** As {@link Functions#search}, over a group. */
  public static final class Agg {
    public String init() {
      return "[]";
    }

    public String add(String so, Object id, ByteString e, ByteString query, Integer k) {
      return ids(query.getBytes()[0], k, false);
    }

    public String result(String ids) {
      return ids;
    }
  }

  /** As {@link Agg}, each id with a score. */
  public static final class AggWithScores {
    public String init() {
      return "[]";
    }

    public String add(String so, Object id, ByteString e, ByteString query, Integer k) {
      return ids(query.getBytes()[0], k, true);
    }

    public String result(String ids) {
      return ids;
    }
  }

  /** One row for each element of an array. */
  public static final class JsonEach {
    private JsonEach() {}

    public static ScannableTable eval(Object json) {
      return new Rows("key:VARCHAR value:VARCHAR type:VARCHAR atom:VARCHAR", List.of()) {
        @Override
        public Enumerable<Object[]> scan(DataContext root) {
          return Linq4j.asEnumerable(json == null ? List.of() : rows(json.toString()));
        }
      };
    }

    private static List<Object[]> rows(String json) {
      List<Object[]> rows = new ArrayList<>();
      for (JsonNode element : parse(json)) {
        String value = element.isTextual() ? element.asText() : element.toString();
        String type = element.getNodeType().name().toLowerCase(Locale.ROOT);
        rows.add(new Object[] {Integer.toString(rows.size()), value, type, value});
      }
      return rows;
    }
  }

  private static JsonNode parse(String json) {
    try {
      return new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** A table of given rows. */
  private static class Rows extends AbstractTable implements ScannableTable {
    private final String columns;
    private final List<Object[]> rows;

    Rows(String columns, List<Object[]> rows) {
      this.columns = columns;
      this.rows = rows;
    }

    @Override
    public RelDataType getRowType(RelDataTypeFactory types) {
      RelDataTypeFactory.Builder row = types.builder();
      for (String column : columns.split(" ")) {
        String[] nameAndType = column.split(":");
        row.add(
            nameAndType[0],
            types.createTypeWithNullability(
                types.createSqlType(SqlTypeName.valueOf(nameAndType[1])), true));
      }
      return row.build();
    }

    @Override
    public Enumerable<Object[]> scan(DataContext root) {
      return Linq4j.asEnumerable(rows);
    }
  }
}
