/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.FaissDriver;
import io.github.calcitefaiss.index.Daemons;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.security.ConstraintMapping;
import org.eclipse.jetty.security.ConstraintSecurityHandler;
import org.eclipse.jetty.security.HashLoginService;
import org.eclipse.jetty.security.UserStore;
import org.eclipse.jetty.security.authentication.BasicAuthenticator;
import org.eclipse.jetty.security.authentication.DigestAuthenticator;
import org.eclipse.jetty.server.AbstractConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.server.handler.StatisticsHandler;
import org.eclipse.jetty.util.security.Constraint;
import org.eclipse.jetty.util.security.Credential;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * A server of Avatica's protocol for one {@code jdbc:faiss:} URL.
 *
 * <p>It listens beyond this machine's loopback address only if users have to log in.
 */
public final class FaissServer implements AutoCloseable {
  private static final String ROLE = "user";
  private static final long STOP_MILLIS = 10_000;
  private static final long CANCEL_AFTER_MILLIS = 3_000;

  private final Server jetty;
  private final ServerConnector connector;
  private final FaissMeta meta;
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
   */
  public record Options(
      String url,
      String host,
      int port,
      Path users,
      boolean digest,
      KeyStore keyStore,
      String keyPassword,
      Limits limits) {}

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
    new FaissDriver().connect(options.url(), new Properties()).close();

    Metrics metrics = new Metrics();
    log = new StatementLog(lines, metrics);
    meta = new FaissMeta(options.url(), options.limits(), metrics, log);
    RpcHandler rpc = new RpcHandler(meta, metrics, options.limits().bodyBytes());
    tls = options.keyStore() != null;

    QueuedThreadPool threads = new QueuedThreadPool(200, 4);
    threads.setName("calcite-faiss-server");
    jetty = new Server(threads);
    connector = connector(jetty, options);
    connector.setHost(address.getHostAddress());
    connector.setPort(options.port());
    jetty.addConnector(connector);
    StatisticsHandler graceful = new StatisticsHandler();
    graceful.setHandler(users.isEmpty() ? rpc : secured(rpc, users, options.digest()));
    jetty.setHandler(graceful);
    jetty.setStopTimeout(STOP_MILLIS);
    jetty.setErrorHandler(new PlainErrors());
    jetty.setRequestLog(
        (request, response) -> {
          metrics.response(response.getStatus());
          if (response.getStatus() == 401 && request.getHeader("Authorization") != null) {
            log.event("refused login from=" + request.getRemoteAddr());
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
    rpc.setAddress(address.getHostAddress() + ":" + port());
    long tick = Math.max(50, Math.min(5_000, options.limits().idle().toMillis() / 2));
    timer.scheduleWithFixedDelay(meta::expire, tick, tick, TimeUnit.MILLISECONDS);
  }

  /** One line for what Jetty itself refuses, such as a wrong password. */
  private static final class PlainErrors extends ErrorHandler {
    @Override
    protected void generateAcceptableResponse(
        Request base,
        HttpServletRequest request,
        HttpServletResponse response,
        int code,
        String message)
        throws IOException {
      base.setHandled(true);
      response.setContentType("text/plain;charset=utf-8");
      String line = code + " " + HttpStatus.getMessage(code) + "\n";
      response.getOutputStream().write(line.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static ServerConnector connector(Server server, Options options) {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setSendDateHeader(false);
    http.setRequestHeaderSize(16 << 10);
    if (options.keyStore() == null) {
      return new ServerConnector(server, new HttpConnectionFactory(http));
    }
    http.addCustomizer(new SecureRequestCustomizer(false));
    SslContextFactory.Server ssl = new SslContextFactory.Server();
    ssl.setKeyStore(options.keyStore());
    ssl.setKeyStorePassword(options.keyPassword());
    return new ServerConnector(
        server, AbstractConnectionFactory.getFactories(ssl, new HttpConnectionFactory(http)));
  }

  private static Handler secured(Handler handler, Map<String, Credential> users, boolean digest) {
    UserStore store = new UserStore();
    users.forEach((name, credential) -> store.addUser(name, credential, new String[] {ROLE}));
    HashLoginService login = new HashLoginService(UserFile.REALM);
    login.setUserStore(store);
    ConstraintSecurityHandler security = new ConstraintSecurityHandler();
    BasicAuthenticator basic = new BasicAuthenticator();
    basic.setCharset(StandardCharsets.UTF_8);
    security.setAuthenticator(digest ? new DigestAuthenticator() : basic);
    security.setLoginService(login);
    security.addConstraintMapping(mapping("/*", true));
    // Whoever asks whether the server is up can't be asked for a password.
    security.addConstraintMapping(mapping("/health", false));
    security.setHandler(handler);
    return security;
  }

  private static ConstraintMapping mapping(String path, boolean login) {
    Constraint constraint = new Constraint();
    constraint.setAuthenticate(login);
    if (login) {
      constraint.setRoles(new String[] {ROLE});
    }
    ConstraintMapping mapping = new ConstraintMapping();
    mapping.setPathSpec(path);
    mapping.setConstraint(constraint);
    return mapping;
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
    timer.schedule(meta::close, CANCEL_AFTER_MILLIS, TimeUnit.MILLISECONDS);
    stopQuietly();
    meta.close();
    timer.shutdownNow();
    log.event("stopped");
  }

  private void stopQuietly() {
    try {
      jetty.stop();
    } catch (Exception e) {
      // It listens no more, which is what was asked for.
      log.event("stopping: " + StatementLog.clean(String.valueOf(e.getMessage())));
    }
  }
}
