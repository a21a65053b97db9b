package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.Map;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// Runs one program. Safe for concurrent calls.
public interface Engine extends AutoCloseable {
    /// @param inputs by the names of the graph's inputs
    /// @param arena  owns the results
    /// @return results by name, in the order of the program
    Map<String, Tensor> run(Map<String, Tensor> inputs, Arena arena);

    /// Runs and tells an observer about each kernel launch; an engine without kernels tells nothing.
    default void profile(Map<String, Tensor> inputs, Arena arena, Executable.Observer observer) {
        run(inputs, arena);
    }

    @Override
    void close();
}
