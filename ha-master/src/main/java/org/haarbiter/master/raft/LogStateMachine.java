package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Iterator;
import com.alipay.sofa.jraft.StateMachine;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.entity.LeaderChangeContext;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RaftException;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the library's calls into those of {@link LogListener}. Whatever the listener throws ends the node: an entry that
 * one member skips makes its state another one for ever.
 */
final class LogStateMachine implements StateMachine {
    private static final Logger LOG = LoggerFactory.getLogger(LogStateMachine.class);

    /** What the node wants to hear besides. Called by the log's thread; none may block. */
    interface Events {
        void leading(long term);

        void notLeading();

        void following(LeaderChangeContext context);

        void notFollowing();

        void membersChanged(Configuration members);

        /** Again and again until one is saved. */
        void snapshotDue();

        /** Any thread. */
        void failed(String sentence, Throwable cause);
    }

    private final LogListener listener;
    private final Events events;
    private final Executor files;
    private final int snapshotEveryEntries;
    private @Nullable Throwable listenerFailure;
    private long leaderTerm = -1;
    private int sinceSnapshot;

    LogStateMachine(LogListener listener, Events events, Executor files, int snapshotEveryEntries) {
        this.listener = listener;
        this.events = events;
        this.files = files;
        this.snapshotEveryEntries = snapshotEveryEntries;
    }

    @Override
    public void onApply(Iterator entries) {
        while (entries.hasNext()) {
            ByteBuffer data = entries.getData().duplicate();
            byte[] entry = new byte[data.remaining()];
            data.get(entry);
            try {
                listener.apply(entries.getIndex(), entries.getTerm(), entry);
            } catch (Throwable e) {
                listenerFailure = e;
                LOG.error("entry {} can't be applied", entries.getIndex(), e);
                entries.setErrorAndRollback(
                        1, new Status(RaftError.ESTATEMACHINE, "entry %d can't be applied", entries.getIndex()));
                return;
            }
            if (entries.done() instanceof Proposal proposal) {
                proposal.applied(entries.getIndex());
                proposal.run(Status.OK());
            }
            sinceSnapshot++;
            entries.next();
        }
        if (sinceSnapshot >= snapshotEveryEntries) {
            events.snapshotDue();
        }
    }

    @Override
    public void onSnapshotSave(SnapshotWriter writer, Closure done) {
        byte[] state;
        try {
            state = listener.saveSnapshot();
        } catch (Throwable e) {
            done.run(new Status(RaftError.EINVAL, "the state can't be saved: %s", e));
            events.failed("raft log: the state can't be saved as a snapshot: " + e, e);
            return;
        }
        sinceSnapshot = 0;
        files.execute(() -> {
            Status status = Status.OK();
            try {
                SnapshotFile.write(Path.of(writer.getPath(), SnapshotFile.NAME), state);
                if (!writer.addFile(SnapshotFile.NAME)) {
                    status = new Status(RaftError.EIO, "the snapshot's file was not taken");
                }
            } catch (IOException e) {
                LOG.error("a snapshot can't be written to {}", writer.getPath(), e);
                status = new Status(RaftError.EIO, "a snapshot can't be written: %s", e);
            }
            done.run(status);
        });
    }

    @Override
    public boolean onSnapshotLoad(SnapshotReader reader) {
        try {
            long upTo = reader.load().getLastIncludedIndex();
            listener.loadSnapshot(upTo, SnapshotFile.read(Path.of(reader.getPath(), SnapshotFile.NAME)));
            LOG.info("snapshot loaded: it stands for the log's entries up to {}", upTo);
            sinceSnapshot = 0;
            return true;
        } catch (Throwable e) {
            // An exception that left this method would leave the library waiting for ever.
            listenerFailure = e;
            LOG.error("the snapshot in {} can't be loaded", reader.getPath(), e);
            return false;
        }
    }

    @Override
    public void onLeaderStart(long term) {
        leaderTerm = term;
        events.leading(term);
        tell("that this node leads", () -> listener.leaderStarted(term));
    }

    @Override
    public void onLeaderStop(Status status) {
        events.notLeading();
        if (leaderTerm >= 0) {
            long term = leaderTerm;
            leaderTerm = -1;
            LOG.info("this node leads no more in term {}: {}", term, status.getErrorMsg());
            tell("that this node leads no more", () -> listener.leaderStopped(term));
        }
    }

    private void tell(String what, Runnable call) {
        try {
            call.run();
        } catch (Throwable e) {
            events.failed("raft log: the master failed when it was told " + what + ": " + e, e);
        }
    }

    @Override
    public void onStartFollowing(LeaderChangeContext context) {
        events.following(context);
    }

    @Override
    public void onStopFollowing(LeaderChangeContext context) {
        events.notFollowing();
    }

    @Override
    public void onConfigurationCommitted(Configuration members) {
        events.membersChanged(members);
    }

    @Override
    public void onError(RaftException error) {
        Throwable cause = listenerFailure == null ? error : listenerFailure;
        events.failed(
                "raft log: " + error.getType() + ": " + error.getStatus().getErrorMsg()
                        + (listenerFailure == null ? "" : ": " + listenerFailure),
                cause);
    }

    @Override
    public void onShutdown() {
        LOG.debug("the log's thread ends");
    }
}
