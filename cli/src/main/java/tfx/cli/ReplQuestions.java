package tfx.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tfx.compiler.SequenceSession;
import tfx.compiler.Session;
import tfx.compiler.transformer.WeightCompiler;
import tfx.frontend.rasp.RaspConsole;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Heads;
import tfx.ir.sequence.Kind;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.SelectorForm;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.RunException;

/// What a REPL tells about an s-op or a selector beside its value: lines that begin with a colon.
final class ReplQuestions {
    private enum Question {
        TYPE("what its positions hold", ReplQuestions::type),
        HEADS("the layers and heads it needs", ReplQuestions::heads),
        IR("the operations it is made of", ReplQuestions::ir),
        DRAW("a drawing on the example, into a file", (self, node) -> self.draw(node, self.console.example())),
        TIME("how long a call takes on the example, compiled", ReplQuestions::time),
        WEIGHTS("the transformer that computes it on the tokens of the example", ReplQuestions::weights);

        private final String doc;
        private final BiConsumer<ReplQuestions, SequenceNode> answer;

        Question(String doc, BiConsumer<ReplQuestions, SequenceNode> answer) {
            this.doc = doc;
            this.answer = answer;
        }

        String word() {
            return ":" + name().toLowerCase(Locale.ROOT);
        }
    }

    static final List<String> NAMES = Stream.concat(
                    Stream.of(":help"), Arrays.stream(Question.values()).map(Question::word))
            .toList();

    private static final int CALLS = 200;

    private final RaspConsole console;
    private final StringBuilder out;

    ReplQuestions(RaspConsole console, StringBuilder out) {
        this.console = console;
        this.out = out;
    }

    /// Answers `:question expression`.
    void answer(String line) {
        String[] words = line.strip().split("\\s+", 2);
        Optional<Question> question = Arrays.stream(Question.values())
                .filter(q -> q.word().equals(words[0]))
                .findFirst();
        if (question.isEmpty() || words.length < 2) {
            help();
            return;
        }
        String expression = words[1].endsWith(";") ? words[1] : words[1] + ";";
        console.sequence(expression).ifPresent(node -> question.get().answer.accept(this, node));
    }

    private void help() {
        out.append(":help          this list\n");
        for (Question q : Question.values()) {
            out.append(String.format("%-14s %s%n", q.word() + " EXPR", q.doc));
        }
    }

    private void type(SequenceNode node) {
        String kinds = EnumSet.copyOf(node.isSelector() ? EnumSet.of(Kind.TRUTH) : node.kinds()).stream()
                .map(k -> k.text() + "s")
                .collect(Collectors.joining(" or "));
        out.append(node.isSelector() ? "selector\n" : "s-op of " + kinds + "\n");
    }

    private void heads(SequenceNode node) {
        if (node.isSelector()) {
            out.append("a selector is a head of whatever aggregates over it\n");
            return;
        }
        List<Heads.Head> heads = Heads.of(node);
        out.append("layers ")
                .append(Heads.layers(heads))
                .append(", heads ")
                .append(heads.size())
                .append('\n');
        HeadsCommand.lines(heads).forEach(line -> out.append(line).append('\n'));
    }

    private void ir(SequenceNode node) {
        for (SequenceNode each : SequenceNode.closure(List.of(node))) {
            out.append(each);
            if (each.isSelector()) {
                SelectorForm.of(each).ifPresent(f -> out.append("  = ").append(f));
            }
            out.append('\n');
        }
    }

    /// Draws into a file named after the s-op, in the working directory.
    void draw(SequenceNode node, List<Atom> input) {
        if (node.isSelector()) {
            out.append("a drawing is of an s-op\n");
            return;
        }
        String name = node.graph().name(node).orElse("s-op");
        Path file = Path.of(name.replaceAll("[^A-Za-z0-9_]", "_") + ".svg");
        try {
            VizCommand.write(node, input, name, file);
            out.append("drawn into ").append(file).append('\n');
        } catch (IOException | RunException | Main.Usage e) {
            out.append(e.getMessage()).append('\n');
        }
    }

    private void time(SequenceNode node) {
        Session.Options options = new Session.Options(
                Session.Backend.CPU, Optional.empty(), Runtime.getRuntime().availableProcessors());
        try (SequenceSession session = new SequenceSession(node, options)) {
            double[] millis = new double[CALLS];
            for (int i = 0; i < CALLS; i++) {
                long start = System.nanoTime();
                session.run(console.example());
                millis[i] = (System.nanoTime() - start) / 1e6;
            }
            double first = millis[0];
            Arrays.sort(millis);
            out.append(String.format(
                    "%d positions: %.3f ms a call, %.0f ms with compilation%n",
                    console.example().size(), millis[CALLS / 2], first));
        } catch (RunException e) {
            out.append(e.getMessage()).append('\n');
        }
    }

    /// Compiles for inputs of the example's tokens that are no longer than it.
    private void weights(SequenceNode node) {
        if (node.isSelector()) {
            out.append("weights are of an s-op\n");
            return;
        }
        Map<Object, Atom> vocabulary = new LinkedHashMap<>();
        console.example().forEach(a -> vocabulary.putIfAbsent(Numbers.key(a), a));
        int length = console.example().size();
        if (length > WeightCompiler.MAX_LENGTH) {
            out.append("weights are for at most ")
                    .append(WeightCompiler.MAX_LENGTH)
                    .append(" tokens; the example has ")
                    .append(length)
                    .append('\n');
            return;
        }
        String name = node.graph().name(node).orElse("result");
        try {
            WeightCompiler.Report report = WeightCompiler.check(
                    new WeightCompiler.Request(node, name, List.copyOf(vocabulary.values()), length, false));
            WeightsCommand.lines(name, report).forEach(line -> out.append(line).append('\n'));
        } catch (SequenceError e) {
            out.append(e.getMessage()).append('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
