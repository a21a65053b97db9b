package tfx.ir.kernel;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import tfx.ir.BinaryFn;
import tfx.ir.InternalError;
import tfx.ir.ReduceFn;
import tfx.ir.Span;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// One kernel: a grid of independent tasks, each of which runs `body` on tiles. Value-semantic and free of any
/// target.
///
/// Names of axes stand as symbols in index expressions. A tile value has a name, some axes, and an element for
/// each point of its axes inside the current task and loop step.
///
/// @param sizes size symbols, whose values come with each call
/// @param grid  axes that the tasks divide among them, outermost first
/// @param axes  axes that each task walks itself
/// @param span  the source it came from; outside equality
public record Kernel(
        String name,
        List<String> sizes,
        List<Buffer> buffers,
        List<Axis> grid,
        List<Axis> axes,
        List<Statement> body,
        Span span) {
    private static final int MOST_POINTS = 1 << 16;

    public Kernel {
        sizes = List.copyOf(sizes);
        buffers = List.copyOf(buffers);
        grid = List.copyOf(grid);
        axes = List.copyOf(axes);
        body = List.copyOf(body);
    }

    public Kernel(
            String name,
            List<String> sizes,
            List<Buffer> buffers,
            List<Axis> grid,
            List<Axis> axes,
            List<Statement> body) {
        this(name, sizes, buffers, grid, axes, body, Span.NONE);
    }

    /// The same kernel under another name.
    public Kernel named(String other) {
        return new Kernel(other, sizes, buffers, grid, axes, body, span);
    }

    /// Memory that a kernel reads or writes.
    ///
    /// @param panels 0 for row-major; else the buffer is a matrix `[K, N]` stored as panels of this many columns,
    ///               each panel row after row, the last one padded with zeros; the two halves of a row of f16
    ///               or bf16 alternate
    public record Buffer(String name, boolean output, DType dtype, List<Dim> shape, int panels) {
        public Buffer {
            shape = List.copyOf(shape);
        }
    }

    /// A dimension of the iteration space.
    ///
    /// @param tile  points that one task (of a grid axis) or one loop step (of a loop's axis) covers
    /// @param split for a grid axis, where its tiles are cut besides: at the row boundaries of a ragged dimension
    public record Axis(String name, Dim size, int tile, Optional<Split> split) {
        public Axis(String name, Dim size, int tile) {
            this(name, size, tile, Optional.empty());
        }
    }

    /// Tiles never cross a boundary: `rowIds[point]` is the entry, `offsets[entry + 1]` its end.
    public record Split(String rowIds, String offsets) {}

    /// What happens in a task, in order.
    public sealed interface Statement {}

    /// Sets a tile value; a name set before is replaced, which is how loops carry state.
    public record Let(String name, DType dtype, List<String> axes, Expr value) implements Statement {
        public Let {
            axes = List.copyOf(axes);
        }
    }

    /// Reduces `value` over one axis; with `accumulate`, into what the tile holds.
    public record Reduce(
            String name, DType dtype, List<String> axes, ReduceFn fn, String over, boolean accumulate, Expr value)
            implements Statement {
        public Reduce {
            axes = List.copyOf(axes);
        }
    }

    /// The matrix product `name[axes] = sum over `over` of left * right`; with `accumulate`, added to what the
    /// tile holds. `left` does not depend on the last of the axes, `right` not on the one before.
    public record Dot(
            String name, DType dtype, List<String> axes, String over, boolean accumulate, Expr left, Expr right)
            implements Statement {
        public Dot {
            axes = List.copyOf(axes);
        }
    }

    /// Writes an element for each point of `axes`, one after the other in row-major order of the axes where places
    /// coincide. Symbols of the index that no axis or size has are looked up.
    ///
    /// @param combine joins the value with what the buffer holds; without, it replaces it
    public record Store(
            String buffer,
            List<Dim> index,
            List<Lookup> lookups,
            List<String> axes,
            Optional<BinaryFn> combine,
            Expr value)
            implements Statement {
        public Store {
            index = List.copyOf(index);
            lookups = List.copyOf(lookups);
            axes = List.copyOf(axes);
        }

        public Store(String buffer, List<Dim> index, List<String> axes, Expr value) {
            this(buffer, index, List.of(), axes, Optional.empty(), value);
        }
    }

    /// Writes the partial reductions of `value` along `over`, for each point of `axes`.
    ///
    /// @param reverse   whether it begins at the end
    /// @param exclusive whether an element's own value is left out
    public record Scan(
            String buffer,
            List<Dim> index,
            List<String> axes,
            String over,
            ReduceFn fn,
            boolean reverse,
            boolean exclusive,
            Expr value)
            implements Statement {
        public Scan {
            index = List.copyOf(index);
            axes = List.copyOf(axes);
        }
    }

    /// Writes the stable order of `value` along `over` as i32 positions, for each point of `axes`. NaN is above
    /// all numbers, -0 equals 0.
    public record Sort(String buffer, List<Dim> index, List<String> axes, String over, boolean descending, Expr value)
            implements Statement {
        public Sort {
            index = List.copyOf(index);
            axes = List.copyOf(axes);
        }
    }

    /// Walks an axis in steps of its tile, from `from` to `to` where given. They may depend on the first and last
    /// point of grid tiles, written `i.first` and `i.last`.
    ///
    /// @param where without it, the body changes nothing: a step that it leaves no point of need not run, and in a
    ///              step that it leaves whole, the body may take it as true
    public record Loop(String axis, Optional<Expr> from, Optional<Expr> to, Optional<Expr> where, List<Statement> body)
            implements Statement {
        public Loop {
            body = List.copyOf(body);
        }

        public Loop(String axis, Optional<Expr> from, Optional<Expr> to, List<Statement> body) {
            this(axis, from, to, Optional.empty(), body);
        }
    }

    /// A value for each point of some axes.
    public sealed interface Expr {}

    /// An element of a buffer. Symbols of the index that no axis or size has are looked up.
    public record Load(String buffer, List<Dim> index, List<Lookup> lookups) implements Expr {
        public Load {
            index = List.copyOf(index);
            lookups = List.copyOf(lookups);
        }
    }

    /// An index read from data; a value outside `0..limit-1` fails the run.
    public record Lookup(String symbol, Expr value, Dim limit) {}

    public record Constant(DType dtype, Number value) implements Expr {}

    /// An index or size as a number. Symbols that no axis or size has are looked up.
    public record Index(DType dtype, Dim dim, List<Lookup> lookups) implements Expr {
        public Index {
            lookups = List.copyOf(lookups);
        }

        public Index(DType dtype, Dim dim) {
            this(dtype, dim, List.of());
        }
    }

    /// The element of a tile value at the current point.
    public record Ref(String name) implements Expr {}

    public record Unary(UnaryFn fn, Expr x) implements Expr {}

    public record Binary(BinaryFn fn, Expr a, Expr b) implements Expr {}

    public record Select(Expr condition, Expr a, Expr b) implements Expr {}

    public record Cast(DType dtype, Expr x) implements Expr {}

    /// The float `x`, of which more is known wherever its value counts.
    public record Known(Fact fact, Expr x) implements Expr {}

    /// What may be known of a number. Where it does not hold, nothing reads what is made of the number, or all
    /// that is stored of it is NaN anyway.
    public enum Fact {
        /// At most 0, or NaN: a difference from a maximum.
        NONPOSITIVE,

        /// Not NaN, nor does the sign of 0 matter: a score, to a maximum that does nothing but shift exponents.
        ORDERED;

        /// Whether a number is marked so.
        public boolean isOf(Expr value) {
            return value instanceof Known k && k.fact == this;
        }

        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// The buffer with this name.
    public Buffer buffer(String name) {
        return buffers.stream().filter(b -> b.name().equals(name)).findFirst().orElseThrow();
    }

    /// The axis with this name.
    public Optional<Axis> axis(String name) {
        return Stream.concat(grid.stream(), axes.stream())
                .filter(a -> a.name().equals(name))
                .findFirst();
    }

    /// The most points of an axis that one tile holds.
    public int extent(String name) {
        Axis axis = axis(name).orElseThrow();
        long most =
                axis.size().constant().map(size -> Math.min(size, axis.tile())).orElse((long) axis.tile());
        if (most > MOST_POINTS) {
            throw new InternalError("a tile of " + most + " points along " + name);
        }
        return Math.toIntExact(Math.max(most, 1));
    }

    /// Whether the points of an axis on which a statement works at once are always a multiple of `points`: all of
    /// them, those of a grid tile, those of a loop's step. An emitter that cuts them further answers for that.
    public boolean isMultiple(String name, int points) {
        Axis axis = axis(name).orElseThrow();
        return axis.split().isEmpty()
                && !isBounded(body, name)
                && axis.size()
                        .constant()
                        .filter(size -> size % points == 0 && (size <= axis.tile() || axis.tile() % points == 0))
                        .isPresent();
    }

    /// Whether a loop may walk only some of an axis.
    private static boolean isBounded(List<Statement> statements, String axis) {
        return statements.stream()
                .anyMatch(s -> s instanceof Loop loop
                        && (loop.axis().equals(axis)
                                        && (loop.from().isPresent() || loop.to().isPresent())
                                || isBounded(loop.body(), axis)));
    }

    /// The row-major (or panel) position of an element of a buffer, in elements.
    public Dim position(Buffer buffer, List<Dim> index) {
        Dim flat = Dim.ZERO;
        if (buffer.panels() == 0) {
            for (int i = 0; i < index.size(); i++) {
                flat = flat.times(buffer.shape().get(i)).plus(index.get(i));
            }
            return flat;
        }
        Dim width = Dim.of(buffer.panels());
        Function<String, Optional<Dim>> axisSizes = s -> axis(s).map(Axis::size);
        Dim panel = index.get(1).floorDivide(width, axisSizes);
        Dim column = index.get(1).remainder(width, axisSizes);
        if (buffer.dtype().isHalf()) {
            Dim half = Dim.of(buffer.panels() / 2);
            column = column.remainder(half, axisSizes).times(2).plus(column.floorDivide(half, axisSizes));
        }
        return panel.times(buffer.shape().get(0))
                .plus(index.get(0))
                .times(width)
                .plus(column);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Kernel k
                && name.equals(k.name)
                && sizes.equals(k.sizes)
                && buffers.equals(k.buffers)
                && grid.equals(k.grid)
                && axes.equals(k.axes)
                && body.equals(k.body);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, sizes, buffers, grid, axes, body);
    }

    @Override
    public String toString() {
        return KernelText.print(this);
    }
}
