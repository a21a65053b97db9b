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
import tfx.ir.sequence.SequenceNode;

/// Finding the program that a command line means.
final class Programs {
    private Programs() {}

    /// Checks a file, printing what is wrong to stderr.
    ///
    /// @return what the file holds, empty if anything is wrong
    static Optional<Frontend.Checked> checked(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new Main.Usage("there is no file " + file);
        }
        Frontend.Checked checked = Compiler.check(file);
        checked.diagnostics().stream().map(Diagnostic::render).forEach(System.err::println);
        return checked.diagnostics().isEmpty() ? Optional.of(checked) : Optional.empty();
    }

    /// The same, for its programs alone.
    static Optional<List<Program>> check(Path file) throws IOException {
        return checked(file).map(Frontend.Checked::programs);
    }

    /// The s-op with this name.
    static SequenceNode sequence(Frontend.Checked checked, String name, Path file) {
        SequenceNode node = checked.sequences().get(name);
        if (node == null) {
            throw new Main.Usage(file + " has no s-op '" + name + "'; it has "
                    + checked.sequences().keySet());
        }
        if (node.isSelector()) {
            throw new Main.Usage("'" + name + "' is a selector; name an s-op of " + file);
        }
        return node;
    }

    /// The program with this name, or the only one; an entry that is neither this nor a sequence is named with all
    /// that the file has.
    static Program choose(Frontend.Checked checked, Optional<String> name, Path file) {
        List<String> sequences = List.copyOf(checked.sequences().keySet());
        if (sequences.isEmpty() || !checked.programs().isEmpty() && name.isEmpty()) {
            return choose(checked.programs(), name, file);
        }
        throw new Main.Usage(
                name.map(n -> file + " has no entry '" + n + "'; it has ").orElse("name an entry of " + file + ": ")
                        + sequences);
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
