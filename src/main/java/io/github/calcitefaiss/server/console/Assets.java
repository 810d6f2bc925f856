/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import io.github.calcitefaiss.run.Release;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;

/**
 * The style sheet, the scripts, and the libraries for the browser that are on the class path as
 * WebJars.
 *
 * <p>A library's module names others as {@code '@codemirror/state'}; they are given here as {@code
 * './codemirror__state.js'}, so that a browser finds them without an import map, which a
 * content-security-policy could not allow. Without the libraries the pages work, with less comfort.
 */
final class Assets {
  private static final String OWN = "/io/github/calcitefaiss/server/console/static/";
  private static final List<String> OWN_FILES =
      List.of("console.css", "console.js", "editor.js", "map.js", "plot.js", "icon.svg");

  /** By the name in an address, the WebJar and the file in it. */
  private static final Map<String, String> LIBRARIES =
      Map.ofEntries(
          Map.entry("codemirror__state.js", "dist/index.js"),
          Map.entry("codemirror__view.js", "dist/index.js"),
          Map.entry("codemirror__language.js", "dist/index.js"),
          Map.entry("codemirror__commands.js", "dist/index.js"),
          Map.entry("codemirror__autocomplete.js", "dist/index.js"),
          Map.entry("codemirror__legacy-modes.js", "mode/sql.js"),
          Map.entry("lezer__common.js", "dist/index.js"),
          Map.entry("lezer__highlight.js", "dist/index.js"),
          Map.entry("style-mod.js", "src/style-mod.js"),
          Map.entry("w3c-keyname.js", "index.js"),
          Map.entry("crelt.js", "index.js"),
          Map.entry("marijn__find-cluster-break.js", "src/index.js"),
          Map.entry("uplot.js", "dist/uPlot.esm.js"),
          Map.entry("uplot.css", "dist/uPlot.min.css"));

  private static final Pattern IMPORT = Pattern.compile("(from\\s*)['\"](@?[a-z][\\w./-]*)['\"]");

  private final Map<String, Asset> loaded = new ConcurrentHashMap<>();
  private final String path;

  /** A file as it is sent. */
  record Asset(String type, byte[] bytes, byte[] zipped) {}

  Assets() {
    CRC32 sum = new CRC32();
    for (String file : OWN_FILES) {
      sum.update(read(OWN + file));
    }
    path = "/-/static/" + Release.VERSION + "-" + Long.toHexString(sum.getValue()) + "/";
  }

  /** The path that all have; another one for each build, so that a browser may keep them. */
  String path() {
    return path;
  }

  /** The names of the editor's modules, to be asked for all at once. */
  static List<String> editor() {
    return LIBRARIES.keySet().stream().filter(name -> !name.startsWith("uplot")).sorted().toList();
  }

  /** The file of a name; null if there is none. */
  Asset get(String name) {
    Asset asset = loaded.get(name);
    if (asset == null) {
      byte[] bytes = OWN_FILES.contains(name) ? read(OWN + name) : library(name);
      if (bytes == null) {
        return null;
      }
      asset = new Asset(type(name), bytes, zip(bytes));
      loaded.put(name, asset);
    }
    return asset;
  }

  private static String type(String name) {
    String end = name.substring(name.lastIndexOf('.') + 1);
    return switch (end) {
      case "css" -> "text/css; charset=utf-8";
      case "svg" -> "image/svg+xml";
      default -> "text/javascript; charset=utf-8";
    };
  }

  private static byte[] library(String name) {
    String file = LIBRARIES.get(name);
    if (file == null) {
      return null;
    }
    String artifact = name.substring(0, name.lastIndexOf('.'));
    String version = version(artifact);
    byte[] bytes =
        version == null
            ? null
            : read("/META-INF/resources/webjars/" + artifact + "/" + version + "/" + file);
    if (bytes == null || !name.endsWith(".js")) {
      return bytes;
    }
    Matcher imports = IMPORT.matcher(new String(bytes, StandardCharsets.UTF_8));
    return imports
        .replaceAll(found -> found.group(1) + "\"./" + module(found.group(2)) + ".js\"")
        .getBytes(StandardCharsets.UTF_8);
  }

  /** {@code @codemirror/state} is in the WebJar {@code codemirror__state}. */
  private static String module(String name) {
    return name.startsWith("@") ? name.substring(1).replace("/", "__") : name;
  }

  private static String version(String artifact) {
    byte[] properties = read("/META-INF/maven/org.webjars.npm/" + artifact + "/pom.properties");
    if (properties == null) {
      return null;
    }
    Properties read = new Properties();
    try {
      read.load(new java.io.StringReader(new String(properties, StandardCharsets.ISO_8859_1)));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return read.getProperty("version");
  }

  private static byte[] read(String resource) {
    try (InputStream in = Assets.class.getResourceAsStream(resource)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      return null;
    }
  }

  private static byte[] zip(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
      zip.write(bytes);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return out.toByteArray();
  }

  /** Sends a file. */
  void send(Exchange exchange, String name) throws IOException, Refusal {
    Asset asset = get(name);
    if (asset == null) {
      throw Refusal.notFound("Not found");
    }
    exchange.status(200);
    exchange.header("Content-Type", asset.type());
    exchange.header("Cache-Control", "public, max-age=31536000, immutable");
    exchange.header("Vary", "Accept-Encoding");
    String accepted = exchange.header("Accept-Encoding");
    boolean zipped = accepted != null && accepted.contains("gzip");
    byte[] bytes = zipped ? asset.zipped() : asset.bytes();
    if (zipped) {
      exchange.header("Content-Encoding", "gzip");
    }
    exchange.header("Content-Length", Integer.toString(bytes.length));
    exchange.body().write(bytes);
  }

  /** What there is of the libraries, for a test. */
  static Map<String, Boolean> libraries() {
    Map<String, Boolean> there = new LinkedHashMap<>();
    LIBRARIES.keySet().forEach(name -> there.put(name, library(name) != null));
    return there;
  }
}
