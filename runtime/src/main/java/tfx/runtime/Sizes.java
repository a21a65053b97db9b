package tfx.runtime;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// The values of size symbols in one call, found by matching declared types with the shapes of the arguments.
public final class Sizes {
    private final Map<String, Long> values = new HashMap<>();
    private final Map<String, String> givenBy = new HashMap<>();

    /// Matches one argument. Symbols not known yet are solved for where they stand alone or with a constant.
    ///
    /// @throws RunException naming the argument, the declared and the given shape
    public void bind(String argument, TensorType type, long[] shape) {
        if (shape.length != type.rank()) {
            throw mismatch(argument, type, shape, "it has " + shape.length + " dimensions instead of " + type.rank());
        }
        for (int i = 0; i < shape.length; i++) {
            Dim dim = type.shape().get(i);
            List<String> unknown =
                    dim.symbols().stream().filter(s -> !values.containsKey(s)).toList();
            Optional<Long> beyond = unknown.size() == 1 ? beyond(dim, unknown.getFirst()) : Optional.empty();
            if (beyond.isPresent()) {
                long offset = beyond.get();
                if (shape[i] < offset) {
                    throw mismatch(argument, type, shape, "dimension " + i + ", " + dim + ", is at least " + offset);
                }
                values.put(unknown.getFirst(), shape[i] - offset);
                givenBy.put(unknown.getFirst(), argument);
            } else if (!unknown.isEmpty()) {
                throw mismatch(
                        argument,
                        type,
                        shape,
                        "the size " + unknown.getFirst() + " is not known yet; give it a dimension of its own before");
            } else if (evaluate(dim) != shape[i]) {
                throw mismatch(
                        argument, type, shape, "dimension " + i + " must be " + due(dim) + ", it is " + shape[i]);
            }
        }
    }

    /// How much larger a size is than the symbol it holds, where that is a number.
    private static Optional<Long> beyond(Dim dim, String symbol) {
        return dim.symbolName().isPresent()
                ? Optional.of(0L)
                : dim.minus(Dim.symbol(symbol)).constant();
    }

    /// A size, its value, and the arguments that decided it.
    private String due(Dim dim) {
        if (dim.constant().isPresent()) {
            return dim.toString();
        }
        String by = dim.symbols().stream()
                .map(s -> s + " = " + values.get(s) + " from '" + givenBy.get(s) + "'")
                .collect(Collectors.joining(", "));
        return dim + " = " + evaluate(dim) + " (" + by + ")";
    }

    private static RunException mismatch(String argument, TensorType type, long[] shape, String why) {
        return new RunException("argument '" + argument + "' has shape " + Arrays.toString(shape) + " where " + type
                + " is declared: " + why);
    }

    /// Whether every symbol of a size has a value.
    public boolean knows(Dim dim) {
        return values.keySet().containsAll(dim.symbols());
    }

    public long evaluate(Dim dim) {
        try {
            return dim.evaluate(this::value);
        } catch (ArithmeticException e) {
            throw new RunException("the size " + dim + " does not fit 64 bits for these arguments", e);
        }
    }

    public long[] evaluate(TensorType type) {
        long[] shape = type.shape().stream().mapToLong(this::evaluate).toArray();
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] < 0) {
                throw new RunException("the size " + type.shape().get(i) + " is " + shape[i] + " for these arguments");
            }
        }
        try {
            Math.multiplyExact(Tensor.count(shape), (long) type.dtype().bytes());
        } catch (ArithmeticException e) {
            throw new RunException(
                    "a tensor " + type + " would have the shape " + Arrays.toString(shape) + ", more than 2^63 bytes",
                    e);
        }
        return shape;
    }

    /// The value of one symbol.
    public long value(String symbol) {
        Long value = values.get(symbol);
        if (value == null) {
            throw new RunException("the size " + symbol + " is not given by any argument");
        }
        return value;
    }

    /// An independent copy.
    public Sizes copy() {
        Sizes copy = new Sizes();
        copy.values.putAll(values);
        copy.givenBy.putAll(givenBy);
        return copy;
    }
}
