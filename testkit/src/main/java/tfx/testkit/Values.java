package tfx.testkit;

import java.util.Random;
import tfx.ir.graph.Nd;
import tfx.runtime.DType;

/// Random tensors, with the values that break things among them.
public final class Values {
    private static final double[] SPECIAL_FLOATS = {
        0,
        -0.0,
        1,
        -1,
        0.5,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        1e30,
        -1e30,
        1e-30,
        88.5,
        -87.5,
        -100,
        104
    };
    private static final long[] SPECIAL_INTEGERS = {
        0, 1, -1, 2, -7, 127, -128, 255, 31, 64, Integer.MAX_VALUE, Integer.MIN_VALUE
    };

    private Values() {}

    /// Small values: floats between -2 and 2, integers between -5 and 5.
    public static Nd small(Random random, DType dtype, long... shape) {
        Nd nd = Nd.zeros(dtype, shape);
        for (int i = 0; i < nd.count(); i++) {
            if (dtype.isFloat()) {
                nd.floats()[i] = dtype.round(random.nextDouble() * 4 - 2);
            } else {
                nd.longs()[i] = dtype == DType.BOOL ? random.nextInt(2) : dtype.wrap(random.nextInt(11) - 5);
            }
        }
        return nd;
    }

    /// Values of any size, every fourth a special one.
    public static Nd wild(Random random, DType dtype, long... shape) {
        Nd nd = small(random, dtype, shape);
        for (int i = 0; i < nd.count(); i++) {
            if (random.nextInt(4) == 0 && dtype != DType.BOOL) {
                if (dtype.isFloat()) {
                    nd.floats()[i] = dtype.round(SPECIAL_FLOATS[random.nextInt(SPECIAL_FLOATS.length)]);
                } else {
                    nd.longs()[i] = dtype.wrap(SPECIAL_INTEGERS[random.nextInt(SPECIAL_INTEGERS.length)]);
                }
            }
        }
        return nd;
    }
}
