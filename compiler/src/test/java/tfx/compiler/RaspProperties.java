package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import tfx.frontend.Frontend;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.RunException;
import tfx.testkit.Close;
import tfx.testkit.RaspGen;

/// Random programs of RASP mean the same to every engine, by the normal form of their selectors and over all
/// pairs of positions.
final class RaspProperties {
    private static int runs;
    private static int compiled;

    static SequenceNode parse(RaspGen.Generated program) {
        Frontend.Checked checked =
                Compiler.check(program.file(), program.source().getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).as(program.source()).isEmpty();
        return checked.sequences().get(program.entry());
    }

    private static Session.Options on(Session.Backend backend) {
        return new Session.Options(backend, Optional.empty(), 2);
    }

    private static Object result(SequenceSession session, List<Atom> tokens) {
        try {
            return session.run(tokens);
        } catch (RunException e) {
            return e.getMessage();
        }
    }

    // Shrinks to one statement: with a fault planted in one comparison's range, size 1.
    @Property(tries = 300, seed = "20261122")
    void everyEngineEqualsTheEvaluator(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int size, @ForAll boolean causal) {
        RaspGen.Generated program = RaspGen.generate(seed, size, causal);
        SequenceNode node = parse(program);
        Object expected;
        try (SequenceSession session = new SequenceSession(node, on(Session.Backend.EVALUATOR))) {
            expected = result(session, program.tokens());
        }
        // An OpenCL program takes long to build, so one in four runs there.
        Session.Backend backend = seed % 4 == 0 ? Session.Backend.OPENCL : Session.Backend.CPU;
        for (SequenceSession.Selectors selectors : SequenceSession.Selectors.values()) {
            try (SequenceSession session = new SequenceSession(node, on(backend), selectors)) {
                Object actual = result(session, program.tokens());
                assertThat(Close.atoms(expected, actual, program.tokens().size()))
                        .as("%s on %s, %s\n%s", program.entry(), program.input(), selectors, program.source())
                        .isEmpty();
                runs++;
                compiled += session.compiledCalls();
            }
        }
    }

    @Property(tries = 300, seed = "20261122")
    void laterTokensChangeNothingInRaspL(@ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int size) {
        RaspGen.Generated program = RaspGen.generate(seed, size, true);
        SequenceNode node = parse(program);
        if (node.isSelector()) {
            return;
        }
        List<Atom> tokens = program.tokens();
        try {
            List<Atom> whole = new SequenceEvaluator(tokens).values(node);
            for (int length = 1; length <= tokens.size(); length++) {
                assertThat(new SequenceEvaluator(tokens.subList(0, length)).values(node))
                        .as("%s on %s\n%s", program.entry(), program.input(), program.source())
                        .isEqualTo(whole.subList(0, length));
            }
        } catch (SequenceError e) {
            // A later token may be what makes a program fail.
        }
    }

    @AfterContainer
    static void mostRunCompiled() {
        assertThat(compiled).as("of %d runs", runs).isGreaterThan(runs * 3 / 4);
    }
}
