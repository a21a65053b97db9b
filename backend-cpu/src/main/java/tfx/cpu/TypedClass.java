package tfx.cpu;

import java.util.List;
import javax.lang.model.SourceVersion;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.runtime.Tensor;
import tfx.runtime.program.Packaged;
import tfx.runtime.program.Signature;

/// The class by which Java code calls one packaged program, as if written:
///
/// ```java
/// public final class Embed extends Packaged {
///   public static Embed load() { return load(cores); }
///   public static Embed load(int threads);
///   public static Embed load(int threads, Tokenizer tokenizer);
///   public Tensor embed(Arena arena, List<?> text);      // Map<String, Tensor> where there are several results
///   public static void main(String[] arguments);
/// }
/// ```
public final class TypedClass {
    private static final String PACKAGED = Type.getInternalName(Packaged.class);
    private static final Type TENSOR = Type.getType(Tensor.class);
    private static final Type MAP = Type.getType(java.util.Map.class);
    private static final Type LIST = Type.getType(List.class);
    private static final Type OPTIONAL = Type.getType(java.util.Optional.class);
    private static final Type TOKENIZER = Type.getType(tfx.runtime.Tokenizer.class);
    private static final Type ARENA = Type.getType(java.lang.foreign.Arena.class);
    private static final String CONSTRUCTOR = "(I" + OPTIONAL + ")V";

    private TypedClass() {}

    /// @param name with dots
    public static byte[] bytes(String name, Signature signature) {
        String own = name.replace('.', '/');
        ClassWriter out = new ClassWriter(ClassWriter.COMPUTE_FRAMES | ClassWriter.COMPUTE_MAXS);
        out.visit(Opcodes.V21, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL, own, null, PACKAGED, null);
        constructor(out, signature);
        load(out, own);
        call(out, signature);
        main(out, own);
        out.visitEnd();
        return out.toByteArray();
    }

    private static void constructor(ClassWriter out, Signature signature) {
        MethodVisitor m = out.visitMethod(Opcodes.ACC_PRIVATE, "<init>", CONSTRUCTOR, null, null);
        m.visitCode();
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitLdcInsn(signature.program());
        m.visitVarInsn(Opcodes.ILOAD, 1);
        m.visitVarInsn(Opcodes.ALOAD, 2);
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, PACKAGED, "<init>", "(Ljava/lang/String;I" + OPTIONAL + ")V", false);
        end(m, Opcodes.RETURN);
    }

    private static void end(MethodVisitor m, int opcode) {
        m.visitInsn(opcode);
        m.visitMaxs(0, 0);
        m.visitEnd();
    }

    private static MethodVisitor method(ClassWriter out, int access, String name, String descriptor) {
        MethodVisitor m = out.visitMethod(Opcodes.ACC_PUBLIC | access, name, descriptor, null, null);
        m.visitCode();
        return m;
    }

    private static void load(ClassWriter out, String own) {
        MethodVisitor plain = method(out, Opcodes.ACC_STATIC, "load", "()L" + own + ";");
        plain.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Runtime", "getRuntime", "()Ljava/lang/Runtime;", false);
        plain.visitMethodInsn(Opcodes.INVOKEVIRTUAL, "java/lang/Runtime", "availableProcessors", "()I", false);
        plain.visitMethodInsn(Opcodes.INVOKESTATIC, own, "load", "(I)L" + own + ";", false);
        end(plain, Opcodes.ARETURN);
        MethodVisitor threads = method(out, Opcodes.ACC_STATIC, "load", "(I)L" + own + ";");
        make(
                threads,
                own,
                () -> threads.visitMethodInsn(
                        Opcodes.INVOKESTATIC, OPTIONAL.getInternalName(), "empty", "()" + OPTIONAL, false));
        MethodVisitor text = method(out, Opcodes.ACC_STATIC, "load", "(I" + TOKENIZER + ")L" + own + ";");
        make(text, own, () -> {
            text.visitVarInsn(Opcodes.ALOAD, 1);
            text.visitMethodInsn(
                    Opcodes.INVOKESTATIC, OPTIONAL.getInternalName(), "of", "(Ljava/lang/Object;)" + OPTIONAL, false);
        });
    }

    private static void make(MethodVisitor m, String own, Runnable tokenizer) {
        m.visitTypeInsn(Opcodes.NEW, own);
        m.visitInsn(Opcodes.DUP);
        m.visitVarInsn(Opcodes.ILOAD, 0);
        tokenizer.run();
        m.visitMethodInsn(Opcodes.INVOKESPECIAL, own, "<init>", CONSTRUCTOR, false);
        end(m, Opcodes.ARETURN);
    }

    /// A name that Java source can call: `new` becomes `new_`.
    private static String callable(String name) {
        return SourceVersion.isKeyword(name) ? name + "_" : name;
    }

    private static void call(ClassWriter out, Signature signature) {
        boolean single = signature.results().size() == 1;
        StringBuilder descriptor = new StringBuilder("(" + ARENA);
        signature.parameters().forEach(p -> descriptor.append(p.offsets().isPresent() ? LIST : TENSOR));
        MethodVisitor m = method(out, 0, callable(signature.program()), descriptor + ")" + (single ? TENSOR : MAP));
        m.visitParameter("arena", 0);
        signature.parameters().forEach(p -> m.visitParameter(p.name(), 0));
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitVarInsn(Opcodes.ALOAD, 1);
        m.visitLdcInsn(signature.parameters().size());
        m.visitTypeInsn(Opcodes.ANEWARRAY, "java/lang/Object");
        for (int i = 0; i < signature.parameters().size(); i++) {
            m.visitInsn(Opcodes.DUP);
            m.visitLdcInsn(i);
            m.visitVarInsn(Opcodes.ALOAD, i + 2);
            m.visitInsn(Opcodes.AASTORE);
        }
        m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, PACKAGED, "call", "(" + ARENA + "[Ljava/lang/Object;)" + MAP, false);
        if (single) {
            m.visitLdcInsn(signature.results().getFirst().name());
            m.visitMethodInsn(
                    Opcodes.INVOKEINTERFACE,
                    MAP.getInternalName(),
                    "get",
                    "(Ljava/lang/Object;)Ljava/lang/Object;",
                    true);
            m.visitTypeInsn(Opcodes.CHECKCAST, TENSOR.getInternalName());
        }
        end(m, Opcodes.ARETURN);
    }

    private static void main(ClassWriter out, String own) {
        MethodVisitor m = method(out, Opcodes.ACC_STATIC, "main", "([Ljava/lang/String;)V");
        m.visitMethodInsn(Opcodes.INVOKESTATIC, own, "load", "()L" + own + ";", false);
        m.visitVarInsn(Opcodes.ALOAD, 0);
        m.visitMethodInsn(Opcodes.INVOKESTATIC, own, "run", "(L" + PACKAGED + ";[Ljava/lang/String;)V", false);
        end(m, Opcodes.RETURN);
    }
}
