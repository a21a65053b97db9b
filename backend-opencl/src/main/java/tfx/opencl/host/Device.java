package tfx.opencl.host;

import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.CL12;
import org.lwjgl.system.Configuration;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.Platform;
import tfx.opencl.Group;
import tfx.runtime.RunException;

/// An OpenCL device, and what matters of it.
///
/// @param number    by which `--device` names it
/// @param version   the OpenCL version
/// @param units     compute units
/// @param clock     in MHz
/// @param memory    in bytes
/// @param largest   bytes of the largest buffer
/// @param local     bytes of memory that the work-items of a group share
/// @param group     most work-items of a group
/// @param width     floats in a native vector
/// @param doubles   whether it computes in f64
/// @param halves    whether it computes in f16 (storing it needs nothing)
/// @param subgroups whether work-items of a group exchange values without memory
/// @param unified   whether it shares the host's memory
/// @param unordered whether commands wait for events alone, not for each other
public record Device(
        int number,
        long platform,
        long id,
        String platformName,
        String platformVersion,
        String name,
        String version,
        String driver,
        Kind kind,
        int units,
        int clock,
        long memory,
        long largest,
        long local,
        int group,
        int width,
        boolean doubles,
        boolean halves,
        boolean subgroups,
        boolean unified,
        boolean unordered) {
    /// What a device is.
    public enum Kind {
        CPU,
        GPU,
        ACCELERATOR
    }

    private static final int GPU_ITEMS = 256;
    private static final String INSTALL = "install the loader and a driver: on Debian and Ubuntu"
            + " 'apt-get install ocl-icd-libopencl1 pocl-opencl-icd' (PoCL runs on any processor); on other systems the"
            + " GPU vendor's driver, or PoCL from the system's packages";

    /// The loader on Linux, by the name that programs need. The one without a number, which LWJGL looks for, is
    /// there where programs are built, if at all.
    private static final String LIBRARY = "libOpenCL.so.1";

    /// What to say where there is none.
    public static final String NONE = "there is no OpenCL device: the loader finds no driver; " + INSTALL;

    private static List<Device> known = List.of();

    /// All devices of all platforms, in the order that the loader gives them.
    ///
    /// @throws RunException if there is no OpenCL loader
    public static synchronized List<Device> list() {
        if (known.isEmpty()) {
            known = List.copyOf(Signals.keep(Device::find));
        }
        return known;
    }

    private static List<Device> find() {
        if (Platform.get() == Platform.LINUX && Configuration.OPENCL_LIBRARY_NAME.get() == null) {
            Configuration.OPENCL_LIBRARY_NAME.set(LIBRARY);
        }
        try {
            CL.getFunctionProvider();
        } catch (LinkageError | IllegalStateException e) {
            throw new RunException("there is no OpenCL loader on this machine (libOpenCL); " + INSTALL, e);
        }
        List<Device> devices = new ArrayList<>();
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer count = stack.callocInt(1);
            // Without any driver, loaders answer with an error of their own.
            if (CL10.clGetPlatformIDs(null, count) != CL10.CL_SUCCESS || count.get(0) == 0) {
                return devices;
            }
            PointerBuffer platforms = stack.mallocPointer(count.get(0));
            CL10.clGetPlatformIDs(platforms, (IntBuffer) null);
            for (int p = 0; p < platforms.capacity(); p++) {
                long platform = platforms.get(p);
                CL.createPlatformCapabilities(platform);
                if (CL10.clGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, null, count) != CL10.CL_SUCCESS) {
                    continue;
                }
                PointerBuffer ids = stack.mallocPointer(count.get(0));
                CL10.clGetDeviceIDs(platform, CL10.CL_DEVICE_TYPE_ALL, ids, (IntBuffer) null);
                for (int d = 0; d < ids.capacity(); d++) {
                    devices.add(of(devices.size(), platform, ids.get(d)));
                }
            }
        }
        return devices;
    }

    /// The device with this number.
    ///
    /// @throws RunException if there is none
    public static Device choose(int number) {
        List<Device> devices = list();
        if (devices.isEmpty()) {
            throw new RunException(NONE);
        }
        if (number < 0 || number >= devices.size()) {
            throw new RunException("there is no OpenCL device " + number + "; there "
                    + (devices.size() == 1 ? "is only device 0" : "are devices 0 to " + (devices.size() - 1))
                    + " (tfx devices lists them)");
        }
        return devices.get(number);
    }

    private static Device of(int number, long platform, long id) {
        String extensions = " " + text(id, CL10.CL_DEVICE_EXTENSIONS) + " ";
        long type = number64(id, CL10.CL_DEVICE_TYPE);
        Kind kind = (type & CL10.CL_DEVICE_TYPE_CPU) != 0
                ? Kind.CPU
                : (type & CL10.CL_DEVICE_TYPE_GPU) != 0 ? Kind.GPU : Kind.ACCELERATOR;
        long queue = number64(id, CL10.CL_DEVICE_QUEUE_PROPERTIES);
        return new Device(
                number,
                platform,
                id,
                platformText(platform, CL10.CL_PLATFORM_NAME),
                platformText(platform, CL10.CL_PLATFORM_VERSION),
                text(id, CL10.CL_DEVICE_NAME),
                text(id, CL10.CL_DEVICE_VERSION),
                text(id, CL10.CL_DRIVER_VERSION),
                kind,
                number32(id, CL10.CL_DEVICE_MAX_COMPUTE_UNITS),
                number32(id, CL10.CL_DEVICE_MAX_CLOCK_FREQUENCY),
                number64(id, CL10.CL_DEVICE_GLOBAL_MEM_SIZE),
                number64(id, CL10.CL_DEVICE_MAX_MEM_ALLOC_SIZE),
                number64(id, CL10.CL_DEVICE_LOCAL_MEM_SIZE),
                (int) Math.min(Integer.MAX_VALUE, number64(id, CL10.CL_DEVICE_MAX_WORK_GROUP_SIZE)),
                number32(id, CL11.CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT),
                number64(id, CL12.CL_DEVICE_DOUBLE_FP_CONFIG) != 0,
                extensions.contains(" cl_khr_fp16 "),
                extensions.contains(" cl_khr_subgroups "),
                number32(id, CL11.CL_DEVICE_HOST_UNIFIED_MEMORY) != 0,
                (queue & CL10.CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0);
    }

    private static String text(long id, int what) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer size = stack.callocPointer(1);
            CL10.clGetDeviceInfo(id, what, (ByteBuffer) null, size);
            ByteBuffer value = stack.calloc((int) Math.max(1, size.get(0)));
            CL10.clGetDeviceInfo(id, what, value, null);
            return trimmed(value);
        }
    }

    private static String platformText(long platform, int what) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer size = stack.callocPointer(1);
            CL10.clGetPlatformInfo(platform, what, (ByteBuffer) null, size);
            ByteBuffer value = stack.calloc((int) Math.max(1, size.get(0)));
            CL10.clGetPlatformInfo(platform, what, value, null);
            return trimmed(value);
        }
    }

    private static String trimmed(ByteBuffer value) {
        byte[] bytes = new byte[value.remaining()];
        value.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8).replace("\0", "").strip();
    }

    /// A number of 4 or 8 bytes; 0 where the device knows no such.
    private static long number64(long id, int what) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            ByteBuffer value = stack.calloc(8);
            CL10.clGetDeviceInfo(id, what, value, null);
            return value.getLong(0);
        }
    }

    private static int number32(long id, int what) {
        return (int) number64(id, what);
    }

    /// How tasks run on it: on a processor one work-item with vectors, elsewhere many.
    public Group tasks() {
        if (kind == Kind.CPU) {
            return new Group(1, width >= 16 ? 16 : width >= 8 ? 8 : 4, doubles);
        }
        return new Group(Integer.highestOneBit(Math.min(GPU_ITEMS, group)), 1, doubles);
    }

    /// Whether groups that have begun go on while others wait for what they do. OpenCL promises it of none; on
    /// processors they are threads.
    boolean keepsRunning() {
        return kind == Kind.CPU;
    }

    /// The binary of a program fits only what this says.
    String identity() {
        return String.join("\n", platformName, platformVersion, name, version, driver);
    }

    /// Bytes for people.
    public static String amount(long bytes) {
        return bytes >= 1L << 30
                ? String.format(Locale.ROOT, "%.1f GiB", bytes / 0x1p30)
                : bytes >= 1L << 20
                        ? String.format(Locale.ROOT, "%.0f MiB", bytes / 0x1p20)
                        : String.format(Locale.ROOT, "%.0f KiB", bytes / 0x1p10);
    }
}
