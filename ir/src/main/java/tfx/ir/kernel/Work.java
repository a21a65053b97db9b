package tfx.ir.kernel;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.runtime.Dim;

/// What one launch of a kernel does, counted from its text: floating-point and integer operations (a fused
/// multiply-add is two, a function of one operand is one), and the bytes that must move if everything it touches
/// is read and written once. Ranges of loops are honoured, masks inside them are not.
public record Work(double operations, double bytes) {
    /// The ints of buffers that bounds of loops read.
    @FunctionalInterface
    public interface Ints {
        long at(String buffer, long element);
    }

    public Work plus(Work other) {
        return new Work(operations + other.operations, bytes + other.bytes);
    }

    /// Counts a launch.
    ///
    /// @param sizes values of the kernel's size symbols
    public static Work of(Kernel kernel, Map<String, Long> sizes, Ints ints) {
        Counter counter = new Counter(kernel, sizes, ints);
        counter.tasks(kernel.grid());
        double bytes = 0;
        for (Kernel.Buffer buffer : kernel.buffers()) {
            double elements = 1;
            for (Dim size : buffer.shape()) {
                elements *= counter.value(size);
            }
            double touched = counter.touched.getOrDefault(buffer.name(), 0.0);
            bytes += Math.min(elements, touched) * buffer.dtype().bytes();
        }
        return new Work(counter.operations, bytes);
    }

    /// How a walk of an axis is cut up.
    private record Walk(double points, double steps) {}

    private static final class Counter {
        private final Kernel kernel;
        private final Map<String, Long> symbols;
        private final Ints ints;
        private final Set<String> bounding = new HashSet<>();
        private final Map<String, Walk> open = new HashMap<>();
        private final Map<String, Double> touched = new HashMap<>();
        private double operations;

        Counter(Kernel kernel, Map<String, Long> sizes, Ints ints) {
            this.kernel = kernel;
            this.symbols = new HashMap<>(sizes);
            this.ints = ints;
            kernel.body().forEach(this::bounding);
        }

        /// Grid axes that ranges of loops depend on are walked tile by tile; of the others, only the size counts.
        private void bounding(Kernel.Statement statement) {
            if (statement instanceof Kernel.Loop loop) {
                bounds(loop)
                        .forEach(
                                e -> Exprs.symbols(e).forEach(s -> bounding.add(s.replaceAll("\\.(first|last)$", ""))));
                loop.body().forEach(this::bounding);
            }
        }

        private static List<Kernel.Expr> bounds(Kernel.Loop loop) {
            List<Kernel.Expr> bounds = new ArrayList<>();
            loop.from().ifPresent(bounds::add);
            loop.to().ifPresent(bounds::add);
            return bounds;
        }

        void tasks(List<Kernel.Axis> grid) {
            if (grid.isEmpty()) {
                kernel.body().forEach(this::count);
                return;
            }
            Kernel.Axis axis = grid.getFirst();
            List<Kernel.Axis> rest = grid.subList(1, grid.size());
            long size = value(axis.size());
            if (!bounding.contains(axis.name())) {
                open.put(axis.name(), walk(size, axis.tile()));
                tasks(rest);
                return;
            }
            long end;
            for (long at = 0; at < size; at = end) {
                end = Math.min(size, at - at % axis.tile() + axis.tile());
                if (axis.split().isPresent()) {
                    Kernel.Split split = axis.split().get();
                    end = Math.min(end, ints.at(split.offsets(), ints.at(split.rowIds(), at) + 1));
                }
                symbols.put(axis.name(), at);
                symbols.put(axis.name() + ".first", at);
                symbols.put(axis.name() + ".last", end - 1);
                open.put(axis.name(), new Walk(end - at, 1));
                tasks(rest);
            }
        }

        private static Walk walk(long size, int tile) {
            return new Walk(size, Math.ceilDiv(size, (long) tile));
        }

