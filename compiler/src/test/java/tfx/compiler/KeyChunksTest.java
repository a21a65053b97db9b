package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.ir.Target;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Work;
import tfx.runtime.DType;
import tfx.testkit.Values;

/// Attention whose keys are cut into chunks, each a task, and joined by a second kernel.
final class KeyChunksTest {
    private static final int CHUNK = Target.cpu(16).keyChunk();
    private static final String ATTENTION = "attention(q, k, v%s)";

    @ParameterizedTest
    @CsvSource({"1, 2, 1, 1, 24", "2, 4, 2, 1, 16", "1, 8, 1, 3, 17", "3, 1, 1, 40, 8"})
    void equalTheEvaluator(int batch, int heads, int keyHeads, int queries, int width) {
        for (int keys : new int[] {CHUNK, CHUNK + 1, 2 * CHUNK + 77}) {
            for (String more : new String[] {
                "",
                ", where = select(positions(T), positions(%d) + 900, <=)".formatted(queries), // not the last chunk
                ", where = select(positions(T), positions(%d) + 900, >=)".formatted(queries), // not the first
                ", where = select(positions(T), positions(%d), <)".formatted(queries), // nothing for the first query
                ", bias = b"
            }) {
                check(batch, heads, keyHeads, queries, width, keys, ATTENTION.formatted(more), AgainstEvaluator.cpu());
            }
        }
    }

    @Test
    void everyEngineJoins() {
        check(2, 4, 2, 1, 24, 2 * CHUNK + 77, ATTENTION.formatted(", bias = b"), List.of(Engines.values()));
    }

