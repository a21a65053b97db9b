package tfx.cpu;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import tfx.cpu.RegisterTile.Operand;
import tfx.cpu.code.Expr;
import tfx.cpu.code.Method;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Matrix products of f32 tiles. Register tiles cover the result and read their operands where they lie; an
/// operand whose layout no register tile reads is copied to one that it does, in blocks along the summed axis.
final class DotEmitter {
    /// Longest block along the summed axis of a copied operand. Both blocks are whole vectors; of axes so short
    /// that several vectors are code without a loop, there is one block.
    private static final int COPIED_DEPTH = 768;

    /// Longest block otherwise. A panel of the right operand then still fits the second-level cache.
    private static final int DEPTH = 4096;

    /// Rows of a copied left operand begin in different sets of the first-level cache.
    private static final int SKEW = 16;

    /// So many of the largest tiles hide that the tile for a rest of two rows waits.
    private static final int FEW_TILES = 2;

    /// Up to so many rows of a task, register tiles widen what is slow to widen; for more it is widened first.
    private static final long WIDENED_IN_TILES = 16;

    /// Largest distance of elements that is a constant of the code.
    private static final long FAR = 1 << 20;

    private final KernelEmitter emitter;
    private final Stage driver;
    private final Kernel.Dot dot;
    private final MicroKernels micro;
    private final PanelEmitter rights;
    private final String row;
    private final String column;
    private final String over;
    private final Tiles.Tile result;

    DotEmitter(KernelEmitter emitter, Stage driver, Kernel.Dot dot) {
        this.emitter = emitter;
        this.driver = driver;
        this.dot = dot;
        this.micro = emitter.micro();
        this.rights = new PanelEmitter(emitter, dot);
        this.row = dot.axes().get(0);
        this.column = dot.axes().get(1);
        this.over = dot.over();
        this.result = emitter.tile(dot.name());
    }

    /// How the register tiles read one side.
    private sealed interface Side {
        Operand operand();
    }

    /// A tile value.
    private record Scratch(Operand operand, Tiles.Tile tile) implements Side {}

    /// A buffer's elements in place, at a position that is linear in the axes.
    private record InPlace(Operand operand, Kernel.Buffer buffer, Dim position, Dim rowStep) implements Side {}

    /// A weight that was packed into panels when it was loaded.
    private record Panels(Operand operand, Kernel.Load load) implements Side {}

    /// What is computed, moved or widened first.
    private record Copied(Operand operand, int offset) implements Side {}

    void emit() {
        Optional<Side> left = left();
        Optional<Side> right = right();
        if (right.filter(DotEmitter::slowToWiden).isPresent() && !neverWidenedFirst()) {
            driver.method.choose(widenedInTiles(), () -> emit(left, right), () -> emit(left, Optional.empty()));
        } else {
            emit(left, right);
        }
    }

    /// Emits the product of sides in place; those that are not are copied.
    private void emit(Optional<Side> inLeft, Optional<Side> inRight) {
        boolean copies = inLeft.isEmpty() || inRight.isEmpty();
        boolean tiled = Stream.concat(inLeft.stream(), inRight.stream()).anyMatch(s -> s instanceof Scratch);
        int depth = tiled ? emitter.tiles().extent(over) : extent(copies ? COPIED_DEPTH : DEPTH);
        Side left = inLeft.orElseGet(() -> copiedLeft(depth));
        Side right = inRight.orElseGet(() -> copiedRight(depth));
        boolean single = size(over).constant().filter(c -> c >= 1 && c <= depth).isPresent();
        boolean fresh = single && !dot.accumulate();
        TileEmitter tile = new TileEmitter(emitter);
        if (!fresh && !dot.accumulate()) {
            tile.let(driver, dot.name(), dot.axes(), new Kernel.Constant(DType.F32, 0.0));
        }
        Method m = driver.method;
        Expr.Local at = m.let("at", driver.low(over));
        Expr.Local first = m.let("first", at);
        Expr.Local end = m.let("end", driver.high(over));
        m.loopWhile(new Expr.Compare("<", at, end), () -> {
            Expr.Local stop = m.let("stop", ScalarLanes.math("min", end, at.plus(Expr.literal((long) depth))));
            emitter.range(driver, over, at, stop);
            if (left instanceof Copied c) {
                int[] strides = {c.operand.row(), 1};
                Tiles.Tile copy = new Tiles.Tile(DType.F32, List.of(row, over), c.offset, strides);
                tile.update(driver, "left", copy, List.of(row, over), dot.left());
            }
            if (right instanceof Copied c) {
                rights.copy(driver, c.offset, depth);
            }
            products(left, right, fresh, depth);
            m.set(at, stop);
        });
        emitter.range(driver, over, first, end);
    }

