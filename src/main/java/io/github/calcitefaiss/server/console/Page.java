/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server.console;

import java.util.List;

/**
 * What surrounds every page.
 *
 * @param title of the window
 * @param path the way here from the first page
 * @param user who logged in, or null
 * @param assets the path of the style sheet and the scripts
 * @param data the address of the same as JSON, or null
 */
record Page(String title, List<Step> path, String user, String assets, String data) {
  /** A step of the way here. */
  record Step(String name, String href) {}
}
