/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.embed.Embedder;
import io.github.calcitefaiss.embed.EmbeddingModel;
import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteDatabase;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import io.github.calcitefaiss.sqlite.TableModels;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.calcite.sql.type.SqlTypeName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code search}: the rows nearest to a row, a vector or a text, as a table. */
@Command(
    name = "search",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Prints the rows nearest to a row, by its id; to a vector, as a JSON array; or to a text, by"
          + " an installed model.",
      "An argument that is some row's id is taken for that row."
    },
    footer = {"", "Example: search examples/packages.db 2133 -k 5"})
final class SearchCommand implements Callable<Integer> {
  private static final int MOST_LABELS = 4;

  @Parameters(index = "0", paramLabel = "DATABASE", description = "A SQLite file or a model.")
  private String target;

  @Parameters(index = "1", paramLabel = "QUERY", description = "An id, a JSON array or a text.")
  private String query;

  @Option(
      names = "-k",
      paramLabel = "N",
      defaultValue = "10",
      description = "How many rows; default ${DEFAULT-VALUE}.")
  private int k;

  @Option(
      names = "--table",
      paramLabel = "[SCHEMA.]TABLE",
      description = "The table to search, where several have an index.")
  private String table;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description =
          "The installed model for a text; by default the one that made the table, where that is"
              + " known, or the one that embed(text) takes.")
  private String model;

  @Spec private CommandSpec spec;

  private record Place(SqliteSchema schema, IndexedTable table) {
    @Override
    public String toString() {
      return schema.name() + "." + table.table();
    }
  }

  /** Columns that tell a person what a row is: of the table itself, or of the one it refers to. */
  private record Labels(String table, String key, List<String> columns) {}

  @Override
  public Integer call() throws Exception {
    try (Source source = Source.open(target)) {
      Place place = choose(source);
      try (SqliteDatabase.Lease lease = place.schema().database().snapshot(Checkpoint.NONE, null)) {
        Connection sqlite = lease.connection();
        Object vector = vector(sqlite, place);
        Labels labels = labels(sqlite, place);
        List<String> header = new ArrayList<>(List.of("rank", place.table().id(), "distance"));
        header.addAll(labels.columns());
        TextTable result = new TextTable(header, 50);
        neighbours(source.connection(), sqlite, place, vector, labels, result);
        result.print(
            spec.commandLine().getOut(), spec.commandLine().getColorScheme().ansi().enabled());
      }
    }
    return Main.OK;
  }

  private Place choose(Source source) throws SQLException, Main.CommandException {
    List<Place> all = new ArrayList<>();
    for (SqliteSchema schema : source.schemas()) {
      for (IndexedTable indexed : schema.indexedTables().list()) {
        all.add(new Place(schema, indexed));
      }
    }
    List<Place> fitting =
        all.stream()
            .filter(
                place ->
                    table == null
                        || table.equalsIgnoreCase(place.table().table())
                        || table.equalsIgnoreCase(place.toString()))
            .toList();
    if (fitting.size() > 1 && table == null) {
      // A view over the embeddings is nothing to choose from while there is the table itself.
      List<Place> tables = new ArrayList<>();
      for (Place place : fitting) {
        if (!place.schema().sqliteTable(place.table().table()).isView()) {
          tables.add(place);
        }
      }
      fitting = tables.isEmpty() ? fitting : tables;
    }
    if (fitting.size() == 1) {
      return fitting.get(0);
    }
    if (all.isEmpty()) {
      throw new Main.CommandException(
          "no table of " + target + " has an index; the command 'info' says why");
    }
    throw new Main.CommandException(
        (table == null
                ? "several tables have an index; choose with --table: "
                : fitting.isEmpty()
                    ? "no table '" + table + "' has an index; with an index: "
                    : "several schemas have a table '" + table + "'; choose with --table: ")
            + String.join(
                ", ", (fitting.isEmpty() ? all : fitting).stream().map(Place::toString).toList()));
  }

  private Object vector(Connection sqlite, Place place) throws SQLException, Main.CommandException {
    if (query.startsWith("[")) {
      return query;
    }
    String sql =
        String.format(
            Locale.ROOT,
            "SELECT %s FROM %s WHERE %s = ?",
            Identifiers.quote(place.table().embedding()),
            Identifiers.quote(place.table().table()),
            Identifiers.quote(place.table().id()));
    try (PreparedStatement statement = sqlite.prepareStatement(sql)) {
      for (Object id : ids()) {
        statement.setObject(1, id);
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            byte[] embedding = row.getBytes(1);
            if (embedding == null) {
              throw new Main.CommandException(
                  "the row of " + place + " with the id " + query + " has no vector");
            }
            return embedding;
          }
        }
      }
    }
    try {
      TableModels.Made made = place.schema().madeBy(place.table(), View.NOW);
      Embedder embedder = Embedder.ours();
      EmbeddingModel chosen =
          embedder.model(model != null ? model : made != null ? made.model() : null);
      return VectorCodec.encode(embedder.embed(chosen, query, Checkpoint.NONE).get());
    } catch (FaissException e) {
      throw new Main.CommandException(
          "no row of "
              + place
              + " has the id '"
              + query
              + "', and to search for a text: "
              + e.getMessage(),
          e);
    }
  }

  /** What the argument may be as an id: a number, if it looks like one, and a text. */
  private List<Object> ids() {
    List<Object> ids = new ArrayList<>();
    try {
      ids.add(Long.valueOf(query));
    } catch (NumberFormatException e) {
      // Then a text it is.
    }
    ids.add(query);
    return ids;
  }

  private static Labels labels(Connection sqlite, Place place) throws SQLException {
    SqliteTable own = place.schema().sqliteTable(place.table().table());
    List<String> columns = readable(own, place.table().id());
    if (!columns.isEmpty()) {
      return new Labels(own.name(), place.table().id(), columns);
    }
    try (PreparedStatement statement =
        sqlite.prepareStatement(
            "SELECT \"table\", \"to\" FROM pragma_foreign_key_list(?) WHERE \"from\" = ?"
                + " COLLATE NOCASE")) {
      statement.setString(1, own.name());
      statement.setString(2, place.table().id());
      try (ResultSet row = statement.executeQuery()) {
        if (row.next()) {
          SqliteTable parent = place.schema().sqliteTable(row.getString(1));
          String key = row.getString(2);
          if (parent != null && key == null) {
            key =
                parent.columns().stream()
                    .filter(column -> column.key() == 1)
                    .map(SqliteTable.Column::name)
                    .findFirst()
                    .orElse(null);
          }
          if (parent != null && key != null) {
            return new Labels(parent.name(), key, readable(parent, key));
          }
        }
      }
    }
    return new Labels(own.name(), place.table().id(), List.of());
  }

  private static List<String> readable(SqliteTable table, String key) {
    return table.columns().stream()
        .filter(column -> column.type() != SqlTypeName.VARBINARY)
        .map(SqliteTable.Column::name)
        .filter(name -> !name.equalsIgnoreCase(key))
        .limit(MOST_LABELS)
        .toList();
  }

  private void neighbours(
      Connection faiss,
      Connection sqlite,
      Place place,
      Object vector,
      Labels labels,
      TextTable result)
      throws SQLException {
    List<String> columns = labels.columns().stream().map(Identifiers::quote).toList();
    String label =
        columns.isEmpty()
            ? "SELECT 1 WHERE 0 AND ?"
            : String.format(
                Locale.ROOT,
                "SELECT %s FROM %s WHERE %s = ?",
                String.join(", ", columns),
                Identifiers.quote(labels.table()),
                Identifiers.quote(labels.key()));
    try (PreparedStatement search =
            faiss.prepareStatement(
                "select n.\"rank\", n.id, n.distance from table(faiss_neighbors(?, ?, ?, ?)) as n"
                    + " order by n.\"rank\"");
        PreparedStatement labelOf = sqlite.prepareStatement(label)) {
      search.setString(1, place.schema().name());
      search.setString(2, place.table().table());
      search.setObject(3, vector);
      search.setInt(4, k);
      try (ResultSet rows = search.executeQuery()) {
        while (rows.next()) {
          List<Object> cells = new ArrayList<>();
          cells.add(rows.getLong(1));
          cells.add(rows.getObject(2));
          cells.add(String.format(Locale.ROOT, "%.4f", rows.getDouble(3)));
          labelOf.setObject(1, rows.getObject(2));
          try (ResultSet row = labelOf.executeQuery()) {
            boolean found = row.next();
            for (int i = 1; i <= columns.size(); i++) {
              cells.add(found ? row.getString(i) : null);
            }
          }
          result.add(cells);
        }
      }
    }
  }
}
