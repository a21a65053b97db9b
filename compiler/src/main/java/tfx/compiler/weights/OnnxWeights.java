package tfx.compiler.weights;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.runtime.DType;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;

/// The initializers of an ONNX file, memory-mapped and read field by field.
///
/// Exporters transpose the weights of linear layers and give them generated names. A matrix that is the right
/// operand of
/// one `MatMul` node named `/encoder/layer.0/query/MatMul` is found as `encoder.layer.0.query.weight`, transposed
/// back
/// to `[outputs, inputs]`. Field numbers are those of onnx.proto of the ONNX project.
public final class OnnxWeights implements WeightSource {
    private static final int MODEL_GRAPH = 7;
    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int NODE_INPUT = 1;
    private static final int NODE_NAME = 3;
    private static final int NODE_OP_TYPE = 4;
    private static final int TENSOR_DIMS = 1;
    private static final int TENSOR_DTYPE = 2;
    private static final int TENSOR_FLOAT_DATA = 4;
    private static final int TENSOR_NAME = 8;
    private static final int TENSOR_RAW_DATA = 9;
    private static final int TENSOR_LOCATION = 14;
    private static final int MAX_RANK = 8;

    /// Where an initializer lies in the file.
    private record Entry(String name, DType dtype, long[] dims, long offset, long bytes) {}

    /// An initializer under a name of the checkpoint.
    private record Alias(String initializer, boolean transposed) {}

    private final String description;
    private final MemorySegment file;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, Alias> aliases = new LinkedHashMap<>();
    private final Map<String, Tensor> made = new HashMap<>();

    private OnnxWeights(String description, MemorySegment file, Arena arena) {
        this.description = description;
        this.file = file;
        this.arena = arena;
    }

