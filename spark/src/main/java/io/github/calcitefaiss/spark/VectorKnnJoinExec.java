/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.catalyst.expressions.AttributeSet;
import org.apache.spark.sql.catalyst.expressions.AttributeSet$;
import org.apache.spark.sql.catalyst.expressions.BoundReference;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.expressions.JoinedRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeProjection;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.storage.StorageLevel;
import scala.Enumeration;
import scala.Tuple2;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/** The k nearest rows of the right for each row of the left. */
public final class VectorKnnJoinExec extends SparkPlan {
  private final Seq<SparkPlan> children;
  private final transient Spec spec;
  private final Expression query;
  private final Expression candidate;
  private final Seq<Expression> tie;
  private final Seq<Expression> filters;
  private final Seq<Attribute> output;

  /**
   * What does not change.
   *
   * @param join function, k and kind of join
   * @param files the right side, if it is a table that can have an index; else it is a child
   * @param columns the columns wanted of it, under the names of the table
   */
  record Spec(KnnJoin.Ask join, Files files, List<Attribute> columns) {}

  /** The output is the left's columns and the right's. */
  public VectorKnnJoinExec(
      Seq<SparkPlan> children,
      Spec spec,
      Expression query,
      Expression candidate,
      Seq<Expression> tie,
      Seq<Expression> filters,
      Seq<Attribute> output) {
    this.children = children;
    this.spec = spec;
    this.query = query;
    this.candidate = candidate;
    this.tie = tie;
    this.filters = filters;
    this.output = output;
  }

  /** An expression over rows with some columns. */
  private static Expression bind(Expression expression, Seq<Attribute> columns) {
    List<Attribute> list = Scala.list(columns);
    return Scala.replace(
        expression,
        e -> {
          for (int i = 0; e instanceof AttributeReference a && i < list.size(); i++) {
            if (list.get(i).exprId().equals(a.exprId())) {
              return new BoundReference(i, a.dataType(), a.nullable());
            }
          }
          return null;
        });
  }

  @Override
  public RDD<InternalRow> doExecute() {
    SparkPlan leftPlan = children.apply(0);
    RDD<InternalRow> left = leftPlan.execute();
    Enumeration.Value level = left.outputDeterministicLevel();
    if (!level.toString().equals("DETERMINATE")) {
      // It is read once for each split of the right, and must be the same each time.
      left = left.toJavaRDD().map(InternalRow::copy).rdd();
      left.persist(StorageLevel.MEMORY_AND_DISK());
    }
    KnnRdd.Ask ask =
        new KnnRdd.Ask(
            spec.join,
            bind(query, leftPlan.output()),
            Vectors.of(query.dataType()),
            Vectors.of(candidate.dataType()));
    RDD<?> rightRows;
    KnnRdd.Right right;
    if (spec.files != null) {
      Files.Listing listing = spec.files.list(Indexes.partitionBytes(session()));
      Expression filter = VectorTopKExec.all(Scala.list(filters));
      List<Attribute> read = new ArrayList<>(spec.columns);
      for (Attribute attribute : spec.files.output()) {
        if (filter != null && filter.references().contains(attribute)) {
          read.add(attribute);
        }
      }
      Attribute vector = (Attribute) candidate;
      List<Attribute> every = new ArrayList<>(read);
      every.add(vector);
      if (tieColumn() != null) {
        every.add(tieColumn());
      }
      rightRows = Indexes.of(session(), spec.files, listing, tieColumn(), vector);
      right =
          new KnnRdd.Table(
              vector,
              tieColumn(),
              filter,
              spec.columns,
              spec.files.reader(session(), read),
              spec.files.reader(session(), every),
              Room.setting(session()));
    } else {
      SparkPlan plan = children.apply(1);
      rightRows = plan.execute();
      right =
          new KnnRdd.AnyRows(
              bind(candidate, plan.output()),
              Vectors.of(candidate.dataType()),
              tieColumn() == null ? null : bind(tieColumn(), plan.output()));
    }
    int rights = rightRows.getNumPartitions();
    int leftColumns = leftPlan.output().size();
    List<DataType> types = new ArrayList<>();
    Scala.list(output).forEach(attribute -> types.add(attribute.dataType()));
    if (rights == 0) {
      return spec.join.outer() ? unmatched(left, types, leftColumns) : none();
    }
    int wanted = 2 * session().sparkContext().defaultParallelism();
    int lefts = Math.max(1, left.getNumPartitions());
    int groups = Math.max(1, Math.min(lefts, (wanted + rights - 1) / rights));
    KnnRdd pairs = new KnnRdd(session().sparkContext(), left, rightRows, groups, ask, right);
    int k = spec.join.k();
    boolean descending = Functions.METRICS.get(spec.join.function()).descending();
    boolean byPlace = tieColumn() == null;
    return JavaPairRDD.fromJavaRDD(pairs.toJavaRDD())
        .groupByKey(conf().numShufflePartitions())
        .mapPartitions(
            groupsOfRows -> merged(groupsOfRows, types, leftColumns, k, descending, byPlace))
        .rdd();
  }

  private RDD<InternalRow> none() {
    return session()
        .sparkContext()
        .emptyRDD(scala.reflect.ClassTag$.MODULE$.apply(InternalRow.class));
  }

