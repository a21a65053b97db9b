package tfx.ir.kernel;

/// Arithmetic on f32 values of one kind, as code of some target: one float, or a vector of them. What is written
/// against it gives the same bits at every width, since each operation rounds in the same way.
///
/// @param <E> code for a value or a condition
public interface FloatLanes<E> {
    /// The lowest bit of the exponent of an f32.
    int EXPONENT = 23;

    /// By how much {@link #scale} raises low exponents, and what takes that back.
    int RAISED = 64;

    float LOWERED = 0x1p-64f;

    E constant(float value);

    E add(E a, E b);

    E sub(E a, E b);

    E mul(E a, E b);

    E div(E a, E b);

    /// `a * b + c`, rounded once.
    E fma(E a, E b, E c);

    /// A condition, by operator: `== != < <= > >=`.
    E compare(String operator, E a, E b);

    E choose(E condition, E a, E b);

    /// `2^n * x` for x around 1 and `n` as the low bits of `shifted`, which is 1.5 * 2^23 + n: n is added to the
    /// exponent of x. Exact; the result must be normal.
    E scale(E x, E shifted);

    /// The same for results that may be subnormal: where `low`, which one below 2^-100 must be, it goes by way of
    /// 2^64 times the result. Exact but for that.
    E scale(E x, E shifted, E low);

    /// Names a value so that using it twice computes it once.
    E let(E value);
}
