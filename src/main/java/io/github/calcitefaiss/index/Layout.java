/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

/**
 * How many rows of one dimension go into a block, the unit of a scan, and into a chunk, the unit of
 * memory.
 *
 * <p>A chunk is a whole number of blocks, so a row's place is found by two divisions and no array
 * grows beyond what one array can hold, whatever the number of rows.
 *
 * @param dims elements of a vector
 * @param blockRows rows of a block
 * @param chunkRows rows of a chunk
 */
record Layout(int dims, int blockRows, int chunkRows) {
  /** The most dimensions that a vector may have. */
  static final int MAX_DIMS = 1 << 20;

  /** Lanes of a block are a multiple of this, so that no kernel has a tail to care for. */
  static final int LANE_STEP = 64;

  /** Enough rows for the sums of a block to stay in the first-level cache, and for long loops. */
  private static final int BLOCK_ROWS = 2048;

  /** Large arrays, since G1 gives each one whole regions and wastes the rest of the last. */
  private static final int CHUNK_FLOATS = 1 << 23;

  /** The same where the floats of a chunk are let go as soon as they are coded. */
  private static final int PASSING_FLOATS = 1 << 16;

  static Layout of(int dims) {
    return of(dims, CHUNK_FLOATS);
  }

  /** For an index that holds codes only. */
  static Layout ofCodes(int dims) {
    return of(dims, PASSING_FLOATS);
  }

  private static Layout of(int dims, int chunkFloats) {
    int widest = Integer.highestOneBit(Math.max(LANE_STEP, (1 << 26) / dims));
    int blockRows = Math.min(BLOCK_ROWS, widest);
    int blocks = Math.max(1, chunkFloats / (blockRows * dims));
    return new Layout(dims, blockRows, blocks * blockRows);
  }

  /** Blocks of a chunk. */
  int chunkBlocks() {
    return chunkRows / blockRows;
  }

  /** Chars that the codes of four bits of one row take. */
  int packs() {
    return (dims + 3) / 4;
  }

  /** Rows in a chunk or block that holds {@code rows}, with those added to fill the last block. */
  int padded(int rows) {
    return (rows + LANE_STEP - 1) / LANE_STEP * LANE_STEP;
  }
}
