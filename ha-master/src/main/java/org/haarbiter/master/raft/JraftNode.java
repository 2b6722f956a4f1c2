package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.NodeManager;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.closure.ReadIndexClosure;
import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.core.NodeImpl;
import com.alipay.sofa.jraft.entity.LeaderChangeContext;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.Task;
import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.option.ReadOnlyOption;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.RaftRpcServerFactory;
import com.alipay.sofa.jraft.util.Utils;
import com.alipay.sofa.jraft.util.concurrent.DefaultFixedThreadsExecutorGroupFactory;
import com.alipay.sofa.jraft.util.concurrent.FixedThreadsExecutorGroup;
import com.google.protobuf.Message;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.haarbiter.link.PortLimits;
import org.haarbiter.wire.EndpointsAnswer;
import org.haarbiter.wire.EndpointsRequest;
import org.haarbiter.wire.HearingAnswer;
import org.haarbiter.wire.HearingRequest;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of the Raft group, on sofa-jraft. Made, then started: the listener may be called before {@link #start}
 * returns, and by then its owner holds this object. The futures complete on threads of the log: what hangs on them must
 * not block.
 */
public final class JraftNode implements ReplicatedLog {
    private static final Logger LOG = LoggerFactory.getLogger(JraftNode.class);

    /** The largest entry. A frame holds several, and a decision has a few kilobytes. */
    public static final int MOST_ENTRY_BYTES = 1 << 20;

    private static final int THREADS = 3;
    private static final int QUEUED_TASKS = 1024;
    private static final int CLOSE_MILLIS = 5000;
    private static final int DISK_CHECK_MILLIS = 5000;

    private final RaftSettings settings;
    private final LogListener listener;
    private final PeerTransport transport;
    private final ExecutorService requests;
    private final FixedThreadsExecutorGroup appends;
    private final ExecutorService files;
    private final ScheduledExecutorService diskChecks;
    private final AtomicBoolean faulted = new AtomicBoolean();
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicBoolean savingSnapshot = new AtomicBoolean();
    private final AtomicReference<@Nullable Transfer> transfer = new AtomicReference<>();

    private volatile @Nullable DataDirectory directory;
    private volatile @Nullable NodeImpl node;
    private volatile @Nullable Endpoint leader;
    private volatile long leadingTerm = -1;

    /** Touches nothing yet. */
    public JraftNode(RaftSettings settings, LogListener listener) {
        this.settings = settings;
        this.listener = listener;
        this.transport = new PeerTransport(settings);
        this.requests = Executors.newFixedThreadPool(THREADS, new DefaultThreadFactory("raft-request", true));
        this.appends = DefaultFixedThreadsExecutorGroupFactory.INSTANCE.newExecutorGroup(
                2, "raft-append", Utils.MAX_APPEND_ENTRIES_TASKS_PER_THREAD, true);
        this.files = Executors.newSingleThreadExecutor(new DefaultThreadFactory("raft-snapshot", true));
        this.diskChecks = Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("raft-disk", true));
    }

    /**
     * Opens the log, loads the newest snapshot and joins the traffic. Blocks while the snapshot is read.
     *
     * @throws RaftStartException with a sentence for the operator; nothing is left running
     */
    public void start() throws RaftStartException {
        try {
            DataDirectory opened = DataDirectory.open(settings);
            directory = opened;
            opened.loadNativeLibrary();
            LogStorageTuning.apply();
            transport.server().bind();
            startNode(opened);
        } catch (RaftStartException | RuntimeException e) {
            close();
            throw e;
        }
        transport.keep(settings.initialMembers());
        diskChecks.scheduleWithFixedDelay(this::checkDisk, DISK_CHECK_MILLIS, DISK_CHECK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /**
     * The log's files are allocated ahead and little is decided on a quiet day: a full disk would first be met in the middle
     * of a switch, perhaps on every master at once.
     */
    private void checkDisk() {
        DataDirectory held = directory;
        String complaint = held == null || closed.get() ? null : held.complaint();
        // Asked twice, since the directory is given up while the node closes.
        if (complaint != null && !closed.get()) {
            fault(complaint, new IOException(complaint));
        }
    }

    private void startNode(DataDirectory opened) throws RaftStartException {
        PeerId self = PeerTransport.peerId(settings.self());
        RaftRpcServerFactory.addRaftRequestProcessors(transport.server(), requests, null);
        NodeManager.getInstance().addAddress(self.getEndpoint());
        NodeImpl made = new NodeImpl(settings.groupId(), self);
        node = made;
        if (!made.init(options(opened))) {
            String complaint = opened.complaint();
            throw new RaftStartException(
                    complaint != null
                            ? complaint
                            : "raft log: the log in " + opened
                                    + " can't be opened: it is damaged, or a snapshot can't be read; the lines above say what."
                                    + " Remove this member from the cluster, and add it again with an empty directory",
                    null);
        }
    }

    private RaftNodeOptions options(DataDirectory opened) {
        int election = settings.electionTimeoutMillis();
        RaftOptions raft = new RaftOptions();
        raft.setSync(true);
        raft.setSyncMeta(true); // a vote that a power cut forgets makes two leaders in one term
        raft.setEnableLogEntryChecksum(true);
        raft.setReadOnlyOptions(ReadOnlyOption.ReadOnlySafe);
        // A sixth of the timeout: with the usual tenth, three masters at rest mostly tell each other that they are
        // there.
        raft.setElectionHeartbeatFactor(6);
        raft.setMaxElectionDelayMs(settings.maxElectionDelayMillis());
        raft.setDisruptorBufferSize(QUEUED_TASKS);
        raft.setOpenStatistics(false);

        RaftNodeOptions options = new RaftNodeOptions(transport);
        options.setRaftOptions(raft);
        options.setInitialConf(new Configuration(
                settings.initialMembers().stream().map(PeerTransport::peerId).toList()));
        options.setFsm(new LogStateMachine(listener, new NodeEvents(), files, settings.snapshotEveryEntries()));
        options.setLogUri(opened.log().toString());
        options.setRaftMetaUri(opened.votes().toString());
        options.setSnapshotUri(opened.snapshots().toString());
        options.setElectionTimeoutMs(election);
        options.setSnapshotIntervalSecs(settings.snapshotIntervalSeconds());
        options.setRpcConnectTimeoutMs(settings.connectTimeoutMillis());
        options.setRpcDefaultTimeout(2 * election); // a lost batch of entries is sent again after this
        options.setRpcInstallSnapshotTimeout(60_000);
        options.setDisableCli(true);
        options.setRpcProcessorThreadPoolSize(2 * THREADS);
        options.setRaftRpcThreadPoolSize(THREADS);
        options.setTimerPoolSize(2);
        options.setAppendEntriesExecutors(appends);
        return options;
    }

    @Override
    public CompletableFuture<Long> propose(byte[] entry, long expectedTerm) {
        if (entry.length > MOST_ENTRY_BYTES) {
            return CompletableFuture.failedFuture(new IllegalArgumentException(
                    "entry: " + entry.length + " bytes (at most " + MOST_ENTRY_BYTES + ")"));
        }
        NodeImpl running = node;
        if (running == null || closed.get() || leadingTerm != expectedTerm) {
            return CompletableFuture.failedFuture(notLeading(expectedTerm));
        }
        Proposal proposal = new Proposal(expectedTerm, this::leader);
        Task task = new Task(ByteBuffer.wrap(entry.clone()), proposal, expectedTerm);
        try {
            running.apply(task);
        } catch (IllegalStateException e) {
            // Shutting down; the library has told the proposal as well.
            proposal.result().completeExceptionally(new NotLeaderException("this node is stopping: " + e, leader));
        }
        return proposal.result();
    }

    /**
     * {@inheritDoc}
     *
     * <p>Fails after twice the election timeout at the latest. The term is compared on both sides of the quorum's answer.
     * The second comparison suffices against a lost and regained leadership: the answer comes only after this node has
     * applied what the quorum had committed, and in that order it has also heard of the loss.
     */
    @Override
    public CompletableFuture<Void> confirmLeadership(long expectedTerm) {
        NodeImpl running = node;
        if (running == null || closed.get() || leadingTerm != expectedTerm) {
            return CompletableFuture.failedFuture(notLeading(expectedTerm));
        }
        return readIndex(running).handle((nothing, failure) -> {
            if (leadingTerm != expectedTerm) {
                throw new CompletionException(notLeading(expectedTerm));
            }
            if (failure != null) {
                throw new CompletionException(failure);
            }
            return null;
        });
    }

    @Override
    public CompletableFuture<Void> catchUp() {
        NodeImpl running = node;
        return running == null || closed.get()
                ? CompletableFuture.failedFuture(new NotLeaderException("this node doesn't run", leader))
                : readIndex(running);
    }

    private CompletableFuture<Void> readIndex(NodeImpl running) {
        CompletableFuture<Void> read = new CompletableFuture<>();
        ReadIndexClosure answer = new ReadIndexClosure(2L * settings.electionTimeoutMillis()) {
            @Override
            public void run(Status status, long index, byte @Nullable [] context) {
                if (status.isOk()) {
                    read.complete(null);
                } else {
                    read.completeExceptionally(failure("no quorum answered", status));
                }
            }
        };
        try {
            running.readIndex(ReadOnlyOption.ReadOnlySafe, new byte[0], answer);
        } catch (IllegalStateException e) {
            read.completeExceptionally(new NotLeaderException("this node is stopping: " + e, leader));
        }
        return read;
    }

    private NotLeaderException notLeading(long expectedTerm) {
        long term = leadingTerm;
        return new NotLeaderException(
                "this node does not lead in term " + expectedTerm + (term < 0 ? "" : " but in term " + term), leader);
    }

    private static IllegalStateException failure(String what, Status status) {
        return new IllegalStateException(what + ": " + status.getErrorMsg() + " (" + status.getCode() + ")");
    }

    @Override
    public @Nullable Endpoint leader() {
        return leader;
    }

    /** {@inheritDoc} As this node knows them. Not to be called by the listener. */
    @Override
    public List<Endpoint> members() {
        NodeImpl running = node;
        if (running == null) {
            return settings.initialMembers();
        }
        Configuration seen = running.getCurrentConf();
        return seen == null ? settings.initialMembers() : ours(seen.listPeers());
    }

    /** What this node's port refused, for metrics. */
    public PortLimits limits() {
        return transport.server().limits();
    }

    /** Whether this node has a live connection to the other member. */
    public boolean reaches(Endpoint member) {
        return transport.isConnected(PeerTransport.peerId(member).getEndpoint());
    }

    private static List<Endpoint> ours(Collection<PeerId> peers) {
        return peers.stream()
                .map(peer -> PeerTransport.ours(peer.getEndpoint()))
                .sorted()
                .toList();
    }

    /** {@inheritDoc} The new member must answer within four election timeouts. */
    @Override
    public CompletableFuture<Void> addMember(Endpoint member) {
        NodeImpl running = node;
        if (running == null || leadingTerm < 0) {
            return CompletableFuture.failedFuture(new NotLeaderException("members are changed on the leader", leader));
        }
        // The library gives a new member up at once when there is no connection to it yet.
        return transport
                .link(member)
                .whenReady()
                .orTimeout(4L * settings.electionTimeoutMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(e -> CompletableFuture.failedFuture(
                        e instanceof TimeoutException
                                ? new IllegalStateException(
                                        "member " + member
                                                + " is not added: it can't be reached; start it in join mode with an empty data directory, and check address and TLS keys")
                                : e))
                .thenCompose(ready -> change(
                        "member " + member + " is not added",
                        done -> running.addPeer(PeerTransport.peerId(member), done)));
    }

    @Override
    public CompletableFuture<Void> removeMember(Endpoint member) {
        NodeImpl running = node;
        if (running == null || leadingTerm < 0) {
            return CompletableFuture.failedFuture(new NotLeaderException("members are changed on the leader", leader));
        }
        return change(
                "member " + member + " is not removed", done -> running.removePeer(PeerTransport.peerId(member), done));
    }

    private interface Change {
        void begin(Closure done);
    }

    private CompletableFuture<Void> change(String otherwise, Change change) {
        CompletableFuture<Void> changed = new CompletableFuture<>();
        try {
            change.begin(status -> {
                if (status.isOk()) {
                    changed.complete(null);
                } else if (status.getRaftError() == RaftError.EPERM && leadingTerm < 0) {
                    changed.completeExceptionally(new NotLeaderException(
                            otherwise + ", as far as is known: " + status.getErrorMsg(), leader));
                } else {
                    changed.completeExceptionally(failure(otherwise, status));
                }
            });
        } catch (IllegalArgumentException e) {
            changed.completeExceptionally(new IllegalStateException(otherwise + ": " + e.getMessage(), e));
        }
        return changed;
    }

    /** {@inheritDoc} Fails after three election timeouts at the latest; this node may then lead again. */
    @Override
    public CompletableFuture<Void> transferLeadership(Endpoint member) {
        NodeImpl running = node;
        if (running == null || leadingTerm < 0) {
            return CompletableFuture.failedFuture(
                    new NotLeaderException("leadership is handed over by the leader", leader));
        }
        Transfer begun = new Transfer(
                member,
                new CompletableFuture<Void>().orTimeout(3L * settings.electionTimeoutMillis(), TimeUnit.MILLISECONDS));
        if (!transfer.compareAndSet(null, begun)) {
            return CompletableFuture.failedFuture(
                    new IllegalStateException("leadership is being handed over already; wait for that"));
        }
        Status status = running.transferLeadershipTo(PeerTransport.peerId(member));
        if (!status.isOk()) {
            begun.done.completeExceptionally(failure("leadership stays: " + member + " does not take it", status));
        } else if (member.equals(settings.self())) {
            begun.done.complete(null);
        }
        return begun.done.whenComplete((nothing, failure) -> transfer.compareAndSet(begun, null));
    }

    /** Answers other masters that ask whom this one hears. To be called before {@link #start}; the function must not block. */
    public void answerHearing(Function<HearingRequest, CompletableFuture<HearingAnswer>> answers) {
        transport.server().registerProcessor(new QuestionProcessor<>(HearingRequest.class, answers, requests));
    }

    /**
     * Asks another master whom it hears. Any thread.
     *
     * @param limit the longest that an answer is waited for
     * @return fails where the master isn't connected, or doesn't answer in time
     */
    public CompletableFuture<HearingAnswer> askHearing(Endpoint member, HearingRequest request, Duration limit) {
        return ask(member, request, HearingAnswer.class, limit);
    }

    /** Answers leaders that ask what this master finds of the endpoints. To be called before {@link #start}; must not block. */
    public void answerEndpoints(Function<EndpointsRequest, CompletableFuture<EndpointsAnswer>> answers) {
        transport.server().registerProcessor(new QuestionProcessor<>(EndpointsRequest.class, answers, requests));
    }

    /** Asks another master what it finds of the endpoints; as {@link #askHearing}. */
    public CompletableFuture<EndpointsAnswer> askEndpoints(Endpoint member, Duration limit) {
        return ask(member, EndpointsRequest.getDefaultInstance(), EndpointsAnswer.class, limit);
    }

    private <A> CompletableFuture<A> ask(Endpoint member, Message request, Class<A> expected, Duration limit) {
        CompletableFuture<A> answer = new CompletableFuture<>();
        InvokeCallback callback = (result, failure) -> {
            if (failure == null && expected.isInstance(result)) {
                answer.complete(expected.cast(result));
            } else {
                answer.completeExceptionally(
                        failure != null ? failure : new IllegalStateException("master " + member + ": " + result));
            }
        };
        try {
            transport.link(member).call(request, callback, limit.toMillis());
        } catch (RemotingException e) {
            answer.completeExceptionally(e);
        }
        return answer;
    }

    /** For fault tests in this package. */
    PeerTransport transport() {
        return transport;
    }

    /** {@inheritDoc} Takes some 0.1 s; gives up waiting after 5 s. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        diskChecks.shutdownNow();
        NodeImpl running = node;
        if (running != null) {
            // The library can wait for ever in here; on a thread of its own it holds nobody else.
            Thread stopping = new Thread(() -> stop(running), "raft-stop");
            stopping.setDaemon(true);
            stopping.start();
            try {
                stopping.join(CLOSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (stopping.isAlive()) {
                LOG.warn("the Raft node did not stop in {} ms; the process must end", CLOSE_MILLIS);
            }
            NodeManager.getInstance()
                    .removeAddress(PeerTransport.peerId(settings.self()).getEndpoint());
        }
        transport.close();
        requests.shutdown();
        appends.shutdownGracefully();
        files.shutdown();
        DataDirectory held = directory;
        if (held != null) {
            try {
                held.close();
            } catch (IOException e) {
                LOG.warn("the lock of {} was not released: {}", held, e.toString());
            }
        }
    }

    private static void stop(NodeImpl running) {
        running.shutdown();
        try {
            running.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void fault(String sentence, Throwable cause) {
        if (faulted.compareAndSet(false, true)) {
            DataDirectory held = directory;
            String complaint = held == null ? null : held.complaint();
            String told = complaint == null ? sentence : complaint;
            LOG.error("{}", told, cause);
            listener.fault(told, cause);
        }
    }

    private record Transfer(Endpoint to, CompletableFuture<Void> done) {}

    private final class NodeEvents implements LogStateMachine.Events {
        @Override
        public void leading(long term) {
            leader = settings.self();
            leadingTerm = term;
            Transfer open = transfer.get();
            if (open != null) {
                open.done.completeExceptionally(
                        new IllegalStateException("leadership stays: " + open.to + " did not take it in time"));
            }
        }

        @Override
        public void notLeading() {
            leadingTerm = -1;
            if (settings.self().equals(leader)) {
                leader = null;
            }
        }

        @Override
        public void following(LeaderChangeContext context) {
            Endpoint now = PeerTransport.ours(context.getLeaderId().getEndpoint());
            leader = now;
            Transfer open = transfer.get();
            if (open != null) {
                if (now.equals(open.to)) {
                    open.done.complete(null);
                } else {
                    open.done.completeExceptionally(new IllegalStateException(now + " leads, not " + open.to));
                }
            }
        }

        @Override
        public void notFollowing() {
            leader = null;
        }

        @Override
        public void membersChanged(Configuration members) {
            List<Endpoint> now = new ArrayList<>(ours(members.listPeers()));
            LOG.info("the members are now {}", now);
            transport.keep(now);
        }

        @Override
        public void snapshotDue() {
            NodeImpl running = node;
            if (running != null && !closed.get() && savingSnapshot.compareAndSet(false, true)) {
                running.snapshot(status -> {
                    savingSnapshot.set(false);
                    if (!status.isOk()) {
                        LOG.info("no snapshot was saved: {}", status);
                    }
                });
            }
        }

        @Override
        public void failed(String sentence, Throwable cause) {
            fault(sentence, cause);
        }
    }
}
