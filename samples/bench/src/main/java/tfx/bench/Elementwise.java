package tfx.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import tfx.compiler.Session;
import tfx.runtime.Tensor;

/// Operations that memory bounds, against a copy that moves as many bytes: every array that a program takes is
/// read once and every result written once. Arrays are far larger than the caches. An argument picks the rows
/// whose name contains it.
public final class Elementwise {
    private static final int ROWS = 24576;
    private static final int COLUMNS = 768;

    /// A program on arrays `f32[N, 768]` and vectors `f32[768]`.
    ///
    /// @param arrays  names of the arrays
    /// @param results how many arrays it gives
    private record Form(String name, List<String> arrays, int results, String body) {}

    private static final List<Form> FORMS = List.of(
            new Form("scale", List.of("x"), 1, "return x * 0.5;"),
            new Form("residual chain", List.of("x", "y"), 1, "return max(x * 0.5 + y, 0.0) + y * s + t;"),
            new Form("GELU", List.of("x"), 1, "return gelu(x);"),
            new Form("layer norm", List.of("x"), 1, "return layer_norm(x, s, t);"),
            new Form("residual, layer norm", List.of("x", "y"), 1, "return layer_norm(x + y, s, t);"),
            new Form("residual kept, RMS norm", List.of("x", "y"), 2, "z = x + y; return z, rms_norm(z, s);"),
            new Form("softmax", List.of("x"), 1, "return softmax(x);"));

    private Elementwise() {}

    public static void main(String[] arguments) throws Exception {
        Table table = new Table(2.0, "GB/s");
        for (int threads = 1; threads <= 2; threads++) {
            try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
                for (Form form : FORMS) {
                    if (arguments.length == 0 || form.name.contains(arguments[0])) {
                        row(table, form, threads, pool);
                    }
                }
            }
        }
        table.end();
        System.exit(0);
    }

    private static void row(Table table, Form form, int threads, ExecutorService pool) throws Exception {
        List<String> parameters = new ArrayList<>();
        form.arrays.forEach(a -> parameters.add(a + ": f32[N, " + COLUMNS + "]"));
        parameters.addAll(List.of("s: f32[" + COLUMNS + "]", "t: f32[" + COLUMNS + "]"));
        String source = "import nn;\nprogram work(%s) -> (%s) { %s }\n".formatted(
                String.join(", ", parameters), form.results == 1 ? "r" : "q, r", form.body);
        Random random = new Random(11);
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (String array : form.arrays) {
            inputs.put(array, Programs.tensor(Programs.random(random, (long) ROWS * COLUMNS), ROWS, COLUMNS));
        }
        inputs.put("s", Programs.tensor(Programs.random(random, COLUMNS), COLUMNS));
        inputs.put("t", Programs.tensor(Programs.random(random, COLUMNS), COLUMNS));
        Programs.Reused results = new Programs.Reused();
        long bytes = 4L * ROWS * COLUMNS * (form.arrays.size() + form.results);
        try (Session session = Programs.open(source, threads, Map.of());
                Arena arena = Arena.ofShared()) {
            MemorySegment from = arena.allocate(bytes / 2, 64).fill((byte) 1);
            MemorySegment to = arena.allocate(bytes / 2, 64).fill((byte) 2);
            List<Callable<Void>> parts = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                long part = bytes / 2 / threads;
                long at = i * part;
                parts.add(() -> {
                    MemorySegment.copy(from, at, to, at, part);
                    return null;
                });
            }
            Table.Side copy = () -> pool.invokeAll(parts);
            table.row("%d thread, %s".formatted(threads, form.name), bytes / 1e9, () -> session.call(inputs, results),
                    Map.of("copy", copy));
        }
    }
}
