/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.calcitefaiss.TestDatabase;
import io.github.calcitefaiss.embed.EmbeddingServer;
import io.github.calcitefaiss.embed.InstalledModels;
import io.github.calcitefaiss.embed.ModelFolder;
import io.github.calcitefaiss.embed.TestModels;
import io.github.calcitefaiss.index.VectorCodec;
import io.github.calcitefaiss.server.FaissServer;
import io.github.calcitefaiss.server.Limits;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pages as they come over HTTP: what is in them, and what can't be. */
class ConsoleTest {
  /** Ends a text, an attribute, a comment, a script; no page may hold it as it is. */
  private static final String EVIL = "'\"--></script><i>evil</i>${1+1}";

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Path PACKAGES = Path.of("examples/packages.db");

  @TempDir static Path folder;
  private static FaissServer server;
  private static final List<String> LOG = new CopyOnWriteArrayList<>();

  @BeforeAll
  static void serve() throws Exception {
    server = serve(PACKAGES, Limits.DEFAULT, false);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static FaissServer serve(Path file, Limits limits, boolean cors) throws Exception {
    return new FaissServer(
        new FaissServer.Options(
            "jdbc:faiss:" + file, "127.0.0.1", 0, null, false, null, null, limits, cors),
        LOG::add);
  }

  private static HttpResponse<String> get(FaissServer from, String address, String... headers)
      throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(from.address() + address));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String page(String address) throws Exception {
    HttpResponse<String> response = get(server, address);
    assertEquals(200, response.statusCode(), response.body());
    return response.body();
  }

  private static void has(String page, String... parts) {
    for (String part : parts) {
      assertTrue(page.contains(part), () -> part + " is not in\n" + page);
    }
  }

  @Test
  void theFirstPageSaysWhatThereIs() throws Exception {
    String page = page("/");
    has(page, "<a href=\"/packages/embeddings\">embeddings</a>", "3,576", "384");
    has(page, "<a class=\"quiet\" href=\"/packages/docs/-/map\">map</a>", ">view</span>");
  }

  @Test
  void aTableHasFiltersSortFacetsAndPages() throws Exception {
    String page = page("/packages/packages?section=web&_sort=name&_facet=section");
    has(page, "100 rows where section = \"web\" sorted by name, 100 here");
    has(page, "aria-sort=\"ascending\"", "class=\"chip\"", "aria-current=\"true\"");
    has(page, "/packages?sql=select+%22id%22");
    page = page("/packages/packages?_size=2");
    has(page, "rel=\"next\"", "_next=2");
    // What the filter's form sends.
    page = page("/packages/packages?_filter_column=name&_filter=startswith&_filter_value=nginx");
    has(page, "2 rows", "name starts with nginx");
  }

