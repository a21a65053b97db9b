package tfx.opencl;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Intervals;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// A kernel as an OpenCL C function. A task is a group; its work-items share the points of each statement, and
/// wait for each other between statements. Tiles lie in local memory, or in private memory where one work-item
/// does all.
///
/// The points of an axis that the current task or step covers go from `a_low` to `a_high - 1`.
final class KernelWriter {
    /// Elements that rows of tiles are padded to: two of the widest vectors.
    private static final int PAD = 32;

    private static final String DECLARATIONS = "// declarations";

    /// A tile value, row-major.
    ///
    /// @param strides elements between neighbours along each axis
    record Tile(DType dtype, List<String> axes, int[] strides, int elements) {
        int stride(String axis) {
            return strides[axes.indexOf(axis)];
        }
    }

    /// What happens at a point of a loop nest.
    interface Body {
        /// @param vector whether for a vector of neighbours along the innermost axis
        void at(Values values, boolean vector);
    }

    private final Kernel kernel;
    private final Group group;
    private final String name;
    private final Code code = new Code();
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, Tile> tiles = new HashMap<>();
    private final Set<String> declared = new HashSet<>();
    private final List<String> declarations = new ArrayList<>();
    private final Map<String, String> shared = new HashMap<>();

    KernelWriter(Kernel kernel, Group group, String name) {
        this.kernel = kernel;
        this.group = group;
        this.name = name;
        for (String taken :
                List.of("failed", "launch", "task", "item", "kernel", "half", "global", "local", "private")) {
            code.fresh(taken);
        }
        kernel.buffers().forEach(b -> names.put(b.name(), code.fresh(b.name())));
        kernel.sizes().forEach(s -> names.put(s, code.fresh("n_" + s)));
        kernel.grid().forEach(a -> axisName(a.name()));
        kernel.axes().forEach(a -> axisName(a.name()));
        kernel.body().forEach(this::collect);
    }

    private void axisName(String axis) {
        String plain = code.fresh(axis);
        names.put(axis, plain);
        code.fresh(plain + "_low");
        code.fresh(plain + "_high");
    }

    private void collect(Kernel.Statement statement) {
        switch (statement) {
            case Kernel.Let s -> tile(s.name(), s.dtype(), s.axes());
            case Kernel.Reduce s -> tile(s.name(), s.dtype(), s.axes());
            case Kernel.Dot s -> tile(s.name(), s.dtype(), s.axes());
            case Kernel.Store _, Kernel.Scan _, Kernel.Sort _ -> {}
            case Kernel.Loop s -> s.body().forEach(this::collect);
        }
    }

    private void tile(String tile, DType dtype, List<String> axes) {
        if (!tiles.containsKey(tile)) {
            tile(tile, dtype, axes, kernel::extent);
        }
    }

    private void tile(String tile, DType dtype, List<String> axes, ToIntFunction<String> extents) {
        int[] strides = new int[axes.size()];
        int elements = 1;
        for (int i = axes.size() - 1; i >= 0; i--) {
            strides[i] = elements;
            int extent = extents.applyAsInt(axes.get(i));
            // Register tiles take whole vectors.
            boolean pad = group.alone() && axes.size() == 2 && i == 1;
            elements = Math.multiplyExact(elements, pad ? Math.ceilDiv(extent, PAD) * PAD : extent);
        }
        tiles.put(tile, new Tile(dtype, axes, strides, elements));
        names.put(tile, code.fresh(tile));
    }

    /// Makes a tile beside those of the kernel; its name.
    ///
    /// @param extents the most points of each axis
    String scratchTile(String base, DType dtype, List<String> axes, ToIntFunction<String> extents) {
        String tile = base;
        while (tiles.containsKey(tile)) {
            tile += "_";
        }
        tile(tile, dtype, axes, extents);
        declare(tile);
        return tile;
    }

    Kernel kernel() {
        return kernel;
    }

    Group group() {
        return group;
    }

    Code code() {
        return code;
    }

