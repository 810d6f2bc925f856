/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.IntToLongFunction;
import java.util.stream.LongStream;
import org.apache.spark.Dependency;
import org.apache.spark.NarrowDependency;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.BasePredicate;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.Predicate;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import scala.Tuple2;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;

/**
 * For each row of a left side, the nearest rows of each split of a right side; merged above.
 *
 * <p>A task has one split of the right in memory, as an index, and goes through the rows of some
 * partitions of the left in blocks, so that neither side is ever held whole.
 */
final class KnnRdd extends RDD<Tuple2<KnnRdd.Key, KnnRdd.Found>> {
  /** Rows of the left that are searched for together. */
  private static final int BLOCK = 1024;

  /** Rows that are found for them together, at most. */
  private static final int HITS = 1 << 18;

  /** Rows and bytes of a right side that is no indexed table, that become one index. */
  private static final int CHUNK_ROWS = 100_000;

  private static final long CHUNK_BYTES = 32 << 20;

  /** A row of the left, by its bytes: the same rows have the same neighbours. */
  record Key(byte[] row) implements Serializable {
    @Override
    public boolean equals(Object other) {
      return other instanceof Key key && Arrays.equals(key.row, row);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(row);
    }

    UnsafeRow unsafe(int columns) {
      return KnnRdd.row(row, columns);
    }
  }

  /** A row's bytes, which stay: those that it gives may be the buffer of the next one. */
  private static byte[] bytes(UnsafeRow row) {
    return row.copy().getBytes();
  }

  static UnsafeRow row(byte[] bytes, int columns) {
    UnsafeRow row = new UnsafeRow(columns);
    row.pointTo(bytes, bytes.length);
    return row;
  }

  /**
   * What a task found for a row of the left.
   *
   * @param times how often that row was met
   * @param block which block of the left the row was met in
   * @param places where the rows found are on the right
   * @param values their distances, nearest first
   * @param ids what decides ties, null where the place does
   * @param rows the rows, as Spark has them
   */
  record Found(int times, long block, long[] places, double[] values, Object[] ids, byte[][] rows)
      implements Serializable {}

  /**
   * What is asked.
   *
   * @param join the function, k and kind of join
   * @param left the vector of a row of the left, bound to it
   * @param leftKind how it holds the vector
   * @param rightKind how the right's rows do
   */
  record Ask(KnnJoin.Ask join, Expression left, Vectors leftKind, Vectors rightKind)
      implements Serializable {}

  /** The right side. */
  interface Right extends Serializable {
    /** The parts of a split, one after the other. */
    Iterator<Loaded> parts(RDD<?> rdd, Partition split, TaskContext context);
  }

  /**
   * A part of the right side in memory.
   *
   * @param index its vectors
   * @param qualifying which rows; null for all
   * @param rows its rows by place, those that don't qualify null
   * @param places where a place is on the right side
   */
  record Loaded(Part index, BitSet qualifying, List<byte[]> rows, IntToLongFunction places) {}

  private record Pair(int index, Partition right, List<Partition> left) implements Partition {}

  private final Ask ask;
  private final Right right;
  private final int groups;

  /** The left's partitions are dealt to some groups; each goes with each split of the right. */
  KnnRdd(
      SparkContext context,
      RDD<InternalRow> leftRows,
      RDD<?> rightRows,
      int groups,
      Ask ask,
      Right right) {
    super(context, dependencies(leftRows, rightRows, groups), tag(Tuple2.class));
    this.ask = ask;
    this.right = right;
    this.groups = groups;
  }

  @SuppressWarnings("unchecked")
  private static <T> scala.reflect.ClassTag<T> tag(Class<?> type) {
    return (scala.reflect.ClassTag<T>) ClassTag$.MODULE$.apply(type);
  }

