package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tfx.compiler.weights.WeightFiles;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;

/// Weight files are read as written, and hostile ones end in a `RunException` that names the file.
final class WeightFilesTest {
    @TempDir
    private Path folder;

    private static ByteString message(Body body) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        body.write(out);
        out.flush();
        return ByteString.copyFrom(bytes.toByteArray());
    }

    private interface Body {
        void write(CodedOutputStream out) throws IOException;
    }

    /// A model with one plain vector and one matrix under a generated name.
    private static byte[] onnx() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 6; i++) {
            data.putFloat(i);
        }
        ByteString matrix = message(out -> {
            out.writeInt64(1, 2);
            out.writeInt64(1, 3);
            out.writeInt32(2, 1);
            out.writeString(8, "onnx::MatMul_1");
            out.writeByteArray(9, data.array());
        });
        ByteString vector = message(out -> {
            out.writeInt64(1, 2);
            out.writeInt32(2, 1);
            out.writeString(8, "bias");
            out.writeByteArray(9, data.array(), 0, 8);
        });
        ByteString node = message(out -> {
            out.writeString(1, "x");
            out.writeString(1, "onnx::MatMul_1");
            out.writeString(3, "/layer.0/query/MatMul");
            out.writeString(4, "MatMul");
        });
        ByteString graph = message(out -> {
            out.writeBytes(1, node);
            out.writeBytes(5, matrix);
            out.writeBytes(5, vector);
        });
        return message(out -> out.writeBytes(7, graph)).toByteArray();
    }

    private static byte[] safetensors() {
        byte[] header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},\"__metadata__\":{\"k\":\"v\"}}"
                        .getBytes(StandardCharsets.UTF_8);
        ByteBuffer all = ByteBuffer.allocate(8 + header.length + 16).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(header.length).put(header);
        for (int i = 0; i < 4; i++) {
            all.putFloat(i + 0.5f);
        }
        return all.array();
    }

    @Test
    void onnxMatricesComeInTheCheckpointsOrientation() throws IOException {
        Path file = folder.resolve("m.onnx");
        Files.write(file, onnx());
        try (Arena arena = Arena.ofShared()) {
            WeightSource weights = WeightFiles.open(file, arena);
            assertThat(weights.find("layer.0.query.weight").orElseThrow().toFloats())
                    .containsExactly(0, 3, 1, 4, 2, 5);
            assertThat(weights.find("layer.0.query.weight").orElseThrow().shape())
                    .containsExactly(3, 2);
            assertThat(weights.find("onnx::MatMul_1").orElseThrow().shape()).containsExactly(2, 3);
            assertThat(weights.find("bias").orElseThrow().toFloats()).containsExactly(0, 1);
            assertThat(weights.find("nothing")).isEmpty();
        }
    }

    @Test
    void safetensorsAreRead() throws IOException {
        Path file = folder.resolve("m.safetensors");
        Files.write(file, safetensors());
        try (Arena arena = Arena.ofShared()) {
            assertThat(WeightFiles.open(file, arena).find("a").orElseThrow().toFloats())
                    .containsExactly(0.5f, 1.5f, 2.5f, 3.5f);
        }
    }

    /// One square weight used from both sides is packed twice, not once.
    @Test
    void tiedWeightsArePackedForEachSide() throws IOException {
        String source = """
                model Tied() {
                  weights "w.safetensors" { a: f32[2, 2]; }
                  program both(x: f32[N, 2]) -> (left, right) {
                    left = x @ a;
                    right = einsum("xz,yz->xy", x, a);
                  }
                }
                """;
        Files.write(folder.resolve("w.safetensors"), safetensors());
        var program = Compiler.check("tied.tfx", source.getBytes(StandardCharsets.UTF_8))
                .programs()
                .getFirst();
        for (Session.Backend backend : Session.Backend.values()) {
            Session.Options options = new Session.Options(backend, java.util.Optional.empty(), 1);
            try (Session session = new Session(program, folder, options, (f, l) -> {
                        throw new IOException("none");
                    });
                    Arena arena = Arena.ofShared()) {
                Tensor x = Tensor.of(arena, new float[] {1, 2}, 1, 2);
                var outputs = session.call(java.util.Map.of("x", x), arena).outputs();
                assertThat(outputs.get("left").toFloats()).containsExactly(5.5f, 8.5f);
                assertThat(outputs.get("right").toFloats()).containsExactly(3.5f, 9.5f);
            }
        }
    }

    @Test
    void missingAndForeignFilesAreNamed() {
        try (Arena arena = Arena.ofShared()) {
            assertThatThrownBy(() -> WeightFiles.open(folder.resolve("none.onnx"), arena))
                    .isInstanceOf(RunException.class)
                    .hasMessageContaining("none.onnx");
            assertThatThrownBy(() -> WeightFiles.open(folder.resolve("x.bin"), arena))
                    .isInstanceOf(RunException.class)
                    .hasMessageContaining(".safetensors");
        }
    }
}
