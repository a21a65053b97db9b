package tfx.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;
import tfx.runtime.DType;

/// The register tiles of matrix products, shared by all kernels of a program: `C[rows, panel] += A[rows, k] B[k,
/// panel]`.
///
/// A and C lie in the scratch array, B in a panel of two vectors a row, in the scratch array or in memory. C
/// stays in
/// registers along `k`. Every element is one chain of fused multiply-adds in the order of `k`, at every width.
final class MicroKernels {
    private record Key(int rows, boolean array, int stride) {}

    /// Rows of the register tiles, largest first: as many accumulators as registers allow, one for edges.
    private final int[] tiles;

    private final int lanes;
    private final boolean vector;
    private final ClassCode code;
    private final Map<Key, Method> methods = new LinkedHashMap<>();

    MicroKernels(int lanes, boolean vector, String className) {
        this.lanes = lanes;
        this.vector = vector && lanes > 1;
        this.tiles = lanes >= 16 ? new int[] {12, 4, 1} : new int[] {6, 2, 1};
        this.code = new ClassCode(className, Object.class, "product.tfx");
    }

    ClassCode code() {
        return code;
    }

    int[] tiles() {
        return tiles;
    }

    int panel() {
        return 2 * lanes;
    }

    /// A call of the tile with `rows` rows.
    ///
    /// @param stride elements between rows of A, a constant of the emitted code
    /// @param b      the panel's first element: an index of the scratch array if `array`, else an address
    Expr invoke(int rows, boolean array, int stride, Expr floats, Expr a, Expr b, Expr c, Expr cStride, Expr depth) {
        Method method = methods.computeIfAbsent(new Key(rows, array, stride), this::make);
        return new Expr.Call(
                Opcodes.INVOKESTATIC,
                code.internalName(),
                method.name(),
                method.signature(),
                List.of(floats, a, b, c, cStride, depth));
    }

    private Method make(Key key) {
        String name = "tile" + key.rows + (key.array ? "_array_" : "_memory_") + key.stride;
        Method m = code.method(true, name, Type.VOID_TYPE);
        Expr.Local floats = m.parameter("floats", Stage.FLOATS);
        Expr.Local a = m.parameter("a", Type.INT_TYPE);
        Expr.Local b = m.parameter("b", key.array ? Type.INT_TYPE : Type.LONG_TYPE);
        Expr.Local c = m.parameter("c", Type.INT_TYPE);
        Expr.Local cStride = m.parameter("cStride", Type.INT_TYPE);
        Expr.Local depth = m.parameter("depth", Type.INT_TYPE);
        if (vector) {
            vectors(key, m, floats, a, b, c, cStride, depth);
        } else {
            scalars(key, m, floats, a, b, c, cStride, depth);
        }
        return m;
    }

    private void vectors(Key key, Method m, Expr floats, Expr a, Expr b, Expr c, Expr cStride, Expr depth) {
        VectorLanes v = new VectorLanes(m, lanes);
        List<Expr.Local> sums = new ArrayList<>();
        for (int r = 0; r < key.rows; r++) {
            Expr row = c.plus(cStride.times(Expr.literal(r)));
            for (int half = 0; half < 2; half++) {
                sums.add(m.let("sum", v.load(floats, row.plus(Expr.literal(half * lanes)))));
            }
        }
        Expr.Local k = m.let("k", Expr.literal(0));
        m.loop(k, Expr.literal(1), depth, () -> {
            Expr[] halves = new Expr[2];
            for (int half = 0; half < 2; half++) {
                halves[half] = m.let(
                        "b",
                        key.array
                                ? v.load(
                                        floats,
                                        b.plus(k.times(Expr.literal(2 * lanes))).plus(Expr.literal(half * lanes)))
                                : v.load(b.plus(k.asLong().times(Expr.literal(8L * lanes)))
                                        .plus(Expr.literal(4L * half * lanes))));
            }
            Expr column = a.plus(k);
            for (int r = 0; r < key.rows; r++) {
                Expr element = new Expr.Element(floats, column.plus(Expr.literal(r * key.stride)));
                Expr.Local wide = m.let("a", v.broadcast(element));
                for (int half = 0; half < 2; half++) {
                    Expr.Local sum = sums.get(2 * r + half);
                    m.set(sum, v.fma(wide, halves[half], sum));
                }
            }
        });
        for (int r = 0; r < key.rows; r++) {
            Expr row = c.plus(cStride.times(Expr.literal(r)));
            for (int half = 0; half < 2; half++) {
                m.call(v.store(sums.get(2 * r + half), floats, row.plus(Expr.literal(half * lanes))));
            }
        }
    }

    private void scalars(Key key, Method m, Expr floats, Expr a, Expr b, Expr c, Expr cStride, Expr depth) {
        ScalarLanes s = new ScalarLanes(m);
        Expr.Local row = m.let("row", Expr.literal(0));
        m.loop(row, Expr.literal(1), Expr.literal(key.rows), () -> {
            Expr.Local to = m.let("to", c.plus(cStride.times(row)));
            Expr.Local from = m.let("from", a.plus(row.times(Expr.literal(key.stride))));
            Expr.Local k = m.let("k", Expr.literal(0));
            m.loop(k, Expr.literal(1), depth, () -> {
                Expr.Local left = m.let("left", new Expr.Element(floats, from.plus(k)));
                Expr.Local right = m.let(
                        "right",
                        key.array
                                ? b.plus(k.times(Expr.literal(2 * lanes)))
                                : b.plus(k.asLong().times(Expr.literal(8L * lanes))));
                Expr.Local j = m.let("j", Expr.literal(0));
                m.loop(j, Expr.literal(1), Expr.literal(2 * lanes), () -> {
                    Expr value = key.array
                            ? new Expr.Element(floats, right.plus(j))
                            : Stage.load(DType.F32, right.plus(j.asLong().times(Expr.literal(4L))));
                    Expr sum = s.fma(left, value, new Expr.Element(floats, to.plus(j)));
                    m.add(new Statement.SetElement(floats, to.plus(j), sum));
                });
            });
        });
    }
}
