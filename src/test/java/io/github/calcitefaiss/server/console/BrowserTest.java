/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person does with the pages, in a real browser. */
class BrowserTest {
  private static final String NEAREST =
      "/packages?sql=select+id,l2_distance(embedding,(select+embedding+from+embeddings+where+id=:id))"
          + "+as+distance+from+embeddings+order+by+distance+limit+20&id=2133";

  @TempDir static Path folder;
  private static FaissServer server;
  private static Browser browser;
  private Browser.Tab tab;

  @BeforeAll
  static void start() throws Exception {
    assumeTrue(
        Browser.installed() != null,
        "No Chromium is on the path, so what a browser does with the pages is not tested");
    server = serve(Path.of("examples/packages.db"));
    browser = new Browser(folder);
  }

  private static FaissServer serve(Path database) throws Exception {
    return new FaissServer(
        new FaissServer.Options(
            "jdbc:faiss:" + database,
            "127.0.0.1",
            0,
            null,
            false,
            null,
            null,
            Limits.DEFAULT,
            false),
        line -> {});
  }

  @AfterAll
  static void stop() throws Exception {
    if (browser != null) {
      browser.close();
    }
    if (server != null) {
      server.close();
    }
  }

  @BeforeEach
  void open() throws Exception {
    tab = browser.open(1280, 850, false);
  }

  @AfterEach
  void close() throws Exception {
    if (tab != null) {
      List<String> complaints = tab.complaints();
      tab.close();
      assertEquals(List.of(), complaints);
    }
  }

  private void go(String address) throws Exception {
    tab.go(server.address() + address);
  }

  private static String cells(String selector) {
    return "[...document.querySelectorAll('" + selector + "')].map(e => e.innerText).join('|')";
  }

  @Test
  void typeAndRun() throws Exception {
    go("/packages");
    tab.await("window.editor && window.editor.hasFocus");
    tab.type("select id, name from packages where id = :id");
    tab.await("document.querySelector('.parameters input[name=id]')");
    tab.value("document.querySelector('.parameters input[name=id]').focus()");
    tab.type("2133");
    tab.follow(() -> tab.press("Enter", 0));
    assertEquals("2133|nginx", tab.text(cells("table.grid td")));
    assertTrue(tab.text("location.search").endsWith("&id=2133"));
    // The editor again, with the statement; Ctrl and Enter run it.
    tab.await("window.editor");
    tab.value("window.editor.focus(), window.editor.dispatch({selection: {anchor: 7, head: 15}})");
    tab.type("name, section");
    tab.follow(() -> tab.press("Enter", 2));
    assertEquals("nginx|httpd", tab.text(cells("table.grid td")));
  }

  @Test
  void namesAreCompleted() throws Exception {
    go("/packages");
    tab.await("window.editor && window.editor.hasFocus");
    tab.type("select faiss_sea");
    String options =
        "document.querySelector('.editor').shadowRoot.querySelector('.cm-tooltip-autocomplete')";
    tab.await(options + "?.innerText.includes('faiss_search_with_scores')");
    assertTrue(tab.text(options + ".innerText").contains("(database, table, vector, k)"));
    // What is chosen can't be taken in its first moments, so that typing on is not interrupted.
    tab.await(
        "(document.querySelector('.editor').shadowRoot.querySelector('.cm-completionInfo')"
            + "?.innerText || '').includes('nearest')");
  }

  @Test
  void aNeighbourIsAClickAway() throws Exception {
    go("/packages/packages/2133");
    tab.follow(() -> tab.click(".neighbours li a"));
    assertEquals("/packages/packages/2134", tab.text("location.pathname"));
    go("/packages/embeddings");
    tab.follow(() -> tab.click("a.near"));
    assertEquals("1", tab.text("document.querySelector('table.grid td a').innerText"));
    assertEquals("0.0", tab.text("document.querySelector('tbody tr').lastElementChild.innerText"));
  }

  @Test
  void aLinkCanBeShared() throws Exception {
    go(NEAREST);
    String table = tab.text(cells("table.grid td"));
    String link = tab.text("document.querySelector('a.copy').href");
    try (Browser.Tab other = browser.open(1280, 850, false)) {
      other.go(link);
      assertEquals(table, other.text(cells("table.grid td")));
      other.await("window.editor");
      assertTrue(other.text("window.editor.state.doc.toString()").startsWith("select id,l2_dist"));
      assertEquals("2133", other.text("document.querySelector('input[name=id]').value"));
    }
  }

