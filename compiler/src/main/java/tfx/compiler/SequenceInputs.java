package tfx.compiler;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;
import tfx.passes.sequence.Feed;
import tfx.passes.sequence.SequenceLowering;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// The tokens of one call as the vectors that a lowered program takes. Strings become codes: their places among
/// all strings that can come up, which follow from the tokens operation by operation.
final class SequenceInputs {
    /// More strings than this are not told apart.
    private static final int MAX_STRINGS = 1 << 20;

    private static final int MAX_PAIRS = 1 << 22;
    private static final BigInteger LARGEST = BigInteger.valueOf((long) SequenceLowering.LARGEST_TOKEN);
    private static final int MAX_CHARACTERS = 1 << 24;

    private final List<SequenceNode> nodes;
    /// The distinct tokens, and which of them each position holds.
    private final List<Atom> distinct = new ArrayList<>();

    private final int[] which;
    private final Arena arena;
    private final Map<SequenceOp.Conversion, List<Atom>> converted = new HashMap<>();
    private final Map<String, Integer> codes = new HashMap<>();
    private List<String> strings = List.of();

    SequenceInputs(SequenceNode root, List<Atom> tokens, Arena arena) {
        this.nodes = SequenceNode.closure(List.of(root));
        this.which = new int[tokens.size()];
        this.arena = arena;
        Map<Atom, Integer> places = new HashMap<>();
        for (int i = 0; i < which.length; i++) {
            Integer place = places.putIfAbsent(tokens.get(i), distinct.size());
            if (place == null) {
                distinct.add(tokens.get(i));
            }
            which[i] = place == null ? distinct.size() - 1 : place;
        }
    }

    /// Strings by their codes; those of the result are among them.
    List<String> strings() {
        return strings;
    }

    /// The inputs by name; none where the tokens are not what vectors hold.
    Optional<Map<String, Tensor>> bind(List<Feed> feeds) {
        Map<String, Tensor> inputs = new HashMap<>();
        try {
            if (!collect()) {
                return Optional.empty();
            }
            for (Feed feed : feeds) {
                if (!bind(feed, inputs)) {
                    return Optional.empty();
                }
            }
        } catch (SequenceError e) {
            // The evaluator meets the same error, and says where.
            return Optional.empty();
        }
        return Optional.of(inputs);
    }

    /// The distinct tokens after a conversion.
    private List<Atom> converted(SequenceOp.Conversion conversion) {
        return converted.computeIfAbsent(
                conversion,
                c -> distinct.stream()
                        .map(token -> SequenceEvaluator.convert(c, token))
                        .toList());
    }

    /// Finds all strings; false if there are too many.
    private boolean collect() {
        Map<SequenceNode, Set<String>> texts = new HashMap<>();
        Set<String> all = new HashSet<>();
        for (SequenceNode node : nodes) {
            if (!node.kinds().contains(Kind.TEXT)) {
                continue;
            }
            Set<String> own = new HashSet<>();
            if (!texts(node, texts, own) || own.size() > MAX_STRINGS) {
                return false;
            }
            texts.put(node, own);
            all.addAll(own);
        }
        strings = all.stream().sorted(Numbers::compareText).toList();
        for (String text : strings) {
            codes.put(text, codes.size());
        }
        return true;
    }

    private boolean texts(SequenceNode node, Map<SequenceNode, Set<String>> known, Set<String> own) {
        switch (node.op()) {
            case SequenceOp.Tokens t -> converted(t.conversion()).forEach(a -> add(a, own));
            case SequenceOp.Constant c -> add(c.value(), own);
            case SequenceOp.Lookup l -> l.values().forEach(a -> add(a, own));
            case SequenceOp.Aggregate a -> {
                own.addAll(known.getOrDefault(node.operand(1), Set.of()));
                add(a.otherwise(), own);
            }
            case SequenceOp.Choose c -> {
                own.addAll(known.getOrDefault(node.operand(1), Set.of()));
                own.addAll(known.getOrDefault(node.operand(2), Set.of()));
            }
            case SequenceOp.Map m -> {
                return made(m.fn(), node, known, own);
            }
            case SequenceOp.Indices i -> {}
            case SequenceOp.Among a -> {}
            case SequenceOp.Width w -> {}
            case SequenceOp.Selector s -> {}
        }
        return true;
    }

    private static void add(Atom atom, Set<String> texts) {
        if (atom instanceof Atom.Text t) {
            texts.add(t.value());
        }
    }

    /// Adds what a function makes of the strings it can meet; false if that is too much.
    private static boolean made(AtomFn fn, SequenceNode node, Map<SequenceNode, Set<String>> known, Set<String> own) {
        List<Atom> left = possible(node.operands().getFirst(), known);
        List<Atom> right = possible(node.operands().getLast(), known);
        if ((long) left.size() * right.size() > MAX_PAIRS) {
            return false;
        }
        long characters = 0;
        for (Atom a : left) {
            for (Atom b : right) {
                try {
                    Atom made = fn.apply(List.of(a, b));
                    add(made, own);
                    characters += made instanceof Atom.Text t ? t.value().length() : 0;
                    if (characters > MAX_CHARACTERS) {
                        return false;
                    }
                } catch (SequenceError e) {
                    // Not defined on these two, which need not meet.
                    continue;
                }
            }
        }
        return true;
    }

