package tfx.opencl.host;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.TreeMap;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.opencl.CL12;
import tfx.runtime.RunException;

/// Status codes of OpenCL as failures of a run.
final class Failures {
    private static final Map<Integer, String> NAMES = new TreeMap<>();

    static {
        for (Class<?> version : new Class<?>[] {CL10.class, CL11.class, CL12.class}) {
            for (Field field : version.getDeclaredFields()) {
                boolean constant = Modifier.isPublic(field.getModifiers()) && field.getType() == int.class;
                try {
                    // Errors are the negative constants.
                    if (constant && field.getInt(null) < 0) {
                        NAMES.putIfAbsent(field.getInt(null), field.getName());
                    }
                } catch (IllegalAccessException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }

    private Failures() {}

    static String name(int code) {
        return NAMES.getOrDefault(code, "OpenCL error " + code);
    }

    /// Throws if a call failed.
    ///
    /// @param what it was to do, for the message
    static void check(int code, Device device, String what) {
        if (code == CL10.CL_SUCCESS) {
            return;
        }
        boolean memory = code == CL10.CL_MEM_OBJECT_ALLOCATION_FAILURE
                || code == CL10.CL_OUT_OF_RESOURCES
                || code == CL10.CL_OUT_OF_HOST_MEMORY
                || code == CL10.CL_INVALID_BUFFER_SIZE;
        String fix = memory
                ? "; the device has " + Device.amount(device.memory()) + ", at most " + Device.amount(device.largest())
                        + " in one piece: make the input smaller, or choose another device (tfx devices lists them)"
                : "";
        throw new RunException("OpenCL device '" + device.name() + "' cannot " + what + ": " + name(code) + fix);
    }
}
