package tfx.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import tfx.runtime.RunException;
import tfx.runtime.program.Executable;

/// What a call did on its machine, as a trace that Perfetto and Chrome open: complete events of the trace event
/// format, kernels in one row and transfers in another, times in microseconds since the first.
final class Trace implements Executable.Observer {
    private static final int KERNELS = 1;
    private static final int TRANSFERS = 2;

    private final List<Executable.Launched> launches = new ArrayList<>();
    private final List<Executable.Transferred> transfers = new ArrayList<>();

    @Override
    public void launched(Executable.Launched launch) {
        launches.add(launch);
    }

    @Override
    public void transferred(Executable.Transferred transfer) {
        transfers.add(transfer);
    }

    private static ObjectNode event(ArrayNode events, String name, String kind, int row, double start, double nanos) {
        ObjectNode event = events.addObject();
        event.put("name", name).put("cat", kind).put("ph", "X").put("pid", 1).put("tid", row);
        event.put("ts", start / 1e3).put("dur", nanos / 1e3);
        return event;
    }

    /// @throws RunException if the file cannot be written
    void write(Path file) {
        JsonNodeFactory json = JsonNodeFactory.instance;
        ArrayNode events = json.arrayNode();
        long first = LongStream.concat(
                        launches.stream().mapToLong(Executable.Launched::start),
                        transfers.stream().mapToLong(Executable.Transferred::start))
                .min()
                .orElse(0);
        for (Executable.Launched l : launches) {
            event(events, l.name(), "kernel", KERNELS, l.start() - first, l.nanos())
                    .putObject("args")
                    .put("where", l.where());
        }
        for (Executable.Transferred t : transfers) {
            String name = (t.toMachine() ? "write " : "read ") + t.name();
            event(events, name, "transfer", TRANSFERS, t.start() - first, t.nanos())
                    .putObject("args")
                    .put("bytes", t.bytes());
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
