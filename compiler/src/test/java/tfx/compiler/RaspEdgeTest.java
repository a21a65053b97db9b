package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.frontend.Frontend;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Heads;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.RunException;
import tfx.testkit.Close;

/// Programs at the edges of what vectors hold: the compiled form gives what the evaluator gives, or leaves the
/// call to it.
final class RaspEdgeTest {
    private static final Map<Integer, List<Atom>> INPUTS = Map.of(
            0, List.of(Atom.of("1e30"), Atom.of("1"), Atom.of("2"), Atom.of("-1.5")),
            1, List.of(Atom.of(1), Atom.of(-4), Atom.of(0), Atom.of(7), Atom.of(7)),
            3, List.of(Atom.of((1L << 53) + 1), Atom.of(3)),
            2, List.of(Atom.of(0.0), Atom.of(-0.0), Atom.of(1e300), Atom.of(-1e300), Atom.of(0.5)));

    static SequenceNode parse(String source) {
        Frontend.Checked checked = Compiler.check("edge.rasp", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).as(source).isEmpty();
        return checked.sequences().get("x");
    }

    private static Object run(SequenceNode node, Session.Backend backend, List<Atom> input) {
        Session.Options options = new Session.Options(backend, Optional.empty(), 2);
        try (SequenceSession session = new SequenceSession(node, options)) {
            return session.run(input);
        } catch (RunException e) {
            return e.getMessage();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x = aggregate(select(1,1,==), 2305843009213693952);",
                "x = aggregate(select(1,1,==), 2305843009213693952 + indices);",
                "x = round(aggregate(select(indices,indices,==), tokens_float));",
                "x = round(indices if indices<1 else 10000000000000000000000.0);",
                "x = selector_width(select(indices, indices + 10000000000000000000000.0, <=));",
                "x = selector_width(select(indices + 1, indices - 10000000000000000000000.0, <));",
                "b = 10.0^308*10.0; n = b-b; x = selector_width(not select(indices, n, <));",
                "x = aggregate(select(1,1,==), (indices>0) if indices<100 else 1.5);",
                "x = aggregate(select(1,1,==), (indices>0) if indices<2 else 1);",
                "x = aggregate(select(indices,indices,>=), tokens_float);",
                "x = aggregate(select(indices,indices,!=), tokens_float);",
                "x = aggregate(select(tokens,tokens,!=) or select(indices,indices,<), tokens_float * 0.5);",
                "x = selector_width(select(tokens_asis,indices,<) and select(tokens_asis,indices,>));",
                "x = selector_width(select(tokens_asis,1,==) and select(tokens_asis,indices,<));",
                "x = (indices*-1.0-1.0) % 1.0;",
                "x = (-(indices if indices<1 else 1.5))*2.0;",
                "x = tokens_float % 0.75;",
                "x = tokens_float * tokens_float;",
                "x = (indices + 1) ^ 70;",
                "x = 2 ^ (indices * 30);",
                "x = 0.5 ^ indices;",
                "x = [5, 6, 7][indices - 3];",
                "x = [5, 6.5, 7][indices % 3];",
                "x = range(1000)[indices * 7];",
                "x = {1.0: \"a\", 0: \"b\", 2: \"c\", 3: \"d\", 4: \"e\"}[indices];",
                "x = indices in [True, 2.0, \"a\"];",
                "x = tokens_asis == \"1\";",
                "x = tokens_asis == 1;",
                "x = tokens_asis * 1.0 == tokens_asis;",
                "x = tokens_asis in [9007199254740992.0];",
                "x = selector_width(select(tokens_asis, tokens_asis * 1.0, !=));",
                "x = (tokens_asis if indices < 0 else 1) + 0.5;",
                "x = aggregate(select(indices, 9007199254740993, ==), indices, 9007199254740993) + 1;",
                "x = (indices + 9007199254740993) == (indices + 9007199254740992.0);",
                "x = (indices + 4611686018427387904) + (indices + 4611686018427387904);",
                "x = aggregate(select(indices, indices/2, ==), indices, -1);",
                "x = aggregate(select(indices, indices - 0.5, <), indices, -1);",
                "x = aggregate(select(tokens, \"1\", ==) and select(indices, indices, <=), True, False);",
                "x = aggregate(select(indices, indices - 1, ==), tokens == \"1\");",
                "x = aggregate(select(indices, indices, <), tokens == \"1\");",
                "x = aggregate(select(1, 2, ==), tokens);",
                "x = indicator(tokens * 0) + indicator(tokens);",
                "x = (tokens + tokens) if tokens < \"2\" else \"\";",
                "x = 1 / (indices - 2);",
                "x = (\"a\" if indices < 9 else 1);",
                "x = round(tokens_float / 3);"
            })
    void compiledIsTheEvaluator(String source) {
        SequenceNode node = parse(source);
        INPUTS.values()
                .forEach(input -> assertThat(Close.atoms(
                                run(node, Session.Backend.EVALUATOR, input),
                                run(node, Session.Backend.CPU, input),
                                input.size()))
                        .as("%s on %s", source, input)
                        .isEmpty());
    }

    @Test
    void longProgramsRun() {
        for (int length : new int[] {2500, 20_000}) {
            SequenceNode node =
                    parse("y = indices" + "*2%7".repeat(length / 2) + ";\nx = selector_width(select(y,y,==));");
            List<Atom> input = INPUTS.get(1);
            assertThat(run(node, Session.Backend.CPU, input)).isEqualTo(run(node, Session.Backend.EVALUATOR, input));
        }
    }

    @Test
    void selectorsThatExplodeEnd() {
        String bounds = IntStream.range(0, 40)
                .mapToObj(i -> " and select(indices, indices + " + i + ", !=)")
                .reduce("select(1,1,==)", String::concat);
        SequenceNode excluded = parse("x = selector_width(" + bounds + ");");
        List<Atom> input = INPUTS.get(1);
        assertThat(run(excluded, Session.Backend.CPU, input))
                .isEqualTo(run(excluded, Session.Backend.EVALUATOR, input));
        StringBuilder doubling = new StringBuilder("s = select(1,1,==);\n");
        for (int i = 0; i < 30; i++) {
            doubling.append("s = (s and select(indices,indices+" + i + ",<)) or (s and select(indices,indices-" + i
                    + ",>));\n");
        }
        SequenceNode doubled = parse(doubling + "x = selector_width(s);");
        assertThat(run(doubled, Session.Backend.CPU, input)).isEqualTo(run(doubled, Session.Backend.EVALUATOR, input));
        assertThat(Heads.of(doubled)).hasSize(2);
    }
}