    Tile tile(String tile) {
        return tiles.get(tile);
    }

    /// The C name of a buffer, size, axis or tile.
    String name(String of) {
        return names.get(of);
    }

    /// The first point of an axis.
    String low(String axis) {
        return names.get(axis) + "_low";
    }

    /// The point after the last of an axis.
    String high(String axis) {
        return names.get(axis) + "_high";
    }

    /// A symbol of index expressions outside loops over points.
    String symbol(String symbol) {
        for (String end : List.of(".first", ".last")) {
            if (symbol.endsWith(end)
                    && kernel.axis(symbol.substring(0, symbol.length() - end.length()))
                            .isPresent()) {
                String axis = symbol.substring(0, symbol.length() - end.length());
                return end.equals(".first") ? low(axis) : "(" + high(axis) + " - 1)";
            }
        }
        return kernel.axis(symbol).isPresent() ? low(symbol) : names.get(symbol);
    }

    DType dtype(Kernel.Expr e) {
        return Exprs.dtype(e, b -> kernel.buffer(b).dtype(), t -> tiles.get(t).dtype());
    }

    /// The text of the function.
    String write() {
        StringBuilder parameters = new StringBuilder();
        for (Kernel.Buffer buffer : kernel.buffers()) {
            String type = (buffer.output() ? "" : "const ") + Types.stored(buffer.dtype());
            String plain = names.get(buffer.name());
            parameters
                    .append("        global ")
                    .append(type)
                    .append(" *restrict ")
                    .append(plain)
                    .append("_base, ");
            parameters.append("const ulong ").append(plain).append("_at,\n");
        }
        kernel.sizes()
                .forEach(s -> parameters
                        .append("        const long ")
                        .append(names.get(s))
                        .append(",\n"));
        parameters.append("        global int *failed, const int launch)");
        String attribute = "kernel __attribute__((reqd_work_group_size(" + group.items() + ", 1, 1)))\n";
        code.block(attribute + "void " + name + "(\n" + parameters, this::body);
        StringBuilder scratch = new StringBuilder();
        declarations.forEach(d -> scratch.append("    ").append(d).append('\n'));
        return code.toString().replace("    " + DECLARATIONS + "\n", scratch);
    }

    private void body() {
        for (Kernel.Buffer buffer : kernel.buffers()) {
            String type = (buffer.output() ? "" : "const ") + Types.stored(buffer.dtype());
            String plain = names.get(buffer.name());
            code.line("global " + type + " *" + plain + " = " + plain + "_base + " + plain + "_at;");
        }
        code.line(DECLARATIONS);
        kernel.body().forEach(this::declare);
        if (!group.alone()) {
            code.line("const uint item = get_local_id(0);");
        }
        Values sizes = new Values(this);
        for (Kernel.Axis axis : kernel.axes()) {
            range(axis.name(), "0", sizes.dim(axis.size()));
        }
        String rest = "task";
        code.line("const long task = get_group_id(0);");
        for (Kernel.Axis axis : kernel.grid().reversed()) {
            String size = sizes.dim(axis.size());
            String count = code.let("long", "tiles", "(" + size + " + " + (axis.tile() - 1) + ") / " + axis.tile());
            boolean outermost = axis == kernel.grid().getFirst();
            String at = outermost ? rest : rest + " % " + count;
            String low = code.let(
                    "long", names.get(axis.name()) + "_begin", at + (axis.tile() == 1 ? "" : " * " + axis.tile()));
            range(
                    axis.name(),
                    low,
                    axis.tile() == 1 ? low + " + 1" : "min(" + low + " + " + axis.tile() + ", (long)" + size + ")");
            rest = outermost ? rest : code.let("long", "rest", rest + " / " + count);
        }
        split(kernel.grid().stream().filter(a -> a.split().isPresent()).toList());
    }

    private void declare(Kernel.Statement statement) {
        switch (statement) {
            case Kernel.Let s -> declare(s.name());
            case Kernel.Reduce s -> declare(s.name());
            case Kernel.Dot s -> declare(s.name());
            case Kernel.Store _, Kernel.Scan _, Kernel.Sort _ -> {}
            case Kernel.Loop s -> s.body().forEach(this::declare);
        }
    }

