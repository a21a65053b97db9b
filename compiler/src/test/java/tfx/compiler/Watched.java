package tfx.compiler;

import java.nio.file.Path;
import java.util.List;

/// The corpus on the OpenCL engines alone, in a process of its own, which {@link OclgrindTest} has watched.
final class Watched {
    private Watched() {}

    public static void main(String[] arguments) throws Exception {
        for (Path file : CorpusTest.files("good", ".tfx").toList()) {
            CorpusTest.good(file, List.of(Engines.OPENCL_VECTORS, Engines.OPENCL_GROUPS));
            System.out.println("ran " + file.getFileName());
        }
    }
}
