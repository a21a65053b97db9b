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
    private Repeated parameters;
    private Method start;
    private Expr.Static warmup;
    private Expr.Static hot;

    /// @param prefix of the names of the classes
    Parts(String prefix) {
        this.prefix = prefix;
    }

    /// What a part is called with.
    record Call(Expr.Local frame, Expr.Local floats, Expr.Local doubles, Expr.Local longs, Expr.Local ranges) {
        List<Expr> all() {
            return List.of(frame, floats, doubles, longs, ranges);
        }
    }

    /// The parameters of a method that calls a part again and again, as {@link Warmup} says.
    private record Repeated(Expr.Local times, Expr.Local end, Expr.Local skip, Expr.Local step, Call call) {
        static Repeated of(Method method) {
            return new Repeated(
                    method.parameter("times", Type.LONG_TYPE),
                    method.parameter("end", Type.INT_TYPE),
                    method.parameter("skip", Type.INT_TYPE),
                    method.parameter("step", Type.LONG_TYPE),
                    new Call(
                            method.parameter("frame", Stage.LONGS),
                            method.parameter("floats", Stage.FLOATS),
                            method.parameter("doubles", Stage.DOUBLES),
                            method.parameter("longs", Stage.LONGS),
                            method.parameter("ranges", Stage.LONGS)));
        }

        List<Expr> all() {
            List<Expr> all = new ArrayList<>(List.of(times, end, skip, step));
            all.addAll(call.all());
            return all;
        }
    }

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
        vectors.onlyOptimized();
        calls.add(List.of(new Statement.Do(repeated(vectors, either))));
        calls.add(List.of(new Statement.Do(repeated(twin, either))));
        return new Part(warmup, new Expr.Element(hot, Expr.literal(number)), Expr.literal(number));
    }

    /// A call of a method that calls one form of a part again and again. Each has its own: one for all of them
    /// would run so often that the JIT compiler optimises it, at length, before it comes to the parts.
    private Expr repeated(Method form, BiFunction<Method, Call, Expr> either) {
        ClassCode code = classes.getLast();
        Method method = code.method(true, "part" + calls.size(), Type.VOID_TYPE);
        Repeated p = Repeated.of(method);
        Expr.Local i = method.let("i", Expr.literal(0L));
        method.loop(i, Expr.literal(1L), p.times, () -> {
            method.call(either.apply(form, p.call));
            for (Expr place : List.of(p.end, p.skip)) {
                Expr next = new Expr.Element(p.call.ranges, place).plus(p.step);
                method.add(new Statement.SetElement(p.call.ranges, place, next));
            }
        });
        return code.call(method, parameters.all());
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
        parameters = Repeated.of(method);
        calls = new ArrayList<>();
        method.add(new Statement.Switch(number, calls));
    }
}
