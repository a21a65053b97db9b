package tfx.compiler.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tfx.runtime.DType;
import tfx.runtime.Tensor;

/// NumPy's format for one array: a magic number, a version, a header that is a Python dictionary, then the data.
public final class NpyFile {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAX_HEADER = 1 << 16;
    private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([<>|=])([a-z])([0-9]{1,2})'");
    private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9, ]{0,400})\\)");

    private NpyFile() {}

    /// Reads a file; a row-major array stays in place, a column-major one is copied.
    ///
    /// @param arena owns the mapping and the tensor
    /// @throws tfx.runtime.RunException if the file cannot be read or does not hold
    public static Tensor read(Path path, Arena arena) {
        try {
            return parse("the array", Mapped.file(path, arena), arena);
        } catch (IOException e) {
            throw Mapped.failure(path, e);
        }
    }

    /// The most bytes before the data.
    static final int PREFIX = MAX_HEADER + 12;

    /// The bytes that a file has by its own header, of which `prefix` is the beginning.
    static long length(String what, MemorySegment prefix) throws IOException {
        int version = prefix.byteSize() < 12 ? 0 : prefix.get(ValueLayout.JAVA_BYTE, 6);
        long length = version == 1
                ? prefix.get(ValueLayout.JAVA_SHORT_UNALIGNED, 8) & 0xffff
                : version == 0 ? 0 : prefix.get(ValueLayout.JAVA_INT_UNALIGNED, 8) & 0xffffffffL;
        long start = version == 1 ? 10 : 12;
        MemorySegment bytes = Stored.slice("the header of " + what, prefix, Math.min(start, prefix.byteSize()), length);
        String header = new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        return Math.addExact(start + length, Stored.size(what, dtype(what, header), shape(what, header)));
    }

    static Tensor parse(String what, MemorySegment file, Arena arena) throws IOException {
        if (file.byteSize() < 12 || !Arrays.equals(file.asSlice(0, 6).toArray(ValueLayout.JAVA_BYTE), MAGIC)) {
            throw new IOException(what + " is not in NumPy's npy format");
        }
        int version = file.get(ValueLayout.JAVA_BYTE, 6);
        long length = version == 1
                ? file.get(ValueLayout.JAVA_SHORT_UNALIGNED, 8) & 0xffff
                : file.get(ValueLayout.JAVA_INT_UNALIGNED, 8) & 0xffffffffL;
        long start = version == 1 ? 10 : 12;
        if (version < 1 || version > 3 || length > MAX_HEADER) {
            throw new IOException(what + " has version " + version + " and a header of " + length + " bytes");
        }
        MemorySegment bytes = Stored.slice("the header of " + what, file, start, length);
        String header = new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        DType dtype = dtype(what, header);
        long[] shape = shape(what, header);
        MemorySegment data = file.asSlice(start + length);
        if (find(what, ORDER, header).group(1).equals("False")) {
            return Stored.of(what, dtype, shape, data).tensor(arena);
        }
        long[] turned = new long[shape.length];
        for (int i = 0; i < turned.length; i++) {
            turned[i] = shape[shape.length - 1 - i];
        }
        return Stored.of(what, dtype, turned, data).transposed(arena);
    }

    private static Matcher find(String what, Pattern pattern, String header) throws IOException {
        Matcher matcher = pattern.matcher(header);
        if (!matcher.find()) {
            throw new IOException(
                    "the header of " + what + " lacks " + pattern.pattern().substring(1, 6) + "...");
        }
        return matcher;
    }

    private static DType dtype(String what, String header) throws IOException {
        Matcher descr = find(what, DESCR, header);
        String type = descr.group(2) + descr.group(3);
        if (descr.group(1).equals(">") && !type.endsWith("1")) {
            throw new IOException(what + " is big-endian; write it with x.astype('<" + type + "')");
        }
        return switch (type) {
            case "f8" -> DType.F64;
            case "f4" -> DType.F32;
            case "f2" -> DType.F16;
            case "i8" -> DType.I64;
            case "i4" -> DType.I32;
            case "i1" -> DType.I8;
            case "u1" -> DType.U8;
            case "b1" -> DType.BOOL;
            default -> throw new IOException(what + " has element type " + type + ", which tfx does not have");
        };
    }

    private static long[] shape(String what, String header) throws IOException {
        String list = find(what, SHAPE, header).group(1).replace(" ", "");
        try {
            return Arrays.stream(list.split(","))
                    .filter(s -> !s.isEmpty())
                    .mapToLong(Long::parseLong)
                    .toArray();
        } catch (NumberFormatException e) {
            throw new IOException(what + " has the impossible shape (" + list + ")", e);
        }
    }
}