  @Test
  void wrongSqlIsSaidWhereItIs() throws Exception {
    go("/packages?sql=select%0Anme+from+packages");
    String said = tab.text("document.querySelector('[role=alert]').innerText");
    assertTrue(said.contains("Column 'nme' not found in any table (line 2, column 1)"), said);
    tab.await("window.editor");
    assertEquals("select\nnme from packages", tab.text("window.editor.state.doc.toString()"));
  }

  @Test
  void tenThousandRowsAreDrawnToTheThousandth() throws Exception {
    go(
        "/packages?sql=with+recursive+c(x)+as+(select+1+union+all+select+x%2B1+from+c+limit+10000)"
            + "+select+x,x*2+as+y,'text+'||x+as+t+from+c");
    assertEquals(
        1000, tab.value("document.querySelectorAll('table.grid tbody tr').length").asInt());
    assertTrue(
        tab.text("document.getElementById('summary').innerText").contains("the first of more"));
    String csv = tab.text("document.querySelectorAll('#summary a')[1].href");
    assertEquals(
        10_001,
        tab.value(
                "fetch('"
                    + csv
                    + "').then(a => a.text()).then(t => t.trim().split('\\r\\n').length)")
            .asInt());
  }

  @Test
  void distancesAreDrawn() throws Exception {
    go(NEAREST);
    tab.await("document.querySelector('#plot canvas')");
    assertTrue(
        tab.text("document.getElementById('plot').ariaLabel")
            .contains("distance of 20 rows, from 0"));
  }

  @Test
  void theMapNamesItsPointsAndDrawsNeighbours() throws Exception {
    go("/packages/embeddings/-/map");
    tab.await("document.getElementById('map').dataset.drawn");
    assertTrue(
        tab.text("document.getElementById('map-about').innerText")
            .startsWith("3,576 of 3,576 rows"));
    assertTrue(tab.text("document.querySelector('.legend').innerText").contains("utils"));
    JsonNode box =
        tab.value(
            "(() => { document.getElementById('map').scrollIntoView(); const r = document"
                + ".getElementById('map').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()");
    double x = box.get(0).asDouble() + box.get(2).asDouble() / 2;
    double y = box.get(1).asDouble() + box.get(3).asDouble() / 2;
    tab.mouse(x, y, false);
    tab.await("!document.querySelector('.tip').hidden");
    assertTrue(tab.text("document.querySelector('.tip').innerText").matches("\\S.* \\(\\d+\\)"));
    tab.mouse(x, y, true);
    tab.await("document.querySelectorAll('.chosen li').length === 10");
    String first = "document.querySelector('.chosen li a')";
    assertTrue(tab.text(first + ".href").contains("/packages/packages/"));
    tab.value("document.querySelector('#map canvas').focus()");
    tab.press("Escape", 0);
    tab.await("document.querySelector('.chosen').hidden");
    tab.press("ArrowRight", 0);
    tab.press("Enter", 0);
    tab.await("document.querySelectorAll('.chosen li').length === 10");
  }

  @Test
  void aKeyboardIsEnough() throws Exception {
    go("/packages");
    tab.await("window.editor && window.editor.hasFocus");
    // Tab leaves the editor: who has no mouse must not be caught in it.
    tab.press("Tab", 0);
    assertEquals("Run", tab.text("document.activeElement.innerText"));
    tab.press("Tab", 0);
    tab.follow(() -> tab.press("Enter", 0));
    assertTrue(tab.text("location.search").contains("sql="), tab.text("location.href"));
    go("/packages/embeddings");
    tab.press("Tab", 0);
    assertEquals("Skip to the content", tab.text("document.activeElement.innerText"));
    tab.press("/", 0);
    assertEquals("search", tab.text("document.activeElement.id"));
    tab.type("2133");
    tab.follow(() -> tab.press("Enter", 0));
    assertEquals("2133", tab.text("document.querySelector('table.grid td a').innerText"));
  }

  @Test
  void withoutScriptsAllCanBeRead() throws Exception {
    tab.call("Emulation.setScriptExecutionDisabled", Map.of("value", true));
    go("/packages");
    assertTrue(tab.value("document.querySelector('textarea').offsetHeight").asInt() > 50);
    tab.click("textarea");
    tab.type("select name from packages where id = 2133");
    tab.follow(() -> tab.click("form.ask button"));
    assertEquals("nginx", tab.text(cells("table.grid td")));
    go("/packages/packages?section=web&_sort=name");
    tab.follow(() -> tab.click("table.grid td a"));
    assertEquals(10, tab.value("document.querySelectorAll('.neighbours li').length").asInt());
    go("/packages/embeddings/-/map");
    assertTrue(tab.text("document.body.innerText").contains("The map is drawn by a script"));
  }

