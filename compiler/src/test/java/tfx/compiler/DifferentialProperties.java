package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import tfx.ir.Target;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphText;
import tfx.ir.graph.GraphVerifier;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.KernelText;
import tfx.ir.kernel.ProgramText;
import tfx.passes.Pass;
import tfx.passes.Schedule;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.GraphGen;

/// Random programs mean the same to every engine, with and without passes, and survive every text form.
final class DifferentialProperties {
    private static final int LENGTH = 4000;

    private static Map<String, Nd> evaluate(Graph graph, Map<String, Nd> inputs) {
        return Evaluator.run(graph, inputs, name -> {
            throw new IllegalArgumentException(name);
        });
    }

    // Shrinks to one operation: with a fault planted in a lowering, size 1.
    @Property(tries = 200, seed = "20261122")
    void everyEngineEqualsTheEvaluator(@ForAll long seed, @ForAll @IntRange(min = 1, max = 14) int size) {
        GraphGen.Generated program = GraphGen.generate(seed, size);
        Map<String, Nd> expected = evaluate(program.graph(), program.inputs());
        for (Engines engine : Engines.of(seed)) {
            Map<String, Nd> actual = engine.run(program.graph(), program.inputs());
            expected.forEach((name, value) -> assertThat(Close.difference(value, actual.get(name), LENGTH, DType.F32))
                    .as("%s of %s, seed %d size %d\n%s", name, engine, seed, size, program.graph())
                    .isEmpty());
        }
    }

    @Property(tries = 300, seed = "20261122")
    void eachPassKeepsTheMeaningAndIsIdempotent(@ForAll long seed, @ForAll @IntRange(min = 1, max = 20) int size) {
        GraphGen.Generated program = GraphGen.generate(seed, size);
        Map<String, Nd> expected = evaluate(program.graph(), program.inputs());
        for (Pass pass : Pipeline.GRAPH_PASSES) {
            Graph after = pass.apply(program.graph());
            assertThat(GraphVerifier.verify(after, false)).isEmpty();
            assertThat(pass.apply(after)).as("%s twice", pass.name()).isSameAs(after);
            Map<String, Nd> actual = evaluate(after, program.inputs());
            expected.forEach((name, value) -> assertThat(Close.difference(value, actual.get(name), LENGTH, DType.F32))
                    .as("%s after %s\n%s", name, pass.name(), program.graph())
                    .isEmpty());
        }
    }

    @Property(tries = 200, seed = "20261122")
    void everyPhaseParsesBack(@ForAll long seed, @ForAll @IntRange(min = 1, max = 14) int size) {
        GraphGen.Generated program = GraphGen.generate(seed, size);
        Pipeline.Phases phases = Pipeline.run(program.graph(), new Pipeline.Options(Target.cpu(16), true));
        assertThat(GraphText.parse(phases.graph().toString())).isEqualTo(phases.graph());
        assertThat(GraphText.parse(phases.fused().toString())).isEqualTo(phases.fused());
        assertThat(Schedule.parse(phases.schedule().toString())).isEqualTo(phases.schedule());
        assertThat(ProgramText.parse(phases.kernels().toString())).isEqualTo(phases.kernels());
        phases.kernels()
                .kernels()
                .forEach(k -> assertThat(KernelText.parse(k.toString())).isEqualTo(k));
    }

    @Property(tries = 100, seed = "20261122")
    void vectorsAndTheirScalarTwinGiveTheSameBits(@ForAll long seed, @ForAll @IntRange(min = 1, max = 14) int size) {
        GraphGen.Generated program = GraphGen.generate(seed, size);
        Map<String, Nd> expected = Engines.CPU_NATIVE.run(program.graph(), program.inputs());
        for (Engines engine : List.of(Engines.CPU_TWIN, Engines.CPU_WARMED)) {
            assertThat(engine.run(program.graph(), program.inputs()))
                    .as("%s seed %d size %d\n%s", engine, seed, size, program.graph())
                    .isEqualTo(expected);
        }
    }

    @Property(tries = 100, seed = "20261122")
    void theFusedGraphMeansTheSame(@ForAll long seed, @ForAll @IntRange(min = 1, max = 14) int size) {
        GraphGen.Generated program = GraphGen.generate(seed, size);
        Pipeline.Phases phases = Pipeline.run(program.graph(), new Pipeline.Options(Target.cpu(16), true));
        Map<String, Nd> expected = evaluate(phases.graph(), program.inputs());
        assertThat(evaluate(phases.fused(), program.inputs())).isEqualTo(expected);
    }
}
