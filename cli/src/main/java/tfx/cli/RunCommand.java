package tfx.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.SequenceSession;
import tfx.compiler.Session;
import tfx.frontend.Frontend;
import tfx.frontend.Program;
import tfx.ir.Diagnostic;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.Tensor;
import tfx.runtime.program.Signature;

@CommandLine.Command(name = "run", description = "Run a program of a file.")
final class RunCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(
            index = "1..*",
            paramLabel = "[ENTRY] NAME=VALUE",
            description = "A program of the file, and its arguments: JSON, or plain text for tokens.")
    private List<String> words = new ArrayList<>();

    @CommandLine.Mixin
    private BackendOptions choice = new BackendOptions();

    @CommandLine.Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @CommandLine.Option(names = "--trace", paramLabel = "FILE", description = "Write a Perfetto trace of the call.")
    private Optional<Path> trace = Optional.empty();

    @Override
    public Integer call() throws Exception {
        Optional<String> entry = ProgramArguments.entry(words);
        Optional<Frontend.Checked> checked = Programs.checked(file);
        if (checked.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        Optional<SequenceNode> sequence = entry.map(checked.get().sequences()::get);
        if (sequence.isPresent()) {
            runSequence(entry.get(), sequence.get());
            return Main.OK;
        }
        Program program = Programs.choose(checked.get(), entry, file);
        Session.Options options = choice.options();
        try (Session session = new Session(program, Programs.folder(file), options, new HuggingFaceTokenizers());
                Arena arena = Arena.ofShared()) {
            run(session, arena);
        }
        return Main.OK;
    }

    private void run(Session session, Arena arena) throws Exception {
        Program program = session.program();
        ProgramArguments arguments = ProgramArguments.parse(program, words, arena);
        long start = System.nanoTime();
        Trace launches = new Trace();
        Session.Results results = trace.isPresent()
                ? session.call(arguments.values(), arena, launches)
                : session.call(arguments.values(), arena);
        double millis = (System.nanoTime() - start) / 1e6;
        if (trace.isPresent()) {
            launches.write(trace.get());
        }
        Map<String, JsonNode> outputs = new LinkedHashMap<>();
        for (Signature.Result result : program.results()) {
            Tensor tensor = results.outputs().get(result.name());
            JsonNode value = JsonValues.toJson(tensor, result.offsets().map(results.inputs()::get));
            outputs.put(
                    result.name(), arguments.single() && value.isArray() && value.size() == 1 ? value.get(0) : value);
        }
        print(program.name(), outputs, millis);
    }

    private void runSequence(String name, SequenceNode node) throws Exception {
        List<Atom> tokens = SequenceArguments.parse(words);
        try (SequenceSession session = new SequenceSession(node, choice.options())) {
            long start = System.nanoTime();
            List<List<Atom>> rows = session.run(tokens);
            double millis = (System.nanoTime() - start) / 1e6;
            ArrayNode lists = JsonNodeFactory.instance.arrayNode();
            rows.forEach(row -> lists.add(SequenceArguments.toJson(row)));
            for (SequenceNode read : node.graph().outside(node, tokens.size())) {
                String message = "a position outside the input of " + tokens.size() + " is read, which gives 0";
                System.err.println(new Diagnostic("TFX0603", read.span(), message, List.of(), "").renderWarning());
            }
            print(name, Map.of(name, node.isSelector() ? lists : lists.get(0)), millis);
        }
    }

    private void print(String entry, Map<String, JsonNode> outputs, double millis) throws JsonProcessingException {
        if (!json) {
            for (var output : outputs.entrySet()) {
                System.out.println(output.getKey() + " = " + JsonValues.write(output.getValue()));
            }
            return;
        }
        ObjectNode all = JsonNodeFactory.instance.objectNode();
        all.put("entry", entry);
        all.putObject("outputs").setAll(outputs);
        all.put("backend", choice.backend().name().toLowerCase(Locale.ROOT));
        all.put("millis", Math.round(millis * 1000) / 1000.0);
        System.out.println(JsonValues.write(all));
    }
}
