package tfx.opencl.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tfx.ir.Source;
import tfx.ir.Span;
import tfx.ir.kernel.Kernel;
import tfx.opencl.Group;
import tfx.opencl.ProgramSource;
import tfx.runtime.RunException;

/// What a device's compiler says comes with the place in the tfx source.
final class BuildTest {
    private static final BinaryCache NONE = new BinaryCache(Optional.empty());

    @Test
    void aBuildFailureNamesTheKernelAndItsPlace() {
        Kernel kernel = new Kernel("rows", List.of(), List.of(), List.of(), List.of(), List.of(), place());
        String text = "kernel void fine() {}\nkernel void rows_0() {\n    wrong = 1;\n}\n";
        ProgramSource.Entry entry = new ProgramSource.Entry("rows_0", kernel, 1, 2, 4, false, false, 0);
        ProgramSource source = new ProgramSource(text, new Group(1, 1, false), List.of(entry));
        assertThatThrownBy(() -> new Build(Context.of(Device.choose(0)), source, NONE).program())
                .isInstanceOf(RunException.class)
                .hasMessageContaining("cannot build")
                .hasMessageContaining("kernel rows of model.tfx:1:1")
                .hasMessageContaining("wrong = 1;")
                .hasMessageContaining("tfx devices");
    }

    private static Span place() {
        return new Span(new Source("model.tfx", "y = x;\n"), 0, 1);
    }

    @Test
    void devicesAreChosenByNumber() {
        assertThat(Device.choose(0).number()).isZero();
        assertThatThrownBy(() -> Device.choose(99))
                .isInstanceOf(RunException.class)
                .hasMessageContaining("99")
                .hasMessageContaining("tfx devices");
    }

    @Test
    void handlersOfSignalsAreTheJvms() throws Exception {
        Device.list();
        // Without them, a null check in compiled code could end the process.
        Object[] things = new Object[64];
        int caught = 0;
        for (int i = 0; i < 200_000; i++) {
            try {
                things[i % 64].hashCode();
            } catch (NullPointerException e) {
                caught++;
            }
        }
        assertThat(caught).isEqualTo(200_000);
        assertThat(Files.exists(Path.of("/proc/self"))).isTrue();
    }
}
