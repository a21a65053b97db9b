package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import tfx.frontend.Frontend;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;
import tfx.testkit.Close;
import tfx.testkit.Values;

/// Attention under random selectors, over several blocks of queries and keys: which blocks are left out and which
/// run without masks is invisible to programs.
final class SelectorProperties {
    private static final List<String> COMPARISONS = List.of("<", "<=", "==", "!=", ">=", ">");

    @Property(tries = 60)
    void blocksThatASelectorDecidesAreInvisible(@ForAll @LongRange(min = 0, max = Long.MAX_VALUE) long seed) {
        Random random = new Random(seed);
        check(selector(random, 3), 1 + random.nextInt(230), random, List.of(), Engines.of(seed));
    }

    /// Queries and keys that are not finite change only what selects them.
    @Property(tries = 12)
    void scoresThatAreNotFinite(@ForAll @LongRange(min = 0, max = Long.MAX_VALUE) long seed) {
        Random random = new Random(seed);
        List<Double> odd = List.of(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY);
        check(selector(random, 2), 1 + random.nextInt(230), random, odd, Engines.of(seed));
    }

    /// Forms of attention whose sums leave out scores that their maximum knows, or that read the maximum: a NaN
    /// among the scores must reach the maximum there.
    @Example
    void maximaThatDoMoreThanShift() {
        for (String weights : List.of(
                "exp(where(kept, s, -inf) - m)",
                "where(kept, exp(s - m), 0.0) * w",
                "where(kept, exp(s - m), -0.0)",
                "exp(s - m) * where(kept, 1.0, 0.0)",
                "exp(s - m)")) {
            shifted(weights, "y");
            shifted(weights, "where(squeeze(m, -1) > 0.0, y[:, 0], 0.0)");
        }
    }

    private static void shifted(String weights, String result) {
        String source = """
                program attend(q: f32[S, 4], k: f32[T, 4], v: f32[T, 4], w: f32[T]) -> (r) {
                  s = (q @ transpose(k)) * 0.4;
                  largest = max(s, keep = True);
                  m = where(largest == -inf, 0.0, largest);
                  kept = select(positions(T), positions(S), <=);
                  p = %s;
                  y = (p / sum(p, keep = True)) @ v;
                  return %s;
                }
                """.formatted(weights, result);
        Frontend.Checked checked = Compiler.check("maxima.tfx", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics().stream().map(d -> d.render()))
                .as(source)
                .isEmpty();
        Graph graph = checked.programs().getFirst().graph();
        Random random = new Random(2);
        Map<String, Nd> inputs = new LinkedHashMap<>();
        inputs.put("q", Values.small(random, DType.F32, 250, 4));
        inputs.put("k", Values.small(random, DType.F32, 250, 4));
        inputs.put("v", Values.small(random, DType.F32, 250, 4));
        inputs.put("w", Values.small(random, DType.F32, 250));
        inputs.get("k").floats()[4 * 220] = Double.NaN;
        compare(graph, source, inputs, "r", 250, List.of(Engines.values()));
    }

    private static void compare(
            Graph graph, String source, Map<String, Nd> inputs, String result, int keys, List<Engines> engines) {
        Nd expected = Evaluator.run(graph, inputs, w -> {
                    throw new IllegalArgumentException(w);
                })
                .get(result);
        for (Engines engine : engines) {
            Nd actual = engine.run(graph, inputs).get(result);
            assertThat(Close.difference(expected, actual, keys))
                    .as(engine + "\n" + source)
                    .isEmpty();
        }
    }

    @Example
    void positionsThatWrapAroundAreNotBounds() {
        check(
                "select(positions(T), positions(S) * 20000000, >)",
                200,
                new Random(1),
                List.of(),
                List.of(Engines.values()));
    }

