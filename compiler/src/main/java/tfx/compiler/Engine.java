package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// Runs one program. Safe for concurrent calls.
public interface Engine extends AutoCloseable {
    /// @param inputs by the names of the graph's inputs
    /// @param arena  owns the results
    /// @param observer sees each launch; an engine without kernels shows it nothing
    /// @return results by name, in the order of the program
    Map<String, Tensor> run(Map<String, Tensor> inputs, Arena arena, Optional<Executable.Observer> observer);

    /// The kernels that it runs, where it has some.
    Optional<KernelProgram> kernels();

    @Override
    void close();
}
