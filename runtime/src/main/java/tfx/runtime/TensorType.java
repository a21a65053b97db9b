package tfx.runtime;

import java.util.List;
import java.util.stream.Collectors;

/// Element type and sizes of a tensor, outermost dimension first; a scalar has no dimensions.
public record TensorType(DType dtype, List<Dim> shape) {
    public TensorType {
        shape = List.copyOf(shape);
    }

    public int rank() {
        return shape.size();
    }

    /// The number of elements.
    public Dim count() {
        return shape.stream().reduce(Dim.ONE, Dim::times);
    }

    public TensorType withDtype(DType other) {
        return new TensorType(other, shape);
    }

    @Override
    public String toString() {
        return dtype + shape.stream().map(Dim::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
