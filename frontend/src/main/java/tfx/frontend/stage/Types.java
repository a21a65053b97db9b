package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.frontend.ast.Expr;
import tfx.frontend.ast.Item;
import tfx.ir.Span;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// Written types: matching them with arguments, and declaring inputs and weights by them.
final class Types {
    private static final int MAX_GROUPS = 10_000;

    private final Stager stager;

    Types(Stager stager) {
        this.stager = stager;
    }

    /// Checks an argument against a parameter's type; size names that are new take the argument's sizes.
    void match(Item.Parameter parameter, Value value, Scope scope) {
        Item.Type type = parameter.type().orElseThrow();
        boolean fits = switch (type.name()) {
            case "int" -> value instanceof Value.Whole || value instanceof Value.RaggedSize;
            case "float" -> value instanceof Value.Real || value instanceof Value.Whole;
            case "string" -> value instanceof Value.Text;
            case "list" -> value instanceof Value.Items;
            default -> {
                Optional<DType> dtype = DType.parse(type.name());
                if (dtype.isPresent()) {
                    yield matchTensor(parameter, type, dtype.get(), value, scope);
                }
                record(type, scope);
                yield type.sizes().isPresent()
                        ? value instanceof Value.Items
                        : value instanceof Value.Instance i && i.type().equals(type.name());
            }
        };
        if (!fits) {
            throw mismatch(parameter, value, "");
        }
    }

    private StagingError mismatch(Item.Parameter parameter, Value value, String why) {
        Span span = parameter.type().orElseThrow().span();
        String text = span.source().text().substring(span.start(), span.end());
        return StagingError.of(
                "TFX0308",
                span,
                "parameter '" + parameter.name() + "' is " + text + ", the argument is " + value.describe() + why,
                "");
    }

    private boolean matchTensor(Item.Parameter parameter, Item.Type type, DType dtype, Value value, Scope scope) {
        if (dtype == DType.BOOL && type.sizes().isEmpty() && value instanceof Value.Truth) {
            return true;
        }
        if (!(value instanceof Value.Array array)) {
            return type.sizes().isEmpty() && Operators.real(value).isPresent();
        }
        List<Item.Size> sizes = type.sizes().orElse(List.of());
        if (array.dtype() != dtype || array.rank() != sizes.size()) {
            return false;
        }
        for (int i = 0; i < sizes.size(); i++) {
            Axis axis = array.axes().get(i);
            Expr expr = sizes.get(i).value();
            if (expr instanceof Expr.Name name && scope.find(name.name()).isEmpty()) {
                scope.set(name.name(), sizeOf(axis));
                continue;
            }
            Value expected = stager.evaluate(expr, scope);
            if (!expected.equals(sizeOf(axis))) {
                throw mismatch(
                        parameter, value, ": dimension " + i + " is " + axis + " instead of " + expected.describe());
            }
        }
        return true;
    }

    private static Value sizeOf(Axis axis) {
        return switch (axis) {
            case Axis.Plain p -> new Value.Whole(p.size());
            case Axis.Batch b -> new Value.Whole(b.ragged().batch());
            case Axis.Rows r -> new Value.RaggedSize(r.ragged());
        };
    }

    private Value.RecordType record(Item.Type type, Scope scope) {
        Optional<Value> found = scope.find(type.name());
        if (found.isPresent() && found.get() instanceof Value.RecordType record) {
            return record;
        }
        throw StagingError.of(
                "TFX0309",
                type.span(),
                "unknown type '" + type.name() + "'",
                scope.similar(type.name())
                                .map(s -> "did you mean '" + s + "'? ")
                                .orElse("")
                        + "types are int, float, string, list, tokens, records, and element types such as f32[N]");
    }

    /// A size in a declaration; a name that means nothing yet becomes a symbol.
    Dim declareSize(Expr expr, Scope scope) {
        if (expr instanceof Expr.Name name && scope.find(name.name()).isEmpty()) {
            scope.set(name.name(), new Value.Whole(Dim.symbol(name.name())));
        }
        Value value = stager.evaluate(expr, scope);
        if (value instanceof Value.Whole w
                && w.dim().constant().filter(c -> c < 0).isEmpty()) {
            return w.dim();
        }
        throw StagingError.of("TFX0310", expr.span(), "expected a size, found " + value.describe(), "");
    }

