package tfx.cpu.code;

import java.util.List;
import java.util.stream.Collectors;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// A typed expression of bytecode that prints itself as Java. Operand types are checked when it is made.
public sealed interface Expr {
    Type type();

    void emit(MethodVisitor to);

    /// Java text, for `--phase=bytecode`.
    String text();

    /// A local variable or parameter.
    record Local(String name, int slot, Type type) implements Expr {
        @Override
        public void emit(MethodVisitor to) {
            to.visitVarInsn(type.getOpcode(Opcodes.ILOAD), slot);
        }

        @Override
        public String text() {
            return name;
        }
    }

    /// A number; the boxed type says which.
    record Literal(Number value) implements Expr {
        @Override
        public Type type() {
            return switch (value) {
                case Integer i -> Type.INT_TYPE;
                case Long l -> Type.LONG_TYPE;
                case Float f -> Type.FLOAT_TYPE;
                case Double d -> Type.DOUBLE_TYPE;
                default -> throw new IllegalArgumentException(value.getClass().toString());
            };
        }

        @Override
        public void emit(MethodVisitor to) {
            if (value instanceof Integer i && i >= -1 && i <= 5) {
                to.visitInsn(Opcodes.ICONST_0 + i);
            } else if (value instanceof Integer i && i == i.shortValue()) {
                to.visitIntInsn(Opcodes.SIPUSH, i);
            } else {
                to.visitLdcInsn(value);
            }
        }

        @Override
        public String text() {
            return value + (value instanceof Long ? "L" : value instanceof Float ? "f" : "");
        }
    }

    /// Arithmetic of two numbers of one type; the operator is one of `+ - * / & | ^ << >>`.
    record Arithmetic(String operator, Expr a, Expr b) implements Expr {
        public Arithmetic {
            boolean shift = operator.equals("<<") || operator.equals(">>");
            if (!a.type().equals(b.type()) && !(shift && b.type().equals(Type.INT_TYPE))) {
                throw new IllegalArgumentException(
                        a.type() + " " + operator + " " + b.type() + ": " + a.text() + ", " + b.text());
            }
        }

        @Override
        public Type type() {
            return a.type();
        }

        @Override
        public void emit(MethodVisitor to) {
            a.emit(to);
            b.emit(to);
            int opcode = switch (operator) {
                case "+" -> Opcodes.IADD;
                case "-" -> Opcodes.ISUB;
                case "*" -> Opcodes.IMUL;
                case "/" -> Opcodes.IDIV;
                case "&" -> Opcodes.IAND;
                case "|" -> Opcodes.IOR;
                case "^" -> Opcodes.IXOR;
                case "<<" -> Opcodes.ISHL;
                case ">>" -> Opcodes.ISHR;
                default -> throw new IllegalArgumentException(operator);
            };
            to.visitInsn(a.type().getOpcode(opcode));
        }

        @Override
        public String text() {
            return "(" + a.text() + " " + operator + " " + b.text() + ")";
        }
    }

    record Negate(Expr x) implements Expr {
        @Override
        public Type type() {
            return x.type();
        }

        @Override
        public void emit(MethodVisitor to) {
            x.emit(to);
            to.visitInsn(type().getOpcode(Opcodes.INEG));
        }

        @Override
        public String text() {
            return "-" + x.text();
        }
    }

    /// A conversion between primitive numbers.
    record Convert(Type type, Expr x) implements Expr {
        @Override
        public void emit(MethodVisitor to) {
            x.emit(to);
            String pair = x.type().getDescriptor() + type.getDescriptor();
            switch (pair) {
                case "IJ" -> to.visitInsn(Opcodes.I2L);
                case "IF" -> to.visitInsn(Opcodes.I2F);
                case "ID" -> to.visitInsn(Opcodes.I2D);
                case "JI" -> to.visitInsn(Opcodes.L2I);
                case "JF" -> to.visitInsn(Opcodes.L2F);
                case "JD" -> to.visitInsn(Opcodes.L2D);
                case "FI" -> to.visitInsn(Opcodes.F2I);
                case "FJ" -> to.visitInsn(Opcodes.F2L);
                case "FD" -> to.visitInsn(Opcodes.F2D);
                case "DI" -> to.visitInsn(Opcodes.D2I);
                case "DJ" -> to.visitInsn(Opcodes.D2L);
                case "DF" -> to.visitInsn(Opcodes.D2F);
                case "IB" -> to.visitInsn(Opcodes.I2B);
                case "BI", "ZI", "SI", "II", "JJ", "FF", "DD" -> {}
                default -> throw new IllegalArgumentException("conversion " + pair);
            }
        }

