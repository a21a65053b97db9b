package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tfx.frontend.Program;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// A packed batch gives each entry what it gets alone; so ragged storage is invisible to programs.
final class RaggedTest {
    private static final String SOURCE = """
            import nn;
            program block(x: f32[B, S*, 8], w: f32[8, 8], per_entry: f32[B, 8])
                -> (attended, pooled: f32[B, 8], causal_pooled, outer, biggest, shifted) {
              q = split_heads(x @ w, 2);
              attended = merge_heads(attention(q, q, q));
              pooled = mean_pool(attended);
              near = causal(S);
              masked = merge_heads(attention(q, q, q, where = near));
              causal_pooled = mean_pool(masked);
              outer = transpose(x) @ x;
              biggest = max(x, axis = 1);
              shifted = x + unflatten(per_entry, 1, [1, 8]) * unflatten(f32(positions(S)), -1, [1]);
            }
            """;

    private static Program program() {
        String fixed = SOURCE.replace("unflatten(f32(positions(S)), -1, [1])", "mean(x, keep = True)");
        var checked = Compiler.check("ragged.tfx", fixed.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).isEmpty();
        return checked.programs().getFirst();
    }

    private static Session session(Session.Backend backend) {
        return new Session(program(), Path.of(""), new Session.Options(backend, Optional.empty(), 2), (f, l) -> {
            throw new java.io.IOException("none");
        });
    }

    @Test
    void everyEntryGetsWhatItGetsAlone() {
        Random random = new Random(3);
        for (int[] lengths : new int[][] {{5, 1, 17, 0, 60, 3}, {1}, {0}, {100, 49, 48}}) {
            for (Session.Backend backend : Session.Backend.values()) {
                check(backend, lengths, random);
            }
        }
    }

    private static void check(Session.Backend backend, int[] lengths, Random random) {
        try (Session session = session(backend);
                Session reference = session(Session.Backend.EVALUATOR);
                Arena arena = Arena.ofShared()) {
            List<Tensor> rows = new ArrayList<>();
            for (int length : lengths) {
                rows.add(Values.small(random, DType.F32, length, 8).toTensor(arena));
            }
            Tensor w = Values.small(random, DType.F32, 8, 8).toTensor(arena);
            Nd entries = Values.small(random, DType.F32, lengths.length, 8);
            Map<String, Tensor> all = session.call(
                            Map.of("x", rows, "w", w, "per_entry", entries.toTensor(arena)), arena)
                    .outputs();
            for (int i = 0; i < lengths.length; i++) {
                Nd own = Nd.zeros(DType.F32, 1, 8);
                System.arraycopy(entries.floats(), i * 8, own.floats(), 0, 8);
                Map<String, Tensor> alone = reference
                        .call(Map.of("x", List.of(rows.get(i)), "w", w, "per_entry", own.toTensor(arena)), arena)
                        .outputs();
                for (String name : alone.keySet()) {
                    Nd expected = Nd.of(alone.get(name));
                    Nd actual = part(Nd.of(all.get(name)), i, lengths, expected);
                    assertThat(Close.difference(expected, actual, 200))
                            .as("%s of entry %d, %s", name, i, backend)
                            .isEmpty();
                }
            }
        }
    }

    /// The part of a result that belongs to one entry.
    private static Nd part(Nd all, int entry, int[] lengths, Nd like) {
        int rows = 0;
        int before = 0;
        for (int i = 0; i < lengths.length; i++) {
            before += i < entry ? lengths[i] : 0;
            rows += lengths[i];
        }
        boolean packed = all.shape()[0] == rows
                && like.shape()[0] == lengths[entry]
                && all.shape().length == 2
                && !(lengths.length == rows && like.shape()[0] == 1 && lengths[entry] != 1);
        int width = like.shape()[0] == 0 ? 0 : like.count() / (int) like.shape()[0];
        int from = packed ? before * width : entry * like.count();
        double[] values = java.util.Arrays.copyOfRange(all.floats(), from, from + like.count());
        return new Nd(like.dtype(), like.shape(), values, new long[0]);
    }

    @Test
    void wrongArgumentsAreNamed() {
        try (Session session = session(Session.Backend.CPU);
                Arena arena = Arena.ofShared()) {
            Tensor w = Tensor.zeros(arena, DType.F32, 8, 8);
            Tensor x = Tensor.zeros(arena, DType.F32, 3, 7);
            assertThatThrownBy(() -> session.call(Map.of("x", List.of(x), "w", w, "per_entry", w), arena))
                    .isInstanceOf(RunException.class)
                    .hasMessageContaining("'x'");
            assertThatThrownBy(() -> session.call(Map.of("w", w), arena))
                    .isInstanceOf(RunException.class)
                    .hasMessageContaining("argument 'x' is missing");
        }
    }
}
