/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.Shown;
import io.github.calcitefaiss.run.SqlState;
import java.nio.file.Path;
import java.util.Collection;

/**
 * What is said when a text can't be embedded; every message is here. None has a text, a vector, a
 * key or what a server answered, which may repeat them.
 */
final class EmbedErrors {
  private static final String INSTALL = "./sqlline install-model ";

  private EmbedErrors() {}

  static FaissException noModel(Path folder) {
    return new FaissException(
        SqlState.UNKNOWN_NAME,
        "no embedding model is installed (in "
            + folder
            + "); install one: "
            + INSTALL
            + Catalog.DEFAULT);
  }

  static FaissException severalModels(Path folder, Collection<String> names) {
    return new FaissException(
        SqlState.UNKNOWN_NAME,
        "several embedding models are installed in "
            + folder
            + " and none is the default: "
            + String.join(", ", names)
            + "; name one, as in embed('"
            + names.iterator().next()
            + "', text), or: "
            + INSTALL
            + "NAME --default");
  }

  static FaissException unknownModel(String name, Collection<String> installed, boolean known) {
    String shown = Shown.shortened(name);
    String what =
        "embedding model '"
            + shown
            + "' is not installed; "
            + (installed.isEmpty() ? "none is" : "installed: " + String.join(", ", installed));
    return new FaissException(
        SqlState.UNKNOWN_NAME, known ? what + "; install it: " + INSTALL + shown : what);
  }

  static FaissException incomplete(String name, String what) {
    return new FaissException(
        SqlState.CONNECTION,
        "embedding model '"
            + name
            + "' can't be used: "
            + what
            + "; install it again: "
            + INSTALL
            + name);
  }

  static FaissException badDescription(Path file, String problem) {
    return new FaissException(
        SqlState.CONNECTION,
        "the description of an embedding model, " + file + ", can't be used: " + problem);
  }

  static FaissException open(Path path) {
    return new FaissException(
        SqlState.CONNECTION,
        "embedding models are not loaded from "
            + path
            + ", since every user of this machine may write it; take that right away (chmod o-w)");
  }

  static FaissException emptyText() {
    return new FaissException(SqlState.DATA, "the text is empty: it has no meaning to be near to");
  }

  static FaissException failed(String name, String why) {
    return new FaissException(SqlState.EMBEDDING, "embedding model '" + name + "' " + why);
  }

  static FaissException failed(String name, String why, Throwable cause) {
    return new FaissException(SqlState.EMBEDDING, "embedding model '" + name + "' " + why, cause);
  }
}
