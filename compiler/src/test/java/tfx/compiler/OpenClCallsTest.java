package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tfx.ir.graph.Nd;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// Many calls of one program: one after the other they leave memory as it was, on the host and on the device,
/// which on a processor is the same; at the same time they do not see each other.
final class OpenClCallsTest {
    private static final int CALLS = 10_000;
    private static final int STRETCHES = 5;
    private static final long ROOM = 2L << 20;

    private static final String SOURCE = """
            program p(x: f32[N, 64], ids: i32[M]) -> (y, order) {
              h = x @ transpose(x);
              order = argsort(h);
              y = (h + sum(h))[ids];
              return y, order;
            }
            """;

    /// Bytes of this process in memory, without the Java heap, which lies below 4 GiB where it is small and
    /// comes and goes as it likes.
    private static long resident() throws IOException {
        long bytes = 0;
        boolean heap = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                heap = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16) < 1L << 32;
            } else if (line.startsWith("Rss:") && !heap) {
                bytes += Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
            }
        }
        return bytes;
    }

    private static Session open(Session.Backend backend) {
        var checked = Compiler.check("calls.tfx", SOURCE.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).isEmpty();
        Session.Options options = new Session.Options(backend, Optional.empty(), 1);
        return new Session(checked.programs().getFirst(), Path.of(""), options, (f, l) -> {
            throw new IOException("no tokenizer");
        });
    }

    @Test
    void eightCallersAtOnce() throws Exception {
        try (Session cpu = open(Session.Backend.CPU);
                Session session = open(Session.Backend.OPENCL);
                ExecutorService callers = Executors.newFixedThreadPool(8)) {
            List<Future<?>> all = new ArrayList<>();
            for (int caller = 0; caller < 8; caller++) {
                int seed = caller;
                all.add(callers.submit(() -> differentSizes(cpu, session, new Random(seed))));
            }
            for (Future<?> future : all) {
                future.get();
            }
        }
    }

    private static void differentSizes(Session cpu, Session session, Random random) {
        for (int i = 0; i < 40; i++) {
            try (Arena arena = Arena.ofShared()) {
                int rows = 1 + random.nextInt(40);
                float[] values = new float[rows * 64];
                for (int j = 0; j < values.length; j++) {
                    values[j] = random.nextInt(9) - 4; // sums of such are exact
                }
                Tensor x = Tensor.of(arena, values, rows, 64);
                Tensor ids = Tensor.of(arena, new int[] {random.nextInt(rows), 0}, 2);
                Map<String, Tensor> inputs = Map.of("x", x, "ids", ids);
                Map<String, Tensor> expected = cpu.call(inputs, arena).outputs();
                Map<String, Tensor> actual = session.call(inputs, arena).outputs();
                for (String output : List.of("y", "order")) {
                    assertThat(Nd.of(actual.get(output))).isEqualTo(Nd.of(expected.get(output)));
                }
            }
        }
    }

    @Test
    void memoryStaysFlat() throws Exception {
        try (Session session = open(Session.Backend.OPENCL)) {
            calls(session, CALLS / 2); // until compiled code and pools have their size
            // The JVM may still compile in one stretch or another; what leaks does so in each.
            long least = Long.MAX_VALUE;
            for (int stretch = 0; stretch < STRETCHES && least > ROOM; stretch++) {
                System.gc();
                long before = resident();
                calls(session, CALLS);
                System.gc();
                least = Math.min(least, resident() - before);
            }
            assertThat(least).isLessThanOrEqualTo(ROOM);
        }
    }

    /// A buffer or event that is lost takes 200 bytes at least: so many calls, 2 MB for each.
    private static void calls(Session session, int count) {
        try (Arena arguments = Arena.ofConfined()) {
            float[] values = new float[33 * 64];
            Tensor large = Tensor.of(arguments, values, 33, 64);
            Tensor small = Tensor.of(arguments, new float[7 * 64], 7, 64);
            Tensor ids = Tensor.of(arguments, IntStream.range(0, 5).toArray(), 5);
            Executable.Observer observer = launch -> {};
            for (int i = 0; i < count; i++) {
                Map<String, Tensor> inputs = Map.of("x", i % 2 == 0 ? large : small, "ids", ids);
                try (Arena results = Arena.ofConfined()) {
                    // Now and then with times, which take another queue.
                    if (i % 10 == 0) {
                        session.call(inputs, results, observer);
                    } else {
                        session.call(inputs, results);
                    }
                }
            }
        }
    }
}
