package tfx.ir.kernel;

/// Transcendental functions of f32 as arithmetic that is the same for one float and for a vector, on every
/// target. The JDK's own differ between interpreted and compiled code in their last bits, and those of OpenCL
/// from device to device; these do not.
public final class FloatMath {
    /// Adding and subtracting it rounds to the nearest integer, which then stands in the low bits.
    private static final float MAGIC = 12582912f;

    private static final float WHOLE = 0x1p23f; // from here on, floats are integers
    private static final float LOG2_E = (float) (1 / Math.log(2));
    private static final float LN2_HIGH = 0.693359375f; // exact in 10 bits: n * LN2_HIGH is exact
    private static final float LN2_LOW = (float) (Math.log(2) - 0.693359375);
    private static final float SMALLEST = -104f; // from here down, exp is 0
    private static final float LOW = -80f; // below, exp may be subnormal
    private static final float LARGEST = 88.72283f; // above, exp is infinite

    /// `e^r` for |r| <= 0.35: a minimax fit made for this file, relative error below 5e-9.
    private static final float[] EXP = {1f, 1f, 0.49999994f, 0.16666515f, 0.041668456f, 0.008369419f, 0.0013813145f};

    /// Minimax fits made for this file, lowest order first: f(x) = x P(x^2) / Q(x^2), relative error of the fit
    /// below 3e-8 for erf on [0, 4] and 4e-11 for tanh on [0, 9].
    private static final float[] ERF_P = {
        1.1283791065216064f,
        0.1935436874628067f,
        0.0531015582382679f,
        0.003883282421156764f,
        0.0002845641574822366f,
        1.9867889022862073e-06f
    };

    private static final float[] ERF_Q = {
        1f,
        0.5048561692237854f,
        0.1153494268655777f,
        0.015207129530608654f,
        0.0011855554766952991f,
        3.742014814633876e-05f
    };
    private static final float[] TANH_P = {
        1f,
        0.1409994512796402f,
        0.004426929634064436f,
        4.229907426633872e-05f,
        1.1132227939469885e-07f,
        3.683628749251433e-11f
    };
    private static final float[] TANH_Q = {
        1f,
        0.4743327796459198f,
        0.02920452319085598f,
        0.0005010229651816189f,
        2.6062139113491867e-06f,
        2.956615174909416e-09f
    };

    private FloatMath() {}

    /// `e^x`: `x = n ln 2 + r`, and a polynomial for `e^r`.
    public static <E> E exp(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(atLeast(lanes, lanes.let(argument), SMALLEST));
        E shifted = lanes.let(lanes.fma(x, lanes.constant(LOG2_E), lanes.constant(MAGIC)));
        E n = lanes.let(lanes.sub(shifted, lanes.constant(MAGIC)));
        E r = remainder(lanes, x, n);
        E value = lanes.scale(horner(lanes, r, EXP), shifted, lanes.compare("<", x, lanes.constant(LOW)));
        E beyond = lanes.add(x, lanes.constant(Float.POSITIVE_INFINITY)); // NaN for NaN, whatever its bits
        return lanes.choose(lanes.compare("<=", x, lanes.constant(LARGEST)), value, beyond);
    }

    /// `e^x` for x that is not above 0, the same bits in fewer operations: `2^64 e^x` is a normal number for all
    /// that are not rounded to 0. NaN stays by the last addition, of `n - n`.
    public static <E> E expOfNonpositive(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(argument);
        E magic = lanes.constant(MAGIC + FloatLanes.RAISED);
        E shifted = lanes.let(lanes.fma(x, lanes.constant(LOG2_E), magic));
        E n = lanes.let(lanes.sub(shifted, magic));
        E raised = lanes.scale(horner(lanes, remainder(lanes, x, n), EXP), shifted);
        E value = lanes.fma(raised, lanes.constant(FloatLanes.LOWERED), lanes.sub(n, n));
        return lanes.choose(lanes.compare("<", x, lanes.constant(SMALLEST)), lanes.constant(0f), value);
    }

