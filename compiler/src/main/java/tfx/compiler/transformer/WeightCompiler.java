package tfx.compiler.transformer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tfx.compiler.Compiler;
import tfx.ir.LargeStack;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.transformer.Causal;
import tfx.passes.transformer.Transformer;
import tfx.passes.transformer.TransformerBuilder;

/// Compiles an s-op into the weights of a transformer, checks them, and writes them.
public final class WeightCompiler {
    /// What can stand where is worked out for each length and position.
    public static final int MAX_LENGTH = 200;

    public static final int MAX_VOCABULARY = 1000;

    /// @param name       of the program and the files
    /// @param vocabulary the tokens, all different, at least one and at most {@link #MAX_VOCABULARY}
    /// @param maxLength  how many of them an input has at most, itself at most {@link #MAX_LENGTH}
    /// @param causal     whether heads see no later position
    public record Request(SequenceNode node, String name, List<Atom> vocabulary, int maxLength, boolean causal) {}

    /// @param source the name of the file of tfx
    /// @param millis what compiling took, without the check
    public record Report(Transformer transformer, TransformerCheck.Outcome check, String source, double millis) {}

    private WeightCompiler() {}

    /// What a program for an s-op is called: its name, unless that means something in the language.
    static String program(String name) {
        String trial = "program " + name + "(x: f32[N]) -> (" + name + ") { " + name + " = x; }";
        boolean works = Compiler.check("name.tfx", trial.getBytes(StandardCharsets.UTF_8))
                .diagnostics()
                .isEmpty();
        return works ? name : name + "_";
    }

    private static Transformer build(Request request) {
        return LargeStack.call(
                "tfx-weights",
                () -> TransformerBuilder.build(
                        request.node(), request.vocabulary(), request.maxLength(), request.causal()));
    }

    /// Compiles and checks.
    ///
    /// @throws SequenceError at the place of what no transformer of this kind computes exactly, or that fails
    public static Report check(Request request) throws IOException {
        return run(request, "a check", Optional.empty());
    }

    /// Compiles, checks, and writes what holds.
    ///
    /// @param origin what is compiled, for the files
    /// @param folder where the files go; made if it is not there
    /// @throws SequenceError at the place of what no transformer of this kind computes exactly, or that fails
    public static Report write(Request request, String origin, Path folder) throws IOException {
        return run(request, origin, Optional.of(folder));
    }

    private static Report run(Request request, String origin, Optional<Path> folder) throws IOException {
        long start = System.nanoTime();
        Transformer model = build(request);
        double millis = (System.nanoTime() - start) / 1e6;
        Path draft = Files.createTempDirectory("tfx-weights");
        try {
            String name = program(request.name());
            TransformerFiles.write(model, name, origin, draft);
            SequenceNode meaning = request.causal() ? Causal.of(request.node()) : request.node();
            TransformerCheck.Outcome check =
                    TransformerCheck.run(meaning, model, draft.resolve(TransformerFiles.source(name)), name);
            if (folder.isPresent()) {
                Files.createDirectories(folder.get());
                for (Path file : files(draft)) {
                    Files.copy(file, folder.get().resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            return new Report(model, check, TransformerFiles.source(name), millis);
        } finally {
            for (Path file : files(draft)) {
                Files.delete(file);
            }
            Files.delete(draft);
        }
    }

    static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted(Comparator.naturalOrder()).toList();
        }
    }
}
