/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import io.github.calcitefaiss.sqlite.VectorJson;
import java.io.IOException;
import org.apache.calcite.avatica.remote.Service;

/** What is wrong with a request, in words for whoever wrote the client. */
final class Unreadable {
  private Unreadable() {}

  /** Why a request couldn't be read. */
  static String why(IOException e) {
    if (e instanceof UnrecognizedPropertyException unknown) {
      return unknown.getPropertyName().equals("request")
          ? "its \"request\" is missing"
          : "a request of its kind has no field '" + unknown.getPropertyName() + "'";
    } else if (e instanceof ValueInstantiationException value) {
      return place(value) + " has a value that isn't of its \"type\"";
    } else if (e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()) {
      return place(mapping) + " has a value of another kind than it takes";
    } else if (e instanceof MismatchedInputException) {
      return "it is empty";
    }
    return e instanceof JsonProcessingException json
        ? VectorJson.describe(json)
        : String.valueOf(e.getMessage());
  }

  private static String place(JsonMappingException e) {
    StringBuilder path = new StringBuilder();
    for (JsonMappingException.Reference part : e.getPath()) {
      if (part.getFieldName() == null) {
        path.append('[').append(part.getIndex() + 1).append(']');
      } else {
        path.append(path.isEmpty() ? "" : ".").append(part.getFieldName());
      }
    }
    return path.isEmpty() ? "it" : "its field " + path;
  }

  /** The field that a request lacks, without which nothing can be done; null if it has all. */
  static String missing(Service.Request request) {
    if (request instanceof Service.ExecuteRequest execute) {
      return execute.statementHandle == null
          ? "statementHandle"
          : execute.parameterValues == null ? "parameterValues" : null;
    } else if (request instanceof Service.PrepareRequest prepare) {
      return prepare.sql == null ? "sql" : null;
    } else if (request instanceof Service.PrepareAndExecuteRequest prepare) {
      return prepare.sql == null ? "sql" : null;
    } else if (request instanceof Service.SyncResultsRequest sync) {
      return sync.state == null ? "state" : null;
    } else if (request instanceof Service.ConnectionSyncRequest sync) {
      return sync.connProps == null ? "connProps" : null;
    }
    return null;
  }
}
