package tfx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--trace` writes every launch of a call.
final class TraceTest {
    @TempDir
    private Path folder;

    private String source() throws Exception {
        Path file = folder.resolve("two.tfx");
        Files.writeString(file, """
                program two(x: f32[N]) -> (y) {
                  order = sort(x);
                  return sort(order * 2.0 - sum(x));
                }
                """);
        return file.toString();
    }

    @Test
    void everyLaunchIsAnEvent() throws Exception {
        Path trace = folder.resolve("trace.json");
        assertThat(Main.run("run", source(), "x=[3, 1, 2]", "--trace=" + trace)).isEqualTo(Main.OK);
        JsonNode events = new ObjectMapper().readTree(trace.toFile()).get("traceEvents");
        assertThat(events.size()).isGreaterThanOrEqualTo(2);
        double end = 0;
        for (JsonNode event : events) {
            assertThat(event.get("ph").asText()).isEqualTo("X");
            assertThat(event.get("args").get("where").asText()).matches(".*\\.tfx:\\d+:\\d+");
            assertThat(event.get("ts").asDouble()).isGreaterThanOrEqualTo(end); // one after the other
            end = event.get("ts").asDouble() + event.get("dur").asDouble();
        }
    }

    @Test
    void aPlaceThatCannotBeWrittenFailsTheRun() throws Exception {
        Path nowhere = folder.resolve("none").resolve("trace.json");
        assertThat(Main.run("run", source(), "x=[3, 1, 2]", "--trace=" + nowhere))
                .isEqualTo(Main.RUN_FAILED);
    }
}
