package tfx.ir.kernel;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;
import tfx.runtime.program.Execution;

/// What a legal kernel is.
public final class KernelVerifier {
    private final Kernel kernel;
    private final List<String> errors = new ArrayList<>();
    private final Map<String, DType> tiles = new HashMap<>();
    private final Map<String, List<String>> tileAxes = new HashMap<>();
    private final Set<String> sizes = new HashSet<>();

    private KernelVerifier(Kernel kernel) {
        this.kernel = kernel;
        sizes.addAll(kernel.sizes());
    }

    /// All broken rules, in order; empty for a legal kernel.
    public static List<String> verify(Kernel kernel) {
        KernelVerifier verifier = new KernelVerifier(kernel);
        verifier.declarations();
        Set<String> open = new HashSet<>();
        kernel.grid().forEach(a -> open.add(a.name()));
        verifier.statements(kernel.body(), open);
        return verifier.errors;
    }

    /// All broken rules of a program and its kernels.
    public static List<String> verify(KernelProgram program) {
        List<String> errors = new ArrayList<>();
        program.kernels().forEach(k -> errors.addAll(verify(k)));
        Set<String> values = new HashSet<>();
        for (Execution.Value value : program.execution().values()) {
            if (!values.add(value.name())) {
                errors.add("buffer " + value.name() + " is declared twice");
            }
        }
        steps(program, program.execution().once(), errors);
        steps(program, program.execution().steps(), errors);
        return errors;
    }

    private static void steps(KernelProgram program, List<Execution.Step> steps, List<String> errors) {
        for (Execution.Step step : steps) {
            switch (step) {
                case Execution.Launch launch -> launch(program, launch, errors);
                case Execution.Repeat repeat -> {
                    steps(program, repeat.test(), errors);
                    steps(program, repeat.body(), errors);
                    for (Execution.Carry carry : repeat.carried()) {
                        TensorType state =
                                program.execution().value(carry.state()).type();
                        boolean same = state.equals(program.execution()
                                        .value(carry.initial())
                                        .type())
                                && state.equals(
                                        program.execution().value(carry.next()).type());
                        if (!same) {
                            errors.add("the state " + carry + " changes its type");
                        }
                    }
                }
                case Execution.Either either -> {
                    steps(program, either.small(), errors);
                    steps(program, either.other(), errors);
                }
            }
        }
    }

    private static void launch(KernelProgram program, Execution.Launch launch, List<String> errors) {
        Kernel kernel = program.kernels().get(launch.kernel());
        if (kernel.buffers().size() != launch.arguments().size()) {
            errors.add("kernel " + kernel.name() + " runs on " + launch.arguments());
            return;
        }
        for (int i = 0; i < launch.arguments().size(); i++) {
            Execution.Value value = program.execution().value(launch.arguments().get(i));
            Kernel.Buffer buffer = kernel.buffers().get(i);
            if (value.type().dtype() != buffer.dtype()
                    || !value.type().shape().equals(buffer.shape())
                    || value.panels() != buffer.panels()) {
                errors.add("kernel " + kernel.name() + " takes " + buffer + ", given " + value);
            }
        }
    }

    private void error(String message) {
        errors.add("kernel " + kernel.name() + ": " + message);
    }

    private void declarations() {
        Set<String> names = new HashSet<>();
        kernel.sizes().forEach(s -> duplicate(names, s));
        kernel.buffers().forEach(b -> b.shape().forEach(d -> index(d, Set.of(), Set.of())));
        kernel.grid().forEach(a -> index(a.size(), Set.of(), Set.of()));
        kernel.axes().forEach(a -> index(a.size(), Set.of(), Set.of()));
        kernel.buffers().forEach(b -> duplicate(names, b.name()));
        kernel.grid().forEach(a -> duplicate(names, a.name()));
        kernel.axes().forEach(a -> duplicate(names, a.name()));
        for (Kernel.Axis axis : kernel.grid()) {
            axis.split().ifPresent(s -> {
                buffer(s.rowIds());
                buffer(s.offsets());
            });
        }
    }

    private void duplicate(Set<String> names, String name) {
        if (!names.add(name)) {
            error(name + " is declared twice");
        }
    }

    private boolean buffer(String name) {
        boolean known = kernel.buffers().stream().anyMatch(b -> b.name().equals(name));
        if (!known) {
            error("no buffer " + name);
        }
        return known;
    }

