/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.run.FaissException;
import java.util.ArrayList;
import java.util.List;

/** What a model gave, looked at before anybody sees it. */
final class Vectors {
  private Vectors() {}

  /**
   * As many vectors as there were texts, all of the model's dimension.
   *
   * @param embedded vectors, and failures where the model said one
   * @throws FaissException if they are not
   */
  static List<Embedded> checked(String model, int dims, int texts, List<Embedded> embedded)
      throws FaissException {
    if (embedded.size() != texts) {
      throw EmbedErrors.failed(
          model, "gave " + embedded.size() + " vectors for " + texts + " texts");
    }
    List<Embedded> checked = new ArrayList<>(texts);
    for (Embedded each : embedded) {
      checked.add(each.failure() != null ? each : checked(model, dims, each.vector()));
    }
    return checked;
  }

  private static Embedded checked(String model, int dims, float[] vector) throws FaissException {
    if (vector.length != dims) {
      throw EmbedErrors.failed(
          model, "gave a vector of " + vector.length + " dimensions, expected " + dims);
    }
    for (float element : vector) {
      if (!Float.isFinite(element)) {
        return Embedded.failed(
            EmbedErrors.failed(model, "gave a vector with an element that is no finite number"));
      }
    }
    return Embedded.of(vector);
  }
}