    private Dim size(String axis) {
        return emitter.kernel().axis(axis).orElseThrow().size();
    }

    private int extent(int most) {
        return size(over).constant().map(c -> (int) Math.clamp(c, 1L, most)).orElse(most);
    }

    private Optional<Side> left() {
        if (dot.left() instanceof Kernel.Ref r) {
            Tiles.Tile tile = emitter.tile(r.name());
            if (Set.copyOf(tile.axes()).equals(Set.of(row, over))) {
                return Optional.of(new Scratch(Operand.scratch(tile.stride(row), tile.stride(over)), tile));
            }
        }
        return inPlace(dot.left()).flatMap(p -> {
            Optional<Long> columns = step(p.position, over);
            Optional<Dim> rows = p.position.linearFactor(row);
            return columns.isEmpty() || rows.filter(DotEmitter::forwards).isEmpty()
                    ? Optional.empty()
                    : Optional.of(new InPlace(
                            Operand.memory(0, (int) (long) columns.get()), p.buffer, p.position, rows.get()));
        });
    }

    private Optional<Side> right() {
        Optional<Kernel.Load> packed = rights.packed();
        if (packed.isPresent()) {
            return packed.map(l -> new Panels(rights.operand(l), l));
        }
        if (dot.right() instanceof Kernel.Ref r) {
            Tiles.Tile tile = emitter.tile(r.name());
            if (tile.axes().equals(List.of(over, column))) {
                return Optional.of(new Scratch(Operand.scratch(tile.stride(over), 1), tile));
            }
        }
        // Register tiles read whole panels: in place only where the columns are.
        boolean whole =
                size(column).constant().filter(c -> c % micro.panel() == 0).isPresent()
                        && emitter.tiles().extent(column) % micro.panel() == 0;
        return inPlace(dot.right()).filter(p -> whole).flatMap(p -> {
            Optional<Long> rows = step(p.position, over);
            boolean unit = step(p.position, column).filter(s -> s == 1).isPresent();
            return rows.isEmpty() || !unit
                    ? Optional.empty()
                    : Optional.of(
                            new InPlace(Operand.memory((int) (long) rows.get(), 1), p.buffer, p.position, Dim.ONE));
        });
    }

    /// An operand that is a plain element of an f32 buffer.
    private Optional<InPlace> inPlace(Kernel.Expr operand) {
        if (!(operand instanceof Kernel.Load l) || !l.lookups().isEmpty()) {
            return Optional.empty();
        }
        Kernel.Buffer buffer = emitter.kernel().buffer(l.buffer());
        if (buffer.dtype() != DType.F32 || buffer.panels() > 0) {
            return Optional.empty();
        }
        return Optional.of(new InPlace(Operand.memory(0, 1), buffer, driver.position(buffer, l.index()), Dim.ONE));
    }

    private static Optional<Long> step(Dim position, String axis) {
        return position.linearFactor(axis).flatMap(Dim::constant).filter(s -> Math.abs(s) <= FAR);
    }

    /// Whether a step is negative for no sizes.
    private static boolean forwards(Dim step) {
        return step.terms().stream()
                .allMatch(t -> t.coefficient() >= 0 && t.atoms().stream().allMatch(a -> a instanceof Dim.Symbol));
    }

    private Side copiedLeft(int depth) {
        int stride = depth + SKEW;
        int rows = emitter.tiles().extent(row);
        return new Copied(Operand.scratch(stride, 1), emitter.tiles().reserve(Tiles.Kind.FLOATS, rows * stride));
    }

