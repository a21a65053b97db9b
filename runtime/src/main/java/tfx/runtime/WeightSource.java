package tfx.runtime;

import java.util.Collection;
import java.util.Optional;

/// Named weights, of a file or made in memory.
///
/// Names and orientation are the checkpoint's: a source that finds a matrix stored transposed (ONNX exports do)
/// hands it out in the orientation that the checkpoint's own convention gives that name.
public interface WeightSource {
    /// The tensor with this name.
    Optional<Tensor> find(String name);

    /// All names, in the order of the file.
    Collection<String> names();

    /// What a message calls this source, usually a path.
    String describe();
}
