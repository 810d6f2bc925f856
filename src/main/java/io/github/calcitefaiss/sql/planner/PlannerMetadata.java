/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.sql.planner;

import io.github.calcitefaiss.run.Release;
import java.lang.reflect.Constructor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.calcite.jdbc.Driver;
import org.apache.calcite.rel.metadata.DefaultRelMetadataProvider;
import org.apache.calcite.rel.metadata.JaninoRelMetadataProvider;
import org.apache.calcite.rel.metadata.MetadataHandler;
import org.apache.calcite.rel.metadata.MetadataHandlerProvider;
import org.apache.calcite.rel.metadata.RelMetadataQuery;

/**
 * Calcite's own metadata (row counts, costs, collations …), by classes that the build compiled.
 *
 * <p>They are those that Calcite would generate and compile in this process, so they serve only the
 * release that they were made from; with another one on the class path Calcite does it as usual.
 */
final class PlannerMetadata implements MetadataHandlerProvider {
  private static final JaninoRelMetadataProvider STOCK =
      JaninoRelMetadataProvider.of(DefaultRelMetadataProvider.INSTANCE);

  private static final PlannerMetadata INSTANCE = new PlannerMetadata(builtForThisCalcite());

  private final boolean compiled;
  private final Map<Class<?>, MetadataHandler<?>> handlers = new ConcurrentHashMap<>();

  private PlannerMetadata(boolean compiled) {
    this.compiled = compiled;
  }

  /** A new query, as each step of the planner needs one. */
  static RelMetadataQuery query() {
    return INSTANCE.compiled ? new RelMetadataQuery(INSTANCE) : RelMetadataQuery.instance();
  }

  /** Whether the Calcite on the class path is of the release that the classes are made from. */
  private static boolean builtForThisCalcite() {
    Driver driver = new Driver();
    String release = driver.getMajorVersion() + "." + driver.getMinorVersion() + ".";
    return Release.CALCITE.startsWith(release);
  }

  @Override
  public <H extends MetadataHandler<?>> H handler(Class<H> kind) {
    return kind.cast(handlers.computeIfAbsent(kind, PlannerMetadata::make));
  }

  @Override
  public <H extends MetadataHandler<?>> H revise(Class<H> kind) {
    return STOCK.revise(kind);
  }

  @SuppressWarnings("unchecked")
  private static MetadataHandler<?> make(Class<?> type) {
    Class<? extends MetadataHandler<?>> kind = (Class<? extends MetadataHandler<?>>) type;
    List<MetadataHandler<?>> parts =
        DefaultRelMetadataProvider.INSTANCE.handlers(kind).stream().distinct().toList();
    try {
      Constructor<?> constructor = compiledClass(kind).getConstructors()[0];
      Object[] arguments = parts.toArray();
      boolean same =
          Arrays.equals(
              constructor.getParameterTypes(),
              Arrays.stream(arguments).map(Object::getClass).toArray(Class<?>[]::new));
      if (same) {
        return kind.cast(constructor.newInstance(arguments));
      }
    } catch (ReflectiveOperationException | LinkageError e) {
      // A kind that the build did not know.
    }
    return STOCK.handler(kind);
  }

  /** The class compiled for a kind of metadata. */
  static Class<?> compiledClass(Class<?> kind) throws ClassNotFoundException {
    Class<?> outer = Objects.requireNonNullElse(kind.getDeclaringClass(), kind);
    String name = outer == kind ? kind.getSimpleName() : outer.getSimpleName() + "Handler";
    return Class.forName(
        PlannerMetadata.class.getPackageName() + ".GeneratedMetadata_" + name,
        true,
        PlannerMetadata.class.getClassLoader());
  }
}
