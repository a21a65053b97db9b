package tfx.opencl.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Compiled programs on disk, by device, driver and source. A file is a checksum and the binary; one that does not
/// agree with itself is deleted and as good as absent. Nothing here ever fails a run.
///
/// @param folder where the files lie; empty for no cache
record BinaryCache(Optional<Path> folder) {
    private static final int MOST_FILES = 256;
    private static final int CHECKSUM = 32;

    /// The user's cache: `tfx.opencl.cache`, where that is set a folder or empty for none, else the customary
    /// place.
    static BinaryCache user() {
        String set = System.getProperty("tfx.opencl.cache");
        if (set != null) {
            return new BinaryCache(set.isEmpty() ? Optional.empty() : Optional.of(Path.of(set)));
        }
        String caches = System.getenv("XDG_CACHE_HOME");
        Path base = caches == null || caches.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(caches);
        return new BinaryCache(Optional.of(base.resolve("tfx").resolve("opencl")));
    }

    private static byte[] digest(byte[] of) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(of);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /// The name of a program's file.
    static String key(String identity, String source) {
        return HexFormat.of().formatHex(digest((identity + "\0" + source).getBytes(StandardCharsets.UTF_8)));
    }

    Optional<byte[]> find(String key) {
        if (folder.isEmpty()) {
            return Optional.empty();
        }
        Path file = folder.get().resolve(key);
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            byte[] all = Files.readAllBytes(file);
            byte[] binary = Arrays.copyOfRange(all, Math.min(CHECKSUM, all.length), all.length);
            if (all.length > CHECKSUM && Arrays.equals(digest(binary), Arrays.copyOf(all, CHECKSUM))) {
                return Optional.of(binary);
            }
            drop(key);
        } catch (IOException e) {
            // As good as absent.
        }
        return Optional.empty();
    }

    void drop(String key) {
        try {
            if (folder.isPresent()) {
                Files.deleteIfExists(folder.get().resolve(key));
            }
        } catch (IOException e) {
            // It will be overwritten.
        }
    }

    void keep(String key, byte[] binary) {
        if (folder.isEmpty()) {
            return;
        }
        try {
            Files.createDirectories(folder.get());
            byte[] all = Arrays.copyOf(digest(binary), CHECKSUM + binary.length);
            System.arraycopy(binary, 0, all, CHECKSUM, binary.length);
            Path draft = Files.createTempFile(folder.get(), "draft", "");
            Files.write(draft, all);
            Files.move(draft, folder.get().resolve(key), StandardCopyOption.ATOMIC_MOVE);
            shrink();
        } catch (IOException e) {
            // The next run compiles again.
        }
    }

    /// Deletes the oldest files.
    private void shrink() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder.orElseThrow())) {
            files = all.sorted(Comparator.comparingLong((Path p) -> p.toFile().lastModified())
                            .reversed())
                    .toList();
        }
        for (Path old : files.subList(Math.min(MOST_FILES, files.size()), files.size())) {
            Files.deleteIfExists(old);
        }
    }
}
