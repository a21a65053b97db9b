package tfx.opencl;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tfx.ir.kernel.Exprs;
import tfx.ir.kernel.Kernel;
import tfx.runtime.DType;
import tfx.runtime.Dim;

/// Values that go into tiles and buffers, point by point.
final class TileWriter {
    private final KernelWriter writer;
    private final Code code;
    private final Points points;

    TileWriter(KernelWriter writer) {
        this.writer = writer;
        this.code = writer.code();
        this.points = new Points(writer);
    }

    /// Sets the elements of a tile.
    ///
    /// @param order the axes to walk; it may hold axes that the tile lacks, if one work-item does all
    void let(String tile, List<String> order, Kernel.Expr value) {
        boolean row = !order.isEmpty()
                && writer.tile(tile).axes().contains(order.getLast())
                && writer.tile(tile).stride(order.getLast()) == 1;
        points.points(order, List.of(value), row, (values, vector) -> {
            if (vector) {
                String stored = values.vector(value);
                String whole = writer.dtype(value) == DType.BOOL ? stored + " & 1" : stored;
                code.line("vstore" + writer.group().width() + "(" + whole + ", 0, " + writer.name(tile) + " + "
                        + values.place(tile) + ");");
            } else {
                code.line(values.element(tile) + " = " + values.scalar(value) + ";");
            }
        });
    }

    void store(Kernel.Store store) {
        Kernel.Buffer buffer = writer.kernel().buffer(store.buffer());
        if (store.lookups().isEmpty() && store.combine().isEmpty()) {
            Dim position = writer.kernel().position(buffer, store.index());
            boolean unit = !store.axes().isEmpty()
                    && position.linearFactor(store.axes().getLast())
                            .filter(d -> d.isConstant(1))
                            .isPresent();
            points.points(store.axes(), List.of(store.value()), unit, (values, vector) -> {
                String at = values.position(buffer, store.index());
                if (vector) {
                    values.storeVector(buffer, at, values.vector(store.value()));
                } else {
                    values.store(buffer, at, values.scalar(store.value()));
                }
            });
            return;
        }
        // Where places coincide, the order counts: work-items share only axes that stand in the index themselves.
        Set<String> own = new HashSet<>();
        store.index().forEach(d -> d.symbolName().ifPresent(own::add));
        List<String> shared = store.axes().stream().filter(own::contains).toList();
        List<String> ordered =
                store.axes().stream().filter(a -> !own.contains(a)).toList();
        points.items(
                shared,
                List.of(),
                values -> points.walk(ordered, values, () -> {
                    Exprs.values(store).forEach(values::count);
                    values.begin();
                    values.lookups(store.lookups());
                    String at = values.position(buffer, store.index());
                    String value = values.scalar(store.value());
                    Runnable write = () -> values.store(buffer, at, joined(store, buffer, values, at, value));
                    Optional<String> none = store.lookups().stream()
                            .map(k -> values.dim(k.limit()) + " > 0")
                            .reduce((a, b) -> a + " && " + b);
                    none.ifPresentOrElse(guard -> code.block("if (" + guard + ")", write), write);
                }));
    }

    private static String joined(Kernel.Store store, Kernel.Buffer buffer, Values values, String at, String value) {
        return store.combine()
                .map(fn -> Functions.binary(fn, buffer.dtype(), values.loaded(buffer, at), value, 1))
                .orElse(value);
    }
}
