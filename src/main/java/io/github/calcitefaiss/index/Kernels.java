/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.index;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the kernel of this JVM, once. */
final class Kernels {
  /**
   * System property that overrides the choice: {@code reference}, {@code plain}, {@code vector}.
   */
  static final String PROPERTY = "calcitefaiss.kernel";

  private static final Logger LOGGER = LoggerFactory.getLogger(FlatIndex.class);

  /** The kernel that searches use. */
  static final Kernel CHOSEN = choose(System.getProperty(PROPERTY));

  private Kernels() {}

  private static Kernel choose(String wanted) {
    Kernel kernel = wanted == null ? fastest() : named(wanted);
    LOGGER.info("vector search kernel: {}", kernel.name());
    return kernel;
  }

  private static Kernel fastest() {
    Kernel plain = new PlainKernel();
    if (!vectorModulePresent()) {
      return plain;
    }
    try {
      return new WarmingKernel(plain, named("vector"));
    } catch (IllegalArgumentException e) {
      LOGGER.warn("the vector kernel can't be used", e);
      return plain;
    }
  }

  /** Whether the JVM was started with {@code --add-modules jdk.incubator.vector}. */
  static boolean vectorModulePresent() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }

  /**
   * The kernel of a name.
   *
   * @throws IllegalArgumentException if there is none, or this JVM can't run it
   */
  static Kernel named(String name) {
    switch (name) {
      case "reference":
        return new ReferenceKernel();
      case "plain":
        return new PlainKernel();
      case "vector":
        if (!vectorModulePresent()) {
          throw new IllegalArgumentException(
              PROPERTY + "=vector needs a JVM started with --add-modules jdk.incubator.vector");
        }
        try {
          // By name, so that nothing refers to the incubating module unless it is there.
          return (Kernel)
              Class.forName("io.github.calcitefaiss.index.VectorKernel")
                  .getDeclaredConstructor()
                  .newInstance();
        } catch (ReflectiveOperationException | LinkageError e) {
          throw new IllegalArgumentException(PROPERTY + "=vector fails on this JVM", e);
        }
      default:
        throw new IllegalArgumentException(
            PROPERTY + ": expected reference, plain or vector, got " + name);
    }
  }
}
