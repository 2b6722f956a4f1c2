package org.haarbiter.sim;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Policy;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/** A group's servers and agents, and what it is meant to promise. */
final class SimGroup {
    final String name;
    final PositionKind kind;
    final Policy policy;
    final World world;
    final List<SimServer> servers = new ArrayList<>();
    final List<SimAgent> agents = new ArrayList<>();
    final String[] uuids;
    private int histories;

    SimGroup(String name, PositionKind kind, Policy policy, int size, World world) {
        this.name = name;
        this.kind = kind;
        this.policy = policy;
        this.world = world;
        this.uuids = new String[size + 1];
        for (int i = 0; i <= size; i++) {
            uuids[i] = "00000000-0000-0000-0000-%012d".formatted(i);
        }
    }

    /** A new number for a history that a Redis server begins. */
    int nextHistory() {
        return 0xa00 + ++histories;
    }

    /** What it promises now. */
    Policy policy() {
        Group committed = world.truth.newest().group(name);
        return committed == null ? policy : committed.policy();
    }

    boolean lossless() {
        return policy().durability() == Durability.LOSSLESS;
    }

    @Nullable
    SimServer at(@Nullable Endpoint address) {
        for (SimServer server : servers) {
            if (server.address.equals(address)) {
                return server;
            }
        }
        return null;
    }

    SimServer server(String serverName) {
        for (SimServer server : servers) {
            if (server.name.equals(serverName)) {
                return server;
            }
        }
        throw new IllegalArgumentException("no server '" + serverName + "' (known: " + servers + ")");
    }

    SimAgent agent(String serverName) {
        for (SimAgent agent : agents) {
            if (agent.server.name.equals(serverName)) {
                return agent;
            }
        }
        throw new IllegalArgumentException("no agent of '" + serverName + "'");
    }
}
