package tfx.ir.sequence;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;

/// What s-ops and selectors mean: loops over positions, selectors as tables of bits. Slow and obvious; every
/// engine is tested against it.
public final class SequenceEvaluator {
    private final List<Atom> input;
    private final Map<SequenceNode, List<Atom>> values = new HashMap<>();
    private final Map<SequenceNode, List<BitSet>> selectors = new HashMap<>();

    /// @param input the tokens, at least one
    public SequenceEvaluator(List<Atom> input) {
        if (input.isEmpty()) {
            throw new SequenceError("the input is empty; sequences have at least one position");
        }
        this.input = List.copyOf(input);
    }

    /// Evaluates a node and what it needs, but for what is known already.
    ///
    /// @throws SequenceError where the program fails on this input
    public void evaluate(SequenceNode root) {
        if (isKnown(root)) {
            return;
        }
        for (SequenceNode node : SequenceNode.closure(List.of(root), this::isKnown)) {
            try {
                compute(node);
            } catch (SequenceError e) {
                throw e.at(node.span());
            }
        }
    }

    private boolean isKnown(SequenceNode node) {
        return values.containsKey(node) || selectors.containsKey(node);
    }

    /// The value of an s-op at each position.
    public List<Atom> values(SequenceNode node) {
        evaluate(node);
        return values.get(node);
    }

    /// For each query position, the key positions that a selector selects.
    public List<BitSet> rows(SequenceNode selector) {
        evaluate(selector);
        return selectors.get(selector);
    }

    /// The type that a sequence of these atoms has: `bools` and `ints` mixed are ints, ints and floats mixed are
    /// floats.
    ///
    /// @throws SequenceError for strings beside others
    public static Kind kind(List<Atom> atoms) {
        boolean text = false;
        boolean real = false;
        boolean whole = false;
        boolean truth = false;
        for (Atom atom : atoms) {
            switch (atom.kind()) {
                case TEXT -> text = true;
                case REAL -> real = true;
                case WHOLE -> whole = true;
                case TRUTH -> truth = true;
            }
        }
        if (text && (real || whole || truth)) {
            throw new SequenceError("this sequence mixes strings and numbers: " + excerpt(atoms));
        }
        return text ? Kind.TEXT : real ? Kind.REAL : whole ? Kind.WHOLE : Kind.TRUTH;
    }

    private static String excerpt(List<Atom> atoms) {
        List<String> shown =
                new ArrayList<>(atoms.stream().limit(8).map(PythonText::quoted).toList());
        if (atoms.size() > shown.size()) {
            shown.add("...");
        }
        return shown.toString();
    }

    private void compute(SequenceNode node) {
        switch (node.op()) {
            case SequenceOp.Tokens t -> store(node, i -> convert(t.conversion(), input.get(i)));
            case SequenceOp.Indices x -> store(node, i -> Atom.of(i));
            case SequenceOp.Constant c -> store(node, i -> c.value());
            case SequenceOp.Pointwise p -> {
                List<List<Atom>> operands =
                        node.operands().stream().map(this::values).toList();
                Function<List<Atom>, Atom> function = function(p);
                store(
                        node,
                        i -> function.apply(operands.stream().map(o -> o.get(i)).toList()));
            }
            case SequenceOp.Select s -> {
                List<Atom> keys = values(node.operand(0));
                List<Atom> queries = values(node.operand(1));
                select(node, (i, j) -> Numbers.truth(s.comparison().of(keys.get(j), queries.get(i))));
            }
            case SequenceOp.Both b -> combine(node, BitSet::and);
            case SequenceOp.Either e -> combine(node, BitSet::or);
            case SequenceOp.Complement c -> combine(node, (row, same) -> row.flip(0, input.size()));
            case SequenceOp.Aggregate a -> {
                List<Atom> from = values(node.operand(1));
                Kind kind = kind(from);
                store(node, i -> aggregate(a, rows(node.operand(0)).get(i), from, kind));
            }
            case SequenceOp.Width w ->
                store(node, i -> Atom.of(rows(node.operand(0)).get(i).cardinality()));
        }
    }

    private void store(SequenceNode node, IntFunction<Atom> value) {
        List<Atom> all = new ArrayList<>(input.size());
        for (int i = 0; i < input.size(); i++) {
            all.add(value.apply(i));
        }
        kind(all);
        values.put(node, all);
    }

    private interface Cell {
        boolean at(int query, int key);
    }

    private void select(SequenceNode node, Cell cell) {
        List<BitSet> rows = new ArrayList<>(input.size());
        for (int i = 0; i < input.size(); i++) {
            BitSet row = new BitSet(input.size());
            for (int j = 0; j < input.size(); j++) {
                if (cell.at(i, j)) {
                    row.set(j);
                }
            }
            rows.add(row);
        }
        selectors.put(node, rows);
    }

