package tfx.cpu;

import java.util.List;
import java.util.function.Consumer;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.ir.InternalError;
import tfx.runtime.DType;

/// A register tile of a matrix product, `C[rows, panels] (+)= A[rows, k] B[k, panels]`.
///
/// A and B lie in the scratch array or in memory; a row of one of B's panels is two vectors. C lies in the scratch
/// array and stays in registers along `k`. Every element is one chain of fused multiply-adds in the order of `k`,
/// at every width.
///
/// @param fresh whether C begins as zeros, and not as what it holds
record RegisterTile(int rows, int panels, boolean fresh, Operand a, Operand b) {
    /// Where an operand lies. In the scratch array, positions are indices and strides are constants of the code;
    /// in memory, positions are addresses, and rows of A are as far apart as the call says, forwards.
    ///
    /// @param stored how memory holds it: f32, or for B i8, f16 or bf16, which are widened as they are read
    /// @param row    elements between rows; 0 for A in memory
    /// @param column elements between columns; 1 for B
    record Operand(boolean scratch, DType stored, int row, int column) {
        static Operand scratch(int row, int column) {
            return new Operand(true, DType.F32, row, column);
        }

        static Operand memory(int row, int column) {
            return new Operand(false, DType.F32, row, column);
        }

        Type position() {
            return scratch ? Type.INT_TYPE : Type.LONG_TYPE;
        }

        /// A number of elements as a distance of positions.
        Expr distance(Expr elements) {
            return scratch ? elements : elements.asLong().times(Expr.literal((long) stored.bytes()));
        }

        Expr distance(int elements) {
            return distance(Expr.literal(elements));
        }

        /// How far behind the beginning of a piece of memory some steps along it start, if they go backwards.
        Expr behind(int stride, int steps) {
            return distance(Math.max(0, -stride) * (steps - 1));
        }

        /// A sum of positions as one.
        Expr at(Expr sum) {
            return scratch ? sum : Stage.address(sum);
        }

        /// How far `count` steps of `stride` elements reach.
        Expr distance(Expr count, int stride) {
            return scratch
                    ? stride == 1 ? count : count.times(Expr.literal(stride))
                    : count.asLong().times(Expr.literal((long) stride * stored.bytes()));
        }

        Expr element(Expr floats, Expr position, boolean twin) {
            if (scratch) {
                return new Expr.Element(floats, position);
            }
            Expr value = twin ? Stage.sharedLoad(stored, position) : Stage.load(stored, position);
            return stored == DType.I8 ? new Expr.Convert(Type.FLOAT_TYPE, value) : value;
        }

        /// The two vectors of a row of a panel. Those of f16 and bf16 alternate: two elements are halves of an
        /// int.
        List<Expr> pair(VectorLanes v, Expr floats, Expr position) {
            if (stored.isHalf()) {
                Expr bits = v.let(v.loadIntegers(position));
                return stored == DType.BF16
                        ? List.of(v.let(v.lowBrainFloats(bits)), v.let(v.highBrainFloats(bits)))
                        : List.of(v.let(v.lowF16(bits)), v.let(v.highF16(bits)));
            }
            Expr second = position.plus(distance(v.width()));
            return List.of(v.let(vector(v, floats, position)), v.let(vector(v, floats, second)));
        }

        /// How far column `j` of a panel is from its first.
        Expr column(Expr j, int lanes) {
            if (!stored.isHalf()) {
                return distance(j);
            }
            Expr inside = new Expr.Arithmetic("&", j, Expr.literal(lanes - 1)).times(Expr.literal(2));
            return distance(inside.plus(ScalarLanes.math("floorDiv", j, Expr.literal(lanes))));
        }

        private Expr vector(VectorLanes lanes, Expr floats, Expr position) {
            if (scratch) {
                return lanes.load(floats, position);
            }
            return switch (stored) {
                case I8 -> lanes.loadBytes(position);
                case F32 -> lanes.load(position);
                case F16, BF16, F64, I64, I32, U8, BOOL -> throw new InternalError("a vector of " + stored);
            };
        }

        private String text() {
            return (scratch ? "s" : "m") + (stored == DType.F32 ? "" : stored + "_") + row + "_" + column;
        }
    }

    RegisterTile(int rows, boolean fresh, Operand a, Operand b) {
        this(rows, 1, fresh, a, b);
    }

    String name() {
        String several = panels == 1 ? "" : "x" + panels;
        return (fresh ? "tile" : "add") + rows + several + "_" + a.text() + "_" + b.text();
    }

    /// A register tile's method and its parameters.
    record Parameters(
            Method method,
            Expr.Local floats,
            Expr.Local a,
            Expr.Local aRow,
            Expr.Local b,
            Expr.Local next,
            Expr.Local c,
            Expr.Local cRow,
            Expr.Local depth) {
        List<Expr> all() {
            return List.of(floats, a, aRow, b, next, c, cRow, depth);
        }
    }

    /// A method for this tile.
    Method method(ClassCode code, String name, Consumer<Parameters> body) {
        Method m = code.method(true, name, Type.VOID_TYPE);
        body.accept(new Parameters(
                m,
                m.parameter("floats", Stage.FLOATS),
                m.parameter("a", a.position()),
                m.parameter("aRow", Type.INT_TYPE),
                m.parameter("b", b.position()),
                m.parameter("next", b.position()),
                m.parameter("c", Type.INT_TYPE),
                m.parameter("cRow", Type.INT_TYPE),
                m.parameter("depth", Type.INT_TYPE)));
        return m;
    }
}
