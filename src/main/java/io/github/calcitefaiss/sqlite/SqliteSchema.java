/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sqlite;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.SqlState;
import io.github.calcitefaiss.run.View;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.schema.Schema;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.SchemaVersion;
import org.apache.calcite.schema.Table;
import org.apache.calcite.schema.impl.AbstractSchema;
import org.apache.calcite.schema.lookup.IgnoreCaseLookup;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.calcite.schema.lookup.Lookup;
import org.apache.calcite.schema.lookup.Named;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * The tables and views of a SQLite file as a Calcite schema.
 *
 * <p>They are read again when the file has a newer version, so tables come, change and go while a
 * connection is open.
 */
public final class SqliteSchema extends AbstractSchema {
  static final String ROWID = "rowid";

  private static final Pattern NAME = Pattern.compile("\\s*(\"[^\"]+\"|\\[[^]]+]|`[^`]+`|\\w+)");

  private static final Pattern COLLATE = Pattern.compile("(?i)\\bcollate\\b");

  private final SchemaPlus parent;
  private final String name;
  private final SqliteDatabase database;
  private final SqliteConvention convention;
  private final IndexedTables indexedTables;
  private volatile Content content;
  private volatile Collated collated;
  private boolean uncached;

  /**
   * What was read of the file.
   *
   * @param version the version in which it was read
   * @param definitions the text of the file's schema
   * @param number counts the schemas that were seen
   * @param tables by their names in SQLite
   */
  private record Content(DatabaseVersion version, String definitions, long number, Tables tables) {}

  /**
   * Columns that declare a collation.
   *
   * @param definitions the text that declares them
   * @param columns in lower case; null where it isn't clear which
   */
  private record Collated(String definitions, Set<String> columns) {
    private static Collated of(String definitions) {
      Set<String> columns = new HashSet<>();
      Matcher collate = COLLATE.matcher(definitions);
      while (collate.find()) {
        // Back to the comma or parenthesis that its column's definition begins after.
        int at = collate.start() - 1;
        int depth = 0;
        while (at >= 0
            && !(depth == 0 && (definitions.charAt(at) == ',' || open(definitions, at)))) {
          depth += definitions.charAt(at) == ')' ? 1 : open(definitions, at) ? -1 : 0;
          at--;
        }
        Matcher name = NAME.matcher(definitions).region(at + 1, collate.start());
        if (!name.lookingAt()) {
          return new Collated(definitions, null);
        }
        columns.add(name.group(1).replaceAll("[\"`\\[\\]]", "").toLowerCase(Locale.ROOT));
      }
      return new Collated(definitions, columns);
    }

    private static boolean open(String definitions, int at) {
      return definitions.charAt(at) == '(';
    }
  }

  /**
   * The tables and views that can be read, and for the others why not, in SQLite's words.
   *
   * @param readable by their names in SQLite
   * @param unreadable the reason by the name
   * @param views which of the readable are views, in lower case
   */
  private record Tables(
      Map<String, SqliteTable> readable,
      Map<String, String> unreadable,
      Map<String, SqliteTable> ignoringCase,
      Set<String> views) {
    private Tables(Map<String, SqliteTable> readable, Map<String, String> unreadable) {
      this(
          readable,
          unreadable,
          readable.values().stream()
              .collect(
                  Collectors.toUnmodifiableMap(
                      table -> table.name().toLowerCase(Locale.ROOT), table -> table)),
          readable.values().stream()
              .filter(SqliteTable::isView)
              .map(view -> view.name().toLowerCase(Locale.ROOT))
              .collect(Collectors.toUnmodifiableSet()));
    }

    private Tables loose() {
      Map<String, SqliteTable> changed = new LinkedHashMap<>(readable);
      changed.replaceAll((name, table) -> table.loose());
      return new Tables(changed, unreadable);
    }

    /** SQLite has no two tables whose names differ by case only. */
    private SqliteTable find(String name) {
      SqliteTable exact = readable.get(name);
      return exact == null ? ignoringCase.get(name.toLowerCase(Locale.ROOT)) : exact;
    }
  }

