package tfx.runtime.program;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.Tokenizer;

/// Arguments as a caller gives them to the inputs of a graph: text to token ids, rows of different lengths to
/// packed rows with offsets. Everything is checked here; kernels trust what this class lets through.
public final class Arguments {
    private final Signature program;
    private final Optional<Tokenizer> tokenizer;
    private final Arena arena;
    private final Map<String, Tensor> inputs = new HashMap<>();

    private Arguments(Signature program, Optional<Tokenizer> tokenizer, Arena arena) {
        this.program = program;
        this.tokenizer = tokenizer;
        this.arena = arena;
    }

    /// Binds arguments by name.
    ///
    /// @param given a `Tensor`; for a ragged argument a `List` with one `Tensor`, `int[]` or (for tokens)
    ///              `String` a row
    /// @throws RunException naming the argument and what it should be
    public static Map<String, Tensor> bind(
            Signature program, Map<String, ?> given, Optional<Tokenizer> tokenizer, Arena arena) {
        return new Arguments(program, tokenizer, arena).bind(given);
    }

    private Map<String, Tensor> bind(Map<String, ?> given) {
        Set<String> unknown = new HashSet<>(given.keySet());
        for (Signature.Parameter parameter : program.parameters()) {
            unknown.remove(parameter.name());
            Object value = given.get(parameter.name());
            if (value == null) {
                throw new RunException("argument '" + parameter.name() + "' is missing; it is " + parameter.written());
            }
            if (parameter.offsets().isPresent()) {
                ragged(parameter, parameter.offsets().get(), value);
            } else if (value instanceof Tensor tensor) {
                inputs.put(parameter.name(), typed(parameter, tensor));
            } else {
                throw wrong(parameter, "a tensor is due");
            }
        }
        if (!unknown.isEmpty()) {
            throw new RunException("program " + program.program() + " has no argument '"
                    + unknown.iterator().next() + "'; it takes "
                    + program.parameters().stream()
                            .map(Signature.Parameter::name)
                            .toList());
        }
        return inputs;
    }

    private static RunException wrong(Signature.Parameter parameter, String why) {
        return new RunException("argument '" + parameter.name() + "' is " + parameter.written() + ": " + why);
    }

    private static Tensor open(Signature.Parameter parameter, Tensor tensor) {
        if (!tensor.data().scope().isAlive()) {
            throw wrong(
                    parameter,
                    "the tensor given, " + tensor
                            + ", lies in an arena that is closed; keep the arena open until the call" + " returns");
        }
        return tensor;
    }

    private static Tensor typed(Signature.Parameter parameter, Tensor given) {
        Tensor tensor = open(parameter, given);
        if (tensor.dtype() != parameter.stored().dtype()) {
            throw wrong(
                    parameter,
                    "the tensor given is " + tensor + "; make it "
                            + parameter.stored().dtype() + ", or convert inside the program");
        }
        return tensor;
    }

    private void ragged(Signature.Parameter parameter, String offsetsName, Object value) {
        if (!(value instanceof List<?> rows)) {
            throw wrong(parameter, "a list of rows is due");
        }
        DType dtype = parameter.stored().dtype();
        int inner = parameter.stored().rank() - 1;
        Tensor[] parts = new Tensor[rows.size()];
        int[] offsets = new int[rows.size() + 1];
        long[] rest = null;
        for (int i = 0; i < parts.length; i++) {
            parts[i] = row(parameter, rows.get(i));
            long[] shape = parts[i].shape();
            if (parts[i].dtype() == dtype && shape.length > 0 && shape[0] == 0) {
                // Nested lists cannot say the other sizes of an empty row.
                offsets[i + 1] = offsets[i];
                continue;
            }
            if (parts[i].dtype() != dtype || shape.length != inner + 1) {
                throw wrong(parameter, "row " + i + " is " + parts[i]);
            }
            long[] own = Arrays.copyOfRange(shape, 1, shape.length);
            if (rest != null && !Arrays.equals(rest, own)) {
                throw wrong(parameter, "row " + i + " is " + parts[i] + ", row 0 is " + parts[0]);
            }
            rest = own;
            if (offsets[i] + shape[0] > Integer.MAX_VALUE) {
                throw wrong(parameter, "more than 2^31 - 1 rows in one call");
            }
            offsets[i + 1] = (int) (offsets[i] + shape[0]);
        }
        long[] shape = new long[inner + 1];
        for (int i = 0; i < inner; i++) {
            shape[i + 1] = rest != null
                    ? rest[i]
                    : parameter.stored().shape().get(i + 1).constant().orElse(0L);
        }
        shape[0] = offsets[parts.length];
        Tensor packed = Tensor.zeros(arena, dtype, shape);
        long at = 0;
        for (Tensor part : parts) {
            long bytes = part.count() * dtype.bytes();
            MemorySegment.copy(part.data(), 0, packed.data(), at, bytes);
            at += bytes;
        }
        inputs.put(parameter.name(), packed);
        Tensor made = Tensor.of(arena, offsets, offsets.length);
        Tensor earlier = inputs.putIfAbsent(offsetsName, made);
        for (int i = 0; earlier != null && i <= parts.length; i++) {
            if (earlier.count() != made.count() || earlier.getLong(i) != offsets[i]) {
                throw wrong(parameter, "its row lengths differ from those of " + offsetsName.replace(".offsets", ""));
            }
        }
    }

    private Tensor row(Signature.Parameter parameter, Object row) {
        return switch (row) {
            case null -> throw wrong(parameter, "a row is null");
            case Tensor tensor -> open(parameter, tensor);
            case int[] ids -> Tensor.of(arena, ids, ids.length);
            case String text
            when parameter.tokens() -> {
                int[] ids = tokenizer
                        .orElseThrow(() -> wrong(
                                parameter,
                                "the model declares no tokenizer, so text cannot be given; "
                                        + "give lists of token ids"))
                        .encode(text);
                yield Tensor.of(arena, ids, ids.length);
            }
            default ->
                throw wrong(parameter, "a row is a tensor" + (parameter.tokens() ? ", a list of ids or a text" : ""));
        };
    }
}
