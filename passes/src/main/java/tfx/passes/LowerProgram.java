package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tfx.ir.InternalError;
import tfx.ir.Span;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Guards;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;
import tfx.runtime.program.Execution;
import tfx.runtime.program.Execution.Role;
import tfx.runtime.program.Execution.Step;
import tfx.runtime.program.Execution.Value;
import tfx.runtime.program.Guard;

/// Fused graph to kernels and the order of their launches.
///
/// Kernels that differ in buffers alone are one kernel. What depends on weights alone runs once, when they are
/// loaded; so does the packing of constant right-hand operands of products.
public final class LowerProgram {
    private final Graph graph;
    private final Target target;
    private final List<Value> values = new ArrayList<>();
    private final Map<Integer, Value> valueOf = new HashMap<>();
    private final Set<Guard> guards = new LinkedHashSet<>();
    private final List<Kernel> kernels = new ArrayList<>();
    private final Map<Kernel, Integer> known = new HashMap<>();
    private final Set<String> names = new HashSet<>();
    private final List<Step> once = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final Map<String, Value> rowIds = new HashMap<>();
    private final Map<String, Value> packed = new HashMap<>();
    private final Set<String> weightSizes = new HashSet<>();

    private LowerProgram(Graph graph, Target target) {
        this.graph = graph;
        this.target = target;
    }

    public static KernelProgram lower(Graph fused, Target target) {
        return new LowerProgram(fused, target).lower();
    }

