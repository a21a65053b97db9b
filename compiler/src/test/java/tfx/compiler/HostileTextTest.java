package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import tfx.ir.Target;
import tfx.ir.graph.GraphText;
import tfx.ir.kernel.KernelText;
import tfx.ir.kernel.ProgramText;
import tfx.ir.text.ParseException;
import tfx.passes.Schedule;
import tfx.testkit.GraphGen;

/// Mutated text of every form ends in its own error: a diagnostic for source, a `ParseException` for IR.
final class HostileTextTest {
    private static final int MUTATIONS = 4000;
    private static final String PIECES = "%(){}[]:=,.\"#+-*/ \n0123456789abcxyzNS@<>^&é\u0000";

    private static final String SOURCE = """
            import nn;
            record Pair(n: int) { a, b: f32[n, n]; }
            def twice(x, n = 2) { for i in range(n) { x = x + x; } return x; }
            model M(d: int = 4) {
              weights "w.safetensors" { p: Pair(d)[2] from "layer.{i}"; }
              program go(x: f32[B, S*, d], y: f32[B, d]) -> (z) {
                near = select(positions(S), positions(S), <=) and causal(S);
                h = softmax(x @ p[0].a @ transpose(x), where = near) @ x;
                z = mean(h, axis = 1) + y * (1.5 if d == 4 else 2 ^ 3) - max(y, 0.0);
              }
            }
            """;

    private static String mutate(String text, Random random) {
        StringBuilder out = new StringBuilder(text);
        for (int n = 1 + random.nextInt(5); n > 0 && !out.isEmpty(); n--) {
            int at = random.nextInt(out.length());
            switch (random.nextInt(4)) {
                case 0 -> out.deleteCharAt(at);
                case 1 -> out.insert(at, PIECES.charAt(random.nextInt(PIECES.length())));
                case 2 -> out.setCharAt(at, PIECES.charAt(random.nextInt(PIECES.length())));
                default -> {
                    int end = Math.min(out.length(), at + 1 + random.nextInt(12));
                    out.insert(random.nextInt(out.length()), out.substring(at, end));
                }
            }
        }
        return out.toString();
    }

    @Test
    void sourceGivesDiagnosticsOrPrograms() {
        Random random = new Random(17);
        assertThat(Compiler.check("s.tfx", SOURCE.getBytes(StandardCharsets.UTF_8))
                        .diagnostics())
                .isEmpty();
        int refused = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            String text = mutate(SOURCE, random);
            refused += Compiler.check("s.tfx", text.getBytes(StandardCharsets.UTF_8))
                            .diagnostics()
                            .isEmpty()
                    ? 0
                    : 1;
        }
        assertThat(refused).isGreaterThan(MUTATIONS / 2);
    }

    @Test
    void irTextGivesParseErrorsOrValues() {
        Random random = new Random(19);
        for (int i = 0; i < MUTATIONS; i++) {
            GraphGen.Generated program = GraphGen.generate(i % 40, 6);
            Pipeline.Phases phases = Pipeline.run(program.graph(), new Pipeline.Options(Target.cpu(8), true));
            parse(mutate(phases.fused().toString(), random), GraphText::parse);
            parse(mutate(phases.kernels().toString(), random), ProgramText::parse);
            parse(mutate(phases.schedule().toString(), random), Schedule::parse);
        }
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
