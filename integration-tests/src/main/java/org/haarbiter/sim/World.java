package org.haarbiter.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Explanation;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/** Masters, groups, agents, servers, network, clients and DNS, all in one timeline. */
final class World {

    /**
     * What a world is made of.
     *
     * @param open the group's first member is open, and waits for this many acknowledgements, before it is adopted; -1 where
     *     it comes up fenced
     * @param guarded a service manager fences servers whose agents end or stand still
     * @param whenArbiterLost the masters' policy
     * @param groups how many; where there are several, few may switch at once, and one that failed over waits before the next
     */
    record Shape(
            int masters,
            int members,
            PositionKind kind,
            Policy policy,
            boolean guarded,
            int open,
            WhenArbiterLost whenArbiterLost,
            int groups) {}

    final Timeline timeline;
    final Chance chance;
    final SimNetwork network;
    final Limits limits;
    final Truth truth;
    final SimDns dns;
    final @Nullable SimEndpoints endpoints;
    final Shape shape;
    final List<SimMaster> masters = new ArrayList<>();
    final List<SimGroup> groups = new ArrayList<>();
    final TreeMap<String, Long> counts = new TreeMap<>();
    final TreeMap<String, String> sites = new TreeMap<>();
    private final TreeMap<String, SimNetwork.Stream> streams = new TreeMap<>();
    private final Chance recovery;
    long writes;
    boolean calm;

    World(Shape shape, Chance chance, boolean everything) {
        this.shape = shape;
        this.chance = chance;
        this.timeline = new Timeline(everything);
        this.network = new SimNetwork(timeline, chance.split("network"));
        boolean many = shape.groups() > 1;
        this.limits = new Limits(
                500,
                1_000,
                10,
                100,
                5_000,
                1_000,
                Policies.of(shape.policy()),
                1_500,
                shape.whenArbiterLost(),
                many ? new Storms(2, 50, 3_000, 2, 1 + shape.groups() % 2) : Storms.usual(500),
                many ? new Blocking(300, 1_500, 4_000) : Blocking.NONE,
                10_000);
        this.truth = new Truth(this);
        this.dns = new SimDns(this, chance.split("dns"));
        this.recovery = chance.split("recovery");
        for (int i = 1; i <= shape.masters(); i++) {
            sites.put("m" + i, "s" + (1 + (i - 1) % 3));
        }
        TreeMap<String, String> quorum = new TreeMap<>(sites);
        quorum.keySet().forEach(name -> masters.add(new SimMaster(name, quorum, this, chance.split(name))));
        for (int i = 1; i <= shape.groups(); i++) {
            addGroup(i == 1 ? "" : String.valueOf(i));
        }
        this.endpoints = some(this, chance.split("endpoints"));
    }

    private static @Nullable SimEndpoints some(World world, Chance chance) {
        return chance.percent(15) ? new SimEndpoints(world, chance) : null;
    }

    private void addGroup(String number) {
        SimGroup group = new SimGroup("g" + number, shape.kind(), shape.policy(), shape.members(), this);
        groups.add(group);
        for (int i = 1; i <= shape.members(); i++) {
            String name = (char) ('a' + i - 1) + number;
            Chance own = chance.split(name);
            SimServer server = new SimServer(name, i, shape.members(), group, timeline, network, own);
            String site = "s" + (1 + (i - 1) % 3);
            sites.put(name, site);
            group.servers.add(server);
            group.agents.add(new SimAgent(server, site, this, own.split("agent")));
        }
    }

    void start() {
        masters.forEach(SimMaster::start);
        for (SimGroup group : groups) {
            SimServer head = group.servers.get(0);
            for (SimServer server : group.servers) {
                server.boot(1);
                boolean first = server == head;
                server.configured(first ? null : head.address, first && shape.open() >= 0, first ? shape.open() : 0);
                clients(server, chance.split("client-" + server.name));
            }
            group.agents.forEach(SimAgent::start);
        }
        if (endpoints != null) {
            endpoints.start();
        }
    }

    private void clients(SimServer server, Chance own) {
        timeline.after(own.millis(5, 25), () -> {
            server.write();
            clients(server, own);
        });
    }

    long wallMillis() {
        return 1_700_000_000_000L + timeline.now() / 1_000_000;
    }

    void count(String what) {
        counts.merge(what, 1L, Long::sum);
    }

