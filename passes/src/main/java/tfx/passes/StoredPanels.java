package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tfx.ir.Target;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.KernelProgram;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;
import tfx.runtime.program.Execution;
import tfx.runtime.program.Execution.Launch;
import tfx.runtime.program.Execution.Role;
import tfx.runtime.program.Execution.Step;
import tfx.runtime.program.Execution.Value;

/// Has weights of products stored as the widest vectors read them, in panels: then loading a program packs
/// nothing, and no copies of them take memory. Narrower vectors cut the panels, which moves whole rows of them.
///
/// What is stored is the same for every width: f32 weights whose columns fill panels of {@link #PANEL}, once for
/// each way in which products read them.
public final class StoredPanels {
    /// Columns of a stored panel.
    private static final int PANEL = Target.cpu(16).panel();

    private final KernelProgram program;
    private final Target target;
    private final List<Kernel> kernels;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Map<String, Layout> layouts = new LinkedHashMap<>();

    /// The kernel that cuts stored panels of a shape.
    private final Map<List<Dim>, Integer> cuts = new HashMap<>();

    /// How a stored matrix is made of a weight.
    ///
    /// @param weight  its name
    /// @param rows    of the matrix
    /// @param columns of the matrix
    /// @param first   the weight's element that is the matrix's first
    /// @param row     elements of the weight from a row to the next
    /// @param column  elements of the weight from a column to the next
    public record Layout(String weight, long rows, long columns, long first, long row, long column) {
        /// Rows of a panel one after the other, panel after panel.
        ///
        /// @return the place in the weight of element `at` of the panels
        public long source(long at) {
            long inside = at % PANEL;
            long k = at / PANEL % rows;
            long panel = at / PANEL / rows;
            return first + k * row + (panel * PANEL + inside) * column;
        }

        private String name() {
            return weight + " as " + rows + " x " + columns + " in panels of " + PANEL + ", " + first + "+" + row + "k+"
                    + column + "n";
        }
    }

    /// A program that reads stored panels, and how they are made, by the names that it has for them as weights.
    public record Result(KernelProgram program, Map<String, Layout> layouts) {}

    private StoredPanels(KernelProgram program, Target target) {
        this.program = program;
        this.target = target;
        this.kernels = new ArrayList<>(program.kernels());
        program.execution().values().forEach(v -> values.put(v.name(), v));
    }

    /// @param target what the program was lowered for
    public static Result of(KernelProgram program, Target target) {
        return new StoredPanels(program, target).result();
    }

    private Result result() {
        Execution before = program.execution();
        List<Step> once = new ArrayList<>();
        for (Step step : before.once()) {
            Optional<Layout> layout = step instanceof Launch l ? layout(l) : Optional.empty();
            if (layout.isEmpty()) {
                once.add(step);
                continue;
            }
            read(values.get(((Launch) step).arguments().getLast()), layout.get())
                    .ifPresent(once::add);
        }
        Set<String> used = new HashSet<>();
        before.outputs().forEach(o -> used.add(o.value()));
        once.forEach(s -> used.addAll(Execution.buffers(s)));
        before.steps().forEach(s -> used.addAll(Execution.buffers(s)));
        List<Value> kept = values.values().stream()
                .filter(v -> v.role() != Role.WEIGHT || used.contains(v.name()) || !constant(v.type()))
                .toList();
        Execution after = new Execution(before.name(), kept, once, before.steps(), before.guards(), before.outputs());
        return new Result(compact(after), layouts);
    }

    private static boolean constant(TensorType type) {
        return type.shape().stream().allMatch(d -> d.constant().isPresent());
    }

    /// How a launch packs a weight, if all it does is that.
    private Optional<Layout> layout(Launch launch) {
        Kernel kernel = kernels.get(launch.kernel());
        if (launch.arguments().size() != 2
                || kernel.body().size() != 1
                || !(kernel.body().getFirst() instanceof Kernel.Store store)
                || !(store.value() instanceof Kernel.Load load)
                || !load.lookups().isEmpty()) {
            return Optional.empty();
        }
        Value weight = values.get(launch.arguments().getFirst());
        Value panels = values.get(launch.arguments().getLast());
        Kernel.Buffer source = kernel.buffer(load.buffer());
        if (weight.role() != Role.WEIGHT
                || !constant(weight.type())
                || source.dtype() != DType.F32
                || panels.type().dtype() != DType.F32
                || panels.panels() != target.panel()
                || panels.type()
                        .shape()
                        .getLast()
                        .constant()
                        .filter(c -> c % PANEL == 0)
                        .isEmpty()) {
            return Optional.empty();
        }
        // The matrix's row is an axis, its column a panel's first and an axis inside it.
        Dim from = kernel.position(source, load.index());
        Dim column = store.index().getLast();
        List<String> inside = column.symbols().stream()
                .filter(s -> column.linearFactor(s).filter(f -> f.isConstant(1)).isPresent())
                .toList();
        Optional<String> row = store.index().getFirst().symbolName();
        if (inside.size() != 1 || row.isEmpty()) {
            return Optional.empty();
        }
        Optional<Long> step = from.linearFactor(inside.getFirst()).flatMap(Dim::constant);
        Optional<Long> down = from.linearFactor(row.get()).flatMap(Dim::constant);
        if (step.isEmpty() || down.isEmpty()) {
            return Optional.empty();
        }
        Dim first =
                from.minus(column.times(step.get())).minus(Dim.symbol(row.get()).times(down.get()));
        List<Long> shape = panels.type().shape().stream()
                .map(d -> d.constant().orElseThrow())
                .toList();
        return first.constant()
                .map(at -> new Layout(weight.source(), shape.get(0), shape.get(1), at, down.get(), step.get()));
    }

