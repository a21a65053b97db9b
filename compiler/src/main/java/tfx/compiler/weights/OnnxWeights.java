package tfx.compiler.weights;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;

/// The initializers of an ONNX file, memory-mapped and read field by field; raw data stays in place.
///
/// Exporters transpose the weights of linear layers and give them generated names. A matrix that is the right
/// operand of one `MatMul` node named `/encoder/layer.0/query/MatMul` is found as
/// `encoder.layer.0.query.weight`, transposed back to `[outputs, inputs]`. In models quantised by ONNX Runtime
/// the same name gives the integers of the `MatMulInteger` node, and `.weight_scale` and `.weight_zero_point`
/// what belongs to them. Field numbers are those of onnx.proto of the ONNX project.
public final class OnnxWeights implements WeightSource {
    private static final int MODEL_GRAPH = 7;
    private static final int GRAPH_NODE = 1;
    private static final int GRAPH_INITIALIZER = 5;
    private static final int NODE_INPUT = 1;
    private static final int NODE_NAME = 3;
    private static final int NODE_OP_TYPE = 4;
    private static final String QUANTIZED = "_quantized";

    /// An initializer under a name of the checkpoint.
    private record Alias(String initializer, boolean transposed) {}

    private final String description;
    private final MemorySegment file;
    private final Arena arena;
    private final OnnxTensors tensors;
    private final Map<String, Alias> aliases = new LinkedHashMap<>();
    private final Map<String, Tensor> made = new HashMap<>();

    private OnnxWeights(Path path, MemorySegment file, Arena arena) {
        this.description = path.toString();
        this.file = file;
        this.arena = arena;
        this.tensors = new OnnxTensors(file, Mapped.folder(path), arena);
    }

    /// Maps a file.
    ///
    /// @param arena owns the mapping and the tensors handed out
    /// @throws RunException if the file cannot be read or is not a well-formed model
    public static OnnxWeights open(Path path, Arena arena) {
        try {
            MemorySegment file = Mapped.file(path, arena);
            if (file.byteSize() > Integer.MAX_VALUE) {
                throw new IOException("an ONNX file has at most 2 GiB, this one has " + file.byteSize() + " bytes");
            }
            OnnxWeights weights = new OnnxWeights(path, file, arena);
            weights.model();
            return weights;
        } catch (IOException e) {
            throw Mapped.failure(path, e);
        }
    }

    private void model() throws IOException {
        ProtoSlice whole = new ProtoSlice(file, 0, file.byteSize());
        CodedInputStream in = whole.reader();
        boolean found = false;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (WireFormat.getTagFieldNumber(tag) == MODEL_GRAPH && ProtoSlice.delimited(tag)) {
                graph(whole.next(in));
                found = true;
            } else {
                in.skipField(tag);
            }
        }
        if (!found) {
            throw new IOException("this is no ONNX model: it has no graph");
        }
    }

    private void graph(ProtoSlice graph) throws IOException {
        CodedInputStream in = graph.reader();
        List<ProtoSlice> nodes = new ArrayList<>();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int field = WireFormat.getTagFieldNumber(tag);
            if (field == GRAPH_NODE && ProtoSlice.delimited(tag)) {
                nodes.add(graph.next(in));
            } else if (field == GRAPH_INITIALIZER && ProtoSlice.delimited(tag)) {
                tensors.add(graph.next(in));
            } else {
                in.skipField(tag);
            }
        }
        for (ProtoSlice node : nodes) {
            alias(node);
        }
    }

    private void alias(ProtoSlice slice) throws IOException {
        CodedInputStream in = slice.reader();
        List<String> inputs = new ArrayList<>();
        String name = "";
        String op = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            boolean delimited = ProtoSlice.delimited(tag);
            switch (delimited ? WireFormat.getTagFieldNumber(tag) : 0) {
                case NODE_INPUT -> inputs.add(in.readString());
                case NODE_NAME -> name = in.readString();
                case NODE_OP_TYPE -> op = in.readString();
                default -> in.skipField(tag);
            }
        }
        if (inputs.size() < 2 || !name.startsWith("/") || tensors.rank(inputs.get(1)) != 2) {
            return;
        }
        String matrix = inputs.get(1);
        if (op.equals("MatMul") && name.endsWith("/MatMul")) {
            aliases.putIfAbsent(checkpoint(name, "/MatMul"), new Alias(matrix, true));
        } else if (op.equals("MatMulInteger") && name.endsWith("/MatMul_quant") && matrix.endsWith(QUANTIZED)) {
            String weight = checkpoint(name, "/MatMul_quant");
            String base = matrix.substring(0, matrix.length() - QUANTIZED.length());
            aliases.putIfAbsent(weight, new Alias(matrix, true));
            aliases.putIfAbsent(weight + "_scale", new Alias(base + "_scale", false));
            aliases.putIfAbsent(weight + "_zero_point", new Alias(base + "_zero_point", false));
        }
    }

    private static String checkpoint(String node, String ending) {
        return node.substring(1, node.length() - ending.length()).replace('/', '.') + ".weight";
    }

    @Override
    public synchronized Optional<Tensor> find(String name) {
        Alias alias = tensors.has(name) ? new Alias(name, false) : aliases.get(name);
        if (alias == null || !tensors.has(alias.initializer)) {
            return Optional.empty();
        }
        return Optional.of(made.computeIfAbsent(name, n -> {
            try {
                Stored stored = tensors.find(alias.initializer);
                return alias.transposed ? stored.transposed(arena) : stored.tensor(arena);
            } catch (IOException e) {
                throw new RunException(description + ": " + e.getMessage(), e);
            }
        }));
    }

    @Override
    public Collection<String> names() {
        List<String> names = new ArrayList<>(tensors.names());
        names.addAll(aliases.keySet());
        return names;
    }

    @Override
    public String describe() {
        return description;
    }
}
