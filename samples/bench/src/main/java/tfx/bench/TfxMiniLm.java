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

/// The sample, from token ids or texts to arrays.
final class TfxMiniLm implements AutoCloseable {
    static final Path FOLDER = Path.of(System.getProperty("tfx.home"), "samples", "minilm");
    static final Path MODEL = FOLDER.resolve("weights/all-minilm-l6-v2.onnx");
    private static final int WIDTH = 384;

    private final Session session;

    TfxMiniLm(int threads) throws Exception {
        Program program = Compiler.check(FOLDER.resolve("minilm.tfx")).programs().getFirst();
        Session.Options options = new Session.Options(Session.Backend.CPU, Optional.empty(), threads);
        session = new Session(program, FOLDER, options, HuggingFaceTokenizers::open);
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
        try (Arena arena = Arena.ofShared()) {
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
