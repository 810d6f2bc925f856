/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.IndexCache;
import io.github.calcitefaiss.index.IndexFile;
import io.github.calcitefaiss.index.KeptColumns;
import io.github.calcitefaiss.index.MemoryLimitException;
import io.github.calcitefaiss.index.MemorySize;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.run.Execution;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.HowFar;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a table's vectors from SQLite into an index. */
final class IndexLoader implements IndexCache.Source {
  private static final Logger LOGGER = LoggerFactory.getLogger(IndexLoader.class);

  /** How often a load that takes long says how far it is; a shorter one says nothing. */
  private static final long NANOS_A_LOG_LINE = 2_000_000_000L;

  /** Smaller tables are coded at the end: there is nothing to be won. */
  private static final long LEAST_ELEMENTS_TO_SAMPLE = 1 << 22;

  private static final int SAMPLE = 256;

  private static final String OF_DOUBLES = "; its bytes look like float64";

  private static final int ROWS_A_LOOK_AT_THE_CLOCK = 4096;

  /** No vector is longer, so a longer value is never read. */
  private static final int LONGEST_BLOB = 4 << 20;

  /** No vector written as JSON is longer. */
  private static final int LONGEST_TEXT = 32 << 20;

  private final Execution.Snapshot<SqliteDatabase.Lease> snapshot;
  private final SqliteDatabase.Lease lease;
  private final String schema;
  private final IndexedTable table;
  private final IndexOptions options;

  /** The columns that may be kept; asked for when first needed. */
  private List<KeptColumns.Wanted> wanted;

  /** Those that are read with the vectors; the others are when a filter asks for them. */
  private List<KeptColumns.Wanted> columns = List.of();

  IndexLoader(
      Execution.Snapshot<SqliteDatabase.Lease> snapshot,
      String schema,
      IndexedTable table,
      IndexOptions options) {
    this.snapshot = snapshot;
    this.lease = snapshot.lease();
    this.schema = schema;
    this.table = table;
    this.options = options;
  }

  @Override
  public void handOver(BooleanSupplier abandoned) {
    snapshot.handOver(abandoned);
  }

  @Override
  public void close() {
    snapshot.close();
  }

  @Override
  public IndexCache.Entry load(
      Checkpoint checkpoint, IndexCache.Memory memory, IndexCache.Entry previous)
      throws SQLException {
    try {
      long expected = expectedRows(lease.connection());
      boolean canLeave =
          options.staleNanos() == 0 && StoredVectors.canRead(lease.connection(), table);
      if (!(options.codesOnly() && canLeave)) {
        try {
          return load(expected, false, checkpoint, memory, previous);
        } catch (MemoryLimitException e) {
          if (!canLeave) {
            throw e;
          }
        }
        LOGGER.info(
            "{}.{}: its vectors don't fit the limit of {}, and are read from the file",
            schema,
            table.table(),
            MemorySize.format(memory.limit()));
      }
      return options.snapshots() == null || !canLeave
          ? load(expected, true, checkpoint, memory, previous)
          : fromSnapshot(expected, checkpoint, memory, previous);
    } catch (MemoryLimitException e) {
      throw tooLarge(e instanceof TooLarge known ? known.bytes : -1, e.limit());
    } catch (SQLException e) {
      throw lease.database().unreadable(e);
    }
  }

  /** The index in the snapshot of this version, if there is one; else one is made of it. */
  private IndexCache.Entry fromSnapshot(
      long expected, Checkpoint checkpoint, IndexCache.Memory memory, IndexCache.Entry previous)
      throws SQLException {
    long start = System.nanoTime();
    IndexSnapshots file =
        IndexSnapshots.of(
            options.snapshots(), table, options.columns(), lease.database(), lease.version());
    Charged charged = new Charged(memory);
    IndexFile.Content content = file == null ? null : file.read(charged, checkpoint);
    if (content == null) {
      charged.giveBack();
      IndexCache.Entry entry = load(expected, true, checkpoint, memory, previous);
      if (file != null && entry.mixed() == null) {
        file.write(entry.index(), entry.skipped());
      }
      return entry;
    }
    KeptColumns.Wanted ids = options.columns().id(lease.connection(), table);
    return new IndexCache.Entry(
        lease.version(),
        ids == null ? content.index() : content.index().withIds(ids),
        charged.bytes,
        content.skipped(),
        System.nanoTime() - start,
        System.currentTimeMillis());
  }

