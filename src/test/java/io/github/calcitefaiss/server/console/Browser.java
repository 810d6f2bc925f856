/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A Chromium that is installed, without a window, spoken to in its own protocol (DevTools). */
final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome");

  private final Process process;
  private final WebSocket socket;
  private final AtomicInteger numbers = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
  private final Map<String, Tab> tabs = new ConcurrentHashMap<>();

  /** The program, or null if none is installed. */
  static Path installed() {
    String given = System.getProperty("browser");
    List<String> names = given == null ? NAMES : List.of(given);
    for (String folder : String.valueOf(System.getenv("PATH")).split(java.io.File.pathSeparator)) {
      for (String name : names) {
        Path program = Path.of(folder).resolve(name);
        if (Files.isExecutable(program) && !Files.isDirectory(program)) {
          return program;
        }
      }
    }
    return null;
  }

  Browser(Path folder) throws Exception {
    process =
        new ProcessBuilder(
                installed().toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                "--user-data-dir=" + folder.resolve("profile"),
                "about:blank")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create(address()), new Listener())
            .get(60, TimeUnit.SECONDS);
  }

  /** The browser says on standard error where it listens. */
  private String address() throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
    StringBuilder said = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      said.append(line).append('\n');
      int at = line.indexOf("ws://");
      if (line.startsWith("DevTools listening") && at >= 0) {
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
        return line.substring(at);
      }
    }
    throw new IOException("the browser did not start: " + said);
  }

  private final class Listener implements WebSocket.Listener {
    private final StringBuilder message = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
      message.append(data);
      if (last) {
        try {
          take(JSON.readTree(message.toString()));
        } catch (IOException e) {
          throw new IllegalStateException(e);
        } finally {
          message.setLength(0);
        }
      }
      from.request(1);
      return null;
    }
  }

  private void take(JsonNode message) {
    if (message.has("id")) {
      CompletableFuture<JsonNode> answer = answers.remove(message.get("id").asInt());
      if (message.has("error")) {
        answer.completeExceptionally(new IOException(message.get("error").toString()));
      } else {
        answer.complete(message.get("result"));
      }
    } else if (message.has("sessionId")) {
      Tab tab = tabs.get(message.get("sessionId").asText());
      if (tab != null) {
        tab.happened(message.path("method").asText(), message.path("params"));
      }
    }
  }

  private JsonNode call(String session, String method, Map<String, ?> parameters) throws Exception {
    int number = numbers.incrementAndGet();
    ObjectNode message = JSON.createObjectNode();
    message.put("id", number);
    message.put("method", method);
    message.set("params", JSON.valueToTree(parameters));
    if (session != null) {
      message.put("sessionId", session);
    }
    CompletableFuture<JsonNode> answer = new CompletableFuture<>();
    answers.put(number, answer);
    synchronized (socket) {
      socket.sendText(message.toString(), true).get(30, TimeUnit.SECONDS);
    }
    return answer.get(60, TimeUnit.SECONDS);
  }

  /** A tab of its own, which shares nothing with others. */
  Tab open(int width, int height, boolean dark) throws Exception {
    String context =
        call(null, "Target.createBrowserContext", Map.of()).get("browserContextId").asText();
    String target =
        call(null, "Target.createTarget", Map.of("url", "about:blank", "browserContextId", context))
            .get("targetId")
            .asText();
    String session =
        call(null, "Target.attachToTarget", Map.of("targetId", target, "flatten", true))
            .get("sessionId")
            .asText();
    Tab tab = new Tab(session, target);
    tabs.put(session, tab);
    for (String domain : List.of("Page", "Runtime", "Log")) {
      tab.call(domain + ".enable", Map.of());
    }
    tab.call(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 500));
    tab.call(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    return tab;
  }

  @Override
  public void close() {
    try {
      call(null, "Browser.close", Map.of());
      process.waitFor(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      // It is ended in any case.
    }
    process.destroyForcibly();
  }

  /** A tab. */
  final class Tab implements AutoCloseable {
    private final String session;
    private final String target;
    private final List<String> complaints = new CopyOnWriteArrayList<>();
    private volatile CompletableFuture<Void> loaded = new CompletableFuture<>();

    private Tab(String session, String target) {
      this.session = session;
      this.target = target;
    }

    private void happened(String method, JsonNode event) {
      switch (method) {
        case "Page.loadEventFired" -> loaded.complete(null);
        case "Runtime.exceptionThrown" -> complaints.add(event.path("exceptionDetails").toString());
        case "Log.entryAdded" -> {
          String text = event.path("entry").path("text").asText();
          if (!text.contains("server responded with a status of 4")) {
            complaints.add(text + " " + event.path("entry").path("url").asText());
          }
        }
        case "Page.javascriptDialogOpening" -> complaints.add("dialog " + event);
        default -> {}
      }
    }

    JsonNode call(String method, Map<String, ?> parameters) throws Exception {
      return Browser.this.call(session, method, parameters);
    }

    /** Goes to an address and waits until the page is loaded. */
    void go(String address) throws Exception {
      loaded = new CompletableFuture<>();
      call("Page.navigate", Map.of("url", address));
      loaded.get(60, TimeUnit.SECONDS);
    }

    /** Does something that leads to another page, and waits for that. */
    void follow(Action action) throws Exception {
      loaded = new CompletableFuture<>();
      action.run();
      loaded.get(60, TimeUnit.SECONDS);
    }

    /** The value of an expression of JavaScript. */
    JsonNode value(String expression) throws Exception {
      JsonNode answer =
          call(
              "Runtime.evaluate",
              Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
      if (answer.has("exceptionDetails")) {
        throw new IOException(expression + ": " + answer.get("exceptionDetails"));
      }
      return answer.path("result").path("value");
    }

    String text(String expression) throws Exception {
      return value(expression).asText();
    }

    /** Waits until an expression is true. */
    void await(String expression) throws Exception {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (!value("!!(" + expression + ")").asBoolean()) {
        if (System.nanoTime() > end) {
          throw new AssertionError(
              "waited for a minute: " + expression + "\n" + text("document.body.innerText"));
        }
        Thread.onSpinWait();
      }
    }

    /** Types a text where the focus is, as a keyboard would at once. */
    void type(String text) throws Exception {
      call("Input.insertText", Map.of("text", text));
    }

    /** Presses a key; a modifier is 2 for Ctrl, 8 for Shift. */
    void press(String key, int modifier) throws Exception {
      int code = Map.of("Enter", 13, "Tab", 9, "Escape", 27, "ArrowRight", 39, "/", 191).get(key);
      List<String> kinds = new ArrayList<>(List.of("rawKeyDown"));
      kinds.add("keyUp");
      for (String kind : kinds) {
        call(
            "Input.dispatchKeyEvent",
            Map.of(
                "type", kind,
                "key", key,
                "code", key.equals("/") ? "Slash" : key,
                "windowsVirtualKeyCode", code,
                "modifiers", modifier));
        if (kind.equals("rawKeyDown") && key.equals("Enter")) {
          call(
              "Input.dispatchKeyEvent",
              Map.of("type", "char", "text", "\r", "modifiers", modifier));
        }
      }
    }

    /** Moves the mouse to a place, and clicks there if wanted. */
    void mouse(double x, double y, boolean click) throws Exception {
      call("Input.dispatchMouseEvent", Map.of("type", "mouseMoved", "x", x, "y", y));
      if (click) {
        for (String kind : List.of("mousePressed", "mouseReleased")) {
          call(
              "Input.dispatchMouseEvent",
              Map.of("type", kind, "x", x, "y", y, "button", "left", "clickCount", 1));
        }
      }
    }

    /** Clicks the middle of the first element that a selector finds. */
    void click(String selector) throws Exception {
      JsonNode place =
          value(
              "(() => { const e = document.querySelector("
                  + JSON.writeValueAsString(selector)
                  + "); e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
                  + " return [r.x + r.width / 2, r.y + r.height / 2]; })()");
      mouse(place.get(0).asDouble(), place.get(1).asDouble(), true);
    }

    /** Errors and refusals that the page's console shows. */
    List<String> complaints() {
      return complaints;
    }

    void screenshot(Path file) throws Exception {
      String data = call("Page.captureScreenshot", Map.of("format", "png")).get("data").asText();
      Files.write(file, Base64.getDecoder().decode(data));
    }

    @Override
    public void close() {
      tabs.remove(session);
      try {
        Browser.this.call(null, "Target.closeTarget", Map.of("targetId", target));
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** What may fail. */
  interface Action {
    void run() throws Exception;
  }
}
