package tfx.cpu.code;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// A method under construction: parameters, locals, and a place where statements go.
public final class Method {
    private final int access;
    private final String name;
    private final Type result;
    private final List<Expr.Local> parameters = new ArrayList<>();
    private final List<Statement> body = new ArrayList<>();
    private final List<List<Statement>> open = new ArrayList<>(List.of(body));
    private int slots;
    private int names;
    private boolean onlyOptimized;

    /// @param isStatic whether the method has no receiver
    public Method(boolean isStatic, String name, Type result) {
        this.access = Opcodes.ACC_PUBLIC | (isStatic ? Opcodes.ACC_STATIC : 0);
        this.name = name;
        this.result = result;
        this.slots = isStatic ? 0 : 1;
    }

    public String name() {
        return name;
    }

    public Expr.Local parameter(String name, Type type) {
        Expr.Local local = new Expr.Local(name, slots, type);
        slots += type.getSize();
        parameters.add(local);
        return local;
    }

    /// A new variable, set here.
    public Expr.Local let(String base, Expr value) {
        Expr.Local local = new Expr.Local(base + names++, slots, value.type());
        slots += value.type().getSize();
        add(new Statement.Set(local, value));
        return local;
    }

    public void add(Statement statement) {
        open.getLast().add(statement);
    }

    public void set(Expr.Local target, Expr value) {
        add(new Statement.Set(target, value));
    }

    public void call(Expr call) {
        add(new Statement.Do(call));
    }

    /// `for (; variable + step <= limit; variable += step)` around what `body` adds. Its rounds stay single and in
    /// order, for its test is of no form by which the JIT compiler counts. Streams of memory want that: a load
    /// and a store in turns.
    public void loop(Expr.Local variable, Expr step, Expr limit, Runnable body) {
        Expr.Compare fits = new Expr.Compare("<=", variable.plus(step), limit);
        add(new Statement.Loop(fits, variable, step, block(body)));
    }

    /// The same loop over ints, whose rounds the JIT compiler counts beforehand: it checks the bounds of arrays
    /// once for all, and makes several short rounds one.
    public void counted(Expr.Local variable, int step, Expr limit, Runnable body) {
        Expr end = step == 1 ? limit : limit.minus(Expr.literal(step - 1));
        add(new Statement.Loop(new Expr.Compare("<", variable, end), variable, Expr.literal(step), block(body)));
    }

    /// `while (condition)` around what `body` adds.
    public void loopWhile(Expr.Compare condition, Runnable body) {
        add(new Statement.While(condition, block(body)));
    }

    /// `if (condition)` around what `then` adds, else what `otherwise` adds.
    public void choose(Expr condition, Runnable then, Runnable otherwise) {
        add(new Statement.If(condition, block(then), block(otherwise)));
    }

    private List<Statement> block(Runnable body) {
        List<Statement> inner = new ArrayList<>();
        open.add(inner);
        body.run();
        open.removeLast();
        return inner;
    }

    public Type signature() {
        return Type.getMethodType(
                result, parameters.stream().map(Expr.Local::type).toArray(Type[]::new));
    }

    void emit(ClassVisitor to) {
        MethodVisitor method = to.visitMethod(access, name, signature().getDescriptor(), null, null);
        method.visitCode();
        if (onlyOptimized) {
            emitRefusal(method);
        }
        body.forEach(s -> s.emit(method));
        if (result.equals(Type.VOID_TYPE)) {
            method.visitInsn(Opcodes.RETURN);
        }
        method.visitMaxs(0, 0);
        method.visitEnd();
    }

    /// Leaves this method to the JIT compiler C2. C1 would take long for vector code and give nothing of use. It
    /// declines a method where an exception handler is reached without an exception too, as here if the first
    /// argument is null; the interpreter then counts until it is C2's turn.
    public void onlyOptimized() {
        onlyOptimized = true;
    }

    private void emitRefusal(MethodVisitor method) {
        Label start = new Label();
        Label handler = new Label();
        Label body = new Label();
        method.visitTryCatchBlock(start, handler, handler, "java/lang/Throwable");
        method.visitVarInsn(Opcodes.ALOAD, parameters.getFirst().slot());
        method.visitJumpInsn(Opcodes.IFNONNULL, body);
        method.visitLabel(start);
        method.visitInsn(Opcodes.ACONST_NULL);
        method.visitLabel(handler);
        method.visitInsn(Opcodes.ATHROW);
        method.visitLabel(body);
    }

    void print(StringBuilder to) {
        to.append("  ")
                .append((access & Opcodes.ACC_STATIC) != 0 ? "static " : "")
                .append(result.getClassName());
        to.append(' ').append(name);
        to.append(parameters.stream()
                .map(p -> simple(p.type()) + " " + p.name())
                .collect(Collectors.joining(", ", "(", ") {\n")));
        body.forEach(s -> s.print("    ", to));
        to.append("  }\n");
    }

    private static String simple(Type type) {
        return type.getClassName().substring(type.getClassName().lastIndexOf('.') + 1);
    }
}
