package tfx.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import picocli.CommandLine;
import tfx.compiler.draw.SequenceWords;
import tfx.frontend.Frontend;
import tfx.ir.sequence.Heads;
import tfx.ir.sequence.SequenceNode;

@CommandLine.Command(
        name = "heads",
        description = "The layers of a sequence program, and the heads in each, of a transformer that computes it.")
final class HeadsCommand implements Callable<Integer> {
    @CommandLine.Parameters(index = "0", paramLabel = "FILE")
    private Path file = Path.of("");

    @CommandLine.Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "NAME",
            description = "An s-op of the file; all of them where it is left out.")
    private Optional<String> name = Optional.empty();

    @CommandLine.Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Override
    public Integer call() throws Exception {
        Optional<Frontend.Checked> checked = Programs.checked(file);
        if (checked.isEmpty()) {
            return Main.WRONG_PROGRAM;
        }
        Map<String, List<Heads.Head>> heads = new LinkedHashMap<>();
        for (Map.Entry<String, SequenceNode> entry : checked.get().sequences().entrySet()) {
            boolean wanted =
                    name.map(entry.getKey()::equals).orElse(!entry.getKey().startsWith("_"));
            if (wanted && !entry.getValue().isSelector()) {
                heads.put(entry.getKey(), Heads.of(entry.getValue()));
            }
        }
        if (heads.isEmpty()) {
            throw new Main.Usage(
                    file + " has no s-op" + name.map(n -> " '" + n + "'").orElse("") + "; it has "
                            + checked.get().sequences().keySet());
        }
        if (json) {
            ObjectNode all = JsonNodeFactory.instance.objectNode();
            heads.forEach((s, h) -> {
                ArrayNode widths =
                        all.putObject(s).put("layers", Heads.layers(h)).putArray("heads");
                widths(h).forEach(widths::add);
            });
            System.out.println(JsonValues.write(all));
        } else {
            print(heads);
            name.ifPresent(n -> lines(heads.get(n)).forEach(System.out::println));
        }
        return Main.OK;
    }

    private static List<Integer> widths(List<Heads.Head> heads) {
        return IntStream.rangeClosed(1, Heads.layers(heads))
                .mapToObj(layer ->
                        (int) heads.stream().filter(h -> h.layer() == layer).count())
                .toList();
    }

    /// What each head selects and computes.
    static List<String> lines(List<Heads.Head> heads) {
        return heads.stream()
                .map(h -> "  layer " + h.layer() + ": " + SequenceWords.brief(h.selector()) + "  for  "
                        + h.computes().stream().map(SequenceWords::brief).collect(Collectors.joining(",  ")))
                .toList();
    }

    private static void print(Map<String, List<Heads.Head>> heads) {
        int width = Math.max(
                4, heads.keySet().stream().mapToInt(String::length).max().orElse(0));
        System.out.printf("%-" + width + "s %7s %6s  %s%n", "s-op", "layers", "heads", "in each layer");
        heads.forEach((s, h) -> System.out.printf(
                "%-" + width + "s %7d %6d  %s%n",
                s,
                Heads.layers(h),
                h.size(),
                widths(h).stream().map(String::valueOf).collect(Collectors.joining(" "))));
    }
}
