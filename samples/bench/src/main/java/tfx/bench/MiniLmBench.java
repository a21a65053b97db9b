package tfx.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Token ids in, array out, against ONNX Runtime with all optimisations, alternating in one JVM; medians.
///
/// For the batch of mixed lengths the reference is the best of padded, sorted into buckets of eight, and one by
/// one.
final class MiniLmBench {
    /// One side of a comparison.
    interface Side {
        void run() throws Exception;
    }

    private static final long WARM_UP = 8_000_000_000L;
    private static final int REPEATS = 15;
    private static final double FLOPS_A_TOKEN = 2.0 * 6 * (4 * 384 * 384 + 2 * 384 * 1536);

    private static double worst;
    private static String worstRow = "";

    private MiniLmBench() {}

    static void run(String[] arguments) throws Exception {
        Random random = new Random(7);
        System.out.printf("%-28s %10s %10s %8s %12s%n", "row", "tfx ms", "peer ms", "ratio", "tfx GFLOP/s");
        int only = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
        for (int threads = only > 0 ? only : 1; threads <= (only > 0 ? only : 2); threads++) {
            try (TfxEncoder tfx = new TfxEncoder(threads);
                    OnnxEncoder peer = new OnnxEncoder(tfx.model(), threads)) {
                for (int[] shape : new int[][] {{1, 16}, {1, 64}, {1, 128}, {1, 256}, {8, 128}}) {
                    int[][] rows = new int[shape[0]][];
                    Arrays.setAll(rows, i -> tokens(random, shape[1]));
                    row(threads + " thread, " + shape[0] + "x" + shape[1], rows, tfx,
                            new LinkedHashMap<>(Map.of("padded", () -> peer.embed(rows))));
                }
                int[][] mixed = new int[32][];
                Arrays.setAll(mixed, i -> tokens(random, 4 + random.nextInt(125)));
                Map<String, Side> strategies = new LinkedHashMap<>();
                strategies.put("padded", () -> peer.embed(mixed));
                strategies.put("buckets", () -> buckets(peer, mixed));
                strategies.put("one by one", () -> {
                    for (int[] row : mixed) {
                        peer.embed(row);
                    }
                });
                row(threads + " thread, 32 mixed", mixed, tfx, strategies);
            }
        }
        System.out.printf("worst ratio: %.2f (%s)%n", worst, worstRow);
    }

    private static void buckets(OnnxEncoder peer, int[][] rows) throws Exception {
        int[][] sorted = rows.clone();
        Arrays.sort(sorted, Comparator.comparingInt(r -> r.length));
        for (int i = 0; i < sorted.length; i += 8) {
            peer.embed(Arrays.copyOfRange(sorted, i, Math.min(i + 8, sorted.length)));
        }
    }

    private static int[] tokens(Random random, int length) {
        int[] ids = random.ints(length, 1000, 30000).toArray();
        ids[0] = 101;
        ids[length - 1] = 102;
        return ids;
    }

    private static void row(String name, int[][] rows, TfxEncoder tfx, Map<String, Side> peers) throws Exception {
        List<Side> sides = new ArrayList<>(peers.values());
        sides.addFirst(() -> tfx.embed(rows));
        long until = System.nanoTime() + WARM_UP;
        while (System.nanoTime() < until) {
            for (Side side : sides) {
                side.run();
            }
        }
        double[][] times = new double[sides.size()][REPEATS];
        for (int i = 0; i < REPEATS; i++) {
            for (int s = 0; s < sides.size(); s++) {
                times[s][i] = time(sides.get(s));
            }
        }
        double ours = median(times[0]);
        double theirs = Double.MAX_VALUE;
        for (int s = 1; s < sides.size(); s++) {
            theirs = Math.min(theirs, median(times[s]));
        }
        long tokens = Arrays.stream(rows).mapToLong(r -> r.length).sum();
        double ratio = ours / theirs;
        System.out.printf("%-28s %10.2f %10.2f %8.2f %12.1f%n", name, ours, theirs, ratio,
                tokens * FLOPS_A_TOKEN / ours / 1e6);
        if (ratio > worst) {
            worst = ratio;
            worstRow = name;
        }
    }

    /// Milliseconds a run, over enough runs to last twenty. Before that, a pause lets the other side's spinning
    /// threads go
    /// to sleep, and untimed runs of the same length let this side's threads find their cores again: what is
    /// compared is
    /// the steady state of both.
    private static double time(Side side) throws Exception {
        Thread.sleep(25);
        runs(side);
        return runs(side);
    }

    private static double runs(Side side) throws Exception {
        long start = System.nanoTime();
        int runs = 0;
        while (System.nanoTime() - start < 20_000_000L) {
            side.run();
            runs++;
        }
        return (System.nanoTime() - start) / 1e6 / runs;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
