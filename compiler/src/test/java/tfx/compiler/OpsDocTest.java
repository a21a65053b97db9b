package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tfx.frontend.Frontend;
import tfx.frontend.stage.Builtins;
import tfx.ir.BinaryFn;
import tfx.ir.Diagnostic;
import tfx.ir.ReduceFn;
import tfx.ir.UnaryFn;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Gradients;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Op;
import tfx.runtime.DType;

/// `docs/ops.md` is what the op table, the stdlib and the examples say; each example runs when the page is made.
/// `-Dtfx.golden=update` writes the page anew.
final class OpsDocTest {
    private static final Path PAGE = Path.of("..", "docs", "ops.md");
    private static final Path EXAMPLES = Path.of("src", "test", "resources", "ops-examples.txt");
    private static final Path STDLIB = Path.of("..", "stdlib", "src", "main", "resources", "tfx", "stdlib");
    private static final Pattern FUNCTION =
            Pattern.compile("((?:^## .*\\n)*)^def ([a-z][A-Za-z0-9_]*)\\(([^)]*)\\)", Pattern.MULTILINE);

    /// What examples may name besides the stdlib.
    private static final String PREAMBLE = """
            import nn;
            import random;
            def double(i, x) { return x * 2; }
            def running(sum, x) { return sum + x, sum + x; }
            def larger(a, b) { return max(a, b); }
            def small(n) { return n < 100; }
            def twice(n) { return n * 3; }
            """;

    private static final String LAYERS = """
              unit = Linear(weight = tensor([[1, 0], [0, 1]]), bias = tensor([0, 0]));
              pair = FeedForward(up = unit, down = unit);
              four = AttentionLayer(query = unit, key = unit, value = unit, output = unit);
              plain = Norm(weight = tensor([1, 1]), bias = tensor([0, 0]));
              encoder = EncoderBlock(attention = four, attention_norm = plain, feed_forward = pair,
                                     feed_forward_norm = plain);
              decoder = DecoderBlock(attention = four, cross = four, attention_norm = plain, cross_norm = plain,
                                     feed_forward = pair, feed_forward_norm = plain);
            """;

    private final Map<String, String> examples = new LinkedHashMap<>();
    private final Map<String, String> texts = new LinkedHashMap<>();
    private final TreeSet<String> unused = new TreeSet<>();
    private final StringBuilder page = new StringBuilder();

    private void read() throws IOException {
        for (String line : Files.readAllLines(EXAMPLES)) {
            if (line.startsWith("@ ")) {
                String names = line.substring(2, line.indexOf('('));
                for (String name : names.strip().split(" ")) {
                    texts.put(name, line.substring(line.indexOf('(')));
                }
            } else if (!line.isBlank()) {
                String[] parts = line.split(" \\| ", 2);
                examples.put(parts[0], parts[1]);
                unused.add(parts[0]);
            }
        }
    }

    /// Runs an example on the evaluator.
    static String run(String preamble, String statements, String expression) {
        String source = preamble + "program example() {\n" + statements + "  return " + expression + ";\n}\n";
        Frontend.Checked checked = Compiler.check("example.tfx", source.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics().stream().map(Diagnostic::render))
                .as(expression)
                .isEmpty();
        Map<String, Nd> results = Evaluator.run(checked.programs().getFirst().graph(), Map.of(), w -> {
            throw new IllegalArgumentException(w);
        });
        List<String> all = results.values().stream().map(OpsDocTest::text).toList();
        return String.join(" and ", all);
    }

    private static String text(Nd nd) {
        return nested(nd, 0, new int[1])
                + (nd.dtype() == DType.F32 || nd.dtype() == DType.BOOL ? "" : " " + nd.dtype());
    }

    private static String nested(Nd nd, int depth, int[] at) {
        if (depth == nd.shape().length) {
            int i = at[0]++;
            return nd.dtype() == DType.BOOL
                    ? (nd.longs()[i] != 0 ? "True" : "False")
                    : nd.dtype().isFloat() ? number(nd.floats()[i]) : Long.toString(nd.longs()[i]);
        }
        List<String> items = new ArrayList<>();
        for (int i = 0; i < nd.shape()[depth]; i++) {
            items.add(nested(nd, depth + 1, at));
        }
        return "[" + String.join(", ", items) + "]";
    }

