/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.sql.parser.SqliteText;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Statements that an address carries, with values for their parameters as text. */
final class Statements {
  /** Rows of a result that is no stream. */
  static final int MOST = 1000;

  private Statements() {}

  /** The names of a statement's parameters, in the order of their places. */
  static List<String> parameters(String sql) throws Refusal {
    Set<String> names = new LinkedHashSet<>();
    for (SqliteText.Token token : new SqliteText(sql).tokens()) {
      if (token.kind() == SqliteText.Kind.PARAMETER) {
        if (token.text().startsWith("?")) {
          throw new Refusal(
              400,
              "Invalid SQL",
              "A parameter needs a name here, so that it can be filled in: write :name in place of "
                  + token.text());
        }
        names.add(token.text());
      }
    }
    return List.copyOf(names);
  }

  /** Their values; one that isn't there is "". */
  static List<String> values(List<String> parameters, Arguments arguments) {
    List<String> values = new ArrayList<>();
    for (String parameter : parameters) {
      values.add(arguments.get(parameter.substring(1), ""));
    }
    return values;
  }

  /** The limit that {@code _timelimit} sets, in milliseconds; null for none. */
  static Duration limit(Arguments arguments) throws Refusal {
    long millis = arguments.number("_timelimit", 0);
    return millis == 0 ? null : Duration.ofMillis(millis);
  }

  /** Rows that a result may have here. */
  static int most(Access access) {
    return access.rows() == 0 ? MOST : (int) Math.min(MOST, access.rows());
  }

  /** Runs the statement of an address. */
  static Work.Result run(Work work, Access access, String sql, Arguments arguments)
      throws SQLException, IOException, Refusal {
    return work.run(sql, values(parameters(sql), arguments), most(access), limit(arguments));
  }

  /** {@code /db.json?sql=}. */
  static void json(
      Exchange exchange,
      Work work,
      Access access,
      String database,
      Arguments arguments,
      JsonAnswer.Generation generation)
      throws IOException, Refusal, SQLException {
    String sql = arguments.get("sql", "");
    boolean one = generation == JsonAnswer.Generation.ONE;
    if (one && sql.isBlank()) {
      throw Refusal.bad("?sql= is required");
    }
    Map<String, Object> before = new LinkedHashMap<>();
    Map<String, Object> after = new LinkedHashMap<>();
    Work.Result result;
    String error = null;
    try {
      result = run(work, access, sql, arguments);
    } catch (SQLException e) {
      Refusal refusal = Failures.of(e);
      if (!"Invalid SQL".equals(refusal.title())
          || refusal.getMessage().startsWith("Statement must")) {
        throw refusal;
      }
      error = refusal.getMessage();
      result = new Work.Result(List.of(), List.of(), false, List.of(), 0);
    }
    if (one) {
      if (error != null) {
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("rows", List.of());
        more.put("truncated", false);
        JsonAnswer.error(exchange, generation, Refusal.bad(error), more);
        return;
      }
      before.put("ok", true);
      after.put("truncated", result.truncated());
      extras(arguments, database, sql, result, after);
    } else {
      before.put("ok", error == null);
      before.put("database", database);
      before.put("query_name", null);
      after.put("truncated", result.truncated());
      after.put("columns", result.columns());
      after.put("query", query(sql, params(arguments, sql)));
      after.put("error", error);
      after.put("private", false);
      after.put("allow_execute_sql", true);
      after.put("query_ms", result.nanos() / 1e6);
      if (error != null) {
        before.put("rows", List.of());
        before.putAll(after);
        exchange.status(400);
        JsonAnswer.object(exchange, before);
        return;
      }
    }
    JsonAnswer.rows(
        exchange, arguments, generation, result, new JsonAnswer.Frame(before, after, null));
  }

  static Map<String, Object> query(String sql, Map<String, ?> parameters) {
    Map<String, Object> query = new LinkedHashMap<>();
    query.put("sql", sql);
    query.put("params", parameters);
    return query;
  }

  private static void extras(
      Arguments arguments,
      String database,
      String sql,
      Work.Result result,
      Map<String, Object> fields)
      throws Refusal {
    for (String list : arguments.all("_extra")) {
      for (String extra : list.split(",")) {
        switch (extra.strip()) {
          case "" -> {}
          case "columns" -> fields.put("columns", result.columns());
          case "query" -> fields.put("query", query(sql, named(arguments, sql)));
          case "database" -> fields.put("database", database);
          case "query_name" -> fields.put("query_name", null);
          case "private" -> fields.put("private", false);
          default ->
              throw Refusal.bad(
                  "Unknown _extra: "
                      + extra.strip()
                      + "; known: columns, database, private, query, query_name");
        }
      }
    }
  }

