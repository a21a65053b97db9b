package tfx.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import tfx.opencl.host.Device;

/// CLBlast's sgemm on a device, through its C interface, with parameters tuned there: its own for the device, or
/// better ones that a random search finds.
final class ClBlast implements AutoCloseable {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final int ROW_MAJOR = 101;
    private static final int PLAIN = 111;
    private static final int SINGLE = 32;
    private static final int TUNING_SIZE = 768;

    private final Device device;
    private final long context;
    private final long queue;
    private final MethodHandle sgemm;
    private final MethodHandle override;

    ClBlast(Device device) {
        this.device = device;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            PointerBuffer properties = stack.mallocPointer(3);
            properties.put(0, CL10.CL_CONTEXT_PLATFORM).put(1, device.platform()).put(2, 0);
            context = CL10.clCreateContext(properties, device.id(), null, 0, code);
            queue = CL10.clCreateCommandQueue(context, device.id(), 0, code);
        }
        SymbolLookup library = SymbolLookup.libraryLookup("libclblast.so.1", Arena.global());
        Linker linker = Linker.nativeLinker();
        sgemm = linker.downcallHandle(
                library.find("CLBlastSgemm").orElseThrow(),
                FunctionDescriptor.of(INT, INT, INT, INT, LONG, LONG, LONG, ValueLayout.JAVA_FLOAT, LONG, LONG, LONG,
                        LONG, LONG, LONG, ValueLayout.JAVA_FLOAT, LONG, LONG, LONG, ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS));
        override = linker.downcallHandle(
                library.find("CLBlastOverrideParameters").orElseThrow(),
                FunctionDescriptor.of(INT, LONG, ValueLayout.ADDRESS, INT, LONG, ValueLayout.ADDRESS,
                        ValueLayout.ADDRESS));
    }

    /// A product whose operands and result stay on the device.
    final class Product implements Table.Side, AutoCloseable {
        private final long a;
        private final long b;
        private final long c;
        private final int m;
        private final int k;
        private final int n;

        Product(float[] left, float[] right, int m, int k, int n) {
            this.m = m;
            this.k = k;
            this.n = n;
            a = buffer(left);
            b = buffer(right);
            c = CL10.clCreateBuffer(context, CL10.CL_MEM_READ_WRITE, 4L * m * n, (IntBuffer) null);
        }

        private long buffer(float[] values) {
            FloatBuffer contents = MemoryUtil.memAllocFloat(values.length).put(values).flip();
            long made = CL10.clCreateBuffer(context, CL10.CL_MEM_COPY_HOST_PTR, contents, (IntBuffer) null);
            MemoryUtil.memFree(contents);
            return made;
        }

        /// The status; 0 is success.
        int status() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment queues = arena.allocateFrom(LONG, queue);
                int status = (int) sgemm.invokeExact(ROW_MAJOR, PLAIN, PLAIN, (long) m, (long) n, (long) k, 1f, a, 0L,
                        (long) k, b, 0L, (long) n, 0f, c, 0L, (long) n, queues, MemorySegment.NULL);
                CL10.clFinish(queue);
                return status;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void run() {
            int status = status();
            if (status != 0) {
                throw new IllegalStateException("CLBlast says " + status);
            }
        }

        float[] result() {
            FloatBuffer contents = MemoryUtil.memAllocFloat(m * n);
            CL10.clEnqueueReadBuffer(queue, c, true, 0, contents, null, null);
            float[] values = new float[m * n];
            contents.get(0, values);
            MemoryUtil.memFree(contents);
            return values;
        }

        @Override
        public void close() {
            CL10.clReleaseMemObject(a);
            CL10.clReleaseMemObject(b);
            CL10.clReleaseMemObject(c);
        }
    }

    private int override(Map<String, Integer> parameters) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment names = arena.allocate(ValueLayout.ADDRESS, parameters.size());
            MemorySegment values = arena.allocate(LONG, parameters.size());
            int i = 0;
            for (Map.Entry<String, Integer> parameter : parameters.entrySet()) {
                names.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(parameter.getKey()));
                values.setAtIndex(LONG, i++, parameter.getValue());
            }
            return (int) override.invokeExact(device.id(), arena.allocateFrom("Xgemm"), SINGLE,
                    (long) parameters.size(), names, values);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// Searches parameters of its large product at random, as its own tuner does.
    void tune(int tries) throws Exception {
        Random random = new Random(11);
        float[] square = Programs.random(random, TUNING_SIZE * TUNING_SIZE);
        try (Product product = new Product(square, square, TUNING_SIZE, TUNING_SIZE, TUNING_SIZE)) {
            product.run();
            double own = Table.time(product);
            double best = own;
            Map<String, Integer> found = Map.of();
            for (int i = 0; i < tries; i++) {
                Map<String, Integer> parameters = parameters(random);
                if (override(parameters) == 0 && product.status() == 0) {
                    double time = Table.time(product);
                    if (time < best) {
                        best = time;
                        found = parameters;
                    }
                }
            }
            double flops = 2e-6 * TUNING_SIZE * TUNING_SIZE * TUNING_SIZE;
            System.out.printf("CLBlast at %d: %.1f GFLOP/s with its own parameters, %.1f tuned by %d tries: %s%n",
                    TUNING_SIZE, flops / own, flops / best, tries, found);
            if (!found.isEmpty()) {
                override(found);
            }
        }
    }

    private static int pick(Random random, int... from) {
        return from[random.nextInt(from.length)];
    }

    /// A legal choice, by the rules of its kernel.
    private static Map<String, Integer> parameters(Random random) {
        while (true) {
            int mwg = pick(random, 16, 32, 64, 128);
            int nwg = pick(random, 16, 32, 64, 128);
            int kwg = pick(random, 16, 32);
            int mdimc = pick(random, 1, 2, 4, 8, 16);
            int ndimc = pick(random, 1, 2, 4, 8, 16);
            int vwm = pick(random, 1, 2, 4, 8);
            int vwn = pick(random, 1, 2, 4, 8);
            int sa = pick(random, 0, 1);
            int sb = pick(random, 0, 1);
            int mdima = sa == 0 ? mdimc : pick(random, 4, 8, 16);
            int ndimb = sb == 0 ? ndimc : pick(random, 4, 8, 16);
            boolean legal = mwg % (mdimc * vwm) == 0
                    && nwg % (ndimc * vwn) == 0
                    && mwg % (mdima * vwm) == 0
                    && nwg % (ndimb * vwn) == 0
                    && mdimc * ndimc % mdima == 0
                    && mdimc * ndimc % ndimb == 0
                    && kwg % (mdimc * ndimc / mdima) == 0
                    && kwg % (mdimc * ndimc / ndimb) == 0
                    && (mwg / mdimc) * (nwg / ndimc) <= 256;
            if (legal) {
                Map<String, Integer> all = new LinkedHashMap<>();
                all.put("GEMMK", 0);
                all.put("KREG", 1);
                all.put("KWG", kwg);
                all.put("KWI", 2);
                all.put("MDIMA", mdima);
                all.put("MDIMC", mdimc);
                all.put("MWG", mwg);
                all.put("NDIMB", ndimb);
                all.put("NDIMC", ndimc);
                all.put("NWG", nwg);
                all.put("SA", sa);
                all.put("SB", sb);
                all.put("STRM", 0);
                all.put("STRN", 0);
                all.put("VWM", vwm);
                all.put("VWN", vwn);
                return all;
            }
        }
    }

    @Override
    public void close() {
        CL10.clReleaseCommandQueue(queue);
        CL10.clReleaseContext(context);
    }
}
