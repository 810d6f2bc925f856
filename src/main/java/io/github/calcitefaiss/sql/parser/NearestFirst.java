/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.parser;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.run.View;
import io.github.calcitefaiss.sql.function.DistanceFunctions;
import io.github.calcitefaiss.sql.parser.SqliteText.Kind;
import io.github.calcitefaiss.sql.parser.SqliteText.Token;
import io.github.calcitefaiss.sql.search.SqliteFunctions;
import io.github.calcitefaiss.sqlite.Identifiers;
import io.github.calcitefaiss.sqlite.IndexedTable;
import io.github.calcitefaiss.sqlite.SqliteSchema;
import io.github.calcitefaiss.sqlite.SqliteTable;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * Lets an index find the rows of a statement that SQLite runs.
 *
 * <p>A query such as {@code SELECT … FROM f WHERE w ORDER BY l2_distance(t.embedding, q) LIMIT k}
 * gets one condition more: {@code t.id} is among the ids that the index names as nearest to {@code
 * q}, of those that {@code SELECT t.id FROM f WHERE w} leaves. Whatever SQLite understands in
 * {@code w} restricts the search before it, so the rows are those of the statement as it was
 * written; only the distances of the others are not computed. Rows at the same distance as the last
 * one, and those that have no distance, are among the ids, so that SQLite sorts them as before.
 */
public final class NearestFirst {
  private static final Set<String> AGGREGATES =
      Set.of(
          "avg",
          "count",
          "faiss_agg",
          "faiss_agg_with_scores",
          "group_concat",
          "json_group_array",
          "json_group_object",
          "jsonb_group_array",
          "jsonb_group_object",
          "max",
          "median",
          "min",
          "percentile",
          "percentile_cont",
          "percentile_disc",
          "string_agg",
          "sum",
          "total");

  private static final Set<String> CLAUSES =
      Set.of("from", "where", "group", "having", "window", "order", "limit");

  private static final Set<String> COMPOUND = Set.of("union", "intersect", "except", "values");

  private static final Set<String> CONSTANTS =
      Set.of("null", "true", "false", "select", "cast", "as", "text", "blob", "varbinary");

  private static final Set<String> RANKS = Set.of("row_number", "rank", "dense_rank");

  private static final Set<String> UNREPEATABLE = Set.of("random", "randomblob", "changes");

  private static final Set<String> JOINING =
      Set.of("join", "inner", "cross", "left", "outer", "on", "using", "as", "indexed", "not");

  private final SqliteText text;
  private final List<Token> tokens;
  private final SqliteSchema schema;
  private final View view;
  private final int[] depth;
  private final Set<String> defined = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
  private final List<Insertion> insertions = new ArrayList<>();

  private record Insertion(int at, String text) {}

  /** A table of a FROM clause, by the name that the query has for it. */
  private record Source(String name, SqliteTable table) {}

  private record Range(int from, int to) {
    private int size() {
      return to - from;
    }
  }

  private NearestFirst(SqliteText text, SqliteSchema schema, View view) {
    this.text = text;
    this.tokens = text.tokens();
    this.schema = schema;
    this.view = view;
    this.depth = new int[tokens.size() + 1];
    int level = 0;
    for (int i = 0; i < tokens.size(); i++) {
      if (tokens.get(i).isOperator(")")) {
        level--;
      }
      depth[i] = level;
      if (tokens.get(i).isOperator("(")) {
        level++;
      }
    }
    depth[tokens.size()] = level;
  }

  /**
   * A statement that looks at fewer rows and gives the same.
   *
   * @param schema what names without a schema belong to
   * @param view what the statement sees
   * @return null if there is none
   * @throws SQLException if the file can't be read
   */
  public static SqliteText rewrite(SqliteText text, SqliteSchema schema, View view)
      throws SQLException {
    if (UNREPEATABLE.stream().anyMatch(text.words()::contains)) {
      return null;
    }
    NearestFirst rewriting = new NearestFirst(text, schema, view);
    if (rewriting.depth[rewriting.tokens.size()] != 0) {
      return null;
    }
    rewriting.defined();
    for (int i = 0; i < rewriting.tokens.size(); i++) {
      if (rewriting.tokens.get(i).is("select")) {
        rewriting.query(i);
      }
    }
    return rewriting.insertions.isEmpty() ? null : new SqliteText(rewriting.rewritten());
  }

