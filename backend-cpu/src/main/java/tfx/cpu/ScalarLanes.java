package tfx.cpu;

import java.util.List;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;

/// One float at a time; conditions are ints.
record ScalarLanes(Method method) implements Lanes {
    private static final Type FLOAT = Type.FLOAT_TYPE;
    private static final Type INT = Type.INT_TYPE;

    /// A call of `java.lang.Math` or another class with static methods.
    static Expr invoke(String owner, String name, Type result, Expr... arguments) {
        Type[] types = new Type[arguments.length];
        for (int i = 0; i < types.length; i++) {
            types[i] = arguments[i].type();
        }
        return invoke(owner, name, result, types, arguments);
    }

    /// A call whose parameter types are not those of the arguments.
    static Expr invoke(String owner, String name, Type result, Type[] types, Expr... arguments) {
        return new Expr.Call(Opcodes.INVOKESTATIC, owner, name, Type.getMethodType(result, types), List.of(arguments));
    }

    static Expr math(String name, Expr... arguments) {
        return invoke("java/lang/Math", name, arguments[0].type(), arguments);
    }

    @Override
    public Expr constant(float value) {
        return new Expr.Literal(value);
    }

    @Override
    public Expr add(Expr a, Expr b) {
        return a.plus(b);
    }

    @Override
    public Expr sub(Expr a, Expr b) {
        return a.minus(b);
    }

    @Override
    public Expr mul(Expr a, Expr b) {
        return a.times(b);
    }

    @Override
    public Expr div(Expr a, Expr b) {
        return new Expr.Arithmetic("/", a, b);
    }

    @Override
    public Expr fma(Expr a, Expr b, Expr c) {
        return math("fma", a, b, c);
    }

    @Override
    public Expr min(Expr a, Expr b) {
        return math("min", a, b);
    }

    @Override
    public Expr max(Expr a, Expr b) {
        return math("max", a, b);
    }

    @Override
    public Expr neg(Expr x) {
        return new Expr.Negate(x);
    }

    @Override
    public Expr abs(Expr x) {
        return math("abs", x);
    }

    @Override
    public Expr sqrt(Expr x) {
        Expr wide = math("sqrt", new Expr.Convert(Type.DOUBLE_TYPE, x));
        return new Expr.Convert(FLOAT, wide);
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
    public Expr not(Expr x) {
        return Expr.literal(1).minus(x);
    }

    @Override
    public Expr choose(Expr condition, Expr a, Expr b) {
        return new Expr.Choose(condition, a, b);
    }

    @Override
    public Expr scale(Expr x, Expr shifted) {
        return ofBits(scaled(x, shifted));
    }

    @Override
    public Expr scale(Expr x, Expr shifted, Expr low) {
        Expr.Local below = method.let("below", low);
        Expr more = new Expr.Choose(below, Expr.literal(RAISED << EXPONENT), Expr.literal(0));
        Expr value = ofBits(scaled(x, shifted).plus(more));
        return value.times(new Expr.Choose(below, constant(LOWERED), constant(1f)));
    }

    private static Expr scaled(Expr x, Expr shifted) {
        return bits(x).plus(new Expr.Arithmetic("<<", bits(shifted), Expr.literal(EXPONENT)));
    }

    private static Expr ofBits(Expr bits) {
        return invoke("java/lang/Float", "intBitsToFloat", FLOAT, bits);
    }

    private static Expr bits(Expr x) {
        return invoke("java/lang/Float", "floatToRawIntBits", INT, x);
    }

    @Override
    public Expr let(Expr value) {
        return method.let("v", value);
    }
}