        private void count(Kernel.Statement statement) {
            switch (statement) {
                case Kernel.Let s -> count(statement, s.axes(), 0);
                case Kernel.Reduce s -> count(statement, with(s.axes(), s.over()), 1);
                case Kernel.Dot s -> {
                    operations += 2 * points(with(s.axes(), s.over()));
                    count(s.left(), List.of(s.axes().get(0), s.over()));
                    count(s.right(), List.of(s.axes().get(1), s.over()));
                }
                case Kernel.Store s -> {
                    count(statement, s.axes(), 0);
                    touch(s.buffer(), points(s.axes()));
                }
                case Kernel.Scan s -> {
                    count(statement, with(s.axes(), s.over()), 1);
                    touch(s.buffer(), points(with(s.axes(), s.over())));
                }
                case Kernel.Sort s -> {
                    double length = points(List.of(s.over()));
                    count(statement, with(s.axes(), s.over()), Math.log(Math.max(length, 2)) / Math.log(2));
                    touch(s.buffer(), points(with(s.axes(), s.over())));
                }
                case Kernel.Loop s -> loop(s);
            }
        }

        private void loop(Kernel.Loop loop) {
            Kernel.Axis axis = kernel.axis(loop.axis()).orElseThrow();
            long from = Math.max(0, loop.from().map(this::value).orElse(0L));
            long to = Math.min(value(axis.size()), loop.to().map(this::value).orElse(Long.MAX_VALUE));
            open.put(axis.name(), walk(Math.max(0, to - from), axis.tile()));
            loop.body().forEach(this::count);
            open.remove(axis.name());
        }

        private static List<String> with(List<String> axes, String axis) {
            List<String> all = new ArrayList<>(axes);
            all.add(axis);
            return all;
        }

        /// How often what has `axes` is computed: at each of its points, once a step of the other open axes.
        private double points(List<String> axes) {
            double points = 1;
            for (String axis : axes) {
                if (!open.containsKey(axis)) {
                    points *= value(kernel.axis(axis).orElseThrow().size());
                }
            }
            for (Map.Entry<String, Walk> walk : open.entrySet()) {
                points *= axes.contains(walk.getKey()) ? walk.getValue().points : walk.getValue().steps;
            }
            return points;
        }

        private void count(Kernel.Statement statement, List<String> axes, double joins) {
            operations += joins * points(axes);
            Exprs.values(statement).forEach(e -> count(e, axes));
        }

        private void count(Kernel.Expr expr, List<String> axes) {
            double points = points(axes);
            Exprs.walk(expr, e -> {
                operations += e instanceof Kernel.Unary || e instanceof Kernel.Binary ? points : 0;
                if (e instanceof Kernel.Load l) {
                    touch(l.buffer(), points);
                }
            });
        }

        private void touch(String buffer, double elements) {
            touched.merge(buffer, elements, Double::sum);
        }

        long value(Dim dim) {
            Dim known = dim.substitute(
                    s -> Optional.of(Dim.of(Optional.ofNullable(symbols.get(s)).orElseThrow())), s -> Optional.empty());
            return known.constant().orElseThrow();
        }

        /// The value of a bound.
        private long value(Kernel.Expr e) {
            return switch (e) {
                case Kernel.Constant c -> c.value().longValue();
                case Kernel.Index i -> {
                    i.lookups().forEach(this::look);
                    yield value(i.dim());
                }
                case Kernel.Load l -> {
                    l.lookups().forEach(this::look);
                    long at = 0;
                    List<Dim> shape = kernel.buffer(l.buffer()).shape();
                    for (int i = 0; i < shape.size(); i++) {
                        at = at * value(shape.get(i)) + value(l.index().get(i));
                    }
                    yield ints.at(l.buffer(), at);
                }
                case Kernel.Binary b -> {
                    long x = value(b.a());
                    long y = value(b.b());
                    yield switch (b.fn()) {
                        case ADD -> x + y;
                        case SUB -> x - y;
                        case MUL -> x * y;
                        case MIN -> Math.min(x, y);
                        case MAX -> Math.max(x, y);
                        default -> throw new IllegalArgumentException("a bound with " + b.fn().text());
                    };
                }
                case Kernel.Ref _, Kernel.Unary _, Kernel.Select _, Kernel.Cast _, Kernel.Known _ ->
                    throw new IllegalArgumentException("a bound with " + e);
            };
        }

        private void look(Kernel.Lookup lookup) {
            symbols.put(lookup.symbol(), value(lookup.value()));
        }
    }
}
