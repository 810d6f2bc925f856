/* Licensed under the Apache License, Version 2.0; see LICENSE. */

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.calcite.rel.metadata.DefaultRelMetadataProvider;
import org.apache.calcite.rel.metadata.MetadataHandler;
import org.apache.calcite.rel.metadata.RelMetadataQuery;
import org.apache.calcite.rel.metadata.janino.RelMetadataHandlerGeneratorUtil;
import org.codehaus.commons.compiler.CompileException;
import org.codehaus.janino.SimpleCompiler;

/**
 * Compiles, at build time, the classes through which Calcite's planner asks for metadata.
 *
 * <p>Calcite generates their sources and compiles them in each process, a sixth of the time to a
 * first answer. Run by Maven as a single source file: {@code CompileMetadata CLASSES PACKAGE},
 * with Calcite on the class path.
 */
final class CompileMetadata {
  private CompileMetadata() {}

  public static void main(String[] args) throws IOException, CompileException {
    Path folder = Path.of(args[0]).resolve(args[1].replace('.', '/'));
    for (Map.Entry<String, String> source : sources(args[1]).entrySet()) {
      // By the compiler that Calcite uses: the sources name classes that javac takes for private.
      SimpleCompiler compiler = new SimpleCompiler();
      compiler.cook(source.getValue());
      for (Map.Entry<String, byte[]> compiled : compiler.getBytecodes().entrySet()) {
        String name = compiled.getKey();
        Files.write(
            folder.resolve(name.substring(name.lastIndexOf('.') + 1) + ".class"),
            compiled.getValue());
      }
    }
  }

  /** The sources by class name, one for each kind of metadata that a query holds a handler for. */
  private static Map<String, String> sources(String packageName) {
    Map<String, String> sources = new LinkedHashMap<>();
    for (Field field : RelMetadataQuery.class.getDeclaredFields()) {
      if (!MetadataHandler.class.isAssignableFrom(field.getType())) {
        continue;
      }
      @SuppressWarnings("unchecked")
      Class<? extends MetadataHandler<?>> kind =
          (Class<? extends MetadataHandler<?>>) field.getType();
      RelMetadataHandlerGeneratorUtil.HandlerNameAndGeneratedCode generated =
          RelMetadataHandlerGeneratorUtil.generateHandler(
              kind, DefaultRelMetadataProvider.INSTANCE.handlers(kind).stream().distinct().toList());
      String name = generated.getHandlerName();
      int dot = name.lastIndexOf('.');
      String declaration = "package " + name.substring(0, dot) + ";";
      String code = generated.getGeneratedCode();
      if (!code.contains(declaration)) {
        throw new IllegalStateException("no " + declaration + " in the source of " + name);
      }
      sources.put(
          name.substring(dot + 1), code.replace(declaration, "package " + packageName + ";"));
    }
    return sources;
  }
}