    private static String number(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        String text = String.format(java.util.Locale.ROOT, "%.5g", value + 0.0);
        return text.contains("e") ? text : text.replaceAll("0+$", "").replaceAll("\\.$", "");
    }

    private String example(String name) {
        String expression = examples.get(name);
        assertThat(expression).as("docs need an example of " + name).isNotNull();
        unused.remove(name);
        return "`" + expression + "` gives `" + run(PREAMBLE, LAYERS, expression) + "`";
    }

    private static String types(Predicate<DType> accepts) {
        boolean floats = accepts.test(DType.F32);
        boolean integers = accepts.test(DType.I32);
        List<String> parts = new ArrayList<>();
        if (floats) {
            parts.add("floats");
        }
        if (integers) {
            parts.add("integers");
        } else if (accepts.test(DType.I64)) {
            parts.add("i64");
        }
        if (accepts.test(DType.BOOL)) {
            parts.add("bool");
        }
        return String.join(", ", parts);
    }

    private void row(String name, String doc, String types, Op op, String example) {
        Optional<String> reason = Gradients.reason(op);
        page.append("| `")
                .append(name)
                .append("` | ")
                .append(doc.replace("|", "\\|"))
                .append(" | ")
                .append(types);
        page.append(" | ").append(reason.map(r -> "none: " + r).orElse("yes"));
        page.append(" | ").append(example(example)).append(" |\n");
    }

    private void table(String title) {
        page.append("\n## ")
                .append(title)
                .append("\n\n| row | meaning | on | gradient | example |\n|---|---|---|---|---|\n");
    }

    private String page() throws IOException {
        read();
        page.append(
                "# Operations\n\nMade from the op table, the stdlib and their examples by `OpsDocTest`; every example was");
        page.append(" run. Floats are f64 f32 f16 bf16, integers i64 i32 i8 u8.\n");
        table("Functions of one element");
        for (UnaryFn fn : UnaryFn.values()) {
            row(fn.text(), fn.doc(), types(fn::accepts), new Op.Unary(fn), fn.text());
        }
        table("Functions of two elements");
        for (BinaryFn fn : BinaryFn.values()) {
            String example = examples.containsKey(fn.text() + ".2") ? fn.text() + ".2" : fn.text();
            row(fn.text(), fn.doc(), types(fn::accepts), new Op.Binary(fn), example);
        }
        table("Reductions");
        for (ReduceFn fn : ReduceFn.values()) {
            row(fn.text(), fn.doc(), types(fn::accepts), new Op.Reduce(fn, List.of(0)), fn.text());
        }
        page.append("\n## Primitives of the language\n\n");
        for (String name : Builtins.names()) {
            if (examples.containsKey(name) && unused.contains(name) || texts.containsKey(name)) {
                String[] text = texts.getOrDefault(name, "(): ").split("(?<=\\)): ", 2);
                assertThat(text[1]).as("docs need a text for " + name).isNotBlank();
                entry(name + (text[0].equals("()") ? "" : text[0]), text[1], name);
            }
            assertThat(unused).as("docs need an example of " + name).doesNotContain(name);
        }
        for (String module : List.of("core", "nn", "random")) {
            page.append("\n## ")
                    .append(module.equals("core") ? "Always there, written in tfx" : "`import " + module + ";`");
            page.append("\n\n");
            module(Files.readString(STDLIB.resolve(module + ".tfx")));
        }
        assertThat(unused).as("examples of nothing").isEmpty();
        return page.toString();
    }

    private void entry(String signature, String text, String name) {
        page.append("- `").append(signature).append("` ").append(text).append(text.isEmpty() ? "" : " ");
        page.append(example(name)).append('\n');
    }

    private void module(String source) {
        Matcher matcher = FUNCTION.matcher(source);
        while (matcher.find()) {
            String doc = matcher.group(1)
                    .replaceAll("(?m)^## ?", "")
                    .replace('\n', ' ')
                    .strip();
            entry(matcher.group(2) + "(" + matcher.group(3).replaceAll("\\s+", " ") + ")", doc, matcher.group(2));
        }
    }

    @Test
    void thePageIsTrue() throws IOException {
        String made = page();
        if ("update".equals(System.getProperty("tfx.golden"))) {
            Files.writeString(PAGE, made);
        }
        assertThat(Files.readString(PAGE))
                .as("docs/ops.md; run the test with -Dtfx.golden=update")
                .isEqualTo(made);
    }
}