    private void statements(List<Kernel.Statement> body, Set<String> open) {
        for (Kernel.Statement statement : body) {
            switch (statement) {
                case Kernel.Let s -> {
                    expr(s.value(), with(open, s.axes()), s.dtype());
                    define(s.name(), s.axes(), s.dtype());
                }
                case Kernel.Reduce s -> {
                    accumulates(s.name(), s.accumulate());
                    expr(s.value(), with(with(open, s.axes()), List.of(s.over())), s.dtype());
                    define(s.name(), s.axes(), s.dtype());
                }
                case Kernel.Dot s -> {
                    accumulates(s.name(), s.accumulate());
                    if (s.axes().size() != 2) {
                        error("dot " + s.name() + " needs two axes, not " + s.axes());
                        return;
                    }
                    expr(s.left(), with(open, List.of(s.axes().get(0), s.over())), s.dtype());
                    expr(s.right(), with(open, List.of(s.axes().get(1), s.over())), s.dtype());
                    define(s.name(), s.axes(), s.dtype());
                }
                case Kernel.Store s -> {
                    Set<String> lookups = new HashSet<>();
                    for (Kernel.Lookup lookup : s.lookups()) {
                        lookups.add(lookup.symbol());
                        expr(lookup.value(), with(open, s.axes()), Optional.empty());
                    }
                    write(s.buffer(), s.index(), with(open, s.axes()), lookups, s.value(), Optional.empty());
                }
                case Kernel.Scan s -> {
                    Set<String> inside = with(with(open, s.axes()), List.of(s.over()));
                    write(s.buffer(), s.index(), inside, Set.of(), s.value(), Optional.empty());
                }
                case Kernel.Sort s -> {
                    Set<String> inside = with(with(open, s.axes()), List.of(s.over()));
                    write(s.buffer(), s.index(), inside, Set.of(), s.value(), Optional.of(DType.I32));
                }
                case Kernel.Loop s -> {
                    Set<String> bounds = new HashSet<>(open);
                    kernel.grid().forEach(a -> bounds.addAll(List.of(a.name() + ".first", a.name() + ".last")));
                    s.from().ifPresent(e -> expr(e, bounds, DType.I32));
                    s.to().ifPresent(e -> expr(e, bounds, DType.I32));
                    Set<String> points = with(open, List.of(s.axis()));
                    kernel.grid().forEach(a -> points.add(a.name()));
                    s.where().ifPresent(e -> expr(e, points, DType.BOOL));
                    statements(s.body(), with(open, List.of(s.axis())));
                }
            }
        }
    }

    /// @param due the element type of the buffer, where it is not the value's
    private void write(
            String buffer,
            List<Dim> index,
            Set<String> inside,
            Set<String> lookups,
            Kernel.Expr value,
            Optional<DType> due) {
        if (buffer(buffer)) {
            Kernel.Buffer target = kernel.buffer(buffer);
            boolean typed = due.filter(d -> d != target.dtype()).isEmpty();
            if (!target.output() || !typed || target.shape().size() != index.size()) {
                error("store into " + target + " at " + index);
            }
            index.forEach(d -> index(d, inside, lookups));
            expr(value, inside, due.isPresent() ? Optional.empty() : Optional.of(target.dtype()));
        }
    }

    private Set<String> with(Set<String> open, List<String> axes) {
        Set<String> all = new HashSet<>(open);
        for (String axis : axes) {
            if (kernel.axis(axis).isEmpty()) {
                error("no axis " + axis);
            }
            all.add(axis);
        }
        return all;
    }

    private void define(String name, List<String> axes, DType dtype) {
        DType earlier = tiles.putIfAbsent(name, dtype);
        List<String> earlierAxes = tileAxes.putIfAbsent(name, axes);
        if (earlier != null && (earlier != dtype || !axes.equals(earlierAxes))) {
            error("tile " + name + " changes from " + earlier + earlierAxes + " to " + dtype + axes);
        }
    }

    private void accumulates(String name, boolean accumulate) {
        if (accumulate && !tiles.containsKey(name)) {
            error("nothing to accumulate into: " + name);
        }
    }

    private void index(Dim dim, Set<String> open, Set<String> lookups) {
        for (String symbol : dim.symbols()) {
            if (!open.contains(symbol) && !lookups.contains(symbol) && !sizes.contains(symbol)) {
                error("index " + dim + " uses " + symbol + ", which is no open axis, size or lookup");
            }
        }
    }

    private void expr(Kernel.Expr expr, Set<String> open, DType expected) {
        expr(expr, open, Optional.of(expected));
    }

    private void expr(Kernel.Expr expr, Set<String> open, Optional<DType> expected) {
        Set<String> lookups = new HashSet<>();
        Exprs.walk(expr, e -> {
            Exprs.lookups(e).forEach(k -> lookups.add(k.symbol()));
        });
        int before = errors.size();
        Exprs.walk(expr, e -> {
            switch (e) {
                case Kernel.Load l -> {
                    if (buffer(l.buffer())) {
                        if (kernel.buffer(l.buffer()).shape().size()
                                != l.index().size()) {
                            error("load of " + l.buffer() + " at " + l.index());
                        }
                        l.index().forEach(d -> index(d, open, lookups));
                    }
                }
                case Kernel.Index i -> index(i.dim(), open, lookups);
                case Kernel.Ref r -> {
                    if (!tiles.containsKey(r.name())) {
                        error("tile " + r.name() + " is read before it is set");
                    } else if (!open.containsAll(tileAxes.get(r.name()))) {
                        error("tile " + r.name() + tileAxes.get(r.name()) + " is read inside " + open);
                    }
                }
                case Kernel.Constant c -> {}
                case Kernel.Unary u -> {}
                case Kernel.Binary b -> {}
                case Kernel.Select s -> {}
                case Kernel.Cast c -> {}
                case Kernel.Known k -> {}
            }
        });
        if (errors.size() == before) {
            Exprs.walk(expr, e -> {
                if (e instanceof Kernel.Known && !dtype(e).isFloat()) {
                    error("no float: " + KernelText.print(e));
                }
            });
            DType actual = dtype(expr);
            if (expected.filter(e -> e != actual).isPresent()) {
                error("a value of " + actual + " where " + expected.get() + " is due: " + KernelText.print(expr));
            }
        }
    }

    private DType dtype(Kernel.Expr expr) {
        return Exprs.dtype(expr, b -> kernel.buffer(b).dtype(), tiles::get);
    }
}
