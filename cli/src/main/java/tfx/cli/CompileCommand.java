package tfx.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import tfx.compiler.Packager;
import tfx.frontend.Program;
import tfx.runtime.Tensor;

@CommandLine.Command(
        name = "compile",
        description =
                "Compile the programs of a file to a jar that runs with tfx-runtime alone: a typed class each, kernels"
                        + " for every vector width, weights.")
final class CompileCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Option(names = "-o", required = true, paramLabel = "OUT", description = "The jar to write.")
    private Path out = Path.of("");

    @CommandLine.Option(
            names = "--package",
            description = "The package of the typed classes; the file's name by default.")
    private Optional<String> packageName = Optional.empty();

    @CommandLine.Option(names = "--weights", description = "A weight file in place of the one the source names.")
    private Optional<Path> weights = Optional.empty();

    @CommandLine.Option(names = "--with-runtime", description = "Write tfx-runtime.jar beside the jar.")
    private boolean withRuntime;

    @Override
    public Integer call() throws Exception {
        Optional<List<Program>> programs = Programs.check(file);
        if (programs.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        if (programs.get().isEmpty()) {
            throw new Main.Usage(file + " has no program");
        }
        String name = packageName.orElseGet(() -> sanitized(file));
        if (!name.matches("[a-z_][A-Za-z0-9_]*([.][a-z_][A-Za-z0-9_]*)*")) {
            throw new Main.Usage("'" + name + "' is no package name; give one with --package=NAME");
        }
        if (!Files.isDirectory(Programs.folder(out))) {
            throw new Main.Usage(
                    "there is no folder " + Programs.folder(out) + " to write " + out.getFileName() + " to");
        }
        if (Files.isDirectory(out)) {
            throw new Main.Usage(out + " is a folder; -o names the jar to write");
        }
        Path made = out.resolveSibling(out.getFileName() + ".part");
        List<String> classes;
        try {
            classes = Packager.write(made, name, programs.get(), Programs.folder(file), weights);
            Files.move(made, out, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(made);
        }
        if (withRuntime) {
            Files.copy(runtime(), Programs.folder(out).resolve("tfx-runtime.jar"), StandardCopyOption.REPLACE_EXISTING);
        }
        System.err.println("wrote " + out + " with " + String.join(", ", classes));
        return Main.OK;
    }

    private static String sanitized(Path file) {
        return file.getFileName()
                .toString()
                .replaceAll("[.]tfx$", "")
                .replaceAll("[^A-Za-z0-9_]", "_")
                .toLowerCase(java.util.Locale.ROOT);
    }

    /// The jar that this process has the runtime from.
    private static Path runtime() throws IOException {
        try {
            Path place = Path.of(Tensor.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            if (Files.isRegularFile(place)) {
                return place;
            }
        } catch (java.net.URISyntaxException e) {
            throw new IOException("cannot find the jar of tfx-runtime", e);
        }
        throw new IOException("this tfx runs from classes; build it with ./tfx to have tfx-runtime.jar");
    }
}
