package tfx.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.frontend.Frontend;
import tfx.ir.Diagnostic;
import tfx.ir.sequence.SequenceNode;

@CommandLine.Command(name = "check", description = "Report what is wrong with source files.")
final class CheckCommand implements Callable<Integer> {
    @CommandLine.Parameters(arity = "1..*", paramLabel = "FILE")
    private List<Path> files = List.of();

    @CommandLine.Option(
            names = "--rasp-l",
            description = "Say of each s-op whether it is in RASP-L, whose short programs transformers learn.")
    private boolean raspL;

    @Override
    public Integer call() throws Exception {
        int code = Main.OK;
        for (Path file : files) {
            Optional<Frontend.Checked> checked = Programs.checked(file);
            if (checked.isEmpty()) {
                code = Main.WRONG_PROGRAM;
            } else {
                checked.get().warnings().stream().map(Diagnostic::renderWarning).forEach(System.err::println);
                if (raspL) {
                    checked.get()
                            .sequences()
                            .forEach((name, node) ->
                                    fragment(name, node, checked.get().warnings()));
                }
            }
        }
        return code;
    }

    /// The length of a program in RASP-L is a measure of how hard it is to learn.
    private static void fragment(String name, SequenceNode node, List<Diagnostic> said) {
        if (name.startsWith("_") || node.isSelector()) {
            return;
        }
        List<Diagnostic> departures = Frontend.departures(name, node);
        departures.stream()
                .filter(d -> !said.contains(d))
                .map(Diagnostic::renderWarning)
                .forEach(System.err::println);
        int operations = SequenceNode.closure(List.of(node)).size();
        System.out.println(
                name + ": " + operations + " operations, " + (departures.isEmpty() ? "in RASP-L" : "not in RASP-L"));
    }
}
