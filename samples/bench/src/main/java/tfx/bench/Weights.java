package tfx.bench;

import java.nio.file.Path;
import java.util.List;
import tfx.compiler.Compiler;
import tfx.compiler.transformer.TransformerCheck;
import tfx.compiler.transformer.WeightCompiler;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.Heads;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.transformer.Transformer;

/// Programs of RASP as weights of transformers: how large they are, how long compiling takes, and what the check
/// says. Beside ours stand the layers and heads that the rules of "Thinking Like Transformers" count.
public final class Weights {
    private record Entry(String file, String name, String alphabet, int length) {}

    private static final List<Entry> ENTRIES = List.of(
            new Entry("histogram", "hist", "abc", 10),
            new Entry("histogram", "hist", "abcdefghijklm", 50),
            new Entry("histogram", "hist2", "abcd", 12),
            new Entry("reverse", "reverse", "abc", 10),
            new Entry("reverse", "reverse", "abc", 50),
            new Entry("sort", "sorted", "abcde", 10),
            new Entry("sort", "most_frequent", "abcd", 10),
            new Entry("dyck", "dyck1", "()", 16),
            new Entry("dyck", "dyck2", "(){}", 10),
            new Entry("dyck", "dyck3", "(){}[]", 8),
            new Entry("dyck", "shuffle_dyck2", "(){}", 10),
            new Entry("count", "majority", "01", 30),
            new Entry("count", "parity", "01", 30),
            new Entry("count", "parity_by_rounds", "01", 16),
            new Entry("induction", "bigram", "abcd", 12),
            new Entry("induction", "trigram", "abcd", 10),
            new Entry("addition", "sum", "0123456789+", 9));

    private Weights() {}

    public static void main(String[] arguments) throws Exception {
        System.out.printf(
                "%-40s %6s %6s %7s %7s %7s %11s %10s %8s  %s%n",
                "row", "layers", "heads", "(RASP", "RASP)", "width", "parameters", "ms", "check s", "exact on");
        int exact = 0;
        for (Entry entry : ENTRIES) {
            Path file = Path.of(System.getProperty("tfx.home"), "samples", "rasp", entry.file() + ".rasp");
            SequenceNode node = Compiler.check(file).sequences().get(entry.name());
            List<Atom> vocabulary = entry.alphabet().codePoints()
                    .mapToObj(c -> Atom.of(Character.toString(c)))
                    .toList();
            String row = entry.name() + ", " + vocabulary.size() + " tokens, up to " + entry.length();
            List<Heads.Head> heads = Heads.of(node);
            long start = System.nanoTime();
            try {
                WeightCompiler.Report report = WeightCompiler.check(
                        new WeightCompiler.Request(node, entry.name(), vocabulary, entry.length(), false));
                double seconds = (System.nanoTime() - start) / 1e9;
                Transformer model = report.transformer();
                TransformerCheck.Outcome check = report.check();
                System.out.printf(
                        "%-40s %6d %6d %7d %7d %7d %11d %10.0f %8.1f  all %d up to %d, %d random%n",
                        row,
                        model.layers().size(),
                        model.heads(),
                        Heads.layers(heads),
                        heads.size(),
                        model.width(),
                        model.parameters(),
                        report.millis(),
                        seconds - report.millis() / 1e3,
                        check.all(),
                        check.allUpTo(),
                        check.samples());
                exact++;
            } catch (SequenceError e) {
                System.out.printf("%-40s refused: %s%n", row, e.getMessage());
            }
        }
        System.out.println("exact: " + exact + " of " + ENTRIES.size());
        System.exit(0);
    }
}
