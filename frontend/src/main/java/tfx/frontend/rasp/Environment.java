package tfx.frontend.rasp;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Names and their values. A file has one whose outer is the library's, and hands what it sets to whoever loads
/// it; a call has one inside that of the function's definition, which sees later changes there and makes none.
public final class Environment {
    /// Names that no assignment takes.
    static final Set<String> RESERVED = Set.of(
            "if",
            "else",
            "not",
            "and",
            "or",
            "out",
            "def",
            "return",
            "range",
            "for",
            "in",
            "zip",
            "len",
            "get",
            "tokens_asis",
            "tokens_str",
            "tokens_int",
            "tokens_bool",
            "tokens_float",
            "indices",
            "True",
            "False");

    private final Optional<Environment> outer;
    private final Optional<Environment> loader;
    private final String name;
    private final boolean file;
    private final boolean causal;
    private final Map<String, RaspValue> values = new LinkedHashMap<>();

    private Environment(
            Optional<Environment> outer, Optional<Environment> loader, String name, boolean file, boolean causal) {
        this.causal = causal;
        this.outer = outer;
        this.loader = loader;
        this.name = name;
        this.file = file;
    }

    /// One that all those of a dialect are inside of.
    ///
    /// @param causal whether selectors that are made in the dialect select no later position
    static Environment library(String name, boolean causal) {
        return new Environment(Optional.empty(), Optional.empty(), name, false, causal);
    }

    /// That of a file or of the console.
    ///
    /// @param loader who takes what it sets
    static Environment file(Environment library, Optional<Environment> loader, String name) {
        return new Environment(Optional.of(library), loader, name, true, library.causal);
    }

    /// That of a call or a comprehension.
    Environment nested() {
        return new Environment(Optional.of(this), Optional.empty(), name + "'", false, causal);
    }

    /// Where it is: `console`, or the path of a file.
    String name() {
        return name;
    }

    boolean isCausal() {
        return causal;
    }

    Optional<RaspValue> find(String wanted) {
        RaspValue value = values.get(wanted);
        return value != null ? Optional.of(value) : outer.flatMap(o -> o.find(wanted));
    }

    /// Whether this name cannot be set here: the language's own never, the library's not in a file, nor that of
    /// the dialect of who loads it.
    boolean isReserved(String wanted) {
        return RESERVED.contains(wanted)
                || file && !wanted.equals("tokens") && outermost().values.containsKey(wanted)
                || !wanted.startsWith("_")
                        && loader.filter(l -> l.isReserved(wanted)).isPresent();
    }

    private Environment outermost() {
        return outer.map(Environment::outermost).orElse(this);
    }

    void set(String wanted, RaspValue value) {
        values.put(wanted, value);
        if (!wanted.startsWith("_")) {
            loader.ifPresent(l -> l.set(wanted, value));
        }
    }

    /// The last expression's value, which is private to its file.
    void setOut(RaspValue value) {
        values.put("out", value);
    }

    /// What is set here, in the order in which it first was.
    public Map<String, RaspValue> own() {
        Map<String, RaspValue> all = new LinkedHashMap<>(values);
        all.remove("out");
        return all;
    }

    /// All names that can be read here.
    Collection<String> visible() {
        Map<String, RaspValue> all = new HashMap<>(values);
        outer.ifPresent(o -> o.visible().forEach(n -> all.put(n, new RaspValue.Poison())));
        return all.keySet();
    }
}
