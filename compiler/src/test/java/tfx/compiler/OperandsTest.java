package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Products whose operands lie backwards in memory, or have no axis to sum over, as register tiles read them. They
/// run for as long as tiles are warmed beside them.
final class OperandsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "x @ w[::-1, :]",
                "x[:, ::-1] @ w",
                "x[::-1, :] @ w[::-1, :]",
                "transpose(w[::-1, :]) @ w",
                "einsum('ij,kl->ijkl', x, w)",
                "einsum('i,j->ij', x[:, 0], w[0, :])",
                "einsum('bi,bj->bij', x, w[0:9, :])"
            })
    void areWhatTheEvaluatorSays(String product) throws InterruptedException {
        String source =
                "program p(x: f32[9, 40], w: f32[40, 64]) -> (y) { return %s; }".formatted(product.replace('\'', '"'));
        Graph graph = Compiler.check("operands.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst()
                .graph();
        Random random = new Random(5);
        Map<String, Nd> inputs = Map.of(
                "x", Values.small(random, DType.F32, 9, 40),
                "w", Values.small(random, DType.F32, 40, 64));
        Nd expected = Evaluator.run(graph, inputs, name -> null).get("y");
        for (Engines engine : Engines.values()) {
            assertThat(Close.difference(expected, engine.run(graph, inputs).get("y"), 40))
                    .as(engine.name())
                    .isEmpty();
        }
        Thread.sleep(100);
    }
}
