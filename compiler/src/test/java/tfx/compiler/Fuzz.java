package tfx.compiler;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import tfx.compiler.weights.NpyFile;
import tfx.compiler.weights.WeightFiles;
import tfx.frontend.Frontend;
import tfx.ir.Target;
import tfx.ir.graph.Graph;
import tfx.ir.graph.GraphText;
import tfx.ir.graph.GraphVerifier;
import tfx.ir.kernel.KernelProgram;
import tfx.ir.kernel.KernelVerifier;
import tfx.ir.kernel.ProgramText;
import tfx.ir.text.ParseException;
import tfx.passes.Schedule;
import tfx.runtime.RunException;
import tfx.runtime.WeightSource;
import tfx.testkit.GraphGen;
import tfx.testkit.OpCases;

/// Feeds one door of tfx with hostile input, as a process of its own: `Fuzz DOOR COUNT SEED`. Half of the inputs
/// are valid ones with pieces changed, moved or made extreme; the others are built wrong on purpose, or noise.
/// Anything but success or the door's own error ends the process with the seed; so does an input that takes more
/// than five seconds.
final class Fuzz {
    private static final long LIMIT_NANOS = 5_000_000_000L;
    private static final AtomicLong STARTED = new AtomicLong(Long.MAX_VALUE);

    /// What a door did with an input.
    private enum Outcome {
        ACCEPTED,
        REFUSED
    }

    /// Takes one input.
    private interface Door {
        Outcome feed(Random random) throws IOException;
    }

