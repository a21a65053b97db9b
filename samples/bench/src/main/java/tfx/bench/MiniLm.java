package tfx.bench;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/// Token ids in, array out, against ONNX Runtime with all optimisations, alternating in one JVM; medians.
///
/// For the batch of mixed lengths the reference is the best of padded, sorted into buckets of eight, and one by
/// one.
public final class MiniLm {
    private MiniLm() {}

    public static void main(String[] arguments) throws Exception {
        Random random = new Random(7);
        Table table = new Table(8, "GFLOP/s");
        int only = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
        for (int threads = only > 0 ? only : 1; threads <= (only > 0 ? only : 2); threads++) {
            try (TfxEncoder tfx = new TfxEncoder(threads);
                    OnnxEncoder peer = new OnnxEncoder(tfx.model(), threads)) {
                for (int[] shape : new int[][] {{1, 16}, {1, 64}, {1, 128}, {1, 256}, {8, 128}}) {
                    int[][] rows = new int[shape[0]][];
                    Arrays.setAll(rows, i -> TfxEncoder.tokens(random, shape[1]));
                    row(table, threads + " thread, " + shape[0] + "x" + shape[1], rows, tfx,
                            Map.of("padded", () -> peer.embed(rows)));
                }
                int[][] mixed = new int[32][];
                Arrays.setAll(mixed, i -> TfxEncoder.tokens(random, 4 + random.nextInt(125)));
                Map<String, Table.Side> strategies = new LinkedHashMap<>();
                strategies.put("padded", () -> peer.embed(mixed));
                strategies.put("buckets", () -> buckets(peer, mixed));
                strategies.put("one by one", () -> {
                    for (int[] row : mixed) {
                        peer.embed(row);
                    }
                });
                row(table, threads + " thread, 32 mixed", mixed, tfx, strategies);
            }
        }
        table.end();
    }

    private static void buckets(OnnxEncoder peer, int[][] rows) throws Exception {
        int[][] sorted = rows.clone();
        Arrays.sort(sorted, Comparator.comparingInt(r -> r.length));
        for (int i = 0; i < sorted.length; i += 8) {
            peer.embed(Arrays.copyOfRange(sorted, i, Math.min(i + 8, sorted.length)));
        }
    }

    private static void row(Table table, String name, int[][] rows, TfxEncoder tfx, Map<String, Table.Side> peers)
            throws Exception {
        long tokens = Arrays.stream(rows).mapToLong(r -> r.length).sum();
        table.row(name, tokens * TfxEncoder.FLOPS_A_TOKEN / 1e9, () -> tfx.embed(rows), peers);
    }
}
