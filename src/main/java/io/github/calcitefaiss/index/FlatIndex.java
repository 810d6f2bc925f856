/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/**
 * The vectors of one version of a table, searched exactly.
 *
 * <p>Immutable once built, but for the columns beside it, so any number of threads may search it.
 * Holds the floats, and codes of eight bits a dimension that rule out most rows without reading
 * their floats; at 384 dimensions that is 1.36 times the floats alone.
 */
public final class FlatIndex {
  /** Searches of at least this many elements are spread over the cores. */
  private static final long SHARED_ELEMENTS = 4_000_000;

  /** Searches that go through the index together: their sums stay in the cache. */
  private static final int BATCH = 16;

  /** Blocks at most whose sketch is looked at before their rows are compared. */
  private static final int PART = 64;

  /** If k is more than this share of the rows, codes rule out too few to pay. */
  private static final int MOST_ROWS = 8;

  /** Rows, and floats, that are read from the table at a time. */
  private static final int READ_ROWS = 256;

  private static final int READ_FLOATS = 1 << 18;

  private final Layout layout;
  private final List<Chunk> chunks;
  private final IdColumn ids;
  private final Grid grid;
  private final CodeSizes sizes;
  private final Kernel kernel;
  private final IdColumn rowids;
  private final AtomicLong floatsRead = new AtomicLong();

  /** Left by a search that is done, for the next. */
  private final AtomicReference<Scan.Scratch> spare = new AtomicReference<>();

  private volatile KeptColumns columns;
  private volatile long laterBytes;
  private final Lock columnsLock = new ReentrantLock();
  private boolean fromFile;
  private LazySketch lazySketch;
  private volatile IdTable table;
  private volatile BitSet zeroRows;

  private FlatIndex(
      Layout layout,
      List<Chunk> chunks,
      IdColumn ids,
      IdColumn rowids,
      BitSet zeroRows,
      Grid grid,
      KeptColumns columns,
      Kernel kernel) {
    this.layout = layout;
    this.chunks = chunks;
    this.ids = ids;
    this.rowids = rowids;
    this.zeroRows = zeroRows;
    this.grid = grid;
    this.columns = columns;
    this.kernel = kernel;
    sizes = CodeSizes.of(chunks);
    lazySketch =
        new LazySketch(layout != null && !holdsCodesOnly() && Sketch.isFor(ids.size(), dims()));
  }

  /** An index that holds codes only, of its parts, which were in a file. */
  static FlatIndex ofCodes(
      Layout layout,
      List<Chunk> chunks,
      IdColumn ids,
      IdColumn rowids,
      BitSet zeroRows,
      Grid grid) {
    FlatIndex index =
        new FlatIndex(
            layout,
            List.copyOf(chunks),
            ids,
            rowids,
            zeroRows,
            grid,
            KeptColumns.NONE,
            Kernels.CHOSEN);
    index.fromFile = true;
    return index;
  }

  /** The same index with other columns beside it, of as many rows. */
  public FlatIndex with(KeptColumns kept) {
    assert kept.list().stream().allMatch(column -> column.size() == size());
    FlatIndex changed = new FlatIndex(layout, chunks, ids, rowids, zeroRows, grid, kept, kernel);
    changed.table = table;
    changed.fromFile = fromFile;
    changed.lazySketch = lazySketch;
    return changed;
  }

  /** The same index, whose ids answer filters as a column of that name, if all are integers. */
  public FlatIndex withIds(KeptColumns.Wanted name) {
    return with(columns.withIds(name, ids));
  }

  /** Whether it was read from a file, and not made of a table's rows. */
  public boolean isFromFile() {
    return fromFile;
  }

  /** The columns that are kept beside the vectors. */
  public KeptColumns columns() {
    return columns;
  }