    private static List<Atom> possible(SequenceNode node, Map<SequenceNode, Set<String>> known) {
        if (node.op() instanceof SequenceOp.Constant c) {
            return List.of(c.value());
        }
        return known.getOrDefault(node, Set.of()).stream().map(Atom::of).toList();
    }

    private boolean bind(Feed feed, Map<String, Tensor> inputs) {
        switch (feed) {
            case Feed.Positions p -> inputs.put(p.name(), Tensor.zeros(arena, DType.BOOL, which.length));
            case Feed.Tokens t -> {
                List<Atom> atoms = converted(t.conversion());
                Tensor values = Tensor.zeros(arena, SequenceLowering.dtype(t.kind()), atoms.size());
                for (int i = 0; i < atoms.size(); i++) {
                    if (!set(values, i, atoms.get(i))) {
                        return false;
                    }
                }
                inputs.put(t.name(), spread(values));
            }
            case Feed.Code c -> {
                Tensor tensor = Tensor.zeros(arena, DType.I32);
                tensor.setLong(0, codes.getOrDefault(c.text(), -1));
                inputs.put(c.name(), tensor);
            }
            case Feed.Values v -> {
                Tensor tensor = Tensor.zeros(
                        arena, SequenceLowering.dtype(v.kind()), v.values().size());
                for (int i = 0; i < v.values().size(); i++) {
                    if (!set(tensor, i, v.values().get(i))) {
                        return false;
                    }
                }
                inputs.put(v.name(), tensor);
            }
            case Feed.Table t -> bind(t, inputs);
            case Feed.PairTable p -> {
                int count = strings.size();
                if ((long) count * count > MAX_PAIRS) {
                    return false;
                }
                Tensor tensor = Tensor.zeros(arena, DType.I32, count, count);
                for (int i = 0; i < count; i++) {
                    for (int j = 0; j < count; j++) {
                        String text = strings.get(i) + strings.get(j);
                        tensor.setLong((long) i * count + j, codes.getOrDefault(text, -1));
                    }
                }
                inputs.put(p.name(), tensor);
            }
        }
        return true;
    }

    /// A value of each distinct token at each position.
    private Tensor spread(Tensor values) {
        Tensor all = Tensor.zeros(arena, values.dtype(), which.length);
        int bytes = values.dtype().bytes();
        for (int i = 0; i < which.length; i++) {
            MemorySegment.copy(values.data(), (long) which[i] * bytes, all.data(), (long) i * bytes, bytes);
        }
        return all;
    }

    private void bind(Feed.Table table, Map<String, Tensor> inputs) {
        Tensor values = Tensor.zeros(arena, SequenceLowering.dtype(table.kind()), strings.size());
        Tensor valid = Tensor.zeros(arena, DType.BOOL, strings.size());
        Function<List<Atom>, Atom> function =
                SequenceEvaluator.function((SequenceOp.Pointwise) table.node().op());
        for (int i = 0; i < strings.size(); i++) {
            try {
                Atom value = function.apply(operands(table, Atom.of(strings.get(i))));
                boolean known = !(value instanceof Atom.Text t) || codes.containsKey(t.value());
                valid.setLong(i, known && set(values, i, value) ? 1 : 0);
            } catch (SequenceError e) {
                valid.setLong(i, 0);
            }
        }
        inputs.put(table.name(), values);
        inputs.put(table.valid(), valid);
    }

    /// An atom for one operand, the others being constants.
    private static List<Atom> operands(Feed.Table table, Atom atom) {
        List<Atom> atoms = new ArrayList<>();
        for (SequenceNode operand : table.node().operands()) {
            boolean given = atoms.size() == table.operand();
            atoms.add(given ? atom : ((SequenceOp.Constant) operand.op()).value());
        }
        return atoms;
    }

    /// Stores an atom; false if the vector's type does not hold it.
    private boolean set(Tensor tensor, int i, Atom atom) {
        switch (atom) {
            case Atom.Text t -> tensor.setLong(i, codes.get(t.value()));
            case Atom.Truth t -> tensor.setLong(i, t.value() ? 1 : 0);
            case Atom.Whole w -> {
                if (w.value().abs().compareTo(LARGEST) > 0) {
                    return false;
                }
                tensor.setLong(i, w.value().longValue());
            }
            case Atom.Real r -> {
                if (!Double.isFinite(r.value())) {
                    return false;
                }
                tensor.setDouble(i, r.value());
            }
        }
        return true;
    }
}
