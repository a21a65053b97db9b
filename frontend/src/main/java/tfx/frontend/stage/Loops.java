package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.ir.BinaryFn;
import tfx.ir.graph.GraphBuilder;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// `repeat`, `scan` and `while_loop`: loops that run when the program runs. Their functions are traced once; what
/// they use from outside becomes an operand of the loop.
final class Loops {
    private static final TensorType NUMBER = new TensorType(DType.I32, List.of());

    private final Stager stager;
    private final Arguments a;
    private final List<Value.Array> states;
    private final boolean single;
    private final GraphBuilder.Captures captures;

    private Loops(Stager stager, Arguments a, Value init) {
        this.stager = stager;
        this.a = a;
        this.single = !(init instanceof Value.Items);
        this.states = (single ? List.of(init) : ((Value.Items) init).items())
                .stream().map(v -> state(stager, a, v)).toList();
        this.captures = new GraphBuilder.Captures(stager.graph(), states.size());
    }

    static void define(Scope scope) {
        Builtins.define(scope, "repeat", Loops::repeat);
        Builtins.define(scope, "scan", Loops::scan);
        Builtins.define(scope, "while_loop", Loops::whileLoop);
    }

    private static Value.Array state(Stager stager, Arguments a, Value value) {
        return switch (value) {
            case Value.Array array -> array;
            case Value.Whole w -> stager.scalar(w, DType.I32, a.span());
            case Value.Real r -> stager.scalar(r, DType.F32, a.span());
            case Value.Truth t -> stager.scalar(t, DType.BOOL, a.span());
            default -> throw a.fail("state must be tensors or numbers, not " + value.describe());
        };
    }

    /// `repeat(count, step, init)`: `state = step(i, state)` for i from 0 to count - 1; the last state.
    private static Value repeat(Stager stager, Arguments a) {
        Value count = a.get(0, "count");
        Value step = a.get(1, "step");
        Loops loop = new Loops(stager, a, a.get(2, "init"));
        Optional<Dim> trips = Optional.empty();
        Optional<tfx.ir.graph.Graph> test = Optional.empty();
        if (count instanceof Value.Whole w) {
            trips = Optional.of(natural(a, w.dim()));
        } else if (count instanceof Value.Array n && n.rank() == 0 && n.dtype() == DType.I32) {
            GraphBuilder graph = new GraphBuilder(loop.captures);
            Node number = graph.input("0", NUMBER, a.span());
            graph.output(
                    "go", graph.binary(BinaryFn.LT, number, graph.node(n.node().id()), a.span()));
            test = Optional.of(graph.build("test"));
        } else {
            throw a.fail("the count is a size or an i32 scalar, not " + count.describe());
        }
        GraphBuilder graph = new GraphBuilder(loop.captures);
        List<Value.Array> next = loop.trace(
                graph,
                () -> loop.items(
                        stager.apply(step, List.of(loop.number(graph), loop.inside(graph)), Map.of(), a.span())));
        loop.outputs(graph, next);
        return loop.finish(trips, test, graph, List.of());
    }

    private static Dim natural(Arguments a, Dim dim) {
        if (dim.constant().filter(c -> c < 0 || c > Integer.MAX_VALUE).isPresent()) {
            throw a.fail(dim + " is no number of trips");
        }
        return dim;
    }

    /// `scan(step, init, xs)`: `state, y = step(state, x)` for each x along the first dimension of xs (a tensor,
    /// or a list of tensors of one length); the last state and all y, stacked.
    private static Value scan(Stager stager, Arguments a) {
        Value step = a.get(0, "step");
        Loops loop = new Loops(stager, a, a.get(1, "init"));
        Value given = a.get(2, "xs");
        List<Value> xs = given instanceof Value.Items items ? items.items() : List.of(given);
        Optional<Dim> trips = Optional.empty();
        for (Value x : xs) {
            if (!(x instanceof Value.Array array)
                    || array.rank() == 0
                    || !(array.axes().getFirst() instanceof Axis.Plain p)
                    || trips.filter(t -> !t.equals(p.size())).isPresent()) {
                throw a.fail("xs are tensors with the same ordinary first dimension, not " + x.describe());
            }
            trips = Optional.of(p.size());
        }
        if (trips.isEmpty()) {
            throw a.fail("xs holds nothing");
        }
        GraphBuilder graph = new GraphBuilder(loop.captures);
        List<Value.Array> stacked = new ArrayList<>();
        List<Value.Array> next = loop.trace(graph, () -> {
            Value.Array number = loop.number(graph);
            List<Value> elements = new ArrayList<>();
            for (Value x : xs) {
                elements.add(stager.tensors().gather((Value.Array) x, number, a.span()));
            }
            Value element = given instanceof Value.Items ? new Value.Items(elements) : elements.getFirst();
            Value made = stager.apply(step, List.of(loop.inside(graph), element), Map.of(), a.span());
            if (!(made instanceof Value.Items pair) || pair.items().size() != 2) {
                throw a.fail("the step returns the next state and a value: return state, y;");
            }
            stacked.addAll(loop.items(pair.items().get(1)));
            return loop.items(pair.items().get(0));
        });
        loop.outputs(graph, next);
        for (int i = 0; i < stacked.size(); i++) {
            graph.output("y" + i, stacked.get(i).node());
        }
        return loop.finish(trips, Optional.empty(), graph, stacked);
    }

