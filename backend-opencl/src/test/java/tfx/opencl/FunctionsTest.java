package tfx.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tfx.ir.BinaryFn;
import tfx.ir.UnaryFn;
import tfx.runtime.DType;

/// The lowering table is complete: every row of the op table, on every element type that it takes, one element and
/// vectors, calls only what exists.
final class FunctionsTest {
    private static final int[] WIDTHS = {1, 4, 8, 16};

    /// The library's functions for a text; it fails on one that is missing.
    private static void check(String text) {
        assertThat(text).isNotBlank();
        assertThat(Library.of(text)).doesNotContain("$");
    }

    @Test
    void everyFunctionOfOne() {
        for (UnaryFn fn : UnaryFn.values()) {
            for (DType dtype : DType.values()) {
                for (int width : WIDTHS) {
                    if (fn.accepts(dtype) && (width == 1 || Functions.hasVectorForm(fn, dtype) && wide(dtype))) {
                        check(Functions.unary(fn, dtype, "x", width));
                    }
                }
            }
        }
    }

    @Test
    void everyFunctionOfTwo() {
        for (BinaryFn fn : BinaryFn.values()) {
            for (DType dtype : DType.values()) {
                for (int width : WIDTHS) {
                    boolean divides = dtype == DType.I32 && (fn == BinaryFn.FLOORDIV || fn == BinaryFn.MOD);
                    boolean vector = Functions.hasVectorForm(fn, dtype) && wide(dtype) && !divides;
                    if (fn.accepts(dtype) && (width == 1 || vector)) {
                        check(Functions.binary(fn, dtype, "a", "b", width));
                    }
                }
            }
        }
    }

    @Test
    void everyConversion() {
        for (DType from : DType.values()) {
            for (DType to : DType.values()) {
                check(Functions.convert("x", from, to, 1) + " ");
                if (wide(from) && wide(to)) {
                    check(Functions.convert("x", from, to, 16) + " ");
                }
            }
        }
    }

    /// What vectors hold.
    private static boolean wide(DType dtype) {
        return dtype == DType.F32 || dtype.isHalf() || dtype == DType.I32 || dtype == DType.BOOL;
    }
}
