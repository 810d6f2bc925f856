/* Licensed under the Apache License, Version 2.0; see LICENSE. */
package io.github.calcitefaiss.shell;

import io.github.calcitefaiss.embed.Catalog;
import io.github.calcitefaiss.embed.ModelDescription;
import io.github.calcitefaiss.embed.ModelFolder;
import io.github.calcitefaiss.embed.ModelInstaller;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code models}: which embedding models are installed, and which can be. */
@Command(
    name = "models",
    mixinStandardHelpOptions = true,
    description = "Lists the embedding models that are installed, and those that can be by name.")
final class ModelsCommand implements Callable<Integer> {
  private static final int WIDEST = 100;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws Main.CommandException {
    ModelFolder folder = ModelFolder.ours();
    PrintWriter out = spec.commandLine().getOut();
    try {
      Map<String, Object> installed = folder.list();
      String usual = folder.defaultName();
      TextTable table = new TextTable(List.of("model", "state", "about"), WIDEST);
      installed.forEach(
          (name, what) ->
              table.add(
                  List.of(
                      name,
                      what instanceof SQLException
                          ? "broken"
                          : name.equals(usual) ? "default" : "installed",
                      about(name, what))));
      for (String name : ModelInstaller.offered()) {
        if (!installed.containsKey(name)) {
          table.add(List.of(name, "", Catalog.OURS.models().get(name).about()));
        }
      }
      table.print(out, spec.commandLine().getColorScheme().ansi().enabled());
      out.println(
          "Models are in "
              + folder.path()
              + "; install one: ./sqlline install-model "
              + Catalog.DEFAULT);
      return Main.OK;
    } catch (SQLException e) {
      throw new Main.CommandException(e.getMessage(), e);
    }
  }

  private static String about(String name, Object what) {
    if (!(what instanceof ModelDescription model)) {
      return ((SQLException) what).getMessage();
    } else if (model.kind().equals(ModelDescription.HTTP)) {
      return model.model() + " at " + model.url() + ", " + model.dims() + " dimensions";
    }
    Catalog.Entry entry = Catalog.OURS.models().get(name);
    return entry != null ? entry.about() : "ONNX, " + model.dims() + " dimensions";
  }
}
