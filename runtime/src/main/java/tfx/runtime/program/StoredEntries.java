package tfx.runtime.program;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Optional;

/// Entries that a jar holds without compression, as mapped memory: nothing is read before it is used.
final class StoredEntries {
    /// The layout of a local file header is that of the ZIP format (APPNOTE 6.3, section 4.3.7).
    private static final int HEADER = 30;

    private static final int SIGNATURE = 0x04034b50;
    private static final int METHOD_AT = 8;
    private static final int SIZE_AT = 22;
    private static final int NAME_LENGTH_AT = 26;
    private static final int EXTRA_LENGTH_AT = 28;

    private StoredEntries() {}

    /// The contents of an entry of the jar that a class came from; nothing where that is no such file, or where
    /// the file is not laid out as when it was compiled.
    ///
    /// @param header where the entry's header was when the jar was written
    /// @param bytes  its length
    static Optional<MemorySegment> map(Class<?> owner, String entry, long header, long bytes, Arena arena)
            throws IOException {
        CodeSource source = owner.getProtectionDomain().getCodeSource();
        if (source == null
                || source.getLocation() == null
                || !"file".equals(source.getLocation().getProtocol())) {
            return Optional.empty();
        }
        Path jar;
        try {
            jar = Path.of(source.getLocation().toURI());
        } catch (URISyntaxException | IllegalArgumentException e) {
            return Optional.empty(); // the class loader reads it, by a name that no path has
        }
        if (!Files.isRegularFile(jar)) {
            return Optional.empty();
        }
        byte[] name = entry.getBytes(StandardCharsets.UTF_8);
        try (FileChannel channel = FileChannel.open(jar)) {
            ByteBuffer head = ByteBuffer.allocate(HEADER + name.length).order(ByteOrder.LITTLE_ENDIAN);
            channel.read(head, header);
            boolean same = !head.hasRemaining()
                    && head.getInt(0) == SIGNATURE
                    && head.getShort(METHOD_AT) == 0
                    && Integer.toUnsignedLong(head.getInt(SIZE_AT)) == bytes
                    && head.getShort(NAME_LENGTH_AT) == name.length
                    && head.slice(HEADER, name.length).equals(ByteBuffer.wrap(name));
            long start = header + HEADER + name.length + Short.toUnsignedInt(head.getShort(EXTRA_LENGTH_AT));
            return same && start + bytes <= channel.size()
                    ? Optional.of(channel.map(FileChannel.MapMode.READ_ONLY, start, bytes, arena))
                    : Optional.empty();
        }
    }
}
