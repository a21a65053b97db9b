package tfx.testkit;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.PythonText;

/// Random programs of RASP, as text, with inputs for them. One seed and one size give one program; smaller sizes
/// give shorter programs, which is how a failure shrinks.
///
/// Almost all run without error. Means of floats, which engines may round differently, are never compared with
/// anything.
public final class RaspGen {
    /// A program, the name of what to run, and tokens.
    ///
    /// @param file a name whose ending tells the dialect
    public record Generated(String file, String source, String entry, List<Atom> tokens) {
        /// The tokens as RASP writes them.
        public String input() {
            return tokens.stream()
                    .map(a -> a instanceof Atom.Text t ? "\"" + t.value() + "\"" : PythonText.of(a))
                    .collect(Collectors.joining(", ", "[", "]"));
        }
    }

    /// What an expression is, for choosing where it may stand.
    private enum Type {
        TEXT,
        WHOLE,
        REAL,
        TRUTH,
        ROUGH,
        SELECTOR,
        /// One position at most for each.
        SINGLE
    }

    private static final String[] COMPARISONS = {"==", "<", ">", "<=", ">="};

    private final boolean causal;
    private final Random random;
    private final Map<Type, List<String>> known = new EnumMap<>(Type.class);
    private final StringBuilder source = new StringBuilder();
    private int names;

    private RaspGen(long seed, boolean causal) {
        this.causal = causal;
        this.random = new Random(seed);
        for (Type type : Type.values()) {
            known.put(type, new ArrayList<>());
        }
    }

    /// @param size how many statements
    public static Generated generate(long seed, int size) {
        return generate(seed, size, false);
    }

    /// The same, of RASP-L where `causal` says so.
    public static Generated generate(long seed, int size, boolean causal) {
        RaspGen gen = new RaspGen(seed, causal);
        List<Atom> tokens = gen.tokens();
        String last = "";
        for (int i = 0; i < size; i++) {
            Type type = Type.values()[gen.random.nextInt(Type.values().length)];
            if (i == size - 1 && (type == Type.SELECTOR || type == Type.SINGLE) && gen.random.nextInt(4) > 0) {
                type = Type.WHOLE;
            }
            last = "v" + gen.names++;
            String made = gen.make(type, 2);
            if (i == size - 1 && type != Type.SELECTOR && type != Type.SINGLE) {
                // A plain value is nothing to run.
                made = "(" + made + " if indices >= 0 else " + made + ")";
            }
            gen.source.append(last).append(" = ").append(made).append(";\n");
            gen.known.get(type).add(last);
        }
        return new Generated(causal ? "random.raspl" : "random.rasp", gen.source.toString(), last, tokens);
    }

    @SafeVarargs
    private <T> T pick(T... options) {
        return options[random.nextInt(options.length)];
    }

    private List<Atom> tokens() {
        Kind kind = pick(Kind.TEXT, Kind.TEXT, Kind.TEXT, Kind.WHOLE, Kind.REAL, Kind.TRUTH);
        known.get(Type.TEXT).add("tokens");
        switch (kind) {
            case TEXT -> {}
            case WHOLE -> known.get(Type.WHOLE).addAll(List.of("tokens_int", "tokens_asis"));
            case REAL -> known.get(Type.REAL).addAll(List.of("tokens_float", "tokens_asis"));
            case TRUTH -> known.get(Type.TRUTH).addAll(List.of("tokens_bool", "tokens_asis"));
        }
        known.get(Type.WHOLE).addAll(causal ? List.of("indices") : List.of("indices", "length"));
        List<Atom> tokens = new ArrayList<>();
        int size = pick(1, 2, 3, 5, 8, 13, 33);
        for (int i = 0; i < size; i++) {
            tokens.add(
                    switch (kind) {
                        case TEXT -> Atom.of(pick("a", "b", "c", "d", "é", "{"));
                        case WHOLE -> Atom.of(random.nextInt(9) - 4L);
                        case REAL -> Atom.of((random.nextInt(17) - 8) / 4.0);
                        case TRUTH -> Atom.of(random.nextBoolean());
                    });
        }
        return tokens;
    }

    /// An expression of a type, of what is known where `depth` is 0.
    private String make(Type type, int depth) {
        List<String> have = known.get(type);
        if (!have.isEmpty() && (depth == 0 || random.nextInt(3) == 0)) {
            return have.get(random.nextInt(have.size()));
        }
        int d = Math.max(0, depth - 1);
        return switch (type) {
            case TEXT -> text(d, depth == 0);
            case WHOLE -> whole(d, depth == 0);
            case REAL -> real(d, depth == 0);
            case TRUTH -> truth(d, depth == 0);
            case ROUGH -> rough(d);
            case SELECTOR -> selector(d, depth == 0);
            case SINGLE -> single(d, depth == 0);
        };
    }

    private String text(int d, boolean plain) {
        return switch (plain ? 0 : random.nextInt(8)) {
            case 0, 1 -> pick("\"a\"", "\"b\"", "\"x\"", "\"\"");
            case 2 -> "(" + make(Type.TEXT, d) + " + " + make(Type.TEXT, d) + ")";
            case 3 -> "(" + make(Type.TEXT, d) + " if " + make(Type.TRUTH, d) + " else " + make(Type.TEXT, d) + ")";
            case 4 -> "[\"p\", \"q\", \"a\"][(" + make(Type.WHOLE, d) + ") % 3]";
            case 5 -> "{0: \"n\", 1: \"o\"}[indicator(" + make(Type.TRUTH, d) + " and indices >= 0)]";
            case 6 -> "(" + make(Type.TEXT, d) + " * " + pick("0", "1", "2") + ")";
            default -> reduced(d) + ", " + make(Type.TEXT, d) + ", \"-\")";
        };
    }

