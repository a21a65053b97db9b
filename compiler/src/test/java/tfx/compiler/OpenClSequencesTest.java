package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// Calls whose launches are too many, or work on too much memory, for one command; and calls that fail in between.
final class OpenClSequencesTest {
    private static final int ROWS = 37;

    private static Session open(String source, Session.Backend backend) {
        var checked = Compiler.check("sequences.tfx", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).isEmpty();
        Session.Options options = new Session.Options(backend, Optional.empty(), 1);
        return new Session(checked.programs().getFirst(), Path.of(""), options, (f, l) -> {
            throw new IOException("no tokenizer");
        });
    }

    /// Small integers, whose sums are exact.
    private static Tensor numbers(Arena arena, int seed) {
        float[] values = new float[ROWS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (seed * 31 + i * 7) % 5 - 2;
        }
        return Tensor.of(arena, values, ROWS);
    }

    @Test
    void moreMemoriesThanSlots() {
        int inputs = 300;
        StringBuilder source = new StringBuilder("program p(");
        for (int i = 0; i < inputs; i++) {
            source.append(i == 0 ? "" : ", ").append("x").append(i).append(": f32[N]");
        }
        source.append(") -> (y) {\n  y = cumsum(x0);\n");
        for (int i = 1; i < inputs; i++) {
            source.append("  y = cumsum(x").append(i).append(" - y % 3.0);\n");
        }
        source.append("  return y;\n}\n");
        try (Arena arena = Arena.ofShared();
                Session cpu = open(source.toString(), Session.Backend.CPU);
                Session opencl = open(source.toString(), Session.Backend.OPENCL)) {
            Map<String, Tensor> arguments = new HashMap<>();
            for (int i = 0; i < inputs; i++) {
                arguments.put("x" + i, numbers(arena, i));
            }
            same(cpu, opencl, arguments, arena);
        }
    }

    @Test
    void moreLaunchesThanOneCommandTakes() {
        String source = """
                program p(x: f32[N]) -> (y) {
                  y = x;
                  for i in range(600) {
                    y = cumsum(cumsum(y % 5.0) % 3.0 - x);
                  }
                  return y;
                }
                """;
        try (Arena arena = Arena.ofShared();
                Session cpu = open(source, Session.Backend.CPU);
                Session opencl = open(source, Session.Backend.OPENCL)) {
            same(cpu, opencl, Map.of("x", numbers(arena, 1)), arena);
        }
    }

    @Test
    void loopsOfTheProgram() {
        String source = """
                def more(state) { return state[0] < 300; }
                def next(state) { return [state[0] + 1, cumsum(state[1] % 5.0)]; }
                def again(i, y) { return cumsum(y % 3.0) - y; }
                program p(x: f32[N]) -> (y) {
                  y = while_loop(more, next, [0, x])[1];
                  return repeat(300, again, cumsum(y % 7.0));
                }
                """;
        try (Arena arena = Arena.ofShared();
                Session cpu = open(source, Session.Backend.CPU);
                Session opencl = open(source, Session.Backend.OPENCL)) {
            same(cpu, opencl, Map.of("x", numbers(arena, 1)), arena);
        }
    }

    private static void same(Session cpu, Session opencl, Map<String, Tensor> arguments, Arena arena) {
        float[] expected = cpu.call(arguments, arena).outputs().get("y").toFloats();
        Executable.Observer observer = launch -> {};
        for (int i = 0; i < 20; i++) {
            assertThat(opencl.call(arguments, arena).outputs().get("y").toFloats())
                    .isEqualTo(expected);
        }
        assertThat(opencl.call(arguments, arena, observer).outputs().get("y").toFloats())
                .as("each launch as a command")
                .isEqualTo(expected);
    }

    @Test
    void aFailedCallLeavesNoTrace() {
        String source = """
                program p(x: f32[N], ids: i32[M]) -> (y) {
                  return cumsum(cumsum(x)[ids]);
                }
                """;
        try (Arena arena = Arena.ofShared();
                Session cpu = open(source, Session.Backend.CPU);
                Session opencl = open(source, Session.Backend.OPENCL)) {
            Tensor x = numbers(arena, 3);
            for (int i = 0; i < 3; i++) {
                Tensor wrong = Tensor.of(arena, new int[] {1, ROWS, 2}, 3);
                assertThatThrownBy(() -> opencl.call(Map.of("x", x, "ids", wrong), arena))
                        .isInstanceOf(RunException.class)
                        .hasMessageContaining("index 37 is outside 0..36")
                        .hasMessageContaining("sequences.tfx:2");
                same(cpu, opencl, Map.of("x", x, "ids", Tensor.of(arena, new int[] {5, 0}, 2)), arena);
            }
        }
    }

    /// The test reads what was never there: a loop that went on would not end.
    @Test
    void aFailedTestEndsItsLoop() {
        String source = """
                def more(i) { return tensor([1, 1, 1, 1, 1], dtype = i32)[i] > 0; }
                def next(i) { return i + 1; }
                program p(i: i32) -> (y) { return while_loop(more, next, i); }
                """;
        try (Arena arena = Arena.ofShared();
                Session opencl = open(source, Session.Backend.OPENCL)) {
            Tensor first = Tensor.of(arena, new int[] {2});
            assertThatThrownBy(() -> opencl.call(Map.of("i", first), arena))
                    .isInstanceOf(RunException.class)
                    .hasMessageContaining("index 5 is outside 0..4");
        }
    }
}
