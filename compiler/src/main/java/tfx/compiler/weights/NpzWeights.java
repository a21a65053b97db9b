package tfx.compiler.weights;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.WeightSource;

/// NumPy's format for several arrays: a zip archive of npy files. An array is inflated when it is asked for.
public final class NpzWeights implements WeightSource {
    private static final int MAX_ENTRIES = 1 << 20;
    private static final int CHUNK = 1 << 20;

    /// Deflate makes at most 1032 bytes of one.
    private static final long MAX_RATIO = 1032;

    private final Path path;
    private final Arena arena;
    private final Map<String, String> entries = new LinkedHashMap<>();

    private NpzWeights(Path path, Arena arena) {
        this.path = path;
        this.arena = arena;
    }

    /// @param arena owns the tensors handed out
    /// @throws RunException if the file cannot be read or is no archive
    public static NpzWeights open(Path path, Arena arena) {
        NpzWeights weights = new NpzWeights(path, arena);
        try (ZipFile zip = weights.zip()) {
            if (zip.size() > MAX_ENTRIES) {
                throw new IOException("it has " + zip.size() + " entries, at most " + MAX_ENTRIES + " are read");
            }
            zip.stream()
                    .map(ZipEntry::getName)
                    .filter(n -> n.endsWith(".npy"))
                    .forEach(n -> weights.entries.put(n.substring(0, n.length() - ".npy".length()), n));
            return weights;
        } catch (IOException | IllegalArgumentException e) {
            throw Mapped.failure(path, e instanceof IOException io ? io : new IOException(e.getMessage(), e));
        }
    }

    private ZipFile zip() throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException("this is no regular file");
        }
        return new ZipFile(path.toFile());
    }

    @Override
    public Optional<Tensor> find(String name) {
        String entry = entries.get(name);
        if (entry == null) {
            return Optional.empty();
        }
        try (ZipFile zip = zip();
                InputStream in = zip.getInputStream(zip.getEntry(entry))) {
            String what = "array " + name;
            return Optional.of(NpyFile.parse(what, inflated(what, zip.getEntry(entry), in), arena));
        } catch (IOException | IllegalArgumentException e) {
            throw Mapped.failure(path, e instanceof IOException io ? io : new IOException(e.getMessage(), e));
        }
    }

    /// As many bytes as the array's header and the archive agree on: an archive may inflate to anything.
    private MemorySegment inflated(String what, ZipEntry entry, InputStream in) throws IOException {
        byte[] prefix = in.readNBytes(NpyFile.PREFIX);
        long length = NpyFile.length(what, MemorySegment.ofArray(prefix));
        if (length != entry.getSize()) {
            throw new IOException(
                    what + " has " + length + " bytes by its header and " + entry.getSize() + " by the archive");
        }
        if (length > MAX_RATIO * entry.getCompressedSize() + NpyFile.PREFIX) {
            throw new IOException(what + " claims " + length + " bytes out of " + entry.getCompressedSize());
        }
        MemorySegment data =
                arena.allocate(Math.max(length, 1), Tensor.ALIGNMENT).asSlice(0, length);
        byte[] chunk = prefix;
        for (long at = 0; at < length; ) {
            if (chunk.length == 0 || chunk.length > length - at) {
                throw new IOException(what + " does not have the " + length + " bytes of its header");
            }
            MemorySegment.copy(MemorySegment.ofArray(chunk), 0, data, at, chunk.length);
            at += chunk.length;
            chunk = in.readNBytes((int) Math.min(CHUNK, length - at));
        }
        return data;
    }

    @Override
    public Collection<String> names() {
        return entries.keySet();
    }

    @Override
    public String describe() {
        return path.toString();
    }
}