    private Side copiedRight(int depth) {
        int panels = (emitter.tiles().extent(column) + micro.panel() - 1) / micro.panel();
        int offset = emitter.tiles().reserve(Tiles.Kind.FLOATS, panels * depth * micro.panel());
        return new Copied(Operand.scratch(micro.panel(), 1), offset);
    }

    /// Whether elements of a side take so long to widen that many rows should share it.
    private static boolean slowToWiden(Side side) {
        return side instanceof Panels p && p.operand.stored() == DType.F16;
    }

    private boolean neverWidenedFirst() {
        return size(row).constant().filter(c -> c <= WIDENED_IN_TILES).isPresent();
    }

    private Expr widenedInTiles() {
        return new Expr.Compare("<=", driver.high(row).minus(driver.low(row)), Expr.literal(WIDENED_IN_TILES));
    }

    /// Covers the result with register tiles.
    private void products(Side left, Side right, boolean fresh, int depth) {
        emitter.stage(driver, "product_" + dot.name(), stage -> products(stage, left, right, fresh, depth));
    }

    private void products(Stage stage, Side left, Side right, boolean fresh, int depth) {
        Method m = stage.method;
        prepare(stage, left);
        prepare(stage, right);
        Expr.Local rows = m.let("rows", stage.high(row).minus(stage.low(row)).asInt());
        Expr.Local columns =
                m.let("columns", stage.high(column).minus(stage.low(column)).asInt());
        Expr.Local count =
                m.let("depth", stage.high(over).minus(stage.low(over)).asInt());
        Expr.Local a = m.let("a", first(stage, left));
        Expr aRow =
                left instanceof InPlace p ? m.let("aRow", stage.dim(p.rowStep).asInt()) : Expr.literal(0);
        Expr.Local b = m.let("b", first(stage, right));
        Call call = new Call(rows, columns, count, a, aRow, b, m.let("j", Expr.literal(0)));
        if (right instanceof Panels p) {
            for (int few = 1; few <= micro.fewRows(); few++) {
                fewRows(stage, left, p, fresh, call, few);
            }
        }
        int[] wide = micro.wideTiles(left.operand());
        if (wide.length > 0 && emitter.tiles().extent(column) > micro.panel()) {
            cover(stage, left, right, fresh, call, MicroKernels.WIDE_PANELS, wide, depth);
        }
        cover(stage, left, right, fresh, call, 1, micro.tiles(), depth);
    }

    /// Covers columns from `call.j` on with tiles of as many panels, while the last of them has columns.
    private void cover(
            Stage stage, Side left, Side right, boolean fresh, Call call, int panels, int[] sizes, int depth) {
        Method m = stage.method;
        int width = panels * micro.panel();
        Expr step = panels(right, 1, depth);
        Expr limit = m.let("limit", call.columns.minus(Expr.literal(width - micro.panel())));
        Expr most = micro.leavesNoTwo(sizes) ? m.let("most", withoutTwo(call.rows, sizes[0])) : call.rows;
        m.loopWhile(new Expr.Compare("<", call.j, limit), () -> {
            Expr.Local i = m.let("i", Expr.literal(0));
            IntFunction<RegisterTile> tiles =
                    size -> new RegisterTile(size, panels, fresh, left.operand(), right.operand());
            Consumer<RegisterTile> rows = tile -> {
                Expr gap = left instanceof InPlace
                        ? call.aRow
                        : Expr.literal(left.operand().row());
                Expr from = call.a.plus(left.operand().distance(i.times(gap)));
                Expr cRow = Expr.literal(result.strides()[0]);
                Expr c = Expr.literal(result.offset()).plus(i.times(cRow)).plus(call.j);
                m.call(micro.invoke(tile, stage.floats, from, call.aRow, call.b, step, c, cRow, call.depth));
            };
            for (int size : sizes) {
                RegisterTile tile = tiles.apply(size);
                if (fresh && size < sizes[0]) {
                    RegisterTile largest = tiles.apply(sizes[0]);
                    micro.part(tile).ifPresent(small -> again(m, largest, tile, small, call, i, rows));
                }
                m.loop(i, Expr.literal(size), size == sizes[0] ? most : call.rows, () -> rows.accept(tile));
            }
            m.set(call.j, call.j.plus(Expr.literal(width)));
            m.set(call.b, call.b.plus(panels(right, panels, depth)));
        });
    }

