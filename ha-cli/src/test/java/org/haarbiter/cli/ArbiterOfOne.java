package org.haarbiter.cli;

import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.DnsView;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsView;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.admin.NamesView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.WhyView;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.link.Tls;
import org.haarbiter.master.admin.Access;
import org.haarbiter.master.admin.AdminBackend;
import org.haarbiter.master.admin.AdminException;
import org.haarbiter.master.admin.AdminServer;
import org.haarbiter.master.admin.MasterFacts;
import org.haarbiter.master.admin.Requests;
import org.haarbiter.master.admin.Views;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.master.names.WantedNamesOfGroup;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * A real arbiter behind a real admin server, with a log of one node and members in memory that do what their goals say. Each
 * request first lets everything settle.
 */
final class ArbiterOfOne implements AdminBackend, AutoCloseable {
    private static final Limits LIMITS = new Limits(
            1_500,
            3_000,
            20,
            50,
            5_000,
            0,
            Policies.of(Policy.LOSSLESS),
            10_000,
            WhenArbiterLost.HOLD,
            Storms.usual(1_500),
            Blocking.USUAL,
            10_000);
    private static final WantedNamesOfGroup NAMES = new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1);

    /** A change that a member reports is acted on only once it was seen again after the leader's next answer. */
    private static final int QUIET_ROUNDS = 3;

    private static final String HISTORY = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-";

    /** A server and its agent. */
    static final class Server {
        final String group;
        final String name;
        final Endpoint address;
        ServerState state = ServerState.RUNNING;
        String detail = "";
        List<String> problems = List.of();
        Guard guard = Guard.NONE;

        @Nullable
        Endpoint source;

        boolean writable;
        boolean obeys = true;
        boolean heard = true;
        int transactions = 100;
        int acknowledgersRequired;
        long sealedEpoch;
        long fencedEpoch;
        long openEpoch;
        long sequence;
        long answered;
        long term;
        long epoch;
        List<String> list = List.of();

        Server(String group, String name, Endpoint address, @Nullable Endpoint source) {
            this.group = group;
            this.name = name;
            this.address = address;
            this.source = source;
            this.writable = source == null;
        }

        void obey(Goal goal) {
            answered = sequence;
            term = goal.term();
            epoch = goal.epoch();
            list = goal.peers().names();
            if (!obeys || goal.role() == Role.OBSERVE) {
                return;
            }
            boolean primary = goal.role() == Role.PRIMARY;
            writable = primary;
            openEpoch = primary ? goal.epoch() : 0;
            fencedEpoch = primary ? 0 : goal.epoch();
            sealedEpoch = goal.role() == Role.SEALED || goal.role() == Role.FENCED ? goal.epoch() : 0;
            source = goal.source();
            acknowledgersRequired = primary ? goal.acknowledgers() : 0;
        }

        Heartbeat heartbeat(int replicas) {
            boolean follows = source != null && state == ServerState.RUNNING;
            return new Heartbeat(
                    1,
                    ++sequence,
                    answered,
                    new Sighting(
                            group,
                            name,
                            "north",
                            "mysql",
                            PositionKind.MYSQL_GTID,
                            address,
                            state,
                            detail,
                            "boot-1-" + name,
                            "uuid-" + name,
                            "8.4.6",
                            writable,
                            source,
                            follows,
                            follows,
                            HISTORY + transactions,
                            HISTORY + transactions,
                            0,
                            follows ? 10 : -1,
                            term,
                            0,
                            sealedEpoch,
                            fencedEpoch,
                            openEpoch,
                            writable ? replicas : 0,
                            acknowledgersRequired,
                            0,
                            true,
                            100,
                            new Peering(new Endpoint("127.0.0.1", 7401), list, epoch, false, -1),
                            false,
                            "",
                            guard,
                            null,
                            problems));
        }
    }

    private final Arbiter arbiter = new Arbiter(LIMITS, Masters.ALONE, System.nanoTime());
    private final TreeMap<String, Server> servers = new TreeMap<>();
    private final AdminServer http;

    /** Who may do what. */
    final Access access;

    private ClusterState state = ClusterState.empty();
    private long index;

    /** What the answer to the next request of anything is about; set by tests. */
    volatile boolean leads = true;

    volatile @Nullable Endpoint leaderElsewhere;
    volatile String dnsProblem = "";
    volatile @Nullable CommandRequest lastMastersCommand;

    ArbiterOfOne() throws IOException {
        this(null, Access.everybody());
    }

    /** Whose admin port speaks TLS unless that is null. */
    ArbiterOfOne(@Nullable Tls tls, Access access) throws IOException {
        this.access = access;
        arbiter.leaderStarted(7, System.nanoTime());
        http = new AdminServer(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), this, new CollectorRegistry(), tls, access);
    }

    /** A group of three: db-1 is open, db-2 and db-3 follow it. */
    static ArbiterOfOne withOrders() throws IOException {
        return withOrders(null, Access.everybody());
    }

    static ArbiterOfOne withOrders(@Nullable Tls tls, Access access) throws IOException {
        ArbiterOfOne arbiter = new ArbiterOfOne(tls, access);
        arbiter.addGroup("orders", 1);
        arbiter.settle();
        return arbiter;
    }

    void addGroup(String group, int network) {
        Endpoint primary = new Endpoint("127.0." + network + ".1", 3306);
        for (int i = 1; i <= 3; i++) {
            Endpoint address = new Endpoint("127.0." + network + "." + i, 3306);
            servers.put(group + "/db-" + i, new Server(group, "db-" + i, address, i == 1 ? null : primary));
        }
    }

    Server server(String name) {
        Server server = servers.get(name);
        if (server == null) {
            throw new IllegalArgumentException("no server " + name);
        }
        return server;
    }

    String address() {
        return "127.0.0.1:" + http.port();
    }

    /** Members report, the arbiter decides, members obey, until nothing changes. */
    synchronized void settle() {
        int quiet = 0;
        for (int round = 0; quiet < QUIET_ROUNDS && round < 50; round++) {
            for (Server server : servers.values()) {
                if (server.heard) {
                    arbiter.heard(server.heartbeat(2), System.nanoTime());
                }
            }
            quiet++;
            for (Entry entry : arbiter.decide(System.nanoTime(), System.currentTimeMillis())) {
                quiet = 0;
                commit(entry);
            }
            Entry serving = arbiter.serving(System.nanoTime(), System.currentTimeMillis());
            if (serving != null) {
                quiet = 0;
                commit(serving);
            }
            for (Server server : servers.values()) {
                Goal goal = arbiter.goal(server.group, server.name);
                if (goal != null && server.heard && server.state == ServerState.RUNNING) {
                    server.obey(goal);
                }
            }
            for (Group group : state.groups().values()) {
                TreeSet<String> gone = new TreeSet<>(group.classes().keySet());
                gone.removeIf(
                        name -> !TrafficClass.REMOVED.equals(group.classes().get(name)));
                if (dnsProblem.isEmpty()
                        && group.phase() instanceof Phase.Steady
                        && (group.publishedEpoch() < group.epoch() || !gone.isEmpty())) {
                    arbiter.namesServed(group.name(), group.epoch(), gone, System.nanoTime());
                    quiet = 0;
                }
            }
        }
    }

    /** The one master finds those endpoints healthy, and those not; the arbiter judges. */
    synchronized void findsEndpoints(String group, Map<String, Boolean> healthy) {
        TreeMap<String, EndpointReport.Finding> found = new TreeMap<>();
        healthy.forEach((endpoint, well) ->
                found.put(endpoint, new EndpointReport.Finding(well, well ? "connected" : "connecting: refused")));
        long setIndex = Objects.requireNonNull(state.endpoints().get(group)).setIndex();
        arbiter.reportedEndpoints(
                "m1",
                new EndpointReport(new TreeMap<>(Map.of(group, new EndpointReport.OfGroup(setIndex, found)))),
                System.nanoTime());
        commit(Objects.requireNonNull(arbiter.judgeEndpoints(System.nanoTime(), System.currentTimeMillis())));
    }

    private long commit(Entry entry) {
        state = entry.applyTo(state, ++index);
        arbiter.applied(state, System.nanoTime());
        arbiter.proposalEnded(entry.group());
        return index;
    }

    private MasterFacts facts() {
        TreeMap<String, NamesView> names = new TreeMap<>();
        TreeMap<String, List<String>> problems = new TreeMap<>();
        for (Group group : state.groups().values()) {
            WantedNamesOfGroup.Reading reading = NAMES.of(group);
            boolean served = dnsProblem.isEmpty();
            names.put(
                    group.name(),
                    Views.names(
                            reading.names(),
                            served,
                            dnsProblem,
                            List.of(new ServerReading(
                                    "127.0.0.53:53",
                                    served ? ServerReading.State.MATCHES : ServerReading.State.UNREACHABLE,
                                    dnsProblem))));
            problems.put(group.name(), reading.sentences());
        }
        String leader = leads ? "m1" : "";
        return new MasterFacts(
                "test",
                "m1",
                leader,
                7,
                index,
                List.of(
                        new MasterView(
                                "m1", "127.0.0.1:7100", "127.0.0.1:7200", address(), leads ? "leader" : "follower", ""),
                        new MasterView("m2", "127.0.0.2:7100", "127.0.0.2:7200", "127.0.0.2:7300", "follower", ""),
                        new MasterView(
                                "m3",
                                "127.0.0.3:7100",
                                "127.0.0.3:7200",
                                "127.0.0.3:7300",
                                "unreachable",
                                "connection refused")),
                "db.test",
                "a test",
                new TreeMap<>(),
                names,
                problems,
                List.of());
    }

    private synchronized <T> CompletableFuture<T> answer(boolean local, Callable<T> question) {
        try {
            if (!leads && !local) {
                throw AdminException.notLeader(leaderElsewhere);
            }
            settle();
            return CompletableFuture.completedFuture(question.call());
        } catch (Exception e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public CompletableFuture<StatusView> status(boolean local) {
        return answer(local, () -> Views.status(arbiter, facts(), System.nanoTime(), System.currentTimeMillis()));
    }

    @Override
    public CompletableFuture<GroupView> group(String name, boolean local) {
        return answer(local, () -> Views.group(arbiter, facts(), name, System.nanoTime(), System.currentTimeMillis()));
    }

    @Override
    public CompletableFuture<WhyView> why(String name, boolean local) {
        return answer(local, () -> Views.why(arbiter, facts(), name, System.nanoTime(), System.currentTimeMillis()));
    }

    @Override
    public CompletableFuture<DnsView> dns(@Nullable String group, boolean readNow, boolean local) {
        return answer(local, () -> Views.dns(arbiter, facts(), group));
    }

    @Override
    public CompletableFuture<EndpointsView> endpoints(boolean local) {
        return answer(local, () -> Views.endpoints(arbiter, facts(), System.nanoTime()));
    }

    @Override
    public CompletableFuture<EndpointGroupView> endpointGroup(String name, boolean local) {
        return answer(local, () -> Views.endpointGroup(arbiter, facts(), name, System.nanoTime()));
    }

    @Override
    public CompletableFuture<LogView> log(LogQuery query, boolean local) {
        return answer(local, () -> Views.log(state, facts(), query));
    }

    @Override
    public CompletableFuture<MastersView> masters(boolean local) {
        return answer(local, () -> Views.masters(facts()));
    }

    @Override
    public CompletableFuture<CommandResult> command(CommandRequest request) {
        return answer(false, () -> {
            Command command = Requests.command(request);
            if (command == null) {
                lastMastersCommand = request;
                return new CommandResult(true, request.action() + " " + request.member(), 0, ++index);
            }
            Command.Outcome outcome = arbiter.command(command, System.nanoTime(), System.currentTimeMillis());
            Entry entry = outcome.entry();
            if (entry == null) {
                return new CommandResult(false, outcome.sentence(), 0, 0);
            }
            long at = commit(entry);
            Group group = state.group(request.group());
            return new CommandResult(true, outcome.sentence(), group == null ? 0 : group.nextEpoch(), at);
        });
    }

    @Override
    public boolean leading() {
        return leads;
    }

    @Override
    public void close() {
        http.close();
    }
}
