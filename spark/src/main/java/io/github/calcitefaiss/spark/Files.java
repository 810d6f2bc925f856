/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.Partition;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.paths.SparkPath;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.AttributeReference;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.execution.datasources.FileFormat;
import org.apache.spark.sql.execution.datasources.FilePartition;
import org.apache.spark.sql.execution.datasources.FileStatusWithMetadata;
import org.apache.spark.sql.execution.datasources.HadoopFsRelation;
import org.apache.spark.sql.execution.datasources.InMemoryFileIndex;
import org.apache.spark.sql.execution.datasources.LogicalRelation;
import org.apache.spark.sql.execution.datasources.PartitionDirectory;
import org.apache.spark.sql.execution.datasources.PartitionedFile;
import org.apache.spark.sql.execution.datasources.orc.OrcFileFormat;
import org.apache.spark.sql.execution.datasources.parquet.ParquetFileFormat;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import scala.Function1;
import scala.collection.Iterator;
import scala.collection.immutable.Map;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A table of Parquet or ORC files, split the same way whatever executors there are, so that the
 * rows of a split keep their numbers from one reading to the next.
 */
final class Files {
  private final HadoopFsRelation relation;
  private final List<AttributeReference> output;

  private Files(HadoopFsRelation relation, List<AttributeReference> output) {
    this.relation = relation;
    this.output = output;
  }

  /** The files behind a relation, or null if it is not of a kind whose rows have fixed places. */
  static Files of(LogicalRelation logical) {
    if (!(logical.relation() instanceof HadoopFsRelation relation)
        || logical.isStreaming()
        || relation.bucketSpec().isDefined()
        || !(relation.location().getClass() == InMemoryFileIndex.class)
        || !(relation.fileFormat().getClass() == ParquetFileFormat.class
            || relation.fileFormat().getClass() == OrcFileFormat.class)) {
      return null;
    }
    return new Files(relation, Scala.list(logical.output()));
  }

  /** Every column of the table. */
  List<AttributeReference> output() {
    return output;
  }

  /** Where the table is, for people. */
  String where() {
    List<Path> roots = Scala.list(relation.location().rootPaths());
    return roots.get(0) + (roots.size() > 1 ? " and " + (roots.size() - 1) + " more" : "");
  }

  /** The files' lengths together, as they were listed last. */
  long bytes() {
    return relation.location().sizeInBytes();
  }

  /** What tells this table from others, however its files change. */
  String key() {
    return relation.location().rootPaths() + "|" + relation.schema().sql();
  }

  /** Whether a column is in the files themselves or their folders' names. */
  boolean has(Attribute attribute) {
    return output.stream().anyMatch(column -> column.exprId().equals(attribute.exprId()))
        && (in(relation.dataSchema(), attribute) || in(relation.partitionSchema(), attribute));
  }

  private static boolean in(StructType schema, Attribute attribute) {
    for (StructField field : schema.fields()) {
      if (field.name().equals(attribute.name())) {
        return true;
      }
    }
    return false;
  }

  /**
   * A piece of a file, read by one task.
   *
   * @param number its place among all pieces of the table, by path
   * @param file which bytes
   * @param key says which file that is, with its length and times
   */
  record Piece(int number, PartitionedFile file, String key) {}

  /**
   * Pieces that one task reads, in their order.
   *
   * @param files their bytes
   * @param numbers the places of the pieces among all of the table
   */
  record Split(int index, FilePartition files, int[] numbers) implements Partition {
    static Split of(int index, FilePartition files, List<Piece> pieces) {
      return new Split(index, files, pieces.stream().mapToInt(Piece::number).toArray());
    }
  }

  /**
   * The files as they are now.
   *
   * @param pieces what tasks read
   * @param bytes their lengths together
   */
  record Listing(List<Piece> pieces, long bytes) {
    /** For tasks that compare all rows. */
    List<Split> splits(long splitBytes) {
      List<Split> splits = new ArrayList<>();
      for (List<Piece> group : pack(pieces, splitBytes)) {
        splits.add(Split.of(splits.size(), partition(splits.size(), group), group));
      }
      return splits;
    }
  }

