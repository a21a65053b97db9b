package tfx.cpu;

import tfx.cpu.code.Expr;

/// Arithmetic on f32 values of one kind: one float, or a vector of them. Emitters written against it give the same
/// bits at every width, since each operation rounds in the same way.
interface Lanes {
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

    /// `2^n * x` for `n` given as the bits that `magic` has below it: see {@link FloatMath#exp}. Exact unless the
    /// result is subnormal.
    Expr scale(Expr x, Expr shifted, int magicBits);

    /// Names a value so that using it twice computes it once.
    Expr let(Expr value);
}