  /** Keeps columns that were read since, of as many rows, in the table's version. */
  public synchronized void keep(KeptColumns read, List<KeptColumns.Wanted> asked) {
    assert read.list().stream().allMatch(column -> column.size() == size());
    columns = columns.with(read, asked);
    laterBytes += read.bytes();
  }

  /** Lets columns go that were kept by {@link #keep}. */
  public synchronized void forget(KeptColumns read) {
    columns = columns.without(read);
    laterBytes -= read.bytes();
  }

  /** Held by the one who reads columns to be kept. */
  public Lock columnsLock() {
    return columnsLock;
  }

  /** Bytes of the columns that were kept since it was built. */
  public long laterBytes() {
    return laterBytes;
  }

  Grid grid() {
    return grid;
  }

  IdColumn ids() {
    return ids;
  }

  IdColumn rowids() {
    return rowids;
  }

  List<Chunk> chunks() {
    return chunks;
  }

  /** The name of the inner loop that searches run: {@code plain}, {@code vector-256} … */
  public static String kernel() {
    return Kernels.CHOSEN.name();
  }

  /** About how many bytes an index will hold, ids of other types than INTEGER not counted. */
  public static long bytesEstimate(long rows, int dims) {
    return rows * (dims * 5L + 3 + Chunk.ROW_BYTES + Long.BYTES) + Sketch.bytes(rows, dims);
  }

  /** The same of an index that leaves the vectors to the table. */
  public static long bytesOfCodes(long rows, int dims) {
    return rows * (dims + 3L + Chunk.ROW_BYTES + Long.BYTES);
  }

  /** Whether the vectors are left to the table, so that searches need {@link Floats}. */
  public boolean holdsCodesOnly() {
    return !chunks.isEmpty() && chunks.get(0).rows() == null;
  }

  /** Where in its table a row is, of an index that holds codes only. */
  public long rowid(int ordinal) {
    return (Long) (rowids == null ? ids : rowids).get(ordinal);
  }

  /** How many vectors were read from the table by all searches. */
  public long floatsRead() {
    return floatsRead.get();
  }

  /**
   * Whether this is as fast as it gets: what is made for an index that is searched often is there,
   * or won't be.
   */
  public boolean isWarm() {
    return lazySketch.isTried();
  }

  /** Makes that now. */
  void warm() {
    lazySketch.make(this::sketch);
  }

  private Sketch sketch() {
    return Sketch.of(layout, chunks, grid);
  }

  /** Elements of each vector; 0 for an index without rows. */
  public int dims() {
    return layout == null ? 0 : layout.dims();
  }

  /** Number of rows. */
  public int size() {
    return ids.size();
  }

  /** Bytes of memory held. */
  public long bytes() {
    long bytes =
        ids.bytes() + (rowids == null ? 0 : rowids.bytes()) + columns.bytes() + columns.idBytes();
    for (Chunk chunk : chunks) {
      bytes += chunk.bytes();
    }
    bytes += holdsCodesOnly() ? 0 : Sketch.bytes(size(), dims());
    IdTable found = table;
    return found == null ? bytes : bytes + found.bytes();
  }

  /** The id of a row: Long, Double, String or byte[]. */
  public Object id(int ordinal) {
    return ids.get(ordinal);
  }

  /** Copies a row's vector, of an index that holds it. */
  public float[] vector(int ordinal) {
    int row = ordinal % layout.chunkRows() * layout.dims();
    return Arrays.copyOfRange(
        chunks.get(ordinal / layout.chunkRows()).rows(), row, row + layout.dims());
  }

  /**
   * Whether a row is known to have this id and these very bits; an ordinal beyond the last row has
   * none.
   */
  public boolean holds(int ordinal, Object id, byte[] blob) {
    if (ordinal >= size() || blob.length != 4 * dims() || holdsCodesOnly()) {
      return false;
    }
    float[] rows = chunks.get(ordinal / layout.chunkRows()).rows();
    return holds(ordinal, id)
        && VectorCodec.equals(blob, rows, ordinal % layout.chunkRows() * dims());
  }

