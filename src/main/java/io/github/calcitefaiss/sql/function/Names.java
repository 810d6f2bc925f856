/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.function;

import java.util.Collection;
import java.util.Locale;
import org.apache.commons.text.similarity.LevenshteinDistance;

/** Suggests the known name that an unknown one was probably meant to be. */
public final class Names {
  private static final LevenshteinDistance EDITS = new LevenshteinDistance();

  private Names() {}

  /** {@code (did you mean 'x'?); known: x, y}: what a message says of an unknown name. */
  public static String among(String name, Collection<String> known) {
    return didYouMean(name, known) + "; known: " + String.join(", ", known);
  }

  /** {@code (did you mean 'x'?)} for the nearest name, or nothing if none is near. */
  public static String didYouMean(String name, Collection<String> known) {
    String best = null;
    int bestEdits = Math.max(1, name.length() / 2);
    // A long name is no typing error, and the comparison takes the product of the lengths.
    if (name.length() <= 100) {
      for (String candidate : known) {
        int edits = EDITS.apply(name.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
        if (edits < bestEdits || edits == bestEdits && best == null) {
          best = candidate;
          bestEdits = edits;
        }
      }
    }
    return best == null ? "" : " (did you mean '" + best + "'?)";
  }
}
