/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.spark;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.trees.TreeNode;
import scala.Function1;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;
import scala.runtime.AbstractFunction1;
import scala.runtime.AbstractPartialFunction;

/** From Scala's collections and functions to Java's, and back. */
final class Scala {
  private Scala() {}

  static <T> Seq<T> seq(List<? extends T> list) {
    List<T> copy = new ArrayList<>(list);
    return CollectionConverters.asScala(copy).toSeq();
  }

  static <T> List<T> list(Seq<T> seq) {
    return CollectionConverters.asJava(seq);
  }

  static <A, B> Function1<A, B> function(Function<A, B> body) {
    return new AbstractFunction1<>() {
      @Override
      public B apply(A a) {
        return body.apply(a);
      }
    };
  }

  /** A tree with nodes replaced from the leaves up; {@code replace} gives null to keep one. */
  @SuppressWarnings("unchecked")
  static <T extends TreeNode<T>> T replace(TreeNode<T> tree, Function<T, T> replace) {
    return (T)
        tree.transformUp(
            new AbstractPartialFunction<T, T>() {
              @Override
              public boolean isDefinedAt(T node) {
                return replace.apply(node) != null;
              }

              @Override
              public <A extends T, B> B applyOrElse(A node, Function1<A, B> otherwise) {
                T other = replace.apply(node);
                return other == null ? otherwise.apply(node) : (B) other;
              }
            });
  }

  /** Whether an expression, or one within it, has a property. */
  static boolean exists(Expression expression, Function<Expression, Boolean> property) {
    if (property.apply(expression)) {
      return true;
    }
    for (Expression child : list(expression.children())) {
      if (exists(child, property)) {
        return true;
      }
    }
    return false;
  }
}
