package org.haarbiter.lab;

import java.nio.file.Path;
import java.util.List;
import org.haarbiter.words.Endpoint;

/**
 * What a database server is to be.
 *
 * @param name for messages and file names; unique in its work directory
 * @param address where clients connect; an address of 127.0.0.0/8
 * @param adminPort the port that stays open when there are too many connections, on the same address
 * @param serverId number of the server in replication; unique in its group
 * @param work everything of the server goes into {@code work/name}; the directory is made
 * @param host where it runs
 * @param settings further lines of its configuration, such as {@code max_connections=50}
 */
public record ServerPlan(
        String name, Endpoint address, int adminPort, int serverId, Path work, Host host, List<String> settings) {

    /** Copies the list. */
    public ServerPlan {
        settings = List.copyOf(settings);
    }

    /** A server on this machine, its admin port 10 000 above the address's. */
    public static ServerPlan of(String name, Endpoint address, int serverId, Path work) {
        int port = address.port();
        int adminPort = port <= 55_535 ? port + 10_000 : port - 10_000;
        return new ServerPlan(name, address, adminPort, serverId, work, Host.here(), List.of());
    }

    /** The same on another host. */
    public ServerPlan on(Host elsewhere) {
        return new ServerPlan(name, address, adminPort, serverId, work, elsewhere, settings);
    }

    /** The same with other further settings. */
    public ServerPlan with(List<String> lines) {
        return new ServerPlan(name, address, adminPort, serverId, work, host, lines);
    }

    Path directory() {
        return work.resolve(name);
    }
}
