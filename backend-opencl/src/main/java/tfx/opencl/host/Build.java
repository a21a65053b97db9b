package tfx.opencl.host;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;
import tfx.ir.Span;
import tfx.opencl.ProgramSource;
import tfx.runtime.RunException;

/// Source to a program that the device runs, from the cache where it was built before.
final class Build {
    /// C 1.2 is what every device of today takes; nothing in the source needs more.
    private static final String OPTIONS = "-cl-std=CL1.2 -w";

    private static final int ATTEMPTS = 2;

    private static final Pattern PLACE = Pattern.compile(":(\\d+):(\\d+): (?:(?:fatal )?error: )?(.*)");

    private final Context context;
    private final ProgramSource source;
    private final BinaryCache cache;

    Build(Context context, ProgramSource source, BinaryCache cache) {
        this.context = context;
        this.source = source;
        this.cache = cache;
    }

    /// The program; the caller releases it.
    ///
    /// @throws RunException if the device cannot take it
    long program() {
        requireDoubles();
        String key = BinaryCache.key(context.device().identity() + "\n" + OPTIONS, source.text());
        Optional<Long> known = cache.find(key).flatMap(b -> ofBinary(b, key));
        return known.orElseGet(() -> ofSource(key));
    }

    private void requireDoubles() {
        if (!context.device().doubles()) {
            source.kernels().stream()
                    .filter(ProgramSource.Entry::doubles)
                    .findFirst()
                    .ifPresent(k -> {
                        throw new RunException("OpenCL device '"
                                + context.device().name() + "' does not compute in f64, which" + place(k)
                                + " needs: use f32 there, or another device (tfx devices lists them)");
                    });
        }
    }

    private static String place(ProgramSource.Entry entry) {
        Span span = entry.kernel().span();
        return " kernel " + entry.kernel().name() + (span == Span.NONE ? "" : " of " + span);
    }

    private Optional<Long> ofBinary(byte[] binary, String key) {
        ByteBuffer bytes = MemoryUtil.memAlloc(binary.length);
        try (MemoryStack stack = MemoryStack.stackPush()) {
            bytes.put(0, binary);
            PointerBuffer devices = stack.pointers(context.device().id());
            PointerBuffer sizes = stack.pointers(binary.length);
            PointerBuffer binaries = stack.pointers(MemoryUtil.memAddress(bytes));
            IntBuffer status = stack.callocInt(1);
            IntBuffer code = stack.callocInt(1);
            long program = CL10.clCreateProgramWithBinary(context.handle(), devices, sizes, binaries, status, code);
            if (code.get(0) == CL10.CL_SUCCESS && status.get(0) == CL10.CL_SUCCESS) {
                if (build(program) == CL10.CL_SUCCESS) {
                    return Optional.of(program);
                }
                CL10.clReleaseProgram(program);
            }
            cache.drop(key);
            return Optional.empty();
        } finally {
            MemoryUtil.memFree(bytes);
        }
    }

    private long ofSource(String key) {
        long program;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            program = CL10.clCreateProgramWithSource(context.handle(), source.text(), code);
            Failures.check(code.get(0), context.device(), "take a program");
        }
        int code = build(program);
        if (code != CL10.CL_SUCCESS) {
            String log = log(program);
            CL10.clReleaseProgram(program);
            throw failure(code, log);
        }
        if (cache.folder().isPresent()) {
            binary(program).ifPresent(b -> cache.keep(key, b));
        }
        return program;
    }

    /// A build that a signal hit (see {@link Signals}) is made again; a source that is wrong stays wrong.
    private int build(long program) {
        int code = CL10.CL_BUILD_PROGRAM_FAILURE;
        for (int attempt = 0; attempt < ATTEMPTS && code == CL10.CL_BUILD_PROGRAM_FAILURE; attempt++) {
            code = Signals.keep(
                    () -> CL10.clBuildProgram(program, context.device().id(), OPTIONS, null, 0));
        }
        return code;
    }

    private Optional<byte[]> binary(long program) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer size = stack.callocPointer(1);
            int code = CL10.clGetProgramInfo(program, CL10.CL_PROGRAM_BINARY_SIZES, size, null);
            if (code != CL10.CL_SUCCESS || size.get(0) <= 0 || size.get(0) > Integer.MAX_VALUE) {
                return Optional.empty();
            }
            ByteBuffer bytes = MemoryUtil.memAlloc((int) size.get(0));
            try {
                PointerBuffer into = stack.pointers(MemoryUtil.memAddress(bytes));
                if (CL10.clGetProgramInfo(program, CL10.CL_PROGRAM_BINARIES, into, null) != CL10.CL_SUCCESS) {
                    return Optional.empty();
                }
                byte[] binary = new byte[bytes.remaining()];
                bytes.get(0, binary);
                return Optional.of(binary);
            } finally {
                MemoryUtil.memFree(bytes);
            }
        }
    }

    private String log(long program) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer size = stack.callocPointer(1);
            long device = context.device().id();
            CL10.clGetProgramBuildInfo(program, device, CL10.CL_PROGRAM_BUILD_LOG, (ByteBuffer) null, size);
            ByteBuffer text = MemoryUtil.memCalloc((int) Math.max(1, size.get(0)));
            try {
                CL10.clGetProgramBuildInfo(program, device, CL10.CL_PROGRAM_BUILD_LOG, text, null);
                byte[] bytes = new byte[text.remaining()];
                text.get(0, bytes);
                return new String(bytes, StandardCharsets.UTF_8)
                        .replace("\0", "")
                        .strip();
            } finally {
                MemoryUtil.memFree(text);
            }
        }
    }

    /// What the compiler of the device said, with the place in the tfx source instead of that in ours.
    private RunException failure(int code, String log) {
        String message = "OpenCL device '" + context.device().name() + "' cannot build the program: "
                + Failures.name(code) + "; update its driver, or choose another device (tfx devices lists them)";
        Matcher place = PLACE.matcher(log);
        if (place.find()) {
            int line = Integer.parseInt(place.group(1));
            message += source.kernels().stream()
                    .filter(k -> k.first() <= line && line <= k.last())
                    .findFirst()
                    .map(k -> "; in" + place(k))
                    .orElse("");
            String[] lines = source.text().split("\n");
            message += ": " + place.group(3) + (line <= lines.length ? " in '" + lines[line - 1].strip() + "'" : "");
        } else if (!log.isEmpty()) {
            message += ": " + log;
        }
        return new RunException(message);
    }
}