  /** Whether a row has this very id; an ordinal beyond the last row has none. */
  public boolean holds(int ordinal, Object id) {
    if (ordinal >= size()) {
      return false;
    }
    Object known = id(ordinal);
    return known instanceof byte[] a && id instanceof byte[] b
        ? Arrays.equals(a, b)
        : known.equals(id);
  }

  /** The rows that have an id, ascending; none if the id is unknown. */
  public int[] ordinals(Object id) {
    BitSet found = rows(List.of(id));
    return found.stream().toArray();
  }

  /** The rows that have one of some ids, for {@link Search#rows}; unknown ids are passed over. */
  public BitSet rows(Iterable<?> wanted) {
    IdTable found = table();
    BitSet rows = new BitSet(size());
    for (Object id : wanted) {
      found.find(id, rows::set);
    }
    return rows;
  }

  /** The first row that has an id, or -1 if the id is unknown. */
  public int ordinal(Object id) {
    return table().first(id);
  }

  /** Whether no two rows have one id. */
  public boolean hasUniqueIds() {
    return table().unique();
  }

  /** The rows whose elements are all zero, which have no value under cosine. */
  public BitSet zeroRows() {
    BitSet known = zeroRows;
    if (known == null) {
      known = new BitSet();
      for (int ordinal = 0; ordinal < size(); ordinal++) {
        float[] rows = chunks.get(ordinal / layout.chunkRows()).rows();
        int from = ordinal % layout.chunkRows() * dims();
        int d = 0;
        while (d < dims() && rows[from + d] == 0) {
          d++;
        }
        if (d == dims()) {
          known.set(ordinal);
        }
      }
      zeroRows = known;
    }
    return (BitSet) known.clone();
  }

  private IdTable table() {
    IdTable found = table;
    if (found == null) {
      // Two threads may both build it; either result serves.
      found = new IdTable(size(), ids);
      table = found;
    }
    return found;
  }

  /** The rows nearest to a vector; {@code checkpoint} is called while it works. */
  public Neighbors search(Search search, Checkpoint checkpoint) {
    return search(search, checkpoint, null);
  }

  /**
   * The rows nearest to a vector.
   *
   * @param checkpoint is called while it works
   * @param floats reads the vectors that an index of codes leaves, on the calling thread; else null
   */
  public Neighbors search(Search search, Checkpoint checkpoint, Floats floats) {
    assert size() == 0 || search.query().length == dims() : "dims " + search.query().length;
    checkpoint.check();
    if (search.k() == 0 || size() == 0) {
      return new Neighbors(new int[0], new double[0]);
    }
    Bounds bounds = bounds(search);
    Sketch sketch = lazySketch.get(1, this::sketch);
    Scan.Limit limit = new Scan.Limit(Scan.farthest(search));
    List<Scan> scans = Collections.synchronizedList(new ArrayList<>());
    long rows = search.rows() == null ? size() : search.rows().cardinality();
    int threads = rows * dims() < SHARED_ELEMENTS ? 1 : Workers.most();
    int[][] parts = sketch == null ? parts(blocks()) : parts(threads);
    Workers.run(
        parts.length,
        threads,
        () -> {
          Scan scan = scan(search, bounds, sketch, limit, scratch());
          scans.add(scan);
          return part -> Scan.blocks(List.of(scan), parts[part], checkpoint);
        });
    scans.forEach(Scan::finish);
    spare.set(scans.get(0).scratch);
    if (holdsCodesOnly()) {
      return neighbors(search, new Reading(search, bounds, limit, floats, checkpoint).read(scans));
    }
    NearestHeap heap = scans.get(0).heap();
    for (Scan other : scans.subList(1, scans.size())) {
      other.heap().offerTo(heap);
    }
    return neighbors(search, heap);
  }