    private Fuzz() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("tfx-fuzz");
        Map<String, Door> doors = new TreeMap<>(Map.of(
                "source", Fuzz::source,
                "ir", Fuzz::ir,
                "onnx", r -> file(folder.resolve("m.onnx"), onnx(r), r),
                "safetensors", r -> safetensors(folder, r),
                "npy", r -> npy(folder.resolve("a.npy"), r),
                "npz", r -> file(folder.resolve("a.npz"), npz(r), r)));
        Door door = doors.get(arguments[0]);
        long count = Long.parseLong(arguments[1]);
        long seed = Long.parseLong(arguments[2]);
        watch();
        Files.write(folder.resolve("data.bin"), new byte[64]);
        Files.createSymbolicLink(folder.resolve("outside"), Path.of("/etc/hostname"));
        long refused = 0;
        long slowest = 0;
        for (long i = 0; i < count; i++) {
            long start = System.nanoTime();
            STARTED.set(start);
            try {
                refused += door.feed(new Random(seed * 1_000_003 + i)) == Outcome.REFUSED ? 1 : 0;
            } catch (Throwable e) {
                System.out.println(arguments[0] + " input " + i + " of seed " + seed + ": " + e);
                e.printStackTrace(System.out);
                System.exit(1);
            }
            slowest = Math.max(slowest, System.nanoTime() - start);
        }
        System.out.printf("%s: %d inputs, %d refused, slowest %.0f ms%n", arguments[0], count, refused, slowest / 1e6);
        System.exit(refused > count / 10 && refused < count ? 0 : 2);
    }

    private static void watch() {
        Thread watcher = new Thread(() -> {
            while (true) {
                if (System.nanoTime() - STARTED.get() > LIMIT_NANOS) {
                    System.out.println("an input takes more than five seconds");
                    Thread.getAllStackTraces().forEach((t, frames) -> System.out.println(t + Arrays.toString(frames)));
                    Runtime.getRuntime().halt(3);
                }
                try {
                    Thread.sleep(200);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        watcher.setDaemon(true);
        watcher.start();
    }

    // ---- texts ----

    private static final String[] SOURCES = {
        """
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
        """,
        """
        program p(x: f32[N, 4], ids: i32[M]) -> (a, b, c) {
          a = x[0:2, ::-1];
          b = scatter(zeros([3, 4]), ids, x[ids], by = "sum");
          def step(s, row) { return s + row, s * 2; }
          c, d = scan(step, x[0], x);
        }
        """,
        "program q(n: i32[], x: bf16[3, K]) -> (y) { y = concat([x, pad(x, 1, 0)], axis = 0)[..., none]; }",
        "def f(x) { return f(x); } program r(x: u8[2*N]) -> (y) { if True { y = argmax(x) } else { y = f(x); } }"
    };
    private static final String[] WORDS = {
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ";",
        ",",
        ":",
        "=",
        "->",
        "==",
        "<=",
        "*",
        "**",
        "^",
        "//",
        "%",
        "@",
        "...",
        "-",
        "not",
        "and",
        "or",
        "if",
        "else",
        "for",
        "in",
        "def",
        "record",
        "model",
        "program",
        "weights",
        "tokenizer",
        "limit",
        "import",
        "from",
        "return",
        "none",
        "True",
        "x",
        "y",
        "S",
        "S*",
        "d",
        "f32",
        "i8",
        "tokens",
        "0",
        "1",
        "-1",
        "9223372036854775807",
        "99999999999999999999",
        "1e308",
        "1e999",
        "\"nn\"",
        "\"../../x.tfx\"",
        "range",
        "sum",
        "select",
        "softmax",
        "reshape",
        "einsum",
        "\"ij,jk->ik\"",
        "repeat",
        "while_loop",
        "tensor",
        "#",
        "\u0000",
        "é",
        "\n"
    };

    private static String words(Random random, int most) {
        StringBuilder out = new StringBuilder();
        for (int i = random.nextInt(most); i >= 0; i--) {
            out.append(WORDS[random.nextInt(WORDS.length)]).append(' ');
        }
        return out.toString();
    }

    private static String mutated(String text, Random random) {
        StringBuilder out = new StringBuilder(text);
        for (int n = 1 + random.nextInt(4); n > 0 && !out.isEmpty(); n--) {
            int at = random.nextInt(out.length());
            int end = Math.min(out.length(), at + 1 + random.nextInt(random.nextInt(8) == 0 ? 80 : 6));
            switch (random.nextInt(5)) {
                case 0 -> out.delete(at, end);
                case 1 -> out.insert(at, WORDS[random.nextInt(WORDS.length)]);
                case 2 -> out.replace(at, end, WORDS[random.nextInt(WORDS.length)]);
                case 3 -> out.insert(random.nextInt(out.length()), out.substring(at, end));
                default -> out.setCharAt(at, (char) random.nextInt(128));
            }
        }
        return out.toString();
    }

    /// The text with some of its integers changed.
    private static String numbers(String text, Random random) {
        return Pattern.compile("[0-9]+")
                .matcher(text)
                .replaceAll(m -> random.nextInt(4) > 0
                        ? m.group()
                        : Long.toString(random.nextInt(4) == 0 ? extreme(random) : random.nextInt(6)));
    }

    private static String noise(Random random) {
        byte[] bytes = new byte[random.nextInt(200)];
        random.nextBytes(bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    private static Outcome source(Random random) {
        String base = SOURCES[random.nextInt(SOURCES.length)];
        byte[] text = switch (random.nextInt(8)) {
            case 0 -> words(random, 40).getBytes(StandardCharsets.UTF_8);
            case 1 -> noise(random).getBytes(StandardCharsets.ISO_8859_1);
            case 2 ->
                ("program p(x: f32[N]) -> (y) { y = " + words(random, 12) + "; }").getBytes(StandardCharsets.UTF_8);
            case 3, 4 -> numbers(base, random).getBytes(StandardCharsets.UTF_8);
            default -> mutated(base, random).getBytes(StandardCharsets.UTF_8);
        };
        Frontend.Checked checked = Compiler.check("fuzz.tfx", text);
        for (var diagnostic : checked.diagnostics()) {
            if (!diagnostic.render().contains("-->") || diagnostic.message().isEmpty()) {
                throw new AssertionError("a diagnostic without place or message: " + diagnostic);
            }
        }
        return checked.diagnostics().isEmpty() ? Outcome.ACCEPTED : Outcome.REFUSED;
    }

    private static final List<String> GRAPHS = new ArrayList<>();
    private static final List<String> KERNELS = new ArrayList<>();
    private static final List<String> SCHEDULES = new ArrayList<>();

    private static void prepare() {
        List<Graph> graphs = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            graphs.add(GraphGen.generate(i, 6).graph());
        }
        OpCases.rows()
                .values()
                .forEach(row -> row.make(tfx.runtime.DType.F32, new Random(3))
                        .or(() -> row.make(tfx.runtime.DType.I64, new Random(3)))
                        .ifPresent(c -> graphs.add(c.graph())));
        for (Graph graph : graphs) {
            Pipeline.Phases phases = Pipeline.run(graph, new Pipeline.Options(Target.cpu(8), true));
            GRAPHS.add(phases.graph().toString());
            GRAPHS.add(phases.fused().toString());
            KERNELS.add(phases.kernels().toString());
            SCHEDULES.add(phases.schedule().toString());
        }
    }

    private static Outcome ir(Random random) {
        if (GRAPHS.isEmpty()) {
            prepare();
        }
        try {
            switch (random.nextInt(4)) {
                case 0 -> {
                    KernelProgram program = ProgramText.parse(pick(KERNELS, random));
                    if (program.execution().values().stream()
                                    .map(v -> v.name())
                                    .distinct()
                                    .count()
                            == program.execution().values().size()) {
                        program.kernels().forEach(KernelVerifier::verify);
                    }
                }
                case 1 -> Schedule.parse(pick(SCHEDULES, random));
                default -> GraphVerifier.verify(GraphText.parse(pick(GRAPHS, random)), true);
            }
            return Outcome.ACCEPTED;
        } catch (ParseException e) {
            if (!e.getMessage().startsWith("line ")) {
                throw e;
            }
            return Outcome.REFUSED;
        }
    }

    private static String pick(List<String> texts, Random random) {
        String text = texts.get(random.nextInt(texts.size()));
        return switch (random.nextInt(10)) {
            case 0 -> noise(random);
            case 1 -> text.substring(0, random.nextInt(text.length() + 1)) + words(random, 10);
            case 2 -> text.substring(0, Math.min(text.length(), 40)) + "(".repeat(random.nextInt(5000));
            default -> mutated(text, random);
        };
    }

    // ---- files ----

    private static final long[] EXTREME = {
        -1,
        0,
        1,
        2,
        3,
        7,
        8,
        64,
        255,
        1L << 31,
        (1L << 31) - 1,
        1L << 32,
        1L << 61,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        1_000_000
    };

    private static long extreme(Random random) {
        return EXTREME[random.nextInt(EXTREME.length)];
    }

    private static byte[] mutated(byte[] bytes, Random random) {
        byte[] out = bytes.clone();
        for (int n = random.nextInt(4); n > 0 && out.length > 0; n--) {
            int at = random.nextInt(out.length);
            switch (random.nextInt(4)) {
                case 0 -> out[at] = (byte) random.nextInt(256);
                case 1 -> out[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> out[at] = (byte) extreme(random);
                default -> out = Arrays.copyOf(out, random.nextInt(out.length + 8));
            }
        }
        return out;
    }

    /// Opens a file and reads all it has.
    private static Outcome file(Path path, byte[] bytes, Random random) throws IOException {
        Files.write(path, bytes);
        try (Arena arena = Arena.ofConfined()) {
            WeightSource weights = WeightFiles.open(path, arena);
            Outcome outcome = Outcome.ACCEPTED;
            for (String name : List.copyOf(weights.names())) {
                try {
                    weights.find(name);
                } catch (RunException e) {
                    located(path, e);
                    outcome = Outcome.REFUSED;
                }
            }
            return outcome;
        } catch (RunException e) {
            located(path, e);
            return Outcome.REFUSED;
        }
    }

    private static void located(Path path, RunException e) {
        if (!e.getMessage().contains(path.getParent().toString())
                || e.getMessage().endsWith("null")) {
            throw new AssertionError("a message without place or reason: " + e.getMessage(), e);
        }
    }

    private interface Body {
        void write(CodedOutputStream out) throws IOException;
    }

    private static ByteString message(Body body) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        body.write(out);
        out.flush();
        return ByteString.copyFrom(bytes.toByteArray());
    }

    private static byte[] onnx(Random random) throws IOException {
        int count = 1 + random.nextInt(3);
        boolean wild = random.nextInt(3) == 0;
        List<ByteString> tensors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            tensors.add(tensor(random, wild, random.nextInt(9) == 0 ? "t0" : "t" + i));
        }
        ByteString node = message(out -> {
            out.writeString(1, "x");
            out.writeString(1, "t" + random.nextInt(3));
            out.writeString(3, "/layer/q/MatMul");
            out.writeString(4, "MatMul");
        });
        ByteString graph = message(out -> {
            out.writeBytes(1, node);
            for (ByteString tensor : tensors) {
                out.writeBytes(5, tensor);
            }
        });
        byte[] all = message(out -> out.writeBytes(7, graph)).toByteArray();
        return random.nextBoolean() ? all : mutated(all, random);
    }

    /// Bytes an element, by ONNX's number of its type.
    private static final Map<Integer, Integer> WIDTHS = Map.of(1, 4, 2, 1, 3, 1, 6, 4, 7, 8, 9, 1, 10, 2, 11, 8, 16, 2);

    private static ByteString tensor(Random random, boolean wild, String name) throws IOException {
        int[] types = {1, 2, 3, 6, 7, 9, 10, 11, 16, 4, 8, 0, 99};
        int type = types[random.nextInt(wild ? types.length : 9)];
        return message(out -> {
            int rank = random.nextInt(4);
            int count = 1;
            for (int i = 0; i < rank; i++) {
                int size = 1 + random.nextInt(3);
                out.writeInt64(1, wild ? extreme(random) : size);
                count *= size;
            }
            out.writeInt32(2, type);
            out.writeString(8, name);
            if (random.nextInt(6) == 0) {
                String[] places = {
                    "data.bin", "../data.bin", "/etc/passwd", "outside", "missing", "", "m.onnx", "a\u0000b"
                };
                out.writeInt32(14, 1);
                pair(out, "location", places[random.nextInt(places.length)]);
                pair(out, "offset", wild ? Long.toString(extreme(random)) : "0");
                pair(out, "length", random.nextInt(5) == 0 ? "many" : Long.toString(wild ? extreme(random) : 16));
                return;
            }
            boolean right = !wild && random.nextInt(3) > 0;
            byte[] data = new byte[right ? count * WIDTHS.get(type) : random.nextInt(5) * random.nextInt(16)];
            random.nextBytes(data);
            if (right) {
                out.writeByteArray(9, data);
                return;
            }
            int[] fields = {9, 9, 9, 4, 5, 7, 10, 11};
            out.writeByteArray(fields[random.nextInt(fields.length)], data);
        });
    }

    private static void pair(CodedOutputStream out, String key, String value) throws IOException {
        out.writeBytes(13, message(entry -> {
            entry.writeString(1, key);
            entry.writeString(2, value);
        }));
    }

    private static Outcome safetensors(Path folder, Random random) throws IOException {
        if (random.nextInt(4) > 0) {
            return file(folder.resolve("m.safetensors"), safetensorsBytes(random), random);
        }
        Files.write(folder.resolve("shard.safetensors"), safetensorsBytes(random));
        String[] places = {
            "shard.safetensors",
            "../shard.safetensors",
            "/etc/passwd",
            "outside",
            "missing",
            "",
            "shard.safetensors\\u0000",
            "model.safetensors.index.json"
        };
        String text = "{\"metadata\":{},\"weight_map\":{\"t0\":\"" + places[random.nextInt(places.length)]
                + "\",\"t1\":" + (random.nextInt(5) == 0 ? "7" : "\"shard.safetensors\"") + "}}";
        return file(
                folder.resolve("model.safetensors.index.json"),
                mutated(text.getBytes(StandardCharsets.UTF_8), random),
                random);
    }

    private static byte[] safetensorsBytes(Random random) {
        String[] types = {"F32", "F64", "F16", "BF16", "I64", "I32", "I8", "U8", "BOOL", "U16", "F8_E4M3", "", "f32"};
        boolean wild = random.nextInt(3) == 0;
        StringBuilder header = new StringBuilder("{");
        long at = 0;
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            long rows = wild ? extreme(random) : random.nextInt(4);
            int type = random.nextInt(wild ? types.length : 9);
            long bytes =
                    rows * 2 * List.of(4, 8, 2, 2, 8, 4, 1, 1, 1, 2, 1, 1, 1).get(type);
            long to = wild && random.nextBoolean() ? extreme(random) : at + bytes;
            header.append(i > 0 ? "," : "").append("\"t").append(random.nextInt(12) == 0 ? 0 : i);
            header.append("\":{\"dtype\":\"")
                    .append(types[type])
                    .append("\",\"shape\":[")
                    .append(rows)
                    .append(",2]");
            header.append(",\"data_offsets\":[")
                    .append(at)
                    .append(',')
                    .append(to)
                    .append("]}");
            at = wild ? extreme(random) : to;
        }
        byte[] text = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
        int data = wild ? random.nextInt(64) : (int) at;
        ByteBuffer all = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
        all.putLong(random.nextInt(9) == 0 ? extreme(random) : text.length).put(text);
        return random.nextBoolean() ? all.array() : mutated(all.array(), random);
    }

    private static byte[] npyBytes(Random random) {
        String[] types = {"<f4", "<f8", "<f2", "<i8", "<i4", "|i1", "|u1", "|b1", ">f4", "<U8", "|O", "<c16"};
        int[] widths = {4, 8, 2, 8, 4, 1, 1, 1, 4, 32, 8, 16};
        boolean wild = random.nextInt(3) == 0;
        int type = random.nextInt(wild ? types.length : 8);
        long rows = wild ? extreme(random) : random.nextInt(4);
        String header = "{'descr': '" + types[type] + "', 'fortran_order': " + (random.nextBoolean() ? "True" : "False")
                + ", 'shape': (" + rows + ", 3), }\n";
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        int data = wild ? random.nextInt(100) : (int) rows * 3 * widths[type];
        ByteBuffer all = ByteBuffer.allocate(10 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
        all.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.UTF_8))
                .put((byte) 1)
                .put((byte) 0);
        all.putShort((short) (random.nextInt(9) == 0 ? extreme(random) : text.length))
                .put(text);
        return random.nextBoolean() ? all.array() : mutated(all.array(), random);
    }

    private static Outcome npy(Path path, Random random) throws IOException {
        Files.write(path, npyBytes(random));
        try (Arena arena = Arena.ofConfined()) {
            NpyFile.read(path, arena);
            return Outcome.ACCEPTED;
        } catch (RunException e) {
            located(path, e);
            return Outcome.REFUSED;
        }
    }

    private static byte[] npz(Random random) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (int i = 0; i < 1 + random.nextInt(2); i++) {
                zip.putNextEntry(new ZipEntry((random.nextInt(5) == 0 ? "../" : "") + "a" + i + ".npy"));
                zip.write(npyBytes(random));
                zip.closeEntry();
            }
        }
        return random.nextBoolean() ? bytes.toByteArray() : mutated(bytes.toByteArray(), random);
    }
}
