package tfx.runtime;

/// Arithmetic that the JDK lacks, with one definition for the evaluator and for compiled programs.
public final class Numbers {
    private static final int ROUNDS = 20;
    private static final int PARITY = 0x1BD11BDA;
    private static final int[] ROTATIONS = {13, 15, 26, 6, 17, 29, 16, 24};

    private Numbers() {}

    // ---- 16-bit floats ----

    /// The float nearest to `value` such that rounding it again, to fewer bits, rounds `value`: inexact results
    /// get an odd last bit (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums").
    private static float toOdd(double value) {
        float near = (float) value;
        if (near == value || Float.isNaN(near) || (Float.floatToRawIntBits(near) & 1) != 0) {
            return near;
        }
        return Float.isInfinite(near)
                ? Math.copySign(Float.MAX_VALUE, near)
                : Math.nextAfter(near, value > near ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY);
    }

    public static short toF16(double value) {
        return Float.floatToFloat16(toOdd(value));
    }

    public static short toF16(float value) {
        return Float.floatToFloat16(value);
    }

    public static float fromF16(short bits) {
        return Float.float16ToFloat(bits);
    }

    public static short toBf16(double value) {
        return toBf16(toOdd(value));
    }

    /// The nearest bf16, ties to even; NaN stays NaN.
    public static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (value != value) {
            return (short) (bits >> 16 | 0x40);
        }
        return (short) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    public static float fromBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    public static float roundF16(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    public static float roundF16(double value) {
        return Float.float16ToFloat(toF16(value));
    }

    public static float roundBf16(float value) {
        return fromBf16(toBf16(value));
    }

    public static float roundBf16(double value) {
        return fromBf16(toBf16(value));
    }

    // ---- functions of floats ----

    public static double erf(double x) {
        return Erf.erf(x);
    }

    /// -1, 0 or 1 with the sign of zero kept; NaN stays.
    public static double sign(double x) {
        return Math.signum(x);
    }

    public static double trunc(double x) {
        return x < 0 ? Math.ceil(x) : Math.floor(x);
    }

    public static double rsqrt(double x) {
        return 1 / Math.sqrt(x);
    }

    public static double log2(double x) {
        double whole = Math.rint(Math.log(x) / Math.log(2));
        return Math.abs(whole) < 1000 && Math.scalb(1.0, (int) whole) == x ? whole : Math.log(x) / Math.log(2);
    }

    public static double exp2(double x) {
        return Math.pow(2, x);
    }

    public static double asinh(double x) {
        double size = Math.abs(x);
        double value = size > 1e150
                ? Math.log(size) + Math.log(2)
                : Math.log1p(size + size * size / (1 + Math.sqrt(size * size + 1)));
        return Math.copySign(value, x);
    }

    public static double acosh(double x) {
        if (x < 1) {
            return Double.NaN; // also where the terms below would cancel
        }
        return x > 1e150 ? Math.log(x) + Math.log(2) : Math.log1p(x - 1 + Math.sqrt((x - 1) * (x + 1)));
    }

    public static double atanh(double x) {
        return Math.copySign(0.5 * Math.log1p(2 * Math.abs(x) / (1 - Math.abs(x))), x);
    }

    /// `1 / (1 + exp(-x))` without overflow on the way.
    public static double sigmoid(double x) {
        if (x >= 0) {
            return 1 / (1 + Math.exp(-x));
        }
        double e = Math.exp(x);
        return e / (1 + e);
    }

    /// `log(exp(a) + exp(b))` without overflow on the way.
    public static double logAddExp(double a, double b) {
        if (a == b) {
            return a + Math.log(2);
        }
        double most = Math.max(a, b);
        return Double.isInfinite(most) || Double.isNaN(most) ? most : most + Math.log1p(Math.exp(-Math.abs(a - b)));
    }

    public static double floorDiv(double a, double b) {
        return Math.floor(a / b);
    }

    /// `a - floor(a / b) * b`: the sign of the divisor.
    public static double floorMod(double a, double b) {
        double rest = a % b;
        return rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
    }

    // ---- integers ----

    public static long floorDiv(long a, long b) {
        return b == 0 ? 0 : Math.floorDiv(a, b);
    }

    public static long floorMod(long a, long b) {
        return b == 0 ? 0 : Math.floorMod(a, b);
    }

    public static long pow(long base, long exponent) {
        long result = 1;
        for (long n = exponent, square = base; n > 0; n >>= 1, square *= square) {
            result *= (n & 1) != 0 ? square : 1;
        }
        return exponent < 0 ? (base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0) : result;
    }

    /// Zeros come in; a distance of the width or more, or below 0, leaves nothing.
    public static long shiftLeft(long value, long by) {
        return by < 0 || by > 63 ? 0 : value << by;
    }

    /// Copies of the sign come in; a distance below 0 counts as very large.
    public static long shiftRight(long value, long by) {
        return value >> (by < 0 || by > 63 ? 63 : by);
    }

    /// Threefry-2x32 with 20 rounds (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): 64 random
    /// bits of a key and a counter, the lower halves being the first words.
    public static long threefry(long key, long counter) {
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        int k2 = PARITY ^ k0 ^ k1;
        int x0 = (int) counter + k0;
        int x1 = (int) (counter >>> 32) + k1;
        for (int round = 0; round < ROUNDS; round++) {
            x0 += x1;
            x1 = Integer.rotateLeft(x1, ROTATIONS[round % 8]) ^ x0;
            if (round % 4 == 3) {
                int injection = round / 4 + 1;
                x0 += injection % 3 == 0 ? k0 : injection % 3 == 1 ? k1 : k2;
                x1 += ((injection + 1) % 3 == 0 ? k0 : (injection + 1) % 3 == 1 ? k1 : k2) + injection;
            }
        }
        return Integer.toUnsignedLong(x0) | (long) x1 << 32;
    }
}
