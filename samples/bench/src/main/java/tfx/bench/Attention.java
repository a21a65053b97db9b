package tfx.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import tfx.compiler.Session;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// Attention under masks and biases, against PyTorch's `scaled_dot_product_attention`, which gets its masks as
/// floats made beforehand; what it lacks (soft-capping) is composed of its products, tanh and softmax, a head at a
/// time. Arguments pick one length, and after it one width of heads.
public final class Attention {
    private static final double CAP = 50;
    private static final int WINDOW = 256;
    private static final int STEP = 4;

    /// A form of attention.
    ///
    /// @param arguments what the program passes besides q, k and v
    /// @param seen      the scores that a key adds for a query, -inf where it is not seen
    private record Form(String name, String arguments, Bias seen) {}

    @FunctionalInterface
    private interface Bias {
        double at(int head, int heads, int length, int query, int key);
    }

    private static final Form[] FORMS = {
        new Form("dense", "", (h, n, s, i, j) -> 0),
        new Form("causal", ", where = causal(S)", (h, n, s, i, j) -> j <= i ? 0 : none()),
        new Form("window 256", ", where = sliding_window(S, 256)", (h, n, s, i, j) -> j <= i && j > i - WINDOW ? 0
                : none()),
        new Form("documents", ", where = causal(S) and same_document(ids)", (h, n, s, i, j) ->
                j <= i && document(i) == document(j) ? 0 : none()),
        new Form("ALiBi", ", where = causal(S), bias = alibi(%d, S)", (h, n, s, i, j) ->
                j <= i ? -Math.pow(2, -8.0 * (h + 1) / n) * (i - j) : none()),
        new Form("soft-cap", ", where = causal(S), cap = 50.0", (h, n, s, i, j) -> j <= i ? 0 : none()),
        new Form("prefix-LM", ", where = prefix(S, 256)", (h, n, s, i, j) -> j <= i || j < 256 ? 0 : none()),
        new Form("dilated", ", where = causal(S) and dilated(S, 4)", (h, n, s, i, j) ->
                j <= i && i % STEP == j % STEP ? 0 : none()),
    };

    private Attention() {}

    private static double none() {
        return Double.NEGATIVE_INFINITY;
    }

    /// Documents of 100 to 700 positions.
    private static int document(int position) {
        int start = 0;
        for (int id = 0; ; id++) {
            start += 100 + (id * 7919) % 601;
            if (position < start) {
                return id;
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Table table = new Table(2.0, "GFLOP/s");
        Map<String, Double> times = new HashMap<>();
        try (NoGradGuard inference = new NoGradGuard()) {
            for (int length : new int[] {512, 2048, 8192}) {
                if (arguments.length > 0 && Integer.parseInt(arguments[0]) != length) {
                    continue;
                }
                for (int threads = length == 8192 ? 2 : 1; threads <= 2; threads++) {
                    torch.set_num_threads(threads);
                    for (int[] heads : new int[][] {{12, 64}, {8, 128}}) {
                        if (arguments.length > 1 && Integer.parseInt(arguments[1]) != heads[1]) {
                            continue;
                        }
                        for (Form form : FORMS) {
                            String shape = "%d x %d x %d".formatted(heads[0], length, heads[1]);
                            String name = "%d thread, %s, %s".formatted(threads, shape, form.name);
                            times.put(
                                    shape + form.name + threads,
                                    row(table, name, form, threads, heads[0], length, heads[1]));
                        }
                    }
                }
            }
        }
        for (String shape : new String[] {"12 x 8192 x 64", "8 x 8192 x 128"}) {
            if (times.containsKey(shape + "dense2")) {
                System.out.printf("%s: window 256 is %.1f times as fast as dense%n", shape,
                        times.get(shape + "dense2") / times.get(shape + "window 2562"));
            }
        }
        table.end();
        System.exit(0);
    }

    private static double row(Table table, String name, Form form, int threads, int heads, int length, int width)
            throws Exception {
        String source = """
                import nn;
                program attend(q: f32[1, %1$d, S, %2$d], k: f32[1, %1$d, S, %2$d], v: f32[1, %1$d, S, %2$d], ids: i32[S])
                    -> (y) {
                  return attention(q, k, v%3$s);
                }
                """.formatted(heads, width, form.arguments.formatted(heads));
        Random random = new Random(3);
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        long count = (long) heads * length * width;
        for (String input : new String[] {"q", "k", "v"}) {
            inputs.put(input, Programs.tensor(Programs.random(random, count), 1, heads, length, width));
        }
        Tensor ids = Tensor.zeros(Arena.global(), DType.I32, length);
        for (int i = 0; i < length; i++) {
            ids.data().setAtIndex(ValueLayout.JAVA_INT, i, document(i));
        }
        inputs.put("ids", ids);
        Programs.Reused results = new Programs.Reused();
        try (Session session = Programs.open(source, threads, Map.of());
                Arena arena = Arena.ofShared();
                PointerScope scope = new PointerScope()) {
            Table.Side peer = peer(form, inputs, heads, length, width, arena);
            double[] products = new double[1];
            for (int i = 0; i < length; i++) {
                for (int j = 0; j < length; j++) {
                    products[0] += form.seen.at(0, heads, length, i, j) == none() ? 0 : 1;
                }
            }
            Torch.check(name, session, inputs, results, peer);
            double work = 4e-9 * heads * width * products[0];
            return table.row(name, work, () -> session.call(inputs, results), Map.of("PyTorch", peer));
        }
    }

    private static Table.Side peer(
            Form form, Map<String, Tensor> inputs, int heads, int length, int width, Arena arena) {
        long[] shape = {1, heads, length, width};
        var q = Torch.blob(inputs.get("q").data(), shape);
        var k = Torch.blob(inputs.get("k").data(), shape);
        var v = Torch.blob(inputs.get("v").data(), shape);
        boolean causal = form.name.equals("causal");
        boolean masked = !causal && !form.name.equals("dense");
        int masks = form.name.equals("ALiBi") ? heads : 1;
        var mask = masked ? Torch.blob(mask(form, heads, masks, length, arena), new long[] {1, masks, length, length}) : null;
        if (form.name.equals("soft-cap")) {
            return () -> {
                try (PointerScope call = new PointerScope()) {
                    var parts = new org.bytedeco.pytorch.TensorVector();
                    for (int h = 0; h < heads; h++) {
                        var scores = torch.matmul(q.select(1, h), k.select(1, h).transpose(-1, -2));
                        scores.mul_(new Scalar(1 / Math.sqrt(width) / CAP)).tanh_().mul_(new Scalar(CAP));
                        scores.add_(mask.select(1, 0));
                        parts.push_back(torch.matmul(torch.softmax(scores, -1), v.select(1, h)));
                    }
                    Torch.keep(torch.stack(parts, 1));
                }
            };
        }
        var optional = masked ? new TensorOptional(mask) : new TensorOptional();
        return () -> {
            try (PointerScope call = new PointerScope()) {
                Torch.keep(torch.scaled_dot_product_attention(q, k, v, optional, 0.0, causal, new DoubleOptional(), false));
            }
        };
    }

    private static MemorySegment mask(Form form, int heads, int masks, int length, Arena arena) {
        MemorySegment mask = arena.allocate(4L * masks * length * length, 64);
        for (int h = 0; h < masks; h++) {
            for (int i = 0; i < length; i++) {
                for (int j = 0; j < length; j++) {
                    long at = ((long) h * length + i) * length + j;
                    mask.setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) form.seen.at(h, heads, length, i, j));
                }
            }
        }
        return mask;
    }
}
