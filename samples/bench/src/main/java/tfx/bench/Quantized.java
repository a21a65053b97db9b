package tfx.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.incubator.vector.LongVector;
import tfx.compiler.Session;
import tfx.runtime.Tensor;

/// Products of one row with weights of few bits, against reading as many bytes; and MiniLM as ONNX Runtime
/// quantises it, against ONNX Runtime on the same file, with what the quantisation costs in quality on both
/// sides.
public final class Quantized {
    private static final int[][] SHAPES = {{4096, 14336}, {14336, 4096}, {8192, 8192}};

    private Quantized() {}

    public static void main(String[] arguments) throws Exception {
        Table table = new Table(2.0, "GB/s");
        for (int threads = 1; threads <= 2; threads++) {
            try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
                for (int[] shape : SHAPES) {
                    products(table, threads, pool, "int8", "I8", 1, shape[0], shape[1]);
                    products(table, threads, pool, "bf16", "BF16", 2, shape[0], shape[1]);
                    products(table, threads, pool, "f16", "F16", 2, shape[0], shape[1]);
                }
            }
        }
        for (int threads = 1; threads <= 2; threads++) {
            embeddings(table, threads);
        }
        table.end();
        System.exit(0);
    }

    private static void products(
            Table table, int threads, ExecutorService pool, String name, String stored, int bytes, int k, int n)
            throws Exception {
        String source = """
                model Product() {
                  weights "w.safetensors" { w: %s[%d, %d]; scale: f32[%d]; }
                  program product(a: f32[1, %d]) -> (c) { return a @ f32(w) * scale; }
                }
                """.formatted(stored.toLowerCase(java.util.Locale.ROOT), k, n, n, k);
        Random random = new Random(5);
        byte[] weight = new byte[k * n * bytes];
        random.nextBytes(weight);
        if (bytes == 2) {
            for (int i = 1; i < weight.length; i += 2) {
                weight[i] = (byte) (0x3b | weight[i] & 0x80); // no infinity, no NaN
            }
        }
        Map<String, Programs.Stored> weights = Map.of(
                "w", new Programs.Stored(stored, new long[] {k, n}, weight),
                "scale", Programs.Stored.floats(Programs.random(random, n), n));
        Tensor a = Programs.tensor(Programs.random(random, k), 1, k);
        Programs.Reused results = new Programs.Reused();
        long size = (long) k * n * bytes;
        try (Session session = Programs.open(source, threads, weights);
                Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(size, 64).fill((byte) 3);
            long part = size / threads;
            Table.Side reading = () -> {
                List<Future<Long>> others = new ArrayList<>();
                for (int i = 1; i < threads; i++) {
                    MemorySegment other = memory.asSlice(i * part, part);
                    others.add(pool.submit(() -> sum(other)));
                }
                sum(memory.asSlice(0, part)); // the caller takes part, as it does in a program
                for (Future<Long> other : others) {
                    other.get();
                }
            };
            table.row("%d thread, %s %d x %d".formatted(threads, name, k, n), size / 1e9,
                    () -> session.call(Map.of("a", a), results), Map.of("reading", reading));
        }
    }

    /// Reads memory as fast as vectors do.
    private static long sum(MemorySegment memory) {
        var species = LongVector.SPECIES_PREFERRED;
        int step = species.vectorByteSize();
        LongVector a = LongVector.zero(species);
        LongVector b = a;
        LongVector c = a;
        LongVector d = a;
        long end = memory.byteSize() / (4 * step) * (4 * step);
        for (long i = 0; i < end; i += 4L * step) {
            a = a.add(LongVector.fromMemorySegment(species, memory, i, ByteOrder.LITTLE_ENDIAN));
            b = b.add(LongVector.fromMemorySegment(species, memory, i + step, ByteOrder.LITTLE_ENDIAN));
            c = c.add(LongVector.fromMemorySegment(species, memory, i + 2L * step, ByteOrder.LITTLE_ENDIAN));
            d = d.add(LongVector.fromMemorySegment(species, memory, i + 3L * step, ByteOrder.LITTLE_ENDIAN));
        }
        return a.add(b).add(c.add(d)).reduceLanes(jdk.incubator.vector.VectorOperators.ADD);
    }

    private static void embeddings(Table table, int threads) throws Exception {
        Random random = new Random(7);
        try (TfxEncoder full = new TfxEncoder(threads);
                TfxEncoder tfx = new TfxEncoder("minilm_q", threads);
                OnnxEncoder peer = new OnnxEncoder(tfx.model(), threads)) {
            double ours = 0;
            double theirs = 0;
            int texts = 20;
            for (int i = 0; i < texts; i++) {
                int[] ids = TfxEncoder.tokens(random, 8 + random.nextInt(100));
                float[] exact = full.embed(ids)[0];
                ours += cosine(tfx.embed(ids)[0], exact) / texts;
                theirs += cosine(peer.embed(ids)[0], exact) / texts;
            }
            System.out.printf("int8 MiniLM, mean cosine to f32 over %d texts: tfx %.4f, ONNX Runtime %.4f%n", texts,
                    ours, theirs);
            for (int[] shape : new int[][] {{1, 16}, {1, 128}, {8, 128}}) {
                int[][] rows = new int[shape[0]][];
                Arrays.setAll(rows, i -> TfxEncoder.tokens(random, shape[1]));
                String name = "%d thread, int8 MiniLM %dx%d".formatted(threads, shape[0], shape[1]);
                table.row(name, shape[0] * shape[1], () -> tfx.embed(rows), Map.of("ORT int8", () -> peer.embed(rows)));
            }
        }
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            product += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
        }
        return product / Math.sqrt(aa * bb);
    }
}
