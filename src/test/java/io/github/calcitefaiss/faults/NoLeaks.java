/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * At the end of every test class no snapshot is held and no thread is left that would keep the
 * virtual machine alive. JUnit finds it by META-INF/services.
 */
public final class NoLeaks implements BeforeAllCallback, AfterAllCallback {
  private static final ExtensionContext.Namespace HERE =
      ExtensionContext.Namespace.create(NoLeaks.class);

  @Override
  public void beforeAll(ExtensionContext context) {
    context.getStore(HERE).put(context.getUniqueId(), threads());
  }

  @Override
  public void afterAll(ExtensionContext context) {
    Threads.awaitNothingLent();
    @SuppressWarnings("unchecked")
    Set<String> before = (Set<String>) context.getStore(HERE).get(context.getUniqueId(), Set.class);
    Threads.await(
        "threads end: " + threads() + ", before " + before, () -> before.containsAll(threads()));
    assertEquals(0, io.github.calcitefaiss.sqlite.SqliteDatabase.lent());
  }

  private static Set<String> threads() {
    Set<String> names = new TreeSet<>();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (!thread.isDaemon() && thread.isAlive()) {
        names.add(thread.getName());
      }
    }
    return names;
  }
}
