package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.spi.ToolProvider;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.frontend.Frontend;
import tfx.frontend.Program;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.runtime.Tensor;
import tfx.runtime.program.Packaged;
import tfx.runtime.program.PlanFile;
import tfx.testkit.Close;
import tfx.testkit.Safetensors;
import tfx.testkit.Values;

/// A packaged jar runs in a process that has the JDK and the runtime alone, with vectors of every width and
/// without.
final class PackagerTest {
    private static final String SOURCE = """
            import nn;
            model Small(d: int = 24) {
              weights "w.safetensors" { up: Linear(d, 40); half: bf16[40, d]; wide: f32[64, d]; deep: f32[d, 32]; }
              program attend(x: f32[B, S*, d])
                -> (mixed: f32[B, S*, 40], total: f32[B, 40], spread: f32[B, 64], both: f32[B, 32]) {
                q = split_heads(x, 2);
                y = linear(merge_heads(attention(q, q, q, where = causal(S))), up.weight, up.bias);
                return y, mean_pool(y) + mean_pool(x @ transpose(f32(half))), mean_pool(x @ transpose(wide)),
                  mean_pool(x @ deep) + deep[0];
              }
              program powers(x: f32[N], n: i32[]) -> (y: f32[N]) {
                def step(i, s) { return s * x + f32(i); }
                return repeat(n, step, sort(x));
              }
              program look(x: f32[N], at: i32[M]) -> (y: f32[M]) {
                double = x * 2;
                return double[at];
              }
              program again(q: f32[2, S, 8], k: f32[2, T, 8], n: i32[]) -> (y: f32[2, S, 8]) {
                def step(i, s) { return softmax(s @ transpose(k)) @ k; }
                return repeat(n, step, q);
              }
            }
            """;
    private static final String ROWS = "[[[" + "0.5, -1, 0.25, 2, ".repeat(5) + "1, 2, 3, 4], ["
            + "1, 0, 0, -1, ".repeat(5) + "0, 1, 2, 3]], [[" + "0.1, ".repeat(23) + "1]]]";

    @TempDir
    private static Path folder;

    private static Path jar;
    private static Frontend.Checked checked;

    @BeforeAll
    static void compile() throws IOException {
        java.util.Random random = new java.util.Random(4);
        Safetensors.write(
                folder.resolve("w.safetensors"),
                Map.of(
                        "up.weight", Values.small(random, DType.F32, 40, 24),
                        "up.bias", Values.small(random, DType.F32, 40),
                        "half", Values.small(random, DType.BF16, 40, 24),
                        "wide", Values.small(random, DType.F32, 64, 24),
                        "deep", Values.small(random, DType.F32, 24, 32)));
        checked = Compiler.check("small.tfx", SOURCE.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).isEmpty();
        jar = folder.resolve("small.jar");
        List<String> classes = Packager.write(jar, "small", checked.programs(), folder, Optional.empty());
        assertThat(classes).containsExactly("small.Attend", "small.Powers", "small.Look", "small.Again");
    }

    /// The runtime's classes, as a class path of nothing else.
    private static String runtime() throws Exception {
        return Path.of(Tensor.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI())
                .toString();
    }

    private record Run(int code, String output) {}

