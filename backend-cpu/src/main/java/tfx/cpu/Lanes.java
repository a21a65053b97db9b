package tfx.cpu;

import tfx.cpu.code.Expr;

/// Arithmetic on f32 values of one kind: one float, or a vector of them. Emitters written against it give the same
/// bits at every width, since each operation rounds in the same way.
interface Lanes {
    /// The lowest bit of the exponent of an f32.
    int EXPONENT = 23;

    /// By how much {@link #scale} raises low exponents, and what takes that back.
    int RAISED = 64;

    float LOWERED = 0x1p-64f;

    Expr constant(float value);

    Expr add(Expr a, Expr b);

    Expr sub(Expr a, Expr b);

    Expr mul(Expr a, Expr b);

    Expr div(Expr a, Expr b);

    /// `a * b + c`, rounded once.
    Expr fma(Expr a, Expr b, Expr c);

    Expr min(Expr a, Expr b);

    Expr max(Expr a, Expr b);

    Expr neg(Expr x);

    Expr abs(Expr x);

    Expr sqrt(Expr x);

    /// A condition, by operator: `== != < <= > >=`.
    Expr compare(String operator, Expr a, Expr b);

    Expr and(Expr a, Expr b);

    Expr or(Expr a, Expr b);

    Expr not(Expr x);

    Expr choose(Expr condition, Expr a, Expr b);

    /// `2^n * x` for x around 1 and `n` as the low bits of `shifted`, which is 1.5 * 2^23 + n: n is added to the
    /// exponent of x. Where `low`, which a result below 2^-100 must be, that goes by way of 2^64 times the result,
    /// so that it may be subnormal. Exact but for that.
    Expr scale(Expr x, Expr shifted, Expr low);

    /// Names a value so that using it twice computes it once.
    Expr let(Expr value);
}