  /**
   * Creates a schema.
   *
   * @param parent what it will be added to, under the name
   * @param indexed the tables to index; empty for every one that has the default columns
   * @param options how their indexes are kept
   */
  public SqliteSchema(
      SchemaPlus parent,
      String name,
      SqliteDatabase database,
      List<IndexedTable> indexed,
      IndexOptions options) {
    this.parent = parent;
    this.name = name;
    this.database = database;
    this.convention = new SqliteConvention(this, name);
    this.indexedTables = new IndexedTables(this, indexed, options);
  }

  /**
   * A schema of a connection as one of this kind, or null if it is of another.
   *
   * <p>Not by its unwrap alone, which throws one thing or another where an adapter's schema is no
   * wrapper of this class.
   */
  public static SqliteSchema of(SchemaPlus schema) {
    if (schema == null) {
      return null;
    }
    Schema wrapped = schema.unwrap(CalciteSchema.class).schema;
    return wrapped instanceof Frozen frozen
        ? frozen.schema
        : wrapped instanceof SqliteSchema ours ? ours : null;
  }

  /** The schema's name. */
  public String name() {
    return name;
  }

  /** The file. */
  public SqliteDatabase database() {
    return database;
  }

  /** The tables that have an index. */
  public IndexedTables indexedTables() {
    return indexedTables;
  }

  SqliteConvention convention() {
    return convention;
  }

  /**
   * Whether a view may be among some names, as far as is known without asking the file.
   *
   * @param names in lower case
   */
  public boolean mayNameView(Set<String> names) {
    Content known = content;
    return known == null || !Collections.disjoint(names, known.tables.views);
  }

  /**
   * A number that changes whenever a table or view does, for those who keep what was planned.
   *
   * @param view what a run sees
   * @throws SQLException if the file can't be read
   */
  public long schemaVersion(View view) throws SQLException {
    return content(view).number;
  }

  /**
   * Whether a column with a collation of its own may be among some names.
   *
   * @param names in lower case
   */
  public boolean mayCollate(Set<String> names, View view) throws SQLException {
    String definitions = content(view).definitions;
    Collated known = collated;
    if (known == null || !known.definitions.equals(definitions)) {
      known = Collated.of(definitions);
      collated = known;
    }
    return known.columns == null || !Collections.disjoint(known.columns, names);
  }

  /**
   * The tables and views by name.
   *
   * @throws SQLException if the file can't be read
   */
  public Map<String, SqliteTable> sqliteTables() throws SQLException {
    return sqliteTables(View.NOW);
  }

  /** The same in the version that a run sees. */
  public Map<String, SqliteTable> sqliteTables(View view) throws SQLException {
    return content(view).tables.readable;
  }

  /**
   * The name under which a table's rowid is its id: that of the key that is an alias of it, or
   * {@code rowid}; null if the table has none.
   */
  public String rowid(SqliteTable table) throws SQLException {
    List<SqliteTable.Column> keys =
        table.columns().stream().filter(column -> column.key() > 0).toList();
    if (keys.size() == 1 && keys.get(0).declared().equalsIgnoreCase("INTEGER")) {
      return keys.get(0).name();
    } else if (table.isView() || table.column(ROWID) != null) {
      return null;
    }
    try (SqliteDatabase.Lease lease = database.snapshot(Checkpoint.NONE, null)) {
      SqliteFile.execute(
          lease.connection(), "SELECT rowid FROM " + Identifiers.quote(table.name()) + " LIMIT 0");
      return ROWID;
    } catch (SQLException e) {
      // A table WITHOUT ROWID.
      return null;
    }
  }

  /**
   * Why SQLite can't read the tables and views that are not among {@link #sqliteTables}, by name.
   *
   * @throws SQLException if the file can't be read
   */
  public Map<String, String> unreadableTables() throws SQLException {
    return content(View.NOW).tables.unreadable;
  }

  /** The table or view of a name, matched as SQLite matches it, or null. */
  public SqliteTable sqliteTable(String tableName) throws SQLException {
    return sqliteTable(tableName, View.NOW);
  }

  /** The same in the version that a run sees. */
  public SqliteTable sqliteTable(String tableName, View view) throws SQLException {
    return content(view).tables.find(tableName);
  }