    /// Maps a file.
    ///
    /// @param arena owns the mapping and the tensors handed out
    /// @throws RunException if the file cannot be read or is not a well-formed model
    public static OnnxWeights open(Path path, Arena arena) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size > Integer.MAX_VALUE) {
                throw new RunException(path + ": an ONNX file has at most 2 GiB, this one has " + size + " bytes");
            }
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            OnnxWeights weights = new OnnxWeights(path.toString(), file, arena);
            weights.model();
            return weights;
        } catch (IOException e) {
            throw new RunException(path + ": " + reason(e), e);
        }
    }

    private static String reason(IOException e) {
        return e instanceof java.nio.file.NoSuchFileException
                ? "there is no such file"
                : String.valueOf(e.getMessage());
    }

    /// A message whose bytes begin at an offset of the file.
    private record Slice(long offset, long bytes) {}

    private CodedInputStream reader(Slice slice) {
        ByteBuffer bytes = file.asSlice(slice.offset, slice.bytes).asByteBuffer();
        return CodedInputStream.newInstance(bytes);
    }

    /// The place of a length-delimited field, which is skipped.
    private static Slice slice(CodedInputStream in, Slice outer) throws IOException {
        int length = in.readRawVarint32();
        long start = outer.offset + in.getTotalBytesRead();
        if (length < 0 || start + length > outer.offset + outer.bytes) {
            throw new IOException("a field at byte " + start + " claims " + length + " bytes, past the end");
        }
        in.skipRawBytes(length);
        return new Slice(start, length);
    }

    private static boolean delimited(int tag) {
        return WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED;
    }

    private void model() throws IOException {
        Slice whole = new Slice(0, file.byteSize());
        CodedInputStream in = reader(whole);
        boolean found = false;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) == MODEL_GRAPH && delimited(tag)) {
                graph(slice(in, whole));
                found = true;
            } else {
                in.skipField(tag);
            }
        }
        if (!found) {
            throw new IOException("this is no ONNX model: it has no graph");
        }
    }

    private void graph(Slice graph) throws IOException {
        CodedInputStream in = reader(graph);
        List<Slice> nodes = new ArrayList<>();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int field = WireFormat.getTagFieldNumber(tag);
            if (field == GRAPH_NODE && delimited(tag)) {
                nodes.add(slice(in, graph));
            } else if (field == GRAPH_INITIALIZER && delimited(tag)) {
                Entry entry = tensor(slice(in, graph));
                if (entries.put(entry.name, entry) != null) {
                    throw new IOException("two initializers are named " + entry.name);
                }
            } else {
                in.skipField(tag);
            }
        }
        for (Slice node : nodes) {
            alias(node);
        }
    }

    private Entry tensor(Slice slice) throws IOException {
        CodedInputStream in = reader(slice);
        List<Long> dims = new ArrayList<>();
        int type = 0;
        String name = "";
        Slice data = new Slice(slice.offset, 0);
        boolean external = false;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case TENSOR_DIMS -> {
                    if (delimited(tag)) {
                        int limit = in.pushLimit(in.readRawVarint32());
                        while (in.getBytesUntilLimit() > 0 && dims.size() <= MAX_RANK) {
                            dims.add(in.readInt64());
                        }
                        in.popLimit(limit);
                    } else {
                        dims.add(in.readInt64());
                    }
                }
                case TENSOR_DTYPE -> type = in.readInt32();
                case TENSOR_NAME -> name = in.readString();
                case TENSOR_LOCATION -> external = in.readInt32() != 0;
                case TENSOR_RAW_DATA, TENSOR_FLOAT_DATA -> {
                    if (delimited(tag)) {
                        data = slice(in, slice);
                    } else {
                        in.skipField(tag);
                    }
                }
                default -> in.skipField(tag);
            }
            if (dims.size() > MAX_RANK) {
                throw new IOException("initializer " + name + " has more than " + MAX_RANK + " dimensions");
            }
        }
        return checked(name, type, dims, data, external);
    }

    private static Entry checked(String name, int type, List<Long> dims, Slice data, boolean external)
            throws IOException {
        DType dtype = switch (type) {
            case 1 -> DType.F32;
            case 6 -> DType.I32;
            case 7 -> DType.I64;
            case 9 -> DType.BOOL;
            case 11 -> DType.F64;
            default ->
                throw new IOException(
                        "initializer " + name + " has element type " + type + " of ONNX, which is not read");
        };
        if (external) {
            throw new IOException("initializer " + name + " lies in another file, which is not read");
        }
        long[] shape = dims.stream().mapToLong(d -> d).toArray();
        long bytes;
        try {
            bytes = Math.multiplyExact(Tensor.count(shape), dtype.bytes());
        } catch (ArithmeticException | IllegalArgumentException e) {
            throw new IOException("initializer " + name + " has the impossible shape " + dims, e);
        }
        if (bytes != data.bytes) {
            throw new IOException(
                    "initializer " + name + " of shape " + dims + " needs " + bytes + " bytes and has " + data.bytes);
        }
        return new Entry(name, dtype, shape, data.offset, bytes);
    }

    private void alias(Slice slice) throws IOException {
        CodedInputStream in = reader(slice);
        List<String> inputs = new ArrayList<>();
        String name = "";
        String op = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case NODE_INPUT -> inputs.add(in.readString());
                case NODE_NAME -> name = in.readString();
                case NODE_OP_TYPE -> op = in.readString();
                default -> in.skipField(tag);
            }
        }
        if (op.equals("MatMul") && inputs.size() == 2 && name.startsWith("/") && name.endsWith("/MatMul")) {
            Entry matrix = entries.get(inputs.get(1));
            if (matrix != null && matrix.dims.length == 2) {
                String checkpoint =
                        name.substring(1, name.length() - "/MatMul".length()).replace('/', '.') + ".weight";
                aliases.putIfAbsent(checkpoint, new Alias(matrix.name, true));
            }
        }
    }

    @Override
    public synchronized Optional<Tensor> find(String name) {
        Alias alias = entries.containsKey(name) ? new Alias(name, false) : aliases.get(name);
        if (alias == null) {
            return Optional.empty();
        }
        return Optional.of(made.computeIfAbsent(name, n -> copy(entries.get(alias.initializer), alias.transposed)));
    }

    /// Copies an initializer to aligned memory; files align nothing.
    private Tensor copy(Entry entry, boolean transposed) {
        if (!transposed) {
            Tensor tensor = Tensor.zeros(arena, entry.dtype, entry.dims);
            MemorySegment.copy(file, entry.offset, tensor.data(), 0, entry.bytes);
            return tensor;
        }
        long rows = entry.dims[0];
        long columns = entry.dims[1];
        Tensor tensor = Tensor.zeros(arena, entry.dtype, columns, rows);
        MemorySegment from = file.asSlice(entry.offset, entry.bytes);
        if (entry.dtype != DType.F32) {
            Tensor source = Tensor.of(from, entry.dtype, entry.dims);
            for (long i = 0; i < rows * columns; i++) {
                long to = i % columns * rows + i / columns;
                if (entry.dtype == DType.F64) {
                    tensor.setDouble(to, source.getDouble(i));
                } else {
                    tensor.setLong(to, source.getLong(i));
                }
            }
            return tensor;
        }
        float[] line = new float[Math.toIntExact(columns)];
        for (long i = 0; i < rows; i++) {
            MemorySegment.copy(from, ValueLayout.JAVA_FLOAT_UNALIGNED, i * columns * 4, line, 0, line.length);
            for (int j = 0; j < line.length; j++) {
                tensor.data().set(ValueLayout.JAVA_FLOAT_UNALIGNED, (j * rows + i) * 4, line[j]);
            }
        }
        return tensor;
    }

    @Override
    public Collection<String> names() {
        List<String> names = new ArrayList<>(entries.keySet());
        names.addAll(aliases.keySet());
        return names;
    }

    @Override
    public String describe() {
        return description;
    }
}
