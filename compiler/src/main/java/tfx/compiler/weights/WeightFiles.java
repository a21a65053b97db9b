package tfx.compiler.weights;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import tfx.runtime.RunException;
import tfx.runtime.WeightSource;

/// Opens weight files by their ending.
public final class WeightFiles {
    private WeightFiles() {}

    /// @throws RunException if the format is not known or the file does not hold
    public static WeightSource open(Path path, Arena arena) {
        String name = path.toString();
        if (name.endsWith(".onnx")) {
            return OnnxWeights.open(path, arena);
        }
        if (name.endsWith(".safetensors")) {
            return SafetensorsWeights.open(path, arena);
        }
        if (name.endsWith(".safetensors.index.json")) {
            return SafetensorsWeights.openIndex(path, arena);
        }
        if (name.endsWith(".npz")) {
            return NpzWeights.open(path, arena);
        }
        throw new RunException(path + ": weight files end in .onnx, .safetensors, .safetensors.index.json or .npz");
    }
}
