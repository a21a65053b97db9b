package tfx.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.draw.SequenceDrawing;
import tfx.frontend.Frontend;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.RunException;

@CommandLine.Command(
        name = "viz",
        description = "Draw a sequence program on an input: layers, heads, what they select, and all values.")
final class VizCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(index = "1", paramLabel = "NAME", description = "An s-op of the file.")
    private String name = "";

    @CommandLine.Parameters(index = "2", paramLabel = "tokens=VALUE", description = "The input, as for run.")
    private String tokens = "";

    @CommandLine.Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT",
            description = "The drawing: OUT.svg, or OUT.html, which needs no other file.")
    private Path output = Path.of("");

    @Override
    public Integer call() throws Exception {
        Optional<Frontend.Checked> checked = Programs.checked(file);
        if (checked.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        SequenceNode node = Programs.sequence(checked.get(), name, file);
        List<Atom> input = SequenceArguments.parse(new ArrayList<>(List.of(tokens)));
        write(node, input, name, output);
        return Main.OK;
    }

    /// Draws into a file whose ending says how.
    static void write(SequenceNode node, List<Atom> input, String title, Path output) throws IOException {
        boolean page = output.toString().endsWith(".html");
        if (!page && !output.toString().endsWith(".svg")) {
            throw new Main.Usage("a drawing is a file.svg or a file.html, not " + output);
        }
        if (input.size() > SequenceDrawing.MAX_TOKENS) {
            throw new Main.Usage(
                    "a drawing shows at most " + SequenceDrawing.MAX_TOKENS + " tokens, not " + input.size());
        }
        try {
            String svg = SequenceDrawing.svg(node, input);
            Files.writeString(output, page ? SequenceDrawing.html(title, svg) : svg);
        } catch (SequenceError e) {
            throw new RunException(e.getMessage() + " (" + e.span() + ")");
        }
    }
}
