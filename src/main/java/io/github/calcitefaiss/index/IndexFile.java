/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/**
 * An index of codes as a file: all that it holds, little-endian, with a label that says what it
 * belongs to. A checksum follows what is said of all rows, and one each chunk of rows.
 *
 * <p>Chunks are read by as many threads as there are cores; nothing of the file is believed before
 * all checksums were found right.
 */
public final class IndexFile {
  /** Changes with every change of the format or of what codes mean. */
  private static final long MAGIC = 0x3330_5844_4946_4343L;

  private static final int BUFFER = 1 << 20;
  private static final int LONGEST_LABEL = 1 << 16;

  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
  private final CRC32C sum = new CRC32C();

  /** What is before it in the buffer is part of the checksum already. */
  private int summed;

  /** Where reading goes on, and where it ends. */
  private long at;

  private long end;

  private IndexFile(FileChannel channel) {
    this.channel = channel;
  }

  /** The file isn't one that this version wrote whole. */
  public static final class DamagedException extends IOException {
    private static final long serialVersionUID = 1;

    DamagedException(String what) {
      super(what);
    }
  }

  /**
   * What a file holds.
   *
   * @param index the index
   * @param skipped rows that have no usable vector
   */
  public record Content(FlatIndex index, long skipped) {}

  /**
   * Writes an index that holds codes only.
   *
   * @param label says what the index belongs to
   * @param checkpoint is called while it is written
   */
  public static void write(
      FileChannel channel, String label, FlatIndex index, long skipped, Checkpoint checkpoint)
      throws IOException {
    IndexFile file = new IndexFile(channel);
    file.buffer.putLong(MAGIC);
    byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
    file.putInt(bytes.length);
    file.put(bytes);
    file.putLong(skipped);
    file.putInt(index.size());
    file.putInt(index.dims());
    if (index.size() > 0) {
      file.put(index);
    }
    long head = file.close();
    for (int i = 0; i < index.chunks().size(); i++) {
      checkpoint.check();
      file.put(index.chunks().get(i), head, i);
    }
  }

  /** Ends what one checksum is of, and gives it. */
  private long close() throws IOException {
    flush();
    long value = sum.getValue();
    buffer.putLong(value);
    flush();
    sum.reset();
    return value;
  }

  /** Writes a chunk, with what tells it from any other of this file and of others. */
  private void put(Chunk chunk, long head, int number) throws IOException {
    putLong(head);
    putInt(number);
    for (double longest : chunk.longest) {
      putDouble(longest);
    }
    for (float[] values : chunk.parameters()) {
      put(values);
    }
    put(chunk.high);
    put(chunk.low);
    close();
  }

