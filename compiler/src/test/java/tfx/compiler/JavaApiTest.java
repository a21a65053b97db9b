package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tfx.ir.sequence.Atom;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;

/// The Java API used rightly and wrongly: what is wrong is an exception that names the argument, the sizes and
/// the fix.
final class JavaApiTest {
    private static final int CALLERS = 8;
    private static final String SOURCE = """
            program mix(x: f32[N, 4], y: f32[N], rows: f32[B, S*, 4]) -> (sum: f32[N, 4], means) {
              return x + unflatten(y, 0, [N, 1]), mean(rows, axis = 1);
            }
            program first(x: f32[N, 4]) -> (row) { return x[0]; }
            program place(x: f32[N], at: i32[M]) -> (y: i32[M]) { return positions(N)[at]; }
            """;

    @TempDir
    private Path folder;

    private LoadedFile file = new LoadedFile("", List.of(), Map.of(), Path.of(""), Tfx.Options.defaults());
    private Arena arena = Arena.ofShared();

    @BeforeEach
    void load() throws IOException {
        Path source = folder.resolve("mix.tfx");
        Files.writeString(source, SOURCE);
        file = Tfx.load(source);
    }

    @AfterEach
    void close() {
        file.close();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    private Tensor ones(long... shape) {
        Tensor tensor = Tensor.zeros(arena, DType.F32, shape);
        for (long i = 0; i < tensor.count(); i++) {
            tensor.setDouble(i, 1);
        }
        return tensor;
    }

    @Test
    void callsByPositionAndByName() {
        LoadedProgram mix = file.program("mix");
        Map<String, Tensor> byPosition = mix.call(arena, ones(2, 4), ones(2), List.of(ones(3, 4), ones(1, 4)));
        assertThat(byPosition.keySet()).containsExactly("sum", "means");
        assertThat(byPosition.get("sum").toFloats()).containsOnly(2);
        Map<String, Tensor> byName =
                mix.call(arena, Map.of("x", ones(2, 4), "y", ones(2), "rows", List.of(ones(3, 4), ones(1, 4))));
        assertThat(byName.get("means").toFloats())
                .isEqualTo(byPosition.get("means").toFloats());
        Map<String, Tensor> empty =
                mix.call(arena, ones(2, 4), ones(2), List.of(ones(3, 4), Tensor.zeros(arena, DType.F32, 0, 0)));
        assertThat(empty.get("means").toFloats()).contains(1, Float.NaN);
        assertThat(file.programs()).containsExactly("mix", "first", "place");
        assertThat(mix.signature().parameters()).hasSize(3);
    }

    private void refused(String[] parts, Object... arguments) {
        var thrown = assertThatThrownBy(() -> file.program("mix").call(arena, arguments))
                .isInstanceOf(RunException.class);
        for (String part : parts) {
            thrown.hasMessageContaining(part);
        }
    }

    @Test
    void sequencesRunOnAtoms() throws Exception {
        Path source = Files.writeString(folder.resolve("s.rasp"), "hist = selector_width(select(tokens, tokens, ==));");
        List<Atom> tokens = List.of(Atom.of("a"), Atom.of("b"), Atom.of("a"));
        SequenceSession kept;
        try (LoadedFile sequences = Tfx.load(source)) {
            kept = sequences.sequence("hist");
            assertThat(sequences.sequences()).containsExactly("hist");
            assertThat(kept.run(tokens)).containsExactly(List.of(Atom.of(2), Atom.of(1), Atom.of(2)));
            assertThatThrownBy(() -> sequences.sequence("none")).isInstanceOf(RunException.class);
        }
        assertThatThrownBy(() -> kept.run(tokens)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void wrongArgumentsAreNamedWithTheirSizes() {
        List<Tensor> rows = List.of(ones(1, 4));
        refused(
                new String[] {"'x'", "[2, 5]", "f32[N, 4]", "dimension 1 must be 4, it is 5"},
                ones(2, 5),
                ones(2),
                rows);
        refused(
                new String[] {"'y'", "[3]", "dimension 0 must be N = 2 (N = 2 from 'x'), it is 3"},
                ones(2, 4),
                ones(3),
                rows);
        refused(new String[] {"'y'", "[2, 1]", "it has 2 dimensions instead of 1"}, ones(2, 4), ones(2, 1), rows);
        refused(new String[] {"'x'", "i32[2, 4]", "make it f32"}, Tensor.zeros(arena, DType.I32, 2, 4), ones(2), rows);
        refused(new String[] {"'rows'", "f32[B, S*, 4]", "a list of rows is due"}, ones(2, 4), ones(2), ones(1, 4));
        refused(new String[] {"'rows'", "row 1 is f32[1, 5]"}, ones(2, 4), ones(2), List.of(ones(1, 4), ones(1, 5)));
        refused(new String[] {"'rows'", "a row is a tensor"}, ones(2, 4), ones(2), List.of("text"));
        refused(new String[] {"takes 3 arguments", "x: f32[N, 4]", "not 1"}, ones(2, 4));
        assertThatThrownBy(() -> file.program("mix").call(arena, Map.of("z", ones(1))))
                .hasMessageContaining("argument 'x' is missing");
        assertThatThrownBy(() -> file.program("mx")).hasMessageContaining("it has [mix, first, place]");
        assertThatThrownBy(() -> file.program("first").call(arena, ones(0, 4)))
                .hasMessageContaining("a slice (")
                .hasMessageContaining("mix.tfx:4")
                .hasMessageContaining("has 0");
        assertThatThrownBy(() -> file.program("place").call(arena, ones(2), Tensor.of(arena, new int[] {1, 77}, 2)))
                .hasMessageContaining("index 77 is outside 0..1")
                .hasMessageContaining("mix.tfx:5");
        assertThatThrownBy(() -> new Tfx.Options(Optional.empty(), 0)).hasMessageContaining("at least one thread");
    }

    @Test
    void closedArenasAndFilesAreNamed() {
        Tensor kept = ones(2, 4);
        LoadedProgram first = file.program("first");
        Arena other = Arena.ofShared();
        Tensor gone = Tensor.zeros(other, DType.F32, 2, 4);
        other.close();
        assertThatThrownBy(() -> first.call(arena, gone))
                .isInstanceOf(RunException.class)
                .hasMessageContaining("'x'")
                .hasMessageContaining("keep the arena open");
        assertThatThrownBy(() -> first.call(other, kept))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("arena for the results is closed");
        Tensor result = first.call(arena, kept).get("row");
        file.close();
        assertThatThrownBy(() -> first.call(arena, kept))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("first is closed");
        assertThatThrownBy(() -> file.program("first")).hasMessageContaining("is closed");
        assertThat(result.toFloats()).containsOnly(1);
        arena.close();
        assertThatThrownBy(result::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void manyCallersAtOnceGetTheSameBits() throws Exception {
        LoadedProgram mix = file.program("mix");
        try (ExecutorService threads = Executors.newFixedThreadPool(CALLERS)) {
            List<Future<Map<String, List<Float>>>> calls = new ArrayList<>();
            for (int i = 0; i < CALLERS * 20; i++) {
                Tensor x = numbers(lengthOf(i));
                Callable<Map<String, List<Float>>> call = () -> mixed(mix, x);
                calls.add(threads.submit(call));
            }
            for (int i = 0; i < calls.size(); i++) {
                assertThat(calls.get(i).get()).isEqualTo(mixed(mix, numbers(lengthOf(i))));
            }
        }
    }

    private Tensor numbers(int rows) {
        Tensor tensor = ones(rows, 4);
        for (long i = 0; i < tensor.count(); i++) {
            tensor.setDouble(i, i % 7 * 0.1);
        }
        return tensor;
    }

    private Map<String, List<Float>> mixed(LoadedProgram mix, Tensor x) {
        try (Arena own = Arena.ofConfined()) {
            Map<String, Tensor> results = mix.call(own, x, ones(x.count() / 4), List.of(x, x));
            return Map.of("sum", floats(results.get("sum")), "means", floats(results.get("means")));
        }
    }

    private static List<Float> floats(Tensor tensor) {
        List<Float> all = new ArrayList<>();
        for (float value : tensor.toFloats()) {
            all.add(value);
        }
        return all;
    }

    private static int lengthOf(int call) {
        return 300 + call / 3 % 4;
    }

    @Test
    void whatSizesDecideIsFoundAgainForOtherSizes() {
        LoadedProgram mix = file.program("mix");
        for (int length : new int[] {3, 3, 7, 3, 0, 7}) {
            assertThat(mix.call(arena, ones(length, 4), ones(length), List.of(ones(2, 4)))
                            .get("sum")
                            .shape())
                    .containsExactly(length, 4);
            assertThatThrownBy(() -> mix.call(arena, ones(length, 4), ones(length + 1), List.of()))
                    .isInstanceOf(RunException.class)
                    .hasMessageContaining("'y'");
        }
        LoadedProgram first = file.program("first");
        for (int i = 0; i < 2; i++) {
            assertThat(first.call(arena, ones(1, 4)).get("row").toFloats()).containsOnly(1);
            assertThatThrownBy(() -> first.call(arena, ones(0, 4))).isInstanceOf(RunException.class);
        }
    }

    @Test
    void wrongSourcesGiveTheirDiagnostics() throws IOException {
        Path source = folder.resolve("wrong.tfx");
        Files.writeString(source, "program p(x: f32[N]) -> (y) { y = x + z; }");
        assertThatThrownBy(() -> Tfx.load(source))
                .isInstanceOf(Tfx.SourceException.class)
                .hasMessageContaining("unknown name 'z'")
                .hasMessageContaining("wrong.tfx:1");
        assertThatThrownBy(() -> Tfx.load(folder.resolve("none.tfx"))).isInstanceOf(IOException.class);
    }
}
