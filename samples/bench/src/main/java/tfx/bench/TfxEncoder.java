package tfx.bench;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import tfx.cli.HuggingFaceTokenizers;
import tfx.compiler.Compiler;
import tfx.compiler.Session;
import tfx.frontend.Program;
import tfx.runtime.Tensor;

/// A sample encoder, from token ids or texts to arrays.
final class TfxEncoder implements AutoCloseable {
    static final Path SAMPLES = Path.of(System.getProperty("tfx.home"), "samples");
    private static final int WIDTH = 384;

    static final double FLOPS_A_TOKEN = 2.0 * 6 * (4 * 384 * 384 + 2 * 384 * 1536);

    private final Session session;
    private final Path model;

    /// MiniLM.
    TfxEncoder(int threads) throws Exception {
        this("minilm", threads);
    }

    /// The sample of this name.
    TfxEncoder(String name, int threads) throws Exception {
        this(name, threads, Session.Backend.CPU);
    }

    /// The sample of this name on a backend.
    TfxEncoder(String name, int threads, Session.Backend backend) throws Exception {
        Path folder = SAMPLES.resolve(name);
        Program program = Compiler.check(folder.resolve(name + ".tfx")).programs().getFirst();
        model = folder.resolve(program.weights().orElseThrow().path());
        Session.Options options = new Session.Options(backend, Optional.empty(), threads);
        session = new Session(program, folder, options, new HuggingFaceTokenizers());
    }

    /// The weight file, which is the peer's model.
    String model() {
        return model.toString();
    }

    int[] tokens(String text) {
        return session.tokenizer().orElseThrow().encode(text);
    }

    /// Random ids between those that begin and end a text.
    static int[] tokens(Random random, int length) {
        int[] ids = random.ints(length, 1000, 30000).toArray();
        ids[0] = 101;
        ids[length - 1] = 102;
        return ids;
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
