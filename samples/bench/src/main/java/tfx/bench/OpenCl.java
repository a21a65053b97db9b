package tfx.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import tfx.compiler.Session;
import tfx.opencl.host.Device;
import tfx.runtime.Tensor;

/// The OpenCL backend on device 0: products against CLBlast there, tuned; MiniLM and attention against the CPU
/// backend on all cores. An argument picks rows whose name contains it.
public final class OpenCl {
    private static final int TRIES = Integer.getInteger("tfx.bench.tries", 24);
    private static final int THREADS = Runtime.getRuntime().availableProcessors();
    private static final double WARM_UP = 2;
    private static final long WARM_UP_CPU = 8_000_000_000L;
    private static final long WARM_UP_OPENCL = 4_000_000_000L;

    private static final int[][] PRODUCTS = {
        {384, 384, 384}, {768, 768, 768}, {1536, 1536, 1536}, {128, 384, 1536}, {1024, 1536, 384},
    };

    private OpenCl() {}

    public static void main(String[] arguments) throws Exception {
        String only = arguments.length > 0 ? arguments[0] : "";
        Device device = Device.choose(0);
        System.out.println(device.name() + ", " + device.platformName() + ", " + device.driver());
        Table table = new Table(WARM_UP, "GFLOP/s");
        if ("sgemm".contains(only)) {
            products(table, device);
        }
        if ("minilm".contains(only)) {
            minilm(table);
        }
        if ("attention".contains(only)) {
            attention(table);
        }
        table.end();
        System.exit(0);
    }

    private static void products(Table table, Device device) throws Exception {
        try (ClBlast peer = new ClBlast(device)) {
            peer.tune(TRIES);
            for (int[] shape : PRODUCTS) {
                product(table, peer, shape[0], shape[1], shape[2]);
            }
        }
    }

    private static void product(Table table, ClBlast peer, int m, int k, int n) throws Exception {
        Random random = new Random(5);
        float[] left = Programs.random(random, (long) m * k);
        float[] right = Programs.random(random, (long) k * n);
        String source = """
                model Product() {
                  weights "w.safetensors" { b: f32[%d, %d]; }
                  program product(a: f32[M, %d]) -> (c) { return a @ b; }
                }
                """.formatted(k, n, k);
        Map<String, Programs.Stored> weights = Map.of("b", Programs.Stored.floats(right, k, n));
        Tensor a = Programs.tensor(left, m, k);
        Programs.Reused results = new Programs.Reused();
        try (Session ours = Programs.open(source, THREADS, weights, Session.Backend.OPENCL);
                ClBlast.Product theirs = peer.new Product(left, right, m, k, n)) {
            theirs.run();
            float[] expected = theirs.result();
            float[] got = ours.call(Map.of("a", a), results).outputs().get("c").toFloats();
            for (int i = 0; i < got.length; i += 97) {
                if (!(Math.abs(expected[i] - got[i]) <= 1e-3)) {
                    throw new IllegalStateException("CLBlast gives " + expected[i] + " at " + i + ", tfx " + got[i]);
                }
            }
            String name = "sgemm %d x %d x %d".formatted(m, k, n);
            table.row(name, 2e-9 * m * k * n, () -> ours.call(Map.of("a", a), results), Map.of("CLBlast", theirs));
        }
    }

    private static void minilm(Table table) throws Exception {
        Random random = new Random(7);
        try (TfxEncoder ours = new TfxEncoder("minilm", THREADS, Session.Backend.OPENCL);
                TfxEncoder cpu = new TfxEncoder("minilm", THREADS)) {
            for (int[] shape : new int[][] {{1, 16}, {1, 128}, {8, 128}}) {
                int[][] rows = new int[shape[0]][];
                Arrays.setAll(rows, i -> TfxEncoder.tokens(random, shape[1]));
                double work = TfxEncoder.FLOPS_A_TOKEN / 1e9 * shape[0] * shape[1];
                warm(() -> ours.embed(rows), WARM_UP_OPENCL);
                warm(() -> cpu.embed(rows), WARM_UP_CPU);
                String name = "MiniLM " + shape[0] + "x" + shape[1];
                table.row(name, work, () -> ours.embed(rows), Map.of("tfx CPU", () -> cpu.embed(rows)));
            }
        }
    }

    /// The JVM's compilers want some thousand calls, which a row of two slow sides does not make.
    private static void warm(Table.Side side, long nanos) throws Exception {
        for (long until = System.nanoTime() + nanos; System.nanoTime() < until; ) {
            side.run();
        }
    }

    private static void attention(Table table) throws Exception {
        for (int[] shape : new int[][] {{12, 512, 64}, {12, 2048, 64}, {8, 2048, 128}}) {
            for (String form : new String[] {"dense", "causal", "window 256", "ALiBi"}) {
                attention(table, form, shape[0], shape[1], shape[2]);
            }
        }
    }

    private static void attention(Table table, String form, int heads, int length, int width) throws Exception {
        String arguments = switch (form) {
            case "causal" -> ", where = causal(S)";
            case "window 256" -> ", where = sliding_window(S, 256)";
            case "ALiBi" -> ", where = causal(S), bias = alibi(" + heads + ", S)";
            default -> "";
        };
        String source = """
                import nn;
                program attend(q: f32[1, %1$d, S, %2$d], k: f32[1, %1$d, S, %2$d], v: f32[1, %1$d, S, %2$d]) -> (y) {
                  return attention(q, k, v%3$s);
                }
                """.formatted(heads, width, arguments);
        Random random = new Random(3);
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (String input : new String[] {"q", "k", "v"}) {
            long count = (long) heads * length * width;
            inputs.put(input, Programs.tensor(Programs.random(random, count), 1, heads, length, width));
        }
        Programs.Reused results = new Programs.Reused();
        Programs.Reused others = new Programs.Reused();
        try (Session ours = Programs.open(source, THREADS, Map.of(), Session.Backend.OPENCL);
                Session cpu = Programs.open(source, THREADS, Map.of())) {
            double pairs = switch (form) {
                case "dense" -> (double) length * length;
                case "window 256" -> 256.0 * length - 256 * 255 / 2;
                default -> length * (length + 1.0) / 2;
            };
            String name = "attention %d x %d x %d, %s".formatted(heads, length, width, form);
            warm(() -> ours.call(inputs, results), WARM_UP_OPENCL);
            warm(() -> cpu.call(inputs, others), WARM_UP_CPU);
            table.row(name, 4e-9 * heads * width * pairs, () -> ours.call(inputs, results),
                    Map.of("tfx CPU", () -> cpu.call(inputs, others)));
        }
    }
}
