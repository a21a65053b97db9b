package tfx.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import tfx.compiler.Generation;
import tfx.compiler.SequenceSession;
import tfx.frontend.Frontend;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.PythonText;
import tfx.ir.sequence.SequenceNode;

@CommandLine.Command(
        name = "generate",
        description = "Run a sequence program that gives the next token, again and again, until an end token.")
final class GenerateCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(
            index = "1..*",
            paramLabel = "NAME tokens=VALUE",
            description = "An s-op of the file, and what to begin with, as for run.")
    private List<String> words = new ArrayList<>();

    @CommandLine.Option(
            names = "--end",
            paramLabel = "TOKEN",
            defaultValue = "$",
            description = "The token to stop at, which is not printed; $ by default.")
    private String end = "$";

    @CommandLine.Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "1000",
            description = "How many tokens to make at most; ${DEFAULT-VALUE} by default.")
    private int most;

    @CommandLine.Mixin
    private BackendOptions choice = new BackendOptions();

    @CommandLine.Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        Optional<String> name = ProgramArguments.entry(words);
        if (most < 1) {
            throw new Main.Usage("--max-tokens is " + most + "; it is at least 1");
        }
        Optional<Frontend.Checked> checked = Programs.checked(file);
        if (checked.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        SequenceNode node = Programs.sequence(checked.get(), name.orElse(""), file);
        List<Atom> tokens = SequenceArguments.parse(words);
        Generation made;
        try (SequenceSession session = new SequenceSession(node, choice.options())) {
            made = Generation.run(session, tokens, SequenceArguments.alike(end, tokens.getFirst()), most);
        }
        if (json) {
            ObjectNode all = JsonNodeFactory.instance.objectNode();
            all.put("entry", name.orElseThrow());
            all.set("tokens", SequenceArguments.toJson(made.tokens()));
            all.put("ended", made.ended());
            System.out.println(JsonValues.write(all));
        } else {
            System.out.println(made.tokens().stream()
                    .map(PythonText::shown)
                    .collect(Collectors.joining(separator(made.tokens()))));
        }
        if (!made.ended()) {
            System.err.println(
                    "tfx: no end token '" + end + "' among the first " + most + " tokens; --max-tokens takes more");
        }
        return made.ended() ? Main.OK : Main.RUN_FAILED;
    }

    /// Single characters stand side by side.
    private static String separator(List<Atom> tokens) {
        return tokens.stream().allMatch(t -> PythonText.shown(t).length() == 1) ? "" : " ";
    }
}
