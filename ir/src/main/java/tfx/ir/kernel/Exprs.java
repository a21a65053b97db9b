package tfx.ir.kernel;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tfx.ir.BinaryFn;
import tfx.runtime.DType;

/// Questions and rebuilds on kernel expressions that every consumer shares.
public final class Exprs {
    private Exprs() {}

    /// The direct parts of an expression, lookups included.
    public static List<Kernel.Expr> parts(Kernel.Expr expr) {
        return switch (expr) {
            case Kernel.Load l -> l.lookups().stream().map(Kernel.Lookup::value).toList();
            case Kernel.Constant c -> List.of();
            case Kernel.Index i ->
                i.lookups().stream().map(Kernel.Lookup::value).toList();
            case Kernel.Ref r -> List.of();
            case Kernel.Unary u -> List.of(u.x());
            case Kernel.Binary b -> List.of(b.a(), b.b());
            case Kernel.Select s -> List.of(s.condition(), s.a(), s.b());
            case Kernel.Cast c -> List.of(c.x());
            case Kernel.Known k -> List.of(k.x());
        };
    }

    /// Visits an expression and all its parts.
    public static void walk(Kernel.Expr expr, Consumer<Kernel.Expr> visitor) {
        visitor.accept(expr);
        parts(expr).forEach(p -> walk(p, visitor));
    }

    /// The same expression with its direct parts changed.
    public static Kernel.Expr rebuild(Kernel.Expr expr, Function<Kernel.Expr, Kernel.Expr> change) {
        return switch (expr) {
            case Kernel.Load l -> new Kernel.Load(l.buffer(), l.index(), rebuild(l.lookups(), change));
            case Kernel.Constant c -> c;
            case Kernel.Index i -> new Kernel.Index(i.dtype(), i.dim(), rebuild(i.lookups(), change));
            case Kernel.Ref r -> r;
            case Kernel.Unary u -> new Kernel.Unary(u.fn(), change.apply(u.x()));
            case Kernel.Binary b -> new Kernel.Binary(b.fn(), change.apply(b.a()), change.apply(b.b()));
            case Kernel.Select s ->
                new Kernel.Select(change.apply(s.condition()), change.apply(s.a()), change.apply(s.b()));
            case Kernel.Cast c -> new Kernel.Cast(c.dtype(), change.apply(c.x()));
            case Kernel.Known k -> new Kernel.Known(k.fact(), change.apply(k.x()));
        };
    }

    private static List<Kernel.Lookup> rebuild(List<Kernel.Lookup> lookups, Function<Kernel.Expr, Kernel.Expr> change) {
        return lookups.stream()
                .map(k -> new Kernel.Lookup(k.symbol(), change.apply(k.value()), k.limit()))
                .toList();
    }

    /// What an expression looks up itself.
    public static List<Kernel.Lookup> lookups(Kernel.Expr expr) {
        return expr instanceof Kernel.Load l ? l.lookups() : expr instanceof Kernel.Index i ? i.lookups() : List.of();
    }

    /// The symbols of index expressions in `expr` that lookups do not define.
    public static Set<String> symbols(Kernel.Expr expr) {
        Set<String> symbols = new TreeSet<>();
        walk(expr, e -> {
            if (e instanceof Kernel.Load l) {
                l.index().forEach(d -> symbols.addAll(d.symbols()));
            } else if (e instanceof Kernel.Index i) {
                symbols.addAll(i.dim().symbols());
            }
            lookups(e).forEach(k -> symbols.addAll(k.limit().symbols()));
        });
        walk(expr, e -> lookups(e).forEach(k -> symbols.remove(k.symbol())));
        return symbols;
    }

    /// The expressions that a statement evaluates, without those of statements inside it.
    public static List<Kernel.Expr> values(Kernel.Statement statement) {
        return switch (statement) {
            case Kernel.Let s -> List.of(s.value());
            case Kernel.Reduce s -> List.of(s.value());
            case Kernel.Dot s -> List.of(s.left(), s.right());
            case Kernel.Store s -> {
                List<Kernel.Expr> all = new ArrayList<>(List.of(s.value()));
                s.lookups().forEach(k -> all.add(k.value()));
                yield all;
            }
            case Kernel.Scan s -> List.of(s.value());
            case Kernel.Sort s -> List.of(s.value());
            case Kernel.Loop s ->
                Stream.of(s.from(), s.to(), s.where()).flatMap(Optional::stream).toList();
        };
    }

