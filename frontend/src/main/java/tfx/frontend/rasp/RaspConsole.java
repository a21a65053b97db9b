package tfx.frontend.rasp;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tfx.frontend.Frontend;
import tfx.frontend.Parsing;
import tfx.frontend.Problems;
import tfx.frontend.ast.Item;
import tfx.frontend.rasp.RaspStager.Outcome;
import tfx.ir.Diagnostic;
import tfx.ir.Source;
import tfx.ir.Span;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Numbers;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceEvaluator;
import tfx.ir.sequence.SequenceNode;
import tfx.ir.sequence.SequenceText;

/// A conversation in RASP: takes lines, shows what they come to. S-ops and selectors are tried on an example as
/// soon as they are made, and shown on it. What it prints is what the first implementation of RASP prints, but
/// for errors, which say where they are.
public final class RaspConsole implements RaspStager.Listener {
    private static final String HELLO = "hello";

    /// What RASP's first implementation says first.
    public static final String GREETING = "RASP 0.1\nrunning example is: " + HELLO + "\n";

    private final StringBuilder out;
    private final Problems problems = new Problems();
    private final RaspFiles files;
    private final Environment environment;
    private final StringBuilder pending = new StringBuilder();
    private int statements;

    private RaspValue example = new RaspValue.Plain(Atom.of(HELLO));
    private RaspValue selectorExample = example;
    private SequenceEvaluator onExample = evaluator(example);
    private Optional<SequenceEvaluator> trial = Optional.empty();
    private List<Atom> lastInput = List.of();
    private SequenceEvaluator onLastInput = onExample;
    private SequenceEvaluator onSelectorExample = evaluator(example);
    private boolean showSequences = true;
    private boolean showSelectors = true;
    private boolean verbose;
    private boolean left;
    private Optional<RaspValue.Applied> drawn = Optional.empty();

    /// @param out takes what is printed
    public RaspConsole(Frontend.Modules modules, StringBuilder out) {
        this.out = out;
        this.files = Frontend.rasp(modules, problems, this);
        this.environment = files.console();
    }

    private static SequenceEvaluator evaluator(RaspValue example) {
        return new SequenceEvaluator(RaspItems.input(example, Span.NONE));
    }

    /// What an s-op is tried on when it is made is what it is shown on next.
    private SequenceEvaluator evaluator(List<Atom> input) {
        if (!lastInput.equals(input)) {
            lastInput = List.copyOf(input);
            onLastInput = new SequenceEvaluator(input);
        }
        return onLastInput;
    }

    /// What to print before the next line: more so inside a statement that is not finished.
    public String prompt() {
        if (pending.isEmpty()) {
            return ">> ";
        }
        long depth = List.of(pending.toString().split("\\s+")).stream()
                .filter("def"::equals)
                .count();
        return ".. " + "  ".repeat((int) depth);
    }

    /// Whether the conversation was ended by a command.
    public boolean hasLeft() {
        return left;
    }

    /// Forgets a statement that is not finished.
    public void abandon() {
        pending.setLength(0);
    }

    /// The names that can be read, for completion.
    public List<String> names() {
        return environment.visible().stream().sorted().toList();
    }

    /// The s-op or selector that an expression is; says what is wrong if it is none.
    public Optional<SequenceNode> sequence(String expression) {
        Problems syntax = new Problems();
        Optional<List<Item.Statement>> parsed = Parsing.parseLine(new Source("question", expression), syntax);
        show(syntax.sorted());
        if (parsed.isEmpty() || parsed.get().size() != 1) {
            out.append("expected one expression\n");
            return Optional.empty();
        }
        List<Outcome> outcomes = files.run(parsed.get().getFirst(), environment);
        show(problems.take());
        if (outcomes.size() == 1 && outcomes.getFirst() instanceof Outcome.Named n) {
            if (n.value() instanceof RaspValue.Sequence s) {
                return Optional.of(s.node());
            }
            out.append(n.value().describe()).append(", no s-op or selector\n");
        }
        return Optional.empty();
    }

    /// The input that s-ops are shown on.
    public List<Atom> example() {
        return RaspItems.input(example, Span.NONE);
    }

    /// Whether no statement is unfinished.
    public boolean isIdle() {
        return pending.isEmpty();
    }

    /// Whether this line would leave none unfinished.
    public boolean isFinished(String line) {
        return Parsing.parseLine(new Source("line", pending + line), new Problems())
                .isPresent();
    }

