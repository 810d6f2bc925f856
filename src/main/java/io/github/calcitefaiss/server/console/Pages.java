/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import gg.jte.html.OwaspHtmlTemplateOutput;
import gg.jte.output.Utf8ByteOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Writes pages from their templates, which escape what stands in them. */
final class Pages {
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
          + " form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

  private final Assets assets;

  Pages(Assets assets) {
    this.assets = assets;
  }

  /** What surrounds a page; the way here is database, table, row, as far as they are given. */
  Page page(Exchange exchange, String title, String data, String... way) {
    List<Page.Step> path = new ArrayList<>();
    StringBuilder href = new StringBuilder();
    for (String step : way) {
      href.append('/').append(step.contains(",") ? step : Address.encode(step));
      path.add(new Page.Step(step, href.toString()));
    }
    return new Page(title, path, exchange.user(), assets.path(), data);
  }

  void write(Exchange exchange, int status, Consumer<OwaspHtmlTemplateOutput> template)
      throws IOException {
    Utf8ByteOutput bytes = new Utf8ByteOutput();
    template.accept(new OwaspHtmlTemplateOutput(bytes));
    exchange.status(status);
    exchange.header("Content-Type", "text/html; charset=utf-8");
    exchange.header("Content-Security-Policy", POLICY);
    exchange.header("X-Frame-Options", "DENY");
    exchange.header("Content-Length", Integer.toString(bytes.getContentLength()));
    OutputStream out = exchange.body();
    bytes.writeTo(out::write);
  }
}
