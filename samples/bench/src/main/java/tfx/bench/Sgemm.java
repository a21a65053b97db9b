package tfx.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.openblas.global.openblas;
import org.bytedeco.openblas.global.openblas_nolapack;
import tfx.compiler.Session;
import tfx.runtime.Tensor;

/// Products of f32 matrices whose right operand is a weight, against MKL (plain and packed beforehand), oneDNN and
/// OpenBLAS. An argument gives the number of threads, else 1 and 2.
public final class Sgemm {
    private static final int[][] SHAPES = {
        {384, 384, 384}, {768, 768, 768}, {1536, 1536, 1536}, {3072, 3072, 3072},
        {16, 384, 384}, {16, 384, 1536}, {16, 1536, 384},
        {128, 384, 384}, {128, 384, 1536}, {128, 1536, 384},
        {1024, 384, 384}, {1024, 384, 1536}, {1024, 1536, 384},
    };

    private static final int ROW_MAJOR = 101;
    private static final int PLAIN = 111;
    private static final int PACKED = 151;
    private static final int MATRIX_B = 162;

    private Sgemm() {}

    public static void main(String[] arguments) throws Throwable {
        Table table = new Table(1.5, "GFLOP/s");
        for (int threads = 1; threads <= 2; threads++) {
            if (arguments.length > 0 && Integer.parseInt(arguments[0]) != threads) {
                continue;
            }
            threads(threads);
            for (int[] shape : SHAPES) {
                row(table, threads, shape[0], shape[1], shape[2]);
            }
        }
        table.end();
        System.exit(0);
    }

    private static void threads(int threads) throws Throwable {
        mkl_rt.MKL_Set_Num_Threads(threads);
        openblas_nolapack.blas_set_num_threads(threads);
        dnnl.dnnl_get_effective_cpu_isa(); // loads the library, and its OpenMP with it
        for (String library : openMpLibraries()) {
            MemorySegment set = SymbolLookup.libraryLookup(Path.of(library), Arena.global())
                    .find("omp_set_num_threads")
                    .orElseThrow();
            Linker.nativeLinker()
                    .downcallHandle(set, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
                    .invokeExact(threads);
        }
    }

    /// The OpenMP libraries that this process has loaded: each peer may bring its own.
    private static List<String> openMpLibraries() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .map(line -> line.replaceAll("^[^/]*", ""))
                .filter(path -> path.matches(".*/lib(g|i)omp[0-9]*\\.so.*"))
                .distinct()
                .toList();
    }

    private static void row(Table table, int threads, int m, int k, int n) throws Exception {
        Random random = new Random(5);
        float[] left = Programs.random(random, (long) m * k);
        float[] right = Programs.random(random, (long) k * n);
        String source = """
                model Product() {
                  weights "w.safetensors" { b: f32[%d, %d]; }
                  program product(a: f32[M, %d]) -> (c) { return a @ b; }
                }
                """.formatted(k, n, k);
        Tensor a = Programs.tensor(left, m, k);
        Programs.Reused results = new Programs.Reused();
        try (Session session = Programs.open(source, threads, Map.of("b", Programs.Stored.floats(right, k, n)));
                FloatPointer pa = new FloatPointer(left);
                FloatPointer pb = new FloatPointer(right);
                FloatPointer pc = new FloatPointer((long) m * n)) {
            FloatPointer packed = new FloatPointer(mkl_rt.cblas_sgemm_pack_get_size(MATRIX_B, m, n, k) / 4 + 16);
            mkl_rt.cblas_sgemm_pack(ROW_MAJOR, MATRIX_B, PLAIN, m, n, k, 1f, pb, n, packed);
            Map<String, Table.Side> peers = new LinkedHashMap<>();
            peers.put("MKL", () ->
                    mkl_rt.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, m, n, k, 1f, pa, k, pb, n, 0f, pc, n));
            peers.put("MKL packed", () ->
                    mkl_rt.cblas_sgemm_compute(ROW_MAJOR, PLAIN, PACKED, m, n, k, pa, k, packed, n, 0f, pc, n));
            peers.put("oneDNN", () -> dnnl.dnnl_sgemm(
                    (byte) 'N', (byte) 'N', m, n, k, 1f, pa, k, pb, n, 0f, pc, n));
            peers.put("OpenBLAS", () ->
                    openblas.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, m, n, k, 1f, pa, k, pb, n, 0f, pc, n));
            for (Map.Entry<String, Table.Side> peer : peers.entrySet()) {
                peer.getValue().run();
                check(peer.getKey(), session, a, results, pc, (long) m * n);
            }
            String name = "%d thread, %d x %d x %d".formatted(threads, m, k, n);
            table.row(name, 2e-9 * m * k * n, () -> session.call(Map.of("a", a), results), peers);
            packed.close();
        }
    }

    /// Both sides compute the same product.
    private static void check(String peer, Session session, Tensor a, Programs.Reused results, FloatPointer c, long count) {
        float[] ours = session.call(Map.of("a", a), results).outputs().get("c").toFloats();
        for (int i = 0; i < count; i += 97) {
            if (!(Math.abs(ours[i] - c.get(i)) <= 1e-3)) {
                throw new IllegalStateException(peer + " gives " + c.get(i) + " at " + i + ", tfx " + ours[i]);
            }
        }
    }
}
