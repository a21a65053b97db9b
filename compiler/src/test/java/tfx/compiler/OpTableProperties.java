package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphText;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.OpCases;

/// Every row of the op table, on every element type that it takes, on every engine: random shapes and special
/// values.
final class OpTableProperties {
    private static final Map<String, OpCases.Row> ROWS = OpCases.rows();

    // Shrinks to the seed alone; the failure names row, element type and engine.
    @Property(tries = 3, seed = "20261122")
    void everyEngineEqualsTheEvaluator(@ForAll long seed) {
        List<String> wrong = Collections.synchronizedList(new ArrayList<>());
        ROWS.entrySet().parallelStream().forEach(row -> {
            for (DType dtype : DType.values()) {
                Random random = new Random(seed * 31 + row.getKey().hashCode() * 7L + dtype.ordinal());
                row.getValue()
                        .make(dtype, random)
                        .ifPresent(c -> check(row.getKey() + " " + dtype, c, Engines.of(seed), wrong));
            }
        });
        assertThat(wrong).as("seed %d", seed).isEmpty();
    }

    /// A new kind of operation needs a row: each kind occurs in some case.
    @Test
    void everyKindHasARow() {
        Set<String> kinds = new TreeSet<>();
        for (Class<?> kind : Op.class.getPermittedSubclasses()) {
            kinds.add(kind.getSimpleName());
        }
        for (OpCases.Row row : ROWS.values()) {
            for (int i = 0; i < 10 * DType.values().length; i++) {
                row.make(DType.values()[i / 10], new Random(i))
                        .ifPresent(c -> c.graph()
                                .nodes()
                                .forEach(n -> kinds.remove(n.op().getClass().getSimpleName())));
            }
        }
        assertThat(kinds)
                .as("weights and regions are covered by models and fusion")
                .containsExactly("Region", "Weight");
    }

    private static void check(String name, OpCases.Case made, List<Engines> engines, List<String> wrong) {
        Graph graph = made.graph();
        if (!GraphText.parse(graph.toString()).equals(graph)) {
            wrong.add(name + " does not parse back:\n" + graph);
        }
        Map<String, Nd> expected = Evaluator.run(graph, made.inputs(), w -> {
            throw new IllegalArgumentException(w);
        });
        for (Engines engine : engines) {
            try {
                Map<String, Nd> actual = engine.run(graph, made.inputs());
                expected.forEach((output, value) -> Close.elements(value, actual.get(output), made.length())
                        .ifPresent(d -> wrong.add(name + " on " + engine + ": " + d + "\n" + graph + made.inputs())));
            } catch (RuntimeException e) {
                wrong.add(name + " on " + engine + ": " + e + " at " + e.getStackTrace()[0] + "\n" + graph);
            }
        }
    }
}
