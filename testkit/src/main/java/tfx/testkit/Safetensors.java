package tfx.testkit;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tfx.ir.graph.Nd;
import tfx.runtime.Tensor;

/// Writes weight files for tests.
public final class Safetensors {
    private Safetensors() {}

    /// Writes tensors by name, in the order of their names.
    public static void write(Path path, Map<String, Nd> tensors) throws IOException {
        StringBuilder header = new StringBuilder("{");
        long at = 0;
        for (Map.Entry<String, Nd> entry : new TreeMap<>(tensors).entrySet()) {
            Nd nd = entry.getValue();
            long to = at + (long) nd.count() * nd.dtype().bytes();
            header.append(header.length() > 1 ? "," : "").append('"').append(entry.getKey());
            header.append("\":{\"dtype\":\"").append(nd.dtype().toString().toUpperCase(Locale.ROOT));
            header.append("\",\"shape\":").append(Arrays.toString(nd.shape()));
            header.append(",\"data_offsets\":[")
                    .append(at)
                    .append(',')
                    .append(to)
                    .append("]}");
            at = to;
        }
        byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(path);
                Arena arena = Arena.ofConfined()) {
            out.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(text.length)
                    .array());
            out.write(text);
            for (Nd nd : new TreeMap<>(tensors).values()) {
                Tensor tensor = nd.toTensor(arena);
                long bytes = tensor.count() * tensor.dtype().bytes();
                out.write(tensor.data().asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }
}
