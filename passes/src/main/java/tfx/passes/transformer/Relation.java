package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.AtomFn;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceOp;

/// A selector as a relation between what keys and what queries can be.
final class Relation {
    private final ValueSets values;
    private final Tuples keys;
    private final Tuples queries;

    Relation(ValueSets values, Tuples keys, Tuples queries) {
        this.values = values;
        this.keys = keys;
        this.queries = queries;
    }

    /// For each tuple of queries, the tuples of keys that are selected.
    List<BitSet> rows(SequenceNode selector) {
        if (selector.op() instanceof SequenceOp.Select s) {
            return compare(selector, s.comparison());
        }
        List<BitSet> rows = rows(selector.operands().getFirst());
        List<BitSet> others = selector.op() instanceof SequenceOp.Complement ? rows : rows(selector.operand(1));
        List<BitSet> all = new ArrayList<>();
        for (int q = 0; q < rows.size(); q++) {
            BitSet row = (BitSet) rows.get(q).clone();
            switch ((SequenceOp.Selector) selector.op()) {
                case SequenceOp.Both b -> row.and(others.get(q));
                case SequenceOp.Either e -> row.or(others.get(q));
                case SequenceOp.Complement c -> row.flip(0, keys.count());
                case SequenceOp.Select s -> {}
            }
            all.add(row);
        }
        return all;
    }

    private List<BitSet> compare(SequenceNode select, AtomFn comparison) {
        List<Set<Atom>> keyAtoms = values.atoms(select.operand(0), keys);
        Map<Object, BitSet> known = new HashMap<>();
        List<BitSet> rows = new ArrayList<>();
        for (Set<Atom> query : values.atoms(select.operand(1), queries)) {
            rows.add(
                    query.isEmpty()
                            ? new BitSet()
                            : known.computeIfAbsent(
                                    Numbers.key(query.iterator().next()),
                                    k -> row(keyAtoms, query.iterator().next(), comparison)));
        }
        return rows;
    }

    private static BitSet row(List<Set<Atom>> keys, Atom query, AtomFn comparison) {
        BitSet row = new BitSet();
        Map<Object, Boolean> known = new HashMap<>();
        for (int k = 0; k < keys.size(); k++) {
            if (!keys.get(k).isEmpty()) {
                Atom key = keys.get(k).iterator().next();
                row.set(k, known.computeIfAbsent(Numbers.key(key), x -> holds(comparison, key, query)));
            }
        }
        return row;
    }

    /// Where a string meets a number the program fails, so anything will do.
    private static boolean holds(AtomFn comparison, Atom key, Atom query) {
        try {
            return Numbers.truth(comparison.apply(List.of(key, query)));
        } catch (SequenceError e) {
            return false;
        }
    }

    static List<BitSet> transposed(List<BitSet> rows, int columns) {
        List<BitSet> all = new ArrayList<>();
        for (int c = 0; c < columns; c++) {
            all.add(new BitSet());
        }
        for (int r = 0; r < rows.size(); r++) {
            int row = r;
            rows.get(r).stream().forEach(c -> all.get(c).set(row));
        }
        return all;
    }

    /// The different rows that are not empty.
    static List<BitSet> classes(List<BitSet> rows) {
        Set<BitSet> all = new LinkedHashSet<>(rows);
        all.remove(new BitSet());
        return List.copyOf(all);
    }
}
