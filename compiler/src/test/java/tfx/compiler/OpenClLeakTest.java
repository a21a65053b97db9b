package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tfx.runtime.Tensor;
import tfx.runtime.program.Executable;

/// Ten thousand calls leave memory as it was, on the host and on the device, which on a processor is the same.
final class OpenClLeakTest {
    private static final int CALLS = 10_000;
    private static final long ROOM = 24L << 20;

    private static final String SOURCE = """
            program p(x: f32[N, 64], ids: i32[M]) -> (y, order) {
              h = x @ transpose(x);
              order = argsort(h);
              y = (h + sum(h))[ids];
              return y, order;
            }
            """;

    private static long resident() throws IOException {
        String line = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(l -> l.startsWith("VmRSS"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
    }

    @Test
    void memoryStaysFlat() throws Exception {
        var checked = Compiler.check("leak.tfx", SOURCE.getBytes(StandardCharsets.UTF_8));
        assertThat(checked.diagnostics()).isEmpty();
        Session.Options options = new Session.Options(Session.Backend.OPENCL, Optional.empty(), 1);
        try (Session session = new Session(checked.programs().getFirst(), Path.of(""), options, (f, l) -> {
            throw new IOException("no tokenizer");
        })) {
            calls(session, CALLS / 2); // until compiled code and pools have their size
            System.gc();
            long before = resident();
            calls(session, CALLS);
            System.gc();
            assertThat(resident() - before).isLessThan(ROOM);
        }
    }

    /// A buffer or event of a call would take a few hundred bytes at least; so many calls, tens of megabytes.
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
