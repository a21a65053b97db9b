package tfx.runtime.program;

import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;

/// Tensors as nested lists of numbers, `[[1, 2], [3, 4]]`, for the command line of packaged programs.
final class NumberLists {
    private static final int MAX_DEPTH = 16;

    private final String name;
    private final String text;
    private int at;

    private NumberLists(String name, String text) {
        this.name = name;
        this.text = text;
    }

    static Map<String, Object> parse(Signature signature, String[] words, Arena arena) {
        Map<String, Object> values = new HashMap<>();
        for (String word : words) {
            int equals = word.indexOf('=');
            String name = equals < 1 ? "" : word.substring(0, equals);
            Optional<Signature.Parameter> parameter = signature.parameters().stream()
                    .filter(p -> p.name().equals(name))
                    .findFirst();
            if (parameter.isEmpty()) {
                throw new RunException("'" + word + "' is no NAME=VALUE; " + signature.program() + " takes "
                        + signature.parameters().stream()
                                .map(Signature.Parameter::written)
                                .toList());
            }
            values.put(name, value(parameter.get(), word.substring(equals + 1), arena));
        }
        return values;
    }

    private static Object value(Signature.Parameter parameter, String text, Arena arena) {
        Object parsed = new NumberLists(parameter.name(), text).whole();
        DType dtype = parameter.stored().dtype();
        if (parameter.offsets().isEmpty()) {
            return tensor(parameter, parsed, dtype, arena);
        }
        if (!(parsed instanceof List<?> rows)) {
            throw new RunException("argument '" + parameter.name() + "' is a list of rows, " + parameter.written());
        }
        return rows.stream().map(row -> tensor(parameter, row, dtype, arena)).toList();
    }

    private Object whole() {
        Object value = value(0);
        skip();
        if (at < text.length()) {
            throw error("end");
        }
        return value;
    }

    private RunException error(String due) {
        return new RunException("argument '" + name + "': expected " + due + " at character " + at
                + " of nested lists of" + " numbers; text needs a tokenizer, which a program of your own can give");
    }

    private void skip() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private boolean accept(char c) {
        skip();
        boolean found = at < text.length() && text.charAt(at) == c;
        at += found ? 1 : 0;
        return found;
    }

    private Object value(int depth) {
        if (depth > MAX_DEPTH) {
            throw error("at most " + MAX_DEPTH + " levels");
        }
        if (accept('[')) {
            List<Object> items = new ArrayList<>();
            while (!accept(']')) {
                if (!items.isEmpty() && !accept(',')) {
                    throw error("',' or ']'");
                }
                items.add(value(depth + 1));
            }
            return items;
        }
        skip();
        int start = at;
        while (at < text.length() && ",[] ".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(start, at);
        try {
            return switch (word) {
                case "true" -> 1L;
                case "false" -> 0L;
                default -> word.matches("-?[0-9]+") ? (Object) Long.parseLong(word) : (Object) Double.parseDouble(word);
            };
        } catch (NumberFormatException e) {
            at = start;
            throw error("a number");
        }
    }

    private static Tensor tensor(Signature.Parameter parameter, Object value, DType dtype, Arena arena) {
        List<Long> shape = new ArrayList<>();
        for (Object level = value; level instanceof List<?> items; level = items.isEmpty() ? 0L : items.getFirst()) {
            shape.add((long) items.size());
        }
        Tensor tensor =
                Tensor.zeros(arena, dtype, shape.stream().mapToLong(n -> n).toArray());
        fill(parameter, value, tensor, shape, 0, 0);
        return tensor;
    }

    private static long fill(
            Signature.Parameter parameter, Object value, Tensor tensor, List<Long> shape, int depth, long at) {
        if (depth == shape.size()) {
            if (value instanceof List<?> || !tensor.dtype().isFloat() && value instanceof Double) {
                throw new RunException(
                        "argument '" + parameter.name() + "' is " + parameter.written() + ", not " + value);
            }
            if (tensor.dtype().isFloat()) {
                tensor.setDouble(at, ((Number) value).doubleValue());
            } else {
                long number = ((Number) value).longValue();
                if (number < tensor.dtype().smallest()
                        || number > tensor.dtype().largest()) {
                    throw new RunException(
                            "argument '" + parameter.name() + "': " + number + " does not fit " + tensor.dtype());
                }
                tensor.setLong(at, number);
            }
            return at + 1;
        }
        if (!(value instanceof List<?> items) || items.size() != shape.get(depth)) {
            throw new RunException("the lists of argument '" + parameter.name() + "' differ in length or depth");
        }
        for (Object item : items) {
            at = fill(parameter, item, tensor, shape, depth + 1, at);
        }
        return at;
    }

    /// One line a result, `name = [...]`; ragged results are printed packed.
    static void print(Map<String, Tensor> results, PrintStream out) {
        results.forEach((name, tensor) -> {
            StringBuilder line = new StringBuilder(name + " = ");
            nested(tensor, tensor.shape(), 0, 0, line);
            out.println(line);
        });
    }

    private static long nested(Tensor tensor, long[] shape, int depth, long at, StringBuilder out) {
        if (depth == shape.length) {
            DType dtype = tensor.dtype();
            out.append(
                    !dtype.isFloat()
                            ? Long.toString(tensor.getLong(at))
                            : dtype == DType.F64
                                    ? Double.toString(tensor.getDouble(at))
                                    : Float.toString((float) tensor.getDouble(at)));
            return at + 1;
        }
        out.append('[');
        for (long i = 0; i < shape[depth]; i++) {
            out.append(i > 0 ? ", " : "");
            at = nested(tensor, shape, depth + 1, at, out);
        }
        out.append(']');
        return at;
    }
}
