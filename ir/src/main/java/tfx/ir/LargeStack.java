package tfx.ir;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/// Runs work on a thread with a large stack: programs nest as deeply as their text, and compilers walk them
/// recursively.
public final class LargeStack {
    private static final long BYTES = 256L << 20;

    private LargeStack() {}

    /// The result of `work`; what it throws is thrown here.
    public static <T> T call(String name, Supplier<T> work) {
        try {
            return CompletableFuture.supplyAsync(work, task -> new Thread(null, task, name, BYTES).start())
                    .join();
        } catch (CancellationException e) {
            throw new InternalError(name + " was cancelled", e);
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw e;
            }
        }
    }
}