        @Override
        public String text() {
            return "(" + type.getClassName() + ") " + x.text();
        }
    }

    /// A reference as another type that it has at run time.
    record Cast(Type type, Expr x) implements Expr {
        @Override
        public void emit(MethodVisitor to) {
            x.emit(to);
            to.visitTypeInsn(Opcodes.CHECKCAST, type.getInternalName());
        }

        @Override
        public String text() {
            return "((" + type.getClassName().substring(type.getClassName().lastIndexOf('.') + 1) + ") " + x.text()
                    + ")";
        }
    }

    /// A comparison, 1 or 0; the operator is one of `== != < <= > >=`. Comparisons with NaN are false but for
    /// `!=`.
    record Compare(String operator, Expr a, Expr b) implements Expr {
        public Compare {
            if (!a.type().equals(b.type())) {
                throw new IllegalArgumentException(a.type() + " " + operator + " " + b.type());
            }
        }

        @Override
        public Type type() {
            return Type.INT_TYPE;
        }

        @Override
        public void emit(MethodVisitor to) {
            org.objectweb.asm.Label yes = new org.objectweb.asm.Label();
            org.objectweb.asm.Label end = new org.objectweb.asm.Label();
            jump(to, yes);
            to.visitInsn(Opcodes.ICONST_0);
            to.visitJumpInsn(Opcodes.GOTO, end);
            to.visitLabel(yes);
            to.visitInsn(Opcodes.ICONST_1);
            to.visitLabel(end);
        }

        /// Jumps if the comparison holds.
        void jump(MethodVisitor to, org.objectweb.asm.Label target) {
            a.emit(to);
            b.emit(to);
            boolean below = operator.startsWith("<");
            switch (type(a)) {
                case 'I' -> {
                    to.visitJumpInsn(
                            switch (operator) {
                                case "==" -> Opcodes.IF_ICMPEQ;
                                case "!=" -> Opcodes.IF_ICMPNE;
                                case "<" -> Opcodes.IF_ICMPLT;
                                case "<=" -> Opcodes.IF_ICMPLE;
                                case ">" -> Opcodes.IF_ICMPGT;
                                default -> Opcodes.IF_ICMPGE;
                            },
                            target);
                    return;
                }
                case 'J' -> to.visitInsn(Opcodes.LCMP);
                case 'F' -> to.visitInsn(below ? Opcodes.FCMPG : Opcodes.FCMPL);
                default -> to.visitInsn(below ? Opcodes.DCMPG : Opcodes.DCMPL);
            }
            to.visitJumpInsn(
                    switch (operator) {
                        case "==" -> Opcodes.IFEQ;
                        case "!=" -> Opcodes.IFNE;
                        case "<" -> Opcodes.IFLT;
                        case "<=" -> Opcodes.IFLE;
                        case ">" -> Opcodes.IFGT;
                        default -> Opcodes.IFGE;
                    },
                    target);
        }

        private static char type(Expr e) {
            char c = e.type().getDescriptor().charAt(0);
            return c == 'Z' || c == 'B' ? 'I' : c;
        }

        @Override
        public String text() {
            return "(" + a.text() + " " + operator + " " + b.text() + ")";
        }
    }

    /// `condition != 0 ? a : b`; only one arm is evaluated.
    record Choose(Expr condition, Expr a, Expr b) implements Expr {
        @Override
        public Type type() {
            return a.type();
        }

        @Override
        public void emit(MethodVisitor to) {
            org.objectweb.asm.Label no = new org.objectweb.asm.Label();
            org.objectweb.asm.Label end = new org.objectweb.asm.Label();
            condition.emit(to);
            to.visitJumpInsn(Opcodes.IFEQ, no);
            a.emit(to);
            to.visitJumpInsn(Opcodes.GOTO, end);
            to.visitLabel(no);
            b.emit(to);
            to.visitLabel(end);
        }

