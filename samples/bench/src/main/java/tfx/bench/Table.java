package tfx.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// A table of tfx against its peers: medians of runs that alternate in one JVM, and the worst ratio at the end.
///
/// What is compared is the steady state of both sides: before a timed stretch, a pause lets the other side's
/// spinning threads go to sleep, and untimed runs of the same length let this side's threads find their cores
/// again.
final class Table {
    /// One side of a comparison.
    @FunctionalInterface
    interface Side {
        void run() throws Exception;
    }

    private static final int REPEATS = Integer.getInteger("tfx.bench.repeats", 15);
    private static final long STRETCH = 20_000_000L;
    private static final double SLOW_MILLIS = 100; // such runs vary less from one to the next
    private static final long PAUSE_MILLIS = 25;

    private final double warmUpSeconds;
    private double worst;
    private String worstRow = "";

    /// @param warmUpSeconds how long the sides of a row run before they are timed
    /// @param unit          what the last column counts, a second
    Table(double warmUpSeconds, String unit) {
        this.warmUpSeconds = warmUpSeconds;
        System.out.printf("%-36s %10s %10s %-10s %8s %10s%n", "row", "tfx ms", "peer ms", "peer", "ratio", unit);
    }

    /// Times a row and prints it. The reference is the fastest peer.
    ///
    /// @param work  what a run does, in units of the last column
    /// @param peers by name
    /// @return milliseconds of ours
    double row(String name, double work, Side ours, Map<String, ? extends Side> peers) throws Exception {
        Map<String, Side> sides = new LinkedHashMap<>();
        sides.put("", ours);
        sides.putAll(peers);
        long until = System.nanoTime() + (long) (warmUpSeconds * 1e9);
        do {
            for (Side side : sides.values()) {
                side.run();
            }
        } while (System.nanoTime() < until);
        Map<String, double[]> times = new LinkedHashMap<>();
        int repeats = time(ours) > SLOW_MILLIS ? (REPEATS + 2) / 3 : REPEATS;
        for (int i = 0; i < repeats; i++) {
            for (Map.Entry<String, Side> side : sides.entrySet()) {
                times.computeIfAbsent(side.getKey(), k -> new double[repeats])[i] = time(side.getValue());
            }
        }
        Map<String, Double> medians = new LinkedHashMap<>();
        times.forEach((k, all) -> medians.put(k, median(all)));
        double mine = medians.remove("");
        Map.Entry<String, Double> fastest =
                medians.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow();
        row(name, mine, fastest.getValue(), fastest.getKey(), work / mine * 1e3);
        return mine;
    }

    /// Prints a row that was timed elsewhere, or whose reference is computed.
    void row(String name, double mine, double reference, String peer, double rate) {
        double ratio = mine / reference;
        System.out.printf("%-36s %10.3f %10.3f %-10s %8.2f %10.1f%n", name, mine, reference, peer, ratio, rate);
        if (!(ratio <= worst)) {
            worst = ratio;
            worstRow = name;
        }
    }

    /// Prints the last line.
    void end() {
        System.out.printf("worst ratio: %.2f (%s)%n", worst, worstRow);
    }

    /// Milliseconds a run.
    static double time(Side side) throws Exception {
        Thread.sleep(PAUSE_MILLIS);
        runs(side);
        return runs(side);
    }

    private static double runs(Side side) throws Exception {
        long start = System.nanoTime();
        int runs = 0;
        do {
            side.run();
            runs++;
        } while (System.nanoTime() - start < STRETCH);
        return (System.nanoTime() - start) / 1e6 / runs;
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
