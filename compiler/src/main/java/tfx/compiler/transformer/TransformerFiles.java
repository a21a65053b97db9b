package tfx.compiler.transformer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.PythonText;
import tfx.passes.transformer.Transformer;
import tfx.passes.transformer.Transformer.Matrix;

/// A transformer as files: `NAME.tfx`, `NAME.safetensors`, and `NAME.tokenizer.json` where its tokens are strings.
final class TransformerFiles {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_COMMENT = 100;

    private final Transformer model;
    private final String name;
    private final String origin;
    private final StringBuilder fields = new StringBuilder();
    private final StringBuilder body = new StringBuilder();
    private final ObjectNode header = JsonNodeFactory.instance.objectNode();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    private TransformerFiles(Transformer model, String name, String origin) {
        this.model = model;
        this.name = name;
        this.origin = origin;
    }

    /// @param name   of the program and of the files
    /// @param origin what was compiled, for the comment on top
    static void write(Transformer model, String name, String origin, Path folder) throws IOException {
        new TransformerFiles(model, name, origin).write(folder);
    }

    static String source(String name) {
        return name + ".tfx";
    }

    /// Whether each class is a string, which programs do not return, so that its number stands for it.
    static boolean areNumbered(List<Atom> classes) {
        return classes.stream().anyMatch(c -> c.kind() == Kind.TEXT);
    }

