package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.frontend.Problems;
import tfx.frontend.Program;
import tfx.frontend.ast.Item;
import tfx.ir.Span;
import tfx.ir.graph.Node;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;
import tfx.runtime.program.Signature;

/// Turns one `program` into a graph with its interface.
public final class ProgramStager {
    private final Problems problems;
    private final Stager stager;
    private final Types types;
    private final Map<String, Axis.Ragged> raggeds = new HashMap<>();
    private final List<Signature.Parameter> parameters = new ArrayList<>();

    public ProgramStager(Problems problems) {
        this.problems = problems;
        this.stager = new Stager(problems);
        this.types = new Types(stager);
    }

    /// @return the program, empty if a problem was reported
    public Optional<Program> stage(Item.Program program, Optional<Item.Model> model, Scope file) {
        Scope scope = new Scope(file);
        try {
            model.ifPresent(m -> declareModel(m, scope));
            Scope body = new Scope(scope);
            Set<String> seen = new HashSet<>();
            for (Item.Parameter parameter : program.parameters()) {
                if (!seen.add(parameter.name())) {
                    throw StagingError.of(
                            "TFX0204", parameter.span(), "parameter '" + parameter.name() + "' is declared twice", "");
                }
                body.set(parameter.name(), declareInput(parameter, body));
            }
            List<Signature.Result> results = results(program, body);
            if (!problems.isEmpty()) {
                return Optional.empty();
            }
            return Optional.of(new Program(
                    stager.graph().build(program.name()),
                    new Signature(program.name(), parameters, results),
                    model.flatMap(Item.Model::weights).map(w -> new Program.Asset(w.file(), w.span())),
                    model.flatMap(Item.Model::tokenizer)
                            .map(t -> new Program.TokenizerAsset(new Program.Asset(t.file(), t.span()), t.limit())),
                    program.span()));
        } catch (ArithmeticException overflow) {
            problems.report(
                    "TFX0207", program.span(), "a size of this program does not fit 64 bits", "use smaller sizes");
            return Optional.empty();
        } catch (StagingError error) {
            stager.report(error);
            return Optional.empty();
        }
    }

    private void declareModel(Item.Model model, Scope scope) {
        for (Item.Parameter parameter : model.parameters()) {
            if (parameter.otherwise().isEmpty()) {
                throw StagingError.of(
                        "TFX0217",
                        parameter.span(),
                        "model parameter '" + parameter.name() + "' has no value",
                        "give it a default, such as " + parameter.name() + ": int = 6");
            }
            Value value = stager.evaluate(parameter.otherwise().get(), scope);
            if (parameter.type().isPresent()) {
                types.match(parameter, value, scope);
            }
            scope.set(parameter.name(), value);
        }
        model.weights().ifPresent(w -> types.fields(w.fields(), "", scope).forEach(scope::set));
        model.functions().forEach(f -> scope.set(f.name(), new Value.Closure(f, scope)));
    }

    private Value declareInput(Item.Parameter parameter, Scope scope) {
        if (parameter.type().isEmpty()) {
            throw StagingError.of(
                    "TFX0311",
                    parameter.span(),
                    "parameter '" + parameter.name() + "' of a program needs a type",
                    "for example " + parameter.name() + ": f32[B, S, D]");
        }
        Item.Type type = parameter.type().get();
        boolean tokens = type.name().equals("tokens");
        DType dtype = tokens
                ? DType.I32
                : DType.parse(type.name())
                        .orElseThrow(() -> StagingError.of(
                                "TFX0309",
                                type.span(),
                                "a program takes tensors, not '" + type.name() + "'",
                                "element types are f64 f32 i64 i32 bool, or tokens for text"));
        List<Item.Size> sizes = type.sizes().orElse(List.of());
        if (tokens && (sizes.size() != 2 || !sizes.get(1).ragged())) {
            throw StagingError.of("TFX0311", type.span(), "text is declared as tokens[B, S*]", "");
        }
        List<Axis> axes = new ArrayList<>();
        Optional<Axis.Ragged> ragged = Optional.empty();
        for (int i = 0; i < sizes.size(); i++) {
            Item.Size size = sizes.get(i);
            if (!size.ragged()) {
                axes.add(new Axis.Plain(types.declareSize(size.value(), scope)));
                continue;
            }
            if (i != 1) {
                throw StagingError.of(
                        "TFX0311",
                        size.value().span(),
                        "only the second dimension can be ragged, one length for each entry of the first",
                        "");
            }
            ragged = Optional.of(declareRagged(parameter, size, ((Axis.Plain) axes.getFirst()).size(), scope));
            axes.set(0, new Axis.Batch(ragged.get()));
            axes.add(new Axis.Rows(ragged.get()));
        }
        TensorType stored = new TensorType(dtype, Tensors.stored(axes));
        Value.Array value =
                stager.tensors().array(stager.graph().input(parameter.name(), stored, parameter.span()), axes);
        parameters.add(new Signature.Parameter(
                parameter.name(), stored, value.describe(), tokens, ragged.map(r -> offsetsName(r))));
        return value;
    }

