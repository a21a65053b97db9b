package tfx.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.runtime.program.Warmup;

/// The parts of a program that exist as vector code and as its scalar twin, and the emitted classes that know
/// which of them are hot ({@link Warmup}).
final class Parts {
    private static final String SUPER = Type.getInternalName(Warmup.class);

    private final String prefix;
    private final List<ClassCode> classes = new ArrayList<>();
    private List<List<Statement>> calls = new ArrayList<>();
    private Call call;
    private Method start;
    private Expr.Static warmup;
    private Expr.Static hot;

    /// @param prefix of the names of the classes
    Parts(String prefix) {
        this.prefix = prefix;
    }

    /// The parameters of the method that calls parts by their numbers.
    record Call(Expr.Local frame, Expr.Local floats, Expr.Local doubles, Expr.Local longs, Expr.Local ranges) {}

    /// A part.
    ///
    /// @param warmup the object that knows it
    /// @param hot    whether it is hot
    record Part(Expr warmup, Expr hot, Expr number) {
        /// A call of one of the object's methods, after the part's number.
        Expr tell(String method, Expr... arguments) {
            List<Expr> given = new ArrayList<>(List.of(warmup, number));
            given.addAll(List.of(arguments));
            Type[] types = given.stream().skip(1).map(Expr::type).toArray(Type[]::new);
            return new Expr.Call(
                    Opcodes.INVOKEVIRTUAL, SUPER, method, Type.getMethodType(Type.VOID_TYPE, types), given);
        }
    }

    List<ClassCode> classes() {
        return classes;
    }

    /// A further part.
    ///
    /// @param either calls one of two methods, its vector code and its twin
    Part add(Method vectors, Method twin, BiFunction<Method, Call, Expr> either) {
        if (classes.isEmpty() || calls.size() == 2 * Warmup.PARTS) {
            open();
        }
        int number = calls.size() / 2;
        calls.add(List.of(new Statement.Do(either.apply(vectors, call))));
        calls.add(List.of(new Statement.Do(either.apply(twin, call))));
        return new Part(warmup, new Expr.Element(hot, Expr.literal(number)), Expr.literal(number));
    }

    /// Has something done with the last part when its class is loaded.
    void loaded(Expr call) {
        start.call(call);
    }

    /// The object of a class.
    static Expr.Static warmup(ClassCode code) {
        return new Expr.Static(code.internalName(), "WARMUP", Type.getObjectType(code.internalName()));
    }

    private void open() {
        ClassCode code = new ClassCode(prefix + classes.size(), Warmup.class, "warmup.tfx");
        classes.add(code);
        warmup = warmup(code);
        code.add(warmup);
        hot = new Expr.Static(code.internalName(), "HOT", Type.getType(boolean[].class));
        code.add(hot);
        start = code.initializer();
        start.add(new Statement.SetStatic(warmup, new Expr.New(warmup.type())));
        start.add(new Statement.SetStatic(hot, new Expr.Field(warmup, "hot", hot.type())));
        Method method = code.method(false, "call", Type.VOID_TYPE);
        Expr.Local number = method.parameter("code", Type.INT_TYPE);
        call = new Call(
                method.parameter("frame", Stage.LONGS),
                method.parameter("floats", Stage.FLOATS),
                method.parameter("doubles", Stage.DOUBLES),
                method.parameter("longs", Stage.LONGS),
                method.parameter("ranges", Stage.LONGS));
        calls = new ArrayList<>();
        method.add(new Statement.Switch(number, calls));
    }
}