  /**
   * The embedding model that made a table's vectors: as the operand says, or the file, which says
   * it of the table that a view's column is of, too; null if nothing does.
   *
   * @throws SQLException if the file can't be read
   */
  public TableModels.Made madeBy(IndexedTable table, View view) throws SQLException {
    if (table.model() != null) {
      return new TableModels.Made(table.model(), 0);
    }
    TableModels.Made said = TableModels.isIn(this, view) ? read(table, view) : null;
    String usual = indexedTables.options().embeddingModel();
    return said != null || usual == null ? said : new TableModels.Made(usual, 0);
  }

  private TableModels.Made read(IndexedTable table, View view) throws SQLException {
    return view.read(
        database,
        lease -> {
          TableModels models = TableModels.read(lease.connection());
          TableModels.Made own = models.of(table.table());
          String origin =
              own != null
                  ? null
                  : TableModels.origin(lease.connection(), table.table(), table.embedding());
          return origin == null ? own : models.of(origin);
        });
  }

  @Override
  public boolean isMutable() {
    return false;
  }

  /** What a statement is planned against: the tables of one version, read when first asked for. */
  @Override
  public Schema snapshot(SchemaVersion version) {
    return version instanceof Planning planning
        ? new Frozen(this, planning.view(), true)
        : new Frozen(this, View.NOW, false);
  }

  /**
   * Asks Calcite for schemas as they are for a run.
   *
   * @param view what the run sees
   */
  public record Planning(View view) implements SchemaVersion {
    @Override
    public boolean isBefore(SchemaVersion other) {
      return false;
    }
  }

  /** The schema as one statement is planned against it. */
  private static final class Frozen extends AbstractSchema {
    private final SqliteSchema schema;
    private View view;
    private Tables tables;

    private final boolean loose;

    private Frozen(SqliteSchema schema, View view, boolean loose) {
      this.schema = schema;
      this.loose = loose;
      this.view = view;
    }

    private synchronized Tables frozen() {
      if (tables == null) {
        try {
          tables = schema.content(view).tables;
          tables = loose ? tables.loose() : tables;
          // The plan is kept for longer than the run.
          view = null;
        } catch (SQLException e) {
          throw FaissException.<RuntimeException>sneakyThrow(e);
        }
      }
      return tables;
    }

    @Override
    public boolean isMutable() {
      return false;
    }

    @Override
    public Schema snapshot(SchemaVersion version) {
      return schema.snapshot(version);
    }

    @Override
    public Lookup<Table> tables() {
      return new TableLookup() {
        @Override
        Tables tables() {
          return frozen();
        }
      };
    }
  }

  private abstract static class TableLookup extends IgnoreCaseLookup<Table> {
    abstract Tables tables();

    @Override
    public Table get(String tableName) {
      return tables().readable.get(tableName);
    }

    @Override
    public Named<Table> getIgnoreCase(String tableName) {
      SqliteTable table = tables().find(tableName);
      return table == null ? null : new Named<>(table.name(), table);
    }

    @Override
    public Set<String> getNames(LikePattern pattern) {
      return tables().readable.keySet().stream()
          .filter(tableName -> pattern.matcher().apply(tableName))
          .collect(Collectors.toCollection(LinkedHashSet::new));
    }
  }

  @Override
  public Lookup<Table> tables() {
    return new TableLookup() {
      @Override
      Tables tables() {
        refuseCache();
        try {
          return content(View.NOW).tables;
        } catch (SQLException e) {
          throw FaissException.<RuntimeException>sneakyThrow(e);
        }
      }
    };
  }

  /** Calcite caches a schema's tables for the connection's life unless it is told not to. */
  private void refuseCache() {
    if (!uncached) {
      SchemaPlus self = parent.subSchemas().get(name);
      if (self != null) {
        uncached = true;
        self.setCacheEnabled(false);
      }
    }
  }

  private Content content(View view) throws SQLException {
    while (true) {
      // No lock is held here: whoever else waits for the same writer can be cancelled by itself.
      DatabaseVersion version = view.version(database);
      Content known = content;
      if (known != null && known.version.equals(version)) {
        return known;
      }
      Content read = view.read(database, this::read);
      if (read != null) {
        return read;
      }
    }
  }

