package tfx.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.ir.InternalError;

/// What this machine reaches: the rate of the largest register tile on operands in the first-level cache, and that
/// of a copy far larger than the caches, which counts the bytes read and the bytes written.
///
/// @param operations floating-point operations a second
/// @param bytes      bytes a second
public record Peaks(double operations, double bytes) {
    private static final int DEPTH = 128;
    private static final int CALLS = 2000;
    private static final long COPIED = 64L << 20;
    private static final int ROUNDS = 24;

    /// Measures both on so many threads; takes about a second.
    public static Peaks measure(int threads) {
        try (ExecutorService pool = Executors.newFixedThreadPool(threads);
                Arena arena = Arena.ofShared()) {
            Probe probe = Probe.make(CpuProgram.nativeLanes());
            List<Callable<Double>> products = new ArrayList<>();
            List<Callable<Double>> copies = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                products.add(probe::run);
                MemorySegment from = arena.allocate(COPIED, 64).fill((byte) 1);
                MemorySegment to = arena.allocate(COPIED, 64).fill((byte) 2);
                copies.add(() -> {
                    MemorySegment.copy(from, 0, to, 0, COPIED);
                    return 2.0 * COPIED;
                });
            }
            return new Peaks(best(pool, products), best(pool, copies));
        }
    }

    /// The best rate of all parts together.
    private static double best(ExecutorService pool, List<Callable<Double>> parts) {
        double best = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long start = System.nanoTime();
            double work = 0;
            try {
                for (Future<Double> part : pool.invokeAll(parts)) {
                    work += part.get();
                }
            } catch (InterruptedException | ExecutionException e) {
                throw new InternalError("the peaks of this machine cannot be measured", e);
            }
            best = Math.max(best, work / (System.nanoTime() - start) * 1e9);
        }
        return best;
    }

    /// The largest register tile, called again and again.
    private record Probe(MethodHandle tile, int elements, double operations) {
        static Probe make(int lanes) {
            MicroKernels micro = new MicroKernels(lanes, true, Optional.empty(), "tfx.emitted.peak.Tiles");
            RegisterTile.Operand a = RegisterTile.Operand.scratch(DEPTH, 1);
            boolean wide = micro.wideTiles(a).length > 0;
            int rows = wide ? micro.wideTiles(a)[0] : micro.tiles()[0];
            int panels = wide ? MicroKernels.WIDE_PANELS : 1;
            int left = rows * DEPTH;
            int right = left + panels * DEPTH * micro.panel();
            RegisterTile tile = new RegisterTile(rows, panels, true, a, RegisterTile.Operand.scratch(micro.panel(), 1));
            ClassCode code = new ClassCode("tfx.emitted.peak.Peak", Object.class, "peak.tfx");
            Method run = code.method(true, "run", Type.VOID_TYPE);
            Expr.Local floats = run.parameter("floats", Stage.FLOATS);
            Expr.Local call = run.let("call", Expr.literal(0));
            Expr zero = Expr.literal(0);
            run.loop(
                    call,
                    Expr.literal(1),
                    Expr.literal(CALLS),
                    () -> run.call(micro.invoke(
                            tile,
                            floats,
                            zero,
                            zero,
                            Expr.literal(left),
                            Expr.literal(DEPTH * micro.panel()),
                            Expr.literal(right),
                            Expr.literal(panels * micro.panel()),
                            Expr.literal(DEPTH))));
            ClassCode tiles = micro.finish();
            ClassLoader loader = new CpuProgram.Loader(Map.of(code.name(), code.bytes(), tiles.name(), tiles.bytes()));
            try {
                MethodHandle handle = MethodHandles.publicLookup()
                        .findStatic(
                                loader.loadClass(code.name()),
                                run.name(),
                                MethodType.methodType(void.class, float[].class));
                int cells = rows * panels * micro.panel();
                return new Probe(handle, right + cells, 2.0 * CALLS * cells * DEPTH);
            } catch (ReflectiveOperationException e) {
                throw new InternalError("the probe of peaks does not load", e);
            }
        }

        double run() throws Exception {
            try {
                tile.invokeExact(new float[elements]);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new InternalError("the probe of peaks fails", e);
            }
            return operations;
        }
    }
}
