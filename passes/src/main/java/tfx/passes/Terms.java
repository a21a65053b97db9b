package tfx.passes;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import tfx.ir.BinaryFn;
import tfx.ir.UnaryFn;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;

/// The terms of a sum along an axis, split by the laws that let the sum be carried: what must be summed, and
/// what the finished sum still goes through.
final class Terms {
    private final Predicate<Expr> along;
    private final Collection<String> reductions;
    private final Collection<String> maxima;
    private final DType dtype;
    private final List<Expr> shiftedTerms = new ArrayList<>();
    private final List<UnaryOperator<Expr>> outer = new ArrayList<>();
    private boolean shifted;
    private Expr core;

    private Terms(
            Expr terms, Predicate<Expr> along, Collection<String> reductions, Collection<String> maxima, DType dtype)
            throws Illegal {
        this.dtype = dtype;
        this.along = along;
        this.reductions = reductions;
        this.maxima = maxima;
        this.core = split(terms);
    }

    /// @param along      whether an expression changes along the axis
    /// @param reductions the reductions that terms may depend on
    /// @param maxima     those of them that are maxima
    /// @param dtype      the type of the terms
    static Terms of(
            Expr terms, Predicate<Expr> along, Collection<String> reductions, Collection<String> maxima, DType dtype)
            throws Illegal {
        return new Terms(terms, along, reductions, maxima, dtype);
    }

    /// What must be summed; it depends on reductions by exp-shift only.
    Expr core() {
        return core;
    }

    /// The `t` of each factor `exp(t - m)`.
    List<Expr> shiftedTerms() {
        return shiftedTerms;
    }

    /// Whether the core depends on a maximum.
    boolean shifted() {
        return shifted;
    }

    /// What the sum of the terms is, given the sum of the core.
    Expr finish(Expr sum) {
        Expr value = sum;
        for (UnaryOperator<Expr> step : outer.reversed()) {
            value = step.apply(value);
        }
        return value;
    }

    private boolean free(Expr expr) {
        return Exprs.refs(expr).stream().noneMatch(reductions::contains);
    }

    private static boolean isZero(Expr expr) {
        return expr instanceof Kernel.Constant c && c.value().doubleValue() == 0;
    }

    private Expr split(Expr e) throws Illegal {
        if (free(e)) {
            return e;
        }
        switch (e) {
            case Kernel.Binary b
            when b.fn() == BinaryFn.MUL -> {
                if (!along.test(b.b())) {
                    outer.add(x -> new Kernel.Binary(BinaryFn.MUL, x, b.b()));
                    return split(b.a());
                }
                if (!along.test(b.a())) {
                    outer.add(x -> new Kernel.Binary(BinaryFn.MUL, b.a(), x));
                    return split(b.b());
                }
                if (shifted) {
                    throw new Illegal("a product of two shifted factors");
                }
                Expr left = split(b.a());
                boolean once = shifted;
                shifted = false;
                Expr right = split(b.b());
                if (once && shifted) {
                    throw new Illegal("a product of two shifted factors");
                }
                shifted |= once;
                return new Kernel.Binary(BinaryFn.MUL, left, right);
            }
            case Kernel.Binary b
            when b.fn() == BinaryFn.DIV && !along.test(b.b()) -> {
                outer.add(x -> new Kernel.Binary(BinaryFn.DIV, x, b.b()));
                return split(b.a());
            }
            case Kernel.Select s
            when isZero(s.b()) && free(s.condition()) -> {
                return new Kernel.Select(s.condition(), split(s.a()), s.b());
            }
            case Kernel.Select s
            when isZero(s.a()) && !along.test(s.condition()) -> {
                outer.add(x -> new Kernel.Select(s.condition(), s.a(), x));
                return split(s.b());
            }
            case Kernel.Select s
            when isZero(s.b()) && !along.test(s.condition()) -> {
                outer.add(x -> new Kernel.Select(s.condition(), x, s.b()));
                return split(s.a());
            }
            case Kernel.Unary u
            when u.fn() == UnaryFn.EXP && isShift(u.x()) -> {
                shifted = true;
                Kernel.Binary shift = (Kernel.Binary) u.x();
                shiftedTerms.add(shift.a());
                Expr difference = new Kernel.Binary(BinaryFn.SUB, shift.a(), finite(maximum(shift.b())));
                return new Kernel.Unary(UnaryFn.EXP, new Kernel.Known(Kernel.Fact.NONPOSITIVE, difference));
            }
            default ->
                throw new Illegal(
                        "no law moves a reduction out of " + e.getClass().getSimpleName());
        }
    }

    /// `t - (m where finite, else 0)`, with `t` free of reductions and `m` a maximum. Without the guard a row of
    /// -inf alone is NaN, which a carried sum cannot give.
    private boolean isShift(Expr e) {
        return e instanceof Kernel.Binary b
                && b.fn() == BinaryFn.SUB
                && free(b.a())
                && maximum(b.b()) instanceof Kernel.Ref r
                && maxima.contains(r.name());
    }

    /// The maximum itself, without the guard for rows where it is -inf.
    private Expr maximum(Expr e) {
        return e instanceof Kernel.Select s && finite(s.b()).equals(e) ? s.b() : new Kernel.Constant(dtype, 0.0);
    }

    /// `m`, or 0 while nothing finite was seen: the shift of a carried sum must never be infinite.
    private Expr finite(Expr m) {
        return new Kernel.Select(
                new Kernel.Binary(BinaryFn.EQ, m, new Kernel.Constant(dtype, Double.NEGATIVE_INFINITY)),
                new Kernel.Constant(dtype, 0.0),
                m);
    }
}
