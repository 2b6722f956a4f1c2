package org.haarbiter.master.sentinel;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that this master has what a quorum has committed, with at most one question to the quorum under way: who asks meanwhile
 * waits for the next one, which begins when that ends. Thread-safe.
 */
final class CaughtUp {
    private final Supplier<CompletableFuture<Void>> quorum;
    private boolean asking;
    private @Nullable CompletableFuture<Void> next;

    /** @param quorum asks; its answer is about the time of the question or later */
    CaughtUp(Supplier<CompletableFuture<Void>> quorum) {
        this.quorum = quorum;
    }

    /** Completes once this master has everything that was committed before the call; fails where no quorum can be asked. */
    CompletableFuture<Void> ask() {
        CompletableFuture<Void> mine;
        synchronized (this) {
            if (asking) {
                if (next == null) {
                    next = new CompletableFuture<>();
                }
                return next;
            }
            asking = true;
            mine = new CompletableFuture<>();
        }
        askFor(mine);
        return mine;
    }

    private void askFor(CompletableFuture<Void> waiting) {
        quorum.get().whenComplete((nothing, failure) -> {
            CompletableFuture<Void> after;
            synchronized (this) {
                after = next;
                next = null;
                asking = after != null;
            }
            if (after != null) {
                askFor(after);
            }
            if (failure == null) {
                waiting.complete(null);
            } else {
                waiting.completeExceptionally(failure);
            }
        });
    }
}
