package tfx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The OpenCL backend from the command line, each time in a process of its own: what it prints, and how it fails
/// where it cannot run. It never falls back to another backend.
final class OpenClTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    private record Ran(int code, String out, String errors) {}

    private Ran run(Map<String, String> environment, List<String> jvm, String... arguments) throws Exception {
        Path out = folder.resolve("out");
        Path errors = folder.resolve("errors");
        ProcessBuilder builder = new ProcessBuilder(CommandLines.tfx(jvm, arguments))
                .redirectOutput(out.toFile())
                .redirectError(errors.toFile());
        builder.environment().putAll(environment);
        int code = builder.start().waitFor();
        return new Ran(code, Files.readString(out), Files.readString(errors));
    }

    private String source(String text) throws Exception {
        Path file = folder.resolve("p.tfx");
        Files.writeString(file, text);
        return file.toString();
    }

    private String doubled() throws Exception {
        return source("program p(x: f32[N]) -> (y) { return x * 2.0 + sum(x); }\n");
    }

    @Test
    void devicesAreListed() throws Exception {
        Ran ran = run(Map.of(), List.of(), "devices", "--json");
        assertThat(ran.code).as(ran.errors).isZero();
        JsonNode first = JSON.readTree(ran.out).get("devices").get(0);
        assertThat(first.get("device").asInt()).isZero();
        assertThat(first.get("memory").asLong()).isPositive();
        assertThat(run(Map.of(), List.of(), "devices").out)
                .contains("0  " + first.get("name").asText());
    }

    @Test
    void aProgramRuns() throws Exception {
        Ran ran = run(Map.of(), List.of(), "run", doubled(), "x=[1, 2, 3]", "--backend=opencl", "--json");
        assertThat(ran.code).as(ran.errors).isZero();
        JsonNode result = JSON.readTree(ran.out);
        assertThat(result.get("backend").asText()).isEqualTo("opencl");
        assertThat(result.get("outputs").get("y")).hasToString("[8.0,10.0,12.0]");
    }

    @Test
    void aMissingDeviceFails() throws Exception {
        Ran ran = run(Map.of(), List.of(), "run", doubled(), "x=[1]", "--backend=opencl", "--device=7");
        assertThat(ran.code).isEqualTo(Main.RUN_FAILED);
        assertThat(ran.errors).contains("no OpenCL device 7").contains("tfx devices");
        assertThat(ran.out).isEmpty();
    }

    @Test
    void aMissingDriverFails() throws Exception {
        Map<String, String> none =
                Map.of("OCL_ICD_VENDORS", folder.resolve("none").toString());
        for (String[] command : new String[][] {
            {"run", doubled(), "x=[1]", "--backend=opencl"}, {"devices"},
        }) {
            Ran ran = run(none, List.of(), command);
            assertThat(ran.code).isEqualTo(Main.RUN_FAILED);
            assertThat(ran.errors)
                    .contains("no driver")
                    .contains("apt-get install")
                    .contains("pocl-opencl-icd");
        }
    }

    @Test
    void aMissingLoaderFails() throws Exception {
        List<String> elsewhere = List.of("-Dorg.lwjgl.opencl.libname=" + folder.resolve("libNone.so"));
        Ran ran = run(Map.of(), elsewhere, "run", doubled(), "x=[1]", "--backend=opencl");
        assertThat(ran.code).isEqualTo(Main.RUN_FAILED);
        assertThat(ran.errors).contains("no OpenCL loader").contains("ocl-icd-libopencl1");
    }

    @Test
    void tooLittleMemoryFails() throws Exception {
        String file = source("""
                program p(x: f32[N]) -> (y) {
                  table = reshape(x, [N, 1]) * reshape(x, [1, N]);
                  return sum(f32(argsort(table)));
                }
                """);
        String many = "[" + "1,".repeat(49_999) + "1]"; // a table of 10 GB
        Ran ran = run(Map.of(), List.of(), "run", file, "x=" + many, "--backend=opencl");
        assertThat(ran.code).as(ran.errors).isEqualTo(Main.RUN_FAILED);
        assertThat(ran.errors).contains("cannot allocate").contains("make the input smaller");
    }

    @Test
    void aLookupBeyondTheTableFailsWithItsPlace() throws Exception {
        String file = source("program p(t: f32[N], i: i32[M]) -> (y) { return t[i]; }\n");
        Ran ran = run(Map.of(), List.of(), "run", file, "t=[1, 2, 3]", "i=[0, 7]", "--backend=opencl");
        assertThat(ran.code).isEqualTo(Main.RUN_FAILED);
        assertThat(ran.errors).contains("index 7 is outside 0..2").contains("p.tfx:1:");
    }

    @Test
    void aTraceHoldsEveryLaunch() throws Exception {
        Path trace = folder.resolve("trace.json");
        String[] command = {"run", doubled(), "x=[1, 2, 3]", "--backend=opencl", "--trace=" + trace};
        assertThat(run(Map.of(), List.of(), command).code).isZero();
        JsonNode events = JSON.readTree(trace.toFile()).get("traceEvents");
        TreeSet<String> kinds = new TreeSet<>();
        for (JsonNode event : events) {
            kinds.add(event.get("cat").asText());
            assertThat(event.get("ts").asDouble()).isNotNegative();
            assertThat(event.get("dur").asDouble()).isNotNegative();
        }
        assertThat(kinds).contains("kernel");
    }
}