    private void declare(String tile) {
        if (declared.add(tile)) {
            scratch(
                    Types.register(tiles.get(tile).dtype()),
                    names.get(tile),
                    tiles.get(tile).elements());
        }
    }

    /// Declares memory that the work-items of a group share, at the top of the function.
    void scratch(String type, String array, int elements) {
        declarations.add((group.alone() ? "" : "local ") + type + " " + array + "[" + elements
                + "] __attribute__((aligned(64)));");
    }

    /// An array with an element for each work-item of the group.
    String shared(DType dtype) {
        String type = Types.register(dtype);
        return shared.computeIfAbsent(type, t -> {
            String array = code.fresh("shared");
            scratch(t, array, group.items());
            return array;
        });
    }

    /// Sets the points of an axis for the block that follows.
    void range(String axis, String low, String high) {
        code.line("const long " + low(axis) + " = " + low + ", " + high(axis) + " = " + high + ";");
    }

    /// Cuts the current tiles of axes at the row boundaries of ragged dimensions.
    private void split(List<Kernel.Axis> remaining) {
        if (remaining.isEmpty()) {
            statements(kernel.body());
            return;
        }
        Kernel.Axis axis = remaining.getFirst();
        Kernel.Split split = axis.split().orElseThrow();
        String end = code.let("long", "end", high(axis.name()));
        String at = code.variable("long", "cut", low(axis.name()));
        code.block("while (" + at + " < " + end + ")", () -> {
            String row = name(split.rowIds()) + "[" + at + "]";
            String stop =
                    code.let("long", "stop", "min(" + end + ", (long)" + name(split.offsets()) + "[" + row + " + 1])");
            range(axis.name(), at, stop);
            split(remaining.subList(1, remaining.size()));
            code.line(at + " = " + stop + ";");
        });
    }

    void statements(List<Kernel.Statement> body) {
        for (Kernel.Statement statement : body) {
            switch (statement) {
                case Kernel.Let s -> let(s.name(), Neighbours.order(s.axes(), s.value()), s.value());
                case Kernel.Reduce s -> new ReduceWriter(this).write(s);
                case Kernel.Dot s -> new DotWriter(this).write(s);
                case Kernel.Store s -> store(s);
                case Kernel.Scan s -> new LineWriter(this).scan(s);
                case Kernel.Sort s -> new LineWriter(this).sort(s);
                case Kernel.Loop s -> loop(s);
            }
            if (!(statement instanceof Kernel.Loop)) {
                barrier();
            }
        }
    }

    /// Waits until all work-items of the group have come here and see each other's writes.
    void barrier() {
        if (!group.alone()) {
            code.line("barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);");
        }
    }

    private void loop(Kernel.Loop loop) {
        Kernel.Axis axis = kernel.axis(loop.axis()).orElseThrow();
        code.block("", () -> {
            Values values = new Values(this);
            String size = values.dim(axis.size());
            String from = code.let(
                    "long",
                    "from",
                    loop.from()
                            .map(e -> "max(0L, (long)" + values.scalar(e) + ")")
                            .orElse("0"));
            String to = code.let(
                    "long",
                    "to",
                    loop.to()
                            .map(e -> "min((long)" + size + ", (long)" + values.scalar(e) + ")")
                            .orElse(size));
            boolean[] inside = new boolean[1];
            BlockWriter blocks = new BlockWriter(this, values, axis.name(), inside);
            Intervals<String> intervals = new Intervals<>(kernel, this::dtype, blocks);
            loop.where().ifPresent(e -> intervals.before(e, axis.name()));
            String at = code.fresh("at");
            String step = at + " += " + axis.tile();
            code.block("for (long " + at + " = " + from + "; " + at + " < " + to + "; " + step + ")", () -> {
                range(axis.name(), at, "min(" + to + ", " + at + " + " + axis.tile() + ")");
                inside[0] = true;
                if (loop.where().isPresent()) {
                    step(
                            loop.body(),
                            loop.where().get(),
                            intervals.of(loop.where().get()));
                } else {
                    statements(loop.body());
                }
            });
        });
    }

