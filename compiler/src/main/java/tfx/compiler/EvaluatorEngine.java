package tfx.compiler;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Nd;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// The reference evaluator as an engine.
public final class EvaluatorEngine implements Engine {
    private final Graph graph;
    private final Map<String, Tensor> weights;
    private final Map<String, Nd> converted = new ConcurrentHashMap<>();

    public EvaluatorEngine(Graph graph, Map<String, Tensor> weights) {
        this.graph = graph;
        this.weights = Map.copyOf(weights);
    }

    @Override
    public Map<String, Tensor> run(Map<String, Tensor> inputs, Arena arena, Optional<Executable.Observer> observer) {
        Map<String, Nd> arguments = new HashMap<>();
        inputs.forEach((name, tensor) -> arguments.put(name, Nd.of(tensor)));
        Map<String, Tensor> outputs = new LinkedHashMap<>();
        Evaluator.run(graph, arguments, name -> converted.computeIfAbsent(name, n -> Nd.of(weights.get(n))))
                .forEach((name, nd) -> outputs.put(name, nd.toTensor(arena)));
        return outputs;
    }

    @Override
    public Optional<KernelProgram> kernels() {
        return Optional.empty();
    }

    @Override
    public void close() {}
}
