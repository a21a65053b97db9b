package tfx.cpu;

import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.ir.kernel.Intervals;
import tfx.ir.kernel.Kernel;
import tfx.runtime.Dim;

/// Bytecode that bounds conditions over blocks, in the method that walks the tasks.
record BlockEmitter(Stage driver) implements Intervals.Writer<Expr> {
    private static final String SUPPORT = "tfx/runtime/program/Support";

    @Override
    public Expr number(long value) {
        return Expr.literal(value);
    }

    @Override
    public Expr truth(boolean value) {
        return Expr.literal(value ? 1 : 0);
    }

    @Override
    public Expr plus(Expr a, Expr b) {
        return a.plus(b);
    }

    @Override
    public Expr minus(Expr a, Expr b) {
        return a.minus(b);
    }

    @Override
    public Expr times(Expr a, Expr b) {
        return a.times(b);
    }

    @Override
    public Expr min(Expr a, Expr b) {
        return ScalarLanes.math("min", a, b);
    }

    @Override
    public Expr max(Expr a, Expr b) {
        return ScalarLanes.math("max", a, b);
    }

    @Override
    public Expr floorDiv(Expr a, Expr b) {
        return ScalarLanes.math("floorDiv", a, b);
    }

    @Override
    public Expr floorMod(Expr a, Expr b) {
        return ScalarLanes.math("floorMod", a, b);
    }

    @Override
    public Expr compare(String operator, Expr a, Expr b) {
        return new Expr.Compare(operator, a, b);
    }

    @Override
    public Expr and(Expr a, Expr b) {
        return new Expr.Arithmetic("&", a, b);
    }

    @Override
    public Expr or(Expr a, Expr b) {
        return new Expr.Arithmetic("|", a, b);
    }

    @Override
    public Expr not(Expr truth) {
        return Expr.literal(1).minus(truth);
    }

    @Override
    public Expr choose(Expr truth, Expr a, Expr b) {
        return new Expr.Choose(truth, a, b);
    }

    @Override
    public Expr dim(Dim dim) {
        return driver.dim(dim);
    }

    @Override
    public boolean hasEnds(String axis) {
        return driver.isBound(axis + ".first");
    }

    @Override
    public Expr let(Expr value) {
        return value instanceof Expr.Literal ? value : driver.method.let("b", value);
    }

    @Override
    public Expr extreme(Kernel.Buffer buffer, Dim from, Dim count, boolean greatest) {
        String name = greatest ? "greatest" : "least";
        return ScalarLanes.invoke(
                SUPPORT,
                name,
                Type.LONG_TYPE,
                driver.address(buffer, from),
                driver.dim(count).asInt());
    }

    @Override
    public Expr holds(Kernel.Buffer buffer, Dim from, Dim count, boolean any) {
        Type[] types = {Type.LONG_TYPE, Type.INT_TYPE, Type.BOOLEAN_TYPE};
        return ScalarLanes.invoke(
                SUPPORT,
                "holds",
                Type.INT_TYPE,
                types,
                driver.address(buffer, from),
                driver.dim(count).asInt(),
                Expr.literal(any ? 1 : 0));
    }
}