  private static RDD<InternalRow> unmatched(
      RDD<InternalRow> left, List<DataType> types, int leftColumns) {
    return left.toJavaRDD()
        .<InternalRow>mapPartitions(
            rows -> {
              UnsafeProjection projection = UnsafeProjection.create(types.toArray(new DataType[0]));
              InternalRow nulls = new GenericInternalRow(types.size() - leftColumns);
              return map(rows, row -> projection.apply(new JoinedRow(row, nulls)));
            })
        .rdd();
  }

  private static <A, B> Iterator<B> map(Iterator<A> rows, java.util.function.Function<A, B> of) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public B next() {
        return of.apply(rows.next());
      }
    };
  }

  /** One row that some task found; the same one may have been found several times. */
  private record Candidate(double rank, Object id, long place, byte[] row) {}

  private static Iterator<InternalRow> merged(
      Iterator<Tuple2<KnnRdd.Key, Iterable<KnnRdd.Found>>> groups,
      List<DataType> types,
      int leftColumns,
      int k,
      boolean descending,
      boolean byPlace) {
    UnsafeProjection projection = UnsafeProjection.create(types.toArray(new DataType[0]));
    int rightColumns = types.size() - leftColumns;
    Comparator<Candidate> order =
        Comparator.comparingDouble(Candidate::rank)
            .thenComparing(
                (a, b) -> byPlace ? 0 : io.github.calcitefaiss.index.Ids.compare(a.id, b.id))
            .thenComparingLong(Candidate::place);
    return new Iterator<>() {
      private Iterator<InternalRow> rows = List.<InternalRow>of().iterator();

      @Override
      public boolean hasNext() {
        while (!rows.hasNext() && groups.hasNext()) {
          rows = rows(groups.next());
        }
        return rows.hasNext();
      }

      @Override
      public InternalRow next() {
        return rows.next();
      }

      private Iterator<InternalRow> rows(Tuple2<KnnRdd.Key, Iterable<KnnRdd.Found>> group) {
        // Each block of the left met the row so many times, and asked all parts of the right.
        Map<Long, Integer> times = new HashMap<>();
        List<Candidate> all = new ArrayList<>();
        long first = -1;
        for (KnnRdd.Found found : group._2()) {
          times.put(found.block(), found.times());
          if (first < 0) {
            first = found.block();
          } else if (first != found.block()) {
            continue;
          }
          for (int i = 0; i < found.places().length; i++) {
            double value = found.values()[i];
            all.add(
                new Candidate(
                    descending ? 0.0 - value : value,
                    found.ids()[i],
                    found.places()[i],
                    found.rows()[i]));
          }
        }
        all.sort(order);
        int most = times.values().stream().mapToInt(Integer::intValue).sum();
        InternalRow left = group._1().unsafe(leftColumns);
        List<InternalRow> result = new ArrayList<>();
        for (int i = 0; i < most; i++) {
          for (Candidate candidate : all.subList(0, Math.min(k, all.size()))) {
            InternalRow right = KnnRdd.row(candidate.row, rightColumns);
            result.add(projection.apply(new JoinedRow(left, right)).copy());
          }
          if (all.isEmpty()) {
            InternalRow nulls = new GenericInternalRow(rightColumns);
            result.add(projection.apply(new JoinedRow(left, nulls)).copy());
          }
        }
        return result.iterator();
      }
    };
  }

  private Attribute tieColumn() {
    return tie.isEmpty() ? null : (Attribute) tie.apply(0);
  }

  @Override
  public Seq<Attribute> output() {
    return output;
  }

  @Override
  public AttributeSet producedAttributes() {
    List<Attribute> all = new ArrayList<>(Scala.list(output));
    if (spec.files != null) {
      all.addAll(spec.files.output());
    }
    return AttributeSet$.MODULE$.apply(Scala.<Expression>seq(all));
  }

  @Override
  public Seq<SparkPlan> children() {
    return children;
  }

  @Override
  public SparkPlan withNewChildrenInternal(IndexedSeq<SparkPlan> changed) {
    return new VectorKnnJoinExec(changed, spec, query, candidate, tie, filters, output);
  }

  @Override
  public String nodeName() {
    return "VectorKnnJoin";
  }

  @Override
  public String simpleString(int maxFields) {
    return nodeName()
        + " query="
        + query.sql()
        + ", column="
        + candidate.sql()
        + ", metric="
        + Functions.METRICS.get(spec.join.function())
        + ", k="
        + spec.join.k()
        + (spec.join.outer() ? ", outer" : "")
        + (filters.isEmpty() ? "" : ", where=" + VectorTopKExec.all(Scala.list(filters)).sql())
        + ", ties="
        + (tieColumn() == null ? "place" : tieColumn().name())
        + ", mode="
        + (spec.files == null
            ? "blocks (each task indexes the rows that it is given)"
            : "index"
                + Indexes.note(session(), spec.files, tieColumn(), (Attribute) candidate)
                + ", files="
                + spec.files.where());
  }

  @Override
  public String verboseStringWithOperatorId() {
    return simpleString(25) + "\n";
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof VectorKnnJoinExec;
  }

  @Override
  public int productArity() {
    return 7;
  }

  @Override
  public Object productElement(int i) {
    return Arrays.asList(children, spec, query, candidate, tie, filters, output).get(i);
  }

  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
