package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Optional;
import tfx.cpu.CpuProgram;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// The CPU backend as an engine.
final class CpuEngine implements Engine {
    private final KernelProgram kernels;
    private final CpuProgram program;

    private CpuEngine(KernelProgram kernels, CpuProgram program) {
        this.kernels = kernels;
        this.program = program;
    }

    static Engine of(KernelProgram kernels, Map<String, Tensor> weights, int lanes, int threads) {
        CpuProgram.Options options = new CpuProgram.Options(lanes, CpuProgram.Code.WARMED, threads);
        return new CpuEngine(kernels, CpuProgram.load(kernels, weights, options));
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