        @Override
        public String text() {
            return "(" + condition.text() + " ? " + a.text() + " : " + b.text() + ")";
        }
    }

    /// An element of an array.
    record Element(Expr array, Expr index) implements Expr {
        @Override
        public Type type() {
            return array.type().getElementType();
        }

        @Override
        public void emit(MethodVisitor to) {
            array.emit(to);
            index.emit(to);
            to.visitInsn(type().getOpcode(Opcodes.IALOAD));
        }

        @Override
        public String text() {
            return array.text() + "[" + index.text() + "]";
        }
    }

    /// A static field.
    record Static(String owner, String name, Type type) implements Expr {
        @Override
        public void emit(MethodVisitor to) {
            to.visitFieldInsn(Opcodes.GETSTATIC, owner, name, type.getDescriptor());
        }

        @Override
        public String text() {
            return owner.substring(owner.lastIndexOf('/') + 1) + "." + name;
        }
    }

    /// A call.
    ///
    /// @param opcode    one of the `INVOKE` opcodes
    /// @param arguments the receiver first, if there is one
    record Call(int opcode, String owner, String name, Type signature, List<Expr> arguments) implements Expr {
        public Call {
            arguments = List.copyOf(arguments);
            int expected = signature.getArgumentTypes().length + (opcode == Opcodes.INVOKESTATIC ? 0 : 1);
            if (arguments.size() != expected) {
                throw new IllegalArgumentException(name + " takes " + expected + " operands, not " + arguments.size());
            }
            Type[] types = signature.getArgumentTypes();
            for (int i = 0; i < types.length; i++) {
                Type given = arguments.get(arguments.size() - types.length + i).type();
                if (types[i].getSort() <= Type.DOUBLE
                        && types[i].getSort() != given.getSort()
                        && !(types[i].getSort() < Type.INT && given.getSort() == Type.INT)) {
                    throw new IllegalArgumentException(name + signature + " given " + given + " at " + i);
                }
            }
        }

        @Override
        public Type type() {
            return signature.getReturnType();
        }

        @Override
        public void emit(MethodVisitor to) {
            arguments.forEach(a -> a.emit(to));
            to.visitMethodInsn(opcode, owner, name, signature.getDescriptor(), opcode == Opcodes.INVOKEINTERFACE);
        }

        @Override
        public String text() {
            boolean isStatic = opcode == Opcodes.INVOKESTATIC;
            String receiver = isStatic
                    ? owner.substring(owner.lastIndexOf('/') + 1)
                    : arguments.getFirst().text();
            return receiver + "." + name
                    + arguments.stream()
                            .skip(isStatic ? 0 : 1)
                            .map(Expr::text)
                            .collect(Collectors.joining(", ", "(", ")"));
        }
    }

    /// A new object of a class whose constructor takes nothing.
    record New(Type type) implements Expr {
        @Override
        public void emit(MethodVisitor to) {
            to.visitTypeInsn(Opcodes.NEW, type.getInternalName());
            to.visitInsn(Opcodes.DUP);
            to.visitMethodInsn(Opcodes.INVOKESPECIAL, type.getInternalName(), "<init>", "()V", false);
        }

        @Override
        public String text() {
            return "new " + type.getClassName() + "()";
        }
    }

    /// A field of an object.
    record Field(Expr object, String name, Type type) implements Expr {
        @Override
        public void emit(MethodVisitor to) {
            object.emit(to);
            to.visitFieldInsn(Opcodes.GETFIELD, object.type().getInternalName(), name, type.getDescriptor());
        }

        @Override
        public String text() {
            return object.text() + "." + name;
        }
    }

    static Expr literal(int value) {
        return new Literal(value);
    }

    static Expr literal(long value) {
        return new Literal(value);
    }

    default Expr plus(Expr other) {
        return new Arithmetic("+", this, other);
    }

    default Expr minus(Expr other) {
        return new Arithmetic("-", this, other);
    }

    default Expr times(Expr other) {
        return new Arithmetic("*", this, other);
    }

    /// This as a `long`.
    default Expr asLong() {
        return type().equals(Type.LONG_TYPE) ? this : new Convert(Type.LONG_TYPE, this);
    }

    /// This as an `int`.
    default Expr asInt() {
        return type().equals(Type.INT_TYPE) ? this : new Convert(Type.INT_TYPE, this);
    }
}
