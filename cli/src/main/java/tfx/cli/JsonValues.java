package tfx.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tfx.compiler.weights.NpyFile;
import tfx.compiler.weights.WeightFiles;
import tfx.runtime.DType;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;
import tfx.runtime.program.Signature;

/// Arguments of the command line to tensors, and tensors to JSON.
final class JsonValues {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private JsonValues() {}

    /// An argument and whether its batch dimension was left out.
    record Parsed(Object value, boolean single) {}

    /// Reads `NAME=VALUE`'s value for a parameter.
    static Parsed parse(Signature.Parameter parameter, String text, Arena arena) {
        if (text.startsWith("@") && !parameter.tokens()) {
            Tensor tensor = file(parameter, text.substring(1), arena);
            return new Parsed(parameter.offsets().isPresent() ? List.of(tensor) : tensor, false);
        }
        Optional<JsonNode> json = json(text);
        if (parameter.tokens()) {
            if (json.isPresent() && json.get().isArray()) {
                return rows(parameter, (ArrayNode) json.get(), arena);
            }
            String plain =
                    json.isPresent() && json.get().isTextual() ? json.get().asText() : text;
            return new Parsed(List.of(plain), true);
        }
        JsonNode node = json.orElseThrow(() -> new Main.Usage(
                "the value of '" + parameter.name() + "' is no JSON; " + parameter.written() + " is due"));
        if (parameter.offsets().isPresent()) {
            if (!node.isArray()) {
                throw new Main.Usage("the value of '" + parameter.name() + "' must be a list of rows");
            }
            List<Object> rows = new ArrayList<>();
            node.forEach(
                    row -> rows.add(tensor(parameter, row, parameter.stored().rank(), arena)));
            return new Parsed(rows, false);
        }
        return new Parsed(tensor(parameter, node, parameter.stored().rank(), arena), false);
    }

    /// `file.npy`, or `file.safetensors#name` and other weight files likewise.
    private static Tensor file(Signature.Parameter parameter, String text, Arena arena) {
        int hash = text.lastIndexOf('#');
        if (hash < 0 && text.endsWith(".npy")) {
            return NpyFile.read(Path.of(text), arena);
        }
        if (hash < 0) {
            throw new Main.Usage("'" + parameter.name() + "' is @FILE.npy or @FILE.safetensors#NAME, not @" + text);
        }
        String name = text.substring(hash + 1);
        WeightSource source = WeightFiles.open(Path.of(text.substring(0, hash)), arena);
        return source.find(name)
                .orElseThrow(() -> new Main.Usage(source.describe() + " has no tensor '" + name + "'; it has "
                        + source.names().stream().limit(5).toList()));
    }

    static Optional<JsonNode> json(String text) {
        try {
            return Optional.ofNullable(JSON.readTree(text)).filter(n -> !n.isMissingNode());
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /// A list of texts, a list of lists of ids, or one list of ids.
    private static Parsed rows(Signature.Parameter parameter, ArrayNode list, Arena arena) {
        boolean single = !list.isEmpty() && list.get(0).isNumber();
        List<Object> rows = new ArrayList<>();
        if (single) {
            rows.add(tensor(parameter, list, 1, arena));
        } else {
            list.forEach(row -> rows.add(row.isTextual() ? row.asText() : tensor(parameter, row, 1, arena)));
        }
        return new Parsed(rows, single);
    }

    private static Tensor tensor(Signature.Parameter parameter, JsonNode node, int rank, Arena arena) {
        long[] shape = new long[rank];
        JsonNode level = node;
        for (int i = 0; i < rank; i++) {
            if (!level.isArray()) {
                throw new Main.Usage("the value of '" + parameter.name() + "' needs " + rank + " levels of lists, for "
                        + parameter.written());
            }
            shape[i] = level.size();
            level = level.isEmpty() ? level : level.get(0);
            if (level.isEmpty() && level.isArray() && i + 1 < rank) {
                break;
            }
        }
        Tensor tensor = Tensor.zeros(arena, parameter.stored().dtype(), shape);
        fill(parameter, node, tensor, shape, 0, 0);
        return tensor;
    }

    private static long fill(
            Signature.Parameter parameter, JsonNode node, Tensor tensor, long[] shape, int depth, long at) {
        if (depth == shape.length) {
            scalar(parameter, node, tensor, at);
            return at + 1;
        }
        if (!node.isArray() || node.size() != shape[depth]) {
            throw new Main.Usage(
                    "the lists of '" + parameter.name() + "' differ in length or depth, for " + parameter.written());
        }
        for (JsonNode item : node) {
            at = fill(parameter, item, tensor, shape, depth + 1, at);
        }
        return at;
    }

    private static void scalar(Signature.Parameter parameter, JsonNode node, Tensor tensor, long at) {
        DType dtype = tensor.dtype();
        boolean special =
                node.isTextual() && List.of("NaN", "Infinity", "-Infinity").contains(node.asText());
        boolean fits = dtype.isFloat()
                ? node.isNumber() || special
                : dtype == DType.BOOL
                        ? node.isBoolean()
                        : node.isIntegralNumber()
                                && node.canConvertToLong()
                                && node.asLong() >= dtype.smallest()
                                && node.asLong() <= dtype.largest();
        if (!fits) {
            throw new Main.Usage("'" + parameter.name() + "' holds " + node + ", which is no " + dtype);
        }
        if (dtype.isFloat()) {
            tensor.setDouble(at, special ? Double.parseDouble(node.asText()) : node.asDouble());
        } else {
            tensor.setLong(at, dtype == DType.BOOL ? (node.asBoolean() ? 1 : 0) : node.asLong());
        }
    }

    /// A tensor as nested lists; with `offsets`, its first dimension becomes rows of their lengths.
    static JsonNode toJson(Tensor tensor, Optional<Tensor> offsets) {
        long[] shape = tensor.shape();
        if (offsets.isEmpty()) {
            return nested(tensor, shape, 0, new long[1]);
        }
        ArrayNode rows = NODES.arrayNode();
        long[] at = {0};
        for (long i = 0; i + 1 < offsets.get().count(); i++) {
            shape[0] = offsets.get().getLong(i + 1) - offsets.get().getLong(i);
            rows.add(nested(tensor, shape, 0, at));
        }
        return rows;
    }

    private static JsonNode nested(Tensor tensor, long[] shape, int depth, long[] at) {
        if (depth == shape.length) {
            return number(tensor, at[0]++);
        }
        ArrayNode list = NODES.arrayNode();
        for (long i = 0; i < shape[depth]; i++) {
            list.add(nested(tensor, shape, depth + 1, at));
        }
        return list;
    }

    private static JsonNode number(Tensor tensor, long at) {
        return switch (tensor.dtype()) {
            case BOOL -> NODES.booleanNode(tensor.getLong(at) != 0);
            case I64, I32, I8, U8 -> NODES.numberNode(tensor.getLong(at));
            case F32, F16, BF16 -> finite((float) tensor.getDouble(at));
            case F64 -> finite(tensor.getDouble(at));
        };
    }

    /// JSON has no NaN and no infinities; they are strings.
    static JsonNode finite(Number value) {
        boolean single = value instanceof Float;
        return Double.isFinite(value.doubleValue())
                ? (single ? NODES.numberNode(value.floatValue()) : NODES.numberNode(value.doubleValue()))
                : NODES.textNode(value.toString());
    }

    static String write(JsonNode node) throws JsonProcessingException {
        return JSON.writeValueAsString(node);
    }
}
