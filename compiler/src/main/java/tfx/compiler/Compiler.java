package tfx.compiler;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tfx.frontend.Frontend;
import tfx.frontend.rasp.RaspConsole;

/// Checks source files.
public final class Compiler {
    private Compiler() {}

    /// Checks a file and all programs in it.
    ///
    /// @throws IOException if the file cannot be read
    public static Frontend.Checked check(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("there is no file " + file);
        }
        return check(file.normalize().toString(), SourceModules.read(file));
    }

    /// Checks source text under a name that imports and messages use.
    public static Frontend.Checked check(String name, byte[] source) {
        return Frontend.check(name, source, new SourceModules());
    }

    /// A conversation in RASP.
    ///
    /// @param out takes what is printed
    public static RaspConsole console(StringBuilder out) {
        return new RaspConsole(new SourceModules(), out);
    }
}
