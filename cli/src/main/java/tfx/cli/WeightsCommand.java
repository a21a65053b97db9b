package tfx.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import tfx.compiler.transformer.TransformerCheck;
import tfx.compiler.transformer.WeightCompiler;
import tfx.frontend.Frontend;
import tfx.ir.Diagnostic;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.transformer.Transformer;

@CommandLine.Command(
        name = "weights",
        description = "Compile a sequence program into the weights of a transformer, and check them.")
final class WeightsCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(index = "1", paramLabel = "NAME", description = "An s-op of the file.")
    private String name = "";

    @CommandLine.Option(
            names = "--vocab",
            required = true,
            paramLabel = "A,B,C",
            description = "The tokens, between commas, or as a JSON list.")
    private String vocab = "";

    @CommandLine.Option(
            names = "--max-length",
            required = true,
            paramLabel = "N",
            description = "How many tokens an input has at most; 1 to " + WeightCompiler.MAX_LENGTH + ".")
    private int maxLength;

    @CommandLine.Option(names = "--causal", description = "Heads see no later position.")
    private boolean causal;

    @CommandLine.Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "Where NAME.tfx, NAME.safetensors and NAME.tokenizer.json go.")
    private Path output = Path.of("");

    @CommandLine.Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        List<Atom> vocabulary = vocabulary();
        if (maxLength < 1 || maxLength > WeightCompiler.MAX_LENGTH) {
            throw new Main.Usage(
                    "--max-length is " + maxLength + "; it is at least 1 and at most " + WeightCompiler.MAX_LENGTH);
        }
        Optional<Frontend.Checked> checked = Programs.checked(file);
        if (checked.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        SequenceNode node = Programs.sequence(checked.get(), name, file);
        WeightCompiler.Report report;
        try {
            report = WeightCompiler.write(
                    new WeightCompiler.Request(node, name, vocabulary, maxLength, causal),
                    name + " of " + file.getFileName(),
                    output);
        } catch (SequenceError e) {
            System.err.println(new Diagnostic("TFX0701", e.span(), e.getMessage(), List.of(), "").render());
            return Main.WRONG_PROGRAM;
        }
        print(report);
        return Main.OK;
    }

    private List<Atom> vocabulary() {
        Optional<JsonNode> list = JsonValues.json(vocab).filter(JsonNode::isArray);
        if (list.isEmpty()
                && (vocab.startsWith("[") || Stream.of(vocab.split(",", -1)).anyMatch(String::isEmpty))) {
            throw new Main.Usage("--vocab=" + vocab
                    + " is neither tokens between commas nor a JSON list; as a list, any string is a token");
        }
        List<Atom> atoms = list.isPresent()
                ? SequenceArguments.items((ArrayNode) list.get())
                : Stream.of(vocab.split(",")).map(Atom::of).toList();
        if (atoms.isEmpty() || atoms.size() > WeightCompiler.MAX_VOCABULARY) {
            throw new Main.Usage("--vocab has " + atoms.size() + " tokens; it has at least one and at most "
                    + WeightCompiler.MAX_VOCABULARY);
        }
        Set<Object> seen = new HashSet<>();
        for (Atom atom : atoms) {
            if (!seen.add(Numbers.key(atom))) {
                throw new Main.Usage("--vocab has the same token twice: " + SequenceArguments.toJson(List.of(atom)));
            }
        }
        return atoms;
    }

    private void print(WeightCompiler.Report report) throws Exception {
        Transformer model = report.transformer();
        TransformerCheck.Outcome check = report.check();
        if (json) {
            ObjectNode all = JsonNodeFactory.instance.objectNode();
            all.put("entry", name);
            all.put("file", output.resolve(report.source()).toString());
            all.put("layers", model.layers().size());
            all.put("heads", model.heads());
            all.put("width", model.width());
            all.put("parameters", model.parameters());
            all.put("millis", Math.round(report.millis()));
            all.putObject("check")
                    .put("all_up_to", check.allUpTo())
                    .put("all", check.all())
                    .put("samples", check.samples());
            System.out.println(JsonValues.write(all));
            return;
        }
        lines(name, report).forEach(System.out::println);
        System.out.println("written: " + output.resolve(report.source()));
    }

    /// What was made, and how it was checked.
    static List<String> lines(String name, WeightCompiler.Report report) {
        Transformer model = report.transformer();
        List<String> lines = new ArrayList<>();
        lines.add("%s: %d layers, %d heads, width %d, %d parameters, %.0f ms"
                .formatted(
                        name,
                        model.layers().size(),
                        model.heads(),
                        model.width(),
                        model.parameters(),
                        report.millis()));
        for (int l = 0; l < model.layers().size(); l++) {
            Transformer.Layer layer = model.layers().get(l);
            lines.add("  layer %d: %d heads, %d hidden"
                    .formatted(
                            l + 1,
                            layer.attention().map(Transformer.Attention::heads).orElse(0),
                            layer.perceptron().map(p -> p.up().rows()).orElse(0)));
        }
        lines.add("checked: " + words(report.check()));
        return lines;
    }

    /// What the check says. Of n samples without a mistake follows, at 95 %, that fewer than 3 in n are wrong.
    private static String words(TransformerCheck.Outcome check) {
        String all = check.allUpTo() == 0
                ? ""
                : "all " + check.all() + " inputs of up to " + check.allUpTo() + " tokens are exact";
        String some = check.samples() == 0
                ? ""
                : check.samples() + " random longer ones too, so fewer than 1 in " + check.samples() / 3
                        + " is wrong (95 %)";
        return all.isEmpty() ? some : some.isEmpty() ? all : all + "; " + some;
    }
}
