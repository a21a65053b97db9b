package tfx.compiler;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The allowed edges between rooms, as ARCHITECTURE.md tells them, and a forbidden one that must be caught.
final class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("tfx");

    /// What each room must not see.
    private static final Map<String, List<String>> FORBIDDEN = Map.of(
            "tfx.runtime..",
                    List.of(
                            "tfx.ir..",
                            "tfx.frontend..",
                            "tfx.passes..",
                            "tfx.cpu..",
                            "tfx.opencl..",
                            "tfx.compiler..",
                            "tfx.cli.."),
            "tfx.grammar..",
                    List.of("tfx.runtime..", "tfx.ir..", "tfx.frontend..", "tfx.passes..", "tfx.cpu..", "tfx.opencl.."),
            "tfx.ir..",
                    List.of(
                            "tfx.grammar..",
                            "tfx.frontend..",
                            "tfx.passes..",
                            "tfx.cpu..",
                            "tfx.opencl..",
                            "tfx.compiler.."),
            "tfx.frontend..", List.of("tfx.passes..", "tfx.cpu..", "tfx.opencl..", "tfx.compiler.."),
            "tfx.passes..", List.of("tfx.frontend..", "tfx.grammar..", "tfx.cpu..", "tfx.opencl..", "tfx.compiler.."),
            "tfx.cpu..", List.of("tfx.frontend..", "tfx.grammar..", "tfx.passes..", "tfx.opencl..", "tfx.compiler.."),
            "tfx.opencl..", List.of("tfx.frontend..", "tfx.grammar..", "tfx.passes..", "tfx.cpu..", "tfx.compiler.."),
            "tfx.compiler..", List.of("tfx.cli.."));

    private static ArchRule without(String room, String other) {
        return noClasses()
                .that()
                .resideInAPackage(room)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(other)
                .allowEmptyShould(true);
    }

    private static ArchRule onlyIn(String room, String library) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(room)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library);
    }

    @Test
    void roomsSeeOnlyWhatTheyMay() {
        FORBIDDEN.forEach(
                (room, others) -> others.forEach(other -> without(room, other).check(CLASSES)));
    }

    @Test
    void aForbiddenEdgeIsCaught() {
        assertThat(without("tfx.compiler..", "tfx.cpu..").evaluate(CLASSES).hasViolation())
                .isTrue();
    }

    @Test
    void librariesStayInTheirRooms() {
        onlyIn("tfx.cpu..", "org.objectweb.asm..").check(CLASSES);
        onlyIn("tfx.cpu..", "jdk.incubator.vector..").check(CLASSES);
        // Kernel text is made without a device.
        onlyIn("tfx.opencl.host..", "org.lwjgl..").check(CLASSES);
        onlyIn("tfx.compiler.weights..", "com.google.protobuf..").check(CLASSES);
        noClasses()
                .that()
                .resideOutsideOfPackages("tfx.frontend..", "tfx.grammar..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.antlr..")
                .check(CLASSES);
    }

    @Test
    void theRuntimeNeedsTheJdkAlone() {
        noClasses()
                .that()
                .resideInAPackage("tfx.runtime..")
                .should()
                .dependOnClassesThat()
                .resideOutsideOfPackages("java..", "tfx.runtime..")
                .check(CLASSES);
    }

    @Test
    void onlyThePipelineAppliesPasses() {
        noClasses()
                .that()
                .resideOutsideOfPackage("tfx.passes..")
                .and()
                .doNotHaveFullyQualifiedName("tfx.compiler.Pipeline")
                .should()
                .dependOnClassesThat()
                .implement(tfx.passes.Pass.class)
                .check(CLASSES);
    }
}
