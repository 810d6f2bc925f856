/* Licensed under the Apache License, Version 2.0; see LICENSE. */
/**
 * The run of a statement: its cancel flag and deadline, the version of each database that it reads,
 * what its calls remember, and the errors with their SQLSTATEs.
 *
 * <p>It may use {@code index} and Calcite's {@code DataContext}; every room above uses it. The
 * driver begins and ends a run; versions and leases come from whatever is {@code Versioned}.
 */
package io.github.calcitefaiss.run;
