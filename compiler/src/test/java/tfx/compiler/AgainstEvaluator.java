package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.testkit.Close;

/// The comparison of a source text's program with the evaluator.
final class AgainstEvaluator {
    private AgainstEvaluator() {}

    /// The engines of the CPU backend.
    static List<Engines> cpu() {
        return List.of(Engines.values()).stream()
                .filter(e -> e.name().startsWith("CPU"))
                .toList();
    }

    /// The first program of a source text.
    static Graph graph(String source) {
        return Compiler.check("program.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst()
                .graph();
    }

    /// Fails where one of the engines does not compute what the evaluator does.
    ///
    /// @param source a text whose first program has one result
    /// @param length of the longest sum
    static void check(String source, Map<String, Nd> inputs, int length, List<Engines> engines) {
        Graph graph = graph(source);
        String output = graph.outputs().getFirst().name();
        Nd expected = Evaluator.run(graph, inputs, name -> null).get(output);
        for (Engines engine : engines) {
            Nd result = engine.run(graph, inputs).get(output);
            assertThat(Close.difference(expected, result, length))
                    .as("%s by %s", source, engine.name())
                    .isEmpty();
        }
    }
}