  @ParameterizedTest
  @ValueSource(ints = {390, 820, 1280})
  void nothingSticksOutAtAnyWidth(int width) throws Exception {
    for (boolean dark : new boolean[] {false, true}) {
      try (Browser.Tab narrow = browser.open(width, 800, dark)) {
        for (String address :
            List.of(
                "/",
                "/packages",
                NEAREST,
                "/packages?sql=selct",
                "/packages/packages?_facet=section",
                "/packages/embeddings?_near=2133",
                "/packages/packages/2133",
                "/packages/embeddings/2133",
                "/packages/embeddings/-/map",
                "/nothing")) {
          narrow.go(server.address() + address);
          assertEquals(
              width,
              narrow.value("Math.max(innerWidth, document.documentElement.scrollWidth)").asInt(),
              address);
          String page = narrow.text("getComputedStyle(document.body).backgroundColor");
          assertEquals(dark ? "rgb(18, 22, 28)" : "rgb(255, 255, 255)", page);
        }
        assertEquals(List.of(), narrow.complaints());
      }
    }
  }

  /** Markup in every place that a text of the database's or of an address's can have. */
  @Test
  void noTextBecomesAScript() throws Exception {
    String evil =
        "\"'></textarea></script><img src=x onerror=window.evil=1><svg onload=window.evil=1>";
    Path file = folder.resolve("evil.db");
    String name = '"' + evil.replace("\"", "\"\"") + '"';
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table " + name + " (id text primary key, embedding blob, " + name + " text)");
      try (PreparedStatement insert =
          connection.prepareStatement("insert into " + name + " values (?, ?, ?)")) {
        for (int i = 0; i < 20; i++) {
          insert.setString(1, i + evil);
          insert.setBytes(2, VectorCodec.encode(new float[] {i, i % 3, 2}));
          insert.setString(3, i % 2 == 0 ? evil : "javascript:window.evil=1");
          insert.executeUpdate();
        }
      }
    }
    String argument = Address.argument(evil);
    String table = "/evil/" + Address.encode(evil);
    try (FaissServer other = serve(file)) {
      for (String address :
          List.of(
              "/",
              "/evil",
              "/evil?sql=" + argument,
              "/evil?sql=select+:p+as+distance&p=" + argument,
              "/evil?sql=select+*+from+" + Address.argument(name),
              table,
              table + "?_near=" + Address.argument("1" + evil),
              table + "?" + argument + "=" + argument + "&_facet=" + argument,
              table + "/" + Address.encode("1" + evil),
              table + "/-/map?colour=" + argument,
              "/" + Address.encode(evil))) {
        tab.go(other.address() + address);
        tab.await("!document.querySelector('form.ask') || window.editor");
        tab.await(
            "!document.getElementById('map') || document.getElementById('map').dataset.drawn");
        assertFalse(tab.value("!!window.evil").asBoolean(), address);
        assertEquals(0, tab.value("document.querySelectorAll('img').length").asInt(), address);
        assertEquals(1, tab.value("document.scripts.length").asInt(), address);
        if (address.contains("map")) {
          tab.click("#map canvas");
          for (int i = 0; i < 3; i++) {
            tab.press("ArrowRight", 0);
          }
          tab.press("Enter", 0);
          tab.await("document.querySelectorAll('.chosen li').length > 3");
          assertEquals(0, tab.value("document.querySelectorAll('img').length").asInt());
        }
      }
    }
  }

  /** Fifty tabs at once beside the thin driver, and nothing is refused; a minute on two cores. */
  @Test
  @Tag("slow")
  void fiftyTabsAtOnce() throws Exception {
    List<Browser.Tab> tabs = new ArrayList<>();
    try (Connection thin =
            DriverManager.getConnection(
                "jdbc:avatica:remote:url=" + server.address() + ";serialization=PROTOBUF");
        Statement statement = thin.createStatement()) {
      for (int i = 0; i < 50; i++) {
        tabs.add(browser.open(800, 600, false));
      }
      for (Browser.Tab one : tabs) {
        one.call("Page.navigate", Map.of("url", server.address() + NEAREST));
      }
      assertTrue(statement.executeQuery("select count(*) from packages").next());
      for (Browser.Tab one : tabs) {
        one.await("document.querySelectorAll('table.grid tbody tr').length === 20");
        assertEquals(List.of(), one.complaints());
      }
    } finally {
      tabs.forEach(Browser.Tab::close);
    }
  }
}