    /// The same statement with its expressions changed, those of statements inside it too.
    public static Kernel.Statement rebuild(Kernel.Statement statement, UnaryOperator<Kernel.Expr> change) {
        return switch (statement) {
            case Kernel.Let s -> new Kernel.Let(s.name(), s.dtype(), s.axes(), change.apply(s.value()));
            case Kernel.Reduce s ->
                new Kernel.Reduce(
                        s.name(), s.dtype(), s.axes(), s.fn(), s.over(), s.accumulate(), change.apply(s.value()));
            case Kernel.Dot s ->
                new Kernel.Dot(
                        s.name(),
                        s.dtype(),
                        s.axes(),
                        s.over(),
                        s.accumulate(),
                        change.apply(s.left()),
                        change.apply(s.right()));
            case Kernel.Store s ->
                new Kernel.Store(
                        s.buffer(),
                        s.index(),
                        rebuild(s.lookups(), change),
                        s.axes(),
                        s.combine(),
                        change.apply(s.value()));
            case Kernel.Scan s ->
                new Kernel.Scan(
                        s.buffer(),
                        s.index(),
                        s.axes(),
                        s.over(),
                        s.fn(),
                        s.reverse(),
                        s.exclusive(),
                        change.apply(s.value()));
            case Kernel.Sort s ->
                new Kernel.Sort(s.buffer(), s.index(), s.axes(), s.over(), s.descending(), change.apply(s.value()));
            case Kernel.Loop s ->
                new Kernel.Loop(
                        s.axis(),
                        s.from().map(change),
                        s.to().map(change),
                        s.where().map(change),
                        s.body().stream().map(b -> rebuild(b, change)).toList());
        };
    }

    /// The expression with parts replaced, the largest first.
    public static Kernel.Expr replace(Kernel.Expr expr, Map<Kernel.Expr, Kernel.Expr> values) {
        Kernel.Expr value = values.get(expr);
        return value != null ? value : rebuild(expr, (Kernel.Expr e) -> replace(e, values));
    }

    /// The parts of a conjunction.
    public static List<Kernel.Expr> conjuncts(Kernel.Expr condition) {
        return condition instanceof Kernel.Binary b && b.fn() == BinaryFn.AND
                ? Stream.concat(conjuncts(b.a()).stream(), conjuncts(b.b()).stream())
                        .toList()
                : List.of(condition);
    }

    /// The expression with conditions taken as true.
    public static Kernel.Expr assume(Kernel.Expr value, Collection<Kernel.Expr> holding) {
        Kernel.Expr yes = new Kernel.Constant(DType.BOOL, 1L);
        if (holding.contains(value)) {
            return yes;
        }
        Kernel.Expr rebuilt = rebuild(value, (Kernel.Expr e) -> assume(e, holding));
        if (rebuilt instanceof Kernel.Select s && s.condition().equals(yes)) {
            return s.a();
        }
        if (rebuilt instanceof Kernel.Binary b && b.fn() == BinaryFn.AND) {
            return b.a().equals(yes) ? b.b() : b.b().equals(yes) ? b.a() : rebuilt;
        }
        return rebuilt;
    }

    /// The tile values that `expr` reads.
    public static Set<String> refs(Kernel.Expr expr) {
        Set<String> refs = new TreeSet<>();
        walk(expr, e -> {
            if (e instanceof Kernel.Ref r) {
                refs.add(r.name());
            }
        });
        return refs;
    }

    /// The element type of an expression, given those of buffers and tiles.
    public static DType dtype(Kernel.Expr expr, Function<String, DType> buffers, Function<String, DType> tiles) {
        return switch (expr) {
            case Kernel.Load l -> buffers.apply(l.buffer());
            case Kernel.Constant c -> c.dtype();
            case Kernel.Index i -> i.dtype();
            case Kernel.Ref r -> tiles.apply(r.name());
            case Kernel.Unary u -> u.fn().result(dtype(u.x(), buffers, tiles));
            case Kernel.Binary b -> b.fn().result(dtype(b.a(), buffers, tiles));
            case Kernel.Select s -> dtype(s.a(), buffers, tiles);
            case Kernel.Cast c -> c.dtype();
            case Kernel.Known k -> dtype(k.x(), buffers, tiles);
        };
    }
}
