/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.index.FlatIndex;
import io.github.calcitefaiss.index.Metric;
import io.github.calcitefaiss.index.Neighbors;
import io.github.calcitefaiss.index.Search;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.index.VectorException;
import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The vectors of one split: an index for each dimension, and which rows have none.
 *
 * <p>A row's place is its number within the split, from 0.
 */
public final class Part implements Externalizable {
  private final Map<Integer, Dimension> dimensions = new TreeMap<>();
  private BitSet nulls = new BitSet();
  private BitSet empty = new BitSet();
  private final Map<Integer, String> bad = new TreeMap<>();
  private int rows;
  private boolean tooLarge;
  private String[] witnesses = new String[0];
  private int[] starts = new int[0];

  /** For deserialization. */
  public Part() {}

  private static final class Dimension {
    private FlatIndex index;
    private int[] places;

    private int place(int ordinal) {
      return places == null ? ordinal : places[ordinal];
    }
  }

  /** How many rows the split has. */
  int rows() {
    return rows;
  }

  /** Whether memory was too small, so that rows must be compared one by one. */
  boolean tooLarge() {
    return tooLarge;
  }

  /** What the files of the split were known by when it was read. */
  String[] witnesses() {
    return witnesses;
  }

  /**
   * Where a row of the split is in the table.
   *
   * @param numbers the numbers of the split's files there
   */
  long placeInTable(int place, int[] numbers) {
    int file = Arrays.binarySearch(starts, place);
    if (file < 0) {
      file = -file - 2;
    }
    while (file + 1 < starts.length && starts[file + 1] == place) {
      file++;
    }
    return (long) numbers[file] << 32 | place - starts[file];
  }

  /** The places of rows without a vector, and of those that have no distance to any. */
  BitSet nulls(Metric metric) {
    BitSet all = (BitSet) nulls.clone();
    if (metric == Metric.COSINE_DISTANCE || metric == Metric.COSINE_SIMILARITY) {
      for (Dimension dimension : dimensions.values()) {
        dimension.index.zeroRows().stream().forEach(row -> all.set(dimension.place(row)));
      }
    }
    return all;
  }

  /**
   * A row that was found.
   *
   * @param place its place
   * @param value its distance
   * @param id its id, as the index has it
   * @param vector its vector's elements
   */
  record Hit(int place, double value, Object id, float[] vector) {}

  /**
   * The nearest rows to each query, ties by id.
   *
   * @param queries as they are called, each with its constant vector
   * @param qualifying the places that qualify; null for all
   * @param vectors whether vectors are wanted too
   */
  List<List<Hit>> search(
      List<DistanceCall> queries,
      int k,
      BitSet qualifying,
      boolean vectors,
      Checkpoint checkpoint) {
    List<List<Hit>> found = new ArrayList<>();
    queries.forEach(query -> found.add(List.of()));
    Map<Integer, List<Integer>> byDims = new TreeMap<>();
    for (int i = 0; i < queries.size(); i++) {
      byDims.computeIfAbsent(queries.get(i).constant().length, d -> new ArrayList<>()).add(i);
    }
    byDims.forEach(
        (dims, which) -> {
          check(queries.get(which.get(0)), qualifying);
          Dimension dimension = dimensions.get(dims);
          if (dimension == null) {
            return;
          }
          BitSet ordinals = qualifying == null ? null : ordinals(dimension, qualifying);
          List<Search> searches = new ArrayList<>();
          for (int i : which) {
            DistanceCall query = queries.get(i);
            int most = Math.min(k, dimension.index.size());
            searches.add(new Search(query.constant(), query.metric(), most, Double.NaN, ordinals));
          }
          Neighbors[] neighbors = dimension.index.searchAll(searches, checkpoint);
          for (int i = 0; i < neighbors.length; i++) {
            found.set(which.get(i), hits(dimension, neighbors[i], vectors));
          }
        });
    return found;
  }

  private static List<Hit> hits(Dimension dimension, Neighbors neighbors, boolean vectors) {
    List<Hit> hits = new ArrayList<>(neighbors.size());
    for (int i = 0; i < neighbors.size(); i++) {
      int ordinal = neighbors.ordinals()[i];
      hits.add(
          new Hit(
              dimension.place(ordinal),
              neighbors.values()[i] + 0.0,
              dimension.index.id(ordinal),
              vectors ? dimension.index.vector(ordinal) : null));
    }
    return hits;
  }

  private static BitSet ordinals(Dimension dimension, BitSet qualifying) {
    if (dimension.places == null) {
      BitSet ordinals = (BitSet) qualifying.clone();
      int size = dimension.index.size();
      ordinals.clear(size, Math.max(size, ordinals.length()));
      return ordinals;
    }
    BitSet ordinals = new BitSet();
    for (int i = 0; i < dimension.places.length; i++) {
      if (qualifying.get(dimension.places[i])) {
        ordinals.set(i);
      }
    }
    return ordinals;
  }

  /** A qualifying row that can't be compared is the error that it is without an index. */
  private void check(DistanceCall query, BitSet qualifying) {
    for (Map.Entry<Integer, String> row : bad.entrySet()) {
      if (qualifying == null || qualifying.get(row.getKey())) {
        throw Functions.bad(query.function(), query.varyingName(), row.getValue());
      }
    }
    if (query.constant().length > 0
        && (qualifying == null ? !empty.isEmpty() : empty.intersects(qualifying))) {
      throw query.dimensionsDiffer(0);
    }
    for (Map.Entry<Integer, Dimension> entry : dimensions.entrySet()) {
      if (entry.getKey() != query.constant().length
          && (qualifying == null || !ordinals(entry.getValue(), qualifying).isEmpty())) {
        throw query.dimensionsDiffer(entry.getKey());
      }
    }
  }

