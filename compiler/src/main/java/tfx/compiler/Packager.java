package tfx.compiler;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import tfx.cpu.CpuProgram;
import tfx.cpu.TypedClass;
import tfx.frontend.Program;
import tfx.ir.Target;
import tfx.ir.kernel.KernelProgram;
import tfx.passes.StoredPanels;
import tfx.runtime.RunException;
import tfx.runtime.Tensor;
import tfx.runtime.program.Execution;
import tfx.runtime.program.PlanFile;

/// Programs as a jar that runs with `tfx-runtime` alone: a typed class each, kernels for every vector width,
/// weights.
public final class Packager implements AutoCloseable {
    /// The widths that a jar has kernels for; 1 is without vectors.
    private static final int[] LANES = {16, 8, 4, 1};

    private static final int CHUNK = 1 << 20;

    /// Of a Java method, besides its receiver and the arena.
    private static final int MAX_PARAMETERS = 253;

    /// The time of every entry: the first that the format writes without an extra field, at any offset.
    private static final LocalDateTime ALWAYS = LocalDateTime.of(1980, 2, 1, 0, 0);

    private static final int HEADER = 30; // bytes of a local file header of the ZIP format before the name
    private static final int EXTRA = 4; // bytes of an extra field before its data
    private static final short PADDING = (short) 0xd935; // the extra field that other tools align entries by

    private final String packageName;
    private final FileChannel file;
    private final ZipOutputStream out;
    private final Arena arena = Arena.ofShared();

    /// What is stored, by the file and name, once for all programs of a model.
    private final Map<String, Entry> weights = new HashMap<>();

    private final Set<String> entries = new LinkedHashSet<>();