  /** Reads what there is in a version, unless somebody else knows a newer one by then: null. */
  private Content read(SqliteDatabase.Lease lease) throws SQLException {
    try {
      // Not SQLite's counter of changes: another file in the place may have the same.
      String definitions = readDefinitions(lease.connection());
      return publish(lease.version(), definitions, tablesOf(definitions, lease));
    } catch (SQLException e) {
      throw database.unreadable(e);
    }
  }

  private Tables tablesOf(String definitions, SqliteDatabase.Lease lease) throws SQLException {
    Content known = content;
    return known != null && known.definitions.equals(definitions)
        ? known.tables
        : readTables(lease.connection(), COLLATE.matcher(definitions).find());
  }

  /**
   * Refuses to read a table in a version in which it has other columns than those that a statement
   * was planned for: they are read by their place.
   *
   * @throws FaissException with SQLSTATE {@link SqlState#CHANGED}
   */
  void checkColumns(SqliteTable planned, SqliteDatabase.Lease lease) throws SQLException {
    Content known = content;
    Tables tables;
    if (known != null && known.version.equals(lease.version())) {
      tables = known.tables;
    } else {
      String definitions = readDefinitions(lease.connection());
      tables = tablesOf(definitions, lease);
      publish(lease.version(), definitions, tables);
    }
    SqliteTable now = tables.readable.get(planned.name());
    if (now != planned && (now == null || !now.hasColumnsOf(planned))) {
      throw new FaissException(
          SqlState.CHANGED,
          "table "
              + name
              + "."
              + planned.name()
              + " was "
              + (now == null ? "dropped or renamed" : "given other columns")
              + " after the statement was planned; prepare and run it again");
    }
  }

  private synchronized Content publish(DatabaseVersion version, String definitions, Tables tables) {
    Content known = content;
    if (known == null) {
      content = new Content(version, definitions, 1, tables);
    } else if (known.definitions.equals(definitions)) {
      if (known.version.number() < version.number()) {
        content = new Content(version, definitions, known.number, known.tables);
      }
    } else if (known.version.number() < version.number()) {
      content = new Content(version, definitions, known.number + 1, tables);
    } else {
      return null;
    }
    return content;
  }

