package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.Map;
import tfx.cpu.CpuProgram;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// The CPU backend as an engine.
final class CpuEngine implements Engine {
    private final CpuProgram program;

    private CpuEngine(CpuProgram program) {
        this.program = program;
    }

    static Engine of(KernelProgram kernels, Map<String, Tensor> weights, int lanes, int threads) {
        return new CpuEngine(CpuProgram.load(kernels, weights, new CpuProgram.Options(lanes, true, threads)));
    }

    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena arena) {
        return program.run(inputs, arena);
    }

    @Override
    public void profile(Map<String, Tensor> inputs, Arena arena, Executable.Observer observer) {
        program.run(inputs, arena, observer);
    }

    @Override
    public void close() {
        program.close();
    }
}
