/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The server: Avatica's protocol over HTTP for clients that are elsewhere. Data flows from {@link
 * io.github.calcitefaiss.shell.server.FaissServer}, which listens and knows who calls, through
 * {@link io.github.calcitefaiss.shell.server.RpcHandler}, which reads and writes messages, to
 * {@link io.github.calcitefaiss.shell.server.FaissMeta}, which runs them on the driver.
 */
package io.github.calcitefaiss.shell.server;
