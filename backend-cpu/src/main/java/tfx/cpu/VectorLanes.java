package tfx.cpu;

import java.util.List;
import java.util.function.UnaryOperator;
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
    private static final Type SHUFFLE = Type.getObjectType(PACKAGE + "VectorShuffle");
    private static final Type SPECIES = Type.getObjectType(PACKAGE + "VectorSpecies");
    private static final Type SEGMENT = Type.getType("Ljava/lang/foreign/MemorySegment;");
    private static final Type ORDER = Type.getType("Ljava/nio/ByteOrder;");
    private static final Type FLOAT_ARRAY = Type.getType(float[].class);
    private static final Expr ALL = new Expr.Static("tfx/runtime/program/Support", "ALL", SEGMENT);
    private static final Expr LITTLE = new Expr.Static("tfx/runtime/program/Support", "ORDER", ORDER);

    /// Bits from the exponent of an f16 in the high half of an int down to where a float's begins.
    private static final int F16_SHIFT = 3;

    /// All bits of the exponent of an f16, shifted so.
    private static final int F16_EXPONENT = 0x1f << EXPONENT;

    /// Its sign, exponent and mantissa.
    private static final int F16_BITS = 1 << 31 | F16_EXPONENT | 0x3ff << EXPONENT - 10;

    /// Remainders up to twice this are exact as floats.
    static final int MAX_DIVISOR = 1 << 22;

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

    /// Signed bytes of memory, as floats.
    Expr loadBytes(Expr address) {
        Type type = Type.getObjectType(PACKAGE + "ByteVector");
        Expr few = new Expr.Static(PACKAGE + "ByteVector", "SPECIES_" + width * Byte.SIZE, SPECIES);
        Expr bytes = new Expr.Call(
                Opcodes.INVOKESTATIC,
                PACKAGE + "ByteVector",
                "fromMemorySegment",
                Type.getMethodType(type, SPECIES, SEGMENT, Type.LONG_TYPE, ORDER),
                List.of(few, ALL, address, LITTLE));
        Type conversion = Type.getObjectType(PACKAGE + "VectorOperators$Conversion");
        Expr constant = new Expr.Static(PACKAGE + "VectorOperators", "B2F", conversion);
        Type[] types = {conversion, SPECIES, Type.INT_TYPE};
        return new Expr.Cast(FLOATS, of("convertShape", VECTOR, bytes, types, constant, species(), Expr.literal(0)));
    }

    /// The f16 in the low halves of ints, as floats.
    Expr lowF16(Expr bits) {
        return highF16(shift("LSHL", bits, Short.SIZE));
    }

    /// The f16 in the high halves of ints, as floats. With its exponent at a float's, each is a number 2^-112 times
    /// as large, subnormal or not; but infinities and NaNs, which have all bits of the exponent and get those of a
    /// float.
    ///
    /// In this order they change their species once. Many changes in one method may cost vectors their registers
    /// (`docs/performance.md`, checks of classes).
    Expr highF16(Expr bits) {
        Expr shifted = let(shift("ASHR", bits, F16_SHIFT));
        Expr special = compare("==", and(shifted, F16_EXPONENT), integers(Expr.literal(F16_EXPONENT), 0));
        Type operator = Type.getObjectType(PACKAGE + "VectorOperators$Binary");
        Type associative = Type.getObjectType(PACKAGE + "VectorOperators$Associative");
        Expr or = new Expr.Static(PACKAGE + "VectorOperators", "OR", associative);
        Type[] types = {operator, Type.INT_TYPE, MASK};
        Expr exponent = Expr.literal(0xff << EXPONENT);
        Expr all = of("lanewise", INTS, and(shifted, F16_BITS), types, or, exponent, special);
        return mul(of("reinterpretAsFloats", FLOATS, all, new Type[0]), constant(0x1p112f));
    }

    /// The 16-bit brain floats in the low halves of ints: they are the high halves of floats.
    Expr lowBrainFloats(Expr bits) {
        return of("reinterpretAsFloats", FLOATS, shift("LSHL", bits, 16), new Type[0]);
    }

    /// The 16-bit brain floats in the high halves of ints.
    Expr highBrainFloats(Expr bits) {
        return of("reinterpretAsFloats", FLOATS, and(bits, 0xffff0000), new Type[0]);
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
        return convert("I2F", FLOATS, x);
    }

    private static Expr convert(String name, Type to, Expr x) {
        Type conversion = Type.getObjectType(PACKAGE + "VectorOperators$Conversion");
        Expr constant = new Expr.Static(PACKAGE + "VectorOperators", name, conversion);
        return new Expr.Cast(
                to, of("convert", VECTOR, x, new Type[] {conversion, Type.INT_TYPE}, constant, Expr.literal(0)));
    }

    /// `floorMod` of ints by a divisor from 1 to {@link #MAX_DIVISOR}.
    Expr integerRemainder(Expr x, int divisor) {
        return Integer.bitCount(divisor) == 1 ? and(x, divisor - 1) : divide(x, divisor).remainder;
    }

    /// `floorDiv` of ints by such a divisor.
    Expr integerQuotient(Expr x, int divisor) {
        return Integer.bitCount(divisor) == 1
                ? shift("ASHR", x, Integer.numberOfTrailingZeros(divisor))
                : divide(x, divisor).quotient;
    }

    private record Division(Expr quotient, Expr remainder) {}

    /// Vectors have no division of ints. A quotient in floats is wrong by less than 400 for the smallest divisor
    /// and by less for others; that of what it leaves, by at most 1, which the signs of the remainder tell.
    private Division divide(Expr dividend, int divisor) {
        Expr quotient = integers(Expr.literal(0), 0);
        Expr rest = method.let("r", dividend);
        for (int round = 0; round < 2; round++) {
            Expr part = method.let("q", convert("F2I", INTS, mul(toFloats(rest), constant(1f / divisor))));
            quotient = method.let("q", plus(quotient, part));
            rest = method.let("r", of("sub", INTS, rest, new Type[] {VECTOR}, times(part, divisor)));
        }
        for (int above : new int[] {0, 1}) {
            Expr low = method.let("r", add(rest, -above * divisor));
            Expr negative = method.let("n", shift("ASHR", low, 31)); // -1 or 0
            quotient = method.let("q", plus(add(quotient, above), negative));
            rest = method.let("r", plus(low, and(negative, divisor)));
        }
        return new Division(quotient, rest);
    }

    private static Expr plus(Expr a, Expr b) {
        return of("add", INTS, a, new Type[] {VECTOR}, b);
    }

    private static Expr add(Expr a, int b) {
        return of("add", INTS, a, new Type[] {Type.INT_TYPE}, Expr.literal(b));
    }

    private static Expr times(Expr a, int b) {
        return of("mul", INTS, a, new Type[] {Type.INT_TYPE}, Expr.literal(b));
    }

    private static Expr and(Expr a, int b) {
        return of("and", INTS, a, new Type[] {Type.INT_TYPE}, Expr.literal(b));
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

    /// Makes a vector that a loop carried the result of an operation: the JIT compiler then knows its class
    /// without having seen it, and keeps it in a register. For the same reason a sum in a loop is an argument, and
    /// never what a method is called on. What the operation takes is made here, once for all vectors.
    UnaryOperator<Expr> known() {
        Expr all = let(mask(Expr.literal(1)));
        Expr zero = let(constant(0f));
        return x -> choose(all, x, zero);
    }

    /// The vector `x` turned by some lanes: lane `i` holds what lane `i + by` did, the last what the first did.
    Expr turned(Expr x, int by) {
        Type[] types = {Type.INT_TYPE, Type.INT_TYPE, Type.BOOLEAN_TYPE};
        Expr shuffle = of("iotaShuffle", SHUFFLE, species(), types, Expr.literal(by), Expr.literal(1), Expr.literal(1));
        return of("rearrange", FLOATS, x, new Type[] {SHUFFLE}, shuffle);
    }

    /// The first lane.
    Expr first(Expr x) {
        return of("lane", Type.FLOAT_TYPE, x, new Type[] {Type.INT_TYPE}, Expr.literal(0));
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
    public Expr scale(Expr x, Expr shifted) {
        return of("reinterpretAsFloats", FLOATS, scaled(x, shifted), new Type[0]);
    }

    private static Expr scaled(Expr x, Expr shifted) {
        return plus(bits(x), shift("LSHL", bits(shifted), EXPONENT));
    }

    @Override
    public Expr scale(Expr x, Expr shifted, Expr low) {
        Expr below = method.let("below", low);
        Expr sum = method.let("n", scaled(x, shifted));
        Expr ints = of("cast", MASK, below, new Type[] {SPECIES}, intSpecies());
        Expr raised = of("add", INTS, sum, new Type[] {Type.INT_TYPE, MASK}, Expr.literal(RAISED << EXPONENT), ints);
        Expr value = of("reinterpretAsFloats", FLOATS, raised, new Type[0]);
        return of("mul", FLOATS, value, new Type[] {VECTOR, MASK}, constant(LOWERED), below);
    }

    private static Expr bits(Expr x) {
        return of("reinterpretAsInts", INTS, x, new Type[0]);
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
