package tfx.cli;

import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tfx.frontend.Program;
import tfx.runtime.program.Signature;

/// `[ENTRY] NAME=VALUE ...` of a command line.
///
/// @param values by name, as a session takes them
/// @param single whether a batch dimension was left out
record ProgramArguments(Map<String, Object> values, boolean single) {
    /// The entry, if the first word is one; it is taken off the list.
    static Optional<String> entry(List<String> words) {
        return words.isEmpty() || words.getFirst().contains("=") ? Optional.empty() : Optional.of(words.removeFirst());
    }

    static ProgramArguments parse(Program program, List<String> words, Arena arena) {
        Map<String, Object> values = new HashMap<>();
        boolean single = false;
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals < 1) {
                throw new Main.Usage("expected NAME=VALUE, found '" + word + "'");
            }
            String name = word.substring(0, equals);
            Signature.Parameter parameter = program.parameters().stream()
                    .filter(p -> p.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> new Main.Usage("program " + program.name() + " has no argument '" + name
                            + "'; it takes "
                            + program.parameters().stream()
                                    .map(Signature.Parameter::name)
                                    .toList()));
            JsonValues.Parsed parsed = JsonValues.parse(parameter, word.substring(equals + 1), arena);
            values.put(name, parsed.value());
            single |= parsed.single();
        }
        for (Signature.Parameter parameter : program.parameters()) {
            if (!values.containsKey(parameter.name())) {
                throw new Main.Usage("argument '" + parameter.name() + "' is missing; it is " + parameter.written());
            }
        }
        return new ProgramArguments(values, single);
    }
}
