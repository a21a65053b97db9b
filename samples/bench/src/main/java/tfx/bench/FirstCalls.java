package tfx.bench;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;
import java.util.Random;
import tfx.runtime.program.Packaged;

/// The process that {@link Start} times: loads one side, embeds the same tokens again and again, and prints the
/// milliseconds of each call.
final class FirstCalls {
    static final int CALLS = 50;

    private FirstCalls() {}

    /// One side, ready to embed.
    private interface Encoder {
        float[] embed(int[] tokens) throws Exception;
    }

    /// @param arguments `tfx` and the typed class, or `onnx` and the model; threads; tokens of the text
    public static void main(String[] arguments) throws Exception {
        int threads = Integer.parseInt(arguments[2]);
        int[] tokens = TfxEncoder.tokens(new Random(3), Integer.parseInt(arguments[3]));
        Encoder encoder = arguments[0].equals("tfx") ? tfx(arguments[1], threads) : onnx(arguments[1], threads);
        StringBuilder times = new StringBuilder();
        for (int i = 0; i < CALLS; i++) {
            long start = System.nanoTime();
            float[] embedding = encoder.embed(tokens);
            times.append(' ').append((System.nanoTime() - start) / 1e6);
            if (i == 0) {
                System.out.println(embedding[0]); // what the parent waits for
            }
        }
        System.out.println(times.substring(1));
        System.exit(0);
    }

    private static Encoder tfx(String name, int threads) throws Exception {
        Packaged program = (Packaged) Class.forName(name).getMethod("load", int.class).invoke(null, threads);
        return tokens -> {
            try (Arena arena = Arena.ofConfined()) {
                return program.call(Map.of("text", List.of(tokens)), arena).get("embedding").toFloats();
            }
        };
    }

    private static Encoder onnx(String model, int threads) throws Exception {
        OnnxEncoder encoder = new OnnxEncoder(model, threads);
        return tokens -> encoder.embed(tokens)[0];
    }
}
