/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import io.github.calcitefaiss.server.console.Exchange;
import java.util.Locale;
import java.util.Set;

/**
 * Keeps other sites' web pages from using a person's browser to read from this server.
 *
 * <p>A browser says where a request comes from ({@code Origin}, {@code Sec-Fetch-Site}). Where
 * nobody has to log in and only this machine is listened to, {@code Host} must name this machine: a
 * page whose own name was made to mean 127.0.0.1 (DNS rebinding) is of the same origin as this
 * server.
 */
final class WebGuard {
  private static final Set<String> LOCAL = Set.of("localhost", "127.0.0.1", "[::1]");

  private final boolean checkHost;
  private final boolean cors;

  /**
   * @param checkHost whether Host must name this machine
   * @param cors whether pages of other sites may read
   */
  WebGuard(boolean checkHost, boolean cors) {
    this.checkHost = checkHost;
    this.cors = cors;
  }

  /** Why a request is refused; null if it isn't. */
  String refusal(Exchange exchange) {
    boolean post = exchange.method().equals("POST");
    if (post) {
      boolean page = exchange.header("Origin") != null || exchange.header("Sec-Fetch-Site") != null;
      return page ? "Requests of web pages are refused.\n" : null;
    }
    if (checkHost && !isLocal(exchange.header("Host"))) {
      return "This server is for this machine alone: open it as http://localhost or"
          + " http://127.0.0.1, with its port.\n";
    }
    if (cors) {
      return null;
    }
    String origin = exchange.header("Origin");
    if (origin != null && !origin.equals(exchange.scheme() + "://" + exchange.header("Host"))) {
      return "Requests of other web pages are refused (--cors allows them).\n";
    }
    String site = exchange.header("Sec-Fetch-Site");
    boolean other = "cross-site".equals(site) || "same-site".equals(site);
    boolean link =
        "navigate".equals(exchange.header("Sec-Fetch-Mode"))
            && "document".equals(exchange.header("Sec-Fetch-Dest"));
    return other && !link ? "Other web pages can link here, and no more.\n" : null;
  }

  private static boolean isLocal(String host) {
    if (host == null) {
      return false;
    }
    String name = host.toLowerCase(Locale.ROOT).replaceFirst(":[0-9]+$", "");
    return LOCAL.contains(name) || name.endsWith(".localhost");
  }
}
