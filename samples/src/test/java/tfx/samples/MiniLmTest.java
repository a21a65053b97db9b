package tfx.samples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tfx.cli.HuggingFaceTokenizers;
import tfx.compiler.Compiler;
import tfx.compiler.Pipeline;
import tfx.compiler.Session;
import tfx.frontend.Program;
import tfx.ir.Target;
import tfx.ir.graph.GraphText;
import tfx.ir.kernel.ProgramText;

/// The sentence encoder: known numbers, the evaluator, batches, threads.
final class MiniLmTest {
    private static final int WIDTH = 384;
    private static final Path FOLDER = Path.of("minilm");

    private static Program program;
    private static Session session;

    @BeforeAll
    static void load() throws Exception {
        program = Compiler.check(FOLDER.resolve("minilm.tfx")).programs().getFirst();
        session = open(Session.Backend.CPU);
    }

    private static Session open(Session.Backend backend) {
        return new Session(
                program, FOLDER, new Session.Options(backend, Optional.empty(), 2), new HuggingFaceTokenizers());
    }

    @AfterAll
    static void close() {
        session.close();
    }

    private static float[] embed(Session session, List<?> rows) {
        try (Arena arena = Arena.ofShared()) {
            return session.call(Map.of("text", rows), arena)
                    .outputs()
                    .get("embedding")
                    .toFloats();
        }
    }

    /// The values that ONNX Runtime gives for these ids, to six digits.
    @Test
    void knownNumbers() {
        float[] embedding = embed(session, List.of(new int[] {101, 7592, 2088, 102}));
        assertThat(embedding).hasSize(WIDTH);
        assertThat(embedding[0]).isCloseTo(-0.034477f, within(2e-6f));
        assertThat(embedding[1]).isCloseTo(0.031023f, within(2e-6f));
        assertThat(embedding[2]).isCloseTo(0.006735f, within(2e-6f));
    }

    @Test
    void openClGivesTheSame() {
        List<?> texts = List.of("hello world", "a", "the quick brown fox jumps over the lazy dog ".repeat(9));
        try (Session other = open(Session.Backend.OPENCL)) {
            float[] expected = embed(session, texts);
            float[] actual = embed(other, texts);
            assertThat(actual).hasSameSizeAs(expected);
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).isCloseTo(expected[i], within(5e-6f));
            }
        }
    }

    @Test
    void textsGoThroughTheTokenizer() {
        assertThat(session.tokenizer().orElseThrow().encode("hello world")).containsExactly(101, 7592, 2088, 102);
        assertThat(session.tokenizer().orElseThrow().encode("word ".repeat(2000)))
                .hasSize(512);
        assertThat(embed(session, List.of("hello world")))
                .containsExactly(embed(session, List.of(new int[] {101, 7592, 2088, 102})));
    }

    @Test
    void theEvaluatorAgrees() {
        try (Session reference = open(Session.Backend.EVALUATOR)) {
            List<String> texts = List.of("a", "a longer one", "");
            float[] expected = embed(reference, texts);
            float[] actual = embed(session, texts);
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).isCloseTo(expected[i], within(1e-6f));
            }
        }
    }

    /// A batch is packed: each text gets the bits that it gets alone, whatever stands beside it.
    @Test
    void aBatchGivesWhatEachTextGetsAlone() {
        List<String> texts = List.of("one", "a second text of some length", "", "x ".repeat(300), "last");
        float[] all = embed(session, texts);
        for (int i = 0; i < texts.size(); i++) {
            float[] alone = embed(session, List.of(texts.get(i)));
            double length = 0;
            for (int d = 0; d < WIDTH; d++) {
                assertThat(all[i * WIDTH + d]).isCloseTo(alone[d], within(1e-6f));
                length += alone[d] * alone[d];
            }
            assertThat(length).isCloseTo(1, within(1e-5));
        }
    }

    @Test
    void theSameCallGivesTheSameBits() throws Exception {
        List<String> texts = List.of("determinism", "of a packed batch", "run many times, by many threads");
        float[] first = embed(session, texts);
        try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                results.add(callers.submit(() -> embed(session, texts)));
            }
            for (Future<float[]> result : results) {
                assertThat(result.get()).containsExactly(first);
            }
        }
    }

    @Test
    void newLengthsLoadNoEmittedClass() {
        embed(session, List.of("warm", "up"));
        embed(session, List.of("w".repeat(50)));
        Runnable lengths = () -> {
            for (int words = 1; words < 200; words += 13) {
                embed(session, List.of("word ".repeat(words), "b"));
            }
        };
        lengths.run();
        long before = ManagementFactory.getClassLoadingMXBean().getTotalLoadedClassCount();
        embed(session, List.of("word ".repeat(57), "word ".repeat(91), "c"));
        assertThat(ManagementFactory.getClassLoadingMXBean().getTotalLoadedClassCount())
                .isEqualTo(before);
    }

    @Test
    void attentionIsOneKernelAndEveryLinearHasItsEpilogue() {
        Pipeline.Phases phases = Pipeline.run(program.graph(), new Pipeline.Options(Target.cpu(16), true));
        List<String> kinds = phases.schedule().groups().stream()
                .map(g -> g.name().replaceAll("\\..*", ""))
                .toList();
        assertThat(kinds.stream().filter("online"::equals)).hasSize(6);
        assertThat(kinds.stream().filter("contract"::equals)).hasSize(6 * 6);
        assertThat(kinds.stream().filter("map"::equals)).isEmpty();
        long kernels = phases.kernels().kernels().stream()
                .filter(k -> !k.name().startsWith("pack"))
                .count();
        assertThat(kernels).isLessThanOrEqualTo(12);
        assertThat(GraphText.parse(phases.graph().toString())).isEqualTo(phases.graph());
        assertThat(GraphText.parse(phases.fused().toString())).isEqualTo(phases.fused());
        assertThat(ProgramText.parse(phases.kernels().toString())).isEqualTo(phases.kernels());
    }
}
