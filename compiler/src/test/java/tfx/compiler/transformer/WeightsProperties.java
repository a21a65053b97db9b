package tfx.compiler.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import tfx.compiler.Compiler;
import tfx.frontend.Frontend;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.testkit.RaspGen;

/// Random programs become weights that compute them, or are refused with a place. That weights compute what they
/// should is checked by every compilation, on all inputs that there are here.
final class WeightsProperties {
    private static int accepted;
    private static int tries;

    @Property(tries = 150, seed = "20261123")
    void randomProgramsCompileOrAreRefused(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 10) int size, @ForAll boolean causal)
            throws IOException {
        RaspGen.Generated program = RaspGen.generate(seed, size, causal);
        Frontend.Checked checked =
                Compiler.check(program.file(), program.source().getBytes(StandardCharsets.UTF_8));
        SequenceNode node = checked.sequences().get(program.entry());
        if (node.isSelector()) {
            return;
        }
        Map<Object, Atom> distinct = new LinkedHashMap<>();
        program.tokens().forEach(t -> distinct.putIfAbsent(Numbers.key(t), t));
        List<Atom> vocabulary = distinct.values().stream().limit(3).toList();
        Path folder = Files.createTempDirectory("tfx-weights-test");
        tries++;
        try {
            WeightCompiler.Report report = WeightCompiler.write(
                    new WeightCompiler.Request(node, "compiled", vocabulary, 4, causal), "random", folder);
            accepted++;
            assertThat(report.check().samples()).isZero();
        } catch (SequenceError e) {
            assertThat(e.span()).as("%s\n%s", e.getMessage(), program.source()).isNotEqualTo(Span.NONE);
        } catch (RuntimeException e) {
            throw new AssertionError(program.source() + vocabulary, e);
        } finally {
            for (Path file : WeightCompiler.files(folder)) {
                Files.delete(file);
            }
            Files.delete(folder);
        }
    }

    @AfterContainer
    static void mostCompile() {
        assertThat(accepted).as("of %d", tries).isGreaterThan(tries / 2);
    }
}