  private static Seq<Dependency<?>> dependencies(RDD<?> left, RDD<?> right, int groups) {
    int leftPartitions = left.getNumPartitions();
    List<Dependency<?>> both = new ArrayList<>();
    both.add(new Of(left, id -> group(id % groups, groups, leftPartitions)));
    both.add(new Of(right, id -> List.of(id / groups)));
    return Scala.seq(both);
  }

  private static List<Integer> group(int group, int groups, int partitions) {
    List<Integer> members = new ArrayList<>();
    for (int i = group; i < partitions; i += groups) {
      members.add(i);
    }
    return members;
  }

  private interface Parents extends Serializable {
    List<Integer> of(int partition);
  }

  private static final class Of extends NarrowDependency<Object> {
    private final Parents parents;

    @SuppressWarnings("unchecked")
    private Of(RDD<?> rdd, Parents parents) {
      super((RDD<Object>) rdd);
      this.parents = parents;
    }

    @Override
    public Seq<Object> getParents(int partition) {
      return Scala.seq(parents.of(partition));
    }
  }

  private RDD<InternalRow> leftRows() {
    return parent(0, KnnRdd.<InternalRow>tag(InternalRow.class));
  }

  private RDD<Object> rightRows() {
    return parent(1, KnnRdd.<Object>tag(Object.class));
  }

  @Override
  public Partition[] getPartitions() {
    Partition[] lefts = leftRows().partitions();
    Partition[] rights = rightRows().partitions();
    Partition[] pairs = new Partition[rights.length * groups];
    for (int i = 0; i < pairs.length; i++) {
      List<Partition> members = new ArrayList<>();
      for (int member : group(i % groups, groups, lefts.length)) {
        members.add(lefts[member]);
      }
      pairs[i] = new Pair(i, rights[i / groups], members);
    }
    return pairs;
  }

  @Override
  public Seq<String> getPreferredLocations(Partition split) {
    return rightRows().preferredLocations(((Pair) split).right);
  }

  @Override
  public scala.collection.Iterator<Tuple2<Key, Found>> compute(
      Partition split, TaskContext context) {
    Pair pair = (Pair) split;
    Iterator<Loaded> parts = right.parts(rightRows(), pair.right, context);
    return CollectionConverters.asScala(new Blocks(pair, parts, context));
  }

  /** Part after part of the right, and for each the left in blocks. */
  private final class Blocks implements Iterator<Tuple2<Key, Found>> {
    private final Pair pair;
    private final Iterator<Loaded> parts;
    private final TaskContext context;
    private Loaded part;
    private int member;
    private int blocks;
    private Iterator<InternalRow> rows;
    private Iterator<Tuple2<Key, Found>> ready = List.<Tuple2<Key, Found>>of().iterator();

    private Blocks(Pair pair, Iterator<Loaded> parts, TaskContext context) {
      this.pair = pair;
      this.parts = parts;
      this.context = context;
    }

    @Override
    public boolean hasNext() {
      while (!ready.hasNext()) {
        if (rows != null && rows.hasNext()) {
          ready = block();
        } else if (part != null && member < pair.left.size()) {
          rows = CollectionConverters.asJava(leftRows().iterator(pair.left.get(member++), context));
          blocks = 0;
        } else if (parts.hasNext()) {
          part = parts.next();
          member = 0;
          rows = null;
        } else {
          return false;
        }
      }
      return true;
    }

    @Override
    public Tuple2<Key, Found> next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ready.next();
    }