    /// Has `panels` come from the stored matrix; the launch that cuts it into them, unless it is they.
    private Optional<Step> read(Value panels, Layout layout) {
        String source = layout.name();
        layouts.put(source, layout);
        if (target.panel() == PANEL) {
            values.put(panels.name(), new Value(panels.name(), Role.WEIGHT, source, panels.type(), PANEL));
            return Optional.empty();
        }
        String name = panels.name() + ".stored";
        values.put(name, new Value(name, Role.WEIGHT, source, panels.type(), PANEL));
        int kernel = cuts.computeIfAbsent(panels.type().shape(), shape -> {
            kernels.add(cut(shape, cuts.isEmpty() ? "cut" : "cut." + (cuts.size() + 1)));
            return kernels.size() - 1;
        });
        return Optional.of(new Launch(kernel, List.of(name, panels.name()), ""));
    }

    private Kernel cut(List<Dim> shape, String name) {
        int parts = PANEL / target.panel();
        long wide = shape.getLast().constant().orElseThrow() / PANEL;
        List<Dim> index = List.of(
                Dim.symbol("k"),
                Dim.symbol("p")
                        .times(PANEL)
                        .plus(Dim.symbol("q").times(target.panel()))
                        .plus(Dim.symbol("x")));
        return new Kernel(
                name,
                List.of(),
                List.of(
                        new Kernel.Buffer("source", false, DType.F32, shape, PANEL),
                        new Kernel.Buffer("packed", true, DType.F32, shape, target.panel())),
                List.of(new Kernel.Axis("p", Dim.of(wide), 1)),
                List.of(
                        new Kernel.Axis("q", Dim.of(parts), parts),
                        new Kernel.Axis("k", shape.getFirst(), target.block()),
                        new Kernel.Axis("x", Dim.of(target.panel()), target.panel())),
                List.of(new Kernel.Store(
                        "packed", index, List.of("p", "q", "k", "x"), new Kernel.Load("source", index, List.of()))));
    }

    /// The program without the kernels that nothing launches.
    private KernelProgram compact(Execution execution) {
        Set<Integer> launched = new TreeSet<>();
        execution.once().forEach(s -> launches(s, launched));
        execution.steps().forEach(s -> launches(s, launched));
        List<Integer> order = List.copyOf(launched);
        Execution numbered = new Execution(
                execution.name(),
                execution.values(),
                numbered(execution.once(), order),
                numbered(execution.steps(), order),
                execution.guards(),
                execution.outputs());
        return new KernelProgram(numbered, order.stream().map(kernels::get).toList());
    }

    private static void launches(Step step, Set<Integer> into) {
        switch (step) {
            case Launch l -> into.add(l.kernel());
            case Execution.Repeat r -> {
                r.test().forEach(s -> launches(s, into));
                r.body().forEach(s -> launches(s, into));
            }
            case Execution.Either e -> {
                e.small().forEach(s -> launches(s, into));
                e.other().forEach(s -> launches(s, into));
            }
        }
    }

    /// Steps whose kernels have their places in `order` as numbers.
    private static List<Step> numbered(List<Step> steps, List<Integer> order) {
        return steps.stream()
                .<Step>map(step -> switch (step) {
                    case Launch l -> new Launch(order.indexOf(l.kernel()), l.arguments(), l.where());
                    case Execution.Repeat r ->
                        new Execution.Repeat(
                                r.trips(),
                                r.counter(),
                                r.carried(),
                                numbered(r.test(), order),
                                r.go(),
                                numbered(r.body(), order),
                                r.stacked());
                    case Execution.Either e ->
                        new Execution.Either(
                                e.size(), e.most(), numbered(e.small(), order), numbered(e.other(), order));
                })
                .toList();
    }
}
