/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sqlite.Identifiers;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The points of a map: some rows of a table, evenly chosen, their vectors in two dimensions. */
final class Points {
  /** Rows that are drawn, where nothing else is asked for. */
  static final int MANY = 4000;

  static final int MOST = 5000;
  private static final int COLOURS = 8;

  private Points() {}

  /** {@code /db/table/-/map.json}. */
  static void json(
      Exchange exchange, Work work, Catalog catalog, Catalog.Table table, Arguments arguments)
      throws IOException, SQLException, Refusal {
    Catalog.Index index = index(table);
    work.use(table.database());
    int most = (int) Math.min(MOST, Math.max(2, arguments.number("_size", MANY)));
    long start = System.nanoTime();
    Work.Result count =
        work.quietly(
            "select count("
                + Identifiers.quote(index.embedding())
                + ") from "
                + Identifiers.quote(table.name()),
            List.of(),
            null);
    long rows = ((Number) count.rows().get(0)[0]).longValue();
    Vectors.Names names = Vectors.names(work, catalog, table);
    String colour = arguments.get("colour", "");
    Sample sample = Sample.of(work, table, rows, most);
    Projection projection = Projection.of(sample.vectors, work::isGone);
    if (work.isGone()) {
      throw new Work.GoneException();
    }
    Map<Object, Object[]> told = told(work, table, names, colour, sample.ids);
    Map<Object, Integer> kinds = kinds(told, sample.ids);
    exchange.status(200);
    exchange.header("Content-Type", JsonAnswer.TYPE);
    try (JsonGenerator out = JsonAnswer.generator(exchange.body())) {
      out.writeStartObject();
      out.writeBooleanField("ok", true);
      out.writeNumberField("rows", rows);
      out.writeNumberField("share", Math.round(projection.share() * 1000) / 1000.0);
      out.writeNumberField("ms", Math.round((System.nanoTime() - start) / 1e6));
      out.writeArrayFieldStart("kinds");
      for (Object kind : kinds.keySet()) {
        out.writeString(kind == null ? "NULL" : JsonAnswer.text(kind));
      }
      out.writeEndArray();
      out.writeArrayFieldStart("points");
      for (int i = 0; i < sample.ids.size(); i++) {
        Object id = sample.ids.get(i);
        Object[] about = told.get(key(id));
        out.writeStartArray();
        out.writeNumber(rounded(projection.x()[i]));
        out.writeNumber(rounded(projection.y()[i]));
        out.writeString(JsonAnswer.text(id));
        String name = about == null || about[1] == null ? "" : JsonAnswer.text(about[1]);
        out.writeString(name.length() > 80 ? name.substring(0, 79) + "…" : name);
        Integer kind = about == null || colour.isEmpty() ? null : kinds.get(about[2]);
        out.writeNumber(kind == null ? kinds.size() : kind);
        out.writeEndArray();
      }
      out.writeEndArray();
      out.writeEndObject();
    }
  }

  private static float rounded(double value) {
    return (float) (Math.round(value * 1e5) / 1e5);
  }

  /** A table's index; 404 for a table that has none. */
  static Catalog.Index index(Catalog.Table table) throws Refusal {
    if (table.index() == null) {
      throw Refusal.notFound(table.name() + " has no index, so there is no map of it");
    }
    return table.index();
  }

  /** Ids of Integer and of Long are alike. */
  private static Object key(Object id) {
    return id instanceof Number number && !(id instanceof Double)
        ? (Object) number.longValue()
        : id;
  }

  /** The most frequent values of the colour's column, most frequent first, with their numbers. */
  private static Map<Object, Integer> kinds(Map<Object, Object[]> told, List<Object> ids) {
    Map<Object, Integer> counts = new HashMap<>();
    for (Object id : ids) {
      Object[] about = told.get(key(id));
      if (about != null && about.length > 2) {
        counts.merge(about[2], 1, Integer::sum);
      }
    }
    Map<Object, Integer> kinds = new LinkedHashMap<>();
    counts.entrySet().stream()
        .sorted(
            Map.Entry.<Object, Integer>comparingByValue()
                .reversed()
                .thenComparing(entry -> String.valueOf(entry.getKey())))
        .limit(COLOURS)
        .forEach(entry -> kinds.put(entry.getKey(), kinds.size()));
    return kinds;
  }

