package tfx.frontend.rasp;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.frontend.ast.Item;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceNode;

/// What expressions of the RASP dialect are worth.
public sealed interface RaspValue {
    record Plain(Atom atom) implements RaspValue {}

    record Items(List<RaspValue> items) implements RaspValue {
        public Items {
            items = List.copyOf(items);
        }
    }

    /// A dict in the order of its keys' first appearance; keys that are the same number are one.
    record Dict(Map<Object, Map.Entry<Atom, RaspValue>> entries) implements RaspValue {
        static Dict empty() {
            return new Dict(new LinkedHashMap<>());
        }

        void put(Atom key, RaspValue value) {
            entries.merge(
                    Numbers.key(key), Map.entry(key, value), (old, now) -> Map.entry(old.getKey(), now.getValue()));
        }

        public List<Atom> keys() {
            return entries.values().stream().map(Map.Entry::getKey).toList();
        }

        public List<RaspValue> values() {
            return entries.values().stream().map(Map.Entry::getValue).toList();
        }
    }

    /// A function written in RASP.
    ///
    /// @param creator where it was defined, for showing it
    record Function(Item.Function function, Environment environment, String creator) implements RaspValue {}

    /// What a function of another language does.
    @FunctionalInterface
    interface Body {
        RaspValue apply(List<RaspValue> arguments, Span span);
    }

    /// A function that is not written in RASP.
    record Primitive(String name, List<String> parameters, String creator, Body body) implements RaspValue {}

    /// An s-op or a selector, and what it is called. Assigning it to a name renames it wherever it is used, as
    /// in the language's first implementation.
    final class Sequence implements RaspValue {
        private static final int LONGEST = 30;

        private final SequenceNode node;
        private String name;

        Sequence(SequenceNode node, String name) {
            this.node = node;
            this.name = "";
            rename(name);
        }

        public SequenceNode node() {
            return node;
        }

        public boolean isSelector() {
            return node.isSelector();
        }

        public String name() {
            return name;
        }

        void rename(String to) {
            name = to.codePointCount(0, to.length()) <= LONGEST ? to : isSelector() ? "sel" : "s-op";
        }
    }

    /// An s-op or a selector on an input: can be shown, and nothing else.
    record Applied(Sequence sequence, List<Atom> input, RaspValue argument) implements RaspValue {}

    /// Something of tfx that RASP has no word for.
    record Opaque(String what) implements RaspValue {}

    /// The value of something already reported as wrong: using it reports nothing more.
    record Poison() implements RaspValue {}

    /// What a message calls this value.
    default String describe() {
        return switch (this) {
            case Plain p -> "the " + p.atom().kind().text() + " " + PythonText.quoted(p.atom());
            case Items i -> "a list of " + i.items().size();
            case Dict d -> "a dict of " + d.entries().size();
            case Function f -> "the function " + f.function().name();
            case Primitive p -> "the function " + p.name();
            case Sequence s -> s.isSelector() ? "a selector" : "an s-op";
            case Applied a -> "the result of applying " + a.sequence().describe();
            case Opaque o -> o.what();
            case Poison p -> "nothing";
        };
    }

    /// Longer texts than this are cut.
    int LONGEST_TEXT = 1 << 20;

    /// As Python writes it inside a list; s-ops and functions by their names.
    default String written() {
        StringBuilder out = new StringBuilder();
        write(out);
        return out.length() <= LONGEST_TEXT ? out.toString() : out.substring(0, LONGEST_TEXT) + "...";
    }

    private void write(StringBuilder out) {
        if (out.length() > LONGEST_TEXT) {
            return;
        }
        switch (this) {
            case Plain p -> out.append(PythonText.quoted(p.atom()));
            case Items i -> {
                out.append('[');
                String between = "";
                for (RaspValue item : i.items()) {
                    out.append(between);
                    item.write(out);
                    between = ", ";
                }
                out.append(']');
            }
            case Dict d -> {
                out.append('{');
                String between = "";
                for (Map.Entry<Atom, RaspValue> entry : d.entries().values()) {
                    out.append(between)
                            .append(PythonText.quoted(entry.getKey()))
                            .append(": ");
                    entry.getValue().write(out);
                    between = ", ";
                }
                out.append('}');
            }
            case Function f -> out.append(f.creator()).append(" function: ").append(signature(f.function()));
            case Primitive p ->
                out.append(p.creator() + " function: " + p.name() + "(" + String.join(", ", p.parameters()) + ")");
            case Sequence s -> out.append(s.name());
            case Applied a -> out.append(describe());
            case Opaque o -> out.append(o.what());
            case Poison p -> out.append("nothing");
        }
    }

    private static String signature(Item.Function function) {
        List<String> names = new ArrayList<>(
                function.parameters().stream().map(Item.Parameter::name).toList());
        return function.name() + "(" + String.join(", ", names) + ")";
    }
}
