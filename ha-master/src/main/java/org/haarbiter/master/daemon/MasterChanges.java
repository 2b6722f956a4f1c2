package org.haarbiter.master.daemon;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.MasterChange;
import org.haarbiter.master.loop.MasterLoop;
import org.haarbiter.master.raft.ReplicatedLog;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Changes who votes among the masters, and who leads, and puts on record who wanted it. Any thread; on the leader only. */
final class MasterChanges {
    private static final Logger LOG = LoggerFactory.getLogger(MasterChanges.class);

    private final MasterSettings settings;
    private final MasterLoop loop;
    private final ReplicatedLog log;

    MasterChanges(MasterSettings settings, MasterLoop loop, ReplicatedLog log) {
        this.settings = settings;
        this.loop = loop;
        this.log = log;
    }

    /** Lets a running master vote. Never fails: a refusal is a result. */
    CompletableFuture<CommandResult> add(String by, String reason, Endpoint master) {
        return recordedAfter(by, reason, master, MasterChange.ADDED, log.addMember(master));
    }

    /** Takes a master's vote, perhaps its own. Never fails: a refusal is a result. */
    CompletableFuture<CommandResult> remove(String by, String reason, Endpoint master) {
        return master.equals(settings.own().raft())
                ? announced(
                        by,
                        reason,
                        master,
                        MasterChange.LEAVES,
                        MasterChange.STAYS,
                        () -> log.removeMember(master),
                        MasterChange.REMOVED.words())
                : recordedAfter(by, reason, master, MasterChange.REMOVED, log.removeMember(master));
    }

    /** Lets another master lead. Never fails: a refusal is a result. */
    CompletableFuture<CommandResult> transfer(String by, String reason, Endpoint master) {
        return announced(
                by,
                reason,
                master,
                MasterChange.TAKES_OVER,
                MasterChange.TAKES_NOT,
                () -> log.transferLeadership(master),
                "leads");
    }

    private CompletableFuture<CommandResult> recordedAfter(
            String by, String reason, Endpoint master, MasterChange change, CompletableFuture<Void> act) {
        CompletableFuture<CommandResult> result = new CompletableFuture<>();
        act.whenComplete((nothing, failure) -> {
            if (failure == null) {
                record(by, reason, master, change, "")
                        .whenComplete((index, unrecorded) -> result.complete(done(master, change, index, unrecorded)));
            } else {
                result.complete(refused(master, failure));
            }
        });
        return result;
    }

    /** Puts on record what this leader couldn't afterwards, does it, and puts on record if that failed. */
    private CompletableFuture<CommandResult> announced(
            String by,
            String reason,
            Endpoint master,
            MasterChange intent,
            MasterChange otherwise,
            Supplier<CompletableFuture<Void>> act,
            String done) {
        CompletableFuture<CommandResult> result = new CompletableFuture<>();
        record(by, reason, master, intent, "").whenComplete((index, unrecorded) -> {
            if (unrecorded != null) {
                result.complete(refused(master, unrecorded));
                return;
            }
            act.get().whenComplete((nothing, failure) -> {
                if (failure == null) {
                    result.complete(new CommandResult(true, "master " + master + " " + done, 0, index));
                    return;
                }
                record(by, reason, master, otherwise, String.valueOf(failure.getMessage()))
                        .whenComplete((ignored, second) -> {
                            if (second != null) {
                                LOG.warn(
                                        "that master {} {} isn't in the switch log: {}",
                                        master,
                                        otherwise.words(),
                                        second.toString());
                            }
                            result.complete(refused(master, failure));
                        });
            });
        });
        return result;
    }

    private CompletableFuture<Long> record(
            String by, String reason, Endpoint master, MasterChange change, String problem) {
        String name = settings.nameOf(master);
        String shown = name.equals(master.toString()) ? name : name + " (" + master + ")";
        return loop.commit(wallMillis -> new Entry.MasterChanged(shown, change, problem, by, reason, wallMillis));
    }

    private static CommandResult done(
            Endpoint master, MasterChange change, @Nullable Long index, @Nullable Throwable unrecorded) {
        String sentence = "master " + master + " " + change.words();
        if (unrecorded != null) {
            return new CommandResult(
                    true, sentence + ", but the switch log lacks it: " + unrecorded.getMessage(), 0, 0);
        }
        return new CommandResult(true, sentence, 0, index == null ? 0 : index);
    }

    private static CommandResult refused(Endpoint master, Throwable failure) {
        return new CommandResult(false, "master " + master + ": " + failure.getMessage(), 0, 0);
    }
}