    private Iterator<Tuple2<Key, Found>> block() {
      Map<Key, Integer> times = new LinkedHashMap<>();
      List<DistanceCall> queries = new ArrayList<>();
      List<Key> asking = new ArrayList<>();
      int most = Math.max(1, Math.min(BLOCK, HITS / Math.max(1, ask.join.k())));
      for (int n = 0; n < most && rows.hasNext(); n++) {
        UnsafeRow row = (UnsafeRow) rows.next();
        Key key = new Key(bytes(row));
        if (times.merge(key, 1, Integer::sum) > 1) {
          continue;
        }
        Object vector = ask.left.eval(row);
        if (vector != null) {
          queries.add(call(vector));
          asking.add(key);
        }
      }
      List<List<Part.Hit>> found =
          part.index.search(
              queries, ask.join.k(), part.qualifying, false, TopKRdd.checkpoint(context));
      Map<Key, List<Part.Hit>> hits = new LinkedHashMap<>();
      if (ask.join.outer()) {
        times.keySet().forEach(key -> hits.put(key, List.of()));
      }
      for (int i = 0; i < asking.size(); i++) {
        if (ask.join.outer() || !found.get(i).isEmpty()) {
          hits.put(asking.get(i), found.get(i));
        }
      }
      long block = (long) pair.left.get(member - 1).index() << 32 | blocks++;
      return hits.entrySet().stream()
          .map(e -> new Tuple2<>(e.getKey(), found(times.get(e.getKey()), block, e.getValue())))
          .iterator();
    }

    private Found found(int times, long block, List<Part.Hit> hits) {
      int n = hits.size();
      Found found =
          new Found(times, block, new long[n], new double[n], new Object[n], new byte[n][]);
      for (int i = 0; i < n; i++) {
        Part.Hit hit = hits.get(i);
        found.places[i] = part.places.applyAsLong(hit.place());
        found.values[i] = hit.value();
        found.ids[i] = hit.id();
        found.rows[i] = part.rows.get(hit.place());
      }
      return found;
    }