    /// Sums without a maximum, chunks without a finite score, and what masks values too.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "(exp(q @ transpose(k) * 0.01) / sum(exp(q @ transpose(k) * 0.01), keep = True)) @ v",
                "attention(q, k, v, bias = where(positions(T) < 1000, -inf, 0.0))",
                "attention(q, k, v, bias = where(positions(T) >= 700, -inf, 0.0))",
                "attention(q, k, v, bias = where(positions(T) >= 0, -inf, 0.0))",
                "attention(q, k, where(expand(positions(T) % 3 < 1, -1), v, 0.0), where = expand(positions(T) % 3 < 1, 0))"
            })
    void otherFormsEqualTheEvaluator(String value) {
        assertThat(kernels(source(3, 3, 1, 24, value)).getLast().name()).isEqualTo("join");
        check(1, 3, 3, 1, 24, 2 * CHUNK + 77, value, List.of(Engines.values()));
    }

    /// Forms that read the maximum itself, or whose sums leave out scores that it knows: a NaN must reach it.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "exp(where(kept, s, -inf) - m)",
                "where(kept, exp(s - m), 0.0) * 1.5",
                "exp(s - m) * where(kept, 1.0, 0.0)",
                "exp(s - m)"
            })
    void maximaThatDoMoreThanShiftAreJoined(String weights) {
        String source = """
                program p(q: f32[2, 4], k: f32[T, 4], v: f32[T, 4]) -> (y) {
                  s = (q @ transpose(k)) * 0.4;
                  largest = max(s, keep = True);
                  m = where(largest == -inf, 0.0, largest);
                  kept = select(positions(T), positions(2) + 800, <=);
                  p = %s;
                  return (p / sum(p, keep = True)) @ v;
                }""".formatted(weights);
        assertThat(kernels(source).getLast().name()).isEqualTo("join");
        int keys = 2 * CHUNK + 77;
        for (double odd : new double[] {0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            Map<String, Nd> inputs = new LinkedHashMap<>();
            inputs.put("q", Values.small(new Random(1), DType.F32, 2, 4));
            inputs.put("k", Values.small(new Random(2), DType.F32, keys, 4));
            inputs.put("v", Values.small(new Random(3), DType.F32, keys, 4));
            inputs.get("k").floats()[4 * 1000] = odd;
            AgainstEvaluator.check(source, inputs, keys, AgainstEvaluator.cpu());
        }
    }

    /// A dimension of queries that only a call knows stands before one that is known.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "q: f32[S, 8, 64], k: f32[T, 64]; softmax(q @ transpose(k)) @ k; 5, 8, 64; 1000, 64",
                "q: f32[B, 8, 4, 64], k: f32[1, 8, T, 64]; softmax(q @ transpose(k)) @ k; 3, 8, 4, 64; 1, 8, 1000, 64"
            })
    void rowsBeforeKnownOnes(String parameters, String value, String q, String k) {
        Map<String, Nd> inputs = new LinkedHashMap<>();
        inputs.put("q", Values.small(new Random(1), DType.F32, shape(q)));
        inputs.put("k", Values.small(new Random(2), DType.F32, shape(k)));
        String source = "import nn; program p(%s) -> (y) { return %s; }".formatted(parameters, value);
        AgainstEvaluator.check(source, inputs, 1000, AgainstEvaluator.cpu());
    }

    private static long[] shape(String sizes) {
        return Stream.of(sizes.split(", ")).mapToLong(Long::parseLong).toArray();
    }

    private static void check(
            int batch, int heads, int keyHeads, int queries, int width, int keys, String value, List<Engines> engines) {
        Map<String, Nd> inputs = new LinkedHashMap<>();
        inputs.put("q", Values.small(new Random(1), DType.F32, batch, heads, queries, width));
        inputs.put("k", Values.small(new Random(2), DType.F32, batch, keyHeads, keys, width));
        inputs.put("v", Values.small(new Random(3), DType.F32, batch, keyHeads, keys, width));
        inputs.put("b", Values.small(new Random(4), DType.F32, heads, queries, keys));
        AgainstEvaluator.check(source(heads, keyHeads, queries, width, value), inputs, keys, engines);
    }

    /// Heads that give every thread work are not cut, nor entries of a ragged dimension, which have few of all keys.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "f32[B, 8, 1, 64]; f32[B, 8, T, 64]; 2",
                "f32[B, 64, 1, 64]; f32[B, 64, T, 64]; 1",
                "f32[B, 64, 1, 64]; f32[B, 8, T, 64]; 2",
                "f32[B, 64, 2, 64]; f32[B, 8, T, 64]; 2", // heads share keys
                "f32[1, 8, 1, 64]; f32[1, 8, 500, 64]; 1",
                "f32[1, 8, 1, 64]; f32[1, 8, 5000, 64]; 2",
                "f32[1, 8, S, 64]; f32[1, 8, T, 64]; 3" // two for few queries
            })
    void areMadeWhereHeadsAreFew(String queries, String keys, int kernels) {
        assertThat(kernels("program p(q: %1$s, k: %2$s, v: %2$s) -> (y) { return attention(q, k, v); }"
                        .formatted(queries, keys)))
                .hasSize(kernels);
    }

    /// A launch does the work of the keys once, however many chunks they are cut into.
    @Test
    void chunksShareTheWork() {
        long keys = 10L * CHUNK + 5;
        Kernel kernel = kernels(source(2, 2, 1, 64, "attention(q, k, v)")).getFirst();
        Map<String, Long> sizes = new HashMap<>(Map.of("B", 1L, "T", keys));
        sizes.keySet().retainAll(kernel.sizes());
        Work work = Work.of(kernel, sizes, (buffer, element) -> {
            throw new IllegalArgumentException(buffer);
        });
        assertThat(work.bytes()).isCloseTo(2.0 * 2 * keys * 64 * Float.BYTES, Percentage.withPercentage(1));
        assertThat(work.operations()).isBetween(2 * 4.0 * keys * 64, 2 * 4.2 * keys * 64);
    }

    private static List<Kernel> kernels(String program) {
        return Pipeline.run(
                        AgainstEvaluator.graph(program.startsWith("import") ? program : "import nn; " + program),
                        new Pipeline.Options(Target.cpu(16), true))
                .kernels()
                .kernels();
    }

    private static String source(int heads, int keyHeads, int queries, int width, String value) {
        return """
                import nn;
                program p(q: f32[B, %1$d, %3$d, %4$d], k: f32[B, %2$d, T, %4$d], v: f32[B, %2$d, T, %4$d],
                          b: f32[%1$d, %3$d, T]) -> (y) {
                  return %5$s;
                }""".formatted(heads, keyHeads, queries, width, value);
    }
}
