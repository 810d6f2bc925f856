/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.jdbc;

import io.github.calcitefaiss.run.Release;
import io.github.calcitefaiss.sqlite.DeclaredType;
import io.github.calcitefaiss.sqlite.FoundTypes;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteKeys;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.RowIdLifetime;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.calcite.avatica.AvaticaConnection;
import org.apache.calcite.avatica.AvaticaDatabaseMetaData;
import org.apache.calcite.config.NullCollation;
import org.apache.calcite.jdbc.CalciteConnection;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeField;
import org.apache.calcite.rel.type.RelDataTypeSystem;
import org.apache.calcite.schema.AggregateFunction;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.FunctionParameter;
import org.apache.calcite.schema.ScalarFunction;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.Table;
import org.apache.calcite.schema.TableFunction;
import org.apache.calcite.schema.lookup.LikePattern;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * What tools ask about a connection: its schemas, tables, columns, keys, indexes and functions, and
 * what the driver can and can't do.
 *
 * <p>Patterns follow JDBC ({@code %}, {@code _}, {@code \} before either) and match whatever the
 * case, as names do in statements. There are no catalogs. Functions belong to no schema.
 */
final class FaissDatabaseMetaData extends AvaticaDatabaseMetaData {
  private static final String TABLE_COLUMNS =
      "TABLE_CAT TABLE_SCHEM TABLE_NAME TABLE_TYPE REMARKS TYPE_CAT TYPE_SCHEM TYPE_NAME"
          + " SELF_REFERENCING_COL_NAME REF_GENERATION";
  private static final String COLUMN_COLUMNS =
      "TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE:int TYPE_NAME COLUMN_SIZE:int"
          + " BUFFER_LENGTH:int DECIMAL_DIGITS:int NUM_PREC_RADIX:int NULLABLE:int REMARKS"
          + " COLUMN_DEF SQL_DATA_TYPE:int SQL_DATETIME_SUB:int CHAR_OCTET_LENGTH:int"
          + " ORDINAL_POSITION:int IS_NULLABLE SCOPE_CATALOG SCOPE_SCHEMA SCOPE_TABLE"
          + " SOURCE_DATA_TYPE:short IS_AUTOINCREMENT IS_GENERATEDCOLUMN";
  private static final String KEY_COLUMNS =
      "PKTABLE_CAT PKTABLE_SCHEM PKTABLE_NAME PKCOLUMN_NAME FKTABLE_CAT FKTABLE_SCHEM FKTABLE_NAME"
          + " FKCOLUMN_NAME KEY_SEQ:short UPDATE_RULE:short DELETE_RULE:short FK_NAME PK_NAME"
          + " DEFERRABILITY:short";
  private static final String INDEX_COLUMNS =
      "TABLE_CAT TABLE_SCHEM TABLE_NAME NON_UNIQUE:boolean INDEX_QUALIFIER INDEX_NAME TYPE:short"
          + " ORDINAL_POSITION:short COLUMN_NAME ASC_OR_DESC CARDINALITY:long PAGES:long"
          + " FILTER_CONDITION";
  private static final String FUNCTION_COLUMNS =
      "FUNCTION_CAT FUNCTION_SCHEM FUNCTION_NAME REMARKS FUNCTION_TYPE:short SPECIFIC_NAME";
  private static final String PARAMETER_COLUMNS =
      "FUNCTION_CAT FUNCTION_SCHEM FUNCTION_NAME COLUMN_NAME COLUMN_TYPE:short DATA_TYPE:int"
          + " TYPE_NAME PRECISION:int LENGTH:int SCALE:short RADIX:short NULLABLE:short REMARKS"
          + " CHAR_OCTET_LENGTH:int ORDINAL_POSITION:int IS_NULLABLE SPECIFIC_NAME";
  private static final String TYPE_COLUMNS =
      "TYPE_NAME DATA_TYPE:int PRECISION:int LITERAL_PREFIX LITERAL_SUFFIX CREATE_PARAMS"
          + " NULLABLE:short CASE_SENSITIVE:boolean SEARCHABLE:short UNSIGNED_ATTRIBUTE:boolean"
          + " FIXED_PREC_SCALE:boolean AUTO_INCREMENT:boolean LOCAL_TYPE_NAME MINIMUM_SCALE:short"
          + " MAXIMUM_SCALE:short SQL_DATA_TYPE:int SQL_DATETIME_SUB:int NUM_PREC_RADIX:int";
  private static final List<SqlTypeName> TYPES =
      List.of(
          SqlTypeName.BOOLEAN,
          SqlTypeName.TINYINT,
          SqlTypeName.SMALLINT,
          SqlTypeName.INTEGER,
          SqlTypeName.BIGINT,
          SqlTypeName.DECIMAL,
          SqlTypeName.REAL,
          SqlTypeName.FLOAT,
          SqlTypeName.DOUBLE,
          SqlTypeName.CHAR,
          SqlTypeName.VARCHAR,
          SqlTypeName.BINARY,
          SqlTypeName.VARBINARY,
          SqlTypeName.DATE,
          SqlTypeName.TIME,
          SqlTypeName.TIMESTAMP,
          SqlTypeName.ARRAY,
          SqlTypeName.ANY);

