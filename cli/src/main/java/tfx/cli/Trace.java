package tfx.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tfx.runtime.RunException;
import tfx.runtime.program.Executable;

/// The launches of a call as a trace that Perfetto and Chrome open: complete events of the trace event format,
/// times in microseconds since the first.
final class Trace implements Executable.Observer {
    private final List<Executable.Launched> launches = new ArrayList<>();

    @Override
    public void launched(Executable.Launched launch) {
        launches.add(launch);
    }

    /// @throws RunException if the file cannot be written
    void write(Path file) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        ArrayNode events = json.arrayNode();
        for (Executable.Launched launch : launches) {
            ObjectNode event = events.addObject();
            event.put("name", launch.name())
                    .put("cat", "kernel")
                    .put("ph", "X")
                    .put("pid", 1)
                    .put("tid", 1);
            event.put("ts", (launch.start() - launches.getFirst().start()) / 1e3);
            event.put("dur", launch.nanos() / 1e3);
            event.putObject("args").put("where", launch.where());
        }
        ObjectNode all = json.objectNode();
        all.set("traceEvents", events);
        all.put("displayTimeUnit", "ms");
        try {
            Files.writeString(file, JsonValues.write(all));
        } catch (IOException e) {
            throw new RunException(
                    "cannot write the trace " + file + " (" + e.getClass().getSimpleName()
                            + "); does its folder exist, and may it be written?",
                    e);
        }
    }
}