    private SimNetwork.Stream stream(String from, String to) {
        String key = from + ">" + to;
        SimNetwork.Stream present = streams.get(key);
        if (present == null || (present.broken && !network.cut(from, to))) {
            present = new SimNetwork.Stream();
            streams.put(key, present);
        }
        return present;
    }

    void heartbeat(SimAgent agent, Heartbeat heartbeat) {
        for (SimMaster master : masters) {
            int life = master.life();
            String from = agent.server.name;
            network.stream(
                    from,
                    master.name,
                    stream(from, master.name),
                    () -> master.arrive(life, () -> {
                        master.heard(agent, heartbeat);
                    }));
        }
    }

    void answer(SimMaster master, SimAgent agent, Answer answer) {
        String to = agent.server.name;
        network.stream(master.name, to, stream(master.name, to), () -> {
            int life = agent.life();
            agent.arrive(life, () -> agent.answered(answer));
        });
    }

    /** An agent asks another of its group, whose answer comes back the same way. */
    void request(SimAgent from, SimAgent to, PeerRequest request) {
        String asking = from.server.name;
        String asked = to.server.name;
        network.stream(
                asking,
                asked,
                stream(asking, asked),
                () -> to.arrive(to.life(), () -> {
                    PeerAnswer answer = to.asked(request);
                    network.stream(
                            asked,
                            asking,
                            stream(asked, asking),
                            () -> from.arrive(from.life(), () -> from.peerAnswered(answer)));
                }));
    }

    /** The server's own supervisor starts it again after a while. */
    void supervise(SimServer server) {
        long delay = calm || recovery.percent(70) ? recovery.millis(100, 2_000) : recovery.millis(2_000, 8_000);
        timeline.after(delay, () -> bootIfDown(server));
    }

    void bootIfDown(SimServer server) {
        if (!server.up()) {
            server.boot(recovery.millis(30, 400));
            timeline.note("server " + server.name + " starts as " + server.instance());
        }
    }

    @Nullable
    SimMaster leader() {
        SimMaster best = null;
        for (SimMaster master : masters) {
            if (master.leads() && !master.frozen() && (best == null || master.term() > best.term())) {
                best = master;
            }
        }
        return best;
    }

    Command.@Nullable Outcome command(Command command) {
        SimMaster leader = leader();
        if (leader == null) {
            return null;
        }
        Command.Outcome outcome = leader.command(command);
        count("command-" + command.getClass().getSimpleName() + (outcome.entry() == null ? "-refused" : ""));
        timeline.note("command " + command + ": " + outcome.sentence());
        return outcome;
    }

    /** What stands in the way, as the leader's rules say it. */
    String why(SimGroup group) {
        SimMaster leader = leader();
        if (leader == null) {
            return "no leader";
        }
        StringBuilder text = new StringBuilder();
        for (Explanation next : leader.arbiter().why(group.name, leader.clock(), wallMillis())) {
            if (!next.outcome().equals("passes") && !next.outcome().equals("not asked")) {
                text.append(next.rule())
                        .append(' ')
                        .append(next.outcome())
                        .append(": ")
                        .append(next.sentence());
            }
        }
        return text.toString();
    }

    @Nullable
    Group committed(SimGroup group) {
        ClusterState state = truth.newest();
        return state.group(group.name);
    }

    static String describe(Entry entry) {
        String kind = entry.getClass().getSimpleName();
        if (entry instanceof Entry.SwitchStarted e) {
            return kind + " " + e.group() + " from epoch " + e.baseEpoch() + " " + e.trigger()
                    + (e.planned() ? " planned" : "") + (e.target() == null ? "" : " to " + e.target())
                    + (e.acceptDataLoss() ? " accepting data loss" : "");
        }
        if (entry instanceof Entry.CandidateChosen e) {
            return kind + " " + e.group() + " epoch " + e.epoch() + " " + e.candidate() + ": " + e.proof();
        }
        if (entry instanceof Entry.MemberJoined e) {
            return kind + " " + e.group() + " epoch " + e.epoch() + " "
                    + e.member().name();
        }
        if (entry instanceof Entry.MemberAway e) {
            return kind + " " + e.group() + " epoch " + e.epoch() + " " + e.member();
        }
        if (entry instanceof Entry.AcknowledgersChanged e) {
            return kind + " " + e.group() + " epoch " + e.epoch() + " " + e.acknowledgers();
        }
        if (entry instanceof Entry.GroupAdopted e) {
            return kind + " " + e.group() + " " + e.primary() + " acknowledgers " + e.acknowledgers();
        }
        return kind + " " + entry.group();
    }
}