  /**
   * Reads an index, if the file has a label.
   *
   * @param memory is told of bytes before they are allocated
   * @return null if the file has another label
   * @throws DamagedException if the file is damaged, or not one of this version's
   */
  public static Content read(
      FileChannel channel, String label, LongConsumer memory, Checkpoint checkpoint)
      throws IOException {
    IndexFile file = new IndexFile(channel);
    file.buffer.limit(0);
    file.end = channel.size();
    try {
      return file.content(label, memory, checkpoint);
    } catch (EOFException e) {
      throw new DamagedException("it ends too early");
    } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new DamagedException("it makes no sense");
    }
  }

  private Content content(String label, LongConsumer memory, Checkpoint checkpoint)
      throws IOException {
    if (getLong() != MAGIC) {
      throw new DamagedException("it is of another format or version");
    }
    byte[] bytes = new byte[limited(getInt(), LONGEST_LABEL)];
    get(bytes);
    if (!new String(bytes, StandardCharsets.UTF_8).equals(label)) {
      return null;
    }
    long skipped = getLong();
    int size = limited(getInt(), Integer.MAX_VALUE);
    int dims = limited(getInt(), Layout.MAX_DIMS);
    // Before anything is allocated: a file that was cut can't hold so many rows.
    if (size > 0 && FlatIndex.bytesOfCodes(size, dims) / 2 > channel.size()) {
      throw new DamagedException("it ends too early");
    }
    if (size == 0) {
      check();
      if (at - buffer.remaining() != channel.size()) {
        throw new DamagedException("it is too long");
      }
      return new Content(new FlatIndex.Builder().build(), skipped);
    }
    return new Content(get(size, dims, memory, checkpoint), skipped);
  }

  /** Compares the checksum of what was read with that which comes. */
  private long check() throws IOException {
    sumUp();
    long expected = sum.getValue();
    if (getLong() != expected) {
      throw new DamagedException("its checksum is wrong");
    }
    return expected;
  }

  private void put(FlatIndex index) throws IOException {
    Grid grid = index.grid();
    putDouble(grid.unit());
    for (int d = 0; d < index.dims(); d++) {
      putDouble(grid.origin()[d]);
      putDouble(grid.spread()[d]);
    }
    put(index.ids());
    IdColumn rowids = index.rowids();
    putInt(rowids == null ? 0 : 1);
    if (rowids != null) {
      put(rowids);
    }
    long[] zero = index.zeroRows().toLongArray();
    putInt(zero.length);
    for (long word : zero) {
      putLong(word);
    }
    put(index.columns());
  }

  private FlatIndex get(int size, int dims, LongConsumer memory, Checkpoint checkpoint)
      throws IOException {
    double unit = getDouble();
    double[] origin = new double[dims];
    double[] spread = new double[dims];
    for (int d = 0; d < dims; d++) {
      origin[d] = getDouble();
      spread[d] = getDouble();
    }
    IdColumn ids = new IdColumn(memory);
    get(ids, size);
    IdColumn rowids = null;
    if (getInt() == 1) {
      rowids = new IdColumn(memory);
      get(rowids, size);
    }
    long[] zero = new long[limited(getInt(), size / 64 + 1)];
    for (int i = 0; i < zero.length; i++) {
      zero[i] = getLong();
    }
    KeptColumns columns = columns(size, memory);
    long head = check();
    Layout layout = Layout.ofCodes(dims);
    int whole = (int) ((size + (long) layout.chunkRows() - 1) / layout.chunkRows());
    long first = at - buffer.remaining();
    long last = size - (whole - 1L) * layout.chunkRows();
    if (first + (whole - 1) * bytes(layout, layout.chunkRows()) + bytes(layout, (int) last)
        != channel.size()) {
      throw new DamagedException("it is too short or too long");
    }
    memory.accept((long) size * (dims + Chunk.ROW_BYTES));
    Chunk[] chunks = new Chunk[whole];
    try {
      Workers.run(
          whole,
          Integer.MAX_VALUE,
          () -> {
            IndexFile part = new IndexFile(channel);
            return number -> {
              checkpoint.check();
              int count = number < whole - 1 ? layout.chunkRows() : (int) last;
              long from = first + number * bytes(layout, layout.chunkRows());
              chunks[number] = part.chunk(new Chunk(layout, null, count), head, number, from);
            };
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return FlatIndex.ofCodes(
            layout,
            List.of(chunks),
            ids,
            rowids,
            BitSet.valueOf(zero),
            new Grid(unit, origin, spread))
        .with(columns);
  }

  /** Bytes that a chunk of so many rows takes. */
  private static long bytes(Layout layout, int rows) {
    long codes = 2L * layout.padded(rows) * layout.packs();
    return Long.BYTES
        + Integer.BYTES
        + 3L * Double.BYTES
        + (long) Chunk.ROW_BYTES * rows
        + 2 * codes
        + 8;
  }

  private Chunk chunk(Chunk chunk, long head, int number, long from) {
    at = from;
    end = from + bytes(chunk.layout(), chunk.count);
    buffer.limit(0);
    summed = 0;
    sum.reset();
    try {
      if (getLong() != head || getInt() != number) {
        throw new DamagedException("its parts are in disorder");
      }
      for (int i = 0; i < chunk.longest.length; i++) {
        chunk.longest[i] = getDouble();
      }
      for (float[] values : chunk.parameters()) {
        get(values);
      }
      get(chunk.high);
      get(chunk.low);
      check();
      return chunk;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void put(KeptColumns columns) throws IOException {
    putInt(columns.list().size());
    for (KeptColumn column : columns.list()) {
      byte[] name = column.name().getBytes(StandardCharsets.UTF_8);
      putInt(name.length);
      put(name);
      putInt(column.affinity().ordinal());
      IdColumn values = new IdColumn(bytes -> {});
      for (int code = 1; code < column.codes(); code++) {
        values.add(column.value(code));
      }
      putInt(values.size());
      put(values);
      for (int row = 0; row < column.size(); row++) {
        putInt(column.code(row));
      }
    }
  }

  private KeptColumns columns(int size, LongConsumer memory) throws IOException {
    List<KeptColumn> columns = new ArrayList<>();
    int n = limited(getInt(), Short.MAX_VALUE);
    for (int i = 0; i < n; i++) {
      byte[] name = new byte[limited(getInt(), LONGEST_LABEL)];
      get(name);
      KeptColumn.Affinity affinity = KeptColumn.Affinity.values()[limited(getInt(), 2)];
      int distinct = limited(getInt(), size);
      memory.accept(
          (long) size * KeptColumn.Codes.width(distinct + 1) + BitPlanes.bytes(size, distinct + 1));
      IdColumn read = new IdColumn(memory);
      get(read, distinct);
      Object[] values = new Object[distinct];
      Arrays.setAll(values, read::get);
      KeptColumn.Codes codes = KeptColumn.Codes.of(size, distinct + 1);
      for (int row = 0; row < size; row++) {
        codes.set(row, limited(getInt(), distinct));
      }
      columns.add(
          new KeptColumn(
              new String(name, StandardCharsets.UTF_8),
              affinity,
              KeptColumn.Values.of(values),
              codes));
    }
    return columns.isEmpty() ? KeptColumns.NONE : new KeptColumns(columns);
  }

  private void put(IdColumn ids) throws IOException {
    putInt(ids.holdsLongs() ? 1 : 0);
    for (int row = 0; row < ids.size() && ids.holdsLongs(); row++) {
      putLong(ids.getLong(row));
    }
    if (ids.holdsLongs()) {
      return;
    }
    for (int row = 0; row < ids.size(); row++) {
      Object id = ids.get(row);
      if (id instanceof Long number) {
        putInt(0);
        putLong(number);
      } else if (id instanceof Double number) {
        putInt(1);
        putDouble(number);
      } else {
        boolean text = id instanceof String;
        byte[] bytes = text ? ((String) id).getBytes(StandardCharsets.UTF_16LE) : (byte[]) id;
        putInt(text ? 2 : 3);
        putInt(bytes.length);
        put(bytes);
      }
    }
  }

  private void get(IdColumn ids, int size) throws IOException {
    if (getInt() == 1) {
      for (int row = 0; row < size; row++) {
        ids.addLong(getLong());
      }
      return;
    }
    for (int row = 0; row < size; row++) {
      int kind = getInt();
      switch (kind) {
        case 0:
          ids.addLong(getLong());
          break;
        case 1:
          ids.add(getDouble());
          break;
        case 2:
        case 3:
          int length = getInt();
          if (length < 0 || length > channel.size()) {
            throw new DamagedException("it makes no sense");
          }
          byte[] bytes = new byte[length];
          get(bytes);
          ids.add(kind == 3 ? bytes : (Object) new String(bytes, StandardCharsets.UTF_16LE));
          break;
        default:
          throw new DamagedException("it makes no sense");
      }
    }
  }

  private static int limited(int value, int most) throws IOException {
    if (value < 0 || value > most) {
      throw new DamagedException("it makes no sense");
    }
    return value;
  }

  // ------------------------------------------------------------------ through the buffer

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.flip();
    sum.update(buffer.duplicate());
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }

  private void putInt(int value) throws IOException {
    room(Integer.BYTES);
    buffer.putInt(value);
  }

  private void putLong(long value) throws IOException {
    room(Long.BYTES);
    buffer.putLong(value);
  }

  private void putDouble(double value) throws IOException {
    putLong(Double.doubleToRawLongBits(value));
  }

  private void put(byte[] values) throws IOException {
    for (int i = 0; i < values.length; ) {
      room(1);
      int n = Math.min(values.length - i, buffer.remaining());
      buffer.put(values, i, n);
      i += n;
    }
  }

  private void put(float[] values) throws IOException {
    for (int i = 0; i < values.length; ) {
      room(Float.BYTES);
      int n = Math.min(values.length - i, buffer.remaining() / Float.BYTES);
      buffer.asFloatBuffer().put(values, i, n);
      buffer.position(buffer.position() + n * Float.BYTES);
      i += n;
    }
  }

  private void put(char[] values) throws IOException {
    for (int i = 0; i < values.length; ) {
      room(Character.BYTES);
      int n = Math.min(values.length - i, buffer.remaining() / Character.BYTES);
      buffer.asCharBuffer().put(values, i, n);
      buffer.position(buffer.position() + n * Character.BYTES);
      i += n;
    }
  }

  /** Sees to it that so many bytes are there. */
  private void need(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      sumUp();
      buffer.compact();
      buffer.limit((int) Math.min(buffer.capacity(), buffer.position() + end - at));
      while (buffer.position() < bytes) {
        int read = buffer.hasRemaining() ? channel.read(buffer, at) : -1;
        if (read < 0) {
          throw new EOFException();
        }
        at += read;
      }
      buffer.flip();
      summed = 0;
    }
  }

  /** Adds to the checksum what was taken out of the buffer. */
  private void sumUp() {
    ByteBuffer part = buffer.duplicate();
    part.limit(part.position()).position(summed);
    sum.update(part);
    summed = buffer.position();
  }

  private int getInt() throws IOException {
    need(Integer.BYTES);
    return buffer.getInt();
  }

  private long getLong() throws IOException {
    need(Long.BYTES);
    return buffer.getLong();
  }

  private double getDouble() throws IOException {
    return Double.longBitsToDouble(getLong());
  }

  private void get(byte[] values) throws IOException {
    for (int i = 0; i < values.length; ) {
      need(1);
      int n = Math.min(values.length - i, buffer.remaining());
      buffer.get(values, i, n);
      i += n;
    }
  }

  private void get(float[] values) throws IOException {
    for (int i = 0; i < values.length; ) {
      need(Float.BYTES);
      int n = Math.min(values.length - i, buffer.remaining() / Float.BYTES);
      buffer.asFloatBuffer().get(values, i, n);
      buffer.position(buffer.position() + n * Float.BYTES);
      i += n;
    }
  }

  private void get(char[] values) throws IOException {
    for (int i = 0; i < values.length; ) {
      need(Character.BYTES);
      int n = Math.min(values.length - i, buffer.remaining() / Character.BYTES);
      buffer.asCharBuffer().get(values, i, n);
      buffer.position(buffer.position() + n * Character.BYTES);
      i += n;
    }
  }
}
