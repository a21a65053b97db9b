package tfx.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Map;

/// The peer: ONNX Runtime on the same file, with pooling and normalisation done here in Java.
final class OnnxEncoder implements AutoCloseable {
    private static final int WIDTH = 384;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    private final boolean first;

    OnnxEncoder(String file, int threads) throws Exception {
        this(file, threads, false, true);
    }

    /// @param first     whether the first position is the embedding, and not the mean of all
    /// @param optimised whether the peer may rewrite the model
    OnnxEncoder(String file, int threads, boolean first, boolean optimised) throws Exception {
        this.first = first;
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setOptimizationLevel(
                optimised ? OrtSession.SessionOptions.OptLevel.ALL_OPT : OrtSession.SessionOptions.OptLevel.NO_OPT);
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        session = environment.createSession(file, options);
    }

    /// Embeds rows of token ids, padded to the longest.
    float[][] embed(int[]... rows) throws Exception {
        int longest = 0;
        for (int[] row : rows) {
            longest = Math.max(longest, row.length);
        }
        long[] ids = new long[rows.length * longest];
        long[] mask = new long[ids.length];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                ids[i * longest + j] = rows[i][j];
                mask[i * longest + j] = 1;
            }
        }
        long[] shape = {rows.length, longest};
        try (OnnxTensor a = OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), shape);
                OnnxTensor b = OnnxTensor.createTensor(environment, LongBuffer.wrap(mask), shape);
                OnnxTensor c = OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[ids.length]), shape);
                OrtSession.Result result = session.run(Map.of("input_ids", a, "attention_mask", b, "token_type_ids", c))) {
            FloatBuffer hidden = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[][] embeddings = new float[rows.length][];
            for (int i = 0; i < rows.length; i++) {
                embeddings[i] = pool(hidden, i * longest * WIDTH, first ? 1 : rows[i].length);
            }
            return embeddings;
        }
    }

    private static float[] pool(FloatBuffer hidden, int at, int length) {
        double[] sum = new double[WIDTH];
        for (int j = 0; j < length; j++) {
            for (int d = 0; d < WIDTH; d++) {
                sum[d] += hidden.get(at + j * WIDTH + d);
            }
        }
        double norm = 0;
        for (double s : sum) {
            norm += s * s;
        }
        float[] result = new float[WIDTH];
        for (int d = 0; d < WIDTH; d++) {
            result[d] = (float) (sum[d] / Math.sqrt(norm));
        }
        return result;
    }

    @Override
    public void close() throws Exception {
        session.close();
    }
}
