package tfx.cpu;

import java.util.List;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;

/// Vectors of floats through the Vector API; conditions are masks. The only class that knows the Vector API's
/// names.
record VectorLanes(Method method, int width) implements Lanes {
    private static final String PACKAGE = "jdk/incubator/vector/";
    static final String FLOAT_VECTOR = PACKAGE + "FloatVector";
    private static final String INT_VECTOR = PACKAGE + "IntVector";
    private static final Type FLOATS = Type.getObjectType(FLOAT_VECTOR);
    private static final Type INTS = Type.getObjectType(INT_VECTOR);
    private static final Type VECTOR = Type.getObjectType(PACKAGE + "Vector");
    private static final Type MASK = Type.getObjectType(PACKAGE + "VectorMask");
    private static final Type SPECIES = Type.getObjectType(PACKAGE + "VectorSpecies");
    private static final Type SEGMENT = Type.getType("Ljava/lang/foreign/MemorySegment;");
    private static final Type ORDER = Type.getType("Ljava/nio/ByteOrder;");
    private static final Type FLOAT_ARRAY = Type.getType(float[].class);
    private static final Expr ALL = new Expr.Static("tfx/runtime/program/Support", "ALL", SEGMENT);
    private static final Expr LITTLE = new Expr.Static("tfx/runtime/program/Support", "ORDER", ORDER);

    /// The widest float vector of this machine, in lanes.
    static int nativeWidth() {
        return jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length();
    }

    private Expr species() {
        return new Expr.Static(FLOAT_VECTOR, "SPECIES_" + width * 32, SPECIES);
    }

    private static Expr of(String name, Type result, Expr receiver, Type[] types, Expr... arguments) {
        Expr[] all = new Expr[arguments.length + 1];
        all[0] = receiver;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        boolean mask = receiver.type().equals(MASK);
        String owner = receiver.type().getInternalName();
        boolean species = receiver.type().equals(SPECIES);
        return new Expr.Call(
                species ? Opcodes.INVOKEINTERFACE : Opcodes.INVOKEVIRTUAL,
                mask ? PACKAGE + "VectorMask" : owner,
                name,
                Type.getMethodType(result, types),
                List.of(all));
    }

    private static Expr binary(String name, Expr a, Expr b) {
        return of(name, FLOATS, a, new Type[] {VECTOR}, b);
    }

    Expr load(Expr address) {
        return new Expr.Call(
                Opcodes.INVOKESTATIC,
                FLOAT_VECTOR,
                "fromMemorySegment",
                Type.getMethodType(FLOATS, SPECIES, SEGMENT, Type.LONG_TYPE, ORDER),
                List.of(species(), ALL, address, LITTLE));
    }

    Expr store(Expr value, Expr address) {
        return of(
                "intoMemorySegment",
                Type.VOID_TYPE,
                value,
                new Type[] {SEGMENT, Type.LONG_TYPE, ORDER},
                ALL,
                address,
                LITTLE);
    }

    Expr load(Expr array, Expr index) {
        return new Expr.Call(
                Opcodes.INVOKESTATIC,
                FLOAT_VECTOR,
                "fromArray",
                Type.getMethodType(FLOATS, SPECIES, FLOAT_ARRAY, Type.INT_TYPE),
                List.of(species(), array, index));
    }

    private Expr intSpecies() {
        return new Expr.Static(INT_VECTOR, "SPECIES_" + width * 32, SPECIES);
    }

    /// The ints `first`, `first + step`, ...; a step of 0 repeats one.
    Expr integers(Expr first, int step) {
        Expr repeated = new Expr.Call(
                Opcodes.INVOKESTATIC,
                INT_VECTOR,
                "broadcast",
                Type.getMethodType(INTS, SPECIES, Type.INT_TYPE),
                List.of(intSpecies(), first));
        return step == 0 ? repeated : of("addIndex", INTS, repeated, new Type[] {Type.INT_TYPE}, Expr.literal(step));
    }

    /// Ints of memory.
    Expr loadIntegers(Expr address) {
        return new Expr.Call(
                Opcodes.INVOKESTATIC,
                INT_VECTOR,
                "fromMemorySegment",
                Type.getMethodType(INTS, SPECIES, SEGMENT, Type.LONG_TYPE, ORDER),
                List.of(intSpecies(), ALL, address, LITTLE));
    }

    /// `add`, `sub`, `mul`, `min` or `max` of ints.
    Expr integerBinary(String name, Expr a, Expr b) {
        return of(name, INTS, a, new Type[] {VECTOR}, b);
    }

    /// `neg` or `abs` of ints.
    Expr integerUnary(String name, Expr x) {
        return of(name, INTS, x, new Type[0]);
    }