  private IndexCache.Entry load(
      long expected,
      boolean codesOnly,
      Checkpoint checkpoint,
      IndexCache.Memory memory,
      IndexCache.Entry previous)
      throws SQLException {
    Charged charged = new Charged(memory);
    int rows = (int) Math.min(expected, Integer.MAX_VALUE);
    try (DimensionBuilders builders = new DimensionBuilders(rows, charged)) {
      if (codesOnly) {
        builders.keepCodesOnly();
      }
      if (wanted == null) {
        wanted = options.columns().of(lease.connection(), table);
      }
      // A snapshot has the columns, too: what opens at once asks nothing of the table.
      columns = codesOnly && options.snapshots() != null ? wanted : List.of();
      if (!columns.isEmpty()) {
        boolean all = options.columns().named();
        builders.keepColumns(() -> new KeptColumns.Builder(columns, all, charged::chargeColumns));
        charged.builders = builders;
      }
      return read(builders, expected, checkpoint, charged, previous);
    } catch (MemoryLimitException e) {
      charged.giveBack();
      throw e;
    }
  }

  /** What a load holds, so that it can be given back for another one. */
  private static final class Charged implements IndexCache.Memory {
    private final IndexCache.Memory memory;
    private DimensionBuilders builders;
    private long bytes;

    private Charged(IndexCache.Memory memory) {
      this.memory = memory;
    }

    @Override
    public long limit() {
      return memory.limit();
    }

    /** Vectors go before columns. */
    @Override
    public void charge(long more) {
      try {
        memory.charge(more);
      } catch (MemoryLimitException e) {
        if (builders == null || !builders.giveUpColumns()) {
          throw e;
        }
        charge(more);
        return;
      }
      bytes += more;
    }

    private void chargeColumns(long more) {
      memory.charge(more);
      bytes += more;
    }

    private void giveBack() {
      memory.charge(-bytes);
      bytes = 0;
    }
  }