  private final FaissConnection connection;
  private final CalciteConnection calcite;

  FaissDatabaseMetaData(FaissConnection connection) {
    super((AvaticaConnection) connection.calcite());
    this.connection = connection;
    this.calcite = connection.calcite();
  }

  private record Named(String schema, String name, Table table) {}

  private Map<String, SchemaPlus> schemas(String catalog, String schemaPattern) {
    Map<String, SchemaPlus> found = new TreeMap<>();
    if (catalog != null && !catalog.isEmpty()) {
      return found;
    }
    SchemaPlus root = calcite.getRootSchema();
    NamePattern pattern = new NamePattern(schemaPattern);
    for (String name : root.subSchemas().getNames(LikePattern.any())) {
      if (pattern.matches(name)) {
        found.put(name, root.subSchemas().get(name));
      }
    }
    return found;
  }

  private List<Named> tables(String catalog, String schemaPattern, String tablePattern) {
    NamePattern pattern = new NamePattern(tablePattern);
    return schemas(catalog, schemaPattern).entrySet().stream()
        .flatMap(
            schema ->
                schema.getValue().tables().getNames(LikePattern.any()).stream()
                    .filter(name -> pattern.matches(name))
                    .map(n -> new Named(schema.getKey(), n, schema.getValue().tables().get(n))))
        .filter(named -> named.table() != null)
        .toList();
  }

  /** Tables of a name, not a pattern, which are ours: others don't tell their keys. */
  private List<SqliteTable> sqliteTables(String catalog, String schema, String table)
      throws SQLException {
    if (table == null) {
      throw FaissErrors.badArgument("The table's name is missing (null)");
    }
    return tables(catalog, escaped(schema), escaped(table)).stream()
        .filter(named -> named.table() instanceof SqliteTable)
        .map(named -> (SqliteTable) named.table())
        .toList();
  }

  private static String escaped(String name) {
    return name == null ? null : name.replaceAll("([%_\\\\])", "\\\\$1");
  }

  @FunctionalInterface
  private interface Listing {
    ResultSet make() throws Exception;
  }

  private ResultSet list(Listing listing) throws SQLException {
    connection.checkOpen();
    try {
      return listing.make();
    } catch (Throwable t) {
      throw ErrorTranslation.of(t);
    }
  }

  @Override
  public ResultSet getCatalogs() throws SQLException {
    return list(() -> new MetaRows("TABLE_CAT").result());
  }

  @Override
  public ResultSet getSchemas() throws SQLException {
    return getSchemas(null, null);
  }

  @Override
  public ResultSet getSchemas(String catalog, String schemaPattern) throws SQLException {
    return list(
        () -> {
          MetaRows rows = new MetaRows("TABLE_SCHEM TABLE_CATALOG");
          schemas(catalog, schemaPattern).keySet().forEach(rows::add);
          return rows.orderedBy(2, 1);
        });
  }

  @Override
  public ResultSet getTableTypes() throws SQLException {
    return list(
        () -> new MetaRows("TABLE_TYPE").add("SYSTEM TABLE").add("TABLE").add("VIEW").result());
  }