  @Test
  void aVectorIsAPictureAndALink() throws Exception {
    String page = page("/packages/embeddings?_size=1");
    has(page, "384 × float32", "<path d=\"M", "href=\"/packages/embeddings?_near=1\"");
    has(page, ">JSON</a>", "/packages/embeddings/1.blob?_blob_column=embedding");
    Matcher json =
        Pattern.compile("href=\"([^\"]+)\">JSON</a>\\s*<a class=\"quiet\" href=[^>]*>blob")
            .matcher(page);
    assertTrue(json.find());
    has(page(json.group(1).replace("&amp;", "&")), "class=\"text\"", "[-0.0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"_near=2133", "_search=2133"})
  void aSearchTakesAnId(String search) throws Exception {
    String page = page("/packages/docs?" + search + "&section=httpd");
    has(page, "50 nearest rows", "nearest to id 2133", "/packages?sql=select");
    assertTrue(page.indexOf(">nginx<") < page.indexOf(">nginx-extras<"), page);
  }

  @Test
  void aSearchTakesAVector() throws Exception {
    String vector = "[" + "0.05,".repeat(383) + "0.05]";
    has(
        page("/packages/embeddings?_search=" + vector.replace("[", "%5B").replace("]", "%5D")),
        "nearest to the vector given");
    HttpResponse<String> wrong = get(server, "/packages/embeddings?_search=nginx");
    assertEquals(400, wrong.statusCode());
    has(wrong.body(), "no embedding model is installed", "install-model all-minilm-l6-v2-q");
    wrong = get(server, "/packages/embeddings?_search=%5B1%5D");
    assertEquals(400, wrong.statusCode());
    has(wrong.body(), "384");
  }

  /** The texts' vectors stand in another table, and a filter is one of this. */
  @Test
  void aSearchTakesATextAndFindsWhatAnotherTableHasTheVectorsOf() throws Exception {
    String before = System.setProperty(ModelFolder.PROPERTY, InstalledModels.shared().path() + "");
    try (FaissServer own = serve(PACKAGES, Limits.DEFAULT, false)) {
      for (String table : List.of("packages", "docs")) {
        HttpResponse<String> found =
            get(own, "/packages/" + table + "?_search=a+light+web+server&section=httpd");
        assertEquals(200, found.statusCode(), found.body());
        has(found.body(), "50 nearest rows", "nearest to “a light web server”", "a text, an id");
        assertTrue(
            found.body().indexOf(">lighttpd<") < found.body().indexOf(">apache2<"), found.body());
      }
      has(get(own, "/packages/packages?_search=2133").body(), "nearest to id 2133");
    } finally {
      if (before == null) {
        System.clearProperty(ModelFolder.PROPERTY);
      } else {
        System.setProperty(ModelFolder.PROPERTY, before);
      }
    }
  }

  /** A question is embedded by the model that made the table, not by the usual one. */
  @Test
  void aTextIsEmbeddedByTheTablesModel() throws Exception {
    Path file =
        TestDatabase.write(
            folder.resolve("made.db"),
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT, embedding BLOB)",
            "INSERT INTO notes VALUES (1, 'abc', x'0000803F0000000000000000'),"
                + " (2, 'a longer one', x'0000404100000000000080BF')",
            "CREATE TABLE faiss_models (embeddings TEXT PRIMARY KEY COLLATE NOCASE, model TEXT NOT"
                + " NULL, dims INTEGER NOT NULL)",
            "INSERT INTO faiss_models VALUES ('notes', 'second', 3)");
    try (EmbeddingServer first = new EmbeddingServer();
        EmbeddingServer second = new EmbeddingServer();
        TestModels models =
            new TestModels(folder.resolve("models")).with("first", first).with("second", second);
        FaissServer own = serve(file, Limits.DEFAULT, false)) {
      HttpResponse<String> found = get(own, "/made/notes?_search=a+question");
      assertEquals(200, found.statusCode(), found.body());
      has(found.body(), "2 nearest rows", "nearest to “a question”");
      assertEquals(0, first.calls.get());
      assertEquals(1, second.calls.get());
      assertEquals(3, models.folder().describe("second").dims());
    }
  }

  @Test
  void aRowHasItsNearest() throws Exception {
    String page = page("/packages/packages/2133");
    has(page, "Nearest in embeddings", "<a href=\"/packages/packages/2134\">nginx-extras</a>");
    has(page, "0.5058", "small, powerful, scalable web/proxy server");
    assertEquals(404, get(server, "/packages/packages/99999").statusCode());
  }

  @Test
  void aStatementHasAFieldForEachParameterAndItsPlanInWords() throws Exception {
    String page =
        page("/packages?sql=select+name+from+packages+where+id=:id+and+section=:section&id=2133");
    has(page, "<input name=\"id\" value=\"2133\">", "<input name=\"section\" value=\"\">");
    has(page, "No vectors are compared. SQLite runs it whole.", "0 rows in");
    page =
        page(
            "/packages?sql=select+id+from+docs+where+section='web'+order+by+l2_distance(embedding,"
                + "(select+embedding+from+docs+where+id=3))+limit+5");
    has(page, "Index used: packages.docs finds the 5 nearest by L2 distance, exact, filter first");
    page =
        page(
            "/packages?sql=select+max(l2_norm)+from+(select+l2_distance(embedding,embedding)+as+l2_norm+from+docs)");
    has(page, "No index used: the distance of every row is computed.", "ORDER BY the distance");
    page =
        page(
            "/packages?sql=select+faiss_search('packages','embeddings',(select+embedding+from"
                + "+embeddings+where+id=3),5)");
    has(page, "Index used: faiss_search asks it, exact.");
  }

  @Test
  void aWrongStatementIsSaidWithItsPlace() throws Exception {
    HttpResponse<String> response = get(server, "/packages?sql=select+nme+from+packages");
    assertEquals(400, response.statusCode());
    has(response.body(), "role=\"alert\"", "did you mean 'name'?");
    has(get(server, "/packages?sql=delete+from+packages").body(), "DELETE is refused");
    has(get(server, "/packages?sql=select+?").body(), "write :name in place of ?");
  }

  @Test
  void moreRowsThanAThousandAreSaidToBeMore() throws Exception {
    String sql = "with+recursive+c(x)+as+(select+1+union+all+select+x%2B1+from+c+limit+10000)";
    String page = page("/packages?sql=" + sql + "+select+x+from+c");
    has(page, "1,000 rows, the first of more, in", "CSV, all rows");
    assertEquals(1000, page.split("<td class=\"number\"", -1).length - 1);
  }

  @Test
  void theMapHasAPointForEachRowOfASample() throws Exception {
    has(
        page("/packages/embeddings/-/map"),
        "data-points=\"/packages/embeddings/-/map.json?colour=section\"");
    String json = page("/packages/embeddings/-/map.json?colour=section&_size=100");
    assertEquals(100, json.split("\\],\\[", -1).length);
    has(json, "\"rows\":3576", "\"kinds\":[");
    assertEquals(
        json.replaceAll("\"ms\":\\d+", ""),
        page("/packages/embeddings/-/map.json?colour=section&_size=100")
            .replaceAll("\"ms\":\\d+", ""));
    assertEquals(404, get(server, "/packages/packages/-/map").statusCode());
    assertEquals(400, get(server, "/packages/embeddings/-/map.json?colour=x").statusCode());
  }

  @Test
  void theEditorCompletesNamesWithHelp() throws Exception {
    String json = page("/packages/-/complete.json");
    has(json, "\"label\":\"embeddings\"", "\"detail\":\"packages, varchar\"");
    has(json, "\"label\":\"faiss_search\"", "\"detail\":\"(database, table, vector, k)\"");
    List<String> there = new ArrayList<>();
    try (Connection connection = DriverManager.getConnection("jdbc:faiss:" + PACKAGES);
        ResultSet rows = connection.getMetaData().getFunctions(null, null, null)) {
      while (rows.next()) {
        there.add(rows.getString("FUNCTION_NAME"));
      }
    }
    // Neither help of a function that is no more, nor one of the plugin's own without.
    List<String> helped = new ArrayList<>(Completion.functions());
    helped.remove("embed");
    assertTrue(there.containsAll(helped), () -> helped + " are not all among " + there);
    there.stream()
        .filter(name -> name.startsWith("faiss_") || name.equals("l2_distance"))
        .forEach(name -> assertNotNull(Completion.help(name), name));
  }

  @Test
  void scriptsComeFromHereAndAreKept() throws Exception {
    Assets.libraries().forEach((name, there) -> assertTrue(there, name));
    Matcher path = Pattern.compile("src=\"(/-/static/[^\"]+/)console.js\"").matcher(page("/"));
    assertTrue(path.find());
    for (String name : Assets.libraries().keySet()) {
      HttpResponse<String> response = get(server, path.group(1) + name);
      assertEquals(200, response.statusCode(), name);
      assertEquals(
          "public, max-age=31536000, immutable",
          response.headers().firstValue("Cache-Control").orElse(""));
      assertFalse(response.body().matches("(?s).*from\\s*['\"]@.*"), name);
    }
    assertEquals(404, get(server, path.group(1) + "..~2Fx").statusCode());
    assertEquals(404, get(server, "/-/static/x/nothing.js").statusCode());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/packages",
        "/packages/docs",
        "/packages/packages/3",
        "/nothing",
        "/packages?sql=x"
      })
  void noPageMayRunAScriptOfAnotherPlace(String address) throws Exception {
    HttpResponse<String> response = get(server, address);
    String policy = response.headers().firstValue("Content-Security-Policy").orElse("");
    assertTrue(
        policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self';"), policy);
    assertFalse(policy.contains("unsafe"), policy);
    assertTrue(policy.contains("frame-ancestors 'none'"), policy);
    assertEquals("nosniff", response.headers().firstValue("X-Content-Type-Options").orElse(""));
    assertTrue(response.headers().firstValue("Set-Cookie").isEmpty());
    assertFalse(
        Pattern.compile("(?i)\\son[a-z]+=|\\sstyle=|<style|<script(?! type=\"module\" src)")
            .matcher(response.body())
            .find(),
        response.body());
  }

  @ParameterizedTest
  @CsvSource({
    "Host,evil.example,403",
    "Host,evil.example:8765,403",
    "Host,localhost.evil.example,403",
    "Host,127.0.0.1.evil.example,403",
    "Host,localhost:1,200",
    "Host,LOCALHOST,200",
    "Host,[::1]:8765,200",
    "Host,a.localhost:80,200",
    "Origin,http://evil.example,403",
    "Origin,null,403",
    "Origin,http://localhost,403",
    "Sec-Fetch-Site,cross-site,403",
    "Sec-Fetch-Site,same-site,403",
    "Sec-Fetch-Site,same-origin,200",
    "Sec-Fetch-Site,none,200",
  })
  void otherPagesAreKeptOut(String header, String value, int status) throws Exception {
    for (String address : List.of("/", "/packages.json?sql=select+1", "/packages?sql=select+1")) {
      assertEquals(status, raw(address, header + ": " + value), header + ": " + value);
    }
  }

  /** A link to here works wherever it stands, and a frame or an image nowhere. */
  @Test
  void otherPagesCanLinkHere() throws Exception {
    String from = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    assertEquals(200, raw("/", from + "Sec-Fetch-Dest: document"));
    assertEquals(403, raw("/", from + "Sec-Fetch-Dest: iframe"));
  }

  /** The status of a request with any header, which Java's client doesn't send. */
  private static int raw(String address, String headers) throws Exception {
    URI uri = URI.create(server.address());
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      String host = headers.startsWith("Host") ? "" : "Host: 127.0.0.1:" + uri.getPort() + "\r\n";
      String request =
          "GET " + address + " HTTP/1.1\r\n" + host + headers + "\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return Integer.parseInt(answer.split(" ")[1]);
    }
  }

