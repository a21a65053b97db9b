package tfx.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `tfx weights` and the models that it writes, in processes of their own.
final class WeightsTest {
    @TempDir
    private Path folder;

    private record Ended(int code, String out, String err) {}

    private Ended tfx(String... arguments) throws Exception {
        Path errors = folder.resolve("errors");
        Process process = new ProcessBuilder(CommandLines.tfx(List.of(), arguments))
                .redirectError(errors.toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), out, Files.readString(errors));
    }

    private String source(String text) throws Exception {
        return Files.writeString(folder.resolve("source.rasp"), text).toString();
    }

    private Ended weights(String file, String name, String vocab, int length) throws Exception {
        return tfx("weights", file, name, "--vocab=" + vocab, "--max-length=" + length, "-o", models().toString());
    }

    private Path models() {
        return folder.resolve("models");
    }

    private String run(String name, String text, String backend) throws Exception {
        String file = models().resolve(name + ".tfx").toString();
        Ended ended = tfx("run", file, name, "tokens=" + text, "--backend=" + backend, "--json");
        assertThat(ended.code()).as(ended.err()).isZero();
        JsonNode json = new ObjectMapper().readTree(ended.out());
        return json.get("outputs").get(name).toString();
    }

    @Test
    void modelsRunOnEveryBackend() throws Exception {
        String file = source("hist = selector_width(select(tokens, tokens, ==));");
        Ended made = weights(file, "hist", "h,e,l,o", 6);
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(made.out())
                .contains("hist: 1 layers, 1 heads, width 4")
                .contains("checked: all 5460 inputs of up to 6 tokens are exact");
        for (String backend : List.of("cpu", "evaluator", "opencl")) {
            assertThat(run("hist", "hello", backend)).isEqualTo("[1,1,2,2,1]");
        }
        String model = models().resolve("hist.tfx").toString();
        Ended unknown = tfx("run", model, "tokens=help");
        assertThat(unknown.code()).isEqualTo(3);
        assertThat(unknown.err()).contains("does not take 'help'");
        Ended longer = tfx("run", model, "tokens=hellohello");
        assertThat(longer.code()).isEqualTo(3);
        assertThat(longer.err()).contains("index 6 is outside 0..5").contains("hist.tfx:");
    }

    @Test
    void wordsAndNumbersAreTokens() throws Exception {
        String words = source("first = aggregate(select(indices, 0, ==), tokens == \"to\"); record = tokens_int * 2;");
        assertThat(weights(words, "first", "to,be,or,not", 4).code()).isZero();
        assertThat(run("first", "to be or", "cpu")).isEqualTo("[true,true,true]");
        assertThat(run("first", "not to", "cpu")).isEqualTo("[false,false]");
        assertThat(weights(words, "record", "[10,-3]", 4).out())
                .contains("written: " + models().resolve("record_.tfx"));
        assertThat(run("record_", "[1,0,0]", "cpu")).isEqualTo("[-6,20,20]");
    }

    @Test
    void refusalsSayWhere() throws Exception {
        String file = source("x = tokens;\ny = average(average(indicator(x == \"a\")));\nz = select(1, 1, ==);");
        Ended refused = weights(file, "y", "a,b", 5);
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err())
                .contains("TFX0701")
                .contains("whose sums depend on their order")
                .contains("-->");
        assertThat(models()).doesNotExist();
        assertThat(weights(file, "z", "a,b", 5).err()).contains("'z' is a selector");
        assertThat(weights(file, "x", "[a,b", 5).err()).contains("neither tokens between commas nor a JSON list");
        assertThat(weights(file, "x", "a,b,a", 5).err()).contains("the same token twice: [\"a\"]");
        assertThat(weights(file, "x", "a,b", 0).err()).contains("--max-length is 0");
    }
}
