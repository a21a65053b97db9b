package tfx.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tfx.compiler.Compiler;
import tfx.frontend.Frontend;
import tfx.frontend.Program;
import tfx.ir.Diagnostic;

/// Finding the program that a command line means.
final class Programs {
    private Programs() {}

    /// Checks a file, printing what is wrong to stderr.
    ///
    /// @return the programs, empty if anything is wrong
    static Optional<List<Program>> check(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new Main.Usage("there is no file " + file);
        }
        Frontend.Checked checked = Compiler.check(file);
        checked.diagnostics().stream().map(Diagnostic::render).forEach(System.err::println);
        return checked.diagnostics().isEmpty() ? Optional.of(checked.programs()) : Optional.empty();
    }

    /// The program with this name, or the only one.
    static Program choose(List<Program> programs, Optional<String> name, Path file) {
        List<String> names = programs.stream().map(Program::name).toList();
        if (name.isPresent()) {
            return programs.stream()
                    .filter(p -> p.name().equals(name.get()))
                    .findFirst()
                    .orElseThrow(() -> new Main.Usage(file + " has no program '" + name.get() + "'; it has " + names));
        }
        if (programs.size() != 1) {
            throw new Main.Usage(
                    file + " has " + (programs.isEmpty() ? "no program" : "programs " + names + "; name one"));
        }
        return programs.getFirst();
    }

    /// The folder that file names in a source are relative to.
    static Path folder(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? Path.of("") : parent;
    }
}
