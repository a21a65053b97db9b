package tfx.cli;

import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine;
import tfx.compiler.Session;

/// What the commands that run programs let the user choose.
final class SessionOptions {
    @CommandLine.Option(names = "--weights", description = "A weight file in place of the one the source names.")
    private Optional<Path> weights = Optional.empty();

    @CommandLine.Option(names = "--threads", description = "Threads of the CPU backend; all cores by default.")
    private Optional<Integer> threads = Optional.empty();

    Session.Options of(Session.Backend backend, int device) {
        int workers = threads.orElse(Runtime.getRuntime().availableProcessors());
        if (workers < 1) {
            throw new Main.Usage("--threads must be at least 1");
        }
        return new Session.Options(backend, weights, workers, device);
    }
}