  @Override
  public ResultSet getTables(
      String catalog, String schemaPattern, String tablePattern, String[] types)
      throws SQLException {
    Set<String> wanted = types == null ? null : new HashSet<>(Arrays.asList(types));
    return list(
        () -> {
          MetaRows rows = new MetaRows(TABLE_COLUMNS);
          for (Named named : tables(catalog, schemaPattern, tablePattern)) {
            String type = named.table().getJdbcTableType().jdbcName;
            if (wanted == null || wanted.contains(type)) {
              rows.add(null, named.schema(), named.name(), type, remarks(named.table()));
            }
          }
          return rows.orderedBy(4, 1, 2, 3);
        });
  }

  private static String remarks(Table table) throws SQLException {
    IndexedTable index = indexed(table);
    return index == null
        ? ""
        : "Indexed for vector search: id \""
            + index.id()
            + "\", vector \""
            + index.embedding()
            + '"';
  }

  private static IndexedTable indexed(Table table) throws SQLException {
    return table instanceof SqliteTable sqlite ? sqlite.schema().indexedTables().of(sqlite) : null;
  }

  @Override
  public ResultSet getColumns(
      String catalog, String schemaPattern, String tablePattern, String columnPattern)
      throws SQLException {
    return list(
        () -> {
          NamePattern pattern = new NamePattern(columnPattern);
          RelDataTypeFactory types = calcite.getTypeFactory();
          MetaRows rows = new MetaRows(COLUMN_COLUMNS);
          for (Named named : tables(catalog, schemaPattern, tablePattern)) {
            Map<String, SqlTypeName> found =
                named.table() instanceof SqliteTable table ? FoundTypes.of(table) : Map.of();
            for (RelDataTypeField field : named.table().getRowType(types).getFieldList()) {
              if (pattern.matches(field.getName())) {
                addColumn(rows, named, field, shown(types, named, field, found));
              }
            }
          }
          return rows.orderedBy(1, 2, 3, 17);
        });
  }

  /** The type that a column is announced as. */
  private RelDataType shown(
      RelDataTypeFactory types,
      Named named,
      RelDataTypeField field,
      Map<String, SqlTypeName> found) {
    RelDataType type = field.getType();
    if (named.table() instanceof SqliteTable table) {
      String text = table.column(field.getName()).declared();
      SqlTypeName kept = DeclaredType.kept(text);
      DeclaredType declared = connection.declaredType(text);
      if (declared != null && declared.type() == SqlTypeName.DECIMAL && declared.precision() > 0) {
        type = types.createSqlType(SqlTypeName.DECIMAL, declared.precision(), declared.scale());
      } else if (declared != null) {
        type = types.createSqlType(declared.type());
      } else if (found.containsKey(field.getName())) {
        type = types.createSqlType(kept == SqlTypeName.ANY ? found.get(field.getName()) : kept);
      }
    }
    return types.createTypeWithNullability(type, field.getType().isNullable());
  }

  private static void addColumn(
      MetaRows rows, Named named, RelDataTypeField field, RelDataType type) throws SQLException {
    boolean text =
        type.getSqlTypeName() == SqlTypeName.CHAR || type.getSqlTypeName() == SqlTypeName.VARCHAR;
    rows.add(
        null,
        named.schema(),
        named.name(),
        field.getName(),
        type.getSqlTypeName().getJdbcOrdinal(),
        typeName(type),
        size(type),
        null,
        scale(type),
        10,
        type.isNullable() ? columnNullable : columnNoNulls,
        remarks(named.table(), field.getName()),
        null,
        null,
        null,
        text ? size(type) : null,
        field.getIndex() + 1,
        type.isNullable() ? "YES" : "NO",
        null,
        null,
        null,
        null,
        "NO",
        "NO");
  }

  private static String remarks(Table table, String column) throws SQLException {
    if (!(table instanceof SqliteTable sqlite)) {
      return "";
    }
    IndexedTable index = indexed(table);
    if (index != null && index.embedding().equalsIgnoreCase(column)) {
      return "Vectors of float32, indexed for search";
    }
    String declared = sqlite.column(column).declared();
    return declared.isEmpty() ? "Declared without a type" : "Declared " + declared;
  }