  private static Map<String, String> named(Arguments arguments, String sql) throws Refusal {
    Map<String, String> named = new LinkedHashMap<>();
    for (String parameter : parameters(sql)) {
      named.put(parameter.substring(1), arguments.get(parameter.substring(1), ""));
    }
    return named;
  }

  private static Map<String, String> params(Arguments arguments, String sql) throws Refusal {
    Map<String, String> params = new LinkedHashMap<>();
    for (Arguments.Argument argument : arguments.list()) {
      if (!argument.name().equals("sql") && !argument.name().equals("_shape")) {
        params.putIfAbsent(argument.name(), argument.value());
      }
    }
    named(arguments, sql).forEach(params::putIfAbsent);
    return params;
  }

  /** How a cell of CSV is written that is a blob: as the address of its bytes. */
  interface BlobAddress {
    String of(List<String> columns, Object[] row, int column);
  }

  /** Writes a result as CSV, row by row as it is found. */
  static void csv(
      Exchange exchange,
      Work work,
      Access access,
      String name,
      Arguments arguments,
      TableQuery.Text text,
      int most,
      BlobAddress blobs)
      throws IOException, SQLException, Refusal {
    Writer[] out = new Writer[1];
    try {
      work.stream(
          text.sql(),
          text.parameters(),
          0,
          limit(arguments),
          new Work.Sink() {
            private List<String> columns;
            private Csv csv;
            private long rows;

            @Override
            public void columns(List<String> names, List<String> types) throws IOException {
              columns = names;
              exchange.status(200);
              if (arguments.get("_dl", "").isEmpty()) {
                exchange.header("Content-Type", "text/plain; charset=utf-8");
              } else {
                exchange.header("Content-Type", "text/csv; charset=utf-8");
                exchange.header(
                    "Content-Disposition", "attachment; filename=\"" + fileName(name) + ".csv\"");
              }
              out[0] = new OutputStreamWriter(exchange.body(), StandardCharsets.UTF_8);
              csv = new Csv(out[0]);
              if (!arguments.get("_header", "").equals("off")) {
                csv.row(names);
              }
            }

            @Override
            public boolean row(Object[] values) throws IOException, SQLException {
              if (rows == most && most > 0) {
                return false;
              }
              rows++;
              if (access.rows() > 0 && rows > access.rows()) {
                throw new SQLException(
                    "The result has more than " + access.rows() + " rows, the server's limit",
                    "54000");
              }
              for (int i = 0; i < values.length; i++) {
                if (values[i] instanceof byte[]) {
                  values[i] = blobs.of(columns, values, i);
                }
              }
              csv.row(Arrays.asList(values));
              return true;
            }
          });
      if (out[0] != null) {
        out[0].close();
      }
    } catch (SQLException e) {
      if (out[0] == null) {
        throw e;
      }
      // Its status is out already: what came is not to be taken for the whole.
      exchange.abort();
    }
  }

  /** A name that can't end the header which it stands in. */
  static String fileName(String name) {
    return name.replaceAll("[^A-Za-z0-9._-]", "-");
  }

  static String sha256(byte[] blob) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(blob));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** {@code .blob}: the bytes of a column, of the row with the hash or of the first. */
  static void blob(Exchange exchange, Work.Result result, Arguments arguments, String name)
      throws IOException, Refusal {
    String wanted = arguments.get("_blob_column");
    if (wanted == null) {
      throw Refusal.bad("?_blob_column= is required");
    }
    int column = result.columns().indexOf(wanted);
    if (column < 0) {
      throw Refusal.bad(wanted + " is not a valid column");
    }
    String hash = arguments.get("_blob_hash");
    byte[] found = null;
    for (Object[] row : result.rows()) {
      byte[] blob = bytes(row[column]);
      if (hash == null || hash.equals(sha256(blob))) {
        found = blob;
        break;
      }
    }
    if (found == null) {
      throw Refusal.bad(
          "Link has expired - the requested binary content has changed or could not be found.");
    }
    exchange.status(200);
    exchange.header("Content-Type", "application/binary");
    String file = fileName(name + "-" + wanted + (hash == null ? "" : "-" + hash.substring(0, 6)));
    exchange.header("Content-Disposition", "attachment; filename=\"" + file + ".blob\"");
    exchange.body().write(found);
  }

  private static byte[] bytes(Object value) {
    if (value == null) {
      return new byte[0];
    }
    return value instanceof byte[] blob
        ? blob
        : JsonAnswer.text(value).getBytes(StandardCharsets.UTF_8);
  }
}