  private IndexCache.Entry read(
      DimensionBuilders builders,
      long expected,
      Checkpoint checkpoint,
      IndexCache.Memory memory,
      IndexCache.Entry previous)
      throws SQLException {
    long start = System.nanoTime();
    Connection connection = lease.connection();
    long skipped = 0;
    // SQLite tells that something was committed, not what: rows are read again, and as long as
    // they are those of the index there is, nothing is built.
    FlatIndex known = previous == null || previous.mixed() != null ? null : previous.index();
    int same = 0;
    // Whether vectors are JSON text, once that is known: a table has either, as one type.
    Boolean json = null;
    int onlyDims = table.skipBadRows() ? MixedDimensions.usual(connection, table) : 0;
    if (known != null && onlyDims > 0 && onlyDims != known.dims()) {
      known = null;
    }
    try (PreparedStatement statement =
            connection.prepareStatement(query(builders.keepsCodesOnly()) + sorted(connection));
        ResultSet rows = statement.executeQuery()) {
      long row = 0;
      long said = start;
      while (rows.next()) {
        checkpoint.check();
        if (++row % ROWS_A_LOOK_AT_THE_CLOCK == 0 && System.nanoTime() - said > NANOS_A_LOG_LINE) {
          said = System.nanoTime();
          LOGGER.info("{}.{}: {}", schema, table.table(), HowFar.rows(row, expected, said - start));
        }
        Object embedding = rows.getObject(2);
        if (embedding == null) {
          skipped++;
          continue;
        }
        Object id = id(rows.getObject(1));
        String problem = null;
        try {
          if (embedding instanceof String text && json != Boolean.FALSE) {
            embedding = parse(text);
            json = embedding instanceof byte[] ? Boolean.TRUE : json;
          } else if (embedding instanceof byte[]) {
            if (json == Boolean.TRUE) {
              problem =
                  "its " + table.embedding() + " is a BLOB, expected a JSON array as in other rows";
            }
            json = json == null ? Boolean.FALSE : json;
          }
        } catch (VectorException e) {
          problem = "its " + table.embedding() + " is refused: " + e.getMessage();
        }
        if (known != null) {
          if (id != null && embedding instanceof byte[] blob && known.holds(same, id, blob)) {
            same++;
            addColumns(builders.columns(known.dims()), rows, builders.keepsCodesOnly());
            continue;
          }
          if (same > 0) {
            begin(builders, connection, expected, known.dims(), memory);
          }
          copy(known, same, builders, checkpoint);
          known = null;
        }
        if (builders.isEmpty() && embedding instanceof byte[] blob) {
          begin(builders, connection, expected, blob.length / 4, memory);
        }
        problem = problem == null ? add(builders, id, embedding, onlyDims) : problem;
        if (problem == null) {
          if (builders.keepsCodesOnly()) {
            builders.rowid(rows.getLong(3));
          }
          addColumns(builders.columns(), rows, builders.keepsCodesOnly());
          continue;
        }
        if (!table.skipBadRows()) {
          throw badRow(id, row, problem);
        }
        skipped++;
      }
    }
    if (known != null && same < known.size()) {
      copy(known, same, builders, checkpoint);
      known = null;
    }
    long idBytes = builders.idBytes();
    boolean unchanged = known != null;
    long bytesBefore = 0;
    if (unchanged) {
      bytesBefore = previous.bytes() - (known.columns().bytes() - known.laterBytes());
      known = known.with(builders.keptColumns(known.dims()));
    }
    KeptColumns.Wanted ids = options.columns().id(connection, table);
    List<FlatIndex> indexes =
        (unchanged ? List.of(known) : builders.build())
            .stream()
                .map(built -> columns.isEmpty() ? built.with(KeptColumns.later(wanted)) : built)
                .map(built -> ids == null ? built : built.withIds(ids))
                .toList();
    FlatIndex index = indexes.get(0);
    long nanos = System.nanoTime() - start;
    String indexed =
        String.format(
            Locale.ROOT,
            "%s.%s: %d rows of %s dimensions %s in %d ms, %d skipped",
            schema,
            table.table(),
            indexes.stream().mapToLong(FlatIndex::size).sum(),
            String.join(" or ", indexes.stream().map(i -> String.valueOf(i.dims())).toList()),
            unchanged ? "found unchanged" : "indexed",
            nanos / 1_000_000,
            skipped);
    if (nanos > NANOS_A_LOG_LINE) {
      LOGGER.info(indexed);
    } else {
      LOGGER.debug(indexed);
    }
    return new IndexCache.Entry(
        lease.version(),
        index,
        unchanged
            ? bytesBefore + index.columns().bytes()
            : indexes.stream().mapToLong(FlatIndex::bytes).sum() + idBytes,
        skipped,
        nanos,
        System.currentTimeMillis(),
        indexes.size() == 1 ? null : MixedDimensions.of(connection, schema, table, indexes));
  }

  private static void addColumns(KeptColumns.Builder columns, ResultSet row, boolean rowid)
      throws SQLException {
    if (columns != null) {
      ColumnsToKeep.add(columns, row, rowid ? 4 : 3);
    }
  }

  private static Object parse(String json) {
    String text = json.strip();
    // What isn't meant as a vector is said to be text, below.
    return text.startsWith("[") ? VectorCodec.encode(VectorJson.parse(text)) : json;
  }

