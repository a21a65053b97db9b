package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import tfx.ir.graph.GraphText;
import tfx.ir.kernel.KernelText;
import tfx.ir.kernel.ProgramText;
import tfx.ir.text.ParseException;

/// Texts that once were, or could be, too much for a parser end in a `ParseException`. Mutated ones are in {@link
/// Fuzz}.
final class HostileTextTest {
    @Test
    void irTextGivesParseErrorsOrValues() {
        for (String text : List.of("", "graph", "(".repeat(100_000), "program \"p\" {", "size N ".repeat(50_000))) {
            parse(text, GraphText::parse);
            parse(text, ProgramText::parse);
            parse("kernel \"k\" { let a[] : f32 = " + text, KernelText::parse);
        }
    }

    private static void parse(String text, Consumer<String> parser) {
        try {
            parser.accept(text);
        } catch (ParseException e) {
            assertThat(e.getMessage()).startsWith("line ");
        }
    }
}