    /// The rows among which tiles of `largest` rows are laid out. Where two of few would be left, the last of these
    /// tiles is left out: a tile of two rows waits for its panels, two others share the eight.
    private static Expr withoutTwo(Expr rows, int largest) {
        Expr few = ScalarLanes.math("min", rows, Expr.literal(FEW_TILES * largest + 3));
        Expr rest = ScalarLanes.math("floorMod", few, Expr.literal(largest));
        return rows.minus(
                new Expr.Choose(new Expr.Compare("==", rest, Expr.literal(2)), Expr.literal(3), Expr.literal(0)));
    }

    /// Has the last rows computed by the largest tile, some of them once more, while the tile for so few is cold.
    /// Its twin would take longer than all the other rows.
    private void again(
            Method m,
            RegisterTile largest,
            RegisterTile tile,
            Parts.Part small,
            Call call,
            Expr.Local i,
            Consumer<RegisterTile> rows) {
        Expr.Local from = m.let("from", call.rows.minus(Expr.literal(largest.rows())));
        Expr hot = micro.part(largest).orElseThrow().hot();
        Expr some = new Expr.Compare("<=", i.plus(Expr.literal(tile.rows())), call.rows);
        Expr enough = new Expr.Compare(">=", from, Expr.literal(0));
        Runnable nothing = () -> {};
        Runnable largestAgain = () -> {
            m.call(small.tell("want", call.depth));
            m.loop(i, Expr.literal(largest.rows()), call.rows, () -> rows.accept(largest));
            m.set(i, from);
            rows.accept(largest);
            m.set(i, call.rows);
        };
        Runnable ifHot = () -> m.choose(hot, largestAgain, nothing);
        Runnable ifCold = () -> m.choose(small.hot(), nothing, ifHot);
        m.choose(some, () -> m.choose(enough, ifCold, nothing), nothing);
    }

    /// What the calls of register tiles have in common.
    ///
    /// @param b where the panel of column `j` begins
    private record Call(Expr rows, Expr columns, Expr depth, Expr a, Expr aRow, Expr.Local b, Expr.Local j) {}

    /// A product of so few rows takes several panels at once while there are as many.
    private void fewRows(Stage stage, Side left, Panels right, boolean fresh, Call call, int few) {
        Method m = stage.method;
        int several = MicroKernels.ROW_PANELS;
        RegisterTile tile = new RegisterTile(few, several, fresh, left.operand(), right.operand());
        Expr whole =
                new Expr.Choose(new Expr.Compare("==", call.rows, Expr.literal(few)), call.columns, Expr.literal(0));
        Expr.Local limit = m.let("limit", whole);
        m.loop(call.j, Expr.literal(several * micro.panel()), limit, () -> {
            Expr c = Expr.literal(result.offset()).plus(call.j);
            Expr cRow = Expr.literal(result.strides()[0]);
            m.call(micro.invoke(
                    tile, stage.floats, call.a, call.aRow, call.b, panels(right, 1, 0), c, cRow, call.depth));
            m.set(call.b, call.b.plus(panels(right, several, 0)));
        });
    }

    private static void prepare(Stage stage, Side side) {
        if (side instanceof InPlace p) {
            stage.prepare(List.of(), List.of(List.of(p.position, p.rowStep)), Set.of(p.buffer.name()));
        }
    }

    /// Where a side's first element for this task and block lies.
    private Expr first(Stage stage, Side side) {
        return switch (side) {
            case Scratch s -> Expr.literal(s.tile.offset());
            case Copied c -> Expr.literal(c.offset);
            case InPlace p -> stage.address(p.buffer, p.position);
            case Panels p -> rights.address(stage, p.load);
        };
    }

    /// How far a number of panels of the right side reach, in positions.
    private Expr panels(Side right, int count, int depth) {
        return switch (right) {
            case Copied c -> Expr.literal(count * depth * micro.panel());
            case Panels p -> Expr.literal(count * rights.length(p.load));
            case Scratch s -> right.operand().distance(count * micro.panel());
            case InPlace p -> right.operand().distance(count * micro.panel());
        };
    }
}
