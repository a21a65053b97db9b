package tfx.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.ir.sequence.Atom;

/// `tokens=VALUE` of a command line: a string is its characters, a list its items.
final class SequenceArguments {
    private static final String TOKENS = "tokens";

    private SequenceArguments() {}

    static List<Atom> parse(List<String> words) {
        if (words.size() != 1 || !words.getFirst().startsWith(TOKENS + "=")) {
            throw new Main.Usage("a sequence program takes one argument, tokens=TEXT or tokens=[...]; found " + words);
        }
        String text = words.getFirst().substring(TOKENS.length() + 1);
        Optional<JsonNode> json = JsonValues.json(text);
        List<Atom> tokens = json.isPresent() && json.get().isArray()
                ? items((ArrayNode) json.get())
                : characters(
                        json.isPresent() && json.get().isTextual() ? json.get().asText() : text);
        if (tokens.isEmpty()) {
            throw new Main.Usage("tokens is empty; sequences have at least one position");
        }
        return tokens;
    }

    private static List<Atom> characters(String text) {
        return text.codePoints()
                .mapToObj(c -> (Atom) new Atom.Text(Character.toString(c)))
                .toList();
    }

    /// A token as a user writes it, of the type of another where it can be.
    static Atom alike(String text, Atom other) {
        Optional<JsonNode> json = JsonValues.json("[" + text + "]")
                .filter(j -> j.size() == 1 && j.get(0).isValueNode());
        return other instanceof Atom.Text || json.isEmpty()
                ? Atom.of(text)
                : items((ArrayNode) json.get()).getFirst();
    }

    static List<Atom> items(ArrayNode list) {
        List<Atom> items = new ArrayList<>();
        for (JsonNode item : list) {
            items.add(
                    switch (item.getNodeType()) {
                        case STRING -> Atom.of(item.asText());
                        case BOOLEAN -> Atom.of(item.asBoolean());
                        case NUMBER ->
                            item.isIntegralNumber() ? new Atom.Whole(item.bigIntegerValue()) : Atom.of(item.asDouble());
                        default ->
                            throw new Main.Usage(
                                    "tokens holds " + item + "; its items are strings, ints, floats and bools");
                    });
        }
        return items;
    }

    static JsonNode toJson(List<Atom> atoms) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Atom atom : atoms) {
            switch (atom) {
                case Atom.Whole w -> list.add(w.value());
                case Atom.Real r -> list.add(JsonValues.finite(r.value()));
                case Atom.Text t -> list.add(t.value());
                case Atom.Truth t -> list.add(t.value());
            }
        }
        return list;
    }
}
