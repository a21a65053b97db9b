package tfx.ir.sequence;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import tfx.ir.Span;

/// How many layers and heads a transformer needs for an s-op, by the rules of "Thinking Like Transformers": a
/// selector compares what layers below have computed, an aggregate reads values of layers below and is a head of
/// its layer, and functions of one position cost nothing. Aggregates of one layer whose selectors have the same
/// normal form are one head.
///
/// Layers are as few as dependencies allow. Inside what they leave free, aggregates with equal selectors are
/// moved to the same layer, where that makes heads fewer.
public final class Heads {
    /// A head: a selector, and what it computes.
    ///
    /// @param layer from 1
    public record Head(int layer, SequenceNode selector, List<SequenceNode> computes) {}

    /// One aggregate; a selector width is two of the same layer.
    private record Use(SequenceNode node, SequenceNode selector, Object key) {}

    private final List<SequenceNode> nodes;
    private final Map<SequenceNode, List<Use>> uses = new LinkedHashMap<>();
    private final Map<SequenceNode, List<SequenceNode>> readers = new HashMap<>();
    private final int layers;

    private Heads(SequenceNode root) {
        this.nodes = SequenceNode.closure(List.of(root));
        for (SequenceNode node : nodes) {
            switch (node.op()) {
                case SequenceOp.Aggregate a -> uses.put(node, List.of(aggregate(node, a.reduction())));
                case SequenceOp.Width w -> uses.put(node, width(node));
                default -> {}
            }
            node.operands()
                    .forEach(o ->
                            readers.computeIfAbsent(o, k -> new ArrayList<>()).add(node));
        }
        this.layers = earliest(Map.of()).values().stream()
                .mapToInt(Integer::intValue)
                .max()
                .orElse(0);
    }

    /// Means through one selector are one head; an extreme looks for its own values.
    private static Use aggregate(SequenceNode node, SequenceOp.Reduction reduction) {
        Use use = use(node, node.operand(0));
        return reduction == SequenceOp.Reduction.MEAN
                ? use
                : new Use(node, use.selector(), List.of(use.key(), reduction, node.operand(1)));
    }

    private static Use use(SequenceNode node, SequenceNode selector) {
        Optional<SelectorForm> form = SelectorForm.of(selector).flatMap(SelectorForm::canonical);
        return new Use(node, selector, form.isPresent() ? form.get() : selector);
    }

    /// Two heads count what a row selects without a token that all rows select: one looks at position 0 too, and
    /// gives it a share of one over the count; one says whether position 0 counts.
    private static List<Use> width(SequenceNode node) {
        SequenceGraph graph = node.graph();
        SequenceNode selector = node.operand(0);
        SequenceNode zero = graph.constant(Atom.of(0), Span.NONE);
        SequenceNode first = graph.select(AtomFn.EQ, graph.indices(Span.NONE), zero, Span.NONE);
        return List.of(
                use(node, graph.node(new SequenceOp.Either(), List.of(selector, first), Span.NONE)),
                use(node, graph.node(new SequenceOp.Both(), List.of(selector, first), Span.NONE)));
    }

    /// The heads that an s-op needs, by layer.
    public static List<Head> of(SequenceNode root) {
        Heads heads = new Heads(root);
        Map<SequenceNode, Integer> early = heads.earliest(Map.of());
        List<Head> plain = heads.collect(early);
        List<Head> moved = heads.collect(heads.earliest(heads.schedule()));
        return moved.size() < plain.size() ? moved : plain;
    }

    /// How many layers some heads need.
    public static int layers(List<Head> heads) {
        return heads.isEmpty() ? 0 : heads.getLast().layer();
    }

    /// The first layer after which each node can be known, if some are only computed in a given layer.
    private Map<SequenceNode, Integer> earliest(Map<SequenceNode, Integer> fixed) {
        Map<SequenceNode, Integer> layer = new HashMap<>();
        for (SequenceNode node : nodes) {
            int before = node.operands().stream().mapToInt(layer::get).max().orElse(0);
            layer.put(node, uses.containsKey(node) ? Math.max(before + 1, fixed.getOrDefault(node, 0)) : before);
        }
        return layer;
    }

    /// The last layer in which each node may be computed.
    private Map<SequenceNode, Integer> latest(Map<SequenceNode, Integer> fixed) {
        Map<SequenceNode, Integer> layer = new HashMap<>();
        for (SequenceNode node : nodes.reversed()) {
            int last = layers;
            for (SequenceNode reader : readers.getOrDefault(node, List.of())) {
                int due = layer.get(reader);
                last = Math.min(last, uses.containsKey(reader) ? due - 1 : due);
            }
            layer.put(node, Math.min(last, fixed.getOrDefault(node, layers)));
        }
        return layer;
    }

    /// A layer for each aggregate: those of one selector, the most used first, go where most of them can be
    /// together.
    private Map<SequenceNode, Integer> schedule() {
        Map<Object, List<SequenceNode>> groups = new LinkedHashMap<>();
        uses.values()
                .forEach(all -> all.forEach(use -> groups.computeIfAbsent(use.key(), k -> new ArrayList<>())
                        .add(use.node())));
        List<List<SequenceNode>> order = new ArrayList<>(groups.values());
        order.sort(Comparator.comparingInt(group -> -group.size()));
        Map<SequenceNode, Integer> fixed = new HashMap<>();
        for (List<SequenceNode> group : order) {
            Set<SequenceNode> open = new HashSet<>(group);
            open.removeAll(fixed.keySet());
            while (!open.isEmpty()) {
                int layer = most(open, group, fixed);
                for (SequenceNode node : group) {
                    if (open.contains(node)
                            && earliest(fixed).get(node) <= layer
                            && layer <= latest(fixed).get(node)) {
                        fixed.put(node, layer);
                        open.remove(node);
                    }
                }
            }
        }
        return fixed;
    }

    /// The layer that most of the open nodes can be in, counting those of the group that are there.
    private int most(Set<SequenceNode> open, List<SequenceNode> group, Map<SequenceNode, Integer> fixed) {
        Map<SequenceNode, Integer> early = earliest(fixed);
        Map<SequenceNode, Integer> late = latest(fixed);
        int best = 0;
        int bestCount = -1;
        for (int layer = 1; layer <= layers; layer++) {
            int at = layer;
            int count = (int) open.stream()
                    .filter(n -> early.get(n) <= at && at <= late.get(n))
                    .count();
            if (count == 0) {
                continue;
            }
            count += group.stream().anyMatch(n -> fixed.getOrDefault(n, 0) == at) ? open.size() : 0;
            if (count > bestCount) {
                best = layer;
                bestCount = count;
            }
        }
        return best;
    }

    private List<Head> collect(Map<SequenceNode, Integer> layer) {
        TreeMap<Integer, Map<Object, Head>> heads = new TreeMap<>();
        uses.values()
                .forEach(all -> all.forEach(use -> {
                    Map<Object, Head> here = heads.computeIfAbsent(layer.get(use.node()), k -> new LinkedHashMap<>());
                    here.computeIfAbsent(
                                    use.key(), k -> new Head(layer.get(use.node()), use.selector(), new ArrayList<>()))
                            .computes()
                            .add(use.node());
                }));
        return heads.values().stream().flatMap(m -> m.values().stream()).toList();
    }
}
