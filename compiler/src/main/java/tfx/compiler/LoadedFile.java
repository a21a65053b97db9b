package tfx.compiler;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.frontend.Program;
import tfx.ir.sequence.SequenceNode;
import tfx.runtime.RunException;

/// A compiled source file. Its programs are made ready when they are first asked for. Safe for concurrent use.
public final class LoadedFile implements AutoCloseable {
    private final String name;
    private final Map<String, Program> programs = new LinkedHashMap<>();
    private final Path folder;
    private final Tfx.Options options;
    private final Map<String, LoadedProgram> ready = new LinkedHashMap<>();
    private final Map<String, SequenceNode> sequences;
    private final Map<String, SequenceSession> running = new LinkedHashMap<>();
    private boolean closed;

    LoadedFile(
            String name,
            List<Program> programs,
            Map<String, SequenceNode> sequences,
            Path folder,
            Tfx.Options options) {
        this.name = name;
        this.sequences = Map.copyOf(sequences);
        this.folder = folder;
        this.options = options;
        programs.forEach(p -> this.programs.put(p.name(), p));
    }

    /// The names of the programs, in the order of the source.
    public List<String> programs() {
        return List.copyOf(programs.keySet());
    }

    /// The names of the s-ops and selectors, sorted.
    public List<String> sequences() {
        return sequences.keySet().stream().sorted().toList();
    }

    /// An s-op or a selector, which is compiled for each kind of tokens when it first meets one.
    ///
    /// @throws RunException          if there is none of this name
    /// @throws IllegalStateException if this file is closed
    public synchronized SequenceSession sequence(String sequence) {
        requireOpen();
        SequenceNode found = sequences.get(sequence);
        if (found == null) {
            throw new RunException(name + " has no s-op '" + sequence + "'; it has " + sequences());
        }
        return running.computeIfAbsent(
                sequence,
                s -> new SequenceSession(
                        found, new Session.Options(Session.Backend.CPU, options.weights(), options.threads())));
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(name + " is closed; use its programs inside the try block that loads it");
        }
    }

    /// A program, with its weights loaded.
    ///
    /// @throws RunException          if there is none of this name, or its weights do not fit
    /// @throws IllegalStateException if this file is closed
    public synchronized LoadedProgram program(String program) {
        requireOpen();
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
        running.values().forEach(SequenceSession::close);
        running.clear();
    }
}
