/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rooms and their arrows, downward only, and so without circles. */
class ArchitectureTest {
  private static final String BASE = "io.github.calcitefaiss";

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(BASE);

  /** The rooms from the top; those on one line don't know each other, unless a line says so. */
  private static final List<List<String>> FLOORS =
      List.of(
          List.of(".shell"),
          List.of(".server"),
          List.of(".server.console"),
          List.of(""),
          List.of(".jdbc"),
          List.of(".sql.planner", ".sql.parser"),
          List.of(".sql.search"),
          List.of(".sql.function"),
          List.of(".embed", ".sqlite", ".connect"),
          List.of(".run"),
          List.of(".index"));

  private static Stream<String> rooms() {
    return FLOORS.stream().flatMap(List::stream);
  }

  /** A room may use those on the floors below its own, and no other. */
  @ParameterizedTest
  @MethodSource("rooms")
  void arrowsGoDownOnly(String room) {
    List<String> others = new ArrayList<>();
    for (List<String> floor : FLOORS) {
      others.addAll(floor);
      if (floor.contains(room)) {
        break;
      }
    }
    others.remove(room);
    if (!others.isEmpty()) {
      noClasses()
          .that()
          .resideInAPackage(BASE + room)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(others.stream().map(other -> BASE + other).toArray(String[]::new))
          .allowEmptyShould(true)
          .check(CLASSES);
    }
  }

  @Test
  void everyClassIsInARoom() {
    noClasses()
        .should()
        .resideOutsideOfPackages(rooms().map(room -> BASE + room).toArray(String[]::new))
        .check(CLASSES);
  }

  @Test
  void everyRoomSaysWhatItIsFor() {
    rooms()
        .map(room -> (BASE + room).replace('.', '/'))
        .map(folder -> Path.of("src/main/java", folder))
        .filter(Files::exists)
        .forEach(
            folder ->
                assertTrue(Files.exists(folder.resolve("package-info.java")), () -> folder + ""));
  }

  /** The index can be used alone, without a planner, a driver or a JSON library. */
  @Test
  void indexKnowsNothingOfSql() {
    noClasses()
        .that()
        .resideInAPackage(BASE + ".index..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.calcite..", "java.sql..", "javax.sql..", "com.fasterxml..")
        .check(CLASSES);
  }

  /** The pages could move to another HTTP server, or none. */
  @Test
  void pagesKnowNoHttpServer() {
    noClasses()
        .that()
        .resideInAPackage(BASE + ".server.console..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.eclipse.jetty..", "org.apache.calcite..", "jakarta.servlet..")
        .check(CLASSES);
  }

  /** Exiting, printing and the command line's libraries are the shell's alone. */
  @Test
  void onlyTheShellUsesTheShellsLibraries() {
    noClasses()
        .that()
        .resideOutsideOfPackages(BASE + ".shell..", BASE + ".server..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "sqlline..",
            "org.jline..",
            "picocli..",
            "dev.langchain4j..",
            "org.apache.calcite.avatica.server..",
            "org.apache.calcite.avatica.jdbc..",
            "org.eclipse.jetty..",
            "jakarta.servlet..",
            "javax.servlet..")
        .check(CLASSES);
  }

  /** The map that newcomers read names files that there are, and every room. */
  @Test
  void theMapIsOfThisHouse() throws IOException {
    String map = Files.readString(Path.of("CONTRIBUTING.md"));
    Path sources = Path.of("src/main/java", BASE.replace('.', '/'));
    Matcher file = Pattern.compile("`([\\w/]+\\.java)`").matcher(map);
    int files = 0;
    while (file.find()) {
      assertTrue(Files.exists(sources.resolve(file.group(1))), file.group());
      files++;
    }
    assertTrue(files > 20, "files named: " + files);
    for (String room : rooms().filter(room -> !room.isEmpty()).toList()) {
      if (Files.exists(sources.resolve(room.substring(1).replace('.', '/')))) {
        assertTrue(map.contains("`" + room.substring(1) + "`"), room);
      }
    }
    String picture = map.substring(map.indexOf("```mermaid"));
    picture = picture.substring(0, picture.indexOf("```", 10));
    List<String> drawn = List.of(picture.replaceAll("\\[\"[^]]*]", " ").split("[^\\w.]+"));
    for (String room : rooms().filter(room -> !room.isEmpty()).toList()) {
      String name = room.substring(room.lastIndexOf('.') + 1);
      if (Files.exists(sources.resolve(room.substring(1).replace('.', '/')))) {
        assertTrue(drawn.contains(name), name + " is not in the picture");
      }
    }
  }
}
