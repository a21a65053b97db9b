package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tfx.ir.Target;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.program.Execution;
import tfx.testkit.Values;

/// Attention of few queries, as where one token is decoded after the other: their products with a key are sums
/// along it, and query heads that share keys are the queries of one task.
final class FewQueriesTest {
    private static final int TASK_KEYS = 193; // one more than a step of a task

    @ParameterizedTest
    @CsvSource({
        "4, 4, 1, 16",
        "4, 2, 1, 64",
        "6, 2, 1, 65",
        "8, 1, 1, 24",
        "8, 1, 1, 8",
        "9, 1, 1, 16",
        "34, 2, 1, 16",
        "4, 4, 2, 16",
        "4, 2, 3, 40",
        "2, 2, 8, 16",
        "2, 2, 9, 16",
        "8, 2, 8, 13"
    })
    void equalTheEvaluator(int heads, int keyHeads, int queries, int depth) {
        for (int keys : new int[] {1, 13, TASK_KEYS}) {
            Map<String, Nd> inputs = inputs(DType.F32, heads, keyHeads, queries, depth, keys);
            for (String more : new String[] {
                "", // nothing but a scale
                ", where = select(positions(T), positions(%d) * 60 + 2, <=)".formatted(queries),
                ", where = select(positions(T), positions(%d), <)".formatted(queries), // none for the first
                ", bias = b, cap = 4.0"
            }) {
                AgainstEvaluator.check(
                        source("f32", heads, keyHeads, queries, depth, more),
                        inputs,
                        keys,
                        keys == TASK_KEYS && more.isEmpty() ? List.of(Engines.values()) : AgainstEvaluator.cpu());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"4, 2, 1, 24", "3, 3, 2, 16"})
    void doublesEqualTheEvaluator(int heads, int keyHeads, int queries, int depth) {
        Map<String, Nd> inputs = inputs(DType.F64, heads, keyHeads, queries, depth, TASK_KEYS);
        AgainstEvaluator.check(
                source("f64", heads, keyHeads, queries, depth, ""), inputs, TASK_KEYS, AgainstEvaluator.cpu());
    }

    /// Operands that are computed, lie across, or have other heads than each other.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "f32[1, 4, 1, 24]; f32[1, 4, T, 24]; f32[1, 1, T, 24]; softmax(q @ transpose(k)) @ v",
                "f32[1, 4, 1, 24]; f32[1, 1, T, 24]; f32[1, 4, T, 24]; softmax(q @ transpose(k)) @ v",
                "f32[1, 4, 1, 24]; f32[1, 4, 24, T]; f32[1, 4, T, 24]; softmax(q @ k) @ v",
                "f32[1, 4, 2, 24]; bf16[1, 4, T, 24]; bf16[1, 4, T, 24]; softmax(q @ transpose(f32(k))) @ f32(v)",
                "f32[1, 4, 1, 24]; f32[1, 4, T, 24]; f32[1, 4, T, 24]; softmax(tanh(q) @ transpose(k)) @ v",
                "f32[1, 4, 1, 24]; f32[1, 4, T, 24]; f32[1, 4, T, 24]; softmax(q @ transpose(tanh(k))) @ v",
                "f32[4, 1, 24]; f32[4, T, 24]; f32[4, T, 24]; softmax(q[:, :, ::-1] @ transpose(k)) @ v"
            })
    void operandsOfOtherFormsEqualTheEvaluator(String q, String k, String v, String value) {
        Map<String, Nd> inputs = new LinkedHashMap<>();
        inputs.put("q", given(1, q));
        inputs.put("k", given(2, k));
        inputs.put("v", given(3, v));
        String source = "program p(q: %s, k: %s, v: %s) -> (y) { return %s; }".formatted(q, k, v, value);
        AgainstEvaluator.check("import nn; " + source, inputs, TASK_KEYS, List.of(Engines.values()));
    }

    private static Nd given(int seed, String type) {
        DType dtype = DType.parse(type.substring(0, type.indexOf('['))).orElseThrow();
        String sizes = type.substring(type.indexOf('[') + 1, type.length() - 1);
        long[] shape = Stream.of(sizes.replace("T", Integer.toString(TASK_KEYS)).split(", "))
                .mapToLong(Long::parseLong)
                .toArray();
        return Values.small(new Random(seed), dtype, shape);
    }

    /// A step of decoding is no product of matrices, and heads that share keys are one task.
    @ParameterizedTest
    @CsvSource({"4, 4, 1, 1", "8, 2, 1, 4", "16, 1, 1, 16", "4, 4, 5, 5"})
    void oneTaskTakesAllThatShareKeys(int heads, int keyHeads, int queries, int rows) {
        Target target = Target.cpu(16);
        String source = source("f32", heads, keyHeads, queries, 64, "");
        Kernel kernel = Pipeline.run(AgainstEvaluator.graph(source), new Pipeline.Options(target, true))
                .kernels()
                .kernels()
                .getFirst();
        Kernel.Loop loop = (Kernel.Loop) kernel.body().stream()
                .filter(s -> s instanceof Kernel.Loop)
                .findFirst()
                .orElseThrow();
        assertThat(loop.body().getFirst() instanceof Kernel.Reduce).isEqualTo(rows <= target.panel() / 4);
        Kernel.Axis last = kernel.grid().getLast();
        assertThat(last.size().constant()).contains((long) rows);
        assertThat(last.tile()).isGreaterThanOrEqualTo(rows);
    }

    /// Programs that learn with a call how many queries there are have kernels for few and for many.
    @ParameterizedTest
    @CsvSource({"4, 4, 16", "4, 2, 24", "8, 1, 16", "12, 1, 17"})
    void manyAndFewEqualTheEvaluator(int heads, int keyHeads, int depth) {
        String source = """
                import nn;
                program p(q: f32[B, %1$d, S, %3$d], k: f32[B, %2$d, T, %3$d], v: f32[B, %2$d, T, %3$d]) -> (y) {
                  return q + attention(q, k, v%4$s);
                }""";
        for (String more : List.of(
                "", // nothing but a scale
                ", where = select(positions(T), positions(S) + i32(size(k, 2) - size(q, 2)), <=)" // causal
                )) {
            for (int queries : new int[] {1, 2, 4, 8, 9, 70}) {
                for (int keys : new int[] {TASK_KEYS, 1000}) {
                    Map<String, Nd> inputs = new LinkedHashMap<>();
                    inputs.put("q", Values.small(new Random(1), DType.F32, 2, heads, queries, depth));
                    inputs.put("k", Values.small(new Random(2), DType.F32, 2, keyHeads, keys, depth));
                    inputs.put("v", Values.small(new Random(3), DType.F32, 2, keyHeads, keys, depth));
                    AgainstEvaluator.check(
                            source.formatted(heads, keyHeads, depth, more),
                            inputs,
                            keys,
                            more.isEmpty() && keys == TASK_KEYS ? List.of(Engines.values()) : AgainstEvaluator.cpu());
                }
            }
        }
    }

    /// Up to how many queries there is another form, 0 for none.
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "f32[B, 8, S, 64]; f32[B, 8, T, 64]; 8",
                "f32[B, 8, S, 64]; f32[B, 2, T, 64]; 8",
                "f32[B, 8, S, 64]; concat; 8",
                "f32[B, 8, S, 64]; f32[B, 8, S, 64]; 0", // as many keys
                "f32[B, 8, 4, 64]; f32[B, 8, T, 64]; 0" // known
            })
    void callsChoose(String queries, String keys, long most) {
        boolean cached = keys.startsWith("concat");
        String value =
                cached ? "attention(q, concat([k, q], axis = 2), concat([k, q], axis = 2))" : "attention(q, k, k)";
        String type = cached ? "f32[B, 8, T, 64]" : keys;
        String source = "import nn; program p(q: %s, k: %s) -> (y) { return %s; }".formatted(queries, type, value);
        List<Long> bounds = Pipeline.run(AgainstEvaluator.graph(source), new Pipeline.Options(Target.cpu(16), true))
                .kernels()
                .execution()
                .steps()
                .stream()
                .flatMap(s -> s instanceof Execution.Either e ? Stream.of(e.most()) : Stream.empty())
                .toList();
        assertThat(bounds).isEqualTo(most == 0 ? List.of() : List.of(most));
    }

    private static String source(String type, int heads, int keyHeads, int queries, int depth, String more) {
        return """
                import nn;
                program p(q: %1$s[1, %2$d, %4$d, %5$d], k: %1$s[1, %3$d, T, %5$d], v: %1$s[1, %3$d, T, %5$d],
                          b: %1$s[%2$d, %4$d, T]) -> (y) {
                  return attention(q, k, v%6$s);
                }""".formatted(type, heads, keyHeads, queries, depth, more);
    }

    private static Map<String, Nd> inputs(DType dtype, int heads, int keyHeads, int queries, int depth, int keys) {
        Map<String, Nd> inputs = new LinkedHashMap<>();
        inputs.put("q", Values.small(new Random(1), dtype, 1, heads, queries, depth));
        inputs.put("k", Values.small(new Random(2), dtype, 1, keyHeads, keys, depth));
        inputs.put("v", Values.small(new Random(3), dtype, 1, keyHeads, keys, depth));
        inputs.put("b", Values.small(new Random(4), dtype, heads, queries, keys));
        return inputs;
    }
}
