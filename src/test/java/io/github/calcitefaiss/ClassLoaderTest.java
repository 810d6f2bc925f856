/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** The driver works from class loaders of a tool's own, several in one process. */
class ClassLoaderTest {
  @Test
  void worksInLoadersThatKnowNothingOfEachOther() throws Exception {
    List<URL> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      jars.add(Path.of(entry).toUri().toURL());
    }
    URL[] urls = jars.toArray(new URL[0]);
    try (URLClassLoader a = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
        URLClassLoader b = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      assertNotSame(driver(a).getClass(), driver(b).getClass());
      assertEquals(search(driver(a), "examples/packages.db"), search(driver(b), "model.json"));
    }
  }

  private static Driver driver(ClassLoader loader) throws Exception {
    return (Driver)
        Class.forName("io.github.calcitefaiss.FaissDriver", true, loader)
            .getDeclaredConstructor()
            .newInstance();
  }

  private static String search(Driver driver, String target) throws Exception {
    try (Connection connection = driver.connect("jdbc:faiss:" + target, new Properties());
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select faiss_search('packages', 'embeddings',"
                    + " (select embedding from embeddings where id = 3), 3)")) {
      assertTrue(rows.next());
      return rows.getString(1);
    }
  }
}
