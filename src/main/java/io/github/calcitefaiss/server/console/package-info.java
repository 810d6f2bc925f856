/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The pages for a browser, and Datasette's addresses. {@link
 * io.github.calcitefaiss.server.console.Console} takes an {@link
 * io.github.calcitefaiss.server.console.Exchange}, finds what its address means, runs statements
 * through {@link io.github.calcitefaiss.server.console.Work} as any JDBC program would, and writes
 * JSON, CSV or a page.
 *
 * <p>It knows no HTTP server and no servlet, and reaches databases only as any program does that
 * uses the driver; the server gives it connections and takes its log lines through {@link
 * io.github.calcitefaiss.server.console.Access}.
 */
package io.github.calcitefaiss.server.console;