    private Packager(Path jar, String packageName) throws IOException {
        this.packageName = packageName;
        this.file = FileChannel.open(
                jar, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
        this.out = new ZipOutputStream(new BufferedOutputStream(Channels.newOutputStream(file)));
    }

    /// A weight in the jar.
    private record Entry(int resource, long header) {}

    /// Writes a jar. The same programs and weights give the same bytes.
    ///
    /// @param packageName of the typed classes, which have the programs' names with a capital
    /// @param folder      the folder of the source, which file names in it are relative to
    /// @param file        a weight file in place of the ones that the source names
    /// @return the names of the typed classes
    /// @throws tfx.runtime.RunException if weights are missing or do not fit
    public static List<String> write(
            Path jar, String packageName, List<Program> programs, Path folder, Optional<Path> file) throws IOException {
        List<String> classes = new ArrayList<>();
        try (Packager packager = new Packager(jar, packageName)) {
            for (Program program : programs) {
                classes.add(packageName + "." + capital(program.name()));
            }
            packager.manifest(classes);
            for (Program program : programs) {
                packager.program(program, folder, file);
            }
        }
        return classes;
    }

    private static String capital(String name) {
        return Character.toUpperCase(name.charAt(0)) + name.substring(1);
    }

    private void manifest(List<String> classes) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, "tfx-runtime.jar");
        manifest.getMainAttributes().putValue("Enable-Native-Access", "ALL-UNNAMED");
        manifest.getMainAttributes().putValue("Tfx-ABI", Integer.toString(PlanFile.ABI));
        if (classes.size() == 1) {
            manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, classes.getFirst());
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        manifest.write(bytes);
        entry(JarFile.MANIFEST_NAME, bytes.toByteArray());
    }

    private void program(Program program, Path folder, Optional<Path> file) throws IOException {
        if (program.parameters().size() > MAX_PARAMETERS) {
            throw new RunException(
                    "program " + program.name() + " has " + program.parameters().size()
                            + " parameters; a method of a typed class takes at most " + MAX_PARAMETERS);
        }
        Map<String, Tensor> loaded = Session.weights(program, folder, file, arena);
        for (int lanes : LANES) {
            StoredPanels.Result panels = Pipeline.packaged(program.graph(), Target.cpu(lanes));
            KernelProgram kernels = panels.program();
            String prefix = packageName + "." + program.name() + ".v" + lanes + ".";
            CpuProgram.Classes classes = CpuProgram.classes(kernels, prefix, lanes, CpuProgram.Code.WARMED);
            for (Map.Entry<String, byte[]> code : new TreeMap<>(classes.bytes()).entrySet()) {
                entry(code.getKey().replace('.', '/') + ".class", code.getValue());
            }
            List<PlanFile.KernelClass> described = classes.kernels().stream()
                    .map(k -> new PlanFile.KernelClass(k.className(), k.kernel(), k.sizes(), k.axes(), k.needs()))
                    .toList();
            Map<String, PlanFile.StoredWeight> read = new LinkedHashMap<>();
            for (Execution.Value value : kernels.execution().values()) {
                if (value.role() == Execution.Role.WEIGHT) {
                    read.put(value.source(), weight(program, value.source(), loaded, panels.layouts()));
                }
            }
            ByteArrayOutputStream plan = new ByteArrayOutputStream();
            new PlanFile(program.signature(), kernels.execution(), described, List.copyOf(read.values())).write(plan);
            entry(folderOf() + program.name() + "." + lanes + ".plan", plan.toByteArray());
        }
        String name = packageName + "." + capital(program.name());
        entry(name.replace('.', '/') + ".class", TypedClass.bytes(name, program.signature()));
    }

    /// A weight as a program reads it.
    private PlanFile.StoredWeight weight(
            Program program, String name, Map<String, Tensor> loaded, Map<String, StoredPanels.Layout> layouts)
            throws IOException {
        StoredPanels.Layout layout = layouts.get(name);
        Tensor tensor = loaded.get(layout == null ? name : layout.weight());
        long[] shape = layout == null ? tensor.shape() : new long[] {layout.rows(), layout.columns()};
        String key = program.weights().map(Program.Asset::path).orElse("") + "\n" + name;
        Entry entry = weights.get(key);
        if (entry == null) {
            try (Arena own = Arena.ofConfined()) {
                long bytes = tensor.count() * tensor.dtype().bytes();
                entry = resource(layout == null ? tensor.data().asSlice(0, bytes) : panels(tensor, layout, own));
            }
            weights.put(key, entry);
        }
        return new PlanFile.StoredWeight(name, tensor.dtype(), shape, entry.resource, entry.header);
    }

    private static MemorySegment panels(Tensor weight, StoredPanels.Layout layout, Arena arena) {
        long count = layout.rows() * layout.columns();
        MemorySegment panels = arena.allocate(count * Integer.BYTES, Integer.BYTES);
        for (long at = 0; at < count; at++) {
            int element = weight.data().getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, layout.source(at));
            panels.setAtIndex(ValueLayout.JAVA_INT, at, element);
        }
        return panels;
    }

    private String folderOf() {
        return packageName.replace('.', '/') + "/";
    }

    private static ZipEntry named(String name) {
        ZipEntry entry = new ZipEntry(name);
        entry.setTimeLocal(ALWAYS);
        return entry;
    }

    private void entry(String name, byte[] bytes) throws IOException {
        if (!entries.add(name)) {
            throw new IOException("two programs would both be " + name + "; rename one");
        }
        out.putNextEntry(named(name));
        out.write(bytes);
        out.closeEntry();
    }

    /// Stores a weight without compression, where a mapped file aligns it.
    private Entry resource(MemorySegment bytes) throws IOException {
        out.flush();
        Entry stored = new Entry(weights.size(), file.position());
        ZipEntry entry = named(folderOf() + "weights/" + stored.resource);
        int length = entry.getName().getBytes(StandardCharsets.UTF_8).length;
        int padding = (int) Math.floorMod(-(stored.header + HEADER + length + EXTRA), Tensor.ALIGNMENT);
        ByteBuffer extra = ByteBuffer.allocate(EXTRA + padding).order(ByteOrder.LITTLE_ENDIAN);
        entry.setExtra(extra.putShort(PADDING).putShort((short) padding).array());
        CRC32 sum = new CRC32();
        copy(bytes, new OutputStream() {
            @Override
            public void write(int b) {
                sum.update(b);
            }

            @Override
            public void write(byte[] chunk, int from, int count) {
                sum.update(chunk, from, count);
            }
        });
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes.byteSize());
        entry.setCompressedSize(bytes.byteSize());
        entry.setCrc(sum.getValue());
        out.putNextEntry(entry);
        copy(bytes, out);
        out.closeEntry();
        return stored;
    }

    private static void copy(MemorySegment from, OutputStream to) throws IOException {
        byte[] chunk = new byte[CHUNK];
        for (long at = 0; at < from.byteSize(); at += CHUNK) {
            int count = (int) Math.min(CHUNK, from.byteSize() - at);
            MemorySegment.copy(from, at, MemorySegment.ofArray(chunk), 0, count);
            to.write(chunk, 0, count);
        }
    }

    @Override
    public void close() throws IOException {
        out.close();
        arena.close();
    }
}
