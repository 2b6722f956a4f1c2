package org.haarbiter.trial;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.NetworkLab;
import org.haarbiter.lab.ServerProcess;

/** A whole arena with its parts as a story finds them. One thread. */
final class Scene {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Arena arena;
    private final Random random;
    private final DatabaseServer primary;
    private final String leader;

    Scene(Arena arena, Random random) {
        this.arena = arena;
        this.random = random;
        this.primary = arena.awaitPrimary(LIMIT);
        this.leader = arena.awaitLeader(LIMIT);
    }

    Arena arena() {
        return arena;
    }

    NetworkLab network() {
        return arena.network();
    }

    DatabaseServer primary() {
        return primary;
    }

    /** A number by chance, 0 to so many. */
    long upTo(int most) {
        return random.nextInt(most + 1);
    }

    /** The primary by now. */
    DatabaseServer primaryNow() {
        return arena.awaitPrimary(LIMIT);
    }

    /** All members but the primary. */
    List<DatabaseServer> replicas() {
        List<DatabaseServer> replicas = new ArrayList<>(arena.databases().servers());
        replicas.remove(primary);
        return replicas;
    }

    /** One of them, by chance. */
    DatabaseServer replica() {
        List<DatabaseServer> replicas = replicas();
        return replicas.get(random.nextInt(replicas.size()));
    }

    /** The leading master's name. */
    String leader() {
        return leader;
    }

    ServerProcess leaderProcess() {
        return arena.master(leader);
    }

    List<ServerProcess> masters() {
        return arena.masterNames().stream().map(arena::master).toList();
    }

    NetworkLab.Node host(DatabaseServer server) {
        return arena.node(server.name());
    }

    NetworkLab.Node leaderHost() {
        return arena.node(leader);
    }

    List<NetworkLab.Node> masterHosts() {
        return arena.masterNames().stream().map(arena::node).toList();
    }

    /** The primary's host, and that of its site's clients, who go on talking to it. */
    List<NetworkLab.Node> primaryWithClients() {
        return List.of(host(primary), arena.clients(arena.siteOf(primary)));
    }

    /** The servers' and clients' hosts of the primary's site, and the leader's: one master, so the others are a majority. */
    List<NetworkLab.Node> primarysSiteWithLeader() {
        List<NetworkLab.Node> side = new ArrayList<>(arena.site(arena.siteOf(primary)));
        side.removeAll(masterHosts());
        side.add(leaderHost());
        return side;
    }

    /** Every host that has to do with the group and isn't among these. */
    List<NetworkLab.Node> othersThan(List<NetworkLab.Node> side) {
        List<NetworkLab.Node> others = new ArrayList<>();
        for (String site : List.of("north", "south", "west")) {
            others.addAll(arena.site(site));
        }
        others.removeAll(side);
        return others;
    }

    /** Whether so many sealed replicas are enough for the group's durability to promote one: see {@code docs/guarantees.md}. */
    boolean provable(int sealed) {
        if (!arena.plan().engine().isSql()) {
            return true;
        }
        int followers = arena.plan().members() - 1;
        int acknowledgers = arena.plan().engine() == ArenaPlan.Engine.MYSQL ? (followers + 1) / 2 : 1;
        return sealed >= followers - acknowledgers + 1;
    }

    /** Lets the fault last. */
    static void last(long millis) {
        lastUntil(System.nanoTime() + millis * 1_000_000L);
    }

    /** The same until a moment of {@link System#nanoTime}. */
    static void lastUntil(long end) {
        while (System.nanoTime() - end < 0) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }
}