  /** Names that WITH defines: they may hide a table anywhere. */
  private void defined() {
    for (int i = 1; i + 1 < tokens.size(); i++) {
      if (!tokens.get(i).is("as")) {
        continue;
      }
      int next = i + 1;
      while (tokens.get(next).is("not") || tokens.get(next).is("materialized")) {
        next++;
      }
      if (next < tokens.size() && tokens.get(next).isOperator("(")) {
        int name = i - 1;
        while (name > 0 && depth[name] > depth[i]
            || tokens.get(name).isOperator(")")
            || tokens.get(name).isOperator("(")) {
          name--;
        }
        defined.add(tokens.get(name).name());
      }
    }
  }

  private int end(int select) {
    int i = select;
    while (i < tokens.size() && depth[i] >= depth[select] && !tokens.get(i).isOperator(";")) {
      i++;
    }
    return i;
  }

  /** Where each clause of a query begins, and its end: in the order of {@code CLAUSES}' grammar. */
  private final class Query {
    private int from = -1;
    private int where = -1;
    private int order = -1;
    private int limit = -1;
    private final int select;
    private final int end;
    private boolean plain = true;

    private Query(int select) {
      this.select = select;
      this.end = end(select);
      if (select + 1 < end && tokens.get(select + 1).is("distinct")) {
        plain = false;
      }
      for (int i = select + 1; i < end; i++) {
        Token token = tokens.get(i);
        if (depth[i] != depth[select] || token.kind() != Kind.WORD) {
          continue;
        }
        switch (token.text().toLowerCase(Locale.ROOT)) {
          case "from":
            if (from < 0 && !tokens.get(i - 1).is("distinct")) {
              from = i;
            }
            break;
          case "where":
            where = where < 0 ? i : where;
            break;
          case "order":
            order = i;
            break;
          case "limit":
            limit = i;
            break;
          case "group":
          case "having":
          case "window":
            plain = false;
            break;
          default:
            plain &= !COMPOUND.contains(token.text().toLowerCase(Locale.ROOT));
        }
      }
      // Of a compound, this may be the last part.
      for (int i = select - 1; i >= 0 && depth[i] >= depth[select]; i--) {
        plain &= depth[i] > depth[select] || !isAnyOf(i, COMPOUND) && !tokens.get(i).is("all");
      }
    }

    private boolean isSearch() {
      return plain && from > 0 && order > from && limit > order && (where < 0 || where < order);
    }

    private Range fromClause() {
      return new Range(from + 1, where < 0 ? order : where);
    }

    private Range condition() {
      return where < 0 ? null : new Range(where + 1, order);
    }
  }

  private boolean isAnyOf(int i, Set<String> words) {
    return tokens.get(i).kind() == Kind.WORD
        && words.contains(tokens.get(i).text().toLowerCase(Locale.ROOT));
  }

  private void query(int select) throws SQLException {
    Query query = new Query(select);
    if (!query.isSearch() || query.order + 2 >= query.limit) {
      return;
    }
    List<Range> items = split(new Range(select + 1, query.from));
    Range term = split(new Range(query.order + 2, query.limit)).get(0);
    boolean descending = false;
    int last = term.to() - 1;
    if (last - 1 > term.from() && tokens.get(last - 1).is("nulls")) {
      last -= 2;
    }
    if (tokens.get(last).is("asc") || tokens.get(last).is("desc")) {
      descending = tokens.get(last).is("desc");
      last--;
    }
    term = meant(new Range(term.from(), last + 1), items);
    if (term == null) {
      return;
    }
    if (term.size() > 2 && tokens.get(term.from()).isOperator("-")) {
      descending = !descending;
      term = new Range(term.from() + 1, term.to());
    }
    Metric metric = metric(term);
    if (metric == null || metric.descending() != descending) {
      return;
    }
    List<Range> arguments = split(new Range(term.from() + 2, term.to() - 1));
    if (arguments.size() != 2 || summarizes(query, items, term)) {
      return;
    }
    List<Source> sources = sources(query.fromClause());
    if (sources == null) {
      return;
    }
    for (int i = 0; i < 2; i++) {
      Source source = column(arguments.get(i), sources);
      if (source != null && isConstant(arguments.get(1 - i))) {
        insert(query, source, metric, arguments.get(1 - i));
        return;
      }
    }
  }

