/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The rooms and their arrows: shell → base → sql → sqlite → index, downward only. */
class ArchitectureTest {
  private static final String BASE = "io.github.calcitefaiss";

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(BASE);

  @Test
  void arrowsGoDownOnly() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .withOptionalLayers(true)
        .layer("shell")
        .definedBy(BASE + ".shell..")
        .layer("base")
        .definedBy(BASE)
        .layer("sql")
        .definedBy(BASE + ".sql..")
        .layer("sqlite")
        .definedBy(BASE + ".sqlite..")
        .layer("index")
        .definedBy(BASE + ".index..")
        .whereLayer("shell")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("base")
        .mayOnlyBeAccessedByLayers("shell")
        .whereLayer("sql")
        .mayOnlyBeAccessedByLayers("shell", "base")
        .whereLayer("sqlite")
        .mayOnlyBeAccessedByLayers("shell", "base", "sql")
        .check(CLASSES);
  }

  @Test
  void everyClassIsInARoom() {
    noClasses()
        .should()
        .resideOutsideOfPackages(
            BASE, BASE + ".shell..", BASE + ".sql..", BASE + ".sqlite..", BASE + ".index..")
        .check(CLASSES);
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

  /** Exiting, printing and the command line's libraries are the shell's alone. */
  @Test
  void onlyTheShellUsesTheShellsLibraries() {
    noClasses()
        .that()
        .resideOutsideOfPackage(BASE + ".shell..")
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
            "javax.servlet..")
        .check(CLASSES);
  }
}