    private void write(Path folder) throws IOException {
        ObjectNode metadata = header.putObject("__metadata__");
        metadata.put("vocabulary", JSON.writeValueAsString(list(model.vocabulary())));
        metadata.put("classes", JSON.writeValueAsString(list(model.classes())));
        metadata.put("residual", JSON.writeValueAsString(model.residual()));
        metadata.put("max_length", String.valueOf(model.maxLength()));
        metadata.put("causal", String.valueOf(model.causal()));

        embeddings();
        for (int l = 1; l <= model.layers().size(); l++) {
            int layer = l;
            model.layers().get(l - 1).attention().ifPresent(a -> attention(layer, a));
            model.layers().get(l - 1).perceptron().ifPresent(p -> perceptron(layer, p));
        }
        String result = unembedding();
        Optional<ObjectNode> tokenizer = tokenizer();
        if (tokenizer.isPresent()) {
            Files.writeString(folder.resolve(name + ".tokenizer.json"), JSON.writeValueAsString(tokenizer.get()));
        }
        Files.writeString(folder.resolve(source(name)), text(result, tokenizer.isPresent()));
        byte[] head = JSON.writeValueAsBytes(header);
        ByteBuffer all = ByteBuffer.allocate(8 + head.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(head.length).put(head).put(data.toByteArray());
        Files.write(folder.resolve(name + ".safetensors"), all.array());
    }

    private String text(String result, boolean tokenizer) {
        return """
                # %s as a transformer with %d layers and %d heads, made by `tfx weights`.
                # Tokens: %s; at most %d of them.
                # Results: %s.
                import nn;

                record Heads(d: int, heads: int, k: int, v: int) {
                  query, key: Linear(d, heads * k);
                  value:      Linear(d, heads * v);
                  output:     f32[d, heads * v];
                  sink:       f32[heads, 1, 1];
                }

                record Perceptron(d: int, hidden: int) {
                  up:   Linear(d, hidden);
                  down: f32[d, hidden];
                }

                # What the heads read is added. Where nothing is selected, the sink takes all attention.
                def attend(x, w, heads, selected) {
                  q = split_heads(linear(x, w.query.weight, w.query.bias), heads);
                  k = split_heads(linear(x, w.key.weight, w.key.bias), heads);
                  v = split_heads(linear(x, w.value.weight, w.value.bias), heads);
                  read = attention(q, k, v, where = selected, scale = 1.0, sink = w.sink);
                  return x + linear(merge_heads(read), w.output);
                }

                def compute(x, w) { return x + linear(sigmoid(linear(x, w.up.weight, w.up.bias)), w.down); }

                model Transformer(d: int = %d) {
                  weights "%s.safetensors" {
                %s  }
                %s
                  program %s(tokens: tokens[B, S*]) -> (%s) {
                    seen = %s;
                %s    %s = %s;
                  }
                }
                """.formatted(
                        origin,
                        model.layers().size(),
                        model.heads(),
                        listed(model.vocabulary()),
                        model.maxLength(),
                        (areNumbered(model.classes()) ? "the number of one of " : "one of ") + listed(model.classes()),
                        model.width(),
                        name,
                        fields,
                        tokenizer ? "  tokenizer \"" + name + ".tokenizer.json\";\n" : "",
                        name,
                        name,
                        model.causal() ? "causal(S)" : "none",
                        body,
                        name,
                        result)
                .replace("\n\n\n", "\n\n");
    }

    private static String listed(List<Atom> atoms) {
        String all = atoms.stream()
                .map(PythonText::quoted)
                .map(t -> t.replace("\n", "\\n").replace("\r", "\\r"))
                .collect(Collectors.joining(", "));
        return all.length() <= LONGEST_COMMENT ? all : all.substring(0, LONGEST_COMMENT) + " ...";
    }

    private void embeddings() {
        field("token_embedding: f32[" + model.vocabulary().size() + ", d];");
        field("position_embedding: f32[" + model.maxLength() + ", d];");
        store("token_embedding", model.tokens());
        store("position_embedding", model.positions());
        line("x = token_embedding[tokens] + position_embedding[positions(S)];");
    }

    private void attention(int layer, Transformer.Attention a) {
        String path = "layers." + layer + ".heads";
        int heads = a.heads();
        field("heads%d: Heads(d, %d, %d, %d) from \"%s\";"
                .formatted(layer, heads, a.query().rows() / heads, a.value().rows() / heads, path));
        line("x = attend(x, heads" + layer + ", " + heads + ", seen);");
        store(path + ".query.weight", a.query());
        store(path + ".query.bias", a.queryBias(), a.query().rows());
        store(path + ".key.weight", a.key());
        store(path + ".key.bias", a.keyBias(), a.key().rows());
        store(path + ".value.weight", a.value());
        store(path + ".value.bias", a.valueBias(), a.value().rows());
        store(path + ".output", a.output());
        store(path + ".sink", a.sink(), heads, 1, 1);
    }

    private void perceptron(int layer, Transformer.Perceptron p) {
        String path = "layers." + layer + ".perceptron";
        field("perceptron%d: Perceptron(d, %d) from \"%s\";".formatted(layer, p.up().rows(), path));
        line("x = compute(x, perceptron" + layer + ");");
        store(path + ".up.weight", p.up());
        store(path + ".up.bias", p.bias(), p.up().rows());
        store(path + ".down", p.down());
    }

    /// The nearest class, and what it stands for.
    private String unembedding() {
        List<Atom> classes = model.classes();
        int count = classes.size();
        field("unembedding: Linear(d, " + count + ");");
        store("unembedding.weight", model.unembedding());
        store("unembedding.bias", model.bias(), count);
        line("nearest = argmax(linear(x, unembedding.weight, unembedding.bias));");
        if (areNumbered(classes)) {
            return "nearest";
        }
        Set<Kind> kinds = classes.stream().map(Atom::kind).collect(Collectors.toSet());
        ByteBuffer bytes = ByteBuffer.allocate(8 * count).order(ByteOrder.LITTLE_ENDIAN);
        if (kinds.equals(Set.of(Kind.TRUTH))) {
            classes.forEach(c -> bytes.put((byte) (Numbers.truth(c) ? 1 : 0)));
            store("values", "BOOL", bytes, count);
            field("values: bool[" + count + "];");
        } else if (kinds.contains(Kind.REAL)) {
            classes.forEach(c -> bytes.putDouble(Numbers.real(c)));
            store("values", "F64", bytes, count);
            field("values: f64[" + count + "];");
        } else if (classes.stream().allMatch(c -> Numbers.real(c) == (int) Numbers.real(c))) {
            classes.forEach(c -> bytes.putInt((int) Numbers.real(c)));
            store("values", "I32", bytes, count);
            field("values: i32[" + count + "];");
        } else {
            classes.forEach(c -> bytes.putLong((long) Numbers.real(c)));
            store("values", "I64", bytes, count);
            field("values: i64[" + count + "];");
        }
        return "values[nearest]";
    }

    private void field(String text) {
        fields.append("    ").append(text).append('\n');
    }

    private void line(String text) {
        body.append("    ").append(text).append('\n');
    }

    private void store(String entry, Matrix matrix) {
        store(entry, matrix, matrix.rows(), matrix.columns());
    }

    private void store(String entry, Matrix matrix, int... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * matrix.data().length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(matrix.data());
        bytes.position(bytes.capacity());
        store(entry, "F32", bytes, shape);
    }

    private void store(String entry, String type, ByteBuffer bytes, int... shape) {
        ObjectNode tensor = header.putObject(entry);
        tensor.put("dtype", type);
        ArrayNode sizes = tensor.putArray("shape");
        for (int size : shape) {
            sizes.add(size);
        }
        int from = data.size();
        data.write(bytes.array(), 0, bytes.position());
        tensor.putArray("data_offsets").add(from).add(data.size());
    }

    private static ArrayNode list(List<Atom> atoms) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Atom atom : atoms) {
            switch (atom) {
                case Atom.Whole w -> list.add(w.value());
                case Atom.Real r -> list.add(r.value());
                case Atom.Text t -> list.add(t.value());
                case Atom.Truth t -> list.add(t.value());
            }
        }
        return list;
    }

    /// A tokenizer of single characters, or of words between spaces; none for tokens that are neither.
    private Optional<ObjectNode> tokenizer() {
        if (!model.vocabulary().stream().allMatch(a -> a.kind() == Kind.TEXT)) {
            return Optional.empty();
        }
        List<String> words =
                model.vocabulary().stream().map(a -> ((Atom.Text) a).value()).toList();
        boolean characters = words.stream().allMatch(w -> w.codePointCount(0, w.length()) == 1);
        boolean spaced =
                words.stream().noneMatch(w -> w.isEmpty() || w.codePoints().anyMatch(Character::isWhitespace));
        if (!characters && !spaced) {
            return Optional.empty();
        }
        ObjectNode all = JsonNodeFactory.instance.objectNode();
        all.put("version", "1.0");
        all.putArray("added_tokens");
        ObjectNode split = all.putObject("pre_tokenizer");
        if (characters) {
            split.put("type", "Split").put("behavior", "Isolated").put("invert", false);
            split.putObject("pattern").put("Regex", "[\\s\\S]");
        } else {
            split.put("type", "WhitespaceSplit");
        }
        ObjectNode level = all.putObject("model");
        level.put("type", "WordLevel").put("unk_token", "");
        ObjectNode ids = level.putObject("vocab");
        words.forEach(w -> ids.put(w, ids.size()));
        return Optional.of(all);
    }
}
