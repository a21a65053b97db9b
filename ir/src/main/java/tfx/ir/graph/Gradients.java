package tfx.ir.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import tfx.ir.BinaryFn;
import tfx.ir.ReduceFn;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// The gradient cell of every row of the op table: what reaches the operands when `dy` reaches the result
/// (vector-Jacobian products). Where several operands of a max or min are equal, they share.
public final class Gradients {
    /// A gradient for each operand; empty where none flows, which {@link #reason} explains.
    public static List<Optional<Node>> of(GraphBuilder graph, Node node, List<Node> operands, Node dy) {
        return new Gradients(new Algebra(graph, node.span()), node, operands, dy).rules();
    }

    /// Why no gradient flows through an operation to any operand; empty where one does.
    public static Optional<String> reason(Op op) {
        return switch (op) {
            case Op.Unary u ->
                switch (u.fn()) {
                    case SIGN, FLOOR, CEIL, ROUND, TRUNC -> Optional.of("discontinuous");
                    case ISNAN, ISINF, ISFINITE, NOT -> Optional.of("boolean");
                    case BIT_NOT -> Optional.of("integer");
                    case NEG,
                            ABS,
                            EXP,
                            EXP2,
                            EXPM1,
                            LOG,
                            LOG1P,
                            LOG2,
                            LOG10,
                            SQRT,
                            RSQRT,
                            CBRT,
                            SIGMOID,
                            TANH,
                            ERF,
                            SIN,
                            COS,
                            TAN,
                            ASIN,
                            ACOS,
                            ATAN,
                            SINH,
                            COSH,
                            ASINH,
                            ACOSH,
                            ATANH -> Optional.empty();
                };
            case Op.Binary b ->
                switch (b.fn()) {
                    case EQ, NE, LT, LE, GT, GE, AND, OR -> Optional.of("boolean");
                    case FLOORDIV -> Optional.of("discontinuous");
                    case BIT_AND, BIT_OR, BIT_XOR, SHIFT_LEFT, SHIFT_RIGHT -> Optional.of("integer");
                    case THREEFRY -> Optional.of("random");
                    case ADD, SUB, MUL, DIV, MOD, POW, ATAN2, LOGADDEXP, MIN, MAX -> Optional.empty();
                };
            case Op.Reduce r -> boolReduction(r.fn());
            case Op.Scan s -> boolReduction(s.fn());
            case Op.Sort _, Op.Iota _, Op.DimSize _, Op.RowIds _ -> Optional.of("integer");
            case Op.Constant _, Op.Input _, Op.Weight _ -> Optional.of("no operands");
            case Op.Loop _, Op.Result _, Op.Region _ -> Optional.of("not straight-line");
            case Op.Select _,
                    Op.Cast _,
                    Op.Contract _,
                    Op.Reshape _,
                    Op.Transpose _,
                    Op.Broadcast _,
                    Op.Gather _,
                    Op.Slice _,
                    Op.Window _,
                    Op.Concat _,
                    Op.Scatter _ -> Optional.empty();
        };
    }

    private static Optional<String> boolReduction(ReduceFn fn) {
        return fn == ReduceFn.ANY || fn == ReduceFn.ALL ? Optional.of("boolean") : Optional.empty();
    }

    private static final double LN2 = Math.log(2);

    private final Algebra m;
    private final Node y;
    private final List<Node> operands;
    private final Node dy;

    private Gradients(Algebra algebra, Node y, List<Node> operands, Node dy) {
        this.m = algebra;
        this.y = y;
        this.operands = operands;
        this.dy = dy;
    }

    private Node x(int i) {
        return operands.get(i);
    }

    private static List<Optional<Node>> flows(Node... gradients) {
        return java.util.Arrays.stream(gradients).map(Optional::of).toList();
    }

    private List<Optional<Node>> nothing() {
        return Collections.nCopies(operands.size(), Optional.empty());
    }

