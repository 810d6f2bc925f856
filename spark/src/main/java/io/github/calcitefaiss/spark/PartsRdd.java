/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.Dependency;
import org.apache.spark.NarrowDependency;
import org.apache.spark.Partition;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.rdd.RDD;
import scala.collection.Iterator;
import scala.collection.immutable.Seq;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** The parts of a table's index, each from what was built when its files were first met. */
final class PartsRdd extends RDD<Part> {
  /**
   * One part.
   *
   * @param of which of the parents has it
   * @param there where
   * @param split the pieces of files that it is of
   */
  record Source(int of, Partition there, Files.Split split) implements Partition {
    @Override
    public int index() {
      return split.index();
    }
  }

  private final transient List<Source> sources;

  PartsRdd(SparkContext context, List<IndexRdd> parents, List<Source> sources) {
    super(context, dependencies(parents, sources), tag());
    this.sources = sources;
  }

  private static ClassTag<Part> tag() {
    return ClassTag$.MODULE$.apply(Part.class);
  }

  private static Seq<Dependency<?>> dependencies(List<IndexRdd> parents, List<Source> sources) {
    List<Dependency<?>> all = new ArrayList<>();
    for (int parent = 0; parent < parents.size(); parent++) {
      int[] partitions = new int[sources.size()];
      for (Source source : sources) {
        partitions[source.index()] = source.of == parent ? source.there.index() : -1;
      }
      all.add(new Of(parents.get(parent), partitions));
    }
    return Scala.seq(all);
  }

  private static final class Of extends NarrowDependency<Part> {
    private final int[] partitions;

    private Of(RDD<Part> rdd, int[] partitions) {
      super(rdd);
      this.partitions = partitions;
    }

    @Override
    public Seq<Object> getParents(int partition) {
      return Scala.seq(partitions[partition] < 0 ? List.of() : List.of(partitions[partition]));
    }
  }

  @Override
  public Partition[] getPartitions() {
    return sources.toArray(new Partition[0]);
  }

  @Override
  public Iterator<Part> compute(Partition split, TaskContext context) {
    Source source = (Source) split;
    return parent(source.of, tag()).iterator(source.there, context);
  }
}
