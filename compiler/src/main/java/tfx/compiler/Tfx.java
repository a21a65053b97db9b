package tfx.compiler;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import tfx.frontend.Frontend;
import tfx.ir.Diagnostic;
import tfx.runtime.RunException;
import tfx.runtime.Tokenizer;
import tfx.runtime.Tokenizers;

/// The Java API: compiles source files and runs their programs in this process.
///
/// ```java
/// try (LoadedFile file = Tfx.load(Path.of("minilm.tfx"));
///         Arena arena = Arena.ofConfined()) {
///     Tensor e = file.program("embed").call(arena, List.of("a text", "another")).get("embedding");
/// }
/// ```
public final class Tfx {
    /// @param weights a weight file in place of the one that the source names
    /// @param threads how many threads work on one call, at least 1
    public record Options(Optional<Path> weights, int threads) {
        public Options {
            if (threads < 1) {
                throw new IllegalArgumentException("threads is " + threads + "; at least one thread works on a call");
            }
        }

        /// The weights that the source names, and all cores.
        public static Options defaults() {
            return new Options(Optional.empty(), Runtime.getRuntime().availableProcessors());
        }
    }

    private Tfx() {}

    /// Compiles a file.
    ///
    /// @throws SourceException if the source is wrong
    /// @throws IOException     if it cannot be read
    public static LoadedFile load(Path file) throws IOException {
        return load(file, Options.defaults());
    }

    /// Compiles a file.
    ///
    /// @throws SourceException if the source is wrong
    /// @throws IOException     if it cannot be read
    public static LoadedFile load(Path file, Options options) throws IOException {
        Frontend.Checked checked = Compiler.check(file);
        if (!checked.diagnostics().isEmpty()) {
            throw new SourceException(checked.diagnostics());
        }
        Path folder = file.toAbsolutePath().getParent();
        return new LoadedFile(file.toString(), checked.programs(), checked.sequences(), folder, options);
    }

    /// The tokenizers on the class path. Without any, programs take token ids alone.
    static Tokenizers tokenizers() {
        return ServiceLoader.load(Tokenizers.class).findFirst().orElse((file, limit) -> new Missing());
    }

    private static final class Missing implements Tokenizer {
        @Override
        public int[] encode(String text) {
            throw new RunException("no tokenizer library is on the class path; add tfx-cli, or give token ids");
        }

        @Override
        public void close() {}
    }

    /// A source file with errors.
    public static final class SourceException extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final transient List<Diagnostic> diagnostics;

        SourceException(List<Diagnostic> diagnostics) {
            super(String.join(
                    "\n\n", diagnostics.stream().map(Diagnostic::render).toList()));
            this.diagnostics = List.copyOf(diagnostics);
        }

        /// What is wrong, by place.
        public List<Diagnostic> diagnostics() {
            return diagnostics;
        }
    }

    static RunException unknown(String file, String name, List<String> names) {
        return new RunException(file + " has no program '" + name + "'; it has " + names);
    }
}