    private List<Optional<Node>> rules() {
        if (reason(y.op()).isPresent() || !y.type().dtype().isFloat()) {
            return nothing();
        }
        return switch (y.op()) {
            case Op.Unary u -> flows(unary(u.fn()));
            case Op.Binary b -> binary(b.fn());
            case Op.Select s ->
                List.of(
                        Optional.empty(),
                        Optional.of(m.only(x(0), dy)),
                        Optional.of(m.where(x(0), m.number(dy, 0), dy)));
            case Op.Cast c ->
                x(0).type().dtype().isFloat()
                        ? flows(m.graph().cast(dy, x(0).type().dtype(), m.span()))
                        : nothing();
            case Op.Reduce r -> flows(reduce(r));
            case Op.Contract c ->
                flows(
                        contract(c.result(), c.rhs(), c.lhs(), dy, x(1)),
                        contract(c.lhs(), c.result(), c.rhs(), x(0), dy));
            case Op.Reshape r -> flows(m.graph().reshape(dy, x(0).type().shape(), m.span()));
            case Op.Transpose t -> {
                List<Integer> order = t.permutation();
                yield flows(m.transpose(
                        dy,
                        IntStream.range(0, order.size())
                                .map(order::indexOf)
                                .boxed()
                                .toList()));
            }
            case Op.Broadcast b -> {
                List<Integer> repeated = IntStream.range(0, y.type().rank())
                        .filter(i -> !b.axes().contains(i))
                        .boxed()
                        .toList();
                yield flows(m.sum(dy, repeated));
            }
            case Op.Gather g ->
                List.of(
                        Optional.of(m.scatter(Optional.of(ReduceFn.SUM), m.number(x(0), 0), x(1), dy, g.batch())),
                        Optional.empty());
            case Op.Slice s -> flows(slice(s));
            case Op.Window w -> flows(window(w));
            case Op.Concat c -> concat(c);
            case Op.Scatter s -> scatter(s);
            case Op.Scan s -> flows(scan(s));
            case Op.Sort _,
                    Op.Iota _,
                    Op.DimSize _,
                    Op.RowIds _,
                    Op.Constant _,
                    Op.Input _,
                    Op.Weight _,
                    Op.Loop _,
                    Op.Result _,
                    Op.Region _ -> nothing();
        };
    }

    private Node contract(String lhs, String rhs, String result, Node a, Node b) {
        return m.graph().add(new Op.Contract(lhs, rhs, result), List.of(a.id(), b.id()), m.span());
    }

    private Node unary(UnaryFn fn) {
        Node x = x(0);
        return switch (fn) {
            case NEG -> m.neg(dy);
            case ABS -> m.mul(dy, m.of(UnaryFn.SIGN, x));
            case EXP -> m.mul(dy, y);
            case EXP2 -> m.scaled(m.mul(dy, y), LN2);
            case EXPM1 -> m.mul(dy, m.plus(y, 1));
            case LOG -> m.div(dy, x);
            case LOG1P -> m.div(dy, m.plus(x, 1));
            case LOG2 -> m.scaled(m.div(dy, x), 1 / LN2);
            case LOG10 -> m.scaled(m.div(dy, x), 1 / Math.log(10));
            case SQRT -> m.scaled(m.div(dy, y), 0.5);
            case RSQRT -> m.scaled(m.mul(dy, m.mul(y, m.mul(y, y))), -0.5);
            case CBRT -> m.scaled(m.div(dy, m.mul(y, y)), 1.0 / 3);
            case SIGMOID -> m.mul(dy, m.mul(y, m.sub(m.number(y, 1), y)));
            case TANH -> m.mul(dy, m.sub(m.number(y, 1), m.mul(y, y)));
            case ERF -> m.scaled(m.mul(dy, m.of(UnaryFn.EXP, m.neg(m.mul(x, x)))), 2 / Math.sqrt(Math.PI));
            case SIN -> m.mul(dy, m.of(UnaryFn.COS, x));
            case COS -> m.neg(m.mul(dy, m.of(UnaryFn.SIN, x)));
            case TAN -> m.mul(dy, m.plus(m.mul(y, y), 1));
            case ASIN -> m.mul(dy, m.of(UnaryFn.RSQRT, m.sub(m.number(x, 1), m.mul(x, x))));
            case ACOS -> m.neg(m.mul(dy, m.of(UnaryFn.RSQRT, m.sub(m.number(x, 1), m.mul(x, x)))));
            case ATAN -> m.div(dy, m.plus(m.mul(x, x), 1));
            case SINH -> m.mul(dy, m.of(UnaryFn.COSH, x));
            case COSH -> m.mul(dy, m.of(UnaryFn.SINH, x));
            case ASINH -> m.mul(dy, m.of(UnaryFn.RSQRT, m.plus(m.mul(x, x), 1)));
            case ACOSH -> m.mul(dy, m.of(UnaryFn.RSQRT, m.plus(m.mul(x, x), -1)));
            case ATANH -> m.div(dy, m.sub(m.number(x, 1), m.mul(x, x)));
            case SIGN, FLOOR, CEIL, ROUND, TRUNC, ISNAN, ISINF, ISFINITE, BIT_NOT, NOT ->
                throw new IllegalArgumentException(fn.text());
        };
    }