    /// Takes a line; runs it if it finishes a statement.
    public void line(String line) {
        pending.append(line).append('\n');
        Problems syntax = new Problems();
        Source source = new Source("line " + (statements + 1), pending.toString());
        Optional<List<Item.Statement>> parsed = Parsing.parseLine(source, syntax);
        if (parsed.isEmpty()) {
            return;
        }
        statements++;
        pending.setLength(0);
        show(syntax.sorted());
        for (Item.Statement statement : parsed.get()) {
            run(statement);
            if (left) {
                return;
            }
        }
    }

    private void run(Item.Statement statement) {
        List<Outcome> outcomes = files.run(statement, environment);
        show(problems.take());
        boolean examples = !(statement instanceof Item.Load);
        outcomes.forEach(o -> show(o, examples));
    }

    private void show(List<Diagnostic> diagnostics) {
        diagnostics.forEach(d -> out.append(d.render()));
    }

    @Override
    public void made(RaspValue.Sequence sequence) {
        trial.orElse(onExample).evaluate(sequence.node());
    }

    @Override
    public void tryOn(Optional<RaspValue> input) {
        trial = input.flatMap(RaspItems::asInput).map(this::evaluator);
    }

    @Override
    public void drawn(RaspValue.Applied applied) {
        drawn = Optional.of(applied);
    }

    /// What the last line drew, if it did.
    public Optional<RaspValue.Applied> takeDrawn() {
        Optional<RaspValue.Applied> taken = drawn;
        drawn = Optional.empty();
        return taken;
    }

    @Override
    public void example(Item.Subset subset, RaspValue value) {
        if (subset != Item.Subset.SELECTORS) {
            example = value;
            onExample = evaluator(value);
        }
        if (subset != Item.Subset.SEQUENCES) {
            selectorExample = value;
            onSelectorExample = evaluator(value);
        }
    }

    @Override
    public void command(Item.Command command) {
        switch (command) {
            case Item.ShowExample s -> showExample(s.subset());
            case Item.SwitchExamples s -> {
                showSequences = s.subset() == Item.Subset.SELECTORS ? showSequences : s.on();
                showSelectors = s.subset() == Item.Subset.SEQUENCES ? showSelectors : s.on();
            }
            case Item.SwitchDisplay s -> verbose = s.on();
            case Item.Leave l -> left = true;
        }
    }

    private void showExample(Item.Subset subset) {
        if (subset != Item.Subset.SELECTORS) {
            out.append("\ts-op example: ").append(format(example)).append('\n');
        }
        if (subset != Item.Subset.SEQUENCES) {
            out.append("\tselector example: ").append(format(selectorExample)).append('\n');
        }
    }

    /// Strings in double quotes, all else as Python has it.
    private static String format(RaspValue value) {
        return value instanceof RaspValue.Plain p ? format(p.atom()) : value.written();
    }

    private static String format(Atom atom) {
        return atom instanceof Atom.Text t ? "\"" + t.value() + "\"" : PythonText.of(atom);
    }

    private void show(Outcome outcome, boolean examples) {
        int before = out.length();
        try {
            switch (outcome) {
                case Outcome.Named n -> named(Optional.of(n.name()), n.value(), 0, "", examples);
                case Outcome.Shown s -> applied(s.applied());
            }
        } catch (SequenceError e) {
            Span span = e.span() == Span.NONE
                    ? switch (outcome) {
                        case Outcome.Named n -> n.span();
                        case Outcome.Shown s -> s.span();
                    }
                    : e.span();
            out.setLength(before);
            out.append(new Diagnostic("TFX0508", span, e.getMessage(), List.of(), "").render());
        }
    }

    private void applied(RaspValue.Applied applied) {
        SequenceEvaluator evaluator = evaluator(applied.input());
        SequenceNode node = applied.sequence().node();
        if (applied.sequence().isSelector()) {
            List<BitSet> rows = evaluator.rows(node);
            out.append("\t = \n");
            selector(applied.input(), rows, "");
        } else if (verbose) {
            List<Atom> values = evaluator.values(node);
            out.append("\t = ");
            sequence(applied.input(), values, "", "");
        } else {
            out.append("\t =  ").append(SequenceText.of(evaluator.values(node))).append('\n');
        }
    }