    /// @param odd what some elements of queries and keys are
    private static void check(String selector, int queries, Random random, List<Double> odd, List<Engines> engines) {
        String source = """
                import nn;
                program attend(q: f32[1, 2, S, 4], k: f32[1, 2, T, 4], v: f32[1, 2, T, 4], at_ids: i32[S], of_ids: i32[T],
                        on: bool[T], len: i32) -> (y) {
                  return attention(q, k, v, where = %s);
                }
                """.formatted(selector);
        Frontend.Checked checked = Compiler.check("selector.tfx", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics().stream().map(d -> d.render()))
                .as(source)
                .isEmpty();
        Graph graph = checked.programs().getFirst().graph();
        int keys = random.nextBoolean() ? queries : 1 + random.nextInt(230);
        Map<String, Nd> inputs = new LinkedHashMap<>();
        inputs.put("q", Values.small(random, DType.F32, 1, 2, queries, 4));
        inputs.put("k", Values.small(random, DType.F32, 1, 2, keys, 4));
        for (double number : odd) {
            double[] some = inputs.get(random.nextBoolean() ? "q" : "k").floats();
            some[random.nextInt(some.length)] = (float) number;
        }
        inputs.put("v", Values.small(random, DType.F32, 1, 2, keys, 4));
        inputs.put("at_ids", stairs(random, queries));
        inputs.put("of_ids", stairs(random, keys));
        Nd on = Nd.zeros(DType.BOOL, keys);
        int last = random.nextInt(keys + 1);
        for (int i = 0; i < keys; i++) {
            on.longs()[i] = i < last ? 1 : 0;
        }
        inputs.put("on", on);
        Nd length = Nd.zeros(DType.I32);
        length.longs()[0] = random.nextInt(keys + 1);
        inputs.put("len", length);
        compare(graph, source, inputs, "y", keys, engines);
    }

    private static String selector(Random random, int depth) {
        int choice = random.nextInt(depth > 0 ? 6 : 3);
        return switch (choice) {
            case 0 -> "select(on, positions(S) >= 0, ==)";
            case 3, 4 ->
                "(" + selector(random, depth - 1) + (random.nextBoolean() ? " and " : " or ")
                        + selector(random, depth - 1) + ")";
            case 5 -> "not " + selector(random, depth - 1);
            default ->
                "select(" + number(random, "T", "of_ids", 2) + ", " + number(random, "S", "at_ids", 2) + ", "
                        + pick(random, COMPARISONS) + ")";
        };
    }

    /// An i32 expression of positions and data.
    private static String number(Random random, String length, String ids, int depth) {
        int constant = 1 + random.nextInt(200);
        int choice = random.nextInt(depth > 0 ? 9 : 3);
        return switch (choice) {
            case 0, 1 -> "positions(" + length + ")";
            case 2 -> ids;
            case 3 ->
                "(" + number(random, length, ids, depth - 1) + pick(random, List.of(" + ", " - ", " * ", " // ", " % "))
                        + constant + ")";
            case 4 -> "(" + number(random, length, ids, depth - 1) + " * 20000000)";
            case 5 ->
                pick(random, List.of("max(", "min(")) + number(random, length, ids, depth - 1) + ", "
                        + number(random, length, ids, depth - 1) + ")";
            case 6 -> "-" + number(random, length, ids, depth - 1);
            case 7 -> "(" + number(random, length, ids, depth - 1) + " + len)";
            default ->
                "(" + number(random, length, ids, depth - 1) + " - " + number(random, length, ids, depth - 1) + ")";
        };
    }

    private static String pick(Random random, List<String> from) {
        return from.get(random.nextInt(from.size()));
    }

    /// Ids that grow now and then.
    private static Nd stairs(Random random, int length) {
        Nd ids = Nd.zeros(DType.I32, length);
        int every = 1 + random.nextInt(60);
        for (int i = 1; i < length; i++) {
            ids.longs()[i] = ids.longs()[i - 1] + (random.nextInt(every) == 0 ? 1 : 0);
        }
        return ids;
    }
}
