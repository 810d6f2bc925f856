/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import io.github.calcitefaiss.index.Checkpoint;
import io.github.calcitefaiss.run.FaissException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Installed models, the folder they are in, and what is remembered of them. */
class EmbedderTest {
  @TempDir Path temp;

  /**
   * The file's vectors were made by langchain4j's own class, which is called directly here, too:
   * the products of a quantised model are rounded by the instructions that a processor has, so that
   * those of another machine differ in the fourth decimal.
   */
  @Test
  void aLocalModelGivesTheVectorsThatItGivesOutside() throws Exception {
    Embedder embedder = Embedder.of(InstalledModels.shared());
    dev.langchain4j.model.embedding.EmbeddingModel own = ownModel();
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:examples/packages.db");
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select name || char(10) || summary || char(10) || description, embedding"
                    + " from packages join embeddings using (id) where id % 300 = 1")) {
      int compared = 0;
      while (rows.next()) {
        float[] vector =
            embedder.embed(embedder.model(null), rows.getString(1), Checkpoint.NONE).get();
        float[] outside = io.github.calcitefaiss.index.VectorCodec.decode(rows.getBytes(2));
        assertArrayEquals(own.embed(rows.getString(1)).content().vector(), vector, 1e-5f);
        assertArrayEquals(outside, vector, 5e-3f);
        compared++;
      }
      assertTrue(compared > 5, "compared " + compared);
    }
    EmbeddingModel model = embedder.model("all-minilm-l6-v2-q");
    assertEquals(384, model.dims());
    assertSame(model, embedder.model(null));
  }

  /** The model of its library, whose native parts are unpacked into the test's folder. */
  private dev.langchain4j.model.embedding.EmbeddingModel ownModel() {
    Map<String, String> properties =
        Map.of(
            "OPT_OUT_TRACKING", "true", "ai.djl.offline", "true", "DJL_CACHE_DIR", temp.toString());
    properties.forEach(System::setProperty);
    try {
      return new AllMiniLmL6V2QuantizedEmbeddingModel();
    } finally {
      properties.keySet().forEach(System::clearProperty);
    }
  }

  @Test
  void anEmptyTextFailsAndItsNeighboursDoNot() throws Exception {
    Embedder embedder = Embedder.of(InstalledModels.shared());
    List<Embedded> all =
        embedder.all(embedder.model(null), List.of("one", " \n", "two"), Checkpoint.NONE);
    assertEquals(384, all.get(0).get().length);
    assertTrue(all.get(1).failure().getMessage().contains("the text is empty"));
    assertEquals(384, all.get(2).get().length);
  }

  @Test
  void eachTextIsAskedForOnceInBatches() throws Exception {
    ModelFolder folder = new ModelFolder(temp.resolve("models"));
    try (EmbeddingServer server = new EmbeddingServer()) {
      server.install(folder, "lengths", 3);
      Embedder embedder = Embedder.of(folder);
      EmbeddingModel model = embedder.model(null);
      List<String> texts = IntStream.range(0, 2000).mapToObj(i -> "text " + i % 1000).toList();
      List<Embedded> all = embedder.all(model, texts, Checkpoint.NONE);
      for (int i = 0; i < texts.size(); i++) {
        assertArrayEquals(EmbeddingServer.vector(texts.get(i)), all.get(i).get());
      }
      assertEquals(16, server.calls.get());
      assertEquals(1000, server.texts.size());
      embedder.all(model, texts, Checkpoint.NONE);
      embedder.embed(embedder.model("lengths"), "text 7", Checkpoint.NONE);
      assertEquals(16, server.calls.get());
    }
  }

  @Test
  void aModelThatIsInstalledAnewForgetsTheOld() throws Exception {
    ModelFolder folder = new ModelFolder(temp.resolve("models"));
    try (EmbeddingServer server = new EmbeddingServer()) {
      server.install(folder, "lengths", 3);
      Embedder embedder = Embedder.of(folder);
      EmbeddingModel before = embedder.model(null);
      embedder.embed(embedder.model(null), "x", Checkpoint.NONE);
      server.install(folder, "lengths", 3);
      Files.setLastModifiedTime(
          folder.folder("lengths").resolve("model.json"), FileTime.fromMillis(1));
      assertNotSame(before, embedder.model(null));
      embedder.embed(embedder.model(null), "x", Checkpoint.NONE);
      assertEquals(2, server.calls.get());
    }
  }

  private static String refused(ModelFolder folder, String name) {
    Embedder embedder = Embedder.of(folder);
    return assertThrows(
            FaissException.class, () -> embedder.embed(embedder.model(name), "x", Checkpoint.NONE))
        .getMessage();
  }

  @Test
  void withoutAModelTheCommandIsSaid() throws Exception {
    ModelFolder folder = new ModelFolder(temp.resolve("none"));
    assertTrue(refused(folder, null).contains("./sqlline install-model all-minilm-l6-v2-q"));
    assertTrue(refused(folder, "e5-small-v2-q").contains("./sqlline install-model e5-small-v2-q"));
    String unknown = refused(folder, "nobody's");
    assertTrue(unknown.contains("'nobody's' is not installed; none is"), unknown);
    assertTrue(refused(folder, "../../etc").contains("is not installed"));
    Files.createDirectories(folder.path());
    assertTrue(refused(folder, null).contains("no embedding model is installed"));
  }

  @Test
  void ofSeveralModelsOneIsTheDefault() throws Exception {
    ModelFolder folder = new ModelFolder(temp.resolve("models"));
    try (EmbeddingServer server = new EmbeddingServer()) {
      server.install(folder, "b", 3);
      server.install(folder, "a", 3);
      assertEquals("b", folder.defaultName());
      InstalledModels.installer(folder).makeDefault("a");
      assertEquals("a", Embedder.of(folder).model(null).name());
      Files.delete(folder.path().resolve("default"));
      String several = refused(folder, null);
      assertTrue(several.contains("a, b; name one, as in embed('a', text)"), several);
      assertEquals(Set.of("a", "b"), folder.list().keySet());
    }
  }

  @Test
  void aFolderThatIsHalfThereSaysWhatIsMissing() throws Exception {
    ModelFolder folder = InstalledModels.copy(temp.resolve("models"));
    Path model = folder.folder(Catalog.DEFAULT);
    String again = "install it again: ./sqlline install-model all-minilm-l6-v2-q";

    Path jar;
    try (var jars = Files.list(folder.runtime())) {
      jar = jars.filter(file -> file.toString().contains("gson")).findFirst().orElseThrow();
    }
    Files.delete(jar);
    Files.write(jar, new byte[] {'P', 'K'});
    String replaced = refused(folder, null);
    assertTrue(replaced.contains("gson-2.13.1.jar is not the file that was installed"), replaced);
    assertTrue(replaced.contains(again), replaced);
    Files.delete(jar);
    assertTrue(refused(folder, null).contains("gson-2.13.1.jar is missing"));

    byte[] weights = Files.readAllBytes(model.resolve("model.onnx"));
    Files.delete(model.resolve("model.onnx"));
    assertTrue(refused(folder, null).contains("model.onnx is missing"));
    Files.write(model.resolve("model.onnx"), java.util.Arrays.copyOf(weights, 1000));
    assertTrue(refused(folder, null).contains("model.onnx is not the file that was installed"));

    Files.delete(model.resolve("model.json"));
    assertTrue(refused(folder, null).contains("model.json is missing"));
    for (String text : List.of("", "{", "null", "[]", "{\"kind\":\"x\",\"dims\":3}", "{\"a\":1}")) {
      Files.writeString(model.resolve("model.json"), text);
      String said = refused(folder, null);
      assertTrue(said.contains("can't be used: "), text + ": " + said);
    }

    InstalledModels.installer(folder).install(Catalog.DEFAULT);
    assertEquals(384, Embedder.of(folder).model(null).dims());
  }

  @Test
  void aFolderThatEverybodyMayWriteIsRefused() throws Exception {
    ModelFolder folder = new ModelFolder(temp.resolve("models"));
    try (EmbeddingServer server = new EmbeddingServer()) {
      server.install(folder, "lengths", 3);
    }
    Files.setPosixFilePermissions(folder.path(), PosixFilePermissions.fromString("rwxrwxrwx"));
    String said = refused(folder, "lengths");
    assertTrue(said.contains("since every user of this machine may write it"), said);
  }

  @Test
  void onlyFilesOfTheKnownSumAreInstalled() throws Exception {
    ModelFolder folder = new ModelFolder(temp.resolve("models"));
    Path repository = temp.resolve("repository");
    Catalog.Artifact first = Catalog.OURS.runtime().get(0);
    Path fake = repository.resolve(first.path());
    Files.createDirectories(fake.getParent());
    Files.write(fake, new byte[(int) first.size()]);
    var e =
        assertThrows(
            FaissException.class,
            () ->
                new ModelInstaller(folder, repository, InstalledModels.NOWHERE, line -> {})
                    .install(Catalog.DEFAULT));
    assertTrue(e.getMessage().contains("can't be downloaded from"), e.getMessage());
    assertFalse(Files.exists(folder.runtime().resolve(first.file())));
    assertTrue(refused(folder, null).contains("model.json is missing"));
  }

  @Test
  void filesOfYourOwnAreAModel() throws Exception {
    ModelFolder folder = InstalledModels.copy(temp.resolve("models"));
    Path files = InstalledModels.shared().folder(Catalog.DEFAULT);
    InstalledModels.installer(folder)
        .installOnnx("mine", files.resolve("model.onnx"), files.resolve("tokenizer.json"), "mean");
    Embedder embedder = Embedder.of(folder);
    Embedder shared = Embedder.of(InstalledModels.shared());
    assertEquals(384, embedder.model("mine").dims());
    assertArrayEquals(
        shared.embed(shared.model(null), "same", Checkpoint.NONE).get(),
        embedder.embed(embedder.model("mine"), "same", Checkpoint.NONE).get(),
        1e-6f);
    Path noModel = Files.writeString(temp.resolve("no.onnx"), "nothing");
    var e =
        assertThrows(
            FaissException.class,
            () ->
                InstalledModels.installer(folder)
                    .installOnnx("broken", noModel, files.resolve("tokenizer.json"), "mean"));
    assertTrue(e.getMessage().contains("no model and tokenizer that this runs"), e.getMessage());
  }

  @Test
  void theAddressOfTheRepositoryIsMavens() {
    assertTrue(io.github.calcitefaiss.run.Release.CENTRAL.startsWith("https://"));
  }
}
