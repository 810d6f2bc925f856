/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.BitSet;
import java.util.function.IntFunction;
import org.apache.calcite.avatica.proto.Common;
import org.apache.calcite.avatica.proto.Responses;

/**
 * Numbers in a column that is announced as text carry their text, too, in a protobuf response.
 *
 * <p>A value says its own type there, but clients in other languages (Go, phoenixdb) read only what
 * the column's type says, and would find an empty text.
 */
final class WireTexts {
  private WireTexts() {}

  /**
   * Adds the texts to a response.
   *
   * @param message a wire message
   * @param fetched the statement that a fetch was for
   * @param columns which columns of a statement are text that hold other values, too
   */
  static byte[] add(byte[] message, int fetched, IntFunction<BitSet> columns)
      throws InvalidProtocolBufferException {
    Common.WireMessage.Builder wire = Common.WireMessage.parseFrom(message).toBuilder();
    if (wire.getName().endsWith("$ExecuteResponse")) {
      Responses.ExecuteResponse.Builder response =
          Responses.ExecuteResponse.parseFrom(wire.getWrappedMessage()).toBuilder();
      response
          .getResultsBuilderList()
          .forEach(
              result -> add(result.getFirstFrameBuilder(), columns.apply(result.getStatementId())));
      wire.setWrappedMessage(response.build().toByteString());
    } else if (wire.getName().endsWith("$FetchResponse")) {
      Responses.FetchResponse.Builder response =
          Responses.FetchResponse.parseFrom(wire.getWrappedMessage()).toBuilder();
      add(response.getFrameBuilder(), columns.apply(fetched));
      wire.setWrappedMessage(response.build().toByteString());
    }
    return wire.build().toByteArray();
  }

  private static void add(Common.Frame.Builder frame, BitSet columns) {
    for (Common.Row.Builder row : frame.getRowsBuilderList()) {
      for (int i = columns.nextSetBit(0); i >= 0; i = columns.nextSetBit(i + 1)) {
        Common.TypedValue.Builder value = row.getValueBuilder(i).getScalarValueBuilder();
        switch (value.getType()) {
          case LONG:
          case INTEGER:
            value.setStringValue(Long.toString(value.getNumberValue()));
            break;
          case DOUBLE:
            value.setStringValue(Double.toString(value.getDoubleValue()));
            break;
          default:
            break;
        }
      }
    }
  }
}