    private interface RowFunction {
        void apply(BitSet row, BitSet other);
    }

    private void combine(SequenceNode node, RowFunction function) {
        List<BitSet> rows = new ArrayList<>(input.size());
        for (int i = 0; i < input.size(); i++) {
            BitSet row = (BitSet) rows(node.operands().getFirst()).get(i).clone();
            function.apply(row, rows(node.operands().getLast()).get(i));
            rows.add(row);
        }
        selectors.put(node, rows);
    }

    /// A token as `tokens_str` and the like give it.
    ///
    /// @throws SequenceError where there is no such value
    public static Atom convert(SequenceOp.Conversion conversion, Atom token) {
        return switch (conversion) {
            case ASIS -> token;
            case STR -> Atom.of(PythonText.of(token));
            case INT -> PythonText.whole(token);
            case FLOAT -> PythonText.real(token);
            case BOOL -> Atom.of(Numbers.truth(token));
        };
    }

    /// What an operation makes of the atoms of its operands at one position.
    ///
    /// @throws SequenceError from the function, where it is not defined on them
    public static Function<List<Atom>, Atom> function(SequenceOp.Pointwise op) {
        return switch (op) {
            case SequenceOp.Map m -> m.fn()::apply;
            case SequenceOp.Choose c -> atoms -> atoms.get(Numbers.truth(atoms.getFirst()) ? 1 : 2);
            case SequenceOp.Lookup l -> {
                Map<Object, Atom> entries = entries(l);
                yield atoms -> look(l, entries, atoms.getFirst());
            }
            case SequenceOp.Among a ->
                atoms -> Atom.of(a.items().stream().anyMatch(item -> Numbers.same(item, atoms.getFirst())));
        };
    }

    private static Map<Object, Atom> entries(SequenceOp.Lookup lookup) {
        Map<Object, Atom> entries = new HashMap<>();
        for (int i = 0; i < lookup.keys().size(); i++) {
            entries.put(Numbers.key(lookup.keys().get(i)), lookup.values().get(i));
        }
        return entries;
    }

    private static Atom look(SequenceOp.Lookup lookup, Map<Object, Atom> entries, Atom index) {
        if (!lookup.isList()) {
            Atom value = entries.get(Numbers.key(index));
            if (value == null) {
                throw new SequenceError("the dict has no key " + PythonText.quoted(index));
            }
            return value;
        }
        if (index.kind() != Kind.WHOLE && index.kind() != Kind.TRUTH) {
            throw new SequenceError("places in a list are ints, not " + PythonText.quoted(index));
        }
        int size = lookup.values().size();
        var place = Numbers.whole(index);
        if (place.bitLength() > 31 || place.longValue() >= size || place.longValue() < -size) {
            throw new SequenceError("index " + place + " is outside the list of " + size);
        }
        return lookup.values().get((int) (place.longValue() < 0 ? place.longValue() + size : place.longValue()));
    }

    private static Atom aggregate(SequenceOp.Aggregate op, BitSet row, List<Atom> from, Kind kind) {
        if (row.isEmpty()) {
            return op.otherwise();
        }
        return switch (op.reduction()) {
            case MEAN -> mean(row, from, kind);
            case MAX -> extreme(row, from, AtomFn.GT);
            case MIN -> extreme(row, from, AtomFn.LT);
        };
    }

    private static Atom extreme(BitSet row, List<Atom> from, AtomFn better) {
        Atom best = from.get(row.nextSetBit(0));
        for (int j = row.nextSetBit(0); j >= 0; j = row.nextSetBit(j + 1)) {
            best = Numbers.truth(better.of(from.get(j), best)) ? from.get(j) : best;
        }
        return best;
    }

    /// The sum from the first position on, over the number of positions.
    private static Atom mean(BitSet row, List<Atom> from, Kind kind) {
        int count = row.cardinality();
        if (count == 1) {
            return from.get(row.nextSetBit(0));
        }
        if (kind != Kind.WHOLE && kind != Kind.REAL) {
            throw new SequenceError("a position selects " + count + " values, and there is no mean of " + kind.text()
                    + "s: " + excerpt(from));
        }
        Atom sum = Atom.of(0);
        for (int j = row.nextSetBit(0); j >= 0; j = row.nextSetBit(j + 1)) {
            sum = Numbers.add(sum, from.get(j));
        }
        return Numbers.div(Numbers.mul(sum, Atom.of(1.0)), Atom.of(count));
    }
}