  private static String readDefinitions(Connection connection) throws SQLException {
    StringBuilder definitions = new StringBuilder();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT name, sql FROM sqlite_schema")) {
      while (rows.next()) {
        definitions.append(rows.getString(1)).append('\0');
        definitions.append(rows.getString(2)).append('\0');
      }
    }
    return definitions.toString();
  }

  private Tables readTables(Connection connection, boolean collated) throws SQLException {
    Map<String, SqliteTable> tables = new LinkedHashMap<>();
    Map<String, String> unreadable = new LinkedHashMap<>();
    Map<String, Vec0Table> vec0 = Vec0Views.tables(connection);
    try (Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                // pragma_table_list also knows shadow tables of FTS and the like: internals too.
                "SELECT l.name, l.type, l.wr FROM pragma_table_list AS l"
                    + " WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual')"
                    + " AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY l.name")) {
      while (rows.next()) {
        String tableName = rows.getString(1);
        boolean view = rows.getString(2).equals("view");
        if (vec0.values().stream().anyMatch(table -> table.isHeldIn(tableName))) {
          continue;
        }
        Vec0Table vectors = vec0.get(tableName);
        List<SqliteTable.Column> columns;
        try {
          columns =
              vectors == null
                  ? readColumns(connection, tableName, rows.getInt(3) != 0)
                  : vectors.columns();
          if (indexedTables.isByRowid(tableName)
              && columns.stream().noneMatch(column -> column.name().equalsIgnoreCase(ROWID))) {
            boolean key = columns.stream().allMatch(column -> column.key() == 0);
            columns = new ArrayList<>(columns);
            columns.add(
                new SqliteTable.Column(ROWID, "INTEGER", SqlTypeName.BIGINT, false, key ? 1 : 0));
          }
          if (columns.isEmpty()) {
            SqliteFile.execute(
                connection, "SELECT * FROM " + Identifiers.quote(tableName) + " LIMIT 0");
          }
        } catch (SQLException e) {
          // A view of a table that is gone, or a virtual table whose module isn't here: SQLite
          // itself can't read it, and the others are not to suffer.
          unreadable.put(tableName, SqliteFile.said(e));
          continue;
        }
        columns = columns.stream().map(column -> asFound(tableName, column)).toList();
        if (!columns.isEmpty()) {
          tables.put(
              tableName,
              new SqliteTable(
                  this,
                  tableName,
                  view,
                  columns,
                  rowCount(connection, vectors == null ? tableName : tableName + "_rowids", view),
                  vectors == null ? null : vectors.vectorColumn(),
                  collated && vectors == null
                      ? DeclaredCollations.of(connection, tableName, columns)
                      : Map.of()));
        }
      }
    }
    return new Tables(tables, unreadable);
  }

  /** A column that was found to hold other values than it declares may hold any. */
  private SqliteTable.Column asFound(String table, SqliteTable.Column column) {
    return database.isDynamic(table, column.name())
        ? new SqliteTable.Column(
            column.name(), column.declared(), SqlTypeName.ANY, column.nullable(), column.key())
        : column;
  }

  /**
   * Takes a column from now on for one that may hold any value, since it was found to hold one of
   * another type than it declares.
   *
   * @return false if it is taken for one already
   */
  boolean found(SqliteTable table, SqliteTable.Column column) {
    database.setDynamic(table.name(), column.name());
    synchronized (this) {
      Content known = content;
      SqliteTable now = known == null ? null : known.tables.readable.get(table.name());
      if (now == null) {
        return column.type() != SqlTypeName.ANY;
      }
      List<SqliteTable.Column> columns =
          now.columns().stream().map(each -> asFound(table.name(), each)).toList();
      if (!columns.equals(now.columns())) {
        Map<String, SqliteTable> tables = new LinkedHashMap<>(known.tables.readable);
        tables.put(table.name(), now.with(columns));
        content =
            new Content(
                known.version,
                known.definitions,
                known.number + 1,
                new Tables(tables, known.tables.unreadable));
      }
      return column.type() != SqlTypeName.ANY;
    }
  }

  private static List<SqliteTable.Column> readColumns(
      Connection connection, String table, boolean withoutRowid) throws SQLException {
    List<SqliteTable.Column> columns = new ArrayList<>();
    int keyColumns = 0;
    try (PreparedStatement statement =
        connection.prepareStatement(
            // Of this table alone: a join with all tables would grow with their square.
            "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid")) {
      statement.setString(1, table);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          int hidden = rows.getInt(5);
          if (hidden == 1) {
            // A virtual table's parameter; 2 and 3 are generated columns, which are shown.
            continue;
          }
          String declared = rows.getString(2) == null ? "" : rows.getString(2);
          int key = rows.getInt(4);
          if (key > 0) {
            keyColumns++;
          }
          boolean notNull = rows.getInt(3) != 0 || key > 0 && withoutRowid;
          columns.add(
              new SqliteTable.Column(
                  rows.getString(1), declared, ColumnType.of(declared), !notNull, key));
        }
      }
    }
    if (keyColumns == 1) {
      // The one primary key that never holds NULL without saying so: an alias of the rowid.
      columns.replaceAll(
          c ->
              c.key() > 0 && c.declared().toUpperCase(Locale.ROOT).equals("INTEGER")
                  ? new SqliteTable.Column(
                      c.name(), c.declared(), SqlTypeName.BIGINT, false, c.key())
                  : c);
    }
    return columns;
  }

  /** An estimate for the planner that needs no scan: the largest rowid. */
  private static double rowCount(Connection connection, String table, boolean view) {
    if (!view) {
      try (Statement statement = connection.createStatement();
          ResultSet row =
              statement.executeQuery("SELECT max(rowid) FROM " + Identifiers.quote(table))) {
        return Math.max(1, row.getDouble(1));
      } catch (SQLException e) {
        // WITHOUT ROWID: no cheap number to be had.
      }
    }
    return 1000;
  }
}
