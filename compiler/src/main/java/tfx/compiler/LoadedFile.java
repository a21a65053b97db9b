package tfx.compiler;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.frontend.Program;
import tfx.runtime.RunException;

/// A compiled source file. Its programs are made ready when they are first asked for. Safe for concurrent use.
public final class LoadedFile implements AutoCloseable {
    private final String name;
    private final Map<String, Program> programs = new LinkedHashMap<>();
    private final Path folder;
    private final Tfx.Options options;
    private final Map<String, LoadedProgram> ready = new LinkedHashMap<>();
    private boolean closed;

    LoadedFile(String name, List<Program> programs, Path folder, Tfx.Options options) {
        this.name = name;
        this.folder = folder;
        this.options = options;
        programs.forEach(p -> this.programs.put(p.name(), p));
    }

    /// The names of the programs, in the order of the source.
    public List<String> programs() {
        return List.copyOf(programs.keySet());
    }

    /// A program, with its weights loaded.
    ///
    /// @throws RunException          if there is none of this name, or its weights do not fit
    /// @throws IllegalStateException if this file is closed
    public synchronized LoadedProgram program(String program) {
        if (closed) {
            throw new IllegalStateException(name + " is closed; use its programs inside the try block that loads it");
        }
        Program found = programs.get(program);
        if (found == null) {
            throw Tfx.unknown(name, program, programs());
        }
        return ready.computeIfAbsent(program, p -> {
            Session.Options session = new Session.Options(Session.Backend.CPU, options.weights(), options.threads());
            return new LoadedProgram(new Session(found, folder, session, Tfx.tokenizers()));
        });
    }

    /// Waits for calls that run, then frees what the programs hold. Results stay: they belong to the callers'
    /// arenas.
    @Override
    public synchronized void close() {
        closed = true;
        ready.values().forEach(LoadedProgram::close);
        ready.clear();
    }
}
