package tfx.compiler;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tfx.frontend.Frontend;
import tfx.frontend.Parsing;

/// Modules of the stdlib, and files beside the file that imports them.
final class SourceModules implements Frontend.Modules {
    @Override
    public Optional<Found> library(String name) throws IOException {
        for (String ending : name.contains(".") ? List.of("") : List.of(".tfx", ".rasp")) {
            try (InputStream in = SourceModules.class.getResourceAsStream("/tfx/stdlib/" + name + ending)) {
                if (in != null) {
                    return Optional.of(new Found("stdlib/" + name + ending, in.readAllBytes(), true));
                }
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<Found> file(String from, String path) throws IOException {
        Path base = Path.of(from).getParent();
        Path target = (base == null ? Path.of(path) : base.resolve(path)).normalize();
        return Files.isRegularFile(target)
                ? Optional.of(new Found(target.toString(), read(target), false))
                : Optional.empty();
    }

    /// The bytes of a source file, cut just past the size at which the front end refuses it.
    static byte[] read(Path path) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(Parsing.MAX_BYTES + 1);
        }
    }
}
