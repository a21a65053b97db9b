package tfx.cpu.code;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.util.CheckClassAdapter;

/// A class under construction.
public final class ClassCode {
    private final String name;
    private final String superName;
    private final String source;
    private final List<Expr.Static> fields = new ArrayList<>();
    private final List<Method> methods = new ArrayList<>();

    /// @param name   with dots
    /// @param source what stack traces show as the file
    public ClassCode(String name, Class<?> superClass, String source) {
        this.name = name;
        this.superName = superClass.getName().replace('.', '/');
        this.source = source;
    }

    public String name() {
        return name;
    }

    /// The name with slashes.
    public String internalName() {
        return name.replace('.', '/');
    }

    public Method method(boolean isStatic, String method, org.objectweb.asm.Type result) {
        Method made = new Method(isStatic, method, result);
        methods.add(made);
        return made;
    }

    /// A call of a static method of this class.
    public Expr call(Method method, List<Expr> arguments) {
        return new Expr.Call(Opcodes.INVOKESTATIC, internalName(), method.name(), method.signature(), arguments);
    }

    /// Adds a static field.
    public void add(Expr.Static field) {
        fields.add(field);
    }

    /// What runs when the class is loaded.
    public Method initializer() {
        return method(true, "<clinit>", org.objectweb.asm.Type.VOID_TYPE);
    }

    /// The class file.
    public byte[] bytes() {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES | ClassWriter.COMPUTE_MAXS) {
            @Override
            protected String getCommonSuperClass(String a, String b) {
                return a.equals(b) ? a : "java/lang/Object";
            }
        };
        writer.visit(Opcodes.V21, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL, internalName(), null, superName, null);
        writer.visitSource(source, null);
        for (Expr.Static field : fields) {
            writer.visitField(
                    Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC | Opcodes.ACC_FINAL,
                    field.name(),
                    field.type().getDescriptor(),
                    null,
                    null);
        }
        MethodVisitor init = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>", "()V", null, null);
        init.visitCode();
        init.visitVarInsn(Opcodes.ALOAD, 0);
        init.visitMethodInsn(Opcodes.INVOKESPECIAL, superName, "<init>", "()V", false);
        init.visitInsn(Opcodes.RETURN);
        init.visitMaxs(0, 0);
        init.visitEnd();
        methods.forEach(m -> m.emit(writer));
        writer.visitEnd();
        return writer.toByteArray();
    }

    /// What ASM's verifier says of the class file; empty if it is sound.
    public static String verify(byte[] bytes, ClassLoader loader) {
        StringWriter out = new StringWriter();
        CheckClassAdapter.verify(new ClassReader(bytes), loader, false, new PrintWriter(out));
        return out.toString();
    }

    /// Java text of all methods.
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder("class " + name + " {\n");
        methods.forEach(m -> m.print(out));
        return out.append("}\n").toString();
    }
}
