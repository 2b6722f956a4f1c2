package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.daemon.AgentNode;
import org.haarbiter.agent.daemon.Supervision;
import org.haarbiter.agent.engine.memory.MemoryEngine;
import org.haarbiter.agent.engine.memory.MemoryFleet;
import org.haarbiter.agent.engine.memory.MemoryServer;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;

/**
 * Many groups beside an arena's own, more than this machine could run database servers for: real agents with real links to
 * the arena's masters, and servers in memory. Each has its primary in the north and two replicas in the south.
 */
final class Shards implements AutoCloseable {
    private static final int MEMBERS = 3;
    private static final int STRIKERS = 16;

    /** One group. */
    record Shard(String name, List<MemoryServer> servers, List<AgentNode> agents) {
        MemoryServer primary() {
            return servers.get(0);
        }

        List<MemoryServer> replicas() {
            return servers.subList(1, MEMBERS);
        }
    }

    private final List<Shard> shards = new ArrayList<>();

    /** Starts them; they aren't adopted yet. */
    Shards(Arena arena, int count, Timing timing) throws IOException {
        for (int i = 1; i <= count; i++) {
            String name = "shard-%03d".formatted(i);
            MemoryFleet fleet = new MemoryFleet();
            Shard shard = new Shard(name, new ArrayList<>(), new ArrayList<>());
            shards.add(shard);
            for (int member = 1; member <= MEMBERS; member++) {
                MemoryServer server = fleet.add(new Endpoint("127.7." + i + "." + member, 3306));
                if (member > 1) {
                    server.configureSource(shard.primary().address());
                }
                shard.servers().add(server);
                Path state = arena.plan().work().resolve("shards").resolve(name + "-" + member);
                shard.agents()
                        .add(new AgentNode(
                                new Identity(
                                        name,
                                        name + "-" + member,
                                        member == 1 ? "north" : "south",
                                        server.address(),
                                        new Endpoint(server.address().host(), 17_401),
                                        true),
                                new MemoryEngine(fleet, server),
                                timing,
                                state,
                                arena.agentsAddresses(),
                                null,
                                Supervision.none()));
            }
        }
    }

    List<Shard> all() {
        return List.copyOf(shards);
    }

    /** The north is there no more: neither its servers nor its agents say another word. */
    void loseTheNorth() throws InterruptedException, ExecutionException {
        together(shards, shard -> {
            shard.primary().cut(true);
            shard.agents().get(0).close();
            shard.primary().kill();
            return shard.name();
        });
    }

    /** What one thread for each shard comes to, in their order. */
    static <T> List<T> together(List<Shard> shards, ForShard<T> work) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newFixedThreadPool(Math.max(STRIKERS, shards.size()));
        try {
            List<Callable<T>> calls = new ArrayList<>();
            shards.forEach(shard -> calls.add(() -> work.of(shard)));
            List<T> results = new ArrayList<>();
            for (Future<T> done : threads.invokeAll(calls)) {
                results.add(done.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    /** Work on one shard. */
    interface ForShard<T> {
        T of(Shard shard) throws InterruptedException;
    }

    @Override
    public void close() {
        shards.forEach(shard -> shard.agents().forEach(AgentNode::close));
    }
}
