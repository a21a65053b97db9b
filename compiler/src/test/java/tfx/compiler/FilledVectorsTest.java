package tfx.compiler;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.testkit.Values;

/// Lengths that fill vectors, or several at once, have no code for a rest. Lengths beside them have, and loops
/// that begin or end anywhere.
final class FilledVectorsTest {
    private static final int ROWS = 5;

    @ParameterizedTest
    @ValueSource(ints = {4, 8, 16, 32, 48, 63, 64, 65, 80, 112, 128, 192, 200, 256, 384, 480, 1000, 1024})
    void rows(int length) {
        for (String value : new String[] {
            "sum(x)",
            "max(x * y)",
            "sum(exp(x), axis = 0)",
            "max(x, axis = 0)",
            "x * 2.0 + s",
            "tanh(x) * s",
            "layer_norm(x + y, s, s)",
            "softmax(x)",
            "mean(gelu(x * s))"
        }) {
            Map<String, Nd> inputs = new LinkedHashMap<>();
            inputs.put("x", Values.small(new Random(3), DType.F32, ROWS, length));
            inputs.put("y", Values.small(new Random(4), DType.F32, ROWS, length));
            inputs.put("s", Values.small(new Random(5), DType.F32, length));
            equalsTheEvaluator(
                    "import nn; program p(x: f32[N, %1$d], y: f32[N, %1$d], s: f32[%1$d]) -> (r) { return %2$s; }"
                            .formatted(length, value),
                    inputs,
                    length);
        }
    }

    /// Right operands that are computed, or lie elsewhere, are copied panel by panel.
    @ParameterizedTest
    @ValueSource(ints = {4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 113, 128, 384})
    void columnsOfProducts(int columns) {
        for (String value : new String[] {"x @ w", "x @ (w * 2.0)", "(x * 2.0) @ w", "x @ transpose(v)"}) {
            Map<String, Nd> inputs = new LinkedHashMap<>();
            inputs.put("x", Values.small(new Random(7), DType.F32, ROWS, 24));
            inputs.put("w", Values.small(new Random(8), DType.F32, 24, columns));
            inputs.put("v", Values.small(new Random(9), DType.F32, columns, 24));
            equalsTheEvaluator(
                    "program p(x: f32[N, 24], w: f32[24, %1$d], v: f32[%1$d, 24]) -> (r) { return %2$s; }"
                            .formatted(columns, value),
                    inputs,
                    24);
        }
        Map<String, Nd> heads = new LinkedHashMap<>();
        for (String name : new String[] {"q", "k", "v"}) {
            heads.put(name, Values.small(new Random(name.hashCode()), DType.F32, 1, 2, 37, columns));
        }
        for (String v : new String[] {"v", "v * 2.0"}) {
            equalsTheEvaluator("""
                    import nn;
                    program p(q: f32[1, 2, S, %1$d], k: f32[1, 2, S, %1$d], v: f32[1, 2, S, %1$d]) -> (r) {
                      return attention(q, k, %2$s);
                    }""".formatted(columns, v), heads, columns);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 64, 65, 128, 256, 400})
    void keys(int length) {
        for (String where : new String[] {
            "causal(%d)".formatted(length),
            "sliding_window(%d, 10)".formatted(length),
            "prefix(%d, 33)".formatted(length)
        }) {
            Map<String, Nd> inputs = new LinkedHashMap<>();
            for (String name : new String[] {"q", "k", "v"}) {
                inputs.put(name, Values.small(new Random(name.hashCode()), DType.F32, 1, 2, length, 16));
            }
            inputs.put("b", Values.small(new Random(6), DType.F32, length, length)); // keeps keys side by side
            equalsTheEvaluator("""
                    import nn;
                    program p(q: f32[1, 2, %1$d, 16], k: f32[1, 2, %1$d, 16], v: f32[1, 2, %1$d, 16], b: f32[%1$d, %1$d])
                        -> (r) {
                      return attention(q, k, v, where = %2$s, bias = b);
                    }""".formatted(length, where), inputs, length);
        }
    }

    /// Queries that fill no vector: vectors work on what lies behind the last of them too, and nothing reads it.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 9, 15, 17, 31, 33, 63, 65, 70, 95, 130})
    void queriesBesideVectors(int queries) {
        for (String more : new String[] {
            "",
            ", where = causal(S)",
            ", where = sliding_window(S, 10) and dilated(S, 3), cap = 3.0",
            ", where = same_document(ids)"
        }) {
            Map<String, Nd> inputs = new LinkedHashMap<>();
            for (String name : new String[] {"q", "k", "v"}) {
                inputs.put(name, Values.small(new Random(name.hashCode()), DType.F32, 1, 3, queries, 24));
            }
            inputs.put("ids", Values.small(new Random(8), DType.I32, queries));
            equalsTheEvaluator("""
                    import nn;
                    program p(q: f32[1, 3, S, 24], k: f32[1, 3, S, 24], v: f32[1, 3, S, 24], ids: i32[S]) -> (r) {
                      return attention(q, k, v%s);
                    }""".formatted(more), inputs, queries);
        }
    }

    private static void equalsTheEvaluator(String source, Map<String, Nd> inputs, int length) {
        AgainstEvaluator.check(source, inputs, length, AgainstEvaluator.cpu());
    }
}
