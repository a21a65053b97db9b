package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Work;

/// Counts of operations and bytes against those done by hand.
final class WorkTest {
    private static Work work(String source, Map<String, Long> sizes) {
        Graph graph = Compiler.check("work.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst()
                .graph();
        List<Kernel> kernels = Pipeline.run(graph, new Pipeline.Options(Target.cpu(16), true))
                .kernels()
                .kernels();
        assertThat(kernels).hasSize(1);
        Map<String, Long> own = new HashMap<>();
        kernels.getFirst().sizes().forEach(s -> own.put(s, sizes.get(s)));
        return Work.of(kernels.getFirst(), own, (buffer, element) -> {
            throw new IllegalArgumentException(buffer);
        });
    }

    @Test
    void aProductReadsBothSidesOnce() {
        Work work = work(
                "program f(a: f32[M, 300], b: f32[300, N]) -> (c) { return a @ b; }", Map.of("M", 200L, "N", 130L));
        assertThat(work.operations()).isEqualTo(2.0 * 200 * 300 * 130);
        assertThat(work.bytes()).isEqualTo(4.0 * (200 * 300 + 300 * 130 + 200 * 130));
    }

    @Test
    void oneMapIsOneKernelsWork() {
        Work work = work("program f(x: f32[N], y: f32[N]) -> (z) { return x * y + 1.0; }", Map.of("N", 1000L));
        assertThat(work.operations()).isEqualTo(2000);
        assertThat(work.bytes()).isEqualTo(12000);
    }

    @Test
    void aSelectorHalvesTheWorkOfAttention() {
        String source = """
                import nn;
                program f(q: f32[1, 2, S, 64]) -> (y) { return attention(q, q, q%s); }
                """;
        Map<String, Long> sizes = Map.of("S", 96L * 40);
        double dense = work(source.formatted(""), sizes).operations();
        double causal = work(source.formatted(", where = causal(S)"), sizes).operations();
        assertThat(dense).isGreaterThan(4.0 * 2 * 3840 * 3840 * 64);
        assertThat(causal).isCloseTo(dense * 41 / 80, Percentage.withPercentage(3));
    }
}
