package tfx.compiler.transformer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import tfx.ir.LargeStack;
import tfx.ir.sequence.Atom;
import tfx.ir.sequence.SequenceError;
import tfx.ir.sequence.SequenceNode;
import tfx.passes.transformer.Causal;
import tfx.passes.transformer.Transformer;
import tfx.passes.transformer.TransformerBuilder;

/// Compiles an s-op into the weights of a transformer, checks them, and writes them.
public final class WeightCompiler {
    /// @param vocabulary the tokens, all different, at least one
    /// @param maxLength  how many of them an input has at most
    /// @param causal     whether heads see no later position
    public record Request(SequenceNode node, String name, List<Atom> vocabulary, int maxLength, boolean causal) {}

    /// @param millis what compiling took, without the check
    public record Report(Transformer transformer, TransformerCheck.Outcome check, double millis) {}

    private WeightCompiler() {}

    /// The weights alone, unchecked.
    ///
    /// @throws SequenceError at the place of what no transformer of this kind computes exactly
    public static Transformer build(Request request) {
        return LargeStack.call(
                "tfx-weights",
                () -> TransformerBuilder.build(
                        request.node(), request.vocabulary(), request.maxLength(), request.causal()));
    }

    /// Nothing is written unless the check holds.
    ///
    /// @param origin what is compiled, for the files
    /// @param folder where the files go; made if it is not there
    /// @throws SequenceError at the place of what no transformer of this kind computes exactly, or that fails
    public static Report write(Request request, String origin, Path folder) throws IOException {
        long start = System.nanoTime();
        Transformer model = build(request);
        Path draft = Files.createTempDirectory("tfx-weights");
        try {
            TransformerFiles.write(model, request.name(), origin, draft);
            double millis = (System.nanoTime() - start) / 1e6;
            SequenceNode meaning = request.causal() ? Causal.of(request.node()) : request.node();
            TransformerCheck.Outcome check = TransformerCheck.run(
                    meaning, model, draft.resolve(TransformerFiles.source(request.name())), request.name());
            Files.createDirectories(folder);
            for (Path file : files(draft)) {
                Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
            return new Report(model, check, millis);
        } finally {
            for (Path file : files(draft)) {
                Files.delete(file);
            }
            Files.delete(draft);
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.sorted(Comparator.naturalOrder()).toList();
        }
    }
}