    private static String offsetsName(Axis.Ragged ragged) {
        return ((Op.Input) ragged.offsets().op()).name();
    }

    private Axis.Ragged declareRagged(Item.Parameter parameter, Item.Size size, Dim batch, Scope scope) {
        Span span = size.value().span();
        if (!(size.value() instanceof tfx.frontend.ast.Expr.Name name)) {
            throw StagingError.of("TFX0311", span, "a ragged dimension is a name and a star, such as S*", "");
        }
        Axis.Ragged known = raggeds.get(name.name());
        if (known != null) {
            if (!known.batch().equals(batch)) {
                throw StagingError.of(
                        "TFX0311",
                        span,
                        "the ragged dimension " + name.name() + " has batch " + known.batch() + " above",
                        "");
            }
            return known;
        }
        Dim total = Dim.symbol(name.name() + ".total");
        Node offsets = stager.graph()
                .input(parameter.name() + ".offsets", new TensorType(DType.I32, List.of(batch.plus(1))), span);
        Node rowIds = stager.graph()
                .add(new Op.RowIds(), List.of(offsets.id()), new TensorType(DType.I32, List.of(total)), span);
        Axis.Ragged ragged = new Axis.Ragged(name.name(), batch, total, offsets, rowIds);
        raggeds.put(name.name(), ragged);
        scope.set(name.name(), new Value.RaggedSize(ragged));
        return ragged;
    }

    private List<Signature.Result> results(Item.Program program, Scope body) {
        Optional<Value> returned = stager.run(program.body(), body);
        List<Signature.Result> results = new ArrayList<>();
        if (!problems.isEmpty()) {
            return results;
        }
        List<Value> values = returned.map(v -> v instanceof Value.Items i ? i.items() : List.of(v))
                .orElse(List.of());
        List<Item.Result> declared = program.results();
        if (returned.isPresent() && !declared.isEmpty() && declared.size() != values.size()) {
            throw StagingError.of(
                    "TFX0218",
                    program.span(),
                    "program '" + program.name() + "' declares " + declared.size() + " results and returns "
                            + values.size(),
                    "");
        }
        if (returned.isEmpty() && declared.isEmpty()) {
            throw StagingError.of(
                    "TFX0218", program.span(), "program '" + program.name() + "' has no result", "return a tensor");
        }
        int count = Math.max(values.size(), declared.size());
        for (int i = 0; i < count; i++) {
            Span span = declared.isEmpty() ? program.span() : declared.get(i).span();
            String name = declared.isEmpty()
                    ? (count == 1 ? "result" : "result" + i)
                    : declared.get(i).name();
            Value value = returned.isPresent()
                    ? values.get(i)
                    : body.find(name)
                            .orElseThrow(() -> StagingError.of(
                                    "TFX0218", span, "result '" + name + "' is never set", "assign it, or return it"));
            results.add(result(
                    name,
                    value,
                    declared.isEmpty() ? Optional.empty() : declared.get(i).type(),
                    body,
                    span));
        }
        return results;
    }

    private Signature.Result result(String name, Value value, Optional<Item.Type> type, Scope body, Span span) {
        if (value instanceof Value.Poison) {
            throw StagingError.silent();
        }
        value = switch (value) {
            case Value.Whole w -> stager.scalar(w, DType.I32, span);
            case Value.RaggedSize r -> stager.scalar(r, DType.I32, span);
            case Value.Real r -> stager.scalar(r, DType.F32, span);
            case Value.Truth t -> stager.scalar(t, DType.BOOL, span);
            default -> value;
        };
        if (!(value instanceof Value.Array array)) {
            throw StagingError.of(
                    "TFX0218", span, "result '" + name + "' is " + value.describe() + ", not a tensor", "");
        }
        type.ifPresent(t -> types.match(new Item.Parameter(name, type, Optional.empty(), span), array, body));
        Optional<String> offsets = Optional.empty();
        for (int i = 0; i < array.rank(); i++) {
            boolean leads = i == 1 && array.axes().getFirst() instanceof Axis.Batch;
            if (array.axes().get(i) instanceof Axis.Rows rows) {
                if (!leads) {
                    throw StagingError.of(
                            "TFX0312",
                            span,
                            "result '" + name + "' is " + array.describe()
                                    + "; a ragged result begins with its batch and its rows",
                            "permute it, or reduce over the other ragged dimension");
                }
                offsets = Optional.of(offsetsName(rows.ragged()));
            }
        }
        stager.graph().output(name, array.node());
        return new Signature.Result(name, array.node().type(), offsets);
    }
}
