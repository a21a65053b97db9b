package tfx.compiler.weights;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// The tensors of an ONNX file in each encoding that the format has: raw bytes, typed fields (floats and doubles
/// as they are, integers as varints), and bytes of another file beside it.
final class OnnxTensors {
    private static final int DIMS = 1;
    private static final int TYPE = 2;
    private static final int FLOATS = 4;
    private static final int INT32S = 5;
    private static final int INT64S = 7;
    private static final int NAME = 8;
    private static final int RAW = 9;
    private static final int DOUBLES = 10;
    private static final int EXTERNAL = 13;
    private static final int LOCATION = 14;
    private static final int MAX_RANK = 16;

    /// A tensor's header, and where its data are.
    private record Entry(
            String what, int type, long[] shape, Map<Integer, ProtoSlice> fields, Map<String, String> external) {}

    private final MemorySegment file;
    private final Path folder;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<Path, MemorySegment> others = new HashMap<>();

    OnnxTensors(MemorySegment file, Path folder, Arena arena) {
        this.file = file;
        this.folder = folder;
        this.arena = arena;
    }

    boolean has(String name) {
        return entries.containsKey(name);
    }

    Collection<String> names() {
        return entries.keySet();
    }

    /// The number of dimensions, -1 if there is no such tensor.
    int rank(String name) {
        Entry entry = entries.get(name);
        return entry == null ? -1 : entry.shape.length;
    }