    private List<Optional<Node>> binary(BinaryFn fn) {
        Node a = x(0);
        Node b = x(1);
        return switch (fn) {
            case ADD -> flows(dy, dy);
            case SUB -> flows(dy, m.neg(dy));
            case MUL -> flows(m.mul(dy, b), m.mul(dy, a));
            case DIV -> flows(m.div(dy, b), m.neg(m.div(m.mul(dy, y), b)));
            case MOD -> flows(dy, m.neg(m.mul(dy, m.of(BinaryFn.FLOORDIV, a, b))));
            case POW -> {
                Node slope = m.mul(b, m.of(BinaryFn.POW, a, m.plus(b, -1)));
                Node zero = m.number(a, 0);
                Node log = m.only(m.of(BinaryFn.GT, a, zero), m.of(UnaryFn.LOG, a));
                yield flows(m.mul(dy, m.where(m.of(BinaryFn.EQ, b, zero), zero, slope)), m.mul(dy, m.mul(y, log)));
            }
            case ATAN2 -> {
                Node scale = m.div(dy, m.add(m.mul(a, a), m.mul(b, b)));
                yield flows(m.mul(scale, b), m.neg(m.mul(scale, a)));
            }
            case LOGADDEXP ->
                flows(m.mul(dy, m.of(UnaryFn.SIGMOID, m.sub(a, b))), m.mul(dy, m.of(UnaryFn.SIGMOID, m.sub(b, a))));
            case MIN -> flows(share(BinaryFn.LT, a, b), share(BinaryFn.LT, b, a));
            case MAX -> flows(share(BinaryFn.GT, a, b), share(BinaryFn.GT, b, a));
            case FLOORDIV,
                    BIT_AND,
                    BIT_OR,
                    BIT_XOR,
                    SHIFT_LEFT,
                    SHIFT_RIGHT,
                    THREEFRY,
                    EQ,
                    NE,
                    LT,
                    LE,
                    GT,
                    GE,
                    AND,
                    OR -> throw new IllegalArgumentException(fn.text());
        };
    }

    private Node share(BinaryFn wins, Node own, Node other) {
        Node half = m.only(m.of(BinaryFn.EQ, own, other), m.scaled(dy, 0.5));
        return m.where(m.of(wins, own, other), dy, half);
    }

    private Node reduce(Op.Reduce op) {
        Node x = x(0);
        List<Dim> shape = x.type().shape();
        Node down = m.spread(dy, shape, op.axes());
        Node result = m.spread(y, shape, op.axes());
        return switch (op.fn()) {
            case SUM -> down;
            case MAX, MIN -> {
                Node hit = m.graph().cast(m.of(BinaryFn.EQ, x, result), x.type().dtype(), m.span());
                yield m.div(m.mul(down, hit), m.spread(m.sum(hit, op.axes()), shape, op.axes()));
            }
            case LOGSUMEXP -> m.mul(down, exponential(x, result));
            case PROD -> m.mul(down, productOfOthers(x, op.axes()));
            case ANY, ALL -> throw new IllegalArgumentException(op.fn().text());
        };
    }

    /// `exp(x - y)`, 0 where y is -inf.
    private Node exponential(Node x, Node y) {
        Node none = m.of(BinaryFn.EQ, y, m.number(y, Double.NEGATIVE_INFINITY));
        return m.where(none, m.number(y, 0), m.of(UnaryFn.EXP, m.sub(x, y)));
    }

