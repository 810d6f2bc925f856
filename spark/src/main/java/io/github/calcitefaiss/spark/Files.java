/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
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
   * The files as they are now.
   *
   * @param splits their parts, each read by one task
   * @param version says which files there were, with their lengths and times
   * @param bytes their lengths together
   */
  record Listing(FilePartition[] splits, String version, long bytes) {}

  /** Lists the files anew and splits them into parts of at most some bytes. */
  Listing list(long splitBytes) {
    relation.location().refresh();
    List<PartitionedFile> parts = new ArrayList<>();
    StringBuilder version = new StringBuilder();
    long bytes = 0;
    Seq<PartitionDirectory> folders =
        relation.location().listFiles(Scala.seq(List.of()), Scala.seq(List.of()));
    for (PartitionDirectory folder : Scala.list(folders)) {
      for (FileStatusWithMetadata status : Scala.list(folder.files())) {
        version.append(status.getPath()).append(' ').append(status.getLen()).append(' ');
        version.append(status.getModificationTime()).append('\n');
        bytes += status.getLen();
        split(folder.values(), status.fileStatus(), splitBytes, parts);
      }
    }
    parts.sort(
        (a, b) -> {
          int c = a.urlEncodedPath().compareTo(b.urlEncodedPath());
          return c != 0 ? c : Long.compare(a.start(), b.start());
        });
    return new Listing(pack(parts, splitBytes), version.toString(), bytes);
  }

  private static void split(
      InternalRow values, FileStatus file, long splitBytes, List<PartitionedFile> to) {
    long n = Math.max(1, (file.getLen() + splitBytes - 1) / splitBytes);
    for (long i = 0; i < n; i++) {
      long from = file.getLen() * i / n;
      long until = file.getLen() * (i + 1) / n;
      to.add(
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
  }

  /** Small files go together. */
  private static FilePartition[] pack(List<PartitionedFile> parts, long splitBytes) {
    List<FilePartition> packed = new ArrayList<>();
    List<PartitionedFile> open = new ArrayList<>();
    long bytes = 0;
    for (PartitionedFile part : parts) {
      if (!open.isEmpty() && bytes + part.length() > splitBytes) {
        packed.add(new FilePartition(packed.size(), open.toArray(new PartitionedFile[0])));
        open.clear();
        bytes = 0;
      }
      open.add(part);
      bytes += part.length();
    }
    if (!open.isEmpty()) {
      packed.add(new FilePartition(packed.size(), open.toArray(new PartitionedFile[0])));
    }
    return packed.toArray(new FilePartition[0]);
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

    /** The rows of a split, each valid until the next one is asked for. */
    java.util.Iterator<InternalRow> rows(FilePartition split) {
      return new java.util.Iterator<>() {
        private int file = -1;
        private Iterator<InternalRow> open;

        @Override
        public boolean hasNext() {
          while (open == null || !open.hasNext()) {
            if (file >= 0 && file < split.files().length) {
              unchanged(split.files()[file]);
            }
            if (++file >= split.files().length) {
              file = split.files().length;
              open = null;
              return false;
            }
            unchanged(split.files()[file]);
            open = read.apply(split.files()[file]);
          }
          return true;
        }

        @Override
        public InternalRow next() {
          if (!hasNext()) {
            throw new NoSuchElementException();
          }
          return open.next();
        }
      };
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
}
