/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.TopK;
import io.github.calcitefaiss.index.VectorException;
import io.github.calcitefaiss.sql.function.JsonText;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.aggregate.ImperativeAggregate;
import org.apache.spark.sql.catalyst.expressions.aggregate.TypedImperativeAggregate;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;
import scala.collection.immutable.IndexedSeq;
import scala.collection.immutable.Seq;

/**
 * {@code faiss_agg(id, embedding, query, k)} and {@code faiss_agg_with_scores}: the nearest of the
 * rows, found by each task and merged, in memory that grows with k and not with the rows.
 */
public final class NearestAggregate extends TypedImperativeAggregate<NearestAggregate.Group>
    implements Serializable {
  private final List<Expression> arguments;
  private final boolean scores;
  private final int mutableOffset;
  private final int inputOffset;

  /** What a task knows of a group. */
  public static final class Group {
    private boolean any;
    private float[] query;
    private int k = -1;
    private TopK nearest;
  }

  /** The arguments are id, embedding, query and k. */
  public NearestAggregate(
      Seq<Expression> arguments, boolean scores, int mutableOffset, int inputOffset) {
    this.arguments = new ArrayList<>(Scala.list(arguments));
    this.scores = scores;
    this.mutableOffset = mutableOffset;
    this.inputOffset = inputOffset;
  }

  @Override
  public Group createAggregationBuffer() {
    return new Group();
  }

  @Override
  public Group update(Group group, InternalRow row) {
    Object query = arguments.get(2).eval(row);
    Object count = arguments.get(3).eval(row);
    float[] elements = query == null ? null : vector("query", 2, query);
    int k = count == null ? -1 : Ids.count(prettyName(), count);
    if (!group.any) {
      begin(group, elements, k);
    } else {
      same(group, elements, k);
    }
    Object value = arguments.get(1).eval(row);
    if (group.nearest == null || value == null) {
      return group;
    }
    group.nearest.offer(score(group.query, value), id(row));
    return group;
  }

  private void begin(Group group, float[] query, int k) {
    group.any = true;
    group.query = query;
    group.k = k;
    if (query != null && query.length == 0) {
      throw Functions.bad(
          prettyName(), "query", "the vector is empty (0 bytes), expected elements");
    }
    group.nearest = query == null || k < 0 ? null : new TopK(k);
  }

  private void same(Group group, float[] query, int k) {
    boolean sameQuery = Arrays.equals(group.query, query);
    if (!sameQuery || group.k != k) {
      throw new VectorException(
          prettyName()
              + ": "
              + (sameQuery ? "k" : "query")
              + " changes within a group; it must be the same for all rows");
    }
  }

  private double score(float[] query, Object value) {
    if (value instanceof byte[] blob && blob.length == 4 * query.length) {
      try {
        return TopK.l2Squared(query, blob);
      } catch (VectorException e) {
        throw Functions.bad(prettyName(), "embedding", e.getMessage());
      }
    }
    float[] vector = vector("embedding", 1, value);
    if (vector.length != query.length) {
      throw Functions.bad(
          prettyName(),
          "embedding",
          "expected " + query.length + " dimensions, got " + vector.length);
    }
    return Metric.L2_SQUARED.value(query, vector);
  }

  private float[] vector(String argument, int i, Object value) {
    return Functions.vector(prettyName(), argument, Vectors.of(arguments.get(i).dataType()), value);
  }

  private Object id(InternalRow row) {
    Object id = arguments.get(0).eval(row);
    return id == null ? null : Ids.normal(id, arguments.get(0).dataType());
  }

  @Override
  public Group merge(Group group, Group other) {
    if (!other.any) {
      return group;
    } else if (!group.any) {
      return other;
    }
    same(group, other.query, other.k);
    if (group.nearest != null) {
      for (TopK.Hit hit : other.nearest.drain()) {
        group.nearest.offer(hit.value(), hit.id());
      }
    }
    return group;
  }

  @Override
  public Object eval(Group group) {
    if (group.nearest == null) {
      return null;
    }
    StringBuilder out = new StringBuilder("[");
    for (TopK.Hit hit : hits(group)) {
      if (out.length() > 1) {
        out.append(", ");
      }
      if (scores) {
        out.append('[');
        JsonText.appendId(out, hit.id());
        out.append(", ");
        JsonText.appendDouble(out, hit.value());
        out.append(']');
      } else {
        JsonText.appendId(out, hit.id());
      }
    }
    return UTF8String.fromString(out.append(']').toString());
  }

  /** The nearest so far, which stay. */
  private static List<TopK.Hit> hits(Group group) {
    List<TopK.Hit> hits = group.nearest.drain();
    hits.forEach(hit -> group.nearest.offer(hit.value(), hit.id()));
    return hits;
  }

  @Override
  public byte[] serialize(Group group) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeBoolean(group.any);
      out.writeObject(group.query);
      out.writeInt(group.k);
      List<TopK.Hit> hits = group.nearest == null ? List.of() : hits(group);
      out.writeInt(hits.size());
      for (TopK.Hit hit : hits) {
        out.writeDouble(hit.value());
        out.writeObject(hit.id());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  @Override
  public Group deserialize(byte[] bytes) {
    try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes))) {
      Group group = new Group();
      group.any = in.readBoolean();
      group.query = (float[]) in.readObject();
      group.k = in.readInt();
      group.nearest = group.query == null || group.k < 0 ? null : new TopK(group.k);
      for (int n = in.readInt(); n > 0; n--) {
        double value = in.readDouble();
        group.nearest.offer(value, in.readObject());
      }
      return group;
    } catch (IOException | ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public int mutableAggBufferOffset() {
    return mutableOffset;
  }

  @Override
  public int inputAggBufferOffset() {
    return inputOffset;
  }

  @Override
  public ImperativeAggregate withNewMutableAggBufferOffset(int offset) {
    return new NearestAggregate(children(), scores, offset, inputOffset);
  }

  @Override
  public ImperativeAggregate withNewInputAggBufferOffset(int offset) {
    return new NearestAggregate(children(), scores, mutableOffset, offset);
  }

  @Override
  public Seq<Expression> children() {
    return Scala.seq(arguments);
  }

  @Override
  public Expression withNewChildrenInternal(IndexedSeq<Expression> children) {
    return new NearestAggregate(children, scores, mutableOffset, inputOffset);
  }

  @Override
  public boolean nullable() {
    return true;
  }

  @Override
  public DataType dataType() {
    return DataTypes.StringType;
  }

  @Override
  public String prettyName() {
    return scores ? "faiss_agg_with_scores" : "faiss_agg";
  }

  @Override
  public boolean canEqual(Object other) {
    return other instanceof NearestAggregate;
  }

  @Override
  public int productArity() {
    return 4;
  }

  @Override
  public Object productElement(int i) {
    switch (i) {
      case 0:
        return children();
      case 1:
        return scores;
      case 2:
        return mutableOffset;
      default:
        return inputOffset;
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NearestAggregate a
        && a.arguments.equals(arguments)
        && a.scores == scores
        && a.mutableOffset == mutableOffset
        && a.inputOffset == inputOffset;
  }

  @Override
  public int hashCode() {
    return arguments.hashCode();
  }
}
