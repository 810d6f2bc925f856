/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;
import schemacrawler.schema.Catalog;
import schemacrawler.schema.Column;
import schemacrawler.schema.ForeignKey;
import schemacrawler.schema.Table;
import schemacrawler.schemacrawler.LimitOptionsBuilder;
import schemacrawler.schemacrawler.LoadOptionsBuilder;
import schemacrawler.schemacrawler.SchemaCrawlerOptions;
import schemacrawler.schemacrawler.SchemaCrawlerOptionsBuilder;
import schemacrawler.schemacrawler.SchemaInfoLevelBuilder;
import schemacrawler.tools.utility.SchemaCrawlerUtility;
import us.fatehi.utility.datasource.DatabaseConnectionSources;

/** Tools and libraries that others made, on the driver: a crawler, a pool, Spring's templates. */
class ClientsTest {
  private static final String URL = "jdbc:faiss:examples/packages.db";

  private static final String NEIGHBOURS =
      "select p.name from faiss_neighbors('packages', 'embeddings',"
          + " (select embedding from docs where title = ?), 3) n"
          + " join packages p on p.id = n.id order by n.rank";

  /** Every warning of a library's while it is used. */
  private static final class Warnings extends Handler implements AutoCloseable {
    private final List<String> lines = new ArrayList<>();
    private final Logger root = Logger.getLogger("");

    private Warnings() {
      root.addHandler(this);
    }

    @Override
    public synchronized void publish(LogRecord record) {
      if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
        lines.add(record.getLoggerName() + ": " + record.getMessage() + " " + record.getThrown());
      }
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      root.removeHandler(this);
    }
  }

  @Test
  void schemaCrawlerReadsTheWholeCatalogueWithoutAWarning() throws Exception {
    SchemaCrawlerOptions everything =
        SchemaCrawlerOptionsBuilder.newSchemaCrawlerOptions()
            .withLimitOptions(LimitOptionsBuilder.builder().includeAllRoutines().toOptions())
            .withLoadOptions(
                LoadOptionsBuilder.builder()
                    .withSchemaInfoLevel(SchemaInfoLevelBuilder.maximum())
                    .toOptions());
    Catalog catalog;
    List<String> warnings;
    try (Connection connection = DriverManager.getConnection(URL);
        Warnings heard = new Warnings()) {
      catalog =
          SchemaCrawlerUtility.getCatalog(
              DatabaseConnectionSources.fromDataSource(
                  new SingleConnectionDataSource(connection, true)),
              everything);
      warnings = heard.lines;
    }
    assertEquals(List.of(), warnings);
    assertEquals("calcite-faiss", catalog.getDatabaseInfo().getDatabaseProductName());
    assertEquals(
        Set.of("docs", "embeddings", "packages", "packages_fts", "web_packages"),
        catalog.getTables().stream()
            .filter(table -> table.getSchema().getName().equals("packages"))
            .map(Table::getName)
            .collect(Collectors.toCollection(TreeSet::new)));
    Table embeddings = table(catalog, "embeddings");
    assertEquals("id", embeddings.getPrimaryKey().getConstrainedColumns().get(0).getName());
    ForeignKey reference = embeddings.getForeignKeys().iterator().next();
    assertEquals("packages", reference.getPrimaryKeyTable().getName());
    Table packages = table(catalog, "packages");
    assertFalse(column(packages, "name").isNullable());
    assertTrue(column(packages, "section").isNullable());
    assertFalse(packages.getIndexes().isEmpty());
    assertEquals(
        "view", table(catalog, "docs").getTableType().getTableType().toLowerCase(Locale.ROOT));
  }

  private static Table table(Catalog catalog, String name) {
    return catalog.getTables().stream()
        .filter(table -> table.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Column column(Table table, String name) {
    return table.getColumns().stream()
        .filter(column -> column.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aPoolLendsConnectionsToManyThreads() throws Exception {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(URL);
    config.setMaximumPoolSize(4);
    config.setReadOnly(true);
    config.setConnectionTimeout(120_000);
    ExecutorService threads = Executors.newFixedThreadPool(12);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      List<Future<String>> answers = new ArrayList<>();
      Callable<String> search =
          () -> {
            try (Connection connection = pool.getConnection();
                PreparedStatement statement = connection.prepareStatement(NEIGHBOURS)) {
              statement.setString(1, "nginx");
              StringBuilder names = new StringBuilder();
              try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                  names.append(rows.getString(1)).append(' ');
                }
              }
              return names.toString();
            }
          };
      for (int i = 0; i < 48; i++) {
        answers.add(threads.submit(search));
      }
      for (Future<String> answer : answers) {
        assertEquals("nginx nginx-extras libnginx-mod-http-upstream-fair ", answer.get());
      }
      assertTrue(pool.getHikariPoolMXBean().getTotalConnections() <= 4);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void springsTemplatesQueryWithParameters() {
    JdbcTemplate jdbc = new JdbcTemplate(new DriverManagerDataSource(URL));
    assertEquals(
        List.of("nginx", "nginx-extras", "libnginx-mod-http-upstream-fair"),
        jdbc.queryForList(NEIGHBOURS, String.class, "nginx"));
    byte[] vector =
        jdbc.queryForObject("select embedding from docs where title = 'git'", byte[].class);
    assertNotNull(vector);
    assertEquals(384 * 4, vector.length);
    Map<String, Object> row =
        jdbc.queryForMap(
            "select faiss_search('packages', 'embeddings', ?, 1) as ids, vector_dims(?) as dims",
            vector,
            vector);
    assertEquals(384L, ((Number) row.get("dims")).longValue());
    assertTrue(((String) row.get("ids")).matches("\\[\\d+\\]"));
    var named = new NamedParameterJdbcTemplate(jdbc);
    assertEquals(
        List.of("git"),
        named.queryForList(
            "select name from packages where name = :name or id = :id",
            Map.of("name", "git", "id", -1),
            String.class));
  }
}
