package tfx.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import tfx.compiler.Session;
import tfx.cpu.CpuProgram;
import tfx.ir.BinaryFn;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// How long selectors take to decide which blocks of attention to compute, for one head of 16 384 positions on one
/// thread: the kernel with nothing in its loop over keys but a counter. The reference is a target of 1 ms.
public final class Blocks {
    private static final int LENGTH = 16_384;
    private static final int WIDTH = 16;
    private static final Map<String, String> SELECTORS = new LinkedHashMap<>();

    static {
        SELECTORS.put("causal", "causal(S)");
        SELECTORS.put("window 256", "sliding_window(S, 256)");
        SELECTORS.put("window 4096", "sliding_window(S, 4096)");
        SELECTORS.put("prefix-LM", "prefix(S, 256)");
        SELECTORS.put("dilated", "causal(S) and dilated(S, 4)");
    }

    private Blocks() {}

    public static void main(String[] arguments) throws Exception {
        Table table = new Table(2.0, "Mblock/s");
        for (Map.Entry<String, String> selector : SELECTORS.entrySet()) {
            String source = """
                    import nn;
                    program attend(q: f32[1, 1, S, %1$d], k: f32[1, 1, S, %1$d], v: f32[1, 1, S, %1$d]) -> (y) {
                      return attention(q, k, v, where = %2$s);
                    }
                    """.formatted(WIDTH, selector.getValue());
            try (Session session = Programs.open(source, 1, Map.of())) {
                KernelProgram program = session.kernels().orElseThrow();
                KernelProgram counting = new KernelProgram(
                        program.execution(), program.kernels().stream().map(Blocks::counting).toList());
                time(table, selector.getKey(), counting);
            }
        }
        table.end();
        System.exit(0);
    }

    private static void time(Table table, String name, KernelProgram program) throws Exception {
        CpuProgram.Options options = new CpuProgram.Options(CpuProgram.nativeLanes(), CpuProgram.Code.WARMED, 1);
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        Tensor array = Programs.tensor(
                Programs.random(new Random(3), (long) LENGTH * WIDTH), 1, 1, LENGTH, WIDTH);
        List.of("q", "k", "v").forEach(i -> inputs.put(i, array));
        Programs.Reused results = new Programs.Reused();
        try (CpuProgram loaded = CpuProgram.load(program, Map.of(), options)) {
            Table.Side side = () -> loaded.run(inputs, results, Optional.empty());
            double touched = loaded.run(inputs, results, Optional.empty()).get("y").toFloats()[0];
            for (int i = 0; i < 2000; i++) {
                side.run();
            }
            double millis = Table.time(side);
            table.row("%s, %.0f blocks".formatted(name, touched), millis, 1.0, "target", touched / millis / 1e3);
        }
    }

    /// A kernel that counts the steps of its loops, and stores how many the tasks up to the last took.
    private static Kernel counting(Kernel kernel) {
        Kernel.Expr none = new Kernel.Constant(DType.F32, 0.0);
        Kernel.Expr one = new Kernel.Constant(DType.F32, 1.0);
        Kernel.Let more = new Kernel.Let(
                "steps", DType.F32, List.of(), new Kernel.Binary(BinaryFn.ADD, new Kernel.Ref("steps"), one));
        Kernel.Loop loop = kernel.body().stream()
                .filter(s -> s instanceof Kernel.Loop)
                .map(s -> (Kernel.Loop) s)
                .findFirst()
                .orElseThrow();
        Kernel.Store store = (Kernel.Store) kernel.body().getLast();
        List<tfx.runtime.Dim> first = store.index().stream().map(d -> tfx.runtime.Dim.ZERO).toList();
        return new Kernel(
                kernel.name(),
                kernel.sizes(),
                kernel.buffers(),
                kernel.grid(),
                kernel.axes(),
                List.of(
                        new Kernel.Let("steps", DType.F32, List.of(), none),
                        new Kernel.Loop(loop.axis(), loop.from(), loop.to(), loop.where(), List.of(more)),
                        new Kernel.Store(
                                store.buffer(),
                                first,
                                List.of(),
                                List.of(),
                                Optional.of(BinaryFn.ADD),
                                new Kernel.Ref("steps"))),
                kernel.span());
    }
}