  /** What a term of ORDER BY stands for: itself, or the column that it names or numbers. */
  private Range meant(Range term, List<Range> items) {
    if (term.size() != 1) {
      return term;
    }
    Token token = tokens.get(term.from());
    if (token.kind() == Kind.NUMBER) {
      boolean stars = items.stream().anyMatch(item -> tokens.get(item.to() - 1).isOperator("*"));
      int number = token.text().matches("\\d{1,4}") ? Integer.parseInt(token.text()) : 0;
      return stars || number < 1 || number > items.size()
          ? null
          : withoutAlias(items.get(number - 1));
    }
    for (Range item : items) {
      Range value = withoutAlias(item);
      if (value.to() < item.to()
          && tokens.get(item.to() - 1).name().equalsIgnoreCase(token.name())) {
        return value;
      }
    }
    return null;
  }

  private Range withoutAlias(Range item) {
    int to = item.to();
    Token last = tokens.get(to - 1);
    boolean name = last.kind() == Kind.WORD || last.kind() == Kind.QUOTED;
    if (to - 2 > item.from() && name && tokens.get(to - 2).is("as")) {
      return new Range(item.from(), to - 2);
    }
    return to - 1 > item.from() && name && tokens.get(to - 2).isOperator(")")
        ? new Range(item.from(), to - 1)
        : item;
  }

  /** The metric of a call that a range consists of, or null. */
  private Metric metric(Range call) {
    if (call.size() < 4
        || !tokens.get(call.from() + 1).isOperator("(")
        || !tokens.get(call.to() - 1).isOperator(")")
        || closing(call.from() + 1) != call.to() - 1
        || tokens.get(call.from()).kind() != Kind.WORD) {
      return null;
    }
    return DistanceFunctions.metric(tokens.get(call.from()).text().toLowerCase(Locale.ROOT));
  }

  private int closing(int open) {
    int i = open + 1;
    while (depth[i] > depth[open]) {
      i++;
    }
    return i;
  }

  /** Whether rows that are left out would change what the others show. */
  private boolean summarizes(Query query, List<Range> items, Range term) {
    List<Range> shown = new ArrayList<>(items);
    shown.add(new Range(query.order, query.limit));
    for (Range range : shown) {
      for (int i = range.from(); i < range.to(); i++) {
        if (tokens.get(i).isOperator("(") && tokens.get(i + 1).is("select")) {
          i = closing(i);
        } else if (tokens.get(i).is("over")) {
          if (!isRankBy(i, term)) {
            return true;
          }
        } else if (isAnyOf(i, AGGREGATES)
            && i + 1 < range.to()
            && tokens.get(i + 1).isOperator("(")) {
          boolean scalar =
              (tokens.get(i).is("min") || tokens.get(i).is("max"))
                  && split(new Range(i + 2, closing(i + 1))).size() > 1;
          if (!scalar) {
            return true;
          }
        }
      }
    }
    return false;
  }

  /**
   * Whether a window function is the rank by the same distance, which farther rows don't change.
   */
  private boolean isRankBy(int over, Range term) {
    if (over < 3
        || !tokens.get(over - 1).isOperator(")")
        || !tokens.get(over - 2).isOperator("(")
        || !isAnyOf(over - 3, RANKS)
        || !tokens.get(over + 1).isOperator("(")) {
      return false;
    }
    int close = closing(over + 1);
    if (!tokens.get(over + 2).is("order") || !tokens.get(over + 3).is("by")) {
      return false;
    }
    Range by = new Range(over + 4, close);
    if (tokens.get(close - 1).is("asc")) {
      by = new Range(by.from(), by.to() - 1);
    }
    if (by.size() != term.size()) {
      return false;
    }
    for (int i = 0; i < by.size(); i++) {
      if (!tokens.get(by.from() + i).text().equals(tokens.get(term.from() + i).text())) {
        return false;
      }
    }
    return true;
  }

