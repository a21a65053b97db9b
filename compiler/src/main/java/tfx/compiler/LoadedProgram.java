package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.program.Signature;

/// A program ready to run. Safe for concurrent calls: each has memory of its own.
public final class LoadedProgram {
    private final Session session;

    LoadedProgram(Session session) {
        this.session = session;
    }

    /// What the program takes and gives.
    public Signature signature() {
        return session.program().signature();
    }

    /// Runs the program on arguments in the order of the source: a `Tensor` each; for a ragged one a `List` with a
    /// `Tensor`, `int[]` or (for tokens) `String` a row. Arguments must stay open until the call returns.
    ///
    /// @param arena owns the results
    /// @return results by name, in the order of the source
    /// @throws RunException          naming the argument that does not fit, and how it must be
    /// @throws IllegalStateException if the program or the arena is closed
    public Map<String, Tensor> call(Arena arena, Object... arguments) {
        List<Signature.Parameter> parameters = signature().parameters();
        if (arguments.length != parameters.size()) {
            throw new RunException("program " + signature().program() + " takes " + parameters.size() + " arguments, "
                    + parameters.stream()
                            .map(p -> p.name() + ": " + p.written())
                            .toList()
                    + ", not " + arguments.length);
        }
        Map<String, Object> named = new LinkedHashMap<>();
        for (int i = 0; i < arguments.length; i++) {
            named.put(parameters.get(i).name(), arguments[i]);
        }
        return call(arena, named);
    }

    /// Runs the program on arguments by name.
    ///
    /// @param arena owns the results
    /// @throws RunException          naming the argument that does not fit, and how it must be
    /// @throws IllegalStateException if the program or the arena is closed
    public Map<String, Tensor> call(Arena arena, Map<String, ?> arguments) {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("the arena for the results is closed; keep it open until they are read");
        }
        return session.call(arguments, arena).outputs();
    }

    void close() {
        session.close();
    }
}