  /** Lists the files anew and cuts them into pieces of at most some bytes. */
  Listing list(long splitBytes) {
    long now = System.currentTimeMillis();
    relation.location().refresh();
    record Found(PartitionedFile file, String key) {}
    List<Found> found = new ArrayList<>();
    long bytes = 0;
    Seq<PartitionDirectory> folders =
        relation.location().listFiles(Scala.seq(List.of()), Scala.seq(List.of()));
    for (PartitionDirectory folder : Scala.list(folders)) {
      for (FileStatusWithMetadata status : Scala.list(folder.files())) {
        bytes += status.getLen();
        String key =
            status.getPath()
                + " "
                + status.getLen()
                + " "
                + FileWitness.of(status.getPath(), status.getModificationTime(), now);
        for (PartitionedFile part : cut(folder.values(), status.fileStatus(), splitBytes)) {
          found.add(new Found(part, key + " " + part.start() + " " + part.length()));
        }
      }
    }
    found.sort(
        (a, b) -> {
          int c = a.file.urlEncodedPath().compareTo(b.file.urlEncodedPath());
          return c != 0 ? c : Long.compare(a.file.start(), b.file.start());
        });
    List<Piece> pieces = new ArrayList<>();
    found.forEach(f -> pieces.add(new Piece(pieces.size(), f.file, f.key)));
    return new Listing(pieces, bytes);
  }

  private static List<PartitionedFile> cut(InternalRow values, FileStatus file, long splitBytes) {
    List<PartitionedFile> parts = new ArrayList<>();
    // None of a file without bytes, as Spark does.
    long n = (file.getLen() + splitBytes - 1) / splitBytes;
    for (long i = 0; i < n; i++) {
      long from = file.getLen() * i / n;
      long until = file.getLen() * (i + 1) / n;
      parts.add(
          new PartitionedFile(
              values,
              SparkPath.fromFileStatus(file),
              from,
              until - from,
              new String[0],
              file.getModificationTime(),
              file.getLen(),
              CollectionConverters.asScala(new java.util.HashMap<String, Object>())
                  .toMap(scala.$less$colon$less$.MODULE$.refl())));
    }
    return parts;
  }

  /** Small pieces go together. */
  static List<List<Piece>> pack(List<Piece> pieces, long splitBytes) {
    List<List<Piece>> packed = new ArrayList<>();
    long bytes = 0;
    for (Piece piece : pieces) {
      if (packed.isEmpty() || bytes + piece.file.length() > splitBytes) {
        packed.add(new ArrayList<>());
        bytes = 0;
      }
      packed.get(packed.size() - 1).add(piece);
      bytes += piece.file.length();
    }
    return packed;
  }

  static FilePartition partition(int index, List<Piece> pieces) {
    return new FilePartition(
        index, pieces.stream().map(Piece::file).toArray(PartitionedFile[]::new));
  }

  /** Prepares to read some columns. */
  @SuppressWarnings("unchecked") // a map of Scala's, raw to javac
  Reader reader(SparkSession session, List<? extends Attribute> wanted) {
    Set<String> names = new HashSet<>();
    wanted.forEach(attribute -> names.add(attribute.name()));
    StructType required = new StructType();
    List<Attribute> columns = new ArrayList<>();
    for (AttributeReference column : output) {
      if (names.contains(column.name())
          && in(relation.dataSchema(), column)
          && !in(relation.partitionSchema(), column)) {
        required =
            required.add(
                new StructField(column.name(), column.dataType(), true, column.metadata()));
        columns.add(column);
      }
    }
    for (StructField field : relation.partitionSchema().fields()) {
      for (AttributeReference column : output) {
        if (column.name().equals(field.name())) {
          columns.add(column);
        }
      }
    }
    Configuration conf = session.sessionState().newHadoopConfWithOptions(relation.options());
    Map<String, String> options =
        relation.options().updated(FileFormat.OPTION_RETURNING_BATCH(), "false");
    Function1<PartitionedFile, Iterator<InternalRow>> read =
        relation
            .fileFormat()
            .buildReaderWithPartitionValues(
                session,
                relation.dataSchema(),
                relation.partitionSchema(),
                required,
                Scala.seq(List.of()),
                options,
                conf);
    Broadcast<SerializableConfiguration> shared =
        session
            .sparkContext()
            .broadcast(
                new SerializableConfiguration(conf),
                scala.reflect.ClassTag$.MODULE$.apply(SerializableConfiguration.class));
    return new Reader(read, shared, columns);
  }

