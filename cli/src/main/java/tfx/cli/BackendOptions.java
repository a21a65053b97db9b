package tfx.cli;

import picocli.CommandLine;
import tfx.compiler.Session;

/// What the commands that run programs on any backend let the user choose.
final class BackendOptions {
    @CommandLine.Option(names = "--backend", defaultValue = "cpu", description = "${COMPLETION-CANDIDATES}")
    private Session.Backend backend = Session.Backend.CPU;

    @CommandLine.Option(
            names = "--device",
            paramLabel = "N",
            defaultValue = "0",
            description = "The OpenCL device, by its number in 'tfx devices'; 0 by default.")
    private int device;

    @CommandLine.Mixin
    private SessionOptions session = new SessionOptions();

    Session.Backend backend() {
        return backend;
    }

    Session.Options options() {
        return session.of(backend, device);
    }
}