  private static String typeName(RelDataType type) {
    switch (type.getSqlTypeName()) {
      case ARRAY:
      case MULTISET:
      case MAP:
      case ROW:
        return type.toString();
      default:
        return type.getSqlTypeName().getName();
    }
  }

  /** Digits or characters; 2147483647 where there is no limit. */
  private static Integer size(RelDataType type) {
    switch (type.getSqlTypeName()) {
      case BOOLEAN:
        return 1;
      case DATE:
        return 10;
      case CHAR:
      case VARCHAR:
      case BINARY:
      case VARBINARY:
        return type.getPrecision() < 0 ? Integer.MAX_VALUE : type.getPrecision();
      default:
        return type.getPrecision() < 0 ? null : (Integer) type.getPrecision();
    }
  }

  private static Integer scale(RelDataType type) {
    return type.getSqlTypeName().allowsScale() && type.getScale() != Integer.MIN_VALUE
        ? (Integer) type.getScale()
        : null;
  }

  @Override
  public ResultSet getPrimaryKeys(String catalog, String schema, String table) throws SQLException {
    return list(
        () -> {
          MetaRows rows =
              new MetaRows("TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME KEY_SEQ:short PK_NAME");
          for (SqliteTable found : sqliteTables(catalog, schema, table)) {
            short seq = 0;
            for (String column : SqliteKeys.of(found).primaryKey()) {
              rows.add(null, found.schema().name(), found.name(), column, ++seq, null);
            }
          }
          return rows.orderedBy(4);
        });
  }

  @Override
  public ResultSet getImportedKeys(String catalog, String schema, String table)
      throws SQLException {
    return list(
        () -> {
          MetaRows rows = new MetaRows(KEY_COLUMNS);
          for (SqliteTable child : sqliteTables(catalog, schema, table)) {
            addReferences(rows, child, null);
          }
          return rows.orderedBy(1, 2, 3, 9);
        });
  }

  @Override
  public ResultSet getExportedKeys(String catalog, String schema, String table)
      throws SQLException {
    return list(
        () -> {
          MetaRows rows = new MetaRows(KEY_COLUMNS);
          for (SqliteTable parent : sqliteTables(catalog, schema, table)) {
            for (SqliteTable child : parent.schema().sqliteTables().values()) {
              addReferences(rows, child, parent);
            }
          }
          return rows.orderedBy(5, 6, 7, 9);
        });
  }

  @Override
  public ResultSet getCrossReference(
      String parentCatalog,
      String parentSchema,
      String parentTable,
      String foreignCatalog,
      String foreignSchema,
      String foreignTable)
      throws SQLException {
    return list(
        () -> {
          MetaRows rows = new MetaRows(KEY_COLUMNS);
          for (SqliteTable parent : sqliteTables(parentCatalog, parentSchema, parentTable)) {
            for (SqliteTable child : sqliteTables(foreignCatalog, foreignSchema, foreignTable)) {
              if (child.schema() == parent.schema()) {
                addReferences(rows, child, parent);
              }
            }
          }
          return rows.orderedBy(5, 6, 7, 9);
        });
  }

  private static void addReferences(MetaRows rows, SqliteTable child, SqliteTable parent)
      throws SQLException {
    String schema = child.schema().name();
    for (SqliteKeys.ForeignKey key : SqliteKeys.of(child).foreignKeys()) {
      if (parent != null && !parent.name().equals(key.parent())) {
        continue;
      }
      for (int i = 0; i < key.columns().size(); i++) {
        rows.add(
            null,
            schema,
            key.parent(),
            key.parentColumns().get(i),
            null,
            schema,
            child.name(),
            key.columns().get(i),
            (short) (i + 1),
            key.updateRule(),
            key.deleteRule(),
            "fk_" + child.name() + "_" + key.number(),
            null,
            (short) importedKeyNotDeferrable);
      }
    }
  }

