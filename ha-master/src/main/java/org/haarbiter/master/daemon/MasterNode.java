package org.haarbiter.master.daemon;

import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.server.StateAge;
import org.haarbiter.link.AgentConnection;
import org.haarbiter.link.LinkServer;
import org.haarbiter.link.LinkServerListener;
import org.haarbiter.link.LinkSettings;
import org.haarbiter.link.PortLimits;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsCollector;
import org.haarbiter.link.TlsRenewal;
import org.haarbiter.master.admin.Access;
import org.haarbiter.master.admin.AdminServer;
import org.haarbiter.master.admin.TokenFile;
import org.haarbiter.master.audit.AuditFile;
import org.haarbiter.master.codec.EndpointReportCodec;
import org.haarbiter.master.codec.StateCodec;
import org.haarbiter.master.codec.TestimonyCodec;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.RecordsByHand;
import org.haarbiter.master.core.Testimony;
import org.haarbiter.master.core.Testimony.MemberName;
import org.haarbiter.master.endpoints.EndpointChecks;
import org.haarbiter.master.endpoints.EndpointRounds;
import org.haarbiter.master.loop.MasterLoop;
import org.haarbiter.master.loop.Rehearsal;
import org.haarbiter.master.names.NamePublisher;
import org.haarbiter.master.names.OwnServer;
import org.haarbiter.master.names.OwnZone;
import org.haarbiter.master.names.WantedNamesOfGroup;
import org.haarbiter.master.raft.JraftNode;
import org.haarbiter.master.raft.PeerTls;
import org.haarbiter.master.raft.RaftSettings;
import org.haarbiter.master.raft.RaftStartException;
import org.haarbiter.master.sentinel.SentinelGroups;
import org.haarbiter.master.sentinel.SentinelServer;
import org.haarbiter.master.sentinel.SentinelSettings;
import org.haarbiter.settings.Timing;
import org.haarbiter.supervisor.Supervisor;
import org.haarbiter.time.Ticker;
import org.haarbiter.wire.HearingAnswer;
import org.haarbiter.wire.HearingRequest;
import org.haarbiter.wire.WireException;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A whole master in one object: log, loop, agents, names, switch log, metrics. Ends no process: a fault is told. */
public final class MasterNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(MasterNode.class);
    private static final int LINK_THREADS = 2;
    private static final int SNAPSHOT_SECONDS = 600;
    private static final int REHEARSALS = 50;

    /** Told that the node can't go on; the process must stop. */
    @FunctionalInterface
    public interface FaultListener {
        /** Any thread. */
        void fault(String sentence, Throwable cause);
    }

    private final MasterSettings settings;
    private final FaultListener faults;
    private final Supervisor supervisor;
    private final StateCodec codec = new StateCodec();
    private final MasterMetrics metrics;
    private final AuditFile audit;
    private final @Nullable NamePublisher publisher;
    private final @Nullable WantedNamesOfGroup wantedNames;
    private final Limits limits;
    private final MasterLoop loop;
    private final JraftNode log;
    private final MasterChanges changes;
    private final LinkServer agents;
    private final @Nullable Tls tls;
    private final Access access;
    private volatile @Nullable TlsRenewal renewal;
    private final CollectorRegistry registry;
    private final @Nullable OwnServer ownDns;
    private final EndpointChecks endpointChecks = new EndpointChecks(Ticker.SYSTEM, RandomGenerator.getDefault());
    private final EndpointRounds endpointRounds;
    private final @Nullable SentinelServer sentinel;
    private final @Nullable SentinelGroups sentinelGroups;
    private volatile @Nullable AdminServer admin;

    /** Sentences about heartbeats that aren't believed, by group and member, with when they were last said. */
    private final ConcurrentSkipListMap<String, Refusal> refusals = new ConcurrentSkipListMap<>();

    /** By group, which traffic classes aren't where they belong; only while this master leads. */
    private final ConcurrentSkipListMap<String, List<String>> classProblems = new ConcurrentSkipListMap<>();

    private static final long NEVER = Long.MIN_VALUE;

    /** When this master last had a leader, itself included. */
    private volatile long leaderSeenNanos = NEVER;

    private record Refusal(String group, String sentence, long nanos) {}

    /**
     * Puts the parts together; nothing runs before {@link #start}.
     *
     * @param dns where names are published; null for nowhere. Closed with this
     * @param supervisor told by the decision thread that it goes on
     */
    public MasterNode(
            MasterSettings settings,
            @Nullable DnsProvider dns,
            CollectorRegistry registry,
            Supervisor supervisor,
            FaultListener faults)
            throws IOException {
        this.settings = settings;
        this.faults = faults;
        this.supervisor = supervisor;
        this.registry = registry;
        this.metrics = new MasterMetrics(registry);
        Timing timing = settings.timing();
        this.audit = new AuditFile(settings.auditFile(), codec);
        MasterSettings.Names names = settings.names();
        if (dns != null && names != null) {
            this.wantedNames = new WantedNamesOfGroup(names.writeName(), names.readName(), names.ttlSeconds());
            this.publisher = new NamePublisher(
                    dns, Duration.ofMillis(names.limitMillis()), names.verifyMillis(), this::namesChanged);
        } else {
            this.wantedNames = null;
            this.publisher = null;
        }
        this.limits = new Limits(
                timing.silenceMillis(),
                timing.leaseMillis(),
                timing.driftPerMille(),
                timing.gatherMillis(),
                settings.drainMillis(),
                settings.adoptMillis(),
                settings.policies(),
                settings.noAcknowledgerMillis(),
                settings.whenArbiterLost(),
                settings.storms(),
                settings.blocking(),
                names == null ? MasterSettings.USUAL_READ_MAX_LAG_MILLIS : names.readMaxLagMillis());
        this.loop = new MasterLoop(
                limits,
                settings.quorum(),
                new MasterLoop.Pace(
                        Math.max(5, timing.heartbeatMillis() / 2),
                        Math.max(1, timing.heartbeatMillis() / 20),
                        Math.max(1, timing.heartbeatMillis() / 4)),
                codec,
                Ticker.SYSTEM,
                System::currentTimeMillis,
                new LoopObserver());
        this.tls = settings.tls() == null ? null : Tls.load(settings.tls());
        this.access = access(settings);
        if (tls != null) {
            registry.register(new TlsCollector(tls));
        }
        this.log = new JraftNode(raftSettings(settings, tls), loop);
        this.changes = new MasterChanges(settings, loop, log);
        OwnZone own = names == null ? null : names.own();
        this.ownDns = own == null || wantedNames == null
                ? null
                : new OwnServer(own, wantedNames, this::everythingApplied, this::stateAge);
        if (ownDns != null) {
            registry.register(new DnsServerCollector(ownDns.server()));
        }
        this.endpointRounds = new EndpointRounds(
                settings.quorum(),
                timing.silenceMillis(),
                endpointChecks::report,
                new OtherMasters()::askEndpoints,
                this::onArbitersThread);
        SentinelSettings asSentinel = settings.sentinel();
        this.sentinelGroups = asSentinel == null
                ? null
                : new SentinelGroups(
                        TimeUnit.MILLISECONDS.toNanos(timing.silenceMillis()),
                        Ticker.SYSTEM,
                        this::tellSentinelsClients);
        this.sentinel = asSentinel == null || sentinelGroups == null
                ? null
                : new SentinelServer(asSentinel, sentinelGroups, log::catchUp);
        this.agents = new LinkServer(
                settings.own().agents(), tls, LinkSettings.of(timing), LINK_THREADS, Ticker.SYSTEM, new Agents());
        registry.register(new RefusalsCollector(this::ports));
    }

    private List<PortLimits> ports() {
        List<PortLimits> ports = new ArrayList<>(List.of(agents.limits(), log.limits()));
        if (sentinel != null) {
            ports.add(sentinel.limits());
        }
        AdminServer listening = admin;
        if (listening != null) {
            ports.add(listening.limits());
        }
        return ports;
    }

    private static RaftSettings raftSettings(MasterSettings settings, @Nullable Tls tls) {
        int election = Math.max(300, settings.timing().electionTimeoutMillis());
        RaftSettings raft = RaftSettings.of(
                        settings.clusterId(),
                        settings.own().raft(),
                        settings.join()
                                ? List.of()
                                : settings.masters().values().stream()
                                        .map(MasterSettings.Addresses::raft)
                                        .toList(),
                        settings.dataDirectory())
                // The jitter shrinks and grows with the timeout: a narrow one makes split votes, a wide one long
                // outages.
                .withElection(election, Math.max(100, election * 3 / 5))
                .withSnapshots(SNAPSHOT_SECONDS, settings.snapshotEveryEntries());
        return tls == null ? raft : raft.withTls(PeerTls.of(tls));
    }

    /**
     * Opens the log and listens.
     *
     * @throws RaftStartException where the log can't be opened
     * @throws IOException where an address can't be bound
     */
    public void start() throws RaftStartException, IOException {
        if (tls != null) {
            renewal = new TlsRenewal(tls);
        }
        rehearse();
        loop.start();
        log.answerHearing(this::testify);
        log.answerEndpoints(request -> endpointChecks.report().thenApply(EndpointReportCodec::answer));
        log.start();
        loop.attach(log, new OtherMasters());
        agents.start();
        if (sentinel != null) {
            sentinel.start();
        }
        if (ownDns != null) {
            ownDns.start();
        }
        Endpoint address = settings.own().admin();
        admin = new AdminServer(
                new InetSocketAddress(address.host(), address.port()),
                new LoopBackend(this, settings, changes),
                registry,
                settings.adminTls() ? tls : null,
                access);
    }

    private static Access access(MasterSettings settings) {
        MasterSettings.AccessSettings given = settings.access();
        Endpoint admin = settings.own().admin();
        if (given != null) {
            Path tokens = given.tokensFile();
            return Access.of(
                    given.certificates(),
                    tokens == null ? null : new TokenFile(tokens, Ticker.SYSTEM),
                    given.openMetrics());
        }
        if (settings.tls() != null && settings.adminTls()) {
            LOG.warn(
                    "admin {}: whoever has a certificate of {} may command, but for agents; the section 'access' gives roles",
                    admin,
                    settings.tls().ca());
            return Access.anyCertificate(settings.tls().rules());
        }
        if (!admin.onLoopback()) {
            LOG.warn(
                    "admin {}: whoever reaches this port may command, in plain text; set 'tls' and 'access', or use a loopback"
                            + " address",
                    admin);
        }
        return Access.everybody();
    }

    /** Completes once the loop has seen all that was committed before. */
    private CompletableFuture<Void> everythingApplied() {
        return log.catchUp().thenCompose(nothing -> loop.ask(Arbiter::leading)).thenApply(leading -> null);
    }

    private StateAge stateAge() {
        long seen = leaderSeenNanos;
        return new StateAge(
                loop.appliedIndex(),
                seen == NEVER ? -1 : TimeUnit.NANOSECONDS.toMillis(Math.max(0, Ticker.SYSTEM.nanos() - seen)));
    }

    /** Names are read and written by the caller's thread: the decision thread has better to do. */
    private CompletableFuture<HearingAnswer> testify(HearingRequest request) {
        SortedSet<MemberName> asked = TestimonyCodec.asked(request);
        return loop.ask(arbiter -> arbiter.testify(asked, Ticker.SYSTEM.nanos()))
                .thenApply(TestimonyCodec::answer);
    }

    /**
     * Followers learn with the leader's next message only that an entry is committed. A question to the quorum is such a message, so their
     * DNS servers needn't wait for the next one that has another reason.
     */
    private void tellTheOthers() {
        log.catchUp().whenComplete((nothing, failure) -> {
            if (failure != null) {
                LOG.debug("the other masters learn of a change of names with the next message: {}", failure.toString());
            }
        });
    }

    private void onArbitersThread(Consumer<Arbiter> act) {
        loop.ask(arbiter -> {
                    act.accept(arbiter);
                    return true;
                })
                .whenComplete((done, failure) -> {
                    if (failure != null) {
                        LOG.warn("what a master finds of the endpoints isn't taken in: {}", failure.toString());
                    }
                });
    }

    private void tellSentinelsClients(String channel, String message) {
        LOG.info("sentinel: {} {}", channel, message);
        if (sentinel != null) {
            sentinel.publish(channel, message);
        }
    }

    /** Beside the start: the first leader shouldn't have to wait for it. */
    private void rehearse() {
        Thread thread = new Thread(
                () -> {
                    int completed = new Rehearsal(limits, codec).play(REHEARSALS);
                    LOG.info("rehearsed {} failovers, {} completed", REHEARSALS, completed);
                },
                "rehearsal");
        thread.setDaemon(true);
        thread.start();
    }

    /** The loop, for whoever asks or commands. */
    public MasterLoop loop() {
        return loop;
    }

    /** The replicated log, for membership. */
    public JraftNode log() {
        return log;
    }

    /** How it stands with each group's names; empty where no DNS is kept, and on followers. */
    public SortedMap<String, NamePublisher.NamesStatus> names() {
        return publisher == null ? new TreeMap<>() : publisher.status();
    }

    /** What keeps the zone, for people; empty where these masters keep none. */
    String zoneKeptBy() {
        return publisher == null ? "" : publisher.provider();
    }

    /** Sends names again; a sentence about what is done. */
    CommandResult repairNames(String group) {
        int sent = publisher == null ? 0 : publisher.repair(group);
        if (sent > 0) {
            return new CommandResult(true, "the names of " + sent + " group(s) are sent to the DNS again", 0, 0);
        }
        return new CommandResult(
                false,
                publisher == null
                        ? "these masters keep no DNS names (section 'dns' of their settings)"
                        : group.isEmpty()
                                ? "there are no names yet: no group is adopted"
                                : "no names of a group '" + group + "' (known: "
                                        + String.join(
                                                ", ", loop.state().groups().keySet()) + ")",
                0,
                0);
    }

    /** Completes once every server was asked about the names of a group, or of all where empty. */
    CompletableFuture<Void> readNames(String group) {
        return publisher == null ? CompletableFuture.completedFuture(null) : publisher.readNow(group);
    }

    /** Why these records can't be put into the zone; empty where nothing speaks against them. */
    CompletableFuture<String> recordsProblem(RecordsByHand records) {
        OwnServer own = ownDns;
        return own == null
                ? CompletableFuture.completedFuture(
                        "these masters don't answer for a zone themselves, so they keep names of groups only, and not '"
                                + records.key() + "' (dns: provider: embedded)")
                : loop.ask(arbiter -> {
                    String problem = own.problem(records, arbiter.state());
                    return problem == null ? "" : problem;
                });
    }

    /** Why no traffic class or group of endpoints may have this name; null where one may. */
    @Nullable
    String nameProblem(String name) {
        if (wantedNames == null) {
            return "these masters keep no DNS names, so none leads anywhere (section 'dns' of their settings)";
        }
        String problem =
                wantedNames.problem(name, new TreeSet<>(loop.state().groups().keySet()));
        if (problem == null) {
            problem = wantedNames.laterProblem(name);
        }
        OwnZone own = settings.names() == null ? null : settings.names().own();
        return problem == null && own != null && own.nameServers().containsKey(name)
                ? "the name '" + name + "' is that of a server of the zone (another name)"
                : problem;
    }

    /** What speaks against this master's own well-being, as sentences; empty while all is well. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        if (!audit.problem().isEmpty()) {
            problems.add(audit.problem());
        }
        TlsRenewal looking = renewal;
        if (looking != null && !looking.problem().isEmpty()) {
            problems.add(settings.name() + ": " + looking.problem());
        }
        if (!access.problem().isEmpty()) {
            problems.add(settings.name() + ": " + access.problem());
        }
        return problems;
    }

    /** By group, why agents' heartbeats weren't believed lately, and what the check of its names found. */
    SortedMap<String, List<String>> groupProblems() {
        long now = Ticker.SYSTEM.nanos();
        long recent = TimeUnit.MILLISECONDS.toNanos(10L * settings.timing().silenceMillis());
        refusals.values().removeIf(refusal -> now - refusal.nanos() > recent);
        TreeMap<String, List<String>> problems = new TreeMap<>();
        refusals.values()
                .forEach(refusal -> problems.computeIfAbsent(refusal.group(), g -> new ArrayList<>())
                        .add(refusal.sentence()));
        classProblems.forEach((group, sentences) ->
                problems.computeIfAbsent(group, g -> new ArrayList<>()).addAll(sentences));
        if (ownDns != null) {
            ownDns.problems()
                    .forEach((group, sentence) -> problems.computeIfAbsent(group, g -> new ArrayList<>())
                            .add("DNS: " + sentence));
        }
        if (publisher != null) {
            for (var found : publisher.warnings().entrySet()) {
                List<String> sentences = problems.computeIfAbsent(found.getKey(), g -> new ArrayList<>());
                for (String warning : found.getValue()) {
                    sentences.add("DNS: " + warning);
                }
            }
        }
        return problems;
    }

    private void namesChanged(NamePublisher.NamesStatus status) {
        metrics.publishedNames(
                status.wanted().group(),
                status.served(),
                publisher == null ? new TreeMap<>() : publisher.behindByServer());
        if (status.served()) {
            loop.namesServed(status.wanted().group(), status.wanted().epoch(), status.gone());
        }
    }

    private final class OtherMasters implements MasterLoop.Witnesses {
        private final Duration limit = Duration.ofMillis(settings.timing().silenceMillis());

        @Override
        public CompletableFuture<Testimony> ask(String master, SortedSet<MemberName> unheard) {
            return log.askHearing(raftOf(master), TestimonyCodec.request(unheard), limit)
                    .thenApply(answer -> TestimonyCodec.testimony(unheard, answer));
        }

        @Override
        public void handOver(String master) {
            changes.transfer(
                            "arbiter",
                            master + " hears members that " + settings.name() + " doesn't hear",
                            raftOf(master))
                    .thenAccept(result -> {
                        if (!result.accepted()) {
                            LOG.warn("the lead stays here: {}", result.sentence());
                        }
                    });
        }

        private CompletableFuture<EndpointReport> askEndpoints(String master) {
            return log.askEndpoints(raftOf(master), limit).thenApply(EndpointReportCodec::report);
        }

        private Endpoint raftOf(String master) {
            MasterSettings.Addresses addresses = settings.masters().get(master);
            if (addresses == null) {
                throw new IllegalArgumentException("no master '" + master + "' in the settings");
            }
            return addresses.raft();
        }
    }

    private final class Agents implements LinkServerListener {
        @Override
        public void connected(AgentConnection agent) {
            LOG.info("{} is there", agent);
        }

        @Override
        public void heartbeat(AgentConnection from, Heartbeat heartbeat, long arrivedNanos) {
            loop.heard(heartbeat, arrivedNanos, from::send);
        }

        @Override
        public void request(AgentConnection from, PeerRequest request) throws WireException {
            throw new WireException("frame: a request for a permission (must be a heartbeat: this is a master)");
        }

        @Override
        public void disconnected(AgentConnection agent) {
            LOG.info("{} is gone", agent);
        }
    }

    private final class LoopObserver implements MasterLoop.Observer {
        private boolean leads;

        /** Since the last tick. */
        private boolean namesAreNew;

        @Override
        public void applied(ClusterState before, ClusterState after) {
            metrics.applied(after, MasterLoop.newEvents(before, after), leads);
            audit.offer(after.recent());
            if (ownDns != null) {
                ownDns.applied(after);
            }
            if (!before.endpoints().equals(after.endpoints())) {
                endpointChecks.want(after.endpoints());
                metrics.endpoints(after.endpoints(), settings.sitesByRegion());
            }
            if (leads) {
                want(before, after);
                if (ownDns != null && before.namesIndex() != after.namesIndex()) {
                    namesAreNew = true;
                    tellTheOthers();
                }
            }
            if (sentinelGroups != null) {
                sentinelGroups.applied(after);
            }
        }

        @Override
        public void leading(boolean leading, long term, ClusterState state) {
            leads = leading;
            metrics.leading(leading);
            if (leading) {
                want(ClusterState.empty(), state);
            } else if (publisher != null) {
                publisher.forgetAll();
                classProblems.clear();
            }
        }

        @Override
        public void tick(Arbiter arbiter, long nowNanos) {
            if (log.leader() != null) {
                leaderSeenNanos = nowNanos;
            }
            if (namesAreNew) {
                // Once more: who hadn't stored the entry when a quorum had couldn't apply it when it was told.
                namesAreNew = false;
                tellTheOthers();
            }
            endpointRounds.tick(arbiter, nowNanos);
            metrics.looked(
                    arbiter,
                    loop.droppedHeartbeats(),
                    !audit.problem().isEmpty(),
                    TimeUnit.MILLISECONDS.toNanos(settings.timing().silenceMillis()),
                    nowNanos);
            if (sentinelGroups != null) {
                sentinelGroups.tick(arbiter);
            }
            if (supervisor.present()) {
                int groups = arbiter.state().groups().size();
                supervisor.status(
                        (leads ? "leads" : "follows") + ", " + groups + " groups, log index " + loop.appliedIndex());
                supervisor.turned(nowNanos);
            }
        }

        private void want(ClusterState before, ClusterState after) {
            if (publisher == null || wantedNames == null) {
                return;
            }
            for (Group group : after.groups().values()) {
                if (!group.equals(before.group(group.name()))) {
                    WantedNamesOfGroup.Reading reading = wantedNames.of(group);
                    classProblems.put(group.name(), reading.sentences());
                    publisher.want(reading.names());
                }
            }
            for (EndpointGroup group : after.endpoints().values()) {
                if (!group.equals(before.endpoints().get(group.name()))) {
                    publisher.want(wantedNames.of(group, settings.sitesByRegion()));
                }
            }
            after.formerEndpoints().forEach((name, index) -> {
                if (!index.equals(before.formerEndpoints().get(name))) {
                    publisher.want(wantedNames.ofFormerEndpoints(name, index));
                }
            });
            for (String name : before.formerEndpoints().keySet()) {
                if (!after.formerEndpoints().containsKey(name)
                        && !after.endpoints().containsKey(name)) {
                    publisher.forget(name);
                    metrics.forgetNames(name);
                }
            }
        }

        @Override
        public void refused(Heartbeat heartbeat, String sentence) {
            metrics.refusedHeartbeat();
            String key =
                    heartbeat.sighting().group() + "/" + heartbeat.sighting().member();
            if (refusals.put(key, new Refusal(heartbeat.sighting().group(), sentence, Ticker.SYSTEM.nanos())) == null) {
                LOG.warn("heartbeat refused: {}", sentence);
            }
        }

        @Override
        public void fault(String sentence, Throwable cause) {
            faults.fault(sentence, cause);
        }
    }

    /** Stops listening, leaves the group's traffic, ends all threads. */
    @Override
    public void close() {
        if (admin != null) {
            admin.close();
        }
        agents.close();
        if (sentinel != null) {
            sentinel.close();
        }
        if (ownDns != null) {
            ownDns.close();
        }
        log.close();
        loop.close();
        endpointChecks.close();
        if (publisher != null) {
            publisher.close();
        }
        audit.close();
        if (renewal != null) {
            renewal.close();
        }
    }
}