  @Test
  void otherPagesMayReadOnlyWhereThatIsAskedFor() throws Exception {
    String header = "Access-Control-Allow-Origin";
    HttpResponse<String> response = get(server, "/packages.json?sql=select+1");
    assertTrue(response.headers().firstValue(header).isEmpty());
    try (FaissServer open = serve(PACKAGES, Limits.DEFAULT, true)) {
      response = get(open, "/packages.json?sql=select+1", "Origin", "http://other.example");
      assertEquals(200, response.statusCode());
      assertEquals("*", response.headers().firstValue(header).orElse(""));
      response = get(open, "/packages/nope.json", "Origin", "http://other.example");
      assertEquals("*", response.headers().firstValue(header).orElse(""));
      response = get(open, "/packages", "Origin", "http://other.example");
      assertTrue(response.headers().firstValue(header).isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
  void pagesAreRead(String method) throws Exception {
    HttpResponse<String> response =
        HTTP.send(
            HttpRequest.newBuilder(URI.create(server.address() + "/packages"))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertEquals(405, response.statusCode());
    assertEquals("GET, HEAD", response.headers().firstValue("Allow").orElse(""));
  }

  /** A text that tries to be markup, in every place where a text of others can stand. */
  @Test
  void nothingThatAnAddressOrADatabaseHoldsIsMarkup() throws Exception {
    Path file = folder.resolve("evil'\"<i>evil</i>.db".replace("/", "_"));
    String name = '"' + EVIL.replace("\"", "\"\"") + '"';
    String text = '\'' + EVIL.replace("'", "''") + '\'';
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table "
              + name
              + " (id text primary key, embedding blob, "
              + name
              + " text, url text)");
      try (PreparedStatement insert =
          connection.prepareStatement("insert into " + name + " values (?, ?, ?, ?)")) {
        for (int i = 0; i < 5; i++) {
          insert.setString(1, EVIL + i);
          insert.setBytes(2, VectorCodec.encode(new float[] {i, 1, 2}));
          insert.setString(3, EVIL);
          insert.setString(
              4, i == 0 ? "javascript:alert(1)" : "https://x.example/?a=\"><i>evil</i>");
          insert.executeUpdate();
        }
      }
      statement.execute(
          "create view " + name.replace("evil", "view") + " as select " + text + " as " + name);
    }
    try (FaissServer evil = serve(file, Limits.DEFAULT, false)) {
      String database = "/" + Address.encode("evil'\"<i>evil<_i>");
      String table = database + "/" + Address.encode(EVIL);
      String argument = Address.argument(EVIL);
      List<String> addresses =
          new ArrayList<>(
              List.of(
                  "/",
                  database,
                  database + "?sql=" + argument,
                  database
                      + "?sql=select+"
                      + Address.argument(text)
                      + "+as+"
                      + Address.argument(name),
                  database + "?sql=select+:a&a=" + argument,
                  database
                      + "?sql=select+*+from+"
                      + Address.argument(name)
                      + "&x"
                      + argument
                      + "=1",
                  table,
                  table + "?_sort=" + argument + "&_facet=" + argument,
                  table + "?" + argument + "=" + argument,
                  table + "?" + argument + "__contains=" + argument,
                  table + "?_near=" + Address.argument(EVIL + "0"),
                  table + "?_search=" + argument,
                  table + "?_next=" + argument,
                  table + "?_size=" + argument,
                  table + "?nothing=" + argument,
                  table + "/" + Address.encode(EVIL + "0"),
                  table + "/" + Address.encode(EVIL),
                  table + "/-/map?colour=" + argument,
                  database + "/" + argument,
                  "/" + argument,
                  "/-/" + argument));
      int found = 0;
      for (String address : addresses) {
        HttpResponse<String> response = get(evil, address);
        String body = response.body();
        assertFalse(body.contains("<i>evil"), () -> address + "\n" + body);
        assertFalse(body.contains("</script><"), () -> address + "\n" + body);
        assertFalse(body.contains("href=\"javascript:"), () -> address + "\n" + body);
        assertTrue(response.statusCode() < 500, () -> address + " " + response.statusCode() + body);
        found += body.contains("&lt;i&gt;evil") || body.contains("&lt;i>evil") ? 1 : 0;
      }
      // It did stand there.
      assertTrue(found > 12, found + " pages show it");
    }
  }

  /** The statement has no end of its own. */
  @Test
  void aStatementStopsWhenItsBrowserGoesAway() throws Exception {
    String sql =
        "with+recursive+gone(x)+as+(select+1+union+all+select+x%2B1+from+gone)+select+max(x)+from+gone";
    URI uri = URI.create(server.address());
    for (String address :
        List.of("/packages?sql=" + sql, "/packages.json?sql=" + sql, "/packages.csv?sql=" + sql)) {
      int before = LOG.size();
      try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
        OutputStream out = socket.getOutputStream();
        out.write(
            ("GET " + address + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        out.flush();
        await(() -> running() > 0);
      }
      await(
          () ->
              LOG.stream()
                  .skip(before)
                  .anyMatch(
                      line -> line.contains("outcome=closed") && line.contains("recursive gone")));
      assertEquals(0, running());
    }
  }

  /** What comes right after an answer is the next request of the same connection. */
  @Test
  void aConnectionServesOnAfterASlowStatement() throws Exception {
    String slow =
        "/packages.json?_shape=arrayfirst&sql=with+recursive+c(x)+as+(select+1+union+all+select"
            + "+x%2B1+from+c+limit+700000)+select+max(x)+from+c";
    URI uri = URI.create(server.address());
    try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
      socket.setSoTimeout(60_000);
      InputStream in = socket.getInputStream();
      for (int i = 0; i < 10; i++) {
        for (String address :
            List.of(slow, "/packages?sql=" + slow.substring(slow.indexOf("with")))) {
          String request = "GET " + address + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
          socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
          StringBuilder answer = new StringBuilder();
          while (answer.indexOf("\r\n0\r\n\r\n") < 0 && answer.indexOf("</html>\n") < 0) {
            int c = in.read();
            assertTrue(c >= 0, () -> "closed after " + answer);
            answer.append((char) c);
          }
          assertTrue(answer.toString().strip().startsWith("HTTP/1.1 200 OK"), answer.toString());
        }
      }
    }
  }

  private static long running() {
    try {
      for (String line : get(server, "/metrics").body().lines().toList()) {
        if (line.startsWith("calcite_faiss_statements_running ")) {
          return Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
        }
      }
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("no such metric");
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, "waited for a minute");
      Thread.onSpinWait();
    }
  }

  @Test
  void theLimitsAreThoseOfTheProtocol() throws Exception {
    Limits little = new Limits(1, Duration.ofSeconds(1), 250, 1 << 20, Duration.ofMinutes(10));
    try (FaissServer small = serve(PACKAGES, little, false)) {
      String body = get(small, "/packages.json?sql=select+id+from+packages").body();
      assertTrue(body.contains("\"truncated\":true") && body.contains("[250]]"), body);
      HttpResponse<String> late =
          get(
              small,
              "/packages.json?sql=with+recursive+c(x)+as+(select+1+union+all+select+x%2B1+from+c)"
                  + "+select+max(x)+from+c");
      assertEquals(400, late.statusCode());
      has(late.body(), "\"title\":\"SQL Interrupted\"");
      try (Connection thin =
          DriverManager.getConnection(
              "jdbc:avatica:remote:url=" + small.address() + ";serialization=PROTOBUF")) {
        assertFalse(thin.isClosed());
        thin.createStatement().close();
        HttpResponse<String> full = get(small, "/");
        assertEquals(503, full.statusCode());
        has(full.body(), "--max-connections");
        assertEquals("1", full.headers().firstValue("Retry-After").orElse(""));
      }
      assertEquals(200, get(small, "/").statusCode());
    }
  }

  /** Fifty that ask what browsers ask, beside ten of the thin driver, and nothing is refused. */
  @Test
  void fiftyAtOnceBesideTheThinDriver() throws Exception {
    List<String> addresses =
        List.of(
            "/",
            "/packages/packages?_facet=section",
            "/packages/packages/2133",
            "/packages?sql=select+count(*)+from+docs+where+section=:s&s=web",
            "/packages/embeddings?_near=3");
    ExecutorService threads = Executors.newFixedThreadPool(60);
    List<Future<Void>> all = new ArrayList<>();
    CountDownLatch start = new CountDownLatch(60);
    try {
      for (int i = 0; i < 60; i++) {
        boolean thin = i >= 50;
        all.add(
            threads.submit(
                () -> {
                  start.countDown();
                  start.await();
                  if (thin) {
                    thin();
                    return null;
                  }
                  for (String address : addresses) {
                    assertEquals(200, get(server, address).statusCode(), address);
                  }
                  return null;
                }));
      }
      for (Future<Void> one : all) {
        one.get(5, TimeUnit.MINUTES);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static void thin() throws Exception {
    String url = "jdbc:avatica:remote:url=" + server.address() + ";serialization=PROTOBUF";
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (int i = 0; i < 5; i++) {
        try (ResultSet rows = statement.executeQuery("select count(*) from packages")) {
          assertTrue(rows.next());
          assertEquals(3576, rows.getInt(1));
        }
      }
    }
  }

  /**
   * The two links of the README of datasette-faiss 0.2.1 (Apache-2.0), with the host and the
   * database's name changed.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/simonwillisonblog?sql=with+last_500+as+%28%0D%0A++select%0D%0A++++id%2C%0D%0A++++embedding%0D%0A++from%0D%0A++++blog_entry_embeddings%0D%0A++order+by%0D%0A++++id+desc%0D%0A++limit%0D%0A++++500%0D%0A%29%2C+faiss+as+%28%0D%0A++select%0D%0A++++faiss_agg%28%0D%0A++++++id%2C%0D%0A++++++embedding%2C%0D%0A++++++%28%0D%0A++++++++select%0D%0A++++++++++embedding%0D%0A++++++++from%0D%0A++++++++++blog_entry_embeddings%0D%0A++++++++where%0D%0A++++++++++id+%3D+%3Aid%0D%0A++++++%29%2C%0D%0A++++++10%0D%0A++++%29+as+results%0D%0A++from%0D%0A++++last_500%0D%0A%29%2C%0D%0Aids+as+%28%0D%0A++select%0D%0A++++value+as+id%0D%0A++from%0D%0A++++json_each%28faiss.results%29%2C%0D%0A++++faiss%0D%0A%29%0D%0Aselect%0D%0A++blog_entry.id%2C%0D%0A++blog_entry.title%2C%0D%0A++blog_entry.created%0D%0Afrom%0D%0A++ids%0D%0A++join+blog_entry+on+ids.id+%3D+blog_entry.id&id=8214",
        "/simonwillisonblog?sql=with+last_500+as+%28%0D%0A++select%0D%0A++++id%2C%0D%0A++++embedding%0D%0A++from%0D%0A++++blog_entry_embeddings%0D%0A++order+by%0D%0A++++id+desc%0D%0A++limit%0D%0A++++500%0D%0A%29%2C+ids_and_scores+as+%28%0D%0A++select%0D%0A++++faiss_agg_with_scores%28%0D%0A++++++id%2C%0D%0A++++++embedding%2C%0D%0A++++++%28%0D%0A++++++++select%0D%0A++++++++++embedding%0D%0A++++++++from%0D%0A++++++++++blog_entry_embeddings%0D%0A++++++++where%0D%0A++++++++++id+%3D+%3Aid%0D%0A++++++%29%2C+10%0D%0A++++%29+as+s%0D%0A++from%0D%0A++++last_500%0D%0A%29%2C%0D%0Aresults+as+%28%0D%0A++select%0D%0A++++json_extract%28value%2C+%27%24%5B0%5D%27%29+as+id%2C%0D%0A++++json_extract%28value%2C+%27%24%5B1%5D%27%29+as+score%0D%0A++from%0D%0A++++json_each%28ids_and_scores.s%29%2C%0D%0A++++ids_and_scores%0D%0A%29%0D%0Aselect%0D%0A++results.score%2C%0D%0A++blog_entry.id%2C%0D%0A++blog_entry.title%2C%0D%0A++blog_entry.created%0D%0Afrom%0D%0A++results%0D%0A++join+blog_entry+on+results.id+%3D+blog_entry.id&id=8214"
      })
  void linksOfThePluginsReadmeWork(String link) throws Exception {
    try (FaissServer blog = serve(Path.of("examples/blog.db"), Limits.DEFAULT, false)) {
      String address = link.replace("/simonwillisonblog?", "/blog?").replace("id=8214", "id=3");
      String page = get(blog, address).body();
      has(page, "10 rows in", "<input name=\"id\" value=\"3\">");
      String json = get(blog, address.replace("/blog?", "/blog.json?")).body();
      has(json, "\"truncated\":false", "\"title\",\"created\"]", "\"id\":\"3\"");
      assertEquals(10, json.split("\\],\\[", -1).length, json);
      // 1.0 sends people on to this address.
      has(get(blog, address.replace("/blog?", "/blog/-/query?")).body(), "10 rows in");
    }
  }
}
