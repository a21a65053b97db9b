package tfx.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import tfx.compiler.Session;

/// Tensors of PyTorch over our memory, and its last result.
final class Torch {
    private static Tensor last;

    private Torch() {}

    private static final class At extends Pointer {
        At(long address) {
            this.address = address;
        }
    }

    static Tensor blob(MemorySegment data, long... shape) {
        return torch.from_blob(new At(data.address()), shape);
    }

    /// Holds a result until the next.
    static void keep(Tensor result) {
        if (last != null) {
            last.close();
        }
        last = result.retainReference();
    }

    /// Fails where the program's result `y` is not what the peer computes.
    static void check(
            String name,
            Session session,
            Map<String, tfx.runtime.Tensor> inputs,
            Programs.Reused results,
            Table.Side peer)
            throws Exception {
        peer.run();
        MemorySegment theirs = MemorySegment.ofAddress(last.data_ptr_float().address()).reinterpret(4 * last.numel());
        MemorySegment ours = session.call(inputs, results).outputs().get("y").data();
        for (long i = 0; i < last.numel(); i += 97) {
            float x = ours.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            float y = theirs.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (!(Math.abs(x - y) <= 1e-4)) {
                throw new IllegalStateException(name + ": PyTorch gives " + y + " at " + i + ", tfx " + x);
            }
        }
    }
}