  /** What comes before the first row: whether there is room, and what the rows will be like. */
  private void begin(
      DimensionBuilders builders,
      Connection connection,
      long expected,
      int dims,
      IndexCache.Memory memory)
      throws SQLException {
    checkSize(connection, expected, dims, builders.keepsCodesOnly(), memory.limit());
    if (dims > 0 && expected >= LEAST_ELEMENTS_TO_SAMPLE / dims) {
      builders.sample(sample(connection, expected));
    }
  }

  /** Vectors from all over a table with rowids; none where its rowids are no guide. */
  private List<byte[]> sample(Connection connection, long greatest) throws SQLException {
    String e = Identifiers.quote(table.embedding());
    String small = "typeof(" + e + ") = 'blob' AND length(" + e + ") <= " + LONGEST_BLOB;
    String sql =
        "SELECT rowid, CASE WHEN "
            + small
            + " THEN "
            + e
            + " END"
            + from()
            + " WHERE rowid >= ? ORDER BY rowid LIMIT 1";
    Map<Long, byte[]> found = new HashMap<>();
    if (hasColumn(connection, "rowid")) {
      // Not the key that makes each of these steps a look-up.
      return List.of();
    }
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      long least = Long.MIN_VALUE;
      for (int i = 0; i < SAMPLE; i++) {
        statement.setLong(1, i == 0 ? least : least + (greatest - least) / SAMPLE * i);
        try (ResultSet row = statement.executeQuery()) {
          if (row.next()) {
            least = i == 0 ? Math.max(0, row.getLong(1)) : least;
            byte[] blob = row.getBytes(2);
            if (blob != null) {
              found.put(row.getLong(1), blob);
            }
          }
        }
      }
    }
    return found.size() < SAMPLE / 4 ? List.of() : List.copyOf(found.values());
  }

  private boolean hasColumn(Connection connection, String name) throws SQLException {
    String sql = "SELECT 1 FROM pragma_table_xinfo(?) WHERE name = ? COLLATE NOCASE";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, table.table());
      statement.setString(2, name);
      try (ResultSet row = statement.executeQuery()) {
        return row.next();
      }
    }
  }

  /** Takes the first rows of another version's index. */
  private static void copy(FlatIndex from, int rows, DimensionBuilders to, Checkpoint checkpoint) {
    for (int row = 0; row < rows; row++) {
      checkpoint.check();
      to.add(from.id(row), VectorCodec.encode(from.vector(row)));
    }
  }

  /**
   * What can be no vector comes as a number: the bytes of too long a blob, the characters of too
   * long a text, negative, and 0.5 for a number.
   */
  private String query(boolean rowid) {
    String e = Identifiers.quote(table.embedding());
    String length = "length(" + e + ")";
    return "SELECT "
        + Identifiers.quote(table.id())
        + ", CASE typeof("
        + e
        + ") WHEN 'blob' THEN CASE WHEN "
        + length
        + (" > " + LONGEST_BLOB + " THEN ")
        + length
        + " ELSE "
        + e
        + " END WHEN 'text' THEN CASE WHEN "
        + length
        + (" > " + LONGEST_TEXT + " THEN -")
        + length
        + " ELSE "
        + e
        + " END WHEN 'null' THEN NULL ELSE 0.5 END"
        + (rowid ? ", rowid" : "")
        + String.join("", columns.stream().map(c -> ", " + options.columns().read(c)).toList())
        + from();
  }

  /**
   * Of a table of sqlite-vec, many rows are in one blob, which SQLite reads once for all of them if
   * it reads all before the first row is wanted.
   */
  private String sorted(Connection connection) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT 1 FROM temp.sqlite_schema WHERE name = ?")) {
      statement.setString(1, table.table());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? " ORDER BY +" + Identifiers.quote(table.id()) : "";
      }
    }
  }

  /** An upper bound on the rows, where there is one at hand. */
  private long expectedRows(Connection connection) {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT max(rowid)" + from())) {
      return Math.max(0, row.getLong(1));
    } catch (SQLException e) {
      // A view, or a table WITHOUT ROWID.
      return 0;
    }
  }

  /** Refuses a table that can't fit, before others are put out for it. */
  private void checkSize(
      Connection connection, long expected, int dims, boolean codesOnly, long limit)
      throws SQLException {
    if (expected > 0 && bytes(expected, dims, codesOnly) > limit) {
      long bytes = bytes(count(connection), dims, codesOnly);
      if (bytes > limit) {
        throw new TooLarge(bytes, limit);
      }
    }
  }

  private static long bytes(long rows, int dims, boolean codesOnly) {
    return codesOnly ? FlatIndex.bytesOfCodes(rows, dims) : FlatIndex.bytesEstimate(rows, dims);
  }

  /** A table that is known not to fit before it is read. */
  private static final class TooLarge extends MemoryLimitException {
    private static final long serialVersionUID = 1;

    private final long bytes;

    private TooLarge(long bytes, long limit) {
      super(limit);
      this.bytes = bytes;
    }
  }

  private long count(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*)" + from())) {
      return row.getLong(1);
    }
  }

  private FaissException tooLarge(long bytes, long limit) {
    return new FaissException(
        SqlState.MEMORY,
        "table "
            + schema
            + "."
            + table.table()
            + " needs "
            + (bytes < 0 ? "more memory than is left" : MemorySize.format(bytes))
            + "; limit "
            + MemorySize.format(limit)
            + " (operand memoryLimit, or for all databases the system property "
            + IndexCache.LIMIT
            + "; the heap is "
            + MemorySize.format(Runtime.getRuntime().maxMemory())
            + ")");
  }

  /** Adds a row, or says what is wrong with it. */
  private String add(DimensionBuilders builders, Object id, Object embedding, int onlyDims) {
    if (id == null) {
      return "its " + table.id() + " is NULL";
    }
    if (!(embedding instanceof byte[] blob)) {
      boolean text =
          embedding instanceof String || embedding instanceof Number n && n.longValue() < 0;
      boolean tooLong = embedding instanceof Number n && n.longValue() != 0;
      return "its "
          + table.embedding()
          + " is "
          + (text ? "TEXT" : tooLong ? "a BLOB of " + embedding + " bytes" : "a number")
          + ", expected a BLOB of float32 elements"
          + (tooLong ? ", at most " + LONGEST_BLOB + " bytes" : " or a JSON array of numbers");
    }
    if (onlyDims > 0 && blob.length != 4 * onlyDims) {
      return "its " + table.embedding() + " has another length than most";
    }
    try {
      builders.add(id, blob);
      return null;
    } catch (VectorException e) {
      return "its "
          + table.embedding()
          + " is refused: "
          + e.getMessage()
          + (areDoubles(blob) ? OF_DOUBLES : "");
    }
  }

  /** Whether bytes that are no float32 are float64 of a usual size. */
  private static boolean areDoubles(byte[] blob) {
    DoubleBuffer elements = ByteBuffer.wrap(blob).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer();
    int usual = 0;
    while (elements.hasRemaining()) {
      double size = Math.abs(elements.get());
      usual += size == 0 || size > 1e-10 && size < 1e10 ? 1 : 0;
    }
    return blob.length % Double.BYTES == 0 && usual > 0 && usual == elements.capacity();
  }

  private FaissException badRow(Object id, long row, String problem) {
    String which = id == null ? "row " + row : "the row with " + table.id() + " " + Shown.id(id);
    return new FaissException(
        SqlState.DATA,
        "table "
            + schema
            + "."
            + table.table()
            + ", "
            + which
            + ": "
            + problem
            + (problem.endsWith(OF_DOUBLES)
                ? ", and the command info says how to convert the column"
                : "; correct the row, or leave such rows out with the operand \"onBadRow\":"
                    + " \"skip\""));
  }

  /** An id as an index holds it. */
  static Object id(Object value) {
    return value instanceof Integer number ? (Object) number.longValue() : value;
  }

  private String from() {
    return " FROM " + Identifiers.quote(table.table());
  }
}
