package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;
import tfx.ir.kernel.KernelProgram;
import tfx.opencl.host.ClProgram;
import tfx.opencl.host.Device;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// The OpenCL backend as an engine.
final class ClEngine implements Engine {
    private final KernelProgram kernels;
    private final ClProgram program;

    private ClEngine(KernelProgram kernels, ClProgram program) {
        this.kernels = kernels;
        this.program = program;
    }

    static Engine of(KernelProgram kernels, Map<String, Tensor> weights, Device device) {
        return new ClEngine(kernels, ClProgram.load(kernels, weights, device));
    }

    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena arena, Optional<Executable.Observer> observer) {
        return program.run(inputs, arena, observer);
    }

    @Override
    public Optional<KernelProgram> kernels() {
        return Optional.of(kernels);
    }

    @Override
    public void close() {
        program.close();
    }
}