  /** Bytes of memory that the indexes hold. */
  long bytes() {
    return dimensions.values().stream().mapToLong(dimension -> dimension.index.bytes()).sum();
  }

  /** Collects the rows of a split, in order. */
  static final class Builder {
    private final Vectors kind;
    private final long limit;
    private final Map<Integer, FlatIndex.Builder> builders = new TreeMap<>();
    private final Map<Integer, int[]> places = new TreeMap<>();
    private final Part part = new Part();
    private long held;

    /** For vectors of a kind, in at most some bytes. */
    Builder(Vectors kind, long limit) {
      this.kind = kind;
      this.limit = limit;
    }

    private static final class TooLarge extends RuntimeException {
      private TooLarge() {
        super(null, null, false, false);
      }
    }

    /** Says what the files are known by. */
    void files(String[] witnesses) {
      part.witnesses = witnesses;
      part.starts = new int[witnesses.length];
      Arrays.fill(part.starts, Integer.MAX_VALUE);
    }

    String[] witnesses() {
      return part.witnesses;
    }

    /** Says which file the next row is in. */
    void in(int file) {
      for (int i = file; i >= 0 && part.starts[i] == Integer.MAX_VALUE; i--) {
        part.starts[i] = part.rows;
      }
    }

    /** Bytes that the rows so far take. */
    long held() {
      return held;
    }

    /** Adds a row; false once memory is too small. */
    boolean add(Object id, Object value) {
      int place = part.rows++;
      if (value == null) {
        part.nulls.set(place);
        return true;
      }
      try {
        byte[] blob =
            value instanceof byte[] bytes ? bytes : VectorCodec.encode(kind.elements(value));
        int dims = blob.length / 4;
        if (blob.length % 4 != 0 || dims == 0) {
          // What the function itself says of it.
          VectorCodec.decode(blob);
          part.empty.set(place);
          return true;
        }
        FlatIndex.Builder builder =
            builders.computeIfAbsent(dims, d -> new FlatIndex.Builder(0, this::charge));
        builder.add(id, blob);
        int n = builder.size();
        int[] known = places.get(dims);
        if (known == null && n - 1 != place) {
          known = new int[Math.max(64, 2 * n)];
          for (int i = 0; i < n - 1; i++) {
            known[i] = i;
          }
        }
        if (known != null) {
          if (n > known.length) {
            known = Arrays.copyOf(known, 2 * n);
          }
          known[n - 1] = place;
          places.put(dims, known);
        }
      } catch (VectorException e) {
        part.bad.put(place, e.getMessage());
      } catch (TooLarge e) {
        part.tooLarge = true;
        return false;
      }
      return true;
    }

    private void charge(long bytes) {
      if (held + bytes > limit) {
        throw new TooLarge();
      }
      held += bytes;
    }

    /** The part. */
    Part build() {
      try {
        if (!part.tooLarge) {
          builders.forEach(
              (dims, builder) -> {
                Dimension dimension = new Dimension();
                dimension.index = builder.build();
                int[] known = places.get(dims);
                dimension.places =
                    known == null ? null : Arrays.copyOf(known, dimension.index.size());
                part.dimensions.put(dims, dimension);
              });
          return part;
        }
      } catch (TooLarge e) {
        part.tooLarge = true;
      }
      builders.values().forEach(FlatIndex.Builder::close);
      part.dimensions.clear();
      return part;
    }
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    out.writeInt(rows);
    out.writeBoolean(tooLarge);
    out.writeObject(witnesses);
    out.writeObject(starts);
    out.writeObject(nulls);
    out.writeObject(empty);
    out.writeInt(bad.size());
    for (Map.Entry<Integer, String> row : bad.entrySet()) {
      out.writeInt(row.getKey());
      out.writeUTF(row.getValue());
    }
    out.writeInt(dimensions.size());
    for (Map.Entry<Integer, Dimension> entry : dimensions.entrySet()) {
      FlatIndex index = entry.getValue().index;
      out.writeInt(entry.getKey());
      out.writeObject(entry.getValue().places);
      out.writeInt(index.size());
      for (int i = 0; i < index.size(); i++) {
        out.writeObject(index.id(i));
        out.write(VectorCodec.encode(index.vector(i)));
      }
    }
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException, ClassNotFoundException {
    rows = in.readInt();
    tooLarge = in.readBoolean();
    witnesses = (String[]) in.readObject();
    starts = (int[]) in.readObject();
    nulls = (BitSet) in.readObject();
    empty = (BitSet) in.readObject();
    for (int n = in.readInt(); n > 0; n--) {
      int place = in.readInt();
      bad.put(place, in.readUTF());
    }
    for (int n = in.readInt(); n > 0; n--) {
      int dims = in.readInt();
      Dimension dimension = new Dimension();
      dimension.places = (int[]) in.readObject();
      int size = in.readInt();
      FlatIndex.Builder builder = new FlatIndex.Builder(size, bytes -> {});
      for (int i = 0; i < size; i++) {
        Object id = in.readObject();
        byte[] blob = new byte[4 * dims];
        in.readFully(blob);
        builder.add(id, blob);
      }
      dimension.index = builder.build();
      dimensions.put(dims, dimension);
    }
  }
}