  /**
   * The rows nearest to a vector within each group.
   *
   * @param search its {@code rows} don't count
   * @param floats reads vectors as for one search
   * @return the rows of group i + 1 at i; null where the codes say nothing, as of L1
   */
  public Neighbors[] nearestOfEach(
      Search search, RowGroups groups, Checkpoint checkpoint, Floats floats) {
    assert groups.of().length == size();
    checkpoint.check();
    Bounds bounds =
        size() == 0 || search.k() == 0
            ? null
            : Bounds.of(search.metric(), search.query(), grid, sizes);
    if (bounds == null) {
      return null;
    }
    Sketch sketch = lazySketch.get(1, this::sketch);
    float[] limits = new float[groups.count() + 1];
    Arrays.fill(limits, bounds.limit(Scan.farthest(search)));
    List<GroupScan> scans = Collections.synchronizedList(new ArrayList<>());
    int threads = (long) size() * dims() < SHARED_ELEMENTS ? 1 : Workers.most();
    int[][] parts = sketch == null ? parts(blocks()) : parts(threads);
    Workers.run(
        parts.length,
        threads,
        () -> {
          GroupScan scan =
              new GroupScan(
                  kernel,
                  layout,
                  chunks,
                  search,
                  bounds,
                  sketch,
                  groups,
                  ids::compare,
                  limits,
                  scratch());
          scans.add(scan);
          return part -> scan.blocks(parts[part], checkpoint);
        });
    NearestHeap[] heaps = new NearestHeap[groups.count()];
    Arrays.setAll(heaps, i -> new NearestHeap(search.k(), ids::compare));
    if (holdsCodesOnly()) {
      IntStream rows = scans.stream().flatMapToInt(scan -> Arrays.stream(scan.listed()));
      compareRead(search, groups, rows.sorted().toArray(), heaps, checkpoint, floats);
    } else {
      for (GroupScan scan : scans) {
        scan.finish();
        for (int i = 0; i < heaps.length; i++) {
          scan.offerTo(i + 1, heaps[i]);
        }
      }
    }
    spare.set(scans.get(0).scratch);
    return Arrays.stream(heaps).map(heap -> neighbors(search, heap)).toArray(Neighbors[]::new);
  }

  /** Compares rows whose vectors are read for it. */
  private void compareRead(
      Search search,
      RowGroups groups,
      int[] rows,
      NearestHeap[] heaps,
      Checkpoint checkpoint,
      Floats floats) {
    double farthest = Scan.farthest(search);
    ExactKeys exact = new ExactKeys(kernel, search.metric(), search.query());
    int most = Math.max(ExactKeys.GROUP, Math.min(READ_ROWS, READ_FLOATS / dims()));
    float[] vectors = new float[Math.min(most, rows.length) * dims()];
    float[][] arrays = new float[ExactKeys.GROUP][];
    Arrays.fill(arrays, vectors);
    int[] places = new int[ExactKeys.GROUP];
    double[] keys = new double[ExactKeys.GROUP];
    for (int first = 0; first < rows.length; first += most) {
      checkpoint.check();
      int n = Math.min(most, rows.length - first);
      floats.read(Arrays.copyOfRange(rows, first, first + n), n, vectors);
      floatsRead.addAndGet(n);
      for (int i = 0; i < n; i += ExactKeys.GROUP) {
        int group = Math.min(ExactKeys.GROUP, n - i);
        for (int j = 0; j < group; j++) {
          places[j] = (i + j) * dims();
        }
        exact.compute(arrays, places, group, keys);
        for (int j = 0; j < group; j++) {
          int row = rows[first + i + j];
          if (keys[j] <= farthest) {
            heaps[groups.of()[row] - 1].offer(keys[j], row);
          }
        }
      }
    }
  }

  /** Answers many searches in one pass over the vectors; result i belongs to search i. */
  public Neighbors[] searchAll(List<Search> searches, Checkpoint checkpoint) {
    return searchAll(searches, checkpoint, null);
  }