  /** A file that is not as it was listed any more. */
  static final class ChangedException extends RuntimeException {
    ChangedException(String path) {
      super(
          "the file "
              + path
              + " changed while the statement read it; run the statement again"
              + " (files that are written once and never changed avoid this)",
          null,
          false,
          false);
    }
  }

  /**
   * Reads columns of a split; used by tasks.
   *
   * @param read opens a file
   * @param conf how to reach the files
   * @param columns the columns of each row, in this order
   */
  record Reader(
      Function1<PartitionedFile, Iterator<InternalRow>> read,
      Broadcast<SerializableConfiguration> conf,
      List<Attribute> columns)
      implements Serializable {
    /** Where a column is in a row. */
    int ordinal(Attribute attribute) {
      for (int i = 0; i < columns.size(); i++) {
        if (columns.get(i).exprId().equals(attribute.exprId())) {
          return i;
        }
      }
      throw new NoSuchElementException(attribute + " in " + columns);
    }

    /** What tells the files of a split from others in their place; empty where nothing does. */
    String[] witnesses(FilePartition split) {
      String[] witnesses = new String[split.files().length];
      for (int i = 0; i < witnesses.length; i++) {
        witnesses[i] = FileWitness.of(split.files()[i].toPath());
      }
      return witnesses;
    }

    /** Whether the files of a split are those that a part of an index is of. */
    boolean isOf(Part part, FilePartition split) {
      return Arrays.equals(witnesses(split), part.witnesses());
    }

    /** The rows of a split. */
    Rows rows(FilePartition split) {
      return rows(split, null);
    }

    /** The rows of a split whose files had some witnesses before, and must have them still. */
    Rows rows(FilePartition split, String[] before) {
      return new Rows(this, split.files(), before);
    }

    private void unchanged(PartitionedFile file) {
      Path path = file.toPath();
      try {
        FileStatus now = path.getFileSystem(conf.value().value()).getFileStatus(path);
        if (now.getLen() == file.fileSize()
            && now.getModificationTime() == file.modificationTime()) {
          return;
        }
      } catch (FileNotFoundException e) {
        // Said below.
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      throw new ChangedException(path.toString());
    }
  }

  /** Rows, each valid until the next one is asked for. */
  static final class Rows implements java.util.Iterator<InternalRow> {
    private final Reader reader;
    private final PartitionedFile[] files;
    private final String[] before;
    private String witness;
    private int file = -1;
    private int row;
    private Iterator<InternalRow> open;

    private Rows(Reader reader, PartitionedFile[] files, String[] before) {
      this.reader = reader;
      this.files = files;
      this.before = before;
    }

    /** Which of the split's files the last row was in. */
    int file() {
      return file;
    }

    /** Its number there, from 0. */
    int row() {
      return row;
    }

    /** Where the last row is in the table. */
    long place(int[] numbers) {
      return (long) numbers[file] << 32 | row;
    }

    @Override
    public boolean hasNext() {
      while (open == null || !open.hasNext()) {
        if (file >= files.length) {
          return false;
        } else if (file >= 0) {
          unchanged();
        }
        open = null;
        row = -1;
        if (++file == files.length) {
          return false;
        }
        witness = before == null ? FileWitness.of(files[file].toPath()) : before[file];
        unchanged();
        open = reader.read.apply(files[file]);
      }
      return true;
    }

    private void unchanged() {
      reader.unchanged(files[file]);
      if (!FileWitness.of(files[file].toPath()).equals(witness)) {
        throw new ChangedException(files[file].toPath().toString());
      }
    }

    @Override
    public InternalRow next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      row++;
      return open.next();
    }
  }
}
