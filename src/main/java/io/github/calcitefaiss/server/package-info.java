/* Licensed under the Apache License, Version 2.0; see LICENSE. *
 * <p>It may use every room but the shell, and only the shell starts it.
 */
/**
 * The server: Avatica's protocol over HTTP for clients that are elsewhere. Data flows from {@link
 * io.github.calcitefaiss.server.FaissServer}, which listens and knows who calls, through {@link
 * io.github.calcitefaiss.server.RpcHandler}, which reads and writes messages, to {@link
 * io.github.calcitefaiss.server.FaissMeta}, which runs them on the driver.
 *
 * <p>It may use every room but the shell, and only the shell starts it.
 */
package io.github.calcitefaiss.server;
