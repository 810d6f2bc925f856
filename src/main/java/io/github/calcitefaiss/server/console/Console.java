/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.run.Release;
import java.io.IOException;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds what an address means, and answers. */
public final class Console implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Console.class);
  private static final String OWN = "-";

  private final Access access;
  private final boolean cors;
  private final Assets assets;
  private final Pages pages;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> Daemons.thread("calcite-faiss-console-timer", task));

  /**
   * Creates it.
   *
   * @param cors whether pages of other sites may read its JSON and CSV
   */
  public Console(Access access, boolean cors) {
    this(access, cors, new Assets());
  }

  private Console(Access access, boolean cors, Assets assets) {
    this.access = access;
    this.cors = cors;
    this.assets = assets;
    pages = new Pages(assets);
  }

  /**
   * Makes ready what the first requests need, without a word in the log; it may take a second or
   * two in a process that begins.
   *
   * @param database the one whose pages are tried
   */
  public void rehearse(String database) {
    try (Console silent = new Console(new Rehearsal.Silent(access), false, assets)) {
      Rehearsal.of(silent, assets, database);
    } catch (IOException | RuntimeException e) {
      // The first person waits a little longer, then.
      LOG.debug("rehearsal", e);
    }
  }

  /** Answers a request. */
  public void answer(Exchange exchange) throws IOException {
    Address address = Address.of(exchange.path());
    headers(exchange, address);
    JsonAnswer.Generation generation =
        address.parts().size() == 3 && address.parts().get(1).equals(OWN)
            ? JsonAnswer.Generation.ONE
            : JsonAnswer.Generation.STABLE;
    try {
      if (!exchange.method().equals("GET") && !exchange.method().equals("HEAD")) {
        exchange.header("Allow", "GET, HEAD");
        throw new Refusal(405, null, "Method not allowed");
      }
      Arguments arguments = Arguments.of(exchange.query());
      cache(exchange, arguments);
      route(exchange, address, arguments);
    } catch (Work.GoneException e) {
      exchange.abort();
    } catch (Refusal e) {
      refuse(exchange, address, generation, e);
    } catch (SQLException e) {
      refuse(exchange, address, generation, Failures.of(e));
    }
  }

  private void headers(Exchange exchange, Address address) {
    exchange.header("X-Content-Type-Options", "nosniff");
    exchange.header("Referrer-Policy", "no-referrer");
    exchange.header("Cross-Origin-Resource-Policy", cors ? "cross-origin" : "same-origin");
    if (cors && !address.format().isEmpty()) {
      exchange.header("Access-Control-Allow-Origin", "*");
      exchange.header("Access-Control-Expose-Headers", "Link");
    }
  }

  private static void cache(Exchange exchange, Arguments arguments) {
    String ttl = arguments.get("_ttl", "");
    boolean given = ttl.matches("[0-9]{1,9}") && !ttl.equals("0");
    String whose = exchange.user() == null ? "" : "private, ";
    exchange.header("Cache-Control", given ? whose + "max-age=" + ttl : "no-cache");
  }

  private void refuse(
      Exchange exchange, Address address, JsonAnswer.Generation generation, Refusal refusal)
      throws IOException {
    exchange.header("Cache-Control", "no-store");
    if (refusal.status() == 503) {
      exchange.header("Retry-After", "1");
    }
    if (address.format().isEmpty()) {
      String title = refusal.title() == null ? "Not this way" : refusal.title();
      Page page = pages.page(exchange, refusal.status() == 404 ? "Nothing here" : title, null, "");
      Page plain = new Page(page.title(), List.of(), page.user(), page.assets(), null);
      pages.write(
          exchange,
          refusal.status(),
          out -> JteerrorGenerated.render(out, null, plain, refusal.getMessage()));
      return;
    }
    JsonAnswer.error(exchange, generation, refusal, Map.of());
  }

  private void route(Exchange exchange, Address address, Arguments arguments)
      throws IOException, SQLException, Refusal {
    List<String> parts = address.parts();
    if (!parts.isEmpty() && parts.get(0).equals(OWN)) {
      own(exchange, address);
      return;
    }
    try (Work work = new Work(exchange, access, timer)) {
      Catalog catalog = new Catalog(work);
      if (parts.isEmpty()) {
        home(exchange, work, catalog.databases());
        return;
      }
      String database = catalog.database(parts.get(0));
      work.use(database);
      boolean own = parts.size() == 3 && parts.get(1).equals(OWN);
      if (parts.size() == 1) {
        statement(exchange, work, address, database, arguments, JsonAnswer.Generation.STABLE);
      } else if (own && parts.get(2).equals("query")) {
        statement(exchange, work, address, database, arguments, JsonAnswer.Generation.ONE);
      } else if (own && parts.get(2).equals("complete") && address.format().equals("json")) {
        Completion.json(exchange, work, database);
      } else if (parts.size() == 2) {
        table(exchange, work, address, catalog.table(database, parts.get(1)), arguments);
      } else if (parts.size() == 3 && !own) {
        row(exchange, work, address, catalog.table(database, parts.get(1)), arguments);
      } else if (parts.size() == 4 && parts.subList(2, 4).equals(List.of(OWN, "map"))) {
        map(exchange, work, address, catalog.table(database, parts.get(1)), arguments);
      } else {
        throw Refusal.notFound("Not found");
      }
    }
  }

  private void home(Exchange exchange, Work work, List<String> databases)
      throws IOException, SQLException, Refusal {
    HomePage model =
        HomePage.of(
            work, pages.page(exchange, "calcite-faiss", "/-/databases.json"), databases, false);
    pages.write(exchange, 200, out -> JtehomeGenerated.render(out, null, model));
  }

  private void map(
      Exchange exchange, Work work, Address address, Catalog.Table table, Arguments arguments)
      throws IOException, SQLException, Refusal {
    Catalog catalog = new Catalog(work);
    if (address.format().equals("json")) {
      Points.json(exchange, work, catalog, table, arguments);
      return;
    } else if (!address.format().isEmpty()) {
      throw Refusal.notFound("Not found");
    }
    MapPage model = MapPage.of(work, pages, exchange, catalog, table, arguments);
    pages.write(exchange, 200, out -> JtemapGenerated.render(out, null, model));
  }

  private void statement(
      Exchange exchange,
      Work work,
      Address address,
      String database,
      Arguments arguments,
      JsonAnswer.Generation generation)
      throws IOException, SQLException, Refusal {
    String sql = arguments.get("sql", "");
    boolean one = generation == JsonAnswer.Generation.ONE;
    switch (address.format()) {
      case "json" -> {
        if (sql.isBlank() && !one) {
          Tables.database(exchange, work, database);
        } else {
          Statements.json(exchange, work, access, database, arguments, generation);
        }
      }
      case "csv" -> {
        required(sql);
        List<String> values = Statements.values(Statements.parameters(sql), arguments);
        String blobs = own(exchange, address, ".blob");
        Statements.csv(
            exchange,
            work,
            access,
            database,
            arguments,
            new TableQuery.Text(sql, List.copyOf(values)),
            0,
            (columns, row, column) ->
                blobs
                    + arguments
                        .with("_blob_column", columns.get(column))
                        .with("_blob_hash", Statements.sha256((byte[]) row[column])));
      }
      case "blob" -> {
        required(sql);
        Work.Result result = Statements.run(work, access, sql, arguments);
        Statements.blob(exchange, result, arguments, database);
      }
      default -> {
        HomePage home = sql.isBlank() ? HomePage.of(work, null, List.of(database), true) : null;
        work.use(database);
        Page page = pages.page(exchange, database, null, database);
        StatementPage model = StatementPage.of(work, access, page, database, arguments, home);
        int status = model.error() == null ? 200 : 400;
        pages.write(exchange, status, out -> JtestatementGenerated.render(out, null, model));
      }
    }
  }

  private static void required(String sql) throws Refusal {
    if (sql.isBlank()) {
      throw Refusal.bad("?sql= is required");
    }
  }

  private void table(
      Exchange exchange, Work work, Address address, Catalog.Table table, Arguments arguments)
      throws IOException, SQLException, Refusal {
    switch (address.format()) {
      case "json" -> Tables.json(exchange, work, table, arguments, own(exchange, address, ".json"));
      case "csv" ->
          Tables.csv(exchange, work, access, table, arguments, own(exchange, address, ""));
      case "" -> {
        TablePage model = TablePage.of(work, pages, exchange, new Catalog(work), table, arguments);
        pages.write(exchange, 200, out -> JtetableGenerated.render(out, null, model));
      }
      default -> throw Refusal.notFound("Not found");
    }
  }

  private void row(
      Exchange exchange, Work work, Address address, Catalog.Table table, Arguments arguments)
      throws IOException, SQLException, Refusal {
    switch (address.format()) {
      case "json" -> Tables.rowJson(exchange, work, table, address.key(), arguments);
      case "blob" ->
          Statements.blob(
              exchange,
              Tables.row(work, table, address.key()),
              arguments,
              table.name() + "-" + address.last());
      case "" -> {
        RowPage model = RowPage.of(work, pages, exchange, new Catalog(work), table, address);
        pages.write(exchange, 200, out -> JterowGenerated.render(out, null, model));
      }
      default -> throw Refusal.notFound("Not found");
    }
  }

  /** The address that was asked for, whole, with another format. */
  private static String own(Exchange exchange, Address address, String format) {
    StringBuilder out = new StringBuilder(exchange.scheme()).append("://");
    out.append(exchange.header("Host") == null ? "localhost" : exchange.header("Host"));
    for (int i = 0; i < address.parts().size() - 1; i++) {
      out.append('/').append(part(address.parts().get(i)));
    }
    out.append('/').append(part(address.parts().get(address.parts().size() - 1)));
    return out.append(format).toString();
  }

  private static String part(String name) {
    return name.equals(OWN) ? OWN : Address.encode(name);
  }

  private void own(Exchange exchange, Address address) throws IOException, SQLException, Refusal {
    List<String> parts = address.parts();
    if (parts.size() == 4 && parts.get(1).equals("static") && address.format().isEmpty()) {
      assets.send(exchange, parts.get(3));
      return;
    }
    String what = String.join("/", parts.subList(1, parts.size()));
    if (address.format().equals("json") && what.equals("versions")) {
      Map<String, Object> product = new LinkedHashMap<>();
      product.put("version", Release.VERSION);
      product.put("name", Release.NAME);
      exchange.status(200);
      JsonAnswer.object(
          exchange,
          Map.of(
              "calcite_faiss", product, "java", Map.of("version", Runtime.version().toString())));
    } else if (address.format().equals("json") && what.equals("databases")) {
      exchange.status(200);
      try (Work work = new Work(exchange, access, timer)) {
        JsonAnswer.object(
            exchange, new Catalog(work).databases().stream().map(Console::describe).toList());
      }
    } else {
      throw Refusal.notFound("Not found");
    }
  }

  private static Map<String, Object> describe(String database) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", database);
    fields.put("route", Address.encode(database));
    fields.put("path", null);
    fields.put("size", 0);
    fields.put("is_mutable", true);
    fields.put("is_memory", false);
    fields.put("hash", null);
    return fields;
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