    private KernelProgram lower() {
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Weight) {
                node.type().shape().forEach(d -> weightSizes.addAll(d.symbols()));
            }
        }
        nodes(graph, "", valueOf, steps);
        List<Execution.Output> outputs = graph.outputs().stream()
                .map(o -> new Execution.Output(o.name(), valueOf.get(o.id()).name()))
                .toList();
        return new KernelProgram(
                new Execution(graph.name(), values, once, steps, List.copyOf(guards), outputs), kernels);
    }

    /// Lowers the nodes of a graph.
    ///
    /// @param prefix for the names of its buffers
    /// @param valueOf the buffer of each value; inputs of a loop's graph are there already
    /// @param into   the steps that compute it
    private void nodes(Graph of, String prefix, Map<Integer, Value> valueOf, List<Step> into) {
        Map<Integer, List<Value>> loops = new HashMap<>();
        for (Node node : of.nodes()) {
            String name = prefix + "v" + node.id();
            switch (node.op()) {
                case Op.Input i ->
                    valueOf.computeIfAbsent(node.id(), k -> value(name, Role.INPUT, i.name(), node.type(), 0));
                case Op.Weight w -> valueOf.put(node.id(), value(name, Role.WEIGHT, w.name(), node.type(), 0));
                case Op.Region r -> {
                    List<Value> operands =
                            node.operands().stream().map(valueOf::get).toList();
                    r.body().nodes().forEach(n -> guards.addAll(Guards.of(r.body(), n)));
                    valueOf.put(node.id(), region(r, name, operands, into));
                }
                case Op.Loop l -> {
                    List<Value> operands =
                            node.operands().stream().map(valueOf::get).toList();
                    loops.put(node.id(), loop(l, name, operands, into));
                }
                case Op.Result r ->
                    valueOf.put(node.id(), loops.get(node.operands().getFirst()).get(r.position()));
                case Op.Constant _,
                        Op.Iota _,
                        Op.DimSize _,
                        Op.Unary _,
                        Op.Binary _,
                        Op.Select _,
                        Op.Cast _,
                        Op.Reduce _,
                        Op.Contract _,
                        Op.Reshape _,
                        Op.Transpose _,
                        Op.Broadcast _,
                        Op.Slice _,
                        Op.Window _,
                        Op.Concat _,
                        Op.Gather _,
                        Op.Scatter _,
                        Op.Scan _,
                        Op.Sort _,
                        Op.RowIds _ -> throw new InternalError(node.op() + " outside a region");
            }
        }
    }

    /// A loop as a step; the buffers of what it gives.
    private List<Value> loop(Op.Loop loop, String name, List<Value> operands, List<Step> into) {
        TensorType scalar = new TensorType(DType.I32, List.of());
        Value counter = value(name + ".i", Role.TEMPORARY, "", scalar, 0);
        List<Value> inside = new ArrayList<>(operands);
        inside.addFirst(counter);
        List<Value> results = new ArrayList<>();
        for (int k = 0; k < loop.carried(); k++) {
            Value state =
                    value(name + ".s" + k, Role.TEMPORARY, "", operands.get(k).type(), 0);
            inside.set(k + 1, state);
            results.add(state);
        }
        List<Step> test = new ArrayList<>();
        Optional<String> go = loop.test()
                .map(t -> body(t, name + ".t.", inside, test).getFirst().name());
        List<Step> body = new ArrayList<>();
        List<Value> made = body(loop.body(), name + ".b.", inside, body);
        List<Execution.Carry> carried = new ArrayList<>();
        List<Execution.Stack> stacked = new ArrayList<>();
        for (int k = 0; k < made.size(); k++) {
            if (k < loop.carried()) {
                carried.add(new Execution.Carry(
                        operands.get(k).name(),
                        results.get(k).name(),
                        made.get(k).name()));
            } else {
                List<Dim> shape = new ArrayList<>(made.get(k).type().shape());
                shape.addFirst(loop.trips().orElseThrow());
                TensorType type = new TensorType(made.get(k).type().dtype(), shape);
                Value all = value(name + ".y" + k, Role.TEMPORARY, "", type, 0);
                results.add(all);
                stacked.add(new Execution.Stack(made.get(k).name(), all.name()));
            }
        }
        into.add(new Execution.Repeat(loop.trips(), counter.name(), carried, test, go, body, stacked));
        return results;
    }

    /// Lowers a graph of a loop; the buffers of its outputs.
    private List<Value> body(Graph body, String prefix, List<Value> inside, List<Step> into) {
        Map<Integer, Value> own = new HashMap<>();
        for (Node input : body.inputs()) {
            own.put(input.id(), inside.get(Integer.parseInt(((Op.Input) input.op()).name())));
        }
        nodes(body, prefix, own, into);
        return body.outputs().stream().map(o -> own.get(o.id())).toList();
    }

    private Value value(String name, Role role, String source, TensorType type, int panels) {
        Value value = new Value(name, role, source, type, panels);
        values.add(value);
        return value;
    }

    private Value region(Op.Region region, String name, List<Value> operands, List<Step> into) {
        List<RegionLowering.Lowered> stages;
        try {
            stages = RegionLowering.lower(region.name(), region.body(), target);
        } catch (Illegal why) {
            throw new InternalError("region " + region.name() + " does not lower: " + why.getMessage(), why);
        }
        List<Step> own = new ArrayList<>();
        Value result = launches(stages, name, Optional.empty(), operands, own);
        Optional<RegionLowering.Few> few = result.role() == Role.CONSTANT
                ? Optional.empty()
                : RegionLowering.few("few_" + region.name(), region.body(), target);
        if (few.isEmpty()) {
            into.addAll(own);
        } else {
            List<Step> small = new ArrayList<>();
            launches(few.get().kernels(), name + ".few", Optional.of(result), operands, small);
            into.add(new Execution.Either(few.get().size(), few.get().most(), small, own));
        }
        return result;
    }

    /// Launches of a region's kernels; the buffer that the last of them fills.
    ///
    /// @param given that buffer, if there is one already
    private Value launches(
            List<RegionLowering.Lowered> stages,
            String name,
            Optional<Value> given,
            List<Value> operands,
            List<Step> into) {
        Optional<Value> before = Optional.empty();
        for (RegionLowering.Lowered stage : stages) {
            boolean last = stage == stages.getLast();
            Optional<Value> result = last ? given : Optional.empty();
            before = Optional.of(stage(stage, last ? name : name + ".chunks", result, operands, before, into));
        }
        return before.orElseThrow();
    }

    /// Launches one of a region's kernels; the buffer that it fills.
    ///
    /// @param given  that buffer, if there is one already
    /// @param before the result of the kernel before
    private Value stage(
            RegionLowering.Lowered lowered,
            String name,
            Optional<Value> given,
            List<Value> operands,
            Optional<Value> before,
            List<Step> into) {
        List<Value> arguments = new ArrayList<>();
        for (RegionLowering.Source source : lowered.sources()) {
            List<Dim> shape = lowered.kernel().buffers().get(arguments.size()).shape();
            arguments.add(
                    switch (source) {
                        case RegionLowering.Operand o -> operands.get(o.position());
                        case RegionLowering.RowIdsOf r -> rowIds(operands.get(r.position()), shape);
                        case RegionLowering.Before _ -> before.orElseThrow();
                    });
        }
        boolean constant = arguments.stream().allMatch(a -> a.role() == Role.WEIGHT || a.role() == Role.CONSTANT)
                && weightSizes.containsAll(lowered.kernel().sizes());
        Kernel kernel = constant ? lowered.kernel() : pack(lowered.kernel(), arguments);
        Kernel.Buffer filled = kernel.buffers().getLast();
        TensorType type = new TensorType(filled.dtype(), filled.shape());
        Value result = given.orElseGet(() -> value(name, constant ? Role.CONSTANT : Role.TEMPORARY, "", type, 0));
        arguments.add(result);
        launch(kernel, arguments, constant ? once : into);
        return result;
    }

    private void launch(Kernel kernel, List<Value> arguments, List<Step> into) {
        Kernel anonymous = kernel.named("");
        Integer number = known.get(anonymous);
        if (number == null) {
            number = kernels.size();
            known.put(anonymous, number);
            String base = kernel.name().replaceAll("\\.[0-9]+$", "");
            String name = base;
            for (int i = 2; !names.add(name); i++) {
                name = base + "." + i;
            }
            kernels.add(kernel.named(name));
        }
        into.add(
                new Execution.Launch(number, arguments.stream().map(Value::name).toList(), place(kernel.span())));
    }

    private static String place(Span span) {
        return span == Span.NONE ? "" : span.toString();
    }

    /// The row ids of row offsets, computed once a call for all kernels that need them.
    private Value rowIds(Value offsets, List<Dim> shape) {
        return rowIds.computeIfAbsent(offsets.name(), key -> {
            Value rows = value("rows" + rowIds.size(), Role.TEMPORARY, "", new TensorType(DType.I32, shape), 0);
            Dim entries = offsets.type().shape().getFirst().plus(-1);
            Dim entry = Dim.symbol("i.entry");
            Dim row = Dim.symbol("i.row");
            List<Kernel.Buffer> buffers = List.of(
                    new Kernel.Buffer("x0", false, DType.I32, offsets.type().shape(), 0),
                    new Kernel.Buffer("y", true, DType.I32, shape, 0));
            Kernel kernel = new Kernel(
                    "row_ids",
                    symbols(buffers),
                    buffers,
                    List.of(new Kernel.Axis("i.entry", entries, 1)),
                    List.of(new Kernel.Axis("i.row", shape.getFirst(), target.block())),
                    List.of(new Kernel.Loop(
                            "i.row",
                            Optional.of(new Kernel.Load("x0", List.of(entry), List.of())),
                            Optional.of(new Kernel.Load("x0", List.of(entry.plus(1)), List.of())),
                            List.of(new Kernel.Store(
                                    "y", List.of(row), List.of("i.row"), new Kernel.Index(DType.I32, entry))))));
            launch(kernel, List.of(offsets, rows), steps);
            return rows;
        });
    }

    /// Replaces constant right-hand operands of products by packed copies; `arguments` is updated.
    private Kernel pack(Kernel kernel, List<Value> arguments) {
        List<Kernel.Statement> body = new ArrayList<>();
        List<Kernel.Buffer> buffers = new ArrayList<>(kernel.buffers());
        for (Kernel.Statement statement : kernel.body()) {
            body.add(statement instanceof Kernel.Dot dot ? packed(dot, kernel, buffers, arguments) : statement);
        }
        Kernel changed =
                new Kernel(kernel.name(), kernel.sizes(), buffers, kernel.grid(), kernel.axes(), body, kernel.span());
        return changed.equals(kernel) ? kernel : changed;
    }

    private Kernel.Statement packed(Kernel.Dot dot, Kernel kernel, List<Kernel.Buffer> buffers, List<Value> arguments) {
        String column = dot.axes().get(1);
        Kernel.Expr right = dot.right() instanceof Kernel.Cast c ? c.x() : dot.right();
        if (!(right instanceof Kernel.Load load)
                || dot.dtype() != DType.F32
                || !load.lookups().isEmpty()
                || reads(dot.left(), load.buffer())
                || !Set.of(dot.over(), column).containsAll(Exprs.symbols(load))) {
            return dot;
        }
        int position = position(buffers, load.buffer());
        Value weight = arguments.get(position);
        Dim depth = kernel.axis(dot.over()).orElseThrow().size();
        Dim width = kernel.axis(column).orElseThrow().size();
        boolean constant = weight.role() == Role.WEIGHT || weight.role() == Role.CONSTANT;
        boolean readElsewhere = buffers.size() > 1
                && kernel.body().stream()
                        .anyMatch(s -> s instanceof Kernel.Store store && reads(store.value(), load.buffer()));
        if (!constant || depth.constant().isEmpty() || width.constant().isEmpty() || readElsewhere) {
            return dot;
        }
        List<Dim> shape = List.of(depth, width);
        DType stored = Packing.stored(buffers.get(position).dtype(), target);
        String key = weight.name() + load.index() + " over " + dot.over() + " by " + column + shape + stored;
        Value panels = packed.computeIfAbsent(key, k -> {
            Value made = value(
                    weight.name() + ".packed" + packed.size(),
                    Role.CONSTANT,
                    "",
                    new TensorType(stored, shape),
                    target.panel());
            launch(Packing.kernel(dot, column, buffers.get(position), load, made, target), List.of(weight, made), once);
            return made;
        });
        Kernel.Buffer old = buffers.get(position);
        buffers.set(position, new Kernel.Buffer(old.name(), false, stored, shape, target.panel()));
        arguments.set(position, panels);
        Kernel.Expr element =
                new Kernel.Load(load.buffer(), List.of(Dim.symbol(dot.over()), Dim.symbol(column)), List.of());
        Kernel.Expr panel = stored == DType.F32 ? element : new Kernel.Cast(DType.F32, element);
        return new Kernel.Dot(dot.name(), dot.dtype(), dot.axes(), dot.over(), dot.accumulate(), dot.left(), panel);
    }

    private static boolean reads(Kernel.Expr expr, String buffer) {
        Set<String> read = new HashSet<>();
        Exprs.walk(expr, e -> {
            if (e instanceof Kernel.Load l) {
                read.add(l.buffer());
            }
        });
        return read.contains(buffer);
    }

    static List<String> symbols(List<Kernel.Buffer> buffers) {
        Set<String> names = new TreeSet<>();
        buffers.forEach(b -> b.shape().forEach(d -> names.addAll(d.symbols())));
        return List.copyOf(names);
    }

    private static int position(List<Kernel.Buffer> buffers, String name) {
        for (int i = 0; i < buffers.size(); i++) {
            if (buffers.get(i).name().equals(name)) {
                return i;
            }
        }
        throw new InternalError("no buffer " + name);
    }
}
