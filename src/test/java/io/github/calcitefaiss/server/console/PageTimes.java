/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * How long pages take, by the browser's own clock: from the beginning of the navigation to the
 * first frame after the page is loaded, scripts and all. A main method and no test; it starts
 * servers as a user does, with {@code ./sqlline serve}.
 */
final class PageTimes {
  private static final int STARTS = 7;
  private static final int LOADS = 31;

  private static final String DRAWN =
      "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))";

  private static final String HUNDRED =
      "/packages?sql=select+e.id,t.name,t.summary,e.distance+from+(select+id,l2_distance(embedding,"
          + "(select+embedding+from+embeddings+where+id=:id))+as+distance+from+embeddings"
          + "+order+by+distance+limit+100)+e+join+packages+t+on+t.id=e.id+order+by+distance&id=2133";

  private PageTimes() {}

  /** Prints the times. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Files.createTempDirectory("page-times");
    try (Browser browser = new Browser(folder)) {
      List<Double> first = new ArrayList<>();
      List<Double> started = new ArrayList<>();
      List<Double> answer = new ArrayList<>();
      for (int i = 0; i < STARTS; i++) {
        long begin = System.nanoTime();
        try (Serving server = new Serving();
            Browser.Tab tab = browser.open(1280, 850, false)) {
          started.add((System.nanoTime() - begin) / 1e6);
          tab.go(server.address + "/");
          first.add(tab.value(DRAWN).asDouble());
          answer.add(
              tab.value("performance.getEntriesByType('navigation')[0].responseEnd").asDouble());
        }
      }
      print("start of the server, until it says so", started);
      print("first page after that (goal 200)", first);
      print("… until its text is there", answer);
      try (Serving server = new Serving()) {
        List<Double> new100 = new ArrayList<>();
        List<Double> again = new ArrayList<>();
        for (int i = 0; i < LOADS; i++) {
          try (Browser.Tab tab = browser.open(1280, 850, false)) {
            new100.add(load(tab, server.address + HUNDRED, 100));
            again.add(load(tab, server.address + HUNDRED, 100));
          }
        }
        print("statement of 100 rows, nothing in the browser's cache (goal 300)", new100);
        print("… its scripts there from before", again);
        List<Double> map = new ArrayList<>();
        for (int i = 0; i < LOADS; i++) {
          try (Browser.Tab tab = browser.open(1280, 850, false)) {
            tab.go(server.address + "/packages/embeddings/-/map");
            tab.await("document.getElementById('map').dataset.drawn");
            map.add(tab.value("Number(document.getElementById('map').dataset.drawn)").asDouble());
          }
        }
        print("one drawing of the map's 3,576 points", map);
      }
    }
  }

  private static double load(Browser.Tab tab, String address, int rows) throws Exception {
    tab.go(address);
    double time = tab.value(DRAWN).asDouble();
    int drawn = tab.value("document.querySelectorAll('table.grid tbody tr').length").asInt();
    if (drawn != rows) {
      throw new IOException(drawn + " rows at " + address);
    }
    return time;
  }

  private static void print(String what, List<Double> times) {
    Collections.sort(times);
    System.out.printf(
        Locale.ROOT,
        "%-70s median %6.1f ms, %.1f to %.1f, %d times%n",
        what,
        times.get(times.size() / 2),
        times.get(0),
        times.get(times.size() - 1),
        times.size());
  }

  /** A server in a process of its own. */
  private static final class Serving implements AutoCloseable {
    private final Process process;
    private final String address;

    private Serving() throws IOException {
      process =
          new ProcessBuilder("./sqlline", "serve", "examples/packages.db", "--port", "0")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
      String line = lines.readLine();
      while (line != null && !line.startsWith("serve: ")) {
        line = lines.readLine();
      }
      if (line == null) {
        throw new IOException("the server did not start");
      }
      address = line.replaceFirst(".* at (\\S+) .*", "$1");
      Thread rest =
          new Thread(
              () -> {
                try {
                  lines.transferTo(java.io.Writer.nullWriter());
                } catch (IOException e) {
                  // It ended.
                }
              });
      rest.setDaemon(true);
      rest.start();
    }

    @Override
    public void close() {
      process.destroy();
      try {
        process.waitFor(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
