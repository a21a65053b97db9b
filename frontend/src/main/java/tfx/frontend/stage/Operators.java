package tfx.frontend.stage;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.frontend.ast.Expr.Operator;
import tfx.ir.BinaryFn;
import tfx.ir.Span;
import tfx.ir.graph.Op;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.TensorType;

/// The operators of the language on staged values and tensors. A staged number beside a tensor takes its element
/// type.
final class Operators {
    private final Tensors tensors;
    private final Products products;

    Operators(Tensors tensors, Products products) {
        this.tensors = tensors;
        this.products = products;
    }

    Value apply(Operator operator, Value left, Value right, Span span) {
        if (Sequences.any(left, right)) {
            return Sequences.infix(operator, left, right, span);
        }
        if (left instanceof Value.Array || right instanceof Value.Array) {
            Value.Array a = left instanceof Value.Array x ? x : scalar(left, ((Value.Array) right).dtype(), span);
            Value.Array b = right instanceof Value.Array x ? x : scalar(right, a.dtype(), span);
            return switch (operator) {
                case MATMUL -> products.matmul(a, b, span);
                case ADD -> tensors.binary(BinaryFn.ADD, a, b, span);
                case SUB -> tensors.binary(BinaryFn.SUB, a, b, span);
                case MUL -> tensors.binary(BinaryFn.MUL, a, b, span);
                case DIV -> tensors.binary(BinaryFn.DIV, a, b, span);
                case FLOORDIV -> tensors.binary(BinaryFn.FLOORDIV, a, b, span);
                case MOD -> tensors.binary(BinaryFn.MOD, a, b, span);
                case POW -> tensors.binary(BinaryFn.POW, a, b, span);
                case AND -> tensors.binary(BinaryFn.AND, a, b, span);
                case OR -> tensors.binary(BinaryFn.OR, a, b, span);
                case NEG, POS, NOT -> throw new IllegalStateException(operator.text());
            };
        }
        if (left instanceof Value.Whole a && right instanceof Value.Whole b) {
            Optional<Value> value = Stager.exact(span, () -> whole(operator, a.dim(), b.dim(), span));
            if (value.isPresent()) {
                return value.get();
            }
        }
        if (left instanceof Value.Items a && right instanceof Value.Items b && operator == Operator.ADD) {
            List<Value> joined = new ArrayList<>(a.items());
            joined.addAll(b.items());
            if (joined.size() > Stager.MAX_ITEMS) {
                throw StagingError.of("TFX0206", span, "a list of more than " + Stager.MAX_ITEMS + " items", "");
            }
            return new Value.Items(joined);
        }
        if (left instanceof Value.Text a && right instanceof Value.Text b && operator == Operator.ADD) {
            if (a.value().length() + b.value().length() > Stager.MAX_ITEMS) {
                throw StagingError.of("TFX0206", span, "a string of more than " + Stager.MAX_ITEMS + " characters", "");
            }
            return new Value.Text(a.value() + b.value());
        }
        Optional<Double> a = real(left);
        Optional<Double> b = real(right);
        if (a.isPresent() && b.isPresent()) {
            return new Value.Real(real(operator, a.get(), b.get(), span));
        }
        throw StagingError.of(
                "TFX0303",
                span,
                operator.text() + " is not defined on " + left.describe() + " and " + right.describe(),
                left instanceof Value.Whole || right instanceof Value.Whole || left instanceof Value.RaggedSize
                        ? "a size known only at run time becomes a number with f32(size) or i32(size)"
                        : "");
    }

    private static Optional<Value> whole(Operator operator, Dim a, Dim b, Span span) {
        Optional<Long> x = a.constant();
        Optional<Long> y = b.constant();
        boolean division = operator == Operator.FLOORDIV || operator == Operator.MOD || operator == Operator.DIV;
        if (division && b.isConstant(0)) {
            throw StagingError.of("TFX0207", span, "division by zero", "");
        }
        return switch (operator) {
            case ADD -> Optional.of(new Value.Whole(a.plus(b)));
            case SUB -> Optional.of(new Value.Whole(a.minus(b)));
            case MUL -> Optional.of(new Value.Whole(a.times(b)));
            case FLOORDIV ->
                x.isPresent() && y.isPresent()
                        ? Optional.of(new Value.Whole(Dim.of(Math.floorDiv(x.get(), y.get()))))
                        : Optional.of(new Value.Whole(a.exactDivide(b)
                                .orElseThrow(() -> StagingError.of(
                                        "TFX0306",
                                        span,
                                        a + " is not known to be a multiple of " + b,
                                        "declare the size as a product, " + b + "*k"))));
            case MOD ->
                x.isPresent() && y.isPresent()
                        ? Optional.of(new Value.Whole(Dim.of(Math.floorMod(x.get(), y.get()))))
                        : a.exactDivide(b).isPresent() ? Optional.of(new Value.Whole(Dim.ZERO)) : Optional.empty();
            case POW ->
                x.isPresent() && y.isPresent() && y.get() >= 0
                        ? Optional.of(new Value.Whole(Dim.of(power(x.get(), y.get()))))
                        : Optional.empty();
            case DIV, MATMUL, AND, OR, NEG, POS, NOT -> Optional.empty();
        };
    }

