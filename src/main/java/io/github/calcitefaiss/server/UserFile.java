/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.eclipse.jetty.util.security.Credential;
import org.eclipse.jetty.util.security.Password;

/**
 * The users that may log in, one a line: {@code name:pbkdf2:iterations:salt:hash} or {@code
 * name:digest:hash}; blank lines and those that begin with # are skipped.
 *
 * <p>No password is kept in clear. The first form is for Basic authentication; the second, the MD5
 * of name, realm and password that HTTP Digest is defined on, serves both.
 */
public final class UserFile {
  /** The realm that Digest's hashes are made for. */
  public static final String REALM = "calcite-faiss";

  private static final int ITERATIONS = 600_000;
  private static final int KEY_BITS = 256;

  private UserFile() {}

  /**
   * Reads the file.
   *
   * @param digest whether the users are to log in with Digest
   * @throws IOException naming the line that is wrong, or why the file can't be read
   */
  static Map<String, Credential> read(Path file, boolean digest) throws IOException {
    Map<String, Credential> users = new LinkedHashMap<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      String where = file + ", line " + (i + 1) + ": ";
      String[] parts = line.split(":", -1);
      Credential credential;
      try {
        if (parts.length == 5 && parts[1].equals("pbkdf2")) {
          credential =
              new Pbkdf2(
                  Integer.parseInt(parts[2]),
                  Base64.getDecoder().decode(parts[3]),
                  Base64.getDecoder().decode(parts[4]));
        } else if (parts.length == 3 && parts[1].equals("digest") && parts[2].length() == 32) {
          HexFormat.of().parseHex(parts[2]);
          credential = new Digest(parts[0], parts[2]);
        } else {
          throw new IllegalArgumentException("not one of the two forms");
        }
      } catch (IllegalArgumentException e) {
        throw new IOException(
            where
                + "expected name:pbkdf2:iterations:salt:hash or name:digest:hash, as the command"
                + " 'password' prints them",
            e);
      }
      if (digest && credential instanceof Pbkdf2) {
        throw new IOException(
            where
                + "user "
                + parts[0]
                + " can't log in with Digest; make the line with 'password --digest "
                + parts[0]
                + "'");
      }
      if (parts[0].isEmpty() || users.put(parts[0], credential) != null) {
        throw new IOException(where + "the name is empty, or was there before");
      }
    }
    if (users.isEmpty()) {
      throw new IOException(file + " names no user; 'password NAME' prints a line for it");
    }
    return users;
  }

  /** The credential of nobody: no password is right, and each takes as long as a real one's. */
  static Credential nobody() {
    byte[] random = new byte[16 + KEY_BITS / 8];
    new SecureRandom().nextBytes(random);
    return new Pbkdf2(
        ITERATIONS, Arrays.copyOf(random, 16), Arrays.copyOfRange(random, 16, random.length));
  }

  /** The line for a user. */
  public static String line(String name, String password, boolean digest) {
    if (name.isEmpty()
        || name.contains(":")
        || name.startsWith("#")
        || !name.equals(name.strip())) {
      throw new IllegalArgumentException(
          "a user's name can't be empty, contain ':', begin with '#' or end in blanks");
    }
    if (digest) {
      return name + ":digest:" + HexFormat.of().formatHex(ha1(name, password));
    }
    byte[] salt = new byte[16];
    new SecureRandom().nextBytes(salt);
    Base64.Encoder base64 = Base64.getEncoder();
    return name
        + ":pbkdf2:"
        + ITERATIONS
        + ":"
        + base64.encodeToString(salt)
        + ":"
        + base64.encodeToString(pbkdf2(password, salt, ITERATIONS));
  }

  private static byte[] pbkdf2(String password, byte[] salt, int iterations) {
    try {
      PBEKeySpec spec = new PBEKeySpec(password.toCharArray(), salt, iterations, KEY_BITS);
      return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] hash(String algorithm, byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      for (byte[] part : parts) {
        digest.update(part);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] ha1(String name, String password) {
    String text = name + ":" + REALM + ":" + password;
    return hash("MD5", text.getBytes(StandardCharsets.UTF_8));
  }

  /** The password's text as Jetty's authenticators give it, or null if it is something else. */
  private static String text(Object credentials) {
    if (credentials instanceof char[] chars) {
      return new String(chars);
    }
    return credentials instanceof String || credentials instanceof Password
        ? credentials.toString()
        : null;
  }

  private static final class Pbkdf2 extends Credential {
    private static final long serialVersionUID = 1;

    private static final Semaphore HASHING =
        new Semaphore(Math.max(1, Runtime.getRuntime().availableProcessors() / 2));

    private final int iterations;
    private final byte[] salt;
    private final byte[] expected;

    /** A client sends its password with each request; hashing it slowly each time is too slow. */
    private final byte[] key = new byte[32];

    private volatile byte[] known;

    private Pbkdf2(int iterations, byte[] salt, byte[] expected) {
      if (iterations < 1 || salt.length == 0 || expected.length != KEY_BITS / 8) {
        throw new IllegalArgumentException();
      }
      this.iterations = iterations;
      this.salt = salt;
      this.expected = expected;
      new SecureRandom().nextBytes(key);
    }

    @Override
    public boolean check(Object credentials) {
      String password = text(credentials);
      if (password == null) {
        return false;
      }
      byte[] quick = hash("SHA-256", key, password.getBytes(StandardCharsets.UTF_8));
      byte[] last = known;
      if (last != null && MessageDigest.isEqual(last, quick)) {
        return true;
      }
      boolean right;
      // Whoever guesses has not all cores.
      HASHING.acquireUninterruptibly();
      try {
        right = MessageDigest.isEqual(expected, pbkdf2(password, salt, iterations));
      } finally {
        HASHING.release();
      }
      if (right) {
        known = quick;
      }
      return right;
    }
  }

  private static final class Digest extends Credential {
    private static final long serialVersionUID = 1;

    private final String name;
    private final String hash;

    private Digest(String name, String hash) {
      this.name = name;
      this.hash = hash;
    }

    @Override
    public boolean check(Object credentials) {
      String password = text(credentials);
      if (password != null) {
        return MessageDigest.isEqual(HexFormat.of().parseHex(hash), ha1(name, password));
      }
      // What Jetty's Digest authenticator made of the request checks itself against the hash.
      return credentials instanceof Credential response
          && response.check(Credential.getCredential("MD5:" + hash));
    }
  }
}
