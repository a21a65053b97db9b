package tfx.opencl;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Intervals;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Neighbours;
import tfx.runtime.DType;

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

    /// What a kernel is written as.
    enum Form {
        /// A command of its own, whose groups are its tasks.
        COMMAND,
        /// A function that does one task.
        STEP
    }

    private final Kernel kernel;
    private final Group group;
    private final String name;
    private final Form form;
    private final Code code = new Code();
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, Tile> tiles = new HashMap<>();
    private final Set<String> declared = new HashSet<>();
    private final List<String> declarations = new ArrayList<>();
    private final Map<String, String> shared = new HashMap<>();
    private long bytes;

    KernelWriter(Kernel kernel, Group group, String name, Form form) {
        this.kernel = kernel;
        this.group = group;
        this.name = name;
        this.form = form;
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
        String begins = switch (form) {
            case COMMAND -> group.attribute() + "\nvoid " + name + "(\n";
            case STEP -> "void " + name + "(\n        const long task,\n";
        };
        code.block(begins + parameters, this::body);
        StringBuilder scratch = new StringBuilder();
        declarations.forEach(d -> scratch.append("    ").append(d).append('\n'));
        return code.toString().replace("    " + DECLARATIONS + "\n", scratch);
    }

    /// Bytes of its tiles, once it is written.
    long bytes() {
        return bytes;
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
        if (form == Form.COMMAND) {
            code.line("const long task = get_group_id(0);");
        }
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
        bytes += (long) Types.bytes(type) * elements;
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
            statement(statement);
            if (!(statement instanceof Kernel.Loop)) {
                barrier();
            }
        }
    }

    private void statement(Kernel.Statement statement) {
        switch (statement) {
            case Kernel.Let s -> new TileWriter(this).let(s.name(), Neighbours.order(s.axes(), s.value()), s.value());
            case Kernel.Reduce s -> new ReduceWriter(this).write(s);
            case Kernel.Dot s -> new DotWriter(this).write(s);
            case Kernel.Store s -> new TileWriter(this).store(s);
            case Kernel.Scan s -> new LineWriter(this).scan(s);
            case Kernel.Sort s -> new LineWriter(this).sort(s);
            case Kernel.Loop s -> loop(s);
        }
    }

    /// Whether work-items of a group wait for each other inside a statement.
    private boolean waits(Kernel.Statement statement) {
        return !group.alone()
                && switch (statement) {
                    case Kernel.Reduce r -> ReduceWriter.waits(r, this);
                    case Kernel.Dot _, Kernel.Scan _, Kernel.Sort _, Kernel.Loop _ -> true;
                    case Kernel.Let _, Kernel.Store _ -> false;
                };
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

    /// A step unless its condition holds nowhere; where it holds everywhere, without its arithmetic. Work-items wait
    /// for each other outside of that choice, for PoCL 3.1 fails on loops with barriers inside of one.
    private void step(List<Kernel.Statement> body, Kernel.Expr where, Intervals.Interval<String> holds) {
        List<Kernel.Expr> holding = Exprs.conjuncts(where);
        code.block("if (" + holds.high() + ")", () -> {
            for (Kernel.Statement statement : body) {
                Kernel.Statement whole = Exprs.rebuild(statement, (Kernel.Expr e) -> Exprs.assume(e, holding));
                if (whole.equals(statement) || waits(statement)) {
                    statements(List.of(statement));
                } else {
                    code.block("if (" + holds.low() + ")", () -> statement(whole));
                    code.block("else", () -> statement(statement));
                    barrier();
                }
            }
        });
    }
}