    private static long power(long base, long exponent) {
        long result = 1;
        for (long i = 0; i < exponent && (i < 64 || Math.abs(base) > 1 || i < 2); i++) {
            result = Math.multiplyExact(result, base);
            if (result == 0 || result == 1 && base == 1) {
                return result;
            }
            if (base == -1) {
                return exponent % 2 == 0 ? 1 : -1;
            }
        }
        return result;
    }

    private static double real(Operator operator, double a, double b, Span span) {
        return switch (operator) {
            case ADD -> a + b;
            case SUB -> a - b;
            case MUL -> a * b;
            case DIV -> a / b;
            case FLOORDIV -> Math.floor(a / b);
            case MOD -> a - Math.floor(a / b) * b;
            case POW -> Math.pow(a, b);
            case MATMUL, AND, OR, NEG, POS, NOT ->
                throw StagingError.of("TFX0303", span, operator.text() + " is not defined on numbers", "");
        };
    }

    static Optional<Double> real(Value value) {
        return switch (value) {
            case Value.Real r -> Optional.of(r.value());
            case Value.Whole w -> w.dim().constant().map(Long::doubleValue);
            default -> Optional.empty();
        };
    }

    Value compare(BinaryFn fn, Value left, Value right, Span span) {
        if (Sequences.any(left, right)) {
            return Sequences.compare(fn, left, right, span);
        }
        if (left instanceof Value.Array || right instanceof Value.Array) {
            if (left instanceof Value.Nothing || right instanceof Value.Nothing) {
                return new Value.Truth(fn == BinaryFn.NE);
            }
            Value.Array a = left instanceof Value.Array x ? x : scalar(left, ((Value.Array) right).dtype(), span);
            Value.Array b = right instanceof Value.Array x ? x : scalar(right, a.dtype(), span);
            return tensors.binary(fn, a, b, span);
        }
        Optional<Double> a = real(left);
        Optional<Double> b = real(right);
        if (a.isPresent() && b.isPresent()) {
            return new Value.Truth(fn.apply(a.get(), b.get()) != 0);
        }
        if (fn == BinaryFn.EQ || fn == BinaryFn.NE) {
            return new Value.Truth(left.equals(right) == (fn == BinaryFn.EQ));
        }
        throw StagingError.of(
                "TFX0303",
                span,
                fn.text() + " is not defined on " + left.describe() + " and " + right.describe(),
                "compare numbers, or sizes that are known when compiling");
    }

    /// A staged number or size as a tensor without dimensions.
    Value.Array scalar(Value value, DType dtype, Span span) {
        TensorType type = new TensorType(dtype, List.of());
        return switch (value) {
            case Value.Array a -> a;
            case Value.Whole w
            when w.dim().constant().isPresent() && dtype != DType.BOOL -> {
                long number = w.dim().constant().get();
                if (dtype.isInteger() && (number < dtype.smallest() || number > dtype.largest())) {
                    throw StagingError.of("TFX0307", span, number + " does not fit " + dtype, "use an i64 tensor");
                }
                yield tensors.array(tensors.graph().constant(dtype, number, span), List.of());
            }
            case Value.Whole w
            when dtype != DType.BOOL -> {
                DType integer = dtype.isFloat() ? DType.I64 : dtype;
                var size = tensors.graph()
                        .add(new Op.DimSize(w.dim()), List.of(), new TensorType(integer, List.of()), span);
                yield tensors.array(tensors.graph().cast(size, dtype, span), List.of());
            }
            case Value.Real r
            when dtype.isFloat() -> tensors.array(tensors.graph().constant(dtype, r.value(), span), List.of());
            case Value.Truth t
            when dtype == DType.BOOL ->
                tensors.array(tensors.graph().constant(dtype, t.value() ? 1L : 0L, span), List.of());
            case Value.RaggedSize r -> {
                Value.Array lengths = tensors.lengths(r.ragged(), span);
                yield (Value.Array) cast(lengths, dtype, span);
            }
            default ->
                throw StagingError.of(
                        "TFX0307",
                        span,
                        value.describe() + " is no " + type.dtype(),
                        value instanceof Value.Real ? "convert the tensor with f32(x) first" : "");
        };
    }

    Value cast(Value value, DType dtype, Span span) {
        if (value instanceof Value.Array a) {
            return new Value.Array(tensors.graph().cast(a.node(), dtype, span), a.axes(), a.selector());
        }
        Optional<Double> number = real(value);
        if (number.isPresent() && !dtype.isFloat() && value instanceof Value.Real) {
            return scalar(new Value.Whole(Dim.of((long) (double) number.get())), dtype, span);
        }
        return scalar(value, dtype, span);
    }
}