  /** Answers many searches in one pass, with vectors read as for one. */
  public Neighbors[] searchAll(List<Search> searches, Checkpoint checkpoint, Floats floats) {
    int n = searches.size();
    Neighbors[] results = new Neighbors[n];
    int batches = (n + BATCH - 1) / BATCH;
    if (n < 4 || size() == 0) {
      for (int i = 0; i < n; i++) {
        results[i] = search(searches.get(i), checkpoint, floats);
      }
      return results;
    }
    Sketch sketch = lazySketch.get(n, this::sketch);
    // With few batches, smaller ones keep all cores at work.
    int parts = Math.min(n, Math.max(batches, Math.min(8, n / 4)));
    long elements = (long) size() * dims() * n;
    Reading[] readings = new Reading[n];
    Scan[] scans = new Scan[n];
    Workers.run(
        parts,
        elements < SHARED_ELEMENTS ? 1 : Integer.MAX_VALUE,
        () -> {
          Scan.Scratch scratch = scratch();
          return part -> {
            int from = (int) ((long) part * n / parts);
            int to = (int) ((long) (part + 1) * n / parts);
            for (int i = from; i < to; i++) {
              Search search = searches.get(i);
              if (search.k() > 0) {
                Scan.Limit limit = new Scan.Limit(Scan.farthest(search));
                Bounds bounds = bounds(search);
                scans[i] = scan(search, bounds, sketch, limit, scratch);
                readings[i] = new Reading(search, bounds, limit, floats, checkpoint);
              }
            }
            together(Arrays.asList(scans).subList(from, to), checkpoint);
            for (int i = from; i < to && !holdsCodesOnly(); i++) {
              NearestHeap heap =
                  scans[i] == null ? new NearestHeap(0, Integer::compare) : scans[i].heap();
              results[i] = neighbors(searches.get(i), heap);
              scans[i] = null;
            }
          };
        });
    for (int i = 0; i < n && holdsCodesOnly(); i++) {
      results[i] =
          scans[i] == null
              ? new Neighbors(new int[0], new double[0])
              : neighbors(searches.get(i), readings[i].read(List.of(scans[i])));
    }
    return results;
  }

  private void together(List<Scan> scans, Checkpoint checkpoint) {
    for (int[] part : parts(1)) {
      Scan.blocks(scans, part, checkpoint);
    }
    for (Scan scan : scans) {
      if (scan != null) {
        scan.finish();
      }
    }
  }

  /** Compares the rows that an index of codes leaves, those that look nearest first. */
  private final class Reading {
    private final Search search;
    private final Bounds bounds;
    private final Scan.Limit limit;
    private final Floats floats;
    private final Checkpoint checkpoint;

    private Reading(
        Search search, Bounds bounds, Scan.Limit limit, Floats floats, Checkpoint checkpoint) {
      this.search = search;
      this.bounds = bounds;
      this.limit = limit;
      this.floats = floats;
      this.checkpoint = checkpoint;
    }

    private NearestHeap read(List<Scan> scans) {
      long[] rows = listed(scans);
      NearestHeap heap = new NearestHeap(search.k(), ids::compare);
      double farthest = Scan.farthest(search);
      ExactKeys exact = new ExactKeys(kernel, search.metric(), search.query());
      int most = Math.max(ExactKeys.GROUP, Math.min(READ_ROWS, READ_FLOATS / dims()));
      float[] vectors = new float[Math.min(most, rows.length) * dims()];
      int[] ordinals = new int[Math.min(most, rows.length)];
      int next = 0;
      // The k that look nearest first: what they lower the limit to may rule out the rest.
      int wanted = search.k();
      while (next < rows.length) {
        checkpoint.check();
        float max = bounds == null ? Float.POSITIVE_INFINITY : bounds.limit(limit.key());
        int n = 0;
        while (n < Math.min(ordinals.length, wanted)
            && next < rows.length
            && !(Scan.bound(rows[next]) > max)) {
          ordinals[n++] = (int) rows[next++];
        }
        if (n == 0) {
          break;
        }
        wanted = 2 * Math.min(most, wanted);
        Arrays.sort(ordinals, 0, n);
        floats.read(ordinals, n, vectors);
        floatsRead.addAndGet(n);
        compare(exact, vectors, ordinals, n, heap, farthest);
      }
      return heap;
    }