    /// `while_loop(test, step, init)`: `state = step(state)` as long as `test(state)` is true; the last state.
    private static Value whileLoop(Stager stager, Arguments a) {
        Value test = a.get(0, "test");
        Value step = a.get(1, "step");
        Loops loop = new Loops(stager, a, a.get(2, "init"));
        GraphBuilder check = new GraphBuilder(loop.captures);
        List<Value.Array> go = loop.trace(
                check, () -> loop.items(stager.apply(test, List.of(loop.inside(check)), Map.of(), a.span())));
        if (go.size() != 1 || go.getFirst().rank() != 0 || go.getFirst().dtype() != DType.BOOL) {
            throw a.fail("the test gives one bool, not "
                    + go.stream().map(Value.Array::describe).toList());
        }
        check.output("go", go.getFirst().node());
        GraphBuilder graph = new GraphBuilder(loop.captures);
        List<Value.Array> next = loop.trace(
                graph, () -> loop.items(stager.apply(step, List.of(loop.inside(graph)), Map.of(), a.span())));
        loop.outputs(graph, next);
        return loop.finish(Optional.empty(), Optional.of(check.build("test")), graph, List.of());
    }

    private List<Value.Array> trace(GraphBuilder graph, java.util.function.Supplier<List<Value.Array>> work) {
        return stager.inside(graph, work);
    }

    /// What a function returned, as tensors.
    private List<Value.Array> items(Value value) {
        List<Value> all = value instanceof Value.Items items ? items.items() : List.of(value);
        return all.stream().map(v -> state(stager, a, v)).toList();
    }

    private Value.Array number(GraphBuilder graph) {
        return stager.tensors().array(graph.input("0", NUMBER, a.span()), List.of());
    }

    /// The states as the body sees them.
    private Value inside(GraphBuilder graph) {
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < states.size(); i++) {
            Node node =
                    graph.input(Integer.toString(i + 1), states.get(i).node().type(), a.span());
            values.add(stager.tensors().array(node, states.get(i).axes()));
        }
        return single ? values.getFirst() : new Value.Items(values);
    }

    private void outputs(GraphBuilder graph, List<Value.Array> next) {
        for (int i = 0; i < states.size() || i < next.size(); i++) {
            Value.Array before = i < states.size() ? states.get(i) : next.get(i);
            boolean same = next.size() == states.size()
                    && next.get(i).dtype() == before.dtype()
                    && next.get(i).axes().equals(before.axes());
            if (!same) {
                throw StagingError.of(
                        "TFX0313",
                        a.span(),
                        "state " + i + " of the loop begins as " + before.describe() + " and the step returns "
                                + next.stream().map(Value.Array::describe).toList(),
                        "a state keeps its element type and shape; convert or reshape it at the end of the step");
            }
            graph.output("s" + i, next.get(i).node());
        }
    }

    private Value finish(
            Optional<Dim> trips, Optional<tfx.ir.graph.Graph> test, GraphBuilder body, List<Value.Array> stacked) {
        if (states.isEmpty() && stacked.isEmpty()) {
            throw a.fail("the loop has no state and gives nothing");
        }
        Op.Loop loop = new Op.Loop(trips, states.size(), test, body.build("body"));
        List<Integer> operands = new ArrayList<>();
        states.forEach(s -> operands.add(s.node().id()));
        operands.addAll(captures.operands());
        Node node = stager.graph().add(loop, operands, a.span());
        List<Value> results = new ArrayList<>();
        for (int i = 0; i < states.size(); i++) {
            results.add(
                    result(node, i, states.get(i).node().type(), states.get(i).axes()));
        }
        Value last = single ? results.getFirst() : new Value.Items(results);
        if (stacked.isEmpty()) {
            return last;
        }
        List<Value> all = new ArrayList<>();
        for (int i = 0; i < stacked.size(); i++) {
            List<Axis> axes = new ArrayList<>(stacked.get(i).axes());
            axes.addFirst(new Axis.Plain(trips.orElseThrow()));
            TensorType type = new TensorType(stacked.get(i).dtype(), Tensors.stored(axes));
            all.add(result(node, states.size() + i, type, axes));
        }
        return new Value.Items(List.of(last, all.size() == 1 ? all.getFirst() : new Value.Items(all)));
    }

    private Value.Array result(Node loop, int position, TensorType type, List<Axis> axes) {
        Node node = stager.graph().add(new Op.Result(position), List.of(loop.id()), type, a.span());
        return stager.tensors().array(node, axes);
    }
}
