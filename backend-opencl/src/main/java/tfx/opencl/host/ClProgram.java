package tfx.opencl.host;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.Group;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// A kernel program on an OpenCL device. Safe for concurrent calls.
public final class ClProgram implements AutoCloseable {
    private final Executable<?> executable;

    private ClProgram(Executable<?> executable) {
        this.executable = executable;
    }

    /// Builds the kernels, brings the weights to the device, and runs the steps that depend on them alone.
    ///
    /// @param weights by name, of the declared types; they must stay open as long as this program
    public static ClProgram load(KernelProgram program, Map<String, Tensor> weights, Device device) {
        return load(program, weights, device, device.tasks(), false);
    }

    /// The same with another way to run tasks.
    ///
    /// @param separate whether every temporary is a buffer of its own and every launch a command, so that a tool
    ///                 that watches accesses sees where they end
    public static ClProgram load(
            KernelProgram program, Map<String, Tensor> weights, Device device, Group group, boolean separate) {
        ClMachine machine = new ClMachine(Context.of(device), program, group, BinaryCache.user(), separate);
        return new ClProgram(Executable.load(program.execution(), machine, weights));
    }

    /// Runs the program.
    ///
    /// @param inputs   by name, of the declared types
    /// @param results  owns the results
    /// @param observer sees each launch and each transfer
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena results, Optional<Executable.Observer> observer) {
        return executable.run(inputs, results, observer);
    }

    @Override
    public void close() {
        executable.close();
    }
}
