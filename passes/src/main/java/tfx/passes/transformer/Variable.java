package tfx.passes.transformer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceError;

/// What a transformer holds as one number for each position: a token, an index, what a head reads, or what a
/// perceptron computes. All that a program computes between heads is a function of some variables.
final class Variable {
    /// More values than this are not told apart.
    static final int MAX_VALUES = 4096;

    /// Codes beyond this lose digits in f32.
    static final double MAX_CODE = 1 << 20;

    /// Numbers beyond this, which have codes of their own, are not told apart.
    private static final double MAX_NUMBER = 0x1p53 - 1;

    /// One that can occur.
    ///
    /// @param code  the number that stands for it
    /// @param atoms how it can be written: 1, 1.0 and `True` are one value
    record Value(double code, Set<Atom> atoms) {}

    /// Where the number comes from.
    enum Source {
        TOKENS,
        INDICES,
        AGGREGATE,
        WIDTH,
        FUNCTION
    }

    private final int id;
    private final Source source;
    private final String name;
    private final List<Value> values;
    private final List<BitSet> at;
    private final Map<Object, Integer> places = new HashMap<>();

    private Variable(int id, Source source, String name, List<Value> values, List<BitSet> at) {
        this.id = id;
        this.source = source;
        this.name = name;
        this.values = values;
        this.at = at;
        for (Value value : values) {
            places.put(Numbers.key(value.atoms().iterator().next()), places.size());
        }
    }

    /// @param at the atoms that can stand at each place
    static Variable of(int id, Source source, String name, Span span, List<Set<Atom>> at) {
        Map<Object, Set<Atom>> byKey = new HashMap<>();
        at.forEach(atoms -> atoms.forEach(a -> byKey.computeIfAbsent(Numbers.key(a), k -> new LinkedHashSet<>())
                .add(a)));
        if (byKey.size() > MAX_VALUES) {
            throw new SequenceError(
                    span,
                    "this has more than " + MAX_VALUES + " values, which no transformer of a fitting size tells apart");
        }
        TreeMap<Double, Object> ordered = codes(source, span, byKey);
        List<Value> values = new ArrayList<>();
        Map<Object, Integer> places = new HashMap<>();
        ordered.forEach((code, key) -> {
            places.put(key, values.size());
            values.add(new Value(code, byKey.get(key)));
        });
        List<BitSet> sets = new ArrayList<>();
        for (Set<Atom> atoms : at) {
            BitSet set = new BitSet();
            atoms.forEach(a -> set.set(places.get(Numbers.key(a))));
            sets.add(set);
        }
        return new Variable(id, source, name, List.copyOf(values), sets);
    }

    /// A number is its own code, strings count on from there; a width is the share of what it selects beside a
    /// sink.
    private static TreeMap<Double, Object> codes(Source source, Span span, Map<Object, Set<Atom>> byKey) {
        TreeMap<Double, Object> codes = new TreeMap<>();
        List<Atom> texts = new ArrayList<>();
        byKey.forEach((key, atoms) -> {
            Atom first = atoms.iterator().next();
            if (first instanceof Atom.Text) {
                texts.add(first);
                return;
            }
            double number = Numbers.real(first);
            if (!(Math.abs(number) <= (source == Source.FUNCTION ? MAX_NUMBER : MAX_CODE))) {
                throw new SequenceError(
                        span, "this can be " + PythonText.shown(first) + ", which is too large to be told from others");
            }
            codes.put(source == Source.WIDTH ? number / (number + 1) : number, key);
        });
        texts.sort(Comparator.comparing(t -> ((Atom.Text) t).value(), Numbers::compareText));
        double next = codes.isEmpty() ? 0 : Math.floor(codes.lastKey()) + 1;
        for (Atom text : texts) {
            codes.put(next++, Numbers.key(text));
        }
        return source == Source.FUNCTION ? numbered(codes) : codes;
    }

    private static TreeMap<Double, Object> numbered(TreeMap<Double, Object> codes) {
        TreeMap<Double, Object> numbered = new TreeMap<>();
        codes.values().forEach(key -> numbered.put((double) numbered.size(), key));
        return numbered;
    }

    int id() {
        return id;
    }

    Source source() {
        return source;
    }

    /// Whether the embeddings hold it, so that any function of it costs nothing.
    boolean isEmbedded() {
        return source == Source.TOKENS || source == Source.INDICES;
    }

    /// By ascending code.
    List<Value> values() {
        return values;
    }

    /// Which of the values can stand at a place.
    BitSet at(int place) {
        return at.get(place);
    }

    /// Which value an atom is, or -1.
    int find(Atom atom) {
        return places.getOrDefault(Numbers.key(atom), -1);
    }

    double code(int value) {
        return values.get(value).code();
    }

    @Override
    public String toString() {
        return name;
    }
}