    /// @param name  none inside lists and dicts, where s-ops show their own
    /// @param tabs  how far it is moved to the right
    /// @param first stands before it
    private void named(Optional<String> name, RaspValue value, int tabs, String first, boolean examples) {
        if (out.length() > RaspValue.LONGEST_TEXT) {
            out.setLength(RaspValue.LONGEST_TEXT);
            return;
        }
        String left = "\t".repeat(tabs);
        String assigned = name.map(n -> n + " = ").orElse("");
        switch (value) {
            case RaspValue.Sequence s
            when s.isSelector() -> {
                out.append(left + " " + first + "    selector: " + name.orElse(s.name()) + "\n");
                if (showSelectors && examples) {
                    out.append(left + " \t Example:\n");
                    selector(RaspItems.input(selectorExample, Span.NONE), onSelectorExample.rows(s.node()), left);
                }
            }
            case RaspValue.Sequence s -> {
                String called = name.orElse(s.name());
                out.append(left + " " + first + "    s-op: " + called + "\n");
                if (showSequences && examples) {
                    String on = called + "(" + format(example) + ") =";
                    List<Atom> values = onExample.values(s.node());
                    if (verbose) {
                        out.append(left + " \t Example:");
                        sequence(RaspItems.input(example, Span.NONE), values, left, on);
                    } else {
                        out.append(left + " \t Example: " + on + " " + SequenceText.of(values) + "\n");
                    }
                }
            }
            case RaspValue.Function f -> out.append(left + " " + first + "    " + f.written() + "\n");
            case RaspValue.Primitive p -> out.append(left + " " + first + "    " + p.written() + "\n");
            case RaspValue.Items list -> {
                String label = "   list: " + assigned;
                out.append(left + " " + first + " " + label);
                if (isFlat(list.items())) {
                    out.append(list.written()).append('\n');
                    return;
                }
                out.append(left + " [\n");
                list.items().forEach(v -> named(Optional.empty(), v, tabs + 2, "", examples));
                out.append(left + " ".repeat(label.length() + 2) + "]\n");
            }
            case RaspValue.Dict dict -> {
                String label = "   dict: " + assigned;
                out.append(left + " " + first + " " + label);
                if (isFlat(dict.values())) {
                    out.append(dict.written()).append('\n');
                    return;
                }
                out.append(left + " {\n");
                for (Map.Entry<Atom, RaspValue> e : dict.entries().values()) {
                    named(Optional.empty(), e.getValue(), tabs + 3, format(e.getKey()) + " : ", examples);
                }
                out.append(left + " ".repeat(label.length() + 2) + "}\n");
            }
            case RaspValue.Plain p -> out.append(left + "    value: " + assigned + " " + format(p) + "\n");
            case RaspValue.Applied a -> applied(a);
            case RaspValue.Opaque o -> out.append(left + "    value: " + assigned + " " + o.what() + "\n");
            case RaspValue.Poison p -> {}
        }
    }

    private static boolean isFlat(List<RaspValue> values) {
        return values.stream()
                .noneMatch(v ->
                        v instanceof RaspValue.Items || v instanceof RaspValue.Dict || v instanceof RaspValue.Sequence);
    }

    private void selector(List<Atom> tokens, List<BitSet> rows, String left) {
        out.append(left + " \t\t\t     " + tokens.stream().map(PythonText::of).collect(Collectors.joining(" ")) + "\n");
        for (int i = 0; i < tokens.size(); i++) {
            List<String> cells = new ArrayList<>();
            for (int j = 0; j < tokens.size(); j++) {
                cells.add(rows.get(i).get(j) ? "1" : " ");
            }
            out.append(left + " \t\t\t " + PythonText.of(tokens.get(i)) + " | " + String.join(" ", cells) + "\n");
        }
    }

    /// Input and output in columns.
    private void sequence(List<Atom> tokens, List<Atom> values, String left, String label) {
        if (SequenceText.isUniform(values)) {
            out.append(" " + label + " " + SequenceText.of(values) + " [skipped full display: identical values]\n");
            return;
        }
        List<String> input = cells(tokens);
        List<String> output = cells(values);
        int width = Stream.concat(input.stream(), output.stream())
                .mapToInt(c -> c.codePointCount(0, c.length()))
                .max()
                .orElse(0);
        out.append("\n" + left + " \t\tinput:   " + line(input, width) + " \t (strings)\n");
        out.append(left + " \t\toutput:  " + line(output, width) + " \t ("
                + SequenceEvaluator.kind(values).text() + "s)\n");
    }

    /// Of bools, those that are fewer.
    private static List<String> cells(List<Atom> atoms) {
        if (!(atoms.getFirst() instanceof Atom.Truth)) {
            return atoms.stream().map(PythonText::of).toList();
        }
        long trues = atoms.stream().filter(Numbers::truth).count();
        String truth = trues <= atoms.size() - trues ? "T" : "";
        String falsehood = atoms.size() - trues <= trues ? "F" : "";
        return atoms.stream().map(a -> Numbers.truth(a) ? truth : falsehood).toList();
    }

    private static String line(List<String> cells, int width) {
        return cells.stream()
                .map(c -> " ".repeat(width - c.codePointCount(0, c.length())) + c)
                .collect(Collectors.joining(" "));
    }
}