    private long[] listed(List<Scan> scans) {
      if (scans.size() == 1) {
        return ((CodesScan) scans.get(0)).listed();
      }
      long[] rows = new long[0];
      for (Scan scan : scans) {
        long[] more = ((CodesScan) scan).listed();
        int n = rows.length;
        rows = Arrays.copyOf(rows, n + more.length);
        System.arraycopy(more, 0, rows, n, more.length);
      }
      Arrays.sort(rows);
      return rows;
    }

    private void compare(
        ExactKeys exact,
        float[] vectors,
        int[] ordinals,
        int n,
        NearestHeap heap,
        double farthest) {
      float[][] arrays = new float[ExactKeys.GROUP][];
      Arrays.fill(arrays, vectors);
      int[] places = new int[ExactKeys.GROUP];
      double[] keys = new double[ExactKeys.GROUP];
      for (int i = 0; i < n; i += ExactKeys.GROUP) {
        int group = Math.min(ExactKeys.GROUP, n - i);
        for (int j = 0; j < group; j++) {
          places[j] = (i + j) * dims();
        }
        exact.compute(arrays, places, group, keys);
        for (int j = 0; j < group; j++) {
          if (keys[j] <= farthest && heap.offer(keys[j], ordinals[i + j])) {
            limit.lower(heap.worst());
          }
        }
      }
    }
  }

  private Bounds bounds(Search search) {
    return search.k() > size() / MOST_ROWS && !holdsCodesOnly()
        ? null
        : Bounds.of(search.metric(), search.query(), grid, sizes);
  }

  private Scan scan(
      Search search, Bounds bounds, Sketch sketch, Scan.Limit limit, Scan.Scratch scratch) {
    if (holdsCodesOnly()) {
      return new CodesScan(kernel, layout, chunks, search, bounds, limit, scratch);
    }
    NearestHeap heap = new NearestHeap(search.k(), ids::compare);
    return new Scan(kernel, layout, chunks, search, bounds, sketch, heap, limit, scratch);
  }

  private Scan.Scratch scratch() {
    Scan.Scratch left = spare.getAndSet(null);
    return left != null
        ? left
        : new Scan.Scratch(layout.padded(Math.min(size(), layout.blockRows())));
  }

  /** The blocks, in the order in which they are scanned, in at least so many parts. */
  private int[][] parts(int least) {
    int blocks = blocks();
    int n = Math.min(blocks, Math.max(least, (blocks + PART - 1) / PART));
    int[][] parts = new int[n][];
    for (int i = 0; i < n; i++) {
      int from = (int) ((long) i * blocks / n);
      int to = (int) ((long) (i + 1) * blocks / n);
      parts[i] = IntStream.range(from, to).map(step -> block(step, blocks)).toArray();
    }
    return parts;
  }

  private int blocks() {
    return (size() + layout.blockRows() - 1) / layout.blockRows();
  }

