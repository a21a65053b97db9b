package tfx.compiler.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;

/// A safetensors file: eight bytes of header length, a JSON header, then the data; or several, named by an index.
/// Tensors are handed out in place, nothing is copied.
public final class SafetensorsWeights implements WeightSource {
    private static final long MAX_HEADER = 100_000_000;
    private static final int MAX_SHARDS = 10_000;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(16).build())
            .build());

    /// Where a tensor lies, from the end of the header.
    private record Range(String name, long from, long to) {}

    private final String description;
    private final Arena arena;
    private final Map<String, Stored> entries = new LinkedHashMap<>();
    private final Map<String, String> unread = new LinkedHashMap<>();

    private SafetensorsWeights(String description, Arena arena) {
        this.description = description;
        this.arena = arena;
    }

    /// Maps a file.
    ///
    /// @param arena owns the mapping and the tensors handed out
    /// @throws RunException if the file cannot be read or its header does not hold
    public static SafetensorsWeights open(Path path, Arena arena) {
        try {
            SafetensorsWeights weights = new SafetensorsWeights(path.toString(), arena);
            weights.header(Mapped.file(path, arena));
            return weights;
        } catch (IOException e) {
            throw Mapped.failure(path, e);
        }
    }

    /// Maps the files that an index names (`model.safetensors.index.json`); they lie beside it.
    ///
    /// @throws RunException if a file cannot be read, leaves the folder, or lacks a tensor that the index
    /// promises
    public static SafetensorsWeights openIndex(Path path, Arena arena) {
        try {
            SafetensorsWeights all = new SafetensorsWeights(path.toString(), arena);
            all.index(Mapped.file(path, arena), Mapped.folder(path));
            return all;
        } catch (IOException e) {
            throw Mapped.failure(path, e);
        }
    }

    private static JsonNode json(MemorySegment bytes, String what) throws IOException {
        if (bytes.byteSize() > MAX_HEADER) {
            throw new IOException(what + " has " + bytes.byteSize() + " bytes, at most " + MAX_HEADER + " are read");
        }
        JsonNode node = JSON.readTree(bytes.toArray(ValueLayout.JAVA_BYTE));
        if (node == null || !node.isObject()) {
            throw new IOException(what + " is no JSON object");
        }
        return node;
    }

    private void index(MemorySegment file, Path folder) throws IOException {
        JsonNode map = json(file, "the index").path("weight_map");
        if (!map.isObject()) {
            throw new IOException("the index has no weight_map");
        }
        Map<String, SafetensorsWeights> shards = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> field : map.properties()) {
            if (!field.getValue().isTextual()) {
                throw new IOException("the index names no file for tensor " + field.getKey());
            }
            String name = field.getValue().asText();
            SafetensorsWeights shard = shards.get(name);
            if (shard == null) {
                if (shards.size() >= MAX_SHARDS) {
                    throw new IOException("the index names more than " + MAX_SHARDS + " files");
                }
                shard = open(Mapped.inside(folder, name), arena);
                shards.put(name, shard);
            }
            Stored stored = shard.entries.get(field.getKey());
            String problem = shard.unread.get(field.getKey());
            if (stored != null) {
                entries.put(field.getKey(), stored);
            } else if (problem != null) {
                unread.put(field.getKey(), problem);
            } else {
                throw new IOException(name + " has no tensor " + field.getKey() + ", which the index promises");
            }
        }
    }

    private void header(MemorySegment file) throws IOException {
        if (file.byteSize() < 8) {
            throw new IOException("this is no safetensors file: it has " + file.byteSize() + " bytes");
        }
        long length = file.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
        if (length < 2 || length > MAX_HEADER || length > file.byteSize() - 8) {
            throw new IOException("the header claims " + length + " bytes of a file of " + file.byteSize());
        }
        MemorySegment data = file.asSlice(8 + length);
        List<Range> ranges = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field :
                json(file.asSlice(8, length), "the header").properties()) {
            if (!field.getKey().equals("__metadata__")) {
                entry(field.getKey(), field.getValue(), data, ranges);
            }
        }
        ranges.sort(Comparator.comparingLong(Range::from));
        for (int i = 1; i < ranges.size(); i++) {
            if (ranges.get(i).from < ranges.get(i - 1).to) {
                throw new IOException("tensors " + ranges.get(i - 1).name + " and " + ranges.get(i).name + " overlap");
            }
        }
    }

    private void entry(String name, JsonNode node, MemorySegment data, List<Range> ranges) throws IOException {
        String what = "tensor " + name;
        long[] shape = longs(what, node.path("shape"));
        long[] range = longs(what, node.path("data_offsets"));
        if (range.length != 2 || range[1] < range[0]) {
            throw new IOException(what + " has no data_offsets of two ascending numbers");
        }
        MemorySegment bytes = Stored.slice(what, data, range[0], range[1] - range[0]);
        if (range[1] > range[0]) {
            ranges.add(new Range(name, range[0], range[1]));
        }
        Optional<DType> dtype = dtype(node.path("dtype").asText());
        if (dtype.isPresent()) {
            entries.put(name, Stored.of(what, dtype.get(), shape, bytes));
        } else {
            unread.put(name, what + " has element type " + node.path("dtype") + ", which tfx does not have");
        }
    }

    private static Optional<DType> dtype(String name) {
        return switch (name) {
            case "F64" -> Optional.of(DType.F64);
            case "F32" -> Optional.of(DType.F32);
            case "F16" -> Optional.of(DType.F16);
            case "BF16" -> Optional.of(DType.BF16);
            case "I64" -> Optional.of(DType.I64);
            case "I32" -> Optional.of(DType.I32);
            case "I8" -> Optional.of(DType.I8);
            case "U8" -> Optional.of(DType.U8);
            case "BOOL" -> Optional.of(DType.BOOL);
            default -> Optional.empty();
        };
    }

    private static long[] longs(String what, JsonNode list) throws IOException {
        if (!list.isArray() || list.size() > 16) {
            throw new IOException(what + " has a header entry that is no short list: " + list.getNodeType());
        }
        long[] values = new long[list.size()];
        for (int i = 0; i < values.length; i++) {
            if (!list.get(i).isIntegralNumber() || !list.get(i).canConvertToLong()) {
                throw new IOException(what + " has a size that is no integer: " + list.get(i));
            }
            values[i] = list.get(i).asLong();
        }
        return values;
    }

    @Override
    public Optional<Tensor> find(String name) {
        if (unread.containsKey(name)) {
            throw new RunException(description + ": " + unread.get(name));
        }
        return Optional.ofNullable(entries.get(name)).map(s -> s.tensor(arena));
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