  @Override
  public ResultSet getIndexInfo(
      String catalog, String schema, String table, boolean unique, boolean approximate)
      throws SQLException {
    return list(
        () -> {
          MetaRows rows = new MetaRows(INDEX_COLUMNS);
          for (SqliteTable found : sqliteTables(catalog, schema, table)) {
            for (SqliteKeys.Index index : SqliteKeys.of(found).indexes()) {
              for (int i = 0; i < index.columns().size() && (index.unique() || !unique); i++) {
                rows.add(
                    null,
                    found.schema().name(),
                    found.name(),
                    !index.unique(),
                    null,
                    index.name(),
                    tableIndexOther,
                    (short) (i + 1),
                    index.columns().get(i),
                    index.descending().get(i) ? "D" : "A",
                    0L,
                    0L,
                    index.partial() ? "(partial)" : null);
              }
            }
          }
          return rows.orderedBy(4, 7, 6, 8);
        });
  }

  @Override
  public ResultSet getBestRowIdentifier(
      String catalog, String schema, String table, int scope, boolean nullable)
      throws SQLException {
    return list(
        () -> {
          MetaRows rows =
              new MetaRows(
                  "SCOPE:short COLUMN_NAME DATA_TYPE:int TYPE_NAME COLUMN_SIZE:int"
                      + " BUFFER_LENGTH:int DECIMAL_DIGITS:short PSEUDO_COLUMN:short");
          for (SqliteTable found : sqliteTables(catalog, schema, table)) {
            for (String column : SqliteKeys.of(found).primaryKey()) {
              SqlTypeName type = found.column(column).type();
              rows.add(
                  (short) bestRowSession,
                  column,
                  type.getJdbcOrdinal(),
                  type.getName(),
                  null,
                  null,
                  null,
                  (short) bestRowNotPseudo);
            }
          }
          return rows.result();
        });
  }

  @Override
  public ResultSet getTypeInfo() throws SQLException {
    return list(
        () -> {
          RelDataTypeSystem system = calcite.getTypeFactory().getTypeSystem();
          MetaRows rows = new MetaRows(TYPE_COLUMNS);
          for (SqlTypeName type : TYPES) {
            boolean text = type == SqlTypeName.CHAR || type == SqlTypeName.VARCHAR;
            int precision = system.getMaxPrecision(type);
            rows.add(
                type.getName(),
                type.getJdbcOrdinal(),
                precision < 0 ? null : (Integer) precision,
                system.getLiteral(type, true),
                system.getLiteral(type, false),
                type.allowsScale() ? "precision,scale" : type.allowsPrec() ? "length" : null,
                (short) typeNullable,
                text,
                (short) (text ? typeSearchable : typePredBasic),
                false,
                false,
                false,
                type.getName(),
                (short) 0,
                (short) (type == SqlTypeName.DECIMAL ? system.getMaxScale(type) : 0),
                null,
                null,
                10);
          }
          return rows.orderedBy(2);
        });
  }

  private record NamedFunction(String schema, String name, String specific, Function function) {}

  private List<NamedFunction> functions(
      String catalog, String schemaPattern, String functionPattern) {
    NamePattern pattern = new NamePattern(functionPattern);
    List<NamedFunction> found = new java.util.ArrayList<>();
    boolean anySchema =
        schemaPattern == null || schemaPattern.isEmpty() || schemaPattern.equals("%");
    if (anySchema && (catalog == null || catalog.isEmpty())) {
      addFunctions(found, null, calcite.getRootSchema(), pattern);
    }
    schemas(catalog, schemaPattern)
        .forEach((name, schema) -> addFunctions(found, name, schema, pattern));
    return found;
  }

  private static void addFunctions(
      List<NamedFunction> found, String schemaName, SchemaPlus schema, NamePattern pattern) {
    for (String name : schema.getFunctionNames()) {
      int number = 0;
      for (Function function : schema.getFunctions(name)) {
        number++;
        boolean known =
            function instanceof ScalarFunction
                || function instanceof AggregateFunction
                || function instanceof TableFunction;
        if (known && pattern.matches(name)) {
          String specific = number == 1 ? name : name + "_" + number;
          found.add(new NamedFunction(schemaName, name, specific, function));
        }
      }
    }
  }