    private String whole(int d, boolean plain) {
        return switch (plain ? 0 : random.nextInt(10)) {
            case 0 -> pick("0", "1", "2", "7");
            case 1, 2 -> "(" + make(Type.WHOLE, d) + pick(" + ", " - ", " * ") + make(Type.WHOLE, d) + ")";
            case 3 -> "(" + make(Type.WHOLE, d) + " % " + pick("2", "3", "(-3)") + ")";
            case 4 -> "round(" + make(Type.REAL, d) + ")";
            case 5 -> "indicator((" + make(pick(Type.TRUTH, Type.WHOLE, Type.TEXT), d) + " == 0) or (indices < 0))";
            case 6 -> (causal ? "sel_width(" : "selector_width(") + make(Type.SELECTOR, d) + ")";
            case 7 -> "(" + make(Type.WHOLE, d) + " if " + make(Type.TRUTH, d) + " else " + make(Type.WHOLE, d) + ")";
            case 8 -> "[3, -1, 0, 5][(" + make(Type.WHOLE, d) + ") % 4]";
            default -> reduced(d) + ", " + make(Type.WHOLE, d) + ", " + pick("0", "-2") + ")";
        };
    }

    /// The beginning of what makes one value of those selected, and takes values of any type.
    private String reduced(int d) {
        return causal && random.nextBoolean()
                ? pick("aggr_max(", "aggr_min(") + make(Type.SELECTOR, d)
                : "aggregate(" + make(Type.SINGLE, d);
    }

    private String real(int d, boolean plain) {
        return switch (plain ? 0 : random.nextInt(5)) {
            case 0 -> pick("0.5", "1.25", "(-2.0)");
            case 1 -> "(" + make(Type.REAL, d) + pick(" + ", " - ", " * ") + make(pick(Type.REAL, Type.WHOLE), d) + ")";
            case 2 -> "(" + make(Type.WHOLE, d) + " / " + pick("2", "3", "(indices + 1)") + ")";
            case 3 -> "(" + make(Type.REAL, d) + " if " + make(Type.TRUTH, d) + " else " + make(Type.WHOLE, d) + ")";
            default ->
                causal && random.nextBoolean()
                        ? pick("aggr_max(", "aggr_min(") + make(Type.SELECTOR, d) + ", " + make(Type.REAL, d) + ", 0.5)"
                        : "aggregate(" + make(Type.SELECTOR, d) + ", " + make(Type.WHOLE, d) + ")";
        };
    }

    private String truth(int d, boolean plain) {
        return switch (plain ? 0 : random.nextInt(6)) {
            case 0 -> "(indices " + pick(COMPARISONS) + " 2)";
            case 1 -> compared(d);
            case 2 -> "(" + make(Type.TRUTH, d) + pick(" and ", " or ") + make(Type.TRUTH, d) + ")";
            case 3 -> "(not " + make(pick(Type.TRUTH, Type.WHOLE), d) + ")";
            case 4 -> "(" + make(Type.TEXT, d) + " in [\"a\", \"c\", \"ab\"])";
            default -> "(" + make(Type.WHOLE, d) + " in [0, 2, 3.0])";
        };
    }

    private String compared(int d) {
        Type type = pick(Type.TEXT, Type.WHOLE, Type.REAL, Type.TRUTH);
        return "(" + make(type, d) + " " + pick(COMPARISONS) + " " + make(type, d) + ")";
    }

    /// Values that no comparison reads.
    private String rough(int d) {
        return "aggregate(" + make(Type.SELECTOR, d) + ", " + make(Type.REAL, d) + ")";
    }

    private String selector(int d, boolean plain) {
        return switch (plain ? 0 : random.nextInt(6)) {
            case 0 -> "select(indices, indices, " + pick("==", "!=", "<", "<=", ">", ">=") + ")";
            case 1, 2 -> {
                Type type = pick(Type.TEXT, Type.WHOLE, Type.REAL, Type.TRUTH);
                yield "select(" + make(type, d) + ", " + make(type, d) + ", "
                        + pick("==", "==", "!=", "<", "<=", ">", ">=") + ")";
            }
            case 3 -> "(" + make(Type.SELECTOR, d) + " and " + make(Type.SELECTOR, d) + ")";
            case 4 -> "(" + make(Type.SELECTOR, d) + " or " + make(Type.SELECTOR, d) + ")";
            default -> "(not " + make(Type.SELECTOR, d) + ")";
        };
    }

    private String single(int d, boolean plain) {
        return switch (plain ? 0 : random.nextInt(3)) {
            case 0 -> "select(indices, indices" + pick("", " - 1", " + 2") + ", ==)";
            case 1 -> "select(indices" + pick(" + 1", " - 2", "") + ", " + make(Type.WHOLE, d) + ", ==)";
            default -> "(" + make(Type.SINGLE, d) + " and " + make(Type.SELECTOR, d) + ")";
        };
    }
}
