package org.haarbiter.endtoend;

import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.daemon.AgentNode;
import org.haarbiter.agent.daemon.Supervision;
import org.haarbiter.agent.engine.memory.MemoryEngine;
import org.haarbiter.agent.engine.memory.MemoryFleet;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.dns.memory.MemoryDns;
import org.haarbiter.dns.rfc2136.Rfc2136Settings;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.master.daemon.MasterNode;
import org.haarbiter.master.daemon.MasterSettings;
import org.haarbiter.master.raft.RaftStartException;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.settings.Timing;
import org.haarbiter.supervisor.Supervisor;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** A whole arbiter in this JVM: real masters, agents, Raft and links on loopback; servers and DNS in memory. */
final class MemoryArbiter implements AutoCloseable {
    static final String GROUP = "orders";
    private static final long LIMIT_MILLIS = 30_000;

    final MemoryFleet fleet = new MemoryFleet();
    final MemoryDns dns = new MemoryDns("test.");
    final Map<String, MemoryServer> servers = new LinkedHashMap<>();
    final List<String> faults = new CopyOnWriteArrayList<>();
    private final Path directory;
    private final Timing timing;
    private final TreeMap<String, MasterSettings.Addresses> addresses = new TreeMap<>();
    private final TreeMap<String, MasterNode> masters = new TreeMap<>();
    private final TreeMap<String, AgentNode> agents = new TreeMap<>();
    private final TreeMap<String, CollectorRegistry> registries = new TreeMap<>();

    MemoryArbiter(Path directory, Timing timing, int masterCount) throws IOException {
        this.directory = directory;
        this.timing = timing;
        for (int i = 1; i <= masterCount; i++) {
            addresses.put("m" + i, new MasterSettings.Addresses(free(), free(), free(), "", free()));
        }
    }

    private static Endpoint free() throws IOException {
        return FreeEndpoint.at("127.78.0.1");
    }

    void startMasters() throws IOException, RaftStartException {
        for (String name : addresses.keySet()) {
            startMaster(name);
        }
    }

    void startMaster(String name) throws IOException, RaftStartException {
        Path home = Files.createDirectories(directory.resolve(name));
        Endpoint zone = new Endpoint("127.0.0.1", 53);
        MasterSettings settings = new MasterSettings(
                "memory",
                name,
                addresses,
                false,
                home.resolve("raft"),
                home.resolve("switches.jsonl"),
                timing,
                Policies.of(Policy.LOSSLESS),
                10_000,
                WhenArbiterLost.HOLD,
                5_000,
                2 * timing.silenceMillis(),
                Storms.usual(timing.silenceMillis()),
                Blocking.NONE,
                1_000,
                new MasterSettings.Names(
                        "{group}-rw",
                        "{group}-ro",
                        1,
                        10_000,
                        500,
                        1_000,
                        new Rfc2136Settings("test.", zone, List.of(zone), "key", "hmac-sha256", "c2VjcmV0", 1)),
                null,
                null,
                false,
                null);
        CollectorRegistry registry = new CollectorRegistry();
        registries.put(name, registry);
        MasterNode node = new MasterNode(settings, dns, registry, Supervisor.none(), (sentence, cause) -> {
            cause.printStackTrace();
            faults.add(sentence + ": " + cause);
        });
        masters.put(name, node);
        node.start();
    }

    void stopMaster(String name) {
        MasterNode node = masters.remove(name);
        if (node != null) {
            node.close();
        }
    }

    /** The first server is the one that the others are told to follow. */
    void startAgents(String... names) throws IOException {
        MemoryServer head = null;
        for (String name : names) {
            MemoryServer server = fleet.add(new Endpoint("127.0.9." + (servers.size() + 1), 3306));
            if (head == null) {
                head = server;
            } else {
                server.configureSource(head.address());
            }
            servers.put(name, server);
            startAgent(name);
        }
    }

    void startAgent(String name) throws IOException {
        MemoryServer server = server(name);
        agents.put(
                name,
                new AgentNode(
                        new Identity(
                                GROUP,
                                name,
                                "here",
                                server.address(),
                                new Endpoint(server.address().host(), 7401),
                                true),
                        new MemoryEngine(fleet, server),
                        timing,
                        directory.resolve("agent-" + name),
                        addresses.values().stream()
                                .map(MasterSettings.Addresses::agents)
                                .toList(),
                        null,
                        Supervision.none()));
    }

    void stopAgent(String name) {
        AgentNode node = agents.remove(name);
        if (node != null) {
            node.close();
        }
    }

    MemoryServer server(String name) {
        MemoryServer server = servers.get(name);
        if (server == null) {
            throw new IllegalArgumentException("no server " + name);
        }
        return server;
    }

    @Nullable
    String leader() {
        for (Map.Entry<String, MasterNode> master : masters.entrySet()) {
            if (master.getValue().loop().ask(a -> a.leading()).join()) {
                return master.getKey();
            }
        }
        return null;
    }

    /** The group as some master has it. */
    @Nullable
    Group group() {
        for (MasterNode master : masters.values()) {
            Group group = master.loop().group(GROUP);
            if (group != null) {
                return group;
            }
        }
        return null;
    }

    /** Waits until the group is steady with a primary other than these, and DNS shows it; returns the primary. */
    String awaitPrimary(String... notThese) {
        List<String> old = List.of(notThese);
        await("a steady primary other than " + old, () -> {
            String leader = leader();
            MasterNode master = leader == null ? null : masters.get(leader);
            Group group = master == null ? null : master.loop().group(GROUP);
            return group != null
                    && group.phase() instanceof Phase.Steady
                    && !old.contains(group.primary())
                    && dns.addresses("orders-rw")
                            .equals(List.of(group.primaryMember().address().host()));
        });
        Group group = group();
        return group == null ? "" : group.primary();
    }

    MasterSettings.Addresses addresses(String master) {
        MasterSettings.Addresses known = addresses.get(master);
        if (known == null) {
            throw new IllegalArgumentException("no master " + master);
        }
        return known;
    }

    /** How often a port of a master refused something since it was started last. */
    double refused(String master, String port, String reason) {
        CollectorRegistry registry = registries.get(master);
        Double count = registry == null
                ? null
                : registry.getSampleValue(
                        "ha_refused_total", new String[] {"port", "reason"}, new String[] {port, reason});
        return count == null ? 0 : count;
    }

    MasterNode master(String name) {
        MasterNode node = masters.get(name);
        if (node == null) {
            throw new IllegalArgumentException("no master " + name);
        }
        return node;
    }

    void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LIMIT_MILLIS * 1_000_000;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError(
                        "waited " + LIMIT_MILLIS + " ms for " + what + "; group: " + group() + "; faults: " + faults);
            }
            Thread.onSpinWait();
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        agents.values().forEach(AgentNode::close);
        masters.values().forEach(MasterNode::close);
    }
}
