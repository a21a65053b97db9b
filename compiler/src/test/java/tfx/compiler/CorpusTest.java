package tfx.compiler;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tfx.frontend.Frontend;
import tfx.frontend.Program;
import tfx.ir.Diagnostic;
import tfx.ir.graph.Evaluator;
import tfx.ir.graph.Nd;
import tfx.runtime.Tensor;
import tfx.runtime.program.Arguments;
import tfx.runtime.program.Signature;
import tfx.testkit.Close;

/// The corpus on every engine. `good/x.tfx` has `good/x.expected`, a JSON object a call; `bad/x.tfx`,
/// `bad/x.rasp` or `bad/x.raspl` says on its lines which diagnostics are due, as `# error: CODE part of the
/// message`, and there may be no others.
final class CorpusTest {
    private static final Path CORPUS = Path.of("src", "test", "resources", "corpus");
    private static final Pattern EXPECTED = Pattern.compile("# error: (TFX[0-9]{4}) (.*)");
    private static final Pattern WARNED = Pattern.compile("# warning: (TFX[0-9]{4}) (.*)");
    private static final ObjectMapper JSON = new ObjectMapper();

    static Stream<Path> files(String folder, String ending) throws IOException {
        return Files.list(CORPUS.resolve(folder))
                .filter(p -> p.toString().endsWith(ending))
                .sorted();
    }

    @TestFactory
    Stream<DynamicTest> goodProgramsGiveWhatIsExpected() throws IOException {
        return files("good", ".tfx")
                .map(file -> DynamicTest.dynamicTest(
                        file.getFileName().toString(), () -> good(file, List.of(Engines.values()))));
    }

    /// Runs a good program of the corpus on the evaluator and on engines.
    static void good(Path file, List<Engines> engines) throws IOException {
        Frontend.Checked checked = Compiler.check(file);
        assertThat(checked.diagnostics().stream().map(Diagnostic::render)).isEmpty();
        String expected = Files.readString(Path.of(file.toString().replace(".tfx", ".expected")));
        try (MappingIterator<JsonNode> calls = JSON.readerFor(JsonNode.class).readValues(expected)) {
            assertThat(calls.hasNext()).isTrue();
            while (calls.hasNext()) {
                call(checked.programs(), calls.next(), engines);
            }
        }
    }

    private static void call(List<Program> programs, JsonNode call, List<Engines> engines) {
        Program program = programs.stream()
                .filter(p -> p.name().equals(call.get("program").asText()))
                .findFirst()
                .orElseThrow();
        try (Arena arena = Arena.ofShared()) {
            Map<String, Object> arguments = new HashMap<>();
            for (Signature.Parameter parameter : program.parameters()) {
                JsonNode value = call.get("arguments").get(parameter.name());
                arguments.put(
                        parameter.name(),
                        parameter.offsets().isPresent()
                                ? rows(parameter, value, arena)
                                : tensor(parameter, value, arena));
            }
            Map<String, Nd> inputs = new HashMap<>();
            Arguments.bind(program.signature(), arguments, Optional.empty(), arena)
                    .forEach((name, tensor) -> inputs.put(name, Nd.of(tensor)));
            compare("evaluator", call, Evaluator.run(program.graph(), inputs, w -> {
                throw new IllegalArgumentException(w);
            }));
            for (Engines engine : engines) {
                compare(engine.toString(), call, engine.run(program.graph(), inputs));
            }
        }
    }

    private static List<Tensor> rows(Signature.Parameter parameter, JsonNode value, Arena arena) {
        List<Tensor> rows = new ArrayList<>();
        value.forEach(row -> rows.add(tensor(parameter, row, arena)));
        return rows;
    }

    private static Tensor tensor(Signature.Parameter parameter, JsonNode value, Arena arena) {
        List<JsonNode> leaves = new ArrayList<>();
        leaves(value, leaves);
        long[] shape = new long[parameter.stored().rank()];
        JsonNode level = value;
        for (int i = 0; i < shape.length; i++) {
            shape[i] =
                    level == null ? parameter.stored().shape().get(i).constant().orElse(0L) : level.size();
            level = level == null || level.isEmpty() ? null : level.get(0);
        }
        Tensor tensor = Tensor.zeros(arena, parameter.stored().dtype(), shape);
        for (int i = 0; i < leaves.size(); i++) {
            if (tensor.dtype().isFloat()) {
                tensor.setDouble(i, number(leaves.get(i)));
            } else {
                tensor.setLong(i, leaves.get(i).asLong());
            }
        }
        return tensor;
    }

    private static void leaves(JsonNode node, List<JsonNode> into) {
        if (node.isArray()) {
            node.forEach(n -> leaves(n, into));
        } else {
            into.add(node);
        }
    }

    private static double number(JsonNode node) {
        return node.isTextual() ? Double.parseDouble(node.asText()) : node.asDouble();
    }

    private static void compare(String engine, JsonNode call, Map<String, Nd> actual) {
        for (Map.Entry<String, JsonNode> output : call.get("outputs").properties()) {
            List<JsonNode> leaves = new ArrayList<>();
            leaves(output.getValue(), leaves);
            Nd got = actual.get(output.getKey());
            Nd expected = Nd.zeros(got.dtype(), got.shape());
            assertThat(leaves)
                    .as("count of %s on %s: %s", output.getKey(), engine, got)
                    .hasSize(expected.count());
            for (int i = 0; i < expected.count(); i++) {
                if (got.dtype().isFloat()) {
                    expected.floats()[i] = number(leaves.get(i));
                } else {
                    expected.longs()[i] = leaves.get(i).asLong();
                }
            }
            assertThat(Close.difference(expected, got, 1, tfx.runtime.DType.F32))
                    .as("%s of %s on %s", output.getKey(), call.get("program"), engine)
                    .isEmpty();
        }
    }

    @TestFactory
    Stream<DynamicTest> badProgramsGiveTheirDiagnostics() throws IOException {
        return Stream.of(files("bad", ".tfx"), files("bad", ".rasp"), files("bad", ".raspl"))
                .flatMap(Function.identity())
                .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> bad(file)));
    }

    private static void bad(Path file) throws IOException {
        said(file, EXPECTED, Compiler.check(file).diagnostics());
    }

    @TestFactory
    Stream<DynamicTest> questionableProgramsGiveWarnings() throws IOException {
        return Stream.concat(files("lint", ".rasp"), files("lint", ".raspl"))
                .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
                    Frontend.Checked checked = Compiler.check(file);
                    assertThat(checked.diagnostics()).isEmpty();
                    said(file, WARNED, checked.warnings());
                }));
    }

    private static void said(Path file, Pattern pattern, List<Diagnostic> diagnostics) throws IOException {
        List<String> expected = new ArrayList<>();
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        List<Diagnostic> found = new ArrayList<>(diagnostics);
        for (int i = 0; i < lines.size(); i++) {
            Matcher matcher = pattern.matcher(lines.get(i));
            if (matcher.find()) {
                int line = i + 1;
                String wanted = matcher.group(1) + " " + matcher.group(2).strip();
                boolean removed = found.removeIf(d -> d.span().line() == line
                        && d.code().equals(matcher.group(1))
                        && d.message().contains(matcher.group(2).strip()));
                if (!removed) {
                    expected.add(line + ": " + wanted);
                }
            }
        }
        assertThat(expected).as("missing; found instead: %s", found).isEmpty();
        assertThat(found.stream().map(Diagnostic::render)).as("not expected").isEmpty();
    }
}
