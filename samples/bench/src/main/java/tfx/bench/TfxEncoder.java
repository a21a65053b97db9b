package tfx.bench;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.cli.HuggingFaceTokenizers;
import tfx.compiler.Compiler;
import tfx.compiler.Session;
import tfx.frontend.Program;
import tfx.runtime.Tensor;

/// A sample encoder, from token ids or texts to arrays.
final class TfxEncoder implements AutoCloseable {
    static final Path SAMPLES = Path.of(System.getProperty("tfx.home"), "samples");
    private static final int WIDTH = 384;

    private final Session session;
    private final Path model;

    /// MiniLM.
    TfxEncoder(int threads) throws Exception {
        this("minilm", threads);
    }

    /// The sample of this name.
    TfxEncoder(String name, int threads) throws Exception {
        Path folder = SAMPLES.resolve(name);
        Program program = Compiler.check(folder.resolve(name + ".tfx")).programs().getFirst();
        model = folder.resolve(program.weights().orElseThrow().path());
        Session.Options options = new Session.Options(Session.Backend.CPU, Optional.empty(), threads);
        session = new Session(program, folder, options, new HuggingFaceTokenizers());
    }

    /// The weight file, which is the peer's model.
    String model() {
        return model.toString();
    }

    int[] tokens(String text) {
        return session.tokenizer().orElseThrow().encode(text);
    }

    float[][] embed(int[]... rows) {
        return run(List.of(rows));
    }

    float[][] embed(List<String> texts) {
        return run(new ArrayList<>(texts));
    }

    private float[][] run(List<?> rows) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor all = session.call(Map.of("text", rows), arena).outputs().get("embedding");
            float[] values = all.toFloats();
            float[][] result = new float[rows.size()][];
            for (int i = 0; i < result.length; i++) {
                result[i] = java.util.Arrays.copyOfRange(values, i * WIDTH, (i + 1) * WIDTH);
            }
            return result;
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
