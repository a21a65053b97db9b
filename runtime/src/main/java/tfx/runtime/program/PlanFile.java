package tfx.runtime.program;

import java.io.DataInput;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import tfx.runtime.DType;
import tfx.runtime.Dim;
import tfx.runtime.RunException;
import tfx.runtime.TensorType;

/// A compiled program without its classes, as a packaged jar holds it.
///
/// @param kernels by their position in the execution
/// @param weights what the execution reads as weights, by its names: weights, or their panels
public record PlanFile(
        Signature signature, Execution execution, List<KernelClass> kernels, List<StoredWeight> weights) {
    /// The version of the contract between packaged programs and the runtime. A runtime reads its own alone:
    /// kernels call into it.
    public static final int ABI = 4;

    private static final int MAGIC = 0x7466780a;

    /// The class of a kernel, and what running it takes; see {@link HostMachine.Loaded}.
    public record KernelClass(String className, String name, List<String> sizes, List<Dim> axes, Needs needs) {}

    /// A weight, the number of the resource that holds its bytes, and where that entry's header was in the jar.
    public record StoredWeight(String name, DType dtype, long[] shape, int resource, long header) {}

    // ---- writing ----

    public void write(OutputStream stream) throws IOException {
        DataOutputStream out = new DataOutputStream(stream);
        out.writeInt(MAGIC);
        out.writeInt(ABI);
        list(out, kernels, k -> {
            out.writeUTF(k.className);
            out.writeUTF(k.name);
            list(out, k.sizes, out::writeUTF);
            list(out, k.axes, d -> dim(out, d));
            out.writeInt(k.needs.floats());
            out.writeInt(k.needs.doubles());
            out.writeInt(k.needs.longs());
            out.writeInt(k.needs.ranges());
        });
        out.writeUTF(signature.program());
        list(out, signature.parameters(), p -> {
            out.writeUTF(p.name());
            type(out, p.stored());
            out.writeUTF(p.written());
            out.writeBoolean(p.tokens());
            optional(out, p.offsets(), out::writeUTF);
        });
        list(out, signature.results(), r -> {
            out.writeUTF(r.name());
            type(out, r.stored());
            optional(out, r.offsets(), out::writeUTF);
        });
        execution(out);
        list(out, weights, w -> {
            out.writeUTF(w.name);
            out.writeUTF(w.dtype.toString());
            out.writeInt(w.shape.length);
            for (long size : w.shape) {
                out.writeLong(size);
            }
            out.writeInt(w.resource);
            out.writeLong(w.header);
        });
        out.flush();
    }

    private interface Part<T> {
        void write(T value) throws IOException;
    }

    private static <T> void list(DataOutputStream out, List<T> items, Part<T> part) throws IOException {
        out.writeInt(items.size());
        for (T item : items) {
            part.write(item);
        }
    }

    private static <T> void optional(DataOutputStream out, Optional<T> value, Part<T> part) throws IOException {
        out.writeBoolean(value.isPresent());
        if (value.isPresent()) {
            part.write(value.get());
        }
    }

    private static void type(DataOutputStream out, TensorType type) throws IOException {
        out.writeUTF(type.dtype().toString());
        list(out, type.shape(), d -> dim(out, d));
    }

    private static void dim(DataOutputStream out, Dim dim) throws IOException {
        list(out, dim.terms(), t -> {
            out.writeLong(t.coefficient());
            list(out, t.atoms(), a -> {
                switch (a) {
                    case Dim.Symbol s -> {
                        out.writeByte(0);
                        out.writeUTF(s.name());
                    }
                    case Dim.Quotient q -> {
                        out.writeByte(1);
                        dim(out, q.dividend());
                        dim(out, q.divisor());
                    }
                    case Dim.Remainder r -> {
                        out.writeByte(2);
                        dim(out, r.dividend());
                        dim(out, r.divisor());
                    }
                }
            });
        });
    }

    private void execution(DataOutputStream out) throws IOException {
        out.writeUTF(execution.name());
        list(out, execution.values(), v -> {
            out.writeUTF(v.name());
            out.writeUTF(v.role().name());
            out.writeUTF(v.source());
            type(out, v.type());
            out.writeInt(v.panels());
        });
        list(out, execution.once(), s -> step(out, s));
        list(out, execution.steps(), s -> step(out, s));
        list(out, execution.guards(), g -> {
            dim(out, g.count());
            dim(out, g.first());
            dim(out, g.last());
            dim(out, g.size());
            out.writeUTF(g.what());
        });
        list(out, execution.outputs(), o -> {
            out.writeUTF(o.name());
            out.writeUTF(o.value());
        });
    }

    private static void step(DataOutputStream out, Execution.Step step) throws IOException {
        switch (step) {
            case Execution.Launch l -> {
                out.writeByte(0);
                out.writeInt(l.kernel());
                list(out, l.arguments(), out::writeUTF);
                out.writeUTF(l.where());
            }
            case Execution.Repeat r -> {
                out.writeByte(1);
                optional(out, r.trips(), d -> dim(out, d));
                out.writeUTF(r.counter());
                list(out, r.carried(), c -> {
                    out.writeUTF(c.initial());
                    out.writeUTF(c.state());
                    out.writeUTF(c.next());
                });
                list(out, r.test(), s -> step(out, s));
                optional(out, r.go(), out::writeUTF);
                list(out, r.body(), s -> step(out, s));
                list(out, r.stacked(), s -> {
                    out.writeUTF(s.each());
                    out.writeUTF(s.all());
                });
            }
            case Execution.Either e -> {
                out.writeByte(2);
                dim(out, e.size());
                out.writeLong(e.most());
                list(out, e.small(), s -> step(out, s));
                list(out, e.other(), s -> step(out, s));
            }
        }
    }

    // ---- reading ----

    /// @param use is given the kernels before the rest is read, so that their code warms up meanwhile
    /// @throws RunException if the plan was made for another version of the runtime
    public static PlanFile read(String name, InputStream stream, Consumer<List<KernelClass>> use) throws IOException {
        DataInputStream in = new DataInputStream(stream);
        int magic = in.readInt();
        int abi = in.readInt();
        if (magic != MAGIC || abi != ABI) {
            throw new RunException(name + " was compiled for version " + abi + " of tfx-runtime, this is version " + ABI
                    + "; compile it again, or use the tfx-runtime it was compiled with");
        }
        List<KernelClass> kernels = list(
                in,
                () -> new KernelClass(
                        in.readUTF(),
                        in.readUTF(),
                        list(in, in::readUTF),
                        list(in, () -> dim(in)),
                        new Needs(in.readInt(), in.readInt(), in.readInt(), in.readInt())));
        use.accept(kernels);
        String program = in.readUTF();
        List<Signature.Parameter> parameters = list(
                in,
                () -> new Signature.Parameter(
                        in.readUTF(), type(in), in.readUTF(), in.readBoolean(), optional(in, in::readUTF)));
        List<Signature.Result> results =
                list(in, () -> new Signature.Result(in.readUTF(), type(in), optional(in, in::readUTF)));
        Execution execution = execution(in);
        List<StoredWeight> weights = list(in, () -> {
            String weight = in.readUTF();
            DType dtype = DType.parse(in.readUTF()).orElseThrow();
            long[] shape = new long[in.readInt()];
            for (int i = 0; i < shape.length; i++) {
                shape[i] = in.readLong();
            }
            return new StoredWeight(weight, dtype, shape, in.readInt(), in.readLong());
        });
        return new PlanFile(new Signature(program, parameters, results), execution, kernels, weights);
    }

    private interface Reader<T> {
        T read() throws IOException;
    }

    private static <T> List<T> list(DataInput in, Reader<T> reader) throws IOException {
        int count = in.readInt();
        List<T> items = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            items.add(reader.read());
        }
        return items;
    }

    private static <T> Optional<T> optional(DataInput in, Reader<T> reader) throws IOException {
        return in.readBoolean() ? Optional.of(reader.read()) : Optional.empty();
    }

    private static TensorType type(DataInput in) throws IOException {
        return new TensorType(DType.parse(in.readUTF()).orElseThrow(), list(in, () -> dim(in)));
    }

    private static Dim dim(DataInput in) throws IOException {
        Dim sum = Dim.ZERO;
        for (int terms = in.readInt(); terms > 0; terms--) {
            Dim product = Dim.of(in.readLong());
            for (int atoms = in.readInt(); atoms > 0; atoms--) {
                product = product.times(
                        switch (in.readByte()) {
                            case 0 -> Dim.symbol(in.readUTF());
                            case 1 -> dim(in).floorDivide(dim(in), s -> Optional.empty());
                            default -> dim(in).remainder(dim(in), s -> Optional.empty());
                        });
            }
            sum = sum.plus(product);
        }
        return sum;
    }

    private static Execution execution(DataInput in) throws IOException {
        return new Execution(
                in.readUTF(),
                list(
                        in,
                        () -> new Execution.Value(
                                in.readUTF(),
                                Execution.Role.valueOf(in.readUTF()),
                                in.readUTF(),
                                type(in),
                                in.readInt())),
                list(in, () -> step(in)),
                list(in, () -> step(in)),
                list(in, () -> new Guard(dim(in), dim(in), dim(in), dim(in), in.readUTF())),
                list(in, () -> new Execution.Output(in.readUTF(), in.readUTF())));
    }

    private static Execution.Step step(DataInput in) throws IOException {
        return switch (in.readByte()) {
            case 0 -> new Execution.Launch(in.readInt(), list(in, in::readUTF), in.readUTF());
            case 1 ->
                new Execution.Repeat(
                        optional(in, () -> dim(in)),
                        in.readUTF(),
                        list(in, () -> new Execution.Carry(in.readUTF(), in.readUTF(), in.readUTF())),
                        list(in, () -> step(in)),
                        optional(in, in::readUTF),
                        list(in, () -> step(in)),
                        list(in, () -> new Execution.Stack(in.readUTF(), in.readUTF())));
            default -> new Execution.Either(dim(in), in.readLong(), list(in, () -> step(in)), list(in, () -> step(in)));
        };
    }
}
