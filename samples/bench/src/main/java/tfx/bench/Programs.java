package tfx.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import tfx.compiler.Compiler;
import tfx.compiler.Session;
import tfx.frontend.Frontend;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// Programs of one benchmark: source text and random weights, made ready to run.
final class Programs {
    private Programs() {}

    /// The first program of a source, which may name the weight file `w.safetensors`.
    ///
    /// @param weights the bytes of each weight, by name; their types are those of the source
    static Session open(String source, int threads, Map<String, Stored> weights) throws IOException {
        return open(source, threads, weights, Session.Backend.CPU);
    }

    /// The same on a backend.
    static Session open(String source, int threads, Map<String, Stored> weights, Session.Backend backend)
            throws IOException {
        Frontend.Checked checked = Compiler.check("bench.tfx", source.getBytes(StandardCharsets.UTF_8));
        if (!checked.diagnostics().isEmpty()) {
            throw new IllegalStateException(checked.diagnostics().getFirst().render());
        }
        Path folder = Files.createTempDirectory("tfx-bench");
        Path file = folder.resolve("w.safetensors");
        write(file, weights);
        Session.Options options = new Session.Options(backend, Optional.empty(), threads);
        try {
            return new Session(checked.programs().getFirst(), folder, options, (name, limit) -> {
                throw new IOException("no tokenizer");
            });
        } finally {
            Files.deleteIfExists(file);
            Files.delete(folder);
        }
    }

    /// A tensor as a file holds it.
    ///
    /// @param dtype as safetensors names it
    record Stored(String dtype, long[] shape, byte[] bytes) {
        static Stored floats(float[] values, long... shape) {
            ByteBuffer buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
            buffer.asFloatBuffer().put(values);
            return new Stored("F32", shape, buffer.array());
        }
    }

    private static void write(Path file, Map<String, Stored> weights) throws IOException {
        StringBuilder header = new StringBuilder("{");
        long at = 0;
        for (Map.Entry<String, Stored> weight : weights.entrySet()) {
            Stored stored = weight.getValue();
            header.append(header.length() > 1 ? "," : "")
                    .append('"').append(weight.getKey()).append("\":{\"dtype\":\"").append(stored.dtype)
                    .append("\",\"shape\":").append(java.util.Arrays.toString(stored.shape))
                    .append(",\"data_offsets\":[").append(at).append(',').append(at + stored.bytes.length).append("]}");
            at += stored.bytes.length;
        }
        byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
            out.write(text);
            for (Stored stored : weights.values()) {
                out.write(stored.bytes);
            }
        }
    }

    /// Uniform numbers in [-1, 1).
    static float[] random(Random random, long count) {
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    static Tensor tensor(float[] values, long... shape) {
        Tensor tensor = Tensor.zeros(Arena.global(), DType.F32, shape);
        MemorySegment.copy(MemorySegment.ofArray(values), 0, tensor.data(), 0, 4L * values.length);
        return tensor;
    }

    /// An arena that gives the same memory again for the same size: results of repeated calls, written in place.
    static final class Reused implements Arena {
        private final Map<Long, MemorySegment> known = new HashMap<>();

        @Override
        public MemorySegment allocate(long bytes, long alignment) {
            return known.computeIfAbsent(bytes, b -> Arena.global().allocate(b, alignment));
        }

        @Override
        public MemorySegment.Scope scope() {
            return Arena.global().scope();
        }

        @Override
        public void close() {}
    }
}
