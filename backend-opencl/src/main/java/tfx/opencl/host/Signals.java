package tfx.opencl.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.function.Supplier;

/// The signal handlers of this process, kept as they are while a driver does something.
///
/// Drivers that bring LLVM (PoCL, Intel's, Mesa's) have it install handlers that delete its temporary files at a
/// signal, and PoCL has one of its own for divisions by zero. But the JVM lives with signals: compiled code
/// finds out by SIGSEGV that a reference is null. Such a check in any thread would make a build in another one
/// fail, and could end the process. LLVM believes its handlers in place once it has installed them, so after the
/// JVM's are put back, they stay.
final class Signals {
    private static final int MOST = 31;

    /// Room for a `struct sigaction`, which is 152 bytes on Linux and less elsewhere.
    private static final long ROOM = 512;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private Signals() {}

    private static Optional<MethodHandle> sigaction() {
        Linker linker = Linker.nativeLinker();
        SymbolLookup known = linker.defaultLookup();
        return known.find("sigaction")
                .map(f -> linker.downcallHandle(
                        f, FunctionDescriptor.of(INT, INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS)));
    }

    /// Does some work, and then puts back the handlers from before; one thread at a time, so that none takes
    /// another's for those. Systems without such handlers just do the work.
    static synchronized <T> T keep(Supplier<T> work) {
        Optional<MethodHandle> sigaction = sigaction();
        if (sigaction.isEmpty()) {
            return work.get();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment[] before = new MemorySegment[MOST + 1];
            for (int signal = 1; signal <= MOST; signal++) {
                before[signal] = arena.allocate(ROOM, Long.BYTES);
                call(sigaction.get(), signal, MemorySegment.NULL, before[signal]);
            }
            try {
                return work.get();
            } finally {
                for (int signal = 1; signal <= MOST; signal++) {
                    // Those that cannot be handled are refused, which is as well.
                    call(sigaction.get(), signal, before[signal], MemorySegment.NULL);
                }
            }
        }
    }

    private static void call(MethodHandle sigaction, int signal, MemorySegment set, MemorySegment old) {
        try {
            int ignored = (int) sigaction.invokeExact(signal, set, old);
        } catch (Throwable e) {
            throw new IllegalStateException("sigaction", e);
        }
    }
}