    /// A step unless its condition holds nowhere; where it holds everywhere, without its arithmetic.
    private void step(List<Kernel.Statement> body, Kernel.Expr where, Intervals.Interval<String> holds) {
        List<Kernel.Expr> holding = Exprs.conjuncts(where);
        code.block("if (" + holds.high() + ")", () -> {
            for (Kernel.Statement statement : body) {
                Kernel.Statement whole = Exprs.rebuild(statement, (Kernel.Expr e) -> Exprs.assume(e, holding));
                if (whole.equals(statement)) {
                    statements(List.of(statement));
                } else {
                    code.block("if (" + holds.low() + ")", () -> statements(List.of(whole)));
                    code.block("else", () -> statements(List.of(statement)));
                }
            }
        });
    }

    // ---- points ----

    /// Sets the elements of a tile.
    ///
    /// @param order the axes to walk; it may hold axes that the tile lacks, if one work-item does all
    void let(String tile, List<String> order, Kernel.Expr value) {
        boolean row = !order.isEmpty()
                && tile(tile).axes().contains(order.getLast())
                && tile(tile).stride(order.getLast()) == 1;
        points(order, List.of(value), row, (values, vector) -> {
            if (vector) {
                String stored = values.vector(value);
                String whole = dtype(value) == DType.BOOL ? stored + " & 1" : stored;
                code.line("vstore" + group.width() + "(" + whole + ", 0, " + name(tile) + " + " + values.place(tile)
                        + ");");
            } else {
                code.line(values.element(tile) + " = " + values.scalar(value) + ";");
            }
        });
    }

    private void store(Kernel.Store store) {
        Kernel.Buffer buffer = kernel.buffer(store.buffer());
        if (store.lookups().isEmpty() && store.combine().isEmpty()) {
            Dim position = kernel.position(buffer, store.index());
            boolean unit = !store.axes().isEmpty()
                    && position.linearFactor(store.axes().getLast())
                            .filter(d -> d.isConstant(1))
                            .isPresent();
            points(store.axes(), List.of(store.value()), unit, (values, vector) -> {
                String at = values.position(buffer, store.index());
                if (vector) {
                    values.storeVector(buffer, at, values.vector(store.value()));
                } else {
                    values.store(buffer, at, values.scalar(store.value()));
                }
            });
            return;
        }
        // Where places coincide, the order counts: work-items share only axes that stand in the index themselves.
        Set<String> own = new HashSet<>();
        store.index().forEach(d -> d.symbolName().ifPresent(own::add));
        List<String> shared = store.axes().stream().filter(own::contains).toList();
        List<String> ordered =
                store.axes().stream().filter(a -> !own.contains(a)).toList();
        items(
                shared,
                List.of(),
                values -> walk(ordered, values, () -> {
                    Exprs.values(store).forEach(values::count);
                    values.begin();
                    values.lookups(store.lookups());
                    String at = values.position(buffer, store.index());
                    String value = values.scalar(store.value());
                    Runnable write = () -> values.store(buffer, at, joined(store, buffer, values, at, value));
                    Optional<String> none = store.lookups().stream()
                            .map(k -> values.dim(k.limit()) + " > 0")
                            .reduce((a, b) -> a + " && " + b);
                    none.ifPresentOrElse(guard -> code.block("if (" + guard + ")", write), write);
                }));
    }

    private static String joined(Kernel.Store store, Kernel.Buffer buffer, Values values, String at, String value) {
        return store.combine()
                .map(fn -> Functions.binary(fn, buffer.dtype(), values.loaded(buffer, at), value, 1))
                .orElse(value);
    }