  /**
   * The block to scan at a step: all over the table, so that in whatever order its rows are, the
   * first blocks show how near the nearest rows will be.
   */
  private static int block(int step, int blocks) {
    long stride = Math.max(1, (long) (blocks * 0.618));
    while (gcd(stride, blocks) != 1) {
      stride++;
    }
    return (int) (step * stride % blocks);
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static Neighbors neighbors(Search search, NearestHeap heap) {
    int[] ordinals = new int[heap.size()];
    double[] values = new double[heap.size()];
    heap.drain(values, ordinals);
    if (search.metric().descending()) {
      for (int i = 0; i < values.length; i++) {
        values[i] = 0.0 - values[i];
      }
    }
    return new Neighbors(ordinals, values);
  }

  /** Collects rows; used by one thread. */
  public static final class Builder implements AutoCloseable {
    /** Room that is taken for a first row, in elements. */
    private static final int FIRST_ELEMENTS = 1 << 14;

    private final LongConsumer charge;
    private final int expectedRows;
    private final IdColumn ids;
    private final List<Chunk> full = new ArrayList<>();
    private Grid grid;
    private Coding coding;
    private Layout layout;
    private float[] last = new float[0];
    private int lastRows;
    private boolean codesOnly;
    private IdColumn rowids;
    private BitSet zeroRows;

    /** Prepares for any number of rows, with no limit on memory. */
    public Builder() {
      this(0, bytes -> {});
    }

    /**
     * Prepares for a table.
     *
     * @param expectedRows about how many rows will come; only saves copying
     * @param charge called with the bytes about to be allocated, before they are, and with a
     *     negative number when some were let go; what it throws leaves the builder as it was
     */
    public Builder(int expectedRows, LongConsumer charge) {
      this.expectedRows = expectedRows;
      this.charge = charge;
      ids = new IdColumn(charge);
    }

    /**
     * Shows vectors from all over the table before the first row is added, so that rows can be
     * coded while others are read. Without them all are coded at the end; a sample that isn't like
     * the rows makes searches slower, not wrong.
     *
     * @param blobs float32 little-endian; those that are no vectors, or of other dimensions than
     *     the first that is one, are passed over
     */
    public void sample(List<byte[]> blobs) {
      assert size() == 0;
      List<float[]> vectors = new ArrayList<>();
      for (byte[] blob : blobs) {
        try {
          float[] vector = VectorCodec.decode(blob);
          if (vectors.isEmpty() || vectors.get(0).length == vector.length) {
            vectors.add(vector);
          }
        } catch (VectorException e) {
          // The row itself is dealt with when it is added.
        }
      }
      if (!vectors.isEmpty()) {
        int dims = vectors.get(0).length;
        grid = Grid.of(vectors.size(), dims, (row, d) -> vectors.get(row)[d]);
      }
    }

    /**
     * Adds a row.
     *
     * @param id Long, Double, String or byte[]
     * @param blob the vector, float32 little-endian
     * @throws VectorException if the blob is no vector or has another dimension than the first; the
     *     builder is then as it was before
     */
    public void add(Object id, byte[] blob) {
      append(blob);
      ids.add(id);
      lastRows++;
    }

    /** Adds a row whose id is an INTEGER, as {@link #add} does. */
    public void addLong(long id, byte[] blob) {
      append(blob);
      ids.addLong(id);
      lastRows++;
    }

    /** Leaves the vectors to the table, once they are coded; said before the first row. */
    public void keepCodesOnly() {
      assert size() == 0;
      codesOnly = true;
      zeroRows = new BitSet();
    }

    /**
     * Says where in its table the row is that was just added, for an index that holds codes only.
     */
    public void rowid(long rowid) {
      int row = size() - 1;
      if (rowids == null) {
        if (ids.get(row) instanceof Long id && id == rowid) {
          return;
        }
        rowids = new IdColumn(charge);
        for (int i = 0; i < row; i++) {
          rowids.addLong((Long) ids.get(i));
        }
      }
      rowids.addLong(rowid);
    }

    private void append(byte[] blob) {
      Layout of = layout;
      if (of == null) {
        int dims = VectorCodec.dims(blob);
        of = codesOnly ? Layout.ofCodes(dims) : Layout.of(dims);
      } else if (blob.length != 4 * of.dims()) {
        throw new VectorException(
            "expected " + of.dims() + " dimensions, got " + VectorCodec.dims(blob));
      }
      if (lastRows == of.chunkRows() && codesOnly) {
        fill(lastRows);
        lastRows = 0;
      } else if (lastRows == of.chunkRows()) {
        float[] next = allocate(of, 0);
        try {
          fill(lastRows);
        } catch (RuntimeException e) {
          charge.accept(-4L * next.length);
          throw e;
        }
        last = next;
        lastRows = 0;
      } else if (lastRows * of.dims() == last.length) {
        float[] grown = allocate(of, lastRows);
        System.arraycopy(last, 0, grown, 0, last.length);
        charge.accept(-4L * last.length);
        last = grown;
      }
      VectorCodec.decode(blob, last, lastRows * of.dims());
      layout = of;
    }

    private float[] allocate(Layout of, int held) {
      long expected = expectedRows - (long) full.size() * of.chunkRows();
      if (held > 0) {
        expected = 2L * held;
      }
      long least = Math.max(1, FIRST_ELEMENTS / of.dims());
      int rows = (int) Math.min(of.chunkRows(), Math.max(least, expected));
      charge.accept(4L * rows * of.dims());
      return new float[rows * of.dims()];
    }

    /** Number of rows added. */
    public int size() {
      return ids.size();
    }

    /** Builds the index; the builder can't be used afterwards. */
    public FlatIndex build() {
      return build(Kernels.CHOSEN);
    }

    FlatIndex build(Kernel kernel) {
      if (layout == null) {
        return new FlatIndex(null, List.of(), ids, null, null, null, KeptColumns.NONE, kernel);
      }
      int dims = layout.dims();
      if (lastRows * dims < last.length) {
        charge.accept(4L * (lastRows * dims - last.length));
        last = Arrays.copyOf(last, lastRows * dims);
      }
      fill(lastRows);
      last = null;
      if (coding == null && !codesOnly) {
        int chunkRows = layout.chunkRows();
        grid =
            Grid.of(
                size(),
                dims,
                (row, d) -> full.get(row / chunkRows).rows()[row % chunkRows * dims + d]);
        coding = new Coding(grid);
        full.forEach(coding::add);
      }
      if (coding != null) {
        coding.finish();
      }
      charge.accept(codesOnly ? 0 : Sketch.bytes(size(), dims));
      return new FlatIndex(
          layout, List.copyOf(full), ids, rowids, zeroRows, grid, KeptColumns.NONE, kernel);
    }

    /** Makes a chunk of the rows that came last. */
    private void fill(int rows) {
      charge.accept((long) rows * (layout.dims() + Chunk.ROW_BYTES));
      Chunk chunk = new Chunk(layout, last, rows);
      full.add(chunk);
      if (codesOnly) {
        code(chunk);
        return;
      }
      if (coding == null && grid != null && grid.origin().length == layout.dims()) {
        coding = new Coding(grid);
      }
      if (coding != null) {
        coding.add(chunk);
      }
    }

    /** Codes a chunk, and lets its floats go. */
    private void code(Chunk chunk) {
      int dims = layout.dims();
      float[] rows = chunk.rows();
      int first = (full.size() - 1) * layout.chunkRows();
      for (int row = 0; row < chunk.count; row++) {
        int d = 0;
        while (d < dims && rows[row * dims + d] == 0) {
          d++;
        }
        zeroRows.set(first + row, d == dims);
      }
      if (grid == null || grid.origin().length != dims) {
        grid = Grid.of(chunk.count, dims, (row, d) -> rows[row * dims + d]);
      }
      Workers.run(chunk.blocks(), Integer.MAX_VALUE, () -> block -> chunk.encode(block, grid));
      chunk.forget();
    }

    /** Ends what is done in the background for an index that won't be built. */
    @Override
    public void close() {
      if (coding != null) {
        coding.stop();
      }
    }
  }
}