    /// `x - n ln 2`.
    private static <E> E remainder(FloatLanes<E> lanes, E x, E n) {
        E high = lanes.fma(n, lanes.constant(-LN2_HIGH), x);
        return lanes.let(lanes.fma(n, lanes.constant(-LN2_LOW), high));
    }

    /// `1 / (1 + e^-x)`, by the exponential that does not overflow.
    public static <E> E sigmoid(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(argument);
        E zero = lanes.constant(0f);
        E one = lanes.constant(1f);
        E e = lanes.let(expOfNonpositive(lanes, lanes.choose(lanes.compare("<", x, zero), x, lanes.sub(zero, x))));
        return lanes.div(lanes.choose(lanes.compare("<", x, zero), e, one), lanes.add(one, e));
    }

    /// The nearest integer, of two the even one: from 2^23 on, no float has a fraction.
    public static <E> E round(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(argument);
        E negative = lanes.compare("<", x, lanes.constant(0f));
        E shift = lanes.let(lanes.choose(negative, lanes.constant(-WHOLE), lanes.constant(WHOLE)));
        E whole = lanes.let(lanes.sub(lanes.add(x, shift), shift));
        E small = lanes.compare("<", lanes.mul(x, x), lanes.constant(WHOLE * WHOLE));
        return lanes.choose(small, signedZero(lanes, whole, x), x);
    }

    public static <E> E floor(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(argument);
        E whole = lanes.let(round(lanes, x));
        return lanes.choose(lanes.compare(">", whole, x), lanes.sub(whole, lanes.constant(1f)), whole);
    }

    public static <E> E ceil(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(argument);
        E whole = lanes.let(round(lanes, x));
        E next = lanes.choose(lanes.compare("<", whole, x), lanes.add(whole, lanes.constant(1f)), whole);
        return signedZero(lanes, lanes.let(next), x);
    }

    public static <E> E trunc(FloatLanes<E> lanes, E argument) {
        E x = lanes.let(argument);
        return lanes.choose(lanes.compare("<", x, lanes.constant(0f)), ceil(lanes, x), floor(lanes, x));
    }

    /// `value`, whose zeros take the sign of `x`.
    private static <E> E signedZero(FloatLanes<E> lanes, E value, E x) {
        E zero = lanes.constant(0f);
        return lanes.choose(lanes.compare("==", value, zero), lanes.mul(x, zero), value);
    }

    public static <E> E erf(FloatLanes<E> lanes, E x) {
        return odd(lanes, x, 4f, ERF_P, ERF_Q);
    }

    public static <E> E tanh(FloatLanes<E> lanes, E x) {
        return odd(lanes, x, 9f, TANH_P, TANH_Q);
    }

    /// An odd function that is 1 from `limit` on, as `x P(x^2) / Q(x^2)`.
    private static <E> E odd(FloatLanes<E> lanes, E argument, float limit, float[] p, float[] q) {
        E x = lanes.let(between(lanes, lanes.let(argument), limit));
        E square = lanes.let(lanes.mul(x, x));
        E value = lanes.div(lanes.mul(x, horner(lanes, square, p)), horner(lanes, square, q));
        return between(lanes, lanes.let(value), 1f);
    }

    private static <E> E between(FloatLanes<E> lanes, E x, float limit) {
        E least = lanes.let(atLeast(lanes, x, -limit));
        return lanes.choose(lanes.compare(">", least, lanes.constant(limit)), lanes.constant(limit), least);
    }

    /// A comparison and a choice, which are two instructions; a maximum that keeps NaN is six.
    private static <E> E atLeast(FloatLanes<E> lanes, E x, float limit) {
        return lanes.choose(lanes.compare("<", x, lanes.constant(limit)), lanes.constant(limit), x);
    }

    private static <E> E horner(FloatLanes<E> lanes, E x, float[] coefficients) {
        E sum = lanes.constant(coefficients[coefficients.length - 1]);
        for (int i = coefficients.length - 2; i >= 0; i--) {
            sum = lanes.fma(sum, x, lanes.constant(coefficients[i]));
        }
        return sum;
    }
}