    /// The weights that a type stands for, under a name of the checkpoint.
    Value weights(Item.Type type, String path, Scope scope) {
        Optional<DType> dtype = DType.parse(type.name());
        if (dtype.isPresent()) {
            List<Axis> axes = new ArrayList<>();
            for (Item.Size size : type.sizes().orElse(List.of())) {
                axes.add(new Axis.Plain(declareSize(size.value(), scope)));
            }
            TensorType stored = new TensorType(dtype.get(), Tensors.stored(axes));
            return stager.tensors().array(stager.graph().weight(path, stored, type.span()), axes);
        }
        Value.RecordType record = record(type, scope);
        if (type.sizes().isEmpty()) {
            return group(record, type, path, scope);
        }
        if (type.sizes().get().size() != 1) {
            throw StagingError.of("TFX0310", type.span(), "a list of groups has one size", "");
        }
        Expr size = type.sizes().get().getFirst().value();
        long count = declareSize(size, scope)
                .constant()
                .filter(c -> c <= MAX_GROUPS)
                .orElseThrow(() -> StagingError.of(
                        "TFX0310",
                        size.span(),
                        "the number of groups must be known while compiling, and at most " + MAX_GROUPS,
                        ""));
        List<Value> items = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            String place = path.contains("{i}") ? path.replace("{i}", Long.toString(i)) : path + "." + i;
            items.add(group(record, type, place, scope));
        }
        return new Value.Items(items);
    }

    private Value group(Value.RecordType type, Item.Type written, String path, Scope scope) {
        stager.step(written.span());
        Scope inner = new Scope(type.scope());
        List<Item.Parameter> parameters = type.record().parameters();
        List<Expr.Argument> arguments = written.arguments();
        if (arguments.size() != parameters.size()) {
            throw StagingError.of(
                    "TFX0210",
                    written.span(),
                    "record '" + written.name() + "' takes " + parameters.size() + " arguments, not "
                            + arguments.size(),
                    "");
        }
        for (int i = 0; i < parameters.size(); i++) {
            inner.set(parameters.get(i).name(), stager.evaluate(arguments.get(i).value(), scope));
        }
        return new Value.Instance(type.record().name(), fields(type.record().fields(), path, inner));
    }

    /// A record made of values: `Linear(weight = w, bias = b)`, each field by its name.
    Value.Instance construct(Value.RecordType type, List<Value> positional, Map<String, Value> named, Span span) {
        String name = type.record().name();
        Map<String, Value> rest = new LinkedHashMap<>(named);
        Map<String, Value> values = new LinkedHashMap<>();
        Scope inner = new Scope(type.scope());
        for (Item.Field field : type.record().fields()) {
            for (String own : field.names()) {
                Value value = rest.remove(own);
                if (value == null) {
                    throw StagingError.of(
                            "TFX0210",
                            span,
                            "field '" + own + "' of record '" + name + "' is missing",
                            "a record is made by the names of its fields: " + name + "(" + own + " = ...)");
                }
                match(new Item.Parameter(own, Optional.of(field.type()), Optional.empty(), field.span()), value, inner);
                values.put(own, value);
            }
        }
        if (!rest.isEmpty() || !positional.isEmpty()) {
            throw StagingError.of(
                    "TFX0210",
                    span,
                    "record '" + name + "' has no "
                            + (rest.isEmpty()
                                    ? "fields by position"
                                    : "field '" + rest.keySet().iterator().next() + "'"),
                    "its fields: " + String.join(", ", values.keySet()));
        }
        return new Value.Instance(name, values);
    }

    /// The values of a list of weight fields.
    Map<String, Value> fields(List<Item.Field> fields, String path, Scope scope) {
        Map<String, Value> values = new LinkedHashMap<>();
        for (Item.Field field : fields) {
            for (String name : field.names()) {
                String last = field.from().orElse(name);
                values.put(name, weights(field.type(), path.isEmpty() ? last : path + "." + last, scope));
            }
        }
        return values;
    }
}