  private List<Range> split(Range range) {
    List<Range> parts = new ArrayList<>();
    int from = range.from();
    for (int i = range.from(); i < range.to(); i++) {
      if (tokens.get(i).isOperator(",") && depth[i] == depth[range.from()]) {
        parts.add(new Range(from, i));
        from = i + 1;
      }
    }
    parts.add(new Range(from, range.to()));
    return parts;
  }

  /** The tables of a FROM clause; null where rows of none might be joined to NULLs. */
  private List<Source> sources(Range clause) throws SQLException {
    List<Source> sources = new ArrayList<>();
    boolean left = false;
    boolean expected = true;
    for (int i = clause.from(); i < clause.to(); i++) {
      Token token = tokens.get(i);
      if (depth[i] != depth[clause.from()]) {
        continue;
      }
      if (token.is("right") || token.is("full") || token.is("natural")) {
        return null;
      }
      left |= token.is("left");
      if (token.isOperator(",") || token.is("join")) {
        expected = true;
        continue;
      }
      if (!expected) {
        continue;
      }
      expected = false;
      Source source = source(i, clause.to());
      // Only the table before every LEFT JOIN has all its rows, and no others.
      if (source != null && (!left || sources.isEmpty())) {
        sources.add(source);
      } else if (left) {
        continue;
      } else {
        // Its columns aren't known: a name without a table may be of it.
        sources.add(new Source(null, null));
      }
    }
    return sources;
  }

  private Source source(int at, int end) throws SQLException {
    int i = at;
    if (!isName(i)) {
      return null;
    }
    if (i + 2 < end && tokens.get(i + 1).isOperator(".")) {
      String qualifier = tokens.get(i).name();
      if (!qualifier.equalsIgnoreCase("main") && !qualifier.equalsIgnoreCase(schema.name())) {
        return null;
      }
      i += 2;
    }
    String name = tokens.get(i).name();
    SqliteTable table = defined.contains(name) ? null : schema.sqliteTable(name, view);
    if (table == null || table.isView() || i + 1 < end && tokens.get(i + 1).isOperator("(")) {
      return null;
    }
    int alias = i + 1;
    if (alias < end && tokens.get(alias).is("as")) {
      alias++;
    }
    boolean named = alias < end && isName(alias) && !isAnyOf(alias, JOINING);
    return new Source(named ? tokens.get(alias).name() : name, table);
  }

  private boolean isName(int i) {
    return tokens.get(i).kind() == Kind.WORD || tokens.get(i).kind() == Kind.QUOTED;
  }

  /** The table whose indexed vectors an argument is, or null. */
  private Source column(Range argument, List<Source> sources) {
    boolean qualified = argument.size() == 3 && tokens.get(argument.from() + 1).isOperator(".");
    if (!isName(argument.from()) || !qualified && argument.size() != 1) {
      return null;
    }
    String column = tokens.get(argument.to() - 1).name();
    Source found = null;
    for (Source source : sources) {
      if (qualified
          ? tokens.get(argument.from()).name().equalsIgnoreCase(source.name())
          : source.table() == null || source.table().column(column) != null) {
        if (found != null) {
          return null;
        }
        found = source;
      }
    }
    if (found == null || found.table() == null) {
      return null;
    }
    SqliteTable table = found.table();
    IndexedTable indexed = schema.indexedTables().of(table);
    return indexed != null
            && table.vectors() == null
            && indexed.embedding().equalsIgnoreCase(column)
            && isWholeNumber(table, indexed.id())
        ? found
        : null;
  }

  /** Whether an id is the rowid, by one name or another: JSON holds it as it is. */
  private static boolean isWholeNumber(SqliteTable table, String id) {
    SqliteTable.Column column = table.column(id);
    return column != null
        && column.key() > 0
        && column.declared().equalsIgnoreCase("INTEGER")
        && table.columns().stream().filter(each -> each.key() > 0).count() == 1;
  }

  /** Whether an expression is the same for all rows. */
  private boolean isConstant(Range range) throws SQLException {
    boolean queries = false;
    for (int i = range.from(); i < range.to(); i++) {
      if (tokens.get(i).isOperator("(") && tokens.get(i + 1).is("select")) {
        queries = true;
        i = closing(i);
        continue;
      }
      boolean call = i + 1 < range.to() && tokens.get(i + 1).isOperator("(");
      if (isName(i) && !call && !isAnyOf(i, CONSTANTS)) {
        return false;
      }
    }
    return !queries || canBeAsked("SELECT " + text(range));
  }

