package tfx.cpu.code;

import java.util.List;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// A statement of bytecode that prints itself as Java.
public sealed interface Statement {
    void emit(MethodVisitor to);

    void print(String indent, StringBuilder to);

    /// Sets a local variable.
    record Set(Expr.Local target, Expr value) implements Statement {
        public Set {
            if (target.type().getSort() != value.type().getSort()) {
                throw new IllegalArgumentException(target.type() + " " + target.name() + " = " + value.type());
            }
        }

        @Override
        public void emit(MethodVisitor to) {
            value.emit(to);
            to.visitVarInsn(target.type().getOpcode(Opcodes.ISTORE), target.slot());
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent)
                    .append(target.name())
                    .append(" = ")
                    .append(value.text())
                    .append(";\n");
        }
    }

    /// Sets an element of an array.
    record SetElement(Expr array, Expr index, Expr value) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            array.emit(to);
            index.emit(to);
            value.emit(to);
            to.visitInsn(array.type().getElementType().getOpcode(Opcodes.IASTORE));
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent)
                    .append(array.text())
                    .append('[')
                    .append(index.text())
                    .append("] = ");
            to.append(value.text()).append(";\n");
        }
    }

    /// Evaluates an expression for its effect.
    record Do(Expr call) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            call.emit(to);
            if (!call.type().equals(Type.VOID_TYPE)) {
                to.visitInsn(call.type().getSize() == 2 ? Opcodes.POP2 : Opcodes.POP);
            }
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append(call.text()).append(";\n");
        }
    }

    /// `for (; test; variable += step)`; the variable is set before and keeps its last value.
    record Loop(Expr.Compare test, Expr.Local variable, Expr step, List<Statement> body) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            Label again = new Label();
            Label end = new Label();
            to.visitLabel(again);
            Label go = new Label();
            test.jump(to, go);
            to.visitJumpInsn(Opcodes.GOTO, end);
            to.visitLabel(go);
            body.forEach(s -> s.emit(to));
            new Set(variable, variable.plus(step)).emit(to);
            to.visitJumpInsn(Opcodes.GOTO, again);
            to.visitLabel(end);
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("for (; ").append(test.text()).append("; ");
            to.append(variable.name()).append(" += ").append(step.text()).append(") {\n");
            body.forEach(s -> s.print(indent + "  ", to));
            to.append(indent).append("}\n");
        }
    }

    /// `while (a < b)`.
    record While(Expr.Compare condition, List<Statement> body) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            Label test = new Label();
            Label go = new Label();
            Label end = new Label();
            to.visitLabel(test);
            condition.jump(to, go);
            to.visitJumpInsn(Opcodes.GOTO, end);
            to.visitLabel(go);
            body.forEach(s -> s.emit(to));
            to.visitJumpInsn(Opcodes.GOTO, test);
            to.visitLabel(end);
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("while ").append(condition.text()).append(" {\n");
            body.forEach(s -> s.print(indent + "  ", to));
            to.append(indent).append("}\n");
        }
    }

    /// `if (condition != 0)`.
    record If(Expr condition, List<Statement> then, List<Statement> otherwise) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            Label no = new Label();
            Label end = new Label();
            condition.emit(to);
            to.visitJumpInsn(Opcodes.IFEQ, no);
            then.forEach(s -> s.emit(to));
            to.visitJumpInsn(Opcodes.GOTO, end);
            to.visitLabel(no);
            otherwise.forEach(s -> s.emit(to));
            to.visitLabel(end);
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("if (").append(condition.text()).append(") {\n");
            then.forEach(s -> s.print(indent + "  ", to));
            if (!otherwise.isEmpty()) {
                to.append(indent).append("} else {\n");
                otherwise.forEach(s -> s.print(indent + "  ", to));
            }
            to.append(indent).append("}\n");
        }
    }

    /// Sets a static field.
    record SetStatic(Expr.Static field, Expr value) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            value.emit(to);
            to.visitFieldInsn(
                    Opcodes.PUTSTATIC, field.owner(), field.name(), field.type().getDescriptor());
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent)
                    .append(field.text())
                    .append(" = ")
                    .append(value.text())
                    .append(";\n");
        }
    }

    /// The case of a number from 0 on.
    record Switch(Expr number, List<List<Statement>> cases) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            Label end = new Label();
            Label[] labels = cases.stream().map(c -> new Label()).toArray(Label[]::new);
            number.emit(to);
            to.visitTableSwitchInsn(0, labels.length - 1, end, labels);
            for (int i = 0; i < labels.length; i++) {
                to.visitLabel(labels[i]);
                cases.get(i).forEach(s -> s.emit(to));
                to.visitJumpInsn(Opcodes.GOTO, end);
            }
            to.visitLabel(end);
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("switch (").append(number.text()).append(") {\n");
            for (int i = 0; i < cases.size(); i++) {
                to.append(indent).append("  case ").append(i).append(" -> {\n");
                cases.get(i).forEach(s -> s.print(indent + "    ", to));
                to.append(indent).append("  }\n");
            }
            to.append(indent).append("}\n");
        }
    }

    /// A line of the source, which stack traces and profilers show for what follows.
    record Line(int line) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            Label label = new Label();
            to.visitLabel(label);
            to.visitLineNumber(line, label);
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("// line ").append(line).append('\n');
        }
    }

    /// Text for the reader.
    record Comment(String text) implements Statement {
        @Override
        public void emit(MethodVisitor to) {}

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("// ").append(text).append('\n');
        }
    }

    /// Leaves the method with a value.
    record Return(Expr value) implements Statement {
        @Override
        public void emit(MethodVisitor to) {
            value.emit(to);
            to.visitInsn(value.type().getOpcode(Opcodes.IRETURN));
        }

        @Override
        public void print(String indent, StringBuilder to) {
            to.append(indent).append("return ").append(value.text()).append(";\n");
        }
    }
}
