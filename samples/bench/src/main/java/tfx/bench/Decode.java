package tfx.bench;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import tfx.compiler.Session;
import tfx.runtime.Tensor;

/// Attention of one query a head over all keys before it, as when one token is decoded after the other, against
/// PyTorch's `scaled_dot_product_attention`. Keys and values are read once, and little is computed for each.
public final class Decode {
    private Decode() {}

    public static void main(String[] arguments) throws Exception {
        Table table = new Table(1.0, "GB/s");
        try (NoGradGuard inference = new NoGradGuard()) {
            for (int threads = 1; threads <= 2; threads++) {
                torch.set_num_threads(threads);
                for (int length : new int[] {512, 2048, 8192}) {
                    for (int[] heads : new int[][] {{12, 12, 64}, {8, 8, 128}, {32, 8, 128}, {32, 2, 64}, {8, 1, 128}}) {
                        row(table, threads, length, heads[0], heads[1], heads[2]);
                    }
                }
            }
        }
        table.end();
        System.exit(0);
    }

    private static void row(Table table, int threads, int length, int heads, int keyHeads, int width)
            throws Exception {
        String source = """
                import nn;
                program attend(q: f32[1, %1$d, 1, %3$d], k: f32[1, %2$d, T, %3$d], v: f32[1, %2$d, T, %3$d]) -> (y) {
                  return attention(q, k, v);
                }
                """.formatted(heads, keyHeads, width);
        Random random = new Random(3);
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        inputs.put("q", Programs.tensor(Programs.random(random, (long) heads * width), 1, heads, 1, width));
        long count = (long) keyHeads * length * width;
        for (String input : new String[] {"k", "v"}) {
            inputs.put(input, Programs.tensor(Programs.random(random, count), 1, keyHeads, length, width));
        }
        String name = "%d thread, %d of %d x %d x %d".formatted(threads, heads, keyHeads, length, width);
        Programs.Reused results = new Programs.Reused();
        try (Session session = Programs.open(source, threads, Map.of());
                PointerScope scope = new PointerScope()) {
            var q = Torch.blob(inputs.get("q").data(), 1, heads, 1, width);
            var k = Torch.blob(inputs.get("k").data(), 1, keyHeads, length, width);
            var v = Torch.blob(inputs.get("v").data(), 1, keyHeads, length, width);
            boolean grouped = heads > keyHeads;
            Table.Side peer = () -> {
                try (PointerScope call = new PointerScope()) {
                    Torch.keep(torch.scaled_dot_product_attention(
                            q, k, v, new TensorOptional(), 0.0, false, new DoubleOptional(), grouped));
                }
            };
            Torch.check(name, session, inputs, results, peer);
            table.row(name, 8e-9 * count, () -> session.call(inputs, results), Map.of("PyTorch", peer));
        }
    }
}
