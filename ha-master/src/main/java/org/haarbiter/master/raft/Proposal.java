package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** One proposed entry that awaits its fate. */
final class Proposal implements Closure {
    private final long expectedTerm;
    private final Supplier<@Nullable Endpoint> leader;
    private final CompletableFuture<Long> result = new CompletableFuture<>();
    private volatile long index = -1;

    Proposal(long expectedTerm, Supplier<@Nullable Endpoint> leader) {
        this.expectedTerm = expectedTerm;
        this.leader = leader;
    }

    CompletableFuture<Long> result() {
        return result;
    }

    void applied(long atIndex) {
        index = atIndex;
    }

    @Override
    public void run(Status status) {
        if (status.isOk()) {
            result.complete(index);
        } else if (neverAppended(status)) {
            result.completeExceptionally(new NotLeaderException(
                    "refused: this node does not lead in term " + expectedTerm + " (" + status.getErrorMsg() + ")",
                    leader.get()));
        } else {
            result.completeExceptionally(new IllegalStateException("it is unknown whether the entry was committed: "
                    + status.getErrorMsg() + " (" + status.getCode() + ")"));
        }
    }

    /**
     * The library refuses with one and the same code an entry that it never took and one that it had sent out before it
     * was deposed; only the words differ. Words that are not known here count as "unknown".
     */
    private static boolean neverAppended(Status status) {
        String words = String.valueOf(status.getErrorMsg());
        if (status.getRaftError() == RaftError.EPERM) {
            return words.equals("Is not leader.") || words.startsWith("expected_term=");
        }
        return (status.getRaftError() == RaftError.EBUSY && words.equals("Is transferring leadership."))
                || status.getRaftError() == RaftError.ENODESHUTDOWN;
    }
}