    private DistanceCall call(Object vector) {
      boolean first = ask.join.queryFirst();
      String function = ask.join.function();
      float[] elements =
          Functions.vector(
              function, first ? "first vector" : "second vector", ask.leftKind, vector);
      return new DistanceCall(
          function,
          first ? ask.leftKind : ask.rightKind,
          first ? ask.rightKind : ask.leftKind,
          elements,
          first);
    }
  }

  /**
   * Rows of any plan, in chunks that each become an index.
   *
   * @param vector the vector of a row, bound to it
   * @param kind how it holds it
   * @param id what decides ties, bound too; or null
   */
  record AnyRows(Expression vector, Vectors kind, Expression id) implements Right {
    @Override
    public Iterator<Loaded> parts(RDD<?> rdd, Partition split, TaskContext context) {
      @SuppressWarnings("unchecked")
      Iterator<InternalRow> rows =
          CollectionConverters.asJava(((RDD<InternalRow>) rdd).iterator(split, context));
      return new Chunks(rows, kind) {
        private long rowsBefore = (long) split.index() << 40;

        @Override
        long place() {
          return rowsBefore++;
        }

        @Override
        Object id(InternalRow row, int number) {
          return id == null ? (Object) (long) number : Ids.normal(id.eval(row), id.dataType());
        }

        @Override
        Object value(InternalRow row) {
          return vector.eval(row);
        }

        @Override
        byte[] bytes(InternalRow row) {
          return KnnRdd.bytes((UnsafeRow) row);
        }
      };
    }
  }

  /** Rows in chunks that each become an index. */
  private abstract static class Chunks implements Iterator<Loaded> {
    private final Iterator<InternalRow> rows;
    private final Vectors kind;

    private Chunks(Iterator<InternalRow> rows, Vectors kind) {
      this.rows = rows;
      this.kind = kind;
    }

    /** Where the row that was read last is on the right side. */
    abstract long place();

    abstract Object id(InternalRow row, int number);

    abstract Object value(InternalRow row);

    /** A copy of what is wanted of a row, or null if it doesn't qualify. */
    abstract byte[] bytes(InternalRow row);

    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public Loaded next() {
      Part.Builder builder = new Part.Builder(kind, Long.MAX_VALUE);
      List<byte[]> kept = new ArrayList<>();
      LongStream.Builder places = LongStream.builder();
      long bytes = 0;
      while (rows.hasNext() && kept.size() < CHUNK_ROWS && bytes + builder.held() < CHUNK_BYTES) {
        InternalRow row = rows.next();
        long place = place();
        byte[] copy = bytes(row);
        if (copy != null) {
          builder.add(id(row, kept.size()), value(row));
          kept.add(copy);
          places.add(place);
          bytes += copy.length + 64;
        }
      }
      long[] all = places.build().toArray();
      return new Loaded(builder.build(), null, kept, place -> all[place]);
    }
  }

  /**
   * The rows of a table with an index.
   *
   * @param vector the column of vectors
   * @param id the column that decides ties, or null
   * @param filter which rows, or null for all
   * @param columns the columns wanted
   * @param reader reads those of the filter and those wanted
   * @param all reads the vectors and ids too
   * @param memory the most bytes of them in memory, or 0
   */
  record Table(
      Attribute vector,
      Attribute id,
      Expression filter,
      List<Attribute> columns,
      Files.Reader reader,
      Files.Reader all,
      long memory)
      implements Right {
    @Override
    public Iterator<Loaded> parts(RDD<?> rdd, Partition split, TaskContext context) {
      @SuppressWarnings("unchecked")
      Part part = ((RDD<Part>) rdd).iterator(split, context).next();
      Files.Split files = ((PartsRdd.Source) split).split();
      UnsafeProjection projection =
          UnsafeProjection.create(
              columns.stream()
                  .map(Attribute::dataType)
                  .toArray(org.apache.spark.sql.types.DataType[]::new));
      if (part.tooLarge() || !all.isOf(part, files.files())) {
        return chunks(files, projection);
      }
      BitSet qualifying =
          filter == null
              ? null
              : TopKRdd.qualifying(files.files(), part.witnesses(), reader, filter);
      List<byte[]> kept = new ArrayList<>();
      long most = Room.ofTask(memory);
      Iterator<InternalRow> rows = reader.rows(files.files(), part.witnesses());
      for (int place = 0; rows.hasNext(); place++) {
        InternalRow row = rows.next();
        boolean wanted = qualifying == null || qualifying.get(place);
        byte[] copy = wanted ? wanted(row, reader, projection) : null;
        kept.add(copy);
        most -= copy == null ? 8 : copy.length + 24;
        if (most < 0) {
          return chunks(files, projection);
        }
      }
      IntToLongFunction places = place -> part.placeInTable(place, files.numbers());
      return List.of(new Loaded(part, qualifying, kept, places)).iterator();
    }

    private byte[] wanted(InternalRow row, Files.Reader from, UnsafeProjection projection) {
      Object[] values = new Object[columns.size()];
      for (int i = 0; i < values.length; i++) {
        Attribute column = columns.get(i);
        values[i] = row.get(from.ordinal(column), column.dataType());
      }
      return KnnRdd.bytes(projection.apply(new GenericInternalRow(values)));
    }

    /** Where memory is too small for the index of a split. */
    private Iterator<Loaded> chunks(Files.Split files, UnsafeProjection projection) {
      BasePredicate predicate =
          filter == null ? null : Predicate.create(filter, Scala.seq(all.columns()));
      if (predicate != null) {
        predicate.initialize(files.index());
      }
      Vectors kind = Vectors.of(vector.dataType());
      Files.Rows rows = all.rows(files.files());
      return new Chunks(rows, kind) {
        @Override
        long place() {
          return rows.place(files.numbers());
        }

        @Override
        Object id(InternalRow row, int number) {
          return id == null
              ? (Object) (long) number
              : Ids.normal(row.get(all.ordinal(id), id.dataType()), id.dataType());
        }

        @Override
        Object value(InternalRow row) {
          return IndexRdd.value(row, all.ordinal(vector), kind);
        }

        @Override
        byte[] bytes(InternalRow row) {
          return predicate == null || predicate.eval(row) ? wanted(row, all, projection) : null;
        }
      };
    }
  }
}