    /// Loops over axes, outermost first; each work-item does all of it.
    void walk(List<String> axes, Values values, Runnable body) {
        if (axes.isEmpty()) {
            body.run();
            return;
        }
        String axis = axes.getFirst();
        String at = code.fresh(names.get(axis));
        code.block("for (long " + at + " = " + low(axis) + "; " + at + " < " + high(axis) + "; " + at + "++)", () -> {
            values.bind(axis, at);
            walk(axes.subList(1, axes.size()), values, body);
        });
    }

    /// The points of some axes, shared by the work-items, in vectors along the last where that is possible.
    ///
    /// @param of        the values that the body takes
    /// @param neighbours whether the body takes vectors
    void points(List<String> axes, List<Kernel.Expr> of, boolean neighbours, Body body) {
        if (!group.alone()) {
            items(axes, of, values -> body.at(values, false));
            return;
        }
        Values values = new Values(this);
        of.forEach(values::count);
        if (axes.isEmpty()) {
            code.block("", () -> body.at(values, false));
            return;
        }
        String last = axes.getLast();
        code.block(
                "",
                () -> walk(axes.subList(0, axes.size() - 1), values, () -> {
                    values.begin();
                    values.along(last);
                    code.block("if (" + low(last) + " < " + high(last) + ")", () -> {
                        of.forEach(values::hoist);
                        row(last, values, neighbours && of.stream().allMatch(values::vectorizes), body);
                    });
                }));
    }

    /// The points of one axis, innermost: vectors while they fit, then one after the other.
    void row(String axis, Values values, boolean vectors, Body body) {
        String at = code.variable("long", names.get(axis), low(axis));
        values.bind(axis, at);
        if (vectors && group.width() > 1) {
            String step = String.valueOf(group.width());
            code.block("for (; " + at + " + " + step + " <= " + high(axis) + "; " + at + " += " + step + ")", () -> {
                values.begin();
                body.at(values, true);
            });
        }
        code.block("for (; " + at + " < " + high(axis) + "; " + at + "++)", () -> {
            values.begin();
            body.at(values, false);
        });
    }

    /// The points of some axes, each at one work-item.
    void items(List<String> axes, List<Kernel.Expr> of, Consumer<Values> body) {
        Values values = new Values(this);
        of.forEach(values::count);
        if (group.alone()) {
            code.block("", () -> walk(axes, values, () -> body.accept(values)));
            return;
        }
        if (axes.isEmpty()) {
            code.block("if (item == 0)", () -> body.accept(values));
            return;
        }
        code.block("", () -> {
            boolean narrow = axes.stream()
                            .mapToLong(a -> bounded(a) ? kernel.extent(a) : 1L << 40)
                            .reduce(1, (a, b) -> Math.min(a * b, 1L << 40))
                    < 1L << 31;
            String type = narrow ? "uint" : "ulong";
            List<String> counts = new ArrayList<>();
            for (String axis : axes) {
                counts.add(code.let(type, "count", "(" + type + ")(" + high(axis) + " - " + low(axis) + ")"));
            }
            String total = String.join(" * ", counts);
            String point = code.fresh("point");
            String loop = "for (" + type + " " + point + " = item; " + point + " < " + total + "; " + point + " += "
                    + group.items() + ")";
            code.block(loop, () -> {
                String rest = point;
                for (int i = axes.size() - 1; i >= 0; i--) {
                    String axis = axes.get(i);
                    String at = i == 0 ? rest : rest + " % " + counts.get(i);
                    values.bind(axis, code.let("long", names.get(axis), low(axis) + " + " + at));
                    rest = i == 0 ? rest : code.let(type, "rest", rest + " / " + counts.get(i));
                }
                values.begin();
                body.accept(values);
            });
        });
    }

    /// Whether the current points of an axis are at most its extent.
    private boolean bounded(String axis) {
        return kernel.grid().stream().anyMatch(a -> a.name().equals(axis))
                || kernel.axis(axis)
                        .orElseThrow()
                        .size()
                        .constant()
                        .filter(c -> c <= kernel.axis(axis).orElseThrow().tile())
                        .isPresent();
    }
}
