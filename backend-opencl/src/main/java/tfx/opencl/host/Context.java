package tfx.opencl.host;

import java.nio.IntBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/// The context and the queues of a device, which all programs of the process share. They live as long as it does.
record Context(Device device, long handle, long queue, long profiled) {
    private static final Map<Long, Context> OPEN = new ConcurrentHashMap<>();

    static Context of(Device device) {
        return OPEN.computeIfAbsent(device.id(), id -> open(device));
    }

    private static Context open(Device device) {
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer code = stack.callocInt(1);
            PointerBuffer properties = stack.mallocPointer(3);
            properties
                    .put(0, CL10.CL_CONTEXT_PLATFORM)
                    .put(1, device.platform())
                    .put(2, 0);
            long handle = CL10.clCreateContext(properties, device.id(), null, 0, code);
            Failures.check(code.get(0), device, "be opened");
            long order = device.unordered() ? CL10.CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE : 0;
            long queue = CL10.clCreateCommandQueue(handle, device.id(), order, code);
            Failures.check(code.get(0), device, "make a queue");
            long profiled =
                    CL10.clCreateCommandQueue(handle, device.id(), order | CL10.CL_QUEUE_PROFILING_ENABLE, code);
            Failures.check(code.get(0), device, "make a queue that keeps times");
            return new Context(device, handle, queue, profiled);
        }
    }
}
