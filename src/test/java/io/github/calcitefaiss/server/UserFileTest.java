/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.eclipse.jetty.util.security.Password;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UserFileTest {
  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("users.txt"), text);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLineLetsThePasswordInAndNoOther(boolean digest) throws IOException {
    String line = UserFile.line("al", "pässword", digest);
    assertFalse(line.contains("pässword"));
    var users = UserFile.read(file("\n# c\n  " + line + "  \n"), digest);
    assertEquals(Set.of("al"), users.keySet());
    var credential = users.get("al");
    for (int i = 0; i < 2; i++) {
      assertTrue(credential.check("pässword"));
      assertTrue(credential.check(new Password("pässword")));
      assertTrue(credential.check("pässword".toCharArray()));
      assertFalse(credential.check("password"));
      assertFalse(credential.check(""));
      assertFalse(credential.check(7));
    }
  }

  /** As {@code printf Mufasa:calcite-faiss:Circle | md5sum} prints it. */
  @Test
  void digestsAreWhatOtherToolsMake() {
    assertEquals(
        "Mufasa:digest:f13f1eaf792a6be6de36af9789b3ca61", UserFile.line("Mufasa", "Circle", true));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "alice",
        "alice:secret",
        "alice:digest:xyz",
        "alice:digest:zz3f1eaf792a6be6de36af9789b3ca61",
        "alice:pbkdf2:0:AAAA:AAAA",
        "alice:pbkdf2:x:AAAA:AAAA",
        "alice:pbkdf2:1000:!!:AAAA",
      })
  void aWrongLineIsNamed(String line) throws IOException {
    Path file = file("# users\n" + line + "\n");
    var e = assertThrows(IOException.class, () -> UserFile.read(file, false));
    assertTrue(e.getMessage().contains("users.txt, line 2: expected name:pbkdf2"), e.getMessage());
  }

  @Test
  void whatElseCantBe() throws IOException {
    Path empty = file("# nobody\n");
    assertThrows(IOException.class, () -> UserFile.read(empty, false));
    Path slow = file(UserFile.line("al", "x", false));
    var e = assertThrows(IOException.class, () -> UserFile.read(slow, true));
    assertTrue(e.getMessage().contains("password --digest al"), e.getMessage());
    String line = UserFile.line("al", "x", true);
    Path twice = file(line + "\n" + line);
    assertThrows(IOException.class, () -> UserFile.read(twice, false));
    assertThrows(IllegalArgumentException.class, () -> UserFile.line("a:b", "x", true));
    assertThrows(IllegalArgumentException.class, () -> UserFile.line("", "x", true));
  }
}
