package tfx.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tfx.compiler.Compiler;
import tfx.compiler.Session;
import tfx.frontend.Program;
import tfx.ir.graph.Nd;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Tensor;
import tfx.testkit.Close;
import tfx.testkit.Safetensors;
import tfx.testkit.Values;

/// The blocks of other model families, with random weights under the names of their checkpoints: CPU and
/// evaluator agree.
final class BlocksTest {
    private static final long VOCABULARY = 50;
    private static final long POSITIONS = 40;

    @TempDir
    private Path folder;

    private static Program program(String name) throws Exception {
        var checked = Compiler.check(Path.of("blocks", name + ".tfx"));
        assertThat(checked.diagnostics()).isEmpty();
        return checked.programs().getFirst();
    }

    private Path weights(Program program, Random random) throws Exception {
        Map<String, Nd> tensors = new HashMap<>();
        for (Node node : program.graph().nodes()) {
            if (node.op() instanceof Op.Weight weight) {
                long[] shape = node.type().shape().stream()
                        .mapToLong(d -> d.evaluate(s -> s.equals("V") ? VOCABULARY : POSITIONS))
                        .toArray();
                Nd nd = Values.small(random, DType.F32, shape);
                for (int i = 0; i < nd.count(); i++) {
                    nd.floats()[i] = (float) (nd.floats()[i] * 0.1);
                }
                tensors.put(weight.name(), nd);
            }
        }
        Path file = folder.resolve("w.safetensors");
        Safetensors.write(file, tensors);
        return file;
    }

    private static Object argument(String name, Random random, Arena arena) {
        if (name.equals("vit")) {
            return Values.small(random, DType.F32, 2, 3, 32, 32).toTensor(arena);
        }
        Tensor text = Tensor.zeros(arena, DType.I32, 2, 17);
        for (int i = 0; i < text.count(); i++) {
            text.setLong(i, random.nextInt((int) VOCABULARY));
        }
        return name.equals("llama")
                ? List.of(ids(text, 0, 17, arena), ids(text, 17, 5, arena), ids(text, 22, 0, arena))
                : text;
    }

    private static Tensor ids(Tensor from, int at, int count, Arena arena) {
        Tensor row = Tensor.zeros(arena, DType.I32, count);
        for (int i = 0; i < count; i++) {
            row.setLong(i, from.getLong(at + i));
        }
        return row;
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "t5", "vit"})
    void cpuEqualsTheEvaluator(String name) throws Exception {
        Random random = new Random(name.hashCode());
        Program program = program(name);
        Optional<Path> weights = Optional.of(weights(program, random));
        Map<String, Tensor> expected = new HashMap<>();
        try (Arena arena = Arena.ofShared()) {
            String parameter = program.parameters().getFirst().name();
            Object argument = argument(name, random, arena);
            for (Session.Backend backend : List.of(Session.Backend.EVALUATOR, Session.Backend.CPU)) {
                try (Session session =
                        new Session(program, folder, new Session.Options(backend, weights, 2), (f, l) -> {
                            throw new java.io.IOException("none");
                        })) {
                    session.call(Map.of(parameter, argument), arena).outputs().forEach((output, tensor) -> {
                        Tensor reference = expected.putIfAbsent(output, tensor);
                        if (reference != null) {
                            assertThat(Close.difference(Nd.of(reference), Nd.of(tensor), 2000))
                                    .as(output)
                                    .isEmpty();
                        }
                    });
                }
            }
        }
        assertThat(expected).isNotEmpty();
    }

    /// The other sentence encoders are well-formed; their weights are fetched by the equality benchmark alone.
    @ParameterizedTest
    @ValueSource(strings = {"bge/bge.tfx", "e5/e5.tfx", "minilm_q/minilm_q.tfx"})
    void encodersCheck(String file) throws Exception {
        assertThat(Compiler.check(Path.of(file)).diagnostics()).isEmpty();
    }
}
