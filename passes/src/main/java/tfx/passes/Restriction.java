package tfx.passes;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.graph.Graph;
import tfx.ir.graph.Op;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.ir.kernel.Kernel.Expr;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Which points of an axis a condition lets through, as a range: selectors decide the work.
///
/// Two kinds of condition are understood. *Same entry* compares row ids of a ragged dimension; the range is that
/// entry's rows exactly, and the condition goes. *Affine* compares positions; the range covers what the tile can
/// reach, and the condition stays for the points at its border.
///
/// @param from  first point, if bounded
/// @param to    one past the last point, if bounded
/// @param splitAxis the grid axis that must be cut for the range to be exact, if one must
/// @param split how that axis must be cut for the range to be exact
/// @param exact whether the range says all that the condition says
record Restriction(
        Optional<Expr> from,
        Optional<Expr> to,
        Optional<String> splitAxis,
        Optional<Kernel.Split> split,
        boolean exact) {
    private static final long MOST_POSITIONS = 1 << 28;
    private static final long MOST_FACTORS = 3;

    /// The conditions under which an expression differs from `identity`: nested selects peeled off, conjunctions
    /// flattened.
    static List<Expr> conditions(Expr value, Expr identity) {
        List<Expr> conditions = new ArrayList<>();
        Expr inner = value;
        while (inner instanceof Kernel.Select s && s.b().equals(identity)) {
            conditions.addAll(Exprs.conjuncts(s.condition()));
            inner = s.a();
        }
        return conditions;
    }

    /// What one condition says about `axis`, if it is understood.
    static Optional<Restriction> of(Expr condition, String axis, Graph body, Puller puller, List<Kernel.Axis> grid) {
        if (!(condition instanceof Kernel.Binary b)) {
            return Optional.empty();
        }
        if (b.fn() == BinaryFn.EQ) {
            Optional<Restriction> entry = sameEntry(b.a(), b.b(), axis, body, puller, grid);
            return entry.isPresent() ? entry : sameEntry(b.b(), b.a(), axis, body, puller, grid);
        }
        return affine(b, axis, grid);
    }

    /// `owner` tells an entry for the task, `member` is the row id of a point of the axis.
    private static Optional<Restriction> sameEntry(
            Expr owner, Expr member, String axis, Graph body, Puller puller, List<Kernel.Axis> grid) {
        if (!(member instanceof Kernel.Load m)
                || !puller.rowIds().containsValue(m.buffer())
                || !m.index().equals(List.of(Dim.symbol(axis)))) {
            return Optional.empty();
        }
        int rowIds = puller.rowIds().entrySet().stream()
                .filter(e -> e.getValue().equals(m.buffer()))
                .findFirst()
                .orElseThrow()
                .getKey();
        int offsetsId = body.node(rowIds).operands().getFirst();
        if (!(body.node(offsetsId).op() instanceof Op.Input)) {
            return Optional.empty();
        }
        String offsets = puller.inputs().get(offsetsId);
        Dim limit = body.node(offsetsId).type().shape().getFirst().plus(-1);
        if (owner instanceof Kernel.Load o
                && o.buffer().equals(m.buffer())
                && o.index().size() == 1
                && o.index().getFirst().symbolName().isPresent()) {
            String row = o.index().getFirst().symbolName().get();
            if (grid.stream().noneMatch(a -> a.name().equals(row))) {
                return Optional.empty();
            }
            String symbol = puller.axis("e", limit);
            Expr first = new Kernel.Load(m.buffer(), List.of(Dim.symbol(row + ".first")), List.of());
            List<Kernel.Lookup> lookup = List.of(new Kernel.Lookup(symbol, first, limit));
            return Optional.of(new Restriction(
                    Optional.of(new Kernel.Load(offsets, List.of(Dim.symbol(symbol)), lookup)),
                    Optional.of(
                            new Kernel.Load(offsets, List.of(Dim.symbol(symbol).plus(1)), lookup)),
                    Optional.of(row),
                    Optional.of(new Kernel.Split(m.buffer(), offsets)),
                    true));
        }
        if (owner instanceof Kernel.Index i
                && i.lookups().isEmpty()
                && i.dim().symbolName().isPresent()) {
            String entry = i.dim().symbolName().get();
            if (grid.stream().noneMatch(a -> a.name().equals(entry) && a.tile() == 1)) {
                return Optional.empty();
            }
            return Optional.of(new Restriction(
                    Optional.of(new Kernel.Load(offsets, List.of(i.dim()), List.of())),
                    Optional.of(new Kernel.Load(offsets, List.of(i.dim().plus(1)), List.of())),
                    Optional.empty(),
                    Optional.empty(),
                    true));
        }
        return Optional.empty();
    }

    /// A comparison of positions, both affine in axes.
    private static Optional<Restriction> affine(Kernel.Binary b, String axis, List<Kernel.Axis> grid) {
        if (!(b.a() instanceof Kernel.Index || b.a() instanceof Kernel.Binary)
                || position(b.a()).isEmpty()
                || position(b.b()).isEmpty()) {
            return Optional.empty();
        }
        Dim left = position(b.a()).get();
        Dim right = position(b.b()).get();
        if (!fits(left) || !fits(right)) {
            return Optional.empty();
        }
        Dim gap; // the condition is gap >= 0
        switch (b.fn()) {
            case LE -> gap = right.minus(left);
            case LT -> gap = right.minus(left).plus(-1);
            case GE -> gap = left.minus(right);
            case GT -> gap = left.minus(right).plus(-1);
            default -> {
                return Optional.empty();
            }
        }
        Optional<Dim> factor = gap.linearFactor(axis);
        if (factor.isEmpty()
                || factor.get().constant().filter(c -> Math.abs(c) == 1).isEmpty()) {
            return Optional.empty();
        }
        long sign = factor.get().constant().get();
        Dim rest = gap.minus(Dim.symbol(axis).times(sign));
        // sign -1: axis <= rest, widest where the tile makes rest largest; sign +1: axis >= -rest.
        Optional<Dim> widest = extreme(rest, grid);
        if (widest.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                sign < 0
                        ? new Restriction(
                                Optional.empty(),
                                Optional.of(
                                        new Kernel.Index(DType.I32, widest.get().plus(1))),
                                Optional.empty(),
                                Optional.empty(),
                                false)
                        : new Restriction(
                                Optional.of(new Kernel.Index(DType.I32, Dim.ZERO.minus(widest.get()))),
                                Optional.empty(),
                                Optional.empty(),
                                Optional.empty(),
                                false));
    }

    /// The largest value of an affine function of grid axes inside a tile.
    private static Optional<Dim> extreme(Dim rest, List<Kernel.Axis> grid) {
        Map<String, Dim> ends = new HashMap<>();
        for (Kernel.Axis axis : grid) {
            Optional<Dim> factor = rest.linearFactor(axis.name());
            if (factor.isEmpty() || factor.get().constant().isEmpty()) {
                return Optional.empty();
            }
            ends.put(
                    axis.name(),
                    Dim.symbol(axis.name() + (factor.get().constant().get() < 0 ? ".first" : ".last")));
        }
        return Optional.of(rest.substitute(s -> Optional.ofNullable(ends.get(s)), s -> Optional.empty()));
    }

    /// Whether an i32 expression has the value of its polynomial: ints wrap around. Up to 2^28 positions, where
    /// both sides of a comparison are below 2^30 and their difference is an i32 too.
    private static boolean fits(Dim value) {
        long factors = 0;
        long constant = 0;
        for (Dim.Term term : value.terms()) {
            if (term.atoms().size() > 1 || Math.abs(term.coefficient()) > MOST_POSITIONS) {
                return false;
            }
            if (term.atoms().isEmpty()) {
                constant = Math.abs(term.coefficient());
            } else {
                factors += Math.abs(term.coefficient());
            }
        }
        return factors <= MOST_FACTORS && constant <= MOST_POSITIONS;
    }

    /// An i32 expression of positions and constants as a polynomial.
    private static Optional<Dim> position(Expr expr) {
        return switch (expr) {
            case Kernel.Index i -> i.lookups().isEmpty() ? Optional.of(i.dim()) : Optional.empty();
            case Kernel.Constant c when c.value() instanceof Long l -> Optional.of(Dim.of(l));
            case Kernel.Binary b -> {
                Optional<Dim> x = position(b.a());
                Optional<Dim> y = position(b.b());
                yield x.isEmpty() || y.isEmpty()
                        ? Optional.empty()
                        : switch (b.fn()) {
                            case ADD -> Optional.of(x.get().plus(y.get()));
                            case SUB -> Optional.of(x.get().minus(y.get()));
                            case MUL -> Optional.of(x.get().times(y.get()));
                            default -> Optional.empty();
                        };
            }
            default -> Optional.empty();
        };
    }

    /// Narrows plain reductions whose body is the identity outside a range: each becomes a loop over the range.
    static void apply(Graph body, Puller puller, List<Kernel.Statement> statements, List<Kernel.Axis> grid) {
        for (int i = 0; i < statements.size(); i++) {
            if (!(statements.get(i) instanceof Kernel.Reduce r) || r.accumulate()) {
                continue;
            }
            Number identity =
                    r.dtype().isFloat() ? (Number) r.fn().floatIdentity() : (Number) r.fn().integerIdentity(r.dtype());
            Expr neutral = new Kernel.Constant(r.dtype(), identity);
            List<Kernel.Axis> single = grid.stream()
                    .map(a -> a.name().equals(r.axes().isEmpty() ? "" : r.axes().getFirst())
                                    && r.axes().size() > 1
                            ? new Kernel.Axis(a.name(), a.size(), 1)
                            : a)
                    .toList();
            for (Expr condition : conditions(r.value(), neutral)) {
                Optional<Restriction> found = of(condition, r.over(), body, puller, single);
                if (found.isEmpty()
                        || !found.get().exact()
                        || found.get().split().isPresent()) {
                    continue;
                }
                grid.replaceAll(a -> single.stream()
                        .filter(s -> s.name().equals(a.name()))
                        .findFirst()
                        .orElse(a));
                statements.set(i, new Kernel.Let(r.name(), r.dtype(), r.axes(), neutral));
                Expr value = Exprs.assume(r.value(), List.of(condition));
                statements.add(
                        i + 1,
                        new Kernel.Loop(
                                r.over(),
                                found.get().from(),
                                found.get().to(),
                                List.of(new Kernel.Reduce(
                                        r.name(), r.dtype(), r.axes(), r.fn(), r.over(), true, value))));
                i++;
                break;
            }
        }
    }
}