    /// Ints as the nearest floats.
    Expr toFloats(Expr x) {
        Type conversion = Type.getObjectType(PACKAGE + "VectorOperators$Conversion");
        Expr constant = new Expr.Static(PACKAGE + "VectorOperators", "I2F", conversion);
        return new Expr.Cast(
                FLOATS, of("convert", VECTOR, x, new Type[] {conversion, Type.INT_TYPE}, constant, Expr.literal(0)));
    }

    /// The mask of a comparison of ints, for floats.
    Expr compareIntegers(String operator, Expr a, Expr b) {
        return of("cast", MASK, compare(operator, a, b), new Type[] {SPECIES}, species());
    }

    Expr store(Expr value, Expr array, Expr index) {
        return of("intoArray", Type.VOID_TYPE, value, new Type[] {FLOAT_ARRAY, Type.INT_TYPE}, array, index);
    }

    Expr broadcast(Expr value) {
        return new Expr.Call(
                Opcodes.INVOKESTATIC,
                FLOAT_VECTOR,
                "broadcast",
                Type.getMethodType(FLOATS, SPECIES, Type.FLOAT_TYPE),
                List.of(species(), value));
    }

    /// The mask that is `condition` (an int) in every lane.
    Expr mask(Expr condition) {
        return of("maskAll", MASK, species(), new Type[] {Type.BOOLEAN_TYPE}, condition);
    }

    @Override
    public Expr constant(float value) {
        return broadcast(new Expr.Literal(value));
    }

    @Override
    public Expr add(Expr a, Expr b) {
        return binary("add", a, b);
    }

    @Override
    public Expr sub(Expr a, Expr b) {
        return binary("sub", a, b);
    }

    @Override
    public Expr mul(Expr a, Expr b) {
        return binary("mul", a, b);
    }

    @Override
    public Expr div(Expr a, Expr b) {
        return binary("div", a, b);
    }

    @Override
    public Expr fma(Expr a, Expr b, Expr c) {
        return of("fma", FLOATS, a, new Type[] {VECTOR, VECTOR}, b, c);
    }

    @Override
    public Expr min(Expr a, Expr b) {
        return binary("min", a, b);
    }

    @Override
    public Expr max(Expr a, Expr b) {
        return binary("max", a, b);
    }

    @Override
    public Expr neg(Expr x) {
        return of("neg", FLOATS, x, new Type[0]);
    }

    @Override
    public Expr abs(Expr x) {
        return of("abs", FLOATS, x, new Type[0]);
    }

    @Override
    public Expr sqrt(Expr x) {
        return of("sqrt", FLOATS, x, new Type[0]);
    }

    @Override
    public Expr compare(String operator, Expr a, Expr b) {
        String name = switch (operator) {
            case "==" -> "EQ";
            case "!=" -> "NE";
            case "<" -> "LT";
            case "<=" -> "LE";
            case ">" -> "GT";
            default -> "GE";
        };
        Type comparison = Type.getObjectType(PACKAGE + "VectorOperators$Comparison");
        Expr constant = new Expr.Static(PACKAGE + "VectorOperators", name, comparison);
        return of("compare", MASK, a, new Type[] {comparison, VECTOR}, constant, b);
    }

    @Override
    public Expr and(Expr a, Expr b) {
        return of("and", MASK, a, new Type[] {MASK}, b);
    }

    @Override
    public Expr or(Expr a, Expr b) {
        return of("or", MASK, a, new Type[] {MASK}, b);
    }

    @Override
    public Expr not(Expr x) {
        return of("not", MASK, x, new Type[0]);
    }

    @Override
    public Expr choose(Expr condition, Expr a, Expr b) {
        return of("blend", FLOATS, b, new Type[] {VECTOR, MASK}, a, condition);
    }

    @Override
    public Expr scale(Expr x, Expr shifted, int magicBits) {
        Expr bits = of("reinterpretAsInts", INTS, shifted, new Type[0]);
        Expr n = method.let("n", of("sub", INTS, bits, new Type[] {Type.INT_TYPE}, Expr.literal(magicBits)));
        Expr half = method.let("h", shift("ASHR", n, 1));
        Expr rest = of("sub", INTS, n, new Type[] {VECTOR}, half);
        return mul(mul(x, power(half)), power(rest));
    }

    private static Expr power(Expr n) {
        Expr biased = of("add", INTS, n, new Type[] {Type.INT_TYPE}, Expr.literal(127));
        return of("reinterpretAsFloats", FLOATS, shift("LSHL", biased, 23), new Type[0]);
    }

    private static Expr shift(String name, Expr x, int by) {
        Type operator = Type.getObjectType(PACKAGE + "VectorOperators$Binary");
        Expr constant = new Expr.Static(PACKAGE + "VectorOperators", name, operator);
        return of("lanewise", INTS, x, new Type[] {operator, Type.INT_TYPE}, constant, Expr.literal(by));
    }

    @Override
    public Expr let(Expr value) {
        return method.let("v", value);
    }
}
