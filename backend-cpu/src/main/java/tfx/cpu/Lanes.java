package tfx.cpu;

import tfx.cpu.code.Expr;
import tfx.ir.kernel.FloatLanes;

/// Bytecode for one float, or for a vector of them.
interface Lanes extends FloatLanes<Expr> {
    Expr min(Expr a, Expr b);

    Expr max(Expr a, Expr b);

    Expr neg(Expr x);

    Expr abs(Expr x);

    Expr sqrt(Expr x);

    Expr and(Expr a, Expr b);

    Expr or(Expr a, Expr b);

    Expr not(Expr x);
}
