package tfx.compiler.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tfx.compiler.Compiler;
import tfx.compiler.LoadedFile;
import tfx.compiler.Tfx;
import tfx.ir.InternalError;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.transformer.Transformer;
import tfx.runtime.Tensor;

/// How large weights are, what is refused, what is written, and that the check can fail.
final class TransformerTest {
    private static final List<Atom> ABC = texts("a", "b", "c");

    @TempDir
    private Path folder;

    private static List<Atom> texts(String... texts) {
        return Arrays.stream(texts).map(Atom::of).toList();
    }

    private static SequenceNode node(String source) {
        return Compiler.check("x.rasp", source.getBytes(StandardCharsets.UTF_8))
                .sequences()
                .get("x");
    }

    private static WeightCompiler.Report check(String source, List<Atom> vocabulary, int length, boolean causal)
            throws IOException {
        return WeightCompiler.check(new WeightCompiler.Request(node(source), "x", vocabulary, length, causal));
    }

    private static Transformer model(String source) throws IOException {
        return check(source, ABC, 5, false).transformer();
    }

    /// A count needs two of three one-hot numbers, and the share that it is.
    @Test
    void histogramsAreSmall() throws IOException {
        Transformer hist = model("x = selector_width(select(tokens, tokens, ==));");
        assertThat(hist.layers()).hasSize(1);
        assertThat(hist.heads()).isEqualTo(1);
        assertThat(hist.width()).isEqualTo(3);
    }

    @Test
    void functionsOfOneTokenAreEmbedded() throws IOException {
        Transformer model = model("x = {\"a\": 3, \"b\": 1, \"c\": 2}[tokens] * 2 + 1;");
        assertThat(model.layers()).isEmpty();
        assertThat(model.width()).isEqualTo(1);
        assertThat(model("x = (\"yes\" if tokens == tokens else \"no\");").classes())
                .containsExactly(Atom.of("yes"));
    }

    @Test
    void equalSelectorsShareAHead() throws IOException {
        Transformer model = model("""
                before = select(indices, indices, <);
                x = aggregate(before, indicator(tokens == "a")) + aggregate(before, indicator(tokens == "b"));
                """);
        assertThat(model.heads()).isEqualTo(1);
    }

    /// Values move on as they are, also those that no position gave (Tracr's issue 25).
    @Test
    void aggregatesOfAggregatesKeepTheirDefaults() throws IOException {
        Transformer model = model("""
                def shifted(s) { return aggregate(select(indices, indices - 1, ==), s, -1); }
                x = shifted(shifted(indices));
                """);
        assertThat(model.heads()).isEqualTo(2);
        assertThat(model("x = shift(shift(tokens, 1, \"<\"), 1, \">\");").classes())
                .containsExactlyInAnyOrderElementsOf(texts("<", ">", "a", "b", "c"));
    }

    @Test
    void selectorsMayBeAnyFormula() throws IOException {
        check("""
                x = selector_width(not (select(tokens, tokens, ==) and select(indices, indices, <))
                    or select(indices, 2 * indices, ==));
                """, ABC, 5, false);
        check("x = selector_width(select(tokens, \"z\", ==));", ABC, 4, false);
        check(
                "x = aggregate(select(indices, indices, <=) and select(tokens_int, 0, !=), tokens_int, 7);",
                List.of(Atom.of(-2), Atom.of(0), Atom.of(1)),
                5,
                false);
    }

    @Test
    void causalHeadsSeeNoLaterPosition() throws IOException {
        Transformer model = check("x = selector_width(select(tokens, tokens, ==));", ABC, 5, true)
                .transformer();
        assertThat(model.causal()).isTrue();
        assertThat(model.heads()).isEqualTo(1);
    }

    private static void refused(String source, List<Atom> vocabulary, int length, String why) {
        assertThatThrownBy(() -> check(source, vocabulary, length, false))
                .isInstanceOfSatisfying(
                        SequenceError.class, e -> assertThat(e.span().line()).isPositive())
                .hasMessageContaining(why);
    }

    @Test
    void whatIsNotExactIsRefused() {
        refused("x = average(average(indicator(tokens == \"a\")));", ABC, 4, "whose sums depend on their order");
        refused("x = tokens_int;", ABC, 3, "'a'");
        refused("x = aggregate(full_s, tokens);", ABC, 3, "the program fails on");
        refused("x = 1 / indicator(tokens == \"a\");", ABC, 3, "the program fails on");
        refused("x = indices ^ 30;", ABC, 9, "too large to be told from others");
        refused("x = average(9 ^ indices if tokens == \"a\" else 0);", ABC, 9, "which f32 cannot hold");
        refused(
                "x = average(tokens_int) * selector_width(select(tokens, tokens, ==)) + indices;",
                List.of(Atom.of(1), Atom.of(3), Atom.of(1000)),
                40,
                "more than");
    }