  @Override
  public ResultSet getFunctions(String catalog, String schemaPattern, String functionPattern)
      throws SQLException {
    return list(
        () -> {
          MetaRows rows = new MetaRows(FUNCTION_COLUMNS);
          for (NamedFunction f : functions(catalog, schemaPattern, functionPattern)) {
            String kind =
                f.function() instanceof AggregateFunction
                    ? "Aggregate function"
                    : f.function() instanceof TableFunction ? "Table function" : "Function";
            rows.add(
                null,
                f.schema(),
                f.name(),
                kind,
                (short)
                    (f.function() instanceof TableFunction
                        ? functionReturnsTable
                        : functionNoTable),
                f.specific());
          }
          return rows.orderedBy(1, 2, 3, 6);
        });
  }

  @Override
  public ResultSet getFunctionColumns(
      String catalog, String schemaPattern, String functionPattern, String columnPattern)
      throws SQLException {
    return list(
        () -> {
          NamePattern pattern = new NamePattern(columnPattern);
          RelDataTypeFactory types = calcite.getTypeFactory();
          MetaRows rows = new MetaRows(PARAMETER_COLUMNS);
          for (NamedFunction f : functions(catalog, schemaPattern, functionPattern)) {
            RelDataType returned =
                f.function() instanceof ScalarFunction scalar
                    ? scalar.getReturnType(types)
                    : f.function() instanceof AggregateFunction aggregate
                        ? aggregate.getReturnType(types)
                        : null;
            if (returned != null && pattern.matches("")) {
              addParameter(rows, f, "", functionReturn, returned, 0);
            }
            for (FunctionParameter parameter : f.function().getParameters()) {
              if (pattern.matches(parameter.getName())) {
                addParameter(
                    rows,
                    f,
                    parameter.getName(),
                    functionColumnIn,
                    parameter.getType(types),
                    parameter.getOrdinal() + 1);
              }
            }
            addResultColumns(rows, f, pattern);
          }
          return rows.orderedBy(1, 2, 3, 17, 15);
        });
  }

  private void addResultColumns(MetaRows rows, NamedFunction f, NamePattern pattern) {
    if (f.function() instanceof TableFunction table) {
      int parameters = table.getParameters().size();
      RelDataType row;
      try {
        row = table.getRowType(calcite.getTypeFactory(), Arrays.asList(new Object[parameters]));
      } catch (RuntimeException e) {
        // What it returns depends on its arguments, and there are none here.
        return;
      }
      for (RelDataTypeField field : row.getFieldList()) {
        if (pattern.matches(field.getName())) {
          addParameter(
              rows,
              f,
              field.getName(),
              functionColumnResult,
              field.getType(),
              parameters + field.getIndex() + 1);
        }
      }
    }
  }

  private static void addParameter(
      MetaRows rows, NamedFunction f, String name, int kind, RelDataType type, int ordinal) {
    rows.add(
        null,
        f.schema(),
        f.name(),
        name,
        (short) kind,
        type.getSqlTypeName().getJdbcOrdinal(),
        typeName(type),
        size(type),
        size(type),
        scale(type) == null ? null : scale(type).shortValue(),
        (short) 10,
        (short) functionNullable,
        "",
        null,
        ordinal,
        "YES",
        f.specific());
  }

