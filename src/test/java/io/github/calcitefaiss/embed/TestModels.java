/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import java.nio.file.Path;

/** A folder of models of a test's own, which the process looks into until it is closed. */
public final class TestModels implements AutoCloseable {
  private final String before = System.getProperty(ModelFolder.PROPERTY);
  private final ModelFolder folder;

  /** An empty one. */
  public TestModels(Path path) {
    folder = new ModelFolder(path);
    System.setProperty(ModelFolder.PROPERTY, path.toString());
  }

  /** With a server's model of three dimensions, the first of which is the default. */
  public TestModels with(String name, EmbeddingServer server) throws Exception {
    server.install(folder, name, 3);
    return this;
  }

  /** The folder. */
  public ModelFolder folder() {
    return folder;
  }

  @Override
  public void close() {
    if (before == null) {
      System.clearProperty(ModelFolder.PROPERTY);
    } else {
      System.setProperty(ModelFolder.PROPERTY, before);
    }
  }
}
