/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The form in which some blobs probably hold numbers.
 *
 * @param form the likeliest; null where no form explains the bytes better than chance
 * @param other the next, where the first isn't clear; else null
 * @param zeros whether all bytes are zero, so that nothing tells
 */
record NumberGuess(NumberForm form, NumberForm other, boolean zeros) {
  /** Odds of 4,000 to 1, in bits. */
  private static final double CLEAR = 12;

  /** What the length of each vector being 1 says in favour of a form, in bits a vector. */
  private static final double UNIT = 6;

  /** A quantised vector is seldom shorter, and nothing could be told of its bytes. */
  private static final int FEWEST_BYTES = 16;

  /** Guesses the form of blobs that are no known file and no text. */
  static NumberGuess of(List<byte[]> all) {
    // Repeated rows say nothing new, and would speak for wide elements.
    List<byte[]> blobs =
        all.stream().map(ByteBuffer::wrap).distinct().map(ByteBuffer::array).toList();
    if (blobs.stream().allMatch(NumberGuess::zero)) {
      boolean whole = blobs.stream().allMatch(b -> b.length > 0 && b.length % 4 == 0);
      return new NumberGuess(whole ? NumberForm.FLOAT32 : null, null, true);
    }
    Map<NumberForm, Double> bits = new EnumMap<>(NumberForm.class);
    for (NumberForm form : NumberForm.values()) {
      double length = CodeLength.of(form, blobs);
      if (length < Double.POSITIVE_INFINITY) {
        bits.put(form, length - (form.isFloat() ? UNIT * units(form, blobs) : 0));
      }
    }
    double chance = CodeLength.ofBits(blobs);
    int period = period(blobs);
    bits.keySet().removeIf(form -> form.width() <= 2 && form.width() < period);
    bits.keySet().removeIf(form -> form.width() == 1 && !quantised(blobs, form));
    List<NumberForm> best = new ArrayList<>(bits.keySet());
    best.sort(Comparator.comparing(bits::get));
    if (best.isEmpty() || bits.get(best.get(0)) > chance) {
      return new NumberGuess(null, null, false);
    }
    NumberForm form = best.get(0);
    double clear = bits.get(form) + CLEAR;
    boolean few = form.width() <= 2 && blobs.stream().anyMatch(blob -> blob.length < FEWEST_BYTES);
    if (clear > chance || few) {
      return new NumberGuess(form, form, false);
    }
    boolean other = best.size() > 1 && bits.get(best.get(1)) < clear;
    return new NumberGuess(form, other ? best.get(1) : null, false);
  }

  /** The bytes after which bytes are like those before: no element is narrower. */
  private static int period(List<byte[]> blobs) {
    int period = 1;
    double least = CodeLength.ofGroups(1, blobs);
    for (int width : new int[] {2, 4, 8}) {
      double bits = CodeLength.ofGroups(width, blobs);
      // Dimensions that differ from their neighbours make small differences, elements great ones.
      if (bits + CLEAR < 0.975 * least) {
        period = width;
        least = bits;
      }
    }
    return period;
  }

  /** Whether the form stands without a doubt worth naming. */
  boolean sure() {
    return form != null && other == null && !zeros;
  }

  private static boolean zero(byte[] blob) {
    for (byte b : blob) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  /** The number of blobs whose vector has the length 1; 0 where some don't. */
  static int units(NumberForm form, List<byte[]> blobs) {
    double near = form.width() == 2 ? 1e-2 : 1e-3;
    int units = 0;
    for (byte[] blob : blobs) {
      double[] elements = form.elements(blob);
      if (elements == null) {
        return 0;
      }
      double square = 0;
      int some = 0;
      for (double element : elements) {
        square += element * element;
        some += element == 0 ? 0 : 1;
      }
      // A single 1, as in a flag, is no length.
      units += some > 1 && Math.abs(Math.sqrt(square) - 1) < near ? 1 : 0;
    }
    return units >= 0.95 * blobs.size() ? units : 0;
  }

  /** Whether bytes are fewer the farther they are from 0, as in quantised vectors. */
  private static boolean quantised(List<byte[]> blobs, NumberForm form) {
    int length = blobs.get(0).length;
    if (length < FEWEST_BYTES || blobs.stream().anyMatch(blob -> blob.length != length)) {
      return false;
    }
    int[] parts = new int[4];
    for (byte[] blob : blobs) {
      ByteBuffer buffer = form.buffer(blob);
      for (int i = 0; i < blob.length; i++) {
        long element = form.bits(buffer, i);
        parts[(int) (element < 0 ? ~element : element) / 32]++;
      }
    }
    return parts[0] >= parts[1] && parts[1] >= parts[2] && parts[2] >= parts[3];
  }
}