  /** For each id: the id, a name, and the value that colours it. */
  private static Map<Object, Object[]> told(
      Work work, Catalog.Table table, Vectors.Names names, String colour, List<Object> ids)
      throws SQLException, IOException, Refusal {
    Map<Object, Object[]> told = new HashMap<>();
    Catalog.Index index = table.index();
    String from = names == null ? table.name() : names.table();
    String key = names == null ? index.id() : names.key();
    List<String> columns = new ArrayList<>();
    columns.add(Identifiers.quote(key));
    columns.add(names == null ? "null" : Identifiers.quote(names.label()));
    if (!colour.isEmpty()) {
      boolean known = false;
      for (Catalog.Column column : new Catalog(work).table(table.database(), from).columns()) {
        known |= column.name().equals(colour) && !column.isBlob();
      }
      if (!known) {
        throw Refusal.bad("no such column to colour by: " + colour);
      }
      columns.add(Identifiers.quote(colour));
    }
    for (int at = 0; at < ids.size(); at += 500) {
      List<Object> some = ids.subList(at, Math.min(ids.size(), at + 500));
      String sql =
          "select "
              + String.join(", ", columns)
              + " from "
              + Identifiers.quote(from)
              + " where "
              + Identifiers.quote(key)
              + " in ("
              + String.join(", ", java.util.Collections.nCopies(some.size(), "?"))
              + ")";
      for (Object[] row : work.quietly(sql, some, null).rows()) {
        told.put(key(row[0]), row);
      }
    }
    return told;
  }

  /** Rows chosen evenly in the order of their ids, with vectors of the commonest length. */
  private static final class Sample {
    private final List<Object> ids = new ArrayList<>();
    private final List<float[]> vectors = new ArrayList<>();

    static Sample of(Work work, Catalog.Table table, long rows, int most)
        throws SQLException, IOException {
      Catalog.Index index = table.index();
      String id = Identifiers.quote(index.id());
      String vector = Identifiers.quote(index.embedding());
      String from =
          " from " + Identifiers.quote(table.name()) + " where " + vector + " is not null";
      Sample all = new Sample();
      if (rows <= most) {
        work.stream("select " + id + ", " + vector + from, List.of(), most, null, all.sink());
      } else {
        List<Object> chosen = new ArrayList<>();
        long[] at = new long[1];
        work.stream(
            "select " + id + from + " order by " + id,
            List.of(),
            0,
            null,
            new Work.Sink() {
              @Override
              public void columns(List<String> names, List<String> types) {}

              @Override
              public boolean row(Object[] values) {
                // The i-th of most begins where i × rows / most does.
                if (at[0] * most / rows != (at[0] - 1) * most / rows || at[0] == 0) {
                  chosen.add(values[0]);
                }
                at[0]++;
                return true;
              }
            });
        for (int i = 0; i < chosen.size(); i += 500) {
          List<Object> some = chosen.subList(i, Math.min(chosen.size(), i + 500));
          String marks = String.join(", ", java.util.Collections.nCopies(some.size(), "?"));
          work.stream(
              "select " + id + ", " + vector + from + " and " + id + " in (" + marks + ")",
              some,
              0,
              null,
              all.sink());
        }
      }
      all.keepCommonest();
      return all;
    }

    private Work.Sink sink() {
      return new Work.Sink() {
        @Override
        public void columns(List<String> names, List<String> types) {}

        @Override
        public boolean row(Object[] values) {
          float[] read = read(values[1]);
          if (read != null && values[0] != null) {
            ids.add(values[0]);
            vectors.add(read);
          }
          return true;
        }
      };
    }

    private static float[] read(Object value) {
      try {
        float[] vector =
            value instanceof byte[] blob
                ? io.github.calcitefaiss.index.VectorCodec.decode(blob)
                : null;
        return vector == null || vector.length == 0 ? null : vector;
      } catch (VectorException e) {
        // A row that can't be searched is not on the map either.
        return null;
      }
    }

    private void keepCommonest() {
      Map<Integer, Integer> lengths = new HashMap<>();
      vectors.forEach(vector -> lengths.merge(vector.length, 1, Integer::sum));
      int commonest =
          lengths.entrySet().stream()
              .max(Map.Entry.<Integer, Integer>comparingByValue().thenComparing(Map.Entry::getKey))
              .map(Map.Entry::getKey)
              .orElse(0);
      for (int i = vectors.size() - 1; i >= 0; i--) {
        if (vectors.get(i).length != commonest) {
          vectors.remove(i);
          ids.remove(i);
        }
      }
    }
  }
}
