package tfx.compiler.weights;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import tfx.runtime.RunException;

/// Files in memory, and files that files name.
final class Mapped {
    private Mapped() {}

    /// A regular file, mapped read-only.
    static MemorySegment file(Path path, Arena arena) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException("this is no regular file");
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    /// A file that another names, which must lie in its folder or below, links followed.
    static Path inside(Path folder, String name) throws IOException {
        Path target;
        try {
            target = folder.resolve(name).normalize();
        } catch (InvalidPathException e) {
            throw new IOException("'" + name + "' is no path", e);
        }
        if (name.isEmpty() || Path.of(name).isAbsolute() || !target.startsWith(folder.normalize())) {
            throw new IOException("'" + name + "' leaves the folder of the file that names it");
        }
        if (!Files.isRegularFile(target)) {
            throw new IOException("there is no file '" + name + "' beside the file that names it");
        }
        if (!target.toRealPath().startsWith(folder.toRealPath())) {
            throw new IOException("'" + name + "' is a link that leaves the folder of the file that names it");
        }
        return target;
    }

    static Path folder(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? file.toAbsolutePath() : parent;
    }

    /// What a failure means for the user.
    static RunException failure(Path path, IOException e) {
        String reason = e instanceof NoSuchFileException
                ? "there is no such file"
                : e instanceof AccessDeniedException
                        ? "it may not be read"
                        : e instanceof EOFException || e.getMessage() == null ? "it ends too early" : e.getMessage();
        return new RunException(path + ": " + reason, e);
    }
}
