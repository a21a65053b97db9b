package tfx.bench;

import java.util.Map;
import java.util.TreeMap;

/// `samples/bench/run NAME`.
public final class Bench {
    /// A benchmark; prints its table and the line with the worst ratio.
    interface Benchmark {
        void run(String[] arguments) throws Exception;
    }

    private static final Map<String, Benchmark> ALL = new TreeMap<>(Map.of(
            "minilm", MiniLmBench::run,
            "equality", Equality::run,
            "start", Start::run,
            "attention-memory", AttentionMemory::run));

    private Bench() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 1 || !ALL.containsKey(arguments[0])) {
            System.err.println("usage: samples/bench/run NAME, one of " + ALL.keySet());
            System.exit(2);
        }
        String[] rest = java.util.Arrays.copyOfRange(arguments, 1, arguments.length);
        ALL.get(arguments[0]).run(rest);
        System.exit(0);
    }
}
