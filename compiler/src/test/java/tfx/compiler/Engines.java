package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tfx.cpu.CpuProgram;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.runtime.Tensor;

/// The engines that every test runs on, beside the evaluator.
enum Engines {
    CPU_SCALAR(1, true, false),
    CPU_SCALAR_PLAIN(1, false, false),
    CPU_NATIVE(CpuProgram.nativeLanes(), true, true),
    CPU_NATIVE_PLAIN(CpuProgram.nativeLanes(), false, true),
    /// Scalar code that keeps the order of sums of the native width.
    CPU_TWIN(CpuProgram.nativeLanes(), true, false);

    private final int lanes;
    private final boolean passes;
    private final boolean vectors;

    Engines(int lanes, boolean passes, boolean vectors) {
        this.lanes = lanes;
        this.passes = passes;
        this.vectors = vectors;
    }

    /// Compiles and runs a graph.
    Map<String, Nd> run(Graph graph, Map<String, Nd> inputs) {
        Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(lanes), passes));
        try (Arena arena = Arena.ofShared();
                CpuProgram program =
                        CpuProgram.load(phases.kernels(), Map.of(), new CpuProgram.Options(lanes, vectors, 2))) {
            Map<String, Tensor> tensors = new HashMap<>();
            inputs.forEach((name, nd) -> tensors.put(name, nd.toTensor(arena)));
            Map<String, Nd> outputs = new LinkedHashMap<>();
            program.run(tensors, arena, Optional.empty()).forEach((name, tensor) -> outputs.put(name, Nd.of(tensor)));
            return outputs;
        }
    }
}