    private static Run java(String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-cp",
                runtime() + java.io.File.pathSeparator + jar));
        command.addAll(2, List.of(words).stream().filter(w -> w.startsWith("-")).toList());
        command.addAll(List.of(words).stream().filter(w -> !w.startsWith("-")).toList());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Run(process.waitFor(), output);
    }

    /// What the evaluator gives for the same arguments.
    private static Map<String, Nd> expected() throws IOException {
        Nd x = Nd.zeros(DType.F32, 3, 24);
        String[] numbers = ROWS.replaceAll("[\\[\\] ]", "").split(",");
        for (int i = 0; i < numbers.length; i++) {
            x.floats()[i] = (float) Double.parseDouble(numbers[i]);
        }
        Nd offsets = Nd.zeros(DType.I32, 3);
        offsets.longs()[1] = 2;
        offsets.longs()[2] = 3;
        try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofShared()) {
            Map<String, Tensor> weights =
                    Session.weights(checked.programs().getFirst(), folder, Optional.empty(), arena);
            return Evaluator.run(
                    checked.programs().getFirst().graph(),
                    Map.of("x", x, "x.offsets", offsets),
                    name -> Nd.of(weights.get(name)));
        }
    }

    private static Nd printed(String output, String name, Nd like) {
        String line = output.lines()
                .filter(l -> l.startsWith(name + " = "))
                .findFirst()
                .orElseThrow(() -> new AssertionError(output));
        String[] numbers = line.substring(line.indexOf('=') + 1)
                .replaceAll("[\\[\\] ]", "")
                .split(",");
        Nd nd = Nd.zeros(like.dtype(), like.shape());
        for (int i = 0; i < numbers.length; i++) {
            nd.floats()[i] = Double.parseDouble(numbers[i]);
        }
        return nd;
    }

    @Test
    void everyWidthGivesTheResults() throws Exception {
        Map<String, Nd> expected = expected();
        String vectors = "--add-modules=jdk.incubator.vector";
        for (String[] flags :
                new String[][] {{vectors}, {vectors, "-XX:UseAVX=2"}, {vectors, "-XX:UseAVX=0"}, {"-Dscalar"}}) {
            List<String> words = new ArrayList<>(List.of(flags));
            words.addAll(List.of("small.Attend", "x=" + ROWS));
            Run run = java(words.toArray(String[]::new));
            assertThat(run.code()).as(run.output()).isZero();
            expected.forEach((name, value) -> assertThat(
                            Close.difference(value, printed(run.output(), name, value), 64, DType.F32))
                    .as("%s with %s", name, List.of(flags))
                    .isEmpty());
            assertThat(run.output().contains("run without vectors")).isEqualTo(flags[0].equals("-Dscalar"));
        }
    }

    @Test
    void loopsSortsAndErrors() throws Exception {
        Run powers = java("small.Powers", "x=[3, 1, 2]", "n=2");
        assertThat(powers.output()).contains("y = [10.0, 3.0, 13.0]");
        Run outside = java("small.Look", "x=[1, 2]", "at=[0, 2]");
        assertThat(outside.code()).isEqualTo(3);
        assertThat(outside.output()).contains("index 2 is outside 0..1").contains("small.tfx:1");
        Run wrong = java("small.Look", "x=[[1]]", "at=[0]");
        assertThat(wrong.code()).isEqualTo(3);
        assertThat(wrong.output()).contains("'x'").contains("f32[N]");
        Run text = java("small.Look", "x=[1", "at=[0]");
        assertThat(text.code()).isEqualTo(3);
    }

    /// A loop whose attention has kernels for few queries and for many.
    @ParameterizedTest
    @ValueSource(ints = {1, 20})
    void callsChooseKernels(int queries) throws Exception {
        java.util.Random random = new java.util.Random(5);
        Nd trips = Nd.zeros(DType.I32);
        trips.longs()[0] = 3;
        Map<String, Nd> inputs = Map.of(
                "q", Values.small(random, DType.F32, 2, queries, 8),
                "k", Values.small(random, DType.F32, 2, 1000, 8),
                "n", trips);
        try (java.net.URLClassLoader loader = new java.net.URLClassLoader(
                        new java.net.URL[] {jar.toUri().toURL()});
                java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofShared()) {
            Map<String, Tensor> weights =
                    Session.weights(checked.programs().getLast(), folder, Optional.empty(), arena);
            Nd expected = Evaluator.run(checked.programs().getLast().graph(), inputs, name -> Nd.of(weights.get(name)))
                    .get("y");
            Object program = loader.loadClass("small.Again").getMethod("load").invoke(null);
            try (AutoCloseable closing = (AutoCloseable) program) {
                Object y = program.getClass()
                        .getMethod("again", java.lang.foreign.Arena.class, Tensor.class, Tensor.class, Tensor.class)
                        .invoke(
                                program,
                                arena,
                                inputs.get("q").toTensor(arena),
                                inputs.get("k").toTensor(arena),
                                trips.toTensor(arena));
                assertThat(Close.difference(expected, Nd.of((Tensor) y), 1000)).isEmpty();
            }
        }
    }

    @Test
    void stackTracesPointIntoTheSource() throws Exception {
        try (java.net.URLClassLoader loader =
                new java.net.URLClassLoader(new java.net.URL[] {jar.toUri().toURL()})) {
            Object program = loader.loadClass("small.Look").getMethod("load").invoke(null);
            try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofShared();
                    AutoCloseable closing = (AutoCloseable) program) {
                Tensor x = Tensor.of(arena, new float[] {1, 2}, 2);
                Tensor at = Tensor.of(arena, new int[] {5}, 1);
                Throwable failure = org.assertj.core.api.Assertions.catchThrowable(() -> program.getClass()
                        .getMethod("look", java.lang.foreign.Arena.class, Tensor.class, Tensor.class)
                        .invoke(program, arena, x, at));
                Throwable cause = failure;
                List<String> frames = new ArrayList<>();
                while (cause != null) {
                    for (StackTraceElement frame : cause.getStackTrace()) {
                        frames.add(frame.getFileName() + ":" + frame.getLineNumber());
                    }
                    cause = cause.getCause();
                }
                assertThat(frames).contains("small.tfx:17");
                assertThat(closing).isSameAs(program);
            }
        }
    }

    /// Whichever parts are hot: among others, the largest register tile without those for the rows that it leaves.
    @Test
    void callsGiveTheSameBitsWhicheverCodeIsWarm() throws Exception {
        try (java.net.URLClassLoader loader = new java.net.URLClassLoader(
                        new java.net.URL[] {jar.toUri().toURL()});
                Packaged program = (Packaged)
                        loader.loadClass("small.Attend").getMethod("load").invoke(null);
                java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofShared()) {
            int preferred = jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length();
            int lanes = IntStream.of(16, 8, 4)
                    .filter(width -> width <= preferred)
                    .findFirst()
                    .orElseThrow();
            boolean[] hot = (boolean[]) loader.loadClass("small.attend.v" + lanes + ".Parts0")
                    .getField("HOT")
                    .get(null);
            java.util.Random random = new java.util.Random(5);
            for (int rows = 5; rows <= 13; rows++) {
                float[] numbers = new float[rows * 24];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = random.nextFloat() - 0.5f;
                }
                Map<String, ?> arguments = Map.of("x", List.of(Tensor.of(arena, numbers, rows, 24)));
                float[] first = program.call(arguments, arena).get("spread").toFloats();
                for (int times = 0; times < 40; times++) {
                    for (int part = 0; part < hot.length; part++) {
                        hot[part] = random.nextBoolean();
                    }
                    assertThat(program.call(arguments, arena).get("spread").toFloats())
                            .containsExactly(first);
                }
            }
        }
    }

    /// Products that read parts of one weight, in one program and in two of a model, and the weight itself.
    @Test
    void oneWeightIsStoredForEachWayItIsRead() throws Exception {
        String source = """
                model Cut(d: int = 24) {
                  weights "cut.safetensors" { w: f32[24, 64]; back: f32[32, 8]; square: f32[32, 32]; }
                  program parts(x: f32[N, 24]) -> (a: f32[N, 64], b: f32[N, 32], c: f32[N, 64], d: f32[64]) {
                    return x @ w, x @ w[:, :32], x[:, :16] @ w[:16], w[3];
                  }
                  program less(x: f32[N, 8]) -> (a: f32[N, 64], b: f32[N, 32]) {
                    return x @ w[:8], x @ transpose(back)[::-1];
                  }
                  program again(x: f32[N, 32]) -> (a: f32[N, 32], b: f32[32, 32]) {
                    def step(i, s) { return s @ square; }
                    return repeat(3, step, x), repeat(2, step, square);
                  }
                }
                """;
        java.util.Random random = new java.util.Random(6);
        Safetensors.write(
                folder.resolve("cut.safetensors"),
                Map.of(
                        "w", Values.small(random, DType.F32, 24, 64),
                        "back", Values.small(random, DType.F32, 32, 8),
                        "square", Values.small(random, DType.F32, 32, 32)));
        Frontend.Checked cut = Compiler.check("cut.tfx", source.getBytes(StandardCharsets.UTF_8));
        assertThat(cut.diagnostics()).isEmpty();
        Path before = jar;
        Path written = folder.resolve("cut.jar");
        Packager.write(written, "cut", cut.programs(), folder, Optional.empty());
        int[] widths = {24, 8, 32};
        for (int at = 0; at < widths.length; at++) {
            Program program = cut.programs().get(at);
            Nd x = Values.small(random, DType.F32, 3, widths[at]);
            Map<String, Nd> expected;
            try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofShared()) {
                Map<String, Tensor> weights = Session.weights(cut.programs().get(at), folder, Optional.empty(), arena);
                expected =
                        Evaluator.run(cut.programs().get(at).graph(), Map.of("x", x), name -> Nd.of(weights.get(name)));
            }
            List<List<Double>> rows = new ArrayList<>();
            for (int row = 0; row < 3; row++) {
                rows.add(java.util.Arrays.stream(x.floats(), row * widths[at], (row + 1) * widths[at])
                        .boxed()
                        .toList());
            }
            for (String width : new String[] {"-XX:UseAVX=3", "-XX:UseAVX=2", "-XX:UseAVX=0"}) {
                jar = written;
                Run run = java(
                        "--add-modules=jdk.incubator.vector",
                        width,
                        List.of("cut.Parts", "cut.Less", "cut.Again").get(at),
                        "x=" + rows);
                jar = before;
                assertThat(run.code()).as(run.output()).isZero();
                expected.forEach((name, value) -> assertThat(
                                Close.difference(value, printed(run.output(), name, value), 64, DType.F32))
                        .as("%s with %s", name, width)
                        .isEmpty());
            }
        }
    }

    @Test
    void onlyTheJdkIsNeeded() throws Exception {
        java.io.StringWriter out = new java.io.StringWriter();
        ToolProvider.findFirst("jdeps")
                .orElseThrow()
                .run(
                        new java.io.PrintWriter(out),
                        new java.io.PrintWriter(out),
                        "--multi-release",
                        "25",
                        "-cp",
                        runtime(),
                        "-s",
                        jar.toString(),
                        runtime());
        for (String line : out.toString().lines().toList()) {
            String needed = line.substring(line.indexOf("->") + 2).strip();
            assertThat(needed.startsWith("java.base")
                            || needed.startsWith("jdk.incubator.vector")
                            || line.startsWith("small.jar"))
                    .as(out.toString())
                    .isTrue();
            assertThat(needed).as(out.toString()).doesNotContain("not found");
        }
    }

    @Test
    void anotherRuntimeVersionIsRefused() throws Exception {
        Path changed = folder.resolve("old.jar");
        Files.copy(jar, changed);
        try (FileSystem zip = FileSystems.newFileSystem(changed)) {
            for (int lanes : new int[] {1, 4, 8, 16}) {
                Path plan = zip.getPath("small", "look." + lanes + ".plan");
                byte[] bytes = Files.readAllBytes(plan);
                bytes[7] = (byte) (PlanFile.ABI + 1);
                Files.write(plan, bytes);
            }
        }
        Path before = jar;
        jar = changed;
        Run run = java("small.Look", "x=[1]", "at=[0]");
        jar = before;
        assertThat(run.code()).isNotZero();
        assertThat(run.output())
                .contains("version %d of tfx-runtime, this is version %d".formatted(PlanFile.ABI + 1, PlanFile.ABI));
    }

    @Test
    void plansSayWhereWeightsLie() throws Exception {
        byte[] bytes = Files.readAllBytes(jar);
        ByteBuffer contents = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            PlanFile plan =
                    PlanFile.read("attend", zip.getInputStream(zip.getEntry("small/attend.16.plan")), kernels -> {});
            assertThat(plan.weights())
                    .extracting(PlanFile.StoredWeight::name)
                    .containsExactlyInAnyOrder(
                            "up.weight",
                            "up.bias",
                            "half",
                            "wide as 24 x 64 in panels of 32, 0+1k+24n",
                            "deep",
                            "deep as 24 x 32 in panels of 32, 0+32k+1n");
            for (PlanFile.StoredWeight weight : plan.weights()) {
                int header = (int) weight.header();
                int name = contents.getShort(header + 26);
                assertThat(new String(bytes, header + 30, name, StandardCharsets.UTF_8))
                        .isEqualTo("small/weights/" + weight.resource());
                assertThat((header + 30 + name + contents.getShort(header + 28)) % Tensor.ALIGNMENT)
                        .isZero();
            }
        }
    }

    @Test
    void aJarThatAnotherToolWroteAgainRuns() throws Exception {
        Path again = folder.resolve("other.jar");
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(jar));
                ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(again))) {
            out.putNextEntry(new ZipEntry("first"));
            out.write(new byte[100]);
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                out.putNextEntry(new ZipEntry(entry.getName()));
                in.transferTo(out);
            }
        }
        Path before = jar;
        jar = again;
        Run run = java("--add-modules=jdk.incubator.vector", "small.Attend", "x=" + ROWS);
        jar = before;
        assertThat(run.code()).as(run.output()).isZero();
        expected()
                .forEach((name, value) -> assertThat(
                                Close.difference(value, printed(run.output(), name, value), 64, DType.F32))
                        .as(name)
                        .isEmpty());
    }

    @Test
    void theSameProgramsGiveTheSameBytes() throws Exception {
        Path again = folder.resolve("again.jar");
        Packager.write(again, "small", checked.programs(), folder, Optional.empty());
        assertThat(Files.mismatch(again, jar)).isEqualTo(-1);
    }
}