    /// Reads a tensor's header.
    void add(ProtoSlice slice) throws IOException {
        CodedInputStream in = slice.reader();
        List<Long> dims = new ArrayList<>();
        Map<Integer, ProtoSlice> fields = new HashMap<>();
        Map<String, String> external = new HashMap<>();
        String name = "";
        int type = 0;
        boolean elsewhere = false;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            boolean delimited = ProtoSlice.delimited(tag);
            int field = WireFormat.getTagFieldNumber(tag);
            if (field == DIMS) {
                dims(in, delimited, dims);
            } else if (field == TYPE && !delimited) {
                type = in.readInt32();
            } else if (field == NAME && delimited) {
                name = in.readString();
            } else if (field == LOCATION && !delimited) {
                elsewhere = in.readInt32() != 0;
            } else if (field == EXTERNAL && delimited) {
                pair(slice.next(in), external);
            } else if (delimited
                    && List.of(FLOATS, INT32S, INT64S, RAW, DOUBLES).contains(field)) {
                if (fields.put(field, slice.next(in)) != null) {
                    throw new IOException("initializer " + name + " has its data in two pieces");
                }
            } else {
                in.skipField(tag);
            }
        }
        String what = "initializer " + name;
        long[] shape = dims.stream().mapToLong(d -> d).toArray();
        if (elsewhere && external.isEmpty()) {
            throw new IOException(what + " lies in another file that is not named");
        }
        Entry entry = new Entry(what, type, shape, fields, elsewhere ? external : Map.of());
        Optional<DType> dtype = dtype(type);
        if (dtype.isPresent()) {
            Stored.size(what, dtype.get(), shape);
        }
        if (entries.put(name, entry) != null) {
            throw new IOException("two initializers are named " + name);
        }
    }

    private static void dims(CodedInputStream in, boolean packed, List<Long> dims) throws IOException {
        if (packed) {
            int limit = in.pushLimit(in.readRawVarint32());
            while (in.getBytesUntilLimit() > 0 && dims.size() <= MAX_RANK) {
                dims.add(in.readInt64());
            }
            in.skipRawBytes(in.getBytesUntilLimit());
            in.popLimit(limit);
        } else {
            dims.add(in.readInt64());
        }
        if (dims.size() > MAX_RANK) {
            throw new IOException("an initializer has more than " + MAX_RANK + " dimensions");
        }
    }

    private static void pair(ProtoSlice slice, Map<String, String> into) throws IOException {
        CodedInputStream in = slice.reader();
        String key = "";
        String value = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int field = ProtoSlice.delimited(tag) ? WireFormat.getTagFieldNumber(tag) : 0;
            if (field == 1) {
                key = in.readString();
            } else if (field == 2) {
                value = in.readString();
            } else {
                in.skipField(tag);
            }
        }
        into.put(key, value);
    }

    private static Optional<DType> dtype(int type) {
        return switch (type) {
            case 1 -> Optional.of(DType.F32);
            case 2 -> Optional.of(DType.U8);
            case 3 -> Optional.of(DType.I8);
            case 6 -> Optional.of(DType.I32);
            case 7 -> Optional.of(DType.I64);
            case 9 -> Optional.of(DType.BOOL);
            case 10 -> Optional.of(DType.F16);
            case 11 -> Optional.of(DType.F64);
            case 16 -> Optional.of(DType.BF16);
            default -> Optional.empty();
        };
    }

    /// The tensor's data.
    ///
    /// @throws IOException if they do not fill the shape, or lie where they may not
    Stored find(String name) throws IOException {
        Entry entry = entries.get(name);
        DType dtype = dtype(entry.type)
                .orElseThrow(() -> new IOException(
                        entry.what + " has element type " + entry.type + " of ONNX, which tfx does not have"));
        if (!entry.external.isEmpty()) {
            return Stored.of(entry.what, dtype, entry.shape, external(entry));
        }
        if (entry.fields.size() > 1) {
            throw new IOException(entry.what + " has its data in two encodings");
        }
        if (entry.fields.isEmpty()) {
            return Stored.of(entry.what, dtype, entry.shape, file.asSlice(0, 0));
        }
        int field = entry.fields.keySet().iterator().next();
        ProtoSlice data = entry.fields.get(field);
        boolean plain = field == RAW || field == FLOATS && dtype == DType.F32 || field == DOUBLES && dtype == DType.F64;
        if (plain) {
            return Stored.of(entry.what, dtype, entry.shape, data.bytes());
        }
        boolean fits = field == INT64S && dtype == DType.I64
                || field == INT32S && dtype != DType.I64 && dtype != DType.F32 && dtype != DType.F64;
        if (!fits) {
            throw new IOException(entry.what + " of " + dtype + " has its data in field " + field);
        }
        return Stored.of(entry.what, dtype, entry.shape, varints(entry, dtype, data));
    }

    /// Integers of any width, one varint each; 16-bit floats as their bits.
    private MemorySegment varints(Entry entry, DType dtype, ProtoSlice data) throws IOException {
        long bytes = Stored.size(entry.what, dtype, entry.shape);
        long count = bytes / dtype.bytes();
        if (count > data.length()) {
            throw new IOException(entry.what + " needs " + count + " numbers in " + data.length() + " bytes");
        }
        MemorySegment decoded =
                arena.allocate(Math.max(bytes, 1), Tensor.ALIGNMENT).asSlice(0, bytes);
        CodedInputStream in = data.reader();
        for (long i = 0; i < count; i++) {
            if (in.isAtEnd()) {
                throw new IOException(entry.what + " needs " + count + " numbers and has " + i);
            }
            long value = in.readInt64();
            switch (dtype.bytes()) {
                case 1 -> decoded.set(ValueLayout.JAVA_BYTE, i, (byte) value);
                case 2 -> decoded.set(ValueLayout.JAVA_SHORT_UNALIGNED, i * 2, (short) value);
                case 4 -> decoded.set(ValueLayout.JAVA_INT_UNALIGNED, i * 4, (int) value);
                default -> decoded.set(ValueLayout.JAVA_LONG_UNALIGNED, i * 8, value);
            }
        }
        if (!in.isAtEnd()) {
            throw new IOException(entry.what + " needs " + count + " numbers and has more");
        }
        return decoded;
    }

    private MemorySegment external(Entry entry) throws IOException {
        String location = entry.external.getOrDefault("location", "");
        Path path = Mapped.inside(folder, location);
        MemorySegment other = others.get(path);
        if (other == null) {
            other = Mapped.file(path, arena);
            others.put(path, other);
        }
        long offset = number(entry, "offset", 0);
        return Stored.slice(entry.what, other, offset, number(entry, "length", other.byteSize() - offset));
    }

    private static long number(Entry entry, String key, long otherwise) throws IOException {
        String text = entry.external.get(key);
        try {
            return text == null ? otherwise : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IOException(entry.what + " has the " + key + " '" + text + "' in another file", e);
        }
    }
}