  private boolean canBeAsked(String sql) throws SQLException {
    return view.read(
        schema.database(),
        lease -> {
          try (PreparedStatement statement = lease.connection().prepareStatement(sql)) {
            return statement.getMetaData().getColumnCount() == 1;
          } catch (SQLException e) {
            return false;
          }
        });
  }

  private void insert(Query query, Source source, Metric metric, Range vector) {
    IndexedTable indexed = schema.indexedTables().of(source.table());
    Range limit = new Range(query.limit + 1, query.end);
    List<Range> comma = split(limit);
    String count;
    String skipped = "0";
    if (comma.size() == 2) {
      count = text(comma.get(1));
      skipped = text(comma.get(0));
    } else {
      int offset = limit.from();
      while (offset < limit.to()
          && !(tokens.get(offset).is("offset") && depth[offset] == depth[query.limit])) {
        offset++;
      }
      count = text(new Range(limit.from(), offset));
      if (offset < limit.to()) {
        skipped = text(new Range(offset + 1, limit.to()));
      }
    }
    String id = Identifiers.quote(source.name()) + "." + Identifiers.quote(indexed.id());
    Range condition = query.condition();
    String nearest =
        id
            + " IN (SELECT value FROM json_each("
            + SqliteFunctions.NEAREST_IDS
            + "("
            + literal(schema.name())
            + ", "
            + literal(indexed.table())
            + ", "
            + text(vector)
            + ", "
            + literal(metric.name())
            + ", "
            + count
            + ", "
            + skipped
            + ", (SELECT json_group_array("
            + id
            + ") FROM "
            + text(query.fromClause())
            + (condition == null ? "" : " WHERE " + text(condition))
            + "))))";
    if (condition == null) {
      insertions.add(new Insertion(query.order, " WHERE " + nearest + " "));
    } else {
      insertions.add(new Insertion(condition.from(), " ("));
      insertions.add(new Insertion(query.order, ") AND " + nearest + " "));
    }
  }

  private static String literal(String value) {
    return "'" + value.replace("'", "''") + "'";
  }

  /** A part of the statement, in which every parameter has its number. */
  private String text(Range range) {
    StringBuilder out = new StringBuilder();
    for (int i = range.from(); i < range.to(); i++) {
      out.append(i == range.from() ? "" : gap(i)).append(numbered(i));
    }
    return out.toString();
  }

  /** What stands before a token; a comment in it is no part of the copy. */
  private String gap(int i) {
    return tokens.get(i - 1).end() == tokens.get(i).start() ? "" : " ";
  }

  private List<String> numbers;

  /** A token, with the number that SQLite gives it if it is {@code ?}. */
  private String numbered(int token) {
    if (numbers == null) {
      numbers = new ArrayList<>();
      List<String> names = new ArrayList<>();
      int highest = 0;
      for (Token each : tokens) {
        String written = each.text();
        if (each.kind() == Kind.PARAMETER) {
          if (written.equals("?")) {
            written = "?" + ++highest;
          } else if (written.startsWith("?")) {
            String digits = written.substring(1);
            highest = Math.max(highest, digits.matches("\\d{1,5}") ? Integer.parseInt(digits) : 0);
          } else if (!names.contains(written)) {
            names.add(written);
            highest++;
          }
        }
        numbers.add(written);
      }
    }
    return numbers.get(token);
  }

  private String rewritten() {
    insertions.sort((a, b) -> Integer.compare(a.at(), b.at()));
    StringBuilder out = new StringBuilder();
    int copied = 0;
    int next = 0;
    String sql = text.sql();
    for (int i = 0; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      while (next < insertions.size() && insertions.get(next).at() == i) {
        out.append(sql, copied, token.start());
        copied = token.start();
        out.append(insertions.get(next++).text());
      }
      if (next > 0) {
        // What was put in before may have given out numbers that a bare ? would count on from.
        out.append(sql, copied, token.start()).append(numbered(i));
        copied = token.end();
      }
    }
    return out.append(sql.substring(copied)).toString();
  }
}
