package tfx.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tfx.cpu.RegisterTile.Parameters;
import tfx.cpu.code.ClassCode;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.cpu.code.Statement;

/// Register tiles without vectors, in blocks of a few rows and columns. Tiles share the methods of blocks, so that
/// the JIT compiler has few to compile, and soon.
final class ScalarBlocks {
    private static final String SUPPORT = "tfx/runtime/program/Support";

    /// Calls with nothing to do after which the JIT compiler takes a method.
    private static final int FIRST_CALLS = 300;

    /// Rows and columns of a block.
    private static final int BLOCK = 4;

    private final int lanes;
    private final boolean twins;
    private final ClassCode code;
    private final Map<RegisterTile, Method> blocks = new LinkedHashMap<>();

    /// @param lanes floats in a vector of the tiles
    /// @param twins whether vector code takes over
    ScalarBlocks(int lanes, boolean twins, ClassCode code) {
        this.lanes = lanes;
        this.twins = twins;
        this.code = code;
    }

    /// A tile in blocks.
    void emit(RegisterTile tile, Parameters p) {
        Method m = p.method();
        Expr between = tile.a().scratch() ? Expr.literal(tile.a().row()) : p.aRow();
        for (int first = 0; first < tile.rows(); ) {
            int rows = Integer.highestOneBit(Math.min(BLOCK, tile.rows() - first));
            RegisterTile shape = new RegisterTile(rows, tile.fresh(), tile.a(), tile.b());
            Method block = blocks.computeIfAbsent(shape, t -> t.method(code, t.name() + "_block", q -> block(t, q)));
            Expr.Local a = m.let("row", p.a().plus(tile.a().distance(between.times(Expr.literal(first)))));
            Expr.Local c = m.let("to", p.c().plus(p.cRow().times(Expr.literal(first))));
            Expr.Local right = m.let("right", p.b());
            for (int panel = 0; panel < tile.panels(); panel++) {
                if (panel > 0) {
                    m.set(right, right.plus(p.next()));
                }
                Expr to = c.plus(Expr.literal(panel * panel()));
                Expr.Local j = m.let("j", Expr.literal(0));
                m.loop(j, Expr.literal(blockColumns()), Expr.literal(panel()), () -> {
                    Expr b = right.plus(tile.b().column(j, lanes));
                    m.call(code.call(
                            block, List.of(p.floats(), a, p.aRow(), b, p.next(), to.plus(j), p.cRow(), p.depth())));
                });
            }
            first += rows;
        }
    }

    private int panel() {
        return 2 * lanes;
    }

    private int blockColumns() {
        return Math.min(BLOCK, panel());
    }

    /// A few rows by a few columns, whose sums stay in registers.
    private void block(RegisterTile tile, Parameters p) {
        Method m = p.method();
        ScalarLanes s = new ScalarLanes(m);
        Expr between = tile.a().scratch() ? Expr.literal(tile.a().row()) : p.aRow();
        int width = blockColumns();
        List<Expr> left = new ArrayList<>();
        List<Expr> result = new ArrayList<>();
        List<Expr.Local> sums = new ArrayList<>();
        for (int r = 0; r < tile.rows(); r++) {
            left.add(m.let("row", p.a().plus(tile.a().distance(between.times(Expr.literal(r))))));
            Expr.Local to = m.let("to", p.c().plus(p.cRow().times(Expr.literal(r))));
            for (int i = 0; i < width; i++) {
                Expr at = to.plus(Expr.literal(i));
                result.add(at);
                sums.add(m.let("sum", tile.fresh() ? new Expr.Literal(0f) : new Expr.Element(p.floats(), at)));
            }
        }
        List<Expr> columns = new ArrayList<>();
        for (int i = 0; i < width; i++) {
            columns.add(m.let("column", p.b().plus(tile.b().column(Expr.literal(i), lanes))));
        }
        Expr.Local k = m.let("k", Expr.literal(0));
        m.loop(k, Expr.literal(1), p.depth(), () -> {
            Expr.Local at = m.let("at", tile.b().distance(k, tile.b().row()));
            List<Expr> right = new ArrayList<>();
            for (Expr column : columns) {
                right.add(m.let("b", tile.b().element(p.floats(), tile.b().at(column.plus(at)), twins)));
            }
            for (int r = 0; r < tile.rows(); r++) {
                Expr from = tile.a()
                        .at(left.get(r).plus(tile.a().distance(k, tile.a().column())));
                Expr.Local value = m.let("a", tile.a().element(p.floats(), from, twins));
                for (int i = 0; i < width; i++) {
                    Expr.Local sum = sums.get(r * width + i);
                    m.set(sum, s.fma(value, right.get(i), sum));
                }
            }
        });
        for (int i = 0; i < result.size(); i++) {
            m.add(new Statement.SetElement(p.floats(), result.get(i), sums.get(i)));
        }
    }

    /// Calls each block with nothing to add when the class is loaded, so that the JIT compiler takes it before it
    /// has work: interpreted, the first products would take longer than all else of a first call.
    void start(Method m) {
        Expr.Local floats = m.let("floats", ScalarLanes.invoke(SUPPORT, "block", Stage.FLOATS));
        Expr.Local i = m.let("i", Expr.literal(0));
        m.loop(
                i,
                Expr.literal(1),
                Expr.literal(FIRST_CALLS),
                () -> blocks.forEach((tile, block) -> {
                    Expr a = tile.a().scratch() ? Expr.literal(0) : Expr.literal(0L);
                    Expr b = tile.b().scratch() ? Expr.literal(0) : Expr.literal(0L);
                    Expr zero = Expr.literal(0);
                    m.call(code.call(block, List.of(floats, a, zero, b, b, zero, zero, zero)));
                }));
    }
}
