package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Gradients;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphVerifier;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.passes.Differentiate;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.OpCases;

/// The gradient of every row of the op table against central differences in double, along random directions; and
/// the gradient programs on every engine.
final class GradientProperties {
    private static final Map<String, OpCases.Row> ROWS = OpCases.rows();
    private static final double STEP = 1e-6;

    // Shrinks to the seed alone; the failure names the row.
    @Property(tries = 8, seed = "20261122")
    void gradientsEqualFiniteDifferences(@ForAll long seed) {
        List<String> wrong = new ArrayList<>();
        ROWS.forEach((name, row) -> {
            Random random = new Random(seed * 31 + name.hashCode());
            row.make(DType.F64, random).ifPresent(c -> {
                boolean differentiable = c.graph().nodes().stream().noneMatch(n -> n.op() instanceof Op.Loop);
                if (differentiable) {
                    check(name, c, random, wrong);
                }
            });
        });
        assertThat(wrong).as("seed %d", seed).isEmpty();
    }

    private static Map<String, Nd> run(Graph graph, Map<String, Nd> inputs) {
        return Evaluator.run(graph, inputs, w -> {
            throw new IllegalArgumentException(w);
        });
    }

    /// Values inside the domain of the row and away from its kinks: no two are near each other, those of another
    /// input (`number`) included.
    private static Nd values(String row, Random random, int number, long[] shape) {
        Nd nd = Nd.zeros(DType.F64, shape);
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < nd.count(); i++) {
            order.add(i);
        }
        Collections.shuffle(order, random);
        for (int i = 0; i < nd.count(); i++) {
            double place = (order.get(i) + 0.25 + 0.25 * number) / nd.count();
            nd.floats()[i] = 0.15 + 0.7 * place + (row.equals("acosh") ? 1 : 0);
        }
        return nd;
    }

    private static void check(String name, OpCases.Case made, Random random, List<String> wrong) {
        Graph graph = made.graph();
        Node result = graph.node(graph.outputs().stream()
                .filter(o -> o.name().equals("result"))
                .findFirst()
                .orElseThrow()
                .id());
        if (result.type().dtype() != DType.F64) {
            return;
        }
        List<String> by = Differentiate.floatingInputs(graph);
        Graph gradient = Differentiate.of(graph, "result", by);
        assertThat(GraphVerifier.verify(gradient, false)).as(name).isEmpty();
        Map<String, Nd> inputs = new HashMap<>(made.inputs());
        by.forEach(n ->
                inputs.put(n, values(name, random, by.indexOf(n), inputs.get(n).shape())));
        Nd y = run(graph, inputs).get("result");
        Nd cotangent = values("", random, 0, y.shape());
        inputs.put("d.result", cotangent);
        Map<String, Nd> gradients = run(gradient, inputs);
        double expected = 0;
        double scale = 1;
        Map<String, Nd> ahead = new HashMap<>(inputs);
        Map<String, Nd> behind = new HashMap<>(inputs);
        double actual = 0;
        for (String input : by) {
            Nd x = inputs.get(input);
            Nd up = Nd.zeros(DType.F64, x.shape());
            Nd down = Nd.zeros(DType.F64, x.shape());
            for (int i = 0; i < x.count(); i++) {
                double direction = random.nextDouble() - 0.5;
                up.floats()[i] = x.floats()[i] + STEP * direction;
                down.floats()[i] = x.floats()[i] - STEP * direction;
                actual += gradients.get("d." + input).floats()[i] * direction;
                scale += Math.abs(gradients.get("d." + input).floats()[i]);
            }
            ahead.put(input, up);
            behind.put(input, down);
        }
        double[] high = run(graph, ahead).get("result").floats();
        double[] low = run(graph, behind).get("result").floats();
        for (int i = 0; i < high.length; i++) {
            double change = high[i] == low[i] ? 0 : high[i] - low[i];
            expected += cotangent.floats()[i] * change / (2 * STEP);
        }
        if (!(Math.abs(expected - actual) <= Close.FINITE_DIFFERENCE * scale)) {
            wrong.add(name + ": differences give " + expected + ", the gradient " + actual + "\n" + graph);
        }
        boolean flows = graph.nodes().stream()
                .filter(n -> !(n.op() instanceof Op.Input))
                .anyMatch(n -> Gradients.reason(n.op()).isEmpty());
        if (!flows && !(result.op() instanceof Op.Input) && actual != 0) {
            wrong.add(name + " says that no gradient flows: " + Gradients.reason(result.op()));
        }
        Optional<String> engines = engines(gradient, inputs, gradients, made.length());
        engines.ifPresent(d -> wrong.add(name + ": " + d));
    }

    private static Optional<String> engines(
            Graph graph, Map<String, Nd> inputs, Map<String, Nd> expected, long length) {
        for (Engines engine : List.of(Engines.CPU_NATIVE, Engines.CPU_SCALAR_PLAIN)) {
            Map<String, Nd> actual = engine.run(graph, inputs);
            for (String name : expected.keySet()) {
                Optional<String> difference =
                        Close.difference(expected.get(name), actual.get(name), length * length, DType.F64);
                if (difference.isPresent()) {
                    return Optional.of(engine + " " + name + " " + difference.get() + "\n" + graph);
                }
            }
        }
        return Optional.empty();
    }
}
