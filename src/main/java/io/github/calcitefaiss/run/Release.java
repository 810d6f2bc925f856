/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Which release this is, and which of Calcite it was built with; written by the build. */
public final class Release {
  /** This product's name. */
  public static final String NAME = "calcite-faiss";

  /** This product's version, such as 0.1.0. */
  public static final String VERSION;

  /** The version of Calcite that it was compiled with. */
  public static final String CALCITE;

  /** The address of the repository that Maven itself asks, where models come from, too. */
  public static final String CENTRAL;

  static {
    Properties properties = new Properties();
    try (InputStream in =
        Release.class.getResourceAsStream("/io/github/calcitefaiss/version.properties")) {
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    VERSION = properties.getProperty("version");
    CALCITE = properties.getProperty("calcite");
    CENTRAL = properties.getProperty("central");
  }

  private Release() {}

  /** A part of this product's version: 0 for the major number, 1 for the minor. */
  public static int number(int part) {
    return Integer.parseInt(VERSION.split("[.-]", -1)[part]);
  }
}
