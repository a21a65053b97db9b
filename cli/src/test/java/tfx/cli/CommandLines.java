package tfx.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Command lines that run tfx in a process of its own, with the classes of this one.
final class CommandLines {
    private CommandLines() {}

    /// @param jvm options of the JVM beside those that every run has
    static List<String> tfx(List<String> jvm, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(jvm);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        return command;
    }
}
