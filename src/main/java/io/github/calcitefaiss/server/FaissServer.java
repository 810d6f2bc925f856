/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.FaissDriver;
import io.github.calcitefaiss.index.Daemons;
import io.github.calcitefaiss.server.console.Console;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.security.Constraint;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.SecurityHandler;
import org.eclipse.jetty.security.UserPrincipal;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.security.authentication.BasicAuthenticator;
import org.eclipse.jetty.security.authentication.DigestAuthenticator;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.security.Credential;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A server of Avatica's protocol, of pages and of Datasette's addresses for one {@code jdbc:faiss:}
 * URL.
 *
 * <p>It listens beyond this machine's loopback address only if users have to log in.
 */
public final class FaissServer implements AutoCloseable {
  private static final String ROLE = "user";
  private static final long STOP_MILLIS = 10_000;
  private static final int THREADS = 200;

  /** Requests answered at once; the other threads are Jetty's own, and for {@code /health}. */
  private static final int REQUESTS = 160;

  private static final long REHEARSAL_MILLIS = 3_000;
  private static final long CANCEL_AFTER_MILLIS = 3_000;

  private final Server jetty;
  private final ServerConnector connector;
  private final FaissMeta meta;
  private final PageAccess pages;
  private final Console console;
  private final StatementLog log;
  private final boolean tls;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> Daemons.thread("calcite-faiss-server-timer", task));

  /**
   * What to serve, and to whom.
   *
   * @param url a {@code jdbc:faiss:} URL
   * @param host the address to listen on
   * @param port the port to listen on; 0 for any that is free
   * @param users the file of users, or null if nobody has to log in
   * @param digest whether they log in with Digest, or with Basic
   * @param keyStore the server's key for TLS, or null for plain HTTP
   * @param keyPassword the key's password
   * @param limits what clients may use
   * @param cors whether web pages of other sites may read the JSON and CSV
   */
  public record Options(
      String url,
      String host,
      int port,
      Path users,
      boolean digest,
      KeyStore keyStore,
      String keyPassword,
      Limits limits,
      boolean cors) {}

  /**
   * Prepares a server.
   *
   * @param lines takes what happens, a line each
   * @throws IOException if the host is unknown, the users can't be read, or the host is not
   *     loopback and there are no users
   * @throws SQLException if the URL can't be connected to
   */
  public FaissServer(Options options, Consumer<String> lines) throws IOException, SQLException {
    InetAddress address;
    try {
      address = InetAddress.getByName(options.host());
    } catch (UnknownHostException e) {
      throw new IOException("unknown host " + options.host(), e);
    }
    if (!address.isLoopbackAddress() && options.users() == null) {
      throw new IOException(
          options.host()
              + " can be reached from other machines, so users must log in: give --users FILE,"
              + " or leave --host out");
    }
    Map<String, Credential> users =
        options.users() == null ? Map.of() : UserFile.read(options.users(), options.digest());
    // What is wrong with the database or the model is said now, not to the first client.
    String database;
    try (Connection connection = new FaissDriver().connect(options.url(), new Properties())) {
      database = connection.getSchema();
    }

    Metrics metrics = new Metrics();
    log = new StatementLog(lines, metrics);
    meta = new FaissMeta(options.url(), options.limits(), metrics, log);
    RpcHandler rpc = new RpcHandler(meta, options.limits());
    pages = new PageAccess(options.url(), meta, options.limits(), metrics, log);
    console = new Console(pages, options.cors());
    Thread rehearsal = Daemons.thread("calcite-faiss-rehearsal", () -> rehearse(database));
    rehearsal.start();
    tls = options.keyStore() != null;

    QueuedThreadPool threads = new QueuedThreadPool(THREADS, 4);
    threads.setName("calcite-faiss-server");
    jetty = new Server(threads);
    connector = connector(jetty, options);
    connector.setHost(address.getHostAddress());
    connector.setPort(options.port());
    jetty.addConnector(connector);
    boolean local = address.isLoopbackAddress() && users.isEmpty();
    Handler handler =
        new HttpHandler(rpc, console, meta, metrics, timer, new WebGuard(local, options.cors()));
    jetty.setHandler(
        new GracefulHandler(
            new Places(
                users.isEmpty() ? handler : secured(handler, users, options.digest()), REQUESTS)));
    jetty.setStopTimeout(STOP_MILLIS);
    jetty.setErrorHandler(new PlainErrors());
    jetty.setRequestLog(
        (request, response) -> {
          metrics.response(response.getStatus());
          if (response.getStatus() == 401
              && request.getHeaders().contains(HttpHeader.AUTHORIZATION)) {
            log.event("refused login from=" + Request.getRemoteAddr(request));
          }
        });
    try {
      jetty.start();
    } catch (Exception e) {
      stopQuietly();
      Throwable reason = e.getCause() == null ? e : e.getCause();
      throw new IOException(
          "can't listen on " + options.host() + ":" + options.port() + ": " + reason.getMessage(),
          e);
    }
    try {
      rehearsal.join(REHEARSAL_MILLIS);
      if (!tls) {
        greet(address, users.isEmpty() ? "/" : "/health");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    rpc.setAddress(address.getHostAddress() + ":" + port());
    long tick = Math.max(50, Math.min(5_000, options.limits().idle().toMillis() / 2));
    timer.scheduleWithFixedDelay(Daemons.again(meta::expire), tick, tick, TimeUnit.MILLISECONDS);
  }

  private void rehearse(String database) {
    if (database != null) {
      console.rehearse(database);
    }
  }

  /** Asks for a page, so that the way of a request through Jetty has been gone before. */
  private void greet(InetAddress address, String path) {
    InetAddress self = address.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address;
    try (Socket socket = new Socket(self, port())) {
      socket.setSoTimeout((int) REHEARSAL_MILLIS);
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      socket.getInputStream().readAllBytes();
    } catch (IOException e) {
      log.event("greeting itself: " + StatementLog.clean(String.valueOf(e.getMessage())));
    }
  }

  /** One line for what Jetty itself refuses, such as a wrong password. */
  private static final class PlainErrors extends ErrorHandler {
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
      int code = response.getStatus();
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/plain;charset=utf-8");
      response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
      String line = code + " " + HttpStatus.getMessage(code) + "\n";
      Content.Sink.write(response, true, line, callback);
      return true;
    }
  }

  private static ServerConnector connector(Server server, Options options) {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(false);
    // A statement of some pages may stand in an address.
    http.setRequestHeaderSize(64 << 10);
    if (options.keyStore() == null) {
      return new ServerConnector(server, new HttpConnectionFactory(http));
    }
    http.addCustomizer(new SecureRequestCustomizer(false));
    SslContextFactory.Server ssl = new SslContextFactory.Server();
    ssl.setKeyStore(options.keyStore());
    ssl.setKeyStorePassword(options.keyPassword());
    return new ServerConnector(server, ssl, new HttpConnectionFactory(http));
  }

  private static Handler secured(Handler handler, Map<String, Credential> users, boolean digest) {
    UserStore store = new UserStore();
    users.forEach((name, credential) -> store.addUser(name, credential, new String[] {ROLE}));
    Credential nobody = digest ? null : UserFile.nobody();
    HashLoginService login =
        new HashLoginService(UserFile.REALM) {
          @Override
          protected UserPrincipal loadUserInfo(String name) {
            UserPrincipal known = super.loadUserInfo(name);
            // It takes as long to refuse a name that isn't there as a wrong password.
            return known != null || nobody == null ? known : new UserPrincipal(name, nobody);
          }
        };
    login.setUserStore(store);
    SecurityHandler.PathMapped security = new SecurityHandler.PathMapped();
    BasicAuthenticator basic = new BasicAuthenticator();
    basic.setCharset(StandardCharsets.UTF_8);
    DigestAuthenticator md5 = new DigestAuthenticator();
    // What the users' file has hashes for, and what every client knows.
    md5.setAlgorithm("MD5");
    security.setAuthenticator(digest ? md5 : basic);
    security.setLoginService(login);
    security.put("/*", Constraint.from(ROLE));
    // Whoever asks whether the server is up can't be asked for a password.
    security.put("/health", Constraint.ALLOWED);
    security.setHandler(handler);
    return security;
  }

  /** The port it listens on. */
  public int port() {
    return connector.getLocalPort();
  }

  /** The address to give to a client. */
  public String address() {
    String host = connector.getHost();
    return (tls ? "https://" : "http://")
        + (host.contains(":") ? "[" + host + "]" : host)
        + ":"
        + port();
  }

  /**
   * Stops listening, lets statements that run end for a few seconds, cancels those that don't, and
   * closes every connection.
   */
  @Override
  public void close() {
    timer.schedule(this::cancel, CANCEL_AFTER_MILLIS, TimeUnit.MILLISECONDS);
    stopQuietly();
    cancel();
    console.close();
    timer.shutdownNow();
    log.event("stopped");
  }

  private void cancel() {
    meta.close();
    pages.close();
  }

  private void stopQuietly() {
    try {
      jetty.stop();
    } catch (Exception e) {
      // It listens no more, which is what was asked for.
      String said = e.getMessage() == null ? "requests are still being answered" : e.getMessage();
      log.event("stopping: " + StatementLog.clean(said));
    }
  }
}
