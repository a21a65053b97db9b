package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import tfx.frontend.Frontend;
import tfx.ir.sequence.Heads;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.testkit.RaspGen;

/// Layers and heads: known programs, and what must hold for any.
final class HeadsTest {
    private static List<Integer> heads(String source) {
        Frontend.Checked checked = Compiler.check("heads.rasp", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).isEmpty();
        List<Heads.Head> heads = Heads.of(checked.sequences().get("x"));
        return IntStream.rangeClosed(1, Heads.layers(heads))
                .mapToObj(l -> (int) heads.stream().filter(h -> h.layer() == l).count())
                .toList();
    }

    /// What the interpreter of the language's authors counts for these.
    @Test
    void knownPrograms() {
        assertThat(heads("x = tokens;")).isEmpty();
        assertThat(heads("x = length;")).containsExactly(1);
        assertThat(heads("x = selector_width(select(tokens, tokens, ==));")).containsExactly(2);
        assertThat(heads("x = aggregate(select(indices, length - 1 - indices, ==), tokens);"))
                .containsExactly(1, 1);
        assertThat(heads("x = sort(tokens, tokens);")).containsExactly(2, 1);
        assertThat(heads("x = count(tokens, \"a\");")).containsExactly(1);
    }

    @Test
    void equalSelectorsAreOneHead() {
        assertThat(heads("""
                a = aggregate(select(indices, indices, <) or select(indices, indices, ==), indices);
                b = aggregate(select(indices, indices, <=), 2 * indices);
                c = aggregate(not select(indices, indices, >), 3 * indices);
                x = a + b + c;
                """)).containsExactly(1);
    }

    @Test
    void aggregatesMoveWhereTheirSelectorIs() {
        // The mean of indices could be in the first layer; in the second it shares a head.
        assertThat(heads("""
                late = select(aggregate(select(indices, 0, ==), indices), indices, ==);
                first = average(aggregate(select(indices, 1, ==), indices));
                x = first + average(indices);
                """)).containsExactly(1, 1);
    }

    // Shrinks to two statements: with the value's layer left out of the rule, an aggregate of an aggregate.
    @Property(tries = 300, seed = "20261122")
    void everyHeadReadsLayersBelow(@ForAll long seed, @ForAll @IntRange(min = 1, max = 14) int size) {
        SequenceNode root = RaspProperties.parse(RaspGen.generate(seed, size));
        if (root.isSelector()) {
            return;
        }
        List<Heads.Head> heads = Heads.of(root);
        Map<SequenceNode, Integer> layer = new HashMap<>();
        heads.forEach(h -> h.computes().forEach(n -> layer.put(n, h.layer())));
        Map<SequenceNode, Integer> known = new HashMap<>();
        Set<List<Integer>> plain = new HashSet<>();
        Map<SequenceNode, Integer> depth = new HashMap<>();
        for (SequenceNode node : SequenceNode.closure(List.of(root))) {
            int before = node.operands().stream().mapToInt(known::get).max().orElse(0);
            int deep = node.operands().stream().mapToInt(depth::get).max().orElse(0);
            boolean attends = node.op() instanceof SequenceOp.Aggregate || node.op() instanceof SequenceOp.Width;
            if (attends) {
                assertThat(layer.get(node)).as("%s", node).isGreaterThan(before);
                // What the authors' interpreter counts, at most: a head for each selector and earliest layer.
                int count = node.op() instanceof SequenceOp.Width ? 2 : 1;
                for (int i = 0; i < count; i++) {
                    plain.add(List.of(deep + 1, node.operand(0).id(), count, i));
                }
            }
            known.put(node, attends ? layer.get(node) : before);
            depth.put(node, attends ? deep + 1 : deep);
        }
        assertThat(heads.size()).isLessThanOrEqualTo(plain.size());
        assertThat(Heads.layers(heads)).isEqualTo(depth.get(root));
    }
}
