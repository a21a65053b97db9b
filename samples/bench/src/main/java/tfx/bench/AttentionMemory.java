package tfx.bench;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import tfx.compiler.Compiler;
import tfx.compiler.Session;
import tfx.frontend.Program;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// Peak memory of the process before and after attention over 8 heads of 64 at growing lengths: it must grow
/// with the length, not with its square.
public final class AttentionMemory {
    private static final String SOURCE = """
            import nn;
            program attend(q: f32[8, S, 64], k: f32[8, S, 64], v: f32[8, S, 64]) -> (y) {
              return attention(q, k, v);
            }
            """;

    private AttentionMemory() {}

    public static void main(String[] arguments) throws Exception {
        Program program = Compiler.check("attention.tfx", SOURCE.getBytes()).programs().getFirst();
        Session.Options options = new Session.Options(Session.Backend.CPU, Optional.empty(), 2);
        double worst = 0;
        try (Session session = new Session(program, Path.of(""), options, (file, limit) -> {
            throw new java.io.IOException("no tokenizer");
        })) {
            for (int i = 0; i < 40; i++) {
                call(session, 1024); // the JIT compiler's own memory and the garbage of interpreted vectors come first
            }
            for (int length : new int[] {4096, 8192, 16384}) {
                long before = peakKilobytes();
                long start = System.nanoTime();
                call(session, length);
                double seconds = (System.nanoTime() - start) / 1e9;
                long grown = peakKilobytes() - before;
                long arrays = 4L * 8 * length * 64 * 4 / 1024;
                long square = 8L * length * length * 4 / 1024;
                System.out.printf("S = %6d: peak without %8d kB, with %8d kB (+%d kB); q, k, v, y take %d kB,"
                        + " the scores would take %d kB; %.2f s%n", length, before, before + grown, grown, arrays, square,
                        seconds);
                worst = Math.max(worst, (double) grown / (2.0 * arrays + 64 * 1024));
            }
        }
        System.out.printf("worst ratio: %.2f (peak growth over twice the arrays and 64 MB)%n", worst);
    }

    private static void call(Session session, int length) {
        try (Arena arena = Arena.ofConfined()) {
            Tensor x = Tensor.zeros(arena, DType.F32, 8, length, 64);
            for (long i = 0; i < x.count(); i++) {
                x.setDouble(i, ((i * 2654435761L) >>> 7 & 1023) / 512.0 - 1);
            }
            session.call(Map.of("q", x, "k", x, "v", x), arena);
        }
    }

    /// The high-water mark of resident memory, from the kernel.
    private static long peakKilobytes() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IllegalStateException("this system has no /proc/self/status");
    }
}
