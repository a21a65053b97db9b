package tfx.frontend.stage;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.ir.Span;

/// The arguments of a call to a primitive, taken by position or name with messages that name the function.
final class Arguments {
    private final String function;
    private final List<Value> positional;
    private final Map<String, Value> named;
    private final Span span;
    private final Set<String> used = new HashSet<>();
    private int most;

    Arguments(String function, List<Value> positional, Map<String, Value> named, Span span) {
        this.function = function;
        this.positional = positional;
        this.named = named;
        this.span = span;
    }

    Span span() {
        return span;
    }

    int count() {
        return positional.size();
    }

    Optional<Value> find(int position, String name) {
        used.add(name);
        most = Math.max(most, position + 1);
        return position < positional.size()
                ? Optional.of(positional.get(position))
                : Optional.ofNullable(named.get(name));
    }

    Value get(int position, String name) {
        return find(position, name).orElseThrow(() -> fail("argument '" + name + "' is missing"));
    }

    /// A run-time tensor.
    Value.Array array(int position, String name) {
        Value value = get(position, name);
        if (value instanceof Value.Array array) {
            return array;
        }
        throw fail("argument '" + name + "' must be a tensor, not " + value.describe());
    }

    /// An integer known while compiling.
    int integer(int position, String name) {
        Value value = get(position, name);
        if (value instanceof Value.Whole w) {
            Optional<Long> constant = w.dim().constant();
            if (constant.isPresent() && Math.abs(constant.get()) < Integer.MAX_VALUE) {
                return (int) (long) constant.get();
            }
        }
        throw fail("argument '" + name + "' must be an integer, not " + value.describe());
    }

    /// An axis of a tensor; negative counts from the end.
    int axis(int position, String name, Value.Array x, int otherwise) {
        return resolve(find(position, name).isPresent() ? integer(position, name) : otherwise, x);
    }

    /// An axis of a tensor given as a value.
    int resolve(String name, Value value, Value.Array x) {
        if (value instanceof Value.Whole w
                && w.dim()
                        .constant()
                        .filter(c -> Math.abs(c) < Integer.MAX_VALUE)
                        .isPresent()) {
            return resolve((int) (long) w.dim().constant().get(), x);
        }
        throw fail("argument '" + name + "' must hold integers");
    }

    private int resolve(int axis, Value.Array x) {
        int resolved = axis < 0 ? axis + x.rank() : axis;
        if (resolved < 0 || resolved >= x.rank()) {
            throw fail("axis " + axis + " is not in " + x.describe());
        }
        return resolved;
    }

    /// An integer known while compiling, with a default.
    int integer(int position, String name, int otherwise) {
        return find(position, name).isPresent() ? integer(position, name) : otherwise;
    }

    boolean truth(int position, String name, boolean otherwise) {
        Optional<Value> value = find(position, name);
        if (value.isEmpty()) {
            return otherwise;
        }
        if (value.get() instanceof Value.Truth t) {
            return t.value();
        }
        throw fail("argument '" + name + "' must be True or False");
    }

    List<Value> items(int position, String name) {
        if (get(position, name) instanceof Value.Items items) {
            return items.items();
        }
        throw fail("argument '" + name + "' must be a list");
    }

    /// Fails on arguments that nothing asked for.
    void done() {
        if (positional.size() > most) {
            throw fail("it takes at most " + most + " arguments, not " + positional.size());
        }
        for (String name : named.keySet()) {
            if (!used.contains(name)) {
                throw fail("it has no parameter '" + name + "'");
            }
        }
    }

    StagingError fail(String message) {
        return StagingError.of("TFX0210", span, function + ": " + message, "");
    }
}