    @Test
    void whatIsTooLargeIsRefused() {
        refused("x = indices;\nfor i in range(30000) { x = x + i; }", ABC, 3, "at most 20000 become weights");
        refused("x = sort(tokens, tokens);", letters(200), 100, "more than 16384 combinations");
        refused("x = selector_width(select(shift(tokens, 1, \"\") + tokens, tokens, ==));", letters(120), 100, "");
    }

    private static List<Atom> letters(int count) {
        return IntStream.range(0, count).mapToObj(i -> Atom.of("t" + i)).toList();
    }

    /// The largest and the smallest are found by a head whose scores are in order.
    @Test
    void extremesAreHeads() throws IOException {
        String source = "x = lasts(tokens, \"a\") - aggr_min(select(tokens, \"b\", !=), indices, 9);";
        SequenceNode node = Compiler.check("x.raspl", source.getBytes(StandardCharsets.UTF_8))
                .sequences()
                .get("x");
        Transformer model = WeightCompiler.check(new WeightCompiler.Request(node, "x", ABC, 6, true))
                .transformer();
        assertThat(model.heads()).isEqualTo(2);
        assertThat(model.layers()).hasSize(1);
    }

    private static WeightCompiler.Report raspL(String source, List<Atom> vocabulary, int length) throws IOException {
        SequenceNode node = Compiler.check("x.raspl", source.getBytes(StandardCharsets.UTF_8))
                .sequences()
                .get("x");
        return WeightCompiler.check(new WeightCompiler.Request(node, "x", vocabulary, length, true));
    }

    /// Atoms that stand only where nothing selects them, and defaults that never come up, however large.
    @Test
    void whatNeverComesUpDoesNoHarm() throws IOException {
        raspL("x = aggr_max(select(tokens, \"a\", ==), shift_right(tokens, 1, \"zz\"), \"\");", ABC, 5);
        check("x = aggregate(select(indices, 0, ==), indicator(tokens == \"a\"), 2 ^ 40);", ABC, 4, false);
        check("x = aggregate(select(indices, 0, ==), tokens, 1);", ABC, 4, false);
    }

    /// Numbers of very different size are exact, or refused.
    @Test
    void largeNumbersAreExactOrRefused() throws IOException {
        List<Atom> far = List.of(Atom.of(0), Atom.of(70_000), Atom.of(99_991));
        check("""
                held = tokens_int + (tokens_int + 3 * indicator(tokens_int == 70000));
                x = selector_width(select(tokens_int, tokens_int, ==)) + held - held;
                """, far, 6, false);
        List<Atom> offset =
                IntStream.range(0, 60).mapToObj(i -> Atom.of(100_000 + 7L * i)).toList();
        check("x = aggregate(select(indices, 0, ==), tokens_int);", offset, 2, false);
        refused("x = average(tokens_int);", List.of(Atom.of(1_000_000), Atom.of(1_000_001)), 8, "too close together");
    }

    private Tensor run(String source, List<Atom> vocabulary, Arena arena, int... ids) throws IOException {
        SequenceNode node = node(source);
        WeightCompiler.write(new WeightCompiler.Request(node, "x", vocabulary, 6, false), "a test", folder);
        try (LoadedFile file = Tfx.load(folder.resolve("x.tfx"))) {
            return file.program("x").call(arena, List.of(ids)).get("x");
        }
    }

    @Test
    void resultsHaveTheirTypes() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Tensor bools = run("x = tokens == \"b\";", ABC, arena, 0, 1);
            assertThat(bools.toString()).startsWith("bool");
            assertThat(bools.getLong(1)).isEqualTo(1);
            Tensor thirds = run("x = average(indicator(tokens == \"b\"));", ABC, arena, 0, 1, 2);
            assertThat(thirds.toString()).startsWith("f64");
            assertThat(thirds.getDouble(0)).isEqualTo(1.0 / 3);
            Tensor large = run("x = indices ^ 15;", ABC, arena, 0, 1, 2, 0, 1, 2);
            assertThat(large.toString()).startsWith("i64");
            assertThat(large.getLong(5)).isEqualTo(30_517_578_125L);
            Tensor texts = run("x = tokens + \"!\";", ABC, arena, 2, 0);
            assertThat(texts.getLong(0)).isEqualTo(2);
            assertThat(Files.readString(folder.resolve("x.tfx"))).contains("the number of one of 'a!', 'b!', 'c!'");
        }
    }

    @Test
    void theCheckFindsWrongWeights() throws IOException {
        SequenceNode hist = node("x = selector_width(select(tokens, tokens, ==));");
        Transformer model = WeightCompiler.check(new WeightCompiler.Request(hist, "x", ABC, 4, false))
                .transformer();
        TransformerFiles.write(model, "x", "a test", folder);
        SequenceNode other = node("x = selector_width(select(tokens, tokens, <=));");
        assertThatThrownBy(() -> TransformerCheck.run(other, model, folder.resolve("x.tfx"), "x"))
                .isInstanceOf(InternalError.class)
                .hasMessageContaining("the weights are wrong on");
    }
}
