package tfx.compiler.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;

/// A safetensors file, memory-mapped: eight bytes of header length, a JSON header, then the data.
public final class SafetensorsWeights implements WeightSource {
    private static final long MAX_HEADER = 100_000_000;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(16).build())
            .build());

    private record Entry(DType dtype, long[] shape, long offset, long bytes) {}

    private final String description;
    private final MemorySegment file;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private SafetensorsWeights(String description, MemorySegment file, Arena arena) {
        this.description = description;
        this.file = file;
        this.arena = arena;
    }

    /// Maps a file.
    ///
    /// @param arena owns the mapping and the tensors handed out
    /// @throws RunException if the file cannot be read or its header does not hold
    public static SafetensorsWeights open(Path path, Arena arena) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            SafetensorsWeights weights = new SafetensorsWeights(path.toString(), file, arena);
            weights.header();
            return weights;
        } catch (IOException e) {
            throw new RunException(
                    path + ": "
                            + (e instanceof java.nio.file.NoSuchFileException
                                    ? "there is no such file"
                                    : e.getMessage()),
                    e);
        }
    }

    private void header() throws IOException {
        if (file.byteSize() < 8) {
            throw new IOException("this is no safetensors file: it has " + file.byteSize() + " bytes");
        }
        long length = file.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
        if (length < 2 || length > MAX_HEADER || length > file.byteSize() - 8) {
            throw new IOException("the header claims " + length + " bytes of a file of " + file.byteSize());
        }
        JsonNode header = JSON.readTree(file.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE));
        if (header == null || !header.isObject()) {
            throw new IOException("the header is no JSON object");
        }
        for (Map.Entry<String, JsonNode> field : header.properties()) {
            if (!field.getKey().equals("__metadata__")) {
                entry(field.getKey(), field.getValue(), 8 + length);
            }
        }
    }

    private void entry(String name, JsonNode node, long base) throws IOException {
        DType dtype = switch (node.path("dtype").asText()) {
            case "F32" -> DType.F32;
            case "F64" -> DType.F64;
            case "I32" -> DType.I32;
            case "I64" -> DType.I64;
            case "BOOL" -> DType.BOOL;
            default ->
                throw new IOException(
                        "tensor " + name + " has element type " + node.path("dtype") + ", which is not read");
        };
        long[] shape = longs(name, node.path("shape"));
        long[] range = longs(name, node.path("data_offsets"));
        if (range.length != 2 || range[0] < 0 || range[1] < range[0] || range[1] > file.byteSize() - base) {
            throw new IOException("tensor " + name + " lies outside the file: " + node.path("data_offsets"));
        }
        long bytes;
        try {
            bytes = Math.multiplyExact(Tensor.count(shape), dtype.bytes());
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new IOException("tensor " + name + " has the impossible shape " + node.path("shape"), e);
        }
        if (bytes != range[1] - range[0]) {
            throw new IOException("tensor " + name + " of shape " + node.path("shape") + " needs " + bytes
                    + " bytes and has " + (range[1] - range[0]));
        }
        entries.put(name, new Entry(dtype, shape, base + range[0], bytes));
    }

    private static long[] longs(String name, JsonNode list) throws IOException {
        if (!list.isArray() || list.size() > 16) {
            throw new IOException(
                    "tensor " + name + " has a header entry that is no short list: " + list.getNodeType());
        }
        long[] values = new long[list.size()];
        for (int i = 0; i < values.length; i++) {
            if (!list.get(i).canConvertToLong() || !list.get(i).isIntegralNumber()) {
                throw new IOException("tensor " + name + " has a size that is no integer: " + list.get(i));
            }
            values[i] = list.get(i).asLong();
        }
        return values;
    }

    @Override
    public Optional<Tensor> find(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            return Optional.empty();
        }
        Tensor tensor = Tensor.zeros(arena, entry.dtype, entry.shape);
        MemorySegment.copy(file, entry.offset, tensor.data(), 0, entry.bytes);
        return Optional.of(tensor);
    }

    @Override
    public Collection<String> names() {
        return entries.keySet();
    }

    @Override
    public String describe() {
        return description;
    }
}