  @Override
  public ResultSet getProcedures(String catalog, String schemaPattern, String namePattern)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "PROCEDURE_CAT PROCEDURE_SCHEM PROCEDURE_NAME RESERVED_1 RESERVED_2 RESERVED_3"
                        + " REMARKS PROCEDURE_TYPE:short SPECIFIC_NAME")
                .result());
  }

  @Override
  public ResultSet getProcedureColumns(
      String catalog, String schemaPattern, String namePattern, String columnPattern)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "PROCEDURE_CAT PROCEDURE_SCHEM PROCEDURE_NAME COLUMN_NAME COLUMN_TYPE:short"
                        + " DATA_TYPE:int TYPE_NAME PRECISION:int LENGTH:int SCALE:short"
                        + " RADIX:short NULLABLE:short REMARKS COLUMN_DEF SQL_DATA_TYPE:int"
                        + " SQL_DATETIME_SUB:int CHAR_OCTET_LENGTH:int ORDINAL_POSITION:int"
                        + " IS_NULLABLE SPECIFIC_NAME")
                .result());
  }

  @Override
  public ResultSet getColumnPrivileges(
      String catalog, String schema, String table, String columnPattern) throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME GRANTOR GRANTEE PRIVILEGE"
                        + " IS_GRANTABLE")
                .result());
  }

  @Override
  public ResultSet getTablePrivileges(String catalog, String schemaPattern, String tablePattern)
      throws SQLException {
    return list(
        () ->
            new MetaRows("TABLE_CAT TABLE_SCHEM TABLE_NAME GRANTOR GRANTEE PRIVILEGE IS_GRANTABLE")
                .result());
  }

  @Override
  public ResultSet getVersionColumns(String catalog, String schema, String table)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "SCOPE:short COLUMN_NAME DATA_TYPE:int TYPE_NAME COLUMN_SIZE:int"
                        + " BUFFER_LENGTH:int DECIMAL_DIGITS:short PSEUDO_COLUMN:short")
                .result());
  }

  @Override
  public ResultSet getUDTs(String catalog, String schemaPattern, String namePattern, int[] types)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "TYPE_CAT TYPE_SCHEM TYPE_NAME CLASS_NAME DATA_TYPE:int REMARKS"
                        + " BASE_TYPE:short")
                .result());
  }

  @Override
  public ResultSet getSuperTypes(String catalog, String schemaPattern, String namePattern)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "TYPE_CAT TYPE_SCHEM TYPE_NAME SUPERTYPE_CAT SUPERTYPE_SCHEM SUPERTYPE_NAME")
                .result());
  }

  @Override
  public ResultSet getSuperTables(String catalog, String schemaPattern, String tablePattern)
      throws SQLException {
    return list(() -> new MetaRows("TABLE_CAT TABLE_SCHEM TABLE_NAME SUPERTABLE_NAME").result());
  }

  @Override
  public ResultSet getAttributes(
      String catalog, String schemaPattern, String typePattern, String attributePattern)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "TYPE_CAT TYPE_SCHEM TYPE_NAME ATTR_NAME DATA_TYPE:int ATTR_TYPE_NAME"
                        + " ATTR_SIZE:int DECIMAL_DIGITS:int NUM_PREC_RADIX:int NULLABLE:int"
                        + " REMARKS ATTR_DEF SQL_DATA_TYPE:int SQL_DATETIME_SUB:int"
                        + " CHAR_OCTET_LENGTH:int ORDINAL_POSITION:int IS_NULLABLE SCOPE_CATALOG"
                        + " SCOPE_SCHEMA SCOPE_TABLE SOURCE_DATA_TYPE:short")
                .result());
  }

  @Override
  public ResultSet getClientInfoProperties() throws SQLException {
    return list(() -> new MetaRows("NAME MAX_LEN:int DEFAULT_VALUE DESCRIPTION").result());
  }

  @Override
  public ResultSet getPseudoColumns(
      String catalog, String schemaPattern, String tablePattern, String columnPattern)
      throws SQLException {
    return list(
        () ->
            new MetaRows(
                    "TABLE_CAT TABLE_SCHEM TABLE_NAME COLUMN_NAME DATA_TYPE:int COLUMN_SIZE:int"
                        + " DECIMAL_DIGITS:int NUM_PREC_RADIX:int COLUMN_USAGE REMARKS"
                        + " CHAR_OCTET_LENGTH:int IS_NULLABLE")
                .result());
  }

  @Override
  public Connection getConnection() {
    return connection;
  }

  @Override
  public String getURL() {
    return connection.url();
  }

  @Override
  public String getUserName() {
    return "";
  }

  @Override
  public String getDatabaseProductName() {
    return Release.NAME;
  }

  @Override
  public String getDatabaseProductVersion() {
    return Release.VERSION;
  }

  @Override
  public int getDatabaseMajorVersion() {
    return getDriverMajorVersion();
  }

  @Override
  public int getDatabaseMinorVersion() {
    return getDriverMinorVersion();
  }

  @Override
  public String getDriverName() {
    return Release.NAME + " JDBC driver";
  }

  @Override
  public String getDriverVersion() {
    return Release.VERSION;
  }

  @Override
  public int getDriverMajorVersion() {
    return Release.number(0);
  }

  @Override
  public int getDriverMinorVersion() {
    return Release.number(1);
  }

  @Override
  public int getJDBCMajorVersion() {
    return 4;
  }

  @Override
  public int getJDBCMinorVersion() {
    return 3;
  }

  @Override
  public boolean usesLocalFiles() {
    return true;
  }

  private NullCollation nullCollation() {
    return calcite.config().defaultNullCollation();
  }

  @Override
  public boolean nullsAreSortedHigh() {
    return nullCollation() == NullCollation.HIGH;
  }

  @Override
  public boolean nullsAreSortedLow() {
    return nullCollation() == NullCollation.LOW;
  }

  @Override
  public boolean nullsAreSortedAtStart() {
    return nullCollation() == NullCollation.FIRST;
  }

  @Override
  public boolean nullsAreSortedAtEnd() {
    return nullCollation() == NullCollation.LAST;
  }

  @Override
  public boolean supportsCatalogsInDataManipulation() {
    return false;
  }

  @Override
  public boolean supportsCatalogsInProcedureCalls() {
    return false;
  }

  @Override
  public boolean supportsCatalogsInTableDefinitions() {
    return false;
  }

  @Override
  public boolean supportsCatalogsInIndexDefinitions() {
    return false;
  }

  @Override
  public boolean supportsCatalogsInPrivilegeDefinitions() {
    return false;
  }

  @Override
  public boolean supportsSchemasInProcedureCalls() {
    return false;
  }

  @Override
  public boolean supportsSchemasInTableDefinitions() {
    // Nothing is defined here, but this is how tools ask whether tables are in schemas at all.
    return true;
  }

  @Override
  public boolean supportsSchemasInIndexDefinitions() {
    return false;
  }

  @Override
  public boolean supportsSchemasInPrivilegeDefinitions() {
    return false;
  }

  @Override
  public boolean supportsExtendedSQLGrammar() {
    return false;
  }

  @Override
  public boolean supportsANSI92IntermediateSQL() {
    return false;
  }

  @Override
  public boolean supportsANSI92FullSQL() {
    return false;
  }

  /** {fn CONVERT(…)}, which is none of SQLite's; CAST is. */
  @Override
  public boolean supportsConvert() {
    return false;
  }

  @Override
  public boolean supportsStoredFunctionsUsingCallSyntax() {
    return false;
  }

  @Override
  public boolean supportsSubqueriesInQuantifieds() {
    return true;
  }

  @Override
  public boolean dataDefinitionCausesTransactionCommit() {
    return false;
  }

  @Override
  public boolean supportsBatchUpdates() {
    return false;
  }

  @Override
  public boolean ownUpdatesAreVisible(int type) {
    return false;
  }

  @Override
  public boolean ownDeletesAreVisible(int type) {
    return false;
  }

  @Override
  public boolean ownInsertsAreVisible(int type) {
    return false;
  }

  @Override
  public boolean othersUpdatesAreVisible(int type) {
    return false;
  }

  @Override
  public boolean othersDeletesAreVisible(int type) {
    return false;
  }

  @Override
  public boolean othersInsertsAreVisible(int type) {
    return false;
  }

  @Override
  public boolean updatesAreDetected(int type) {
    return false;
  }

  @Override
  public boolean deletesAreDetected(int type) {
    return false;
  }

  @Override
  public boolean insertsAreDetected(int type) {
    return false;
  }

  @Override
  public int getDefaultTransactionIsolation() {
    return Connection.TRANSACTION_NONE;
  }

  @Override
  public boolean supportsTransactionIsolationLevel(int level) {
    return level == Connection.TRANSACTION_NONE;
  }

  @Override
  public boolean supportsResultSetHoldability(int holdability) {
    return holdability == ResultSet.HOLD_CURSORS_OVER_COMMIT;
  }

  @Override
  public int getResultSetHoldability() {
    return ResultSet.HOLD_CURSORS_OVER_COMMIT;
  }

  @Override
  public RowIdLifetime getRowIdLifetime() {
    return RowIdLifetime.ROWID_UNSUPPORTED;
  }

  @Override
  public <T> T unwrap(Class<T> iface) throws SQLException {
    if (iface.isInstance(this)) {
      return iface.cast(this);
    }
    throw FaissErrors.badArgument("Database metadata of this driver is no " + iface.getName());
  }

  @Override
  public boolean isWrapperFor(Class<?> iface) {
    return iface.isInstance(this);
  }
}