    /// For each element, the product of all others along the axes: what stands before times what stands after.
    private Node productOfOthers(Node x, List<Integer> axes) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, x.type().rank())
                .filter(i -> !axes.contains(i))
                .boxed()
                .toList());
        int kept = order.size();
        order.addAll(axes);
        Node last = m.transpose(x, order);
        List<Dim> flat = new ArrayList<>(last.type().shape().subList(0, kept));
        flat.add(last.type().shape().subList(kept, order.size()).stream().reduce(Dim.ONE, Dim::times));
        Node line = m.graph().reshape(last, flat, m.span());
        Node before = m.graph().add(new Op.Scan(ReduceFn.PROD, kept, false, true), List.of(line.id()), m.span());
        Node after = m.graph().add(new Op.Scan(ReduceFn.PROD, kept, true, true), List.of(line.id()), m.span());
        Node others = m.graph().reshape(m.mul(before, after), last.type().shape(), m.span());
        return m.transpose(
                others,
                IntStream.range(0, order.size()).map(order::indexOf).boxed().toList());
    }

    private Node slice(Op.Slice op) {
        Node gradient = dy;
        for (int axis = 0; axis < op.steps().size(); axis++) {
            Dim size = x(0).type().shape().get(axis);
            Dim count = gradient.type().shape().get(axis);
            if (op.starts().get(axis).equals(Dim.ZERO) && op.steps().get(axis) == 1 && size.equals(count)) {
                continue;
            }
            Node front = m.toFront(gradient, axis);
            TensorType numbers = new TensorType(DType.I64, List.of(count));
            Node number = m.graph().add(new Op.Iota(), List.of(), numbers, m.span());
            Node start = m.graph()
                    .add(
                            new Op.DimSize(op.starts().get(axis)),
                            List.of(),
                            new TensorType(DType.I64, List.of()),
                            m.span());
            Node at = m.add(
                    m.scaled(number, op.steps().get(axis)),
                    m.graph().broadcast(start, List.of(count), List.of(), m.span()));
            List<Dim> shape = new ArrayList<>(front.type().shape());
            shape.set(0, size);
            Node zeros = m.fill(new TensorType(dy.type().dtype(), shape), 0);
            gradient = m.fromFront(m.scatter(Optional.empty(), zeros, at, front, 0), axis);
        }
        return gradient;
    }

    private Node window(Op.Window op) {
        int axis = op.axis();
        List<Dim> shape = y.type().shape();
        List<Dim> places = List.of(shape.get(axis), shape.get(axis + 1));
        Node row = m.graph().broadcast(m.scaled(m.iota(places.get(0)), op.stride()), places, List.of(0), m.span());
        Node column = m.graph().broadcast(m.scaled(m.iota(places.get(1)), op.dilation()), places, List.of(1), m.span());
        // First the places within windows, then the windows, come to the front.
        Node front = m.toFront(m.toFront(dy, axis + 1), axis + 1);
        Node like = m.toFront(x(0), axis);
        Node sum = m.scatter(Optional.of(ReduceFn.SUM), m.number(like, 0), m.add(row, column), front, 0);
        return m.fromFront(sum, axis);
    }

    private List<Optional<Node>> concat(Op.Concat op) {
        List<Optional<Node>> gradients = new ArrayList<>();
        Dim before = Dim.ZERO;
        for (Node x : operands) {
            List<Dim> starts = new ArrayList<>(Collections.nCopies(x.type().rank(), Dim.ZERO));
            starts.set(op.axis(), before);
            Op.Slice slice = new Op.Slice(starts, Collections.nCopies(x.type().rank(), 1));
            gradients.add(Optional.of(m.graph().add(slice, List.of(dy.id()), x.type(), m.span())));
            before = before.plus(x.type().shape().get(op.axis()));
        }
        return gradients;
    }

    private List<Optional<Node>> scatter(Op.Scatter op) {
        Node x = x(0);
        Node at = x(1);
        Node u = x(2);
        int batch = op.batch();
        Optional<ReduceFn> sum = Optional.of(ReduceFn.SUM);
        Node here = m.gather(dy, at, batch);
        if (op.combine().isEmpty()) {
            Node stays = m.scatter(Optional.empty(), dy, at, m.number(u, 0), batch);
            return List.of(Optional.of(stays), Optional.empty(), Optional.of(m.only(lastWriter(op), here)));
        }
        return switch (op.combine().get()) {
            case SUM -> List.of(Optional.of(dy), Optional.empty(), Optional.of(here));
            case MAX, MIN -> {
                DType dtype = x.type().dtype();
                Node own = m.graph().cast(m.of(BinaryFn.EQ, x, y), dtype, m.span());
                Node hits = m.graph().cast(m.of(BinaryFn.EQ, u, m.gather(y, at, batch)), dtype, m.span());
                Node share = m.div(dy, m.scatter(sum, own, at, hits, batch));
                yield List.of(
                        Optional.of(m.mul(share, own)),
                        Optional.empty(),
                        Optional.of(m.mul(m.gather(share, at, batch), hits)));
            }
            case PROD -> {
                // Zeros are counted and left out, so that a product of the others is a quotient that exists.
                Node zero = m.of(BinaryFn.EQ, u, m.number(u, 0));
                Node solid = m.where(zero, m.number(u, 1), u);
                Node product = m.scatter(Optional.of(ReduceFn.PROD), m.number(x, 1), at, solid, batch);
                Node zeros = m.scatter(sum, m.number(x, 0), at, m.where(zero, m.number(u, 1), m.number(u, 0)), batch);
                Node none = m.of(BinaryFn.EQ, zeros, m.number(x, 0));
                Node one = m.of(BinaryFn.EQ, zeros, m.number(x, 1));
                Node whole = m.mul(m.mul(dy, x), product);
                Node ofSolid = m.div(m.gather(m.only(none, whole), at, batch), solid);
                Node ofZero = m.gather(m.only(one, whole), at, batch);
                yield List.of(
                        Optional.of(m.only(none, m.mul(dy, product))),
                        Optional.empty(),
                        Optional.of(m.where(zero, ofZero, ofSolid)));
            }
            case LOGSUMEXP, ANY, ALL ->
                throw new IllegalArgumentException(op.combine().get().text());
        };
    }

    /// Whether an update is the last one at its place, and so the one that stays.
    private Node lastWriter(Op.Scatter op) {
        Node at = x(1);
        List<Dim> places = at.type().shape();
        Dim count = places.stream().reduce(Dim.ONE, Dim::times);
        Node number = m.graph().reshape(m.iota(count), places, m.span());
        List<Dim> rows = x(0).type().shape().subList(0, op.batch() + 1);
        Node none = m.fill(new TensorType(DType.I32, rows), -1);
        Node writer = m.scatter(Optional.empty(), none, at, number, op.batch());
        Node last = m.of(BinaryFn.EQ, m.gather(writer, at, op.batch()), number);
        List<Dim> shape = x(2).type().shape();
        return m.graph()
                .broadcast(
                        last, shape, IntStream.range(0, places.size()).boxed().toList(), m.span());
    }

    private Node scan(Op.Scan op) {
        if (op.fn() == ReduceFn.SUM) {
            Op back = new Op.Scan(ReduceFn.SUM, op.axis(), !op.reverse(), op.exclusive());
            return m.graph().add(back, List.of(dy.id()), m.span());
        }
        // Element i reaches the results j of a triangle: a matrix [i, j] beside the other dimensions.
        int axis = op.axis();
        Node x = m.toFront(x(0), axis);
        Dim n = x.type().shape().getFirst();
        List<Dim> cells = new ArrayList<>(x.type().shape());
        cells.addFirst(n);
        BinaryFn order = op.reverse()
                ? (op.exclusive() ? BinaryFn.GT : BinaryFn.GE)
                : op.exclusive() ? BinaryFn.LT : BinaryFn.LE;
        Node reaches = m.of(order, along(m.iota(n), cells, 0), along(m.iota(n), cells, 1));
        Node own = m.spread(x, cells, List.of(1));
        Node results = m.spread(m.toFront(y, axis), cells, List.of(0));
        Node down = m.spread(m.toFront(dy, axis), cells, List.of(0));
        Node weight = switch (op.fn()) {
            case MAX, MIN -> {
                Node hit = m.only(
                        reaches,
                        m.graph().cast(m.of(BinaryFn.EQ, own, results), x.type().dtype(), m.span()));
                Node count = m.spread(m.sum(hit, List.of(0)), cells, List.of(0));
                yield m.div(hit, m.of(BinaryFn.MAX, count, m.number(count, 1)));
            }
            case LOGSUMEXP -> exponential(own, results);
            case PROD -> others(x, cells, order);
            case SUM, ANY, ALL -> throw new IllegalArgumentException(op.fn().text());
        };
        return m.fromFront(m.sum(m.only(reaches, m.mul(down, weight)), List.of(1)), axis);
    }

    private Node along(Node x, List<Dim> shape, int axis) {
        return m.graph().broadcast(x, shape, List.of(axis), m.span());
    }

    /// For each (i, j), the product of all elements but i that reach result j.
    private Node others(Node x, List<Dim> cells, BinaryFn order) {
        Dim n = cells.getFirst();
        List<Dim> cube = new ArrayList<>(cells);
        cube.add(2, n);
        Node k = along(m.iota(n), cube, 2);
        Node reaches = m.of(order, k, along(m.iota(n), cube, 1));
        Node counts = m.of(BinaryFn.AND, reaches, m.of(BinaryFn.NE, k, along(m.iota(n), cube, 0)));
        Node all = m.spread(x, cube, List.of(0, 1));
        return m.reduce(ReduceFn.PROD, m.where(counts, all, m.number(all, 1)), List.of(2));
    }
}
