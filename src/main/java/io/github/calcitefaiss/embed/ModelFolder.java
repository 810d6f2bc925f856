/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.run.FaissException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The folder of installed models, which is looked into whenever a model is asked for.
 *
 * <pre>
 * default                what embed(text) takes, where nothing else says it
 * NAME/model.json        see {@link ModelDescription}
 * NAME/model.onnx        of a local model, and its tokenizer.json
 * runtime/*.jar          what runs local models
 * native/                what those unpack
 * </pre>
 *
 * <p>What every user of the machine may write is refused, since code is loaded from here, and only
 * such whose SHA-256 this release knows.
 *
 * @param path which need not exist
 */
public record ModelFolder(Path path) {
  /** The system property that says where it is. */
  public static final String PROPERTY = "calcitefaiss.models";

  /** The environment variable that says where it is. */
  public static final String VARIABLE = "CALCITE_FAISS_MODELS";

  private static final String DEFAULT_FILE = "default";

  /** The folder of this process: as the property or the variable says, else in the user's home. */
  public static ModelFolder ours() {
    String said = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    return new ModelFolder(
        (said == null || said.isBlank()
                ? Path.of(System.getProperty("user.home"), ".calcite-faiss", "models")
                : Path.of(said))
            .toAbsolutePath());
  }

  Path folder(String name) {
    return path.resolve(name);
  }

  Path runtime() {
    return path.resolve("runtime");
  }

  Path natives() {
    return path.resolve("native");
  }

  /** What is installed, by name; what can't be used, with the reason in place of a description. */
  public Map<String, Object> list() throws FaissException {
    Map<String, Object> models = new TreeMap<>();
    if (!Files.isDirectory(path)) {
      return models;
    }
    checkRights(path);
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(path)) {
      for (Path folder : folders) {
        String name = folder.getFileName().toString();
        if (ModelDescription.isName(name)
            && !folder.equals(runtime())
            && !folder.equals(natives())
            && Files.isDirectory(folder)) {
          try {
            models.put(name, describe(name));
          } catch (FaissException e) {
            models.put(name, e);
          }
        }
      }
    } catch (IOException e) {
      throw EmbedErrors.badDescription(path, "the folder can't be read");
    }
    return models;
  }

  /**
   * What is said of a model, which then has its files, too.
   *
   * @throws FaissException if there is none of this name, or a part is missing
   */
  public ModelDescription describe(String name) throws FaissException {
    Path file = folder(name).resolve(ModelDescription.FILE);
    if (!ModelDescription.isName(name) || !Files.isDirectory(folder(name))) {
      throw EmbedErrors.unknownModel(
          name, list().keySet(), Catalog.OURS.models().containsKey(name));
    } else if (!Files.isRegularFile(file)) {
      throw EmbedErrors.incomplete(name, ModelDescription.FILE + " is missing");
    }
    checkRights(path);
    checkRights(folder(name));
    checkRights(file);
    ModelDescription description = ModelDescription.read(file);
    if (description.files() != null) {
      for (String part : description.files().keySet()) {
        if (!Files.isRegularFile(folder(name).resolve(part))) {
          throw EmbedErrors.incomplete(name, part + " is missing");
        }
      }
    }
    return description;
  }

  /** The model that is taken where none is named, or null where nothing says which. */
  public String defaultName() throws FaissException {
    Path file = path.resolve(DEFAULT_FILE);
    try {
      if (Files.isRegularFile(file)) {
        String name = Files.readString(file).strip();
        if (Files.isDirectory(folder(name)) && ModelDescription.isName(name)) {
          return name;
        }
      }
    } catch (IOException e) {
      throw EmbedErrors.badDescription(file, "it can't be read");
    }
    Set<String> names = list().keySet();
    return names.size() == 1 ? names.iterator().next() : null;
  }

  /**
   * The model that is taken where none is named.
   *
   * @throws FaissException if nothing says which, with what to do
   */
  public String usual() throws FaissException {
    String chosen = defaultName();
    if (chosen == null) {
      Set<String> names = list().keySet();
      throw names.isEmpty() ? EmbedErrors.noModel(path) : EmbedErrors.severalModels(path, names);
    }
    return chosen;
  }

  /** Says which model is taken where none is named. */
  void setDefault(String name) throws IOException {
    Path file = Files.createTempFile(path, ".default", null);
    Files.writeString(file, name + "\n");
    Files.move(file, path.resolve(DEFAULT_FILE), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }

  /** Whether a default was ever said. */
  boolean hasDefault() {
    return Files.exists(path.resolve(DEFAULT_FILE));
  }

  static void checkRights(Path path) throws FaissException {
    try {
      if (Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_WRITE)) {
        throw EmbedErrors.open(path);
      }
    } catch (UnsupportedOperationException e) {
      // No such rights on this system.
    } catch (IOException e) {
      throw EmbedErrors.badDescription(path, "it can't be read");
    }
  }
}
