package org.haarbiter.trial;

import java.nio.file.Path;

/**
 * What an arena is to hold.
 *
 * @param engine the servers
 * @param members servers of the group; 2 to 9
 * @param work everything goes there; it is made
 * @param layout which of them share a host
 * @param masters 1, 3 or 5
 * @param profile the timing profile's name
 * @param durability as the masters' settings name it
 * @param masterSettings further lines of the masters' settings, each with its line end; may be empty
 * @param nodes where members are clusters: how many the first has, 1 to 3; the second has one fewer, at least one
 * @param ownDns the masters answer for the zone themselves, and the DNS server copies it from them; otherwise it takes their updates
 */
public record ArenaPlan(
        Engine engine,
        int members,
        Path work,
        Layout layout,
        int masters,
        String profile,
        String durability,
        String masterSettings,
        int nodes,
        boolean ownDns) {

    private static final int USUAL_NODES = 3;

    /** The engines there are real servers for. */
    public enum Engine {
        /** MySQL 8.4 or newer. */
        MYSQL,
        /** MariaDB 10.11 or newer. */
        MARIADB,
        /** Redis 7.0 or newer, or Valkey. */
        REDIS,
        /** Elasticsearch 8 or newer: each member is a cluster. */
        ELASTICSEARCH;

        /** Whether a group of its servers can be lossless. */
        public boolean mayBeLossless() {
            return this != REDIS;
        }

        /** Whether its servers are asked in SQL. */
        public boolean isSql() {
            return this == MYSQL || this == MARIADB;
        }

        /** As settings and commands write it. */
        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Which processes share a host. All but the first are network namespaces, which need root. */
    public enum Layout {
        /** Everything is on this machine. */
        ONE_MACHINE,
        /** Each database server, of a cluster each node, has a host of its own, with its agent; the rest shares one. */
        SERVERS_APART,
        /**
         * Each database server, of a cluster each node, each master, and the DNS server have a host of their own. The hosts are in three sites: the first
         * half of the servers and the first master in {@code north}, the others and the second in {@code south}, the third and
         * DNS in {@code west}. North and south have a host for clients.
         */
        SITES
    }

    /** Of clusters the first has three nodes, so that one of them may be lost. */
    public ArenaPlan(
            Engine engine,
            int members,
            Path work,
            Layout layout,
            int masters,
            String profile,
            String durability,
            String masterSettings) {
        this(engine, members, work, layout, masters, profile, durability, masterSettings, USUAL_NODES, false);
    }

    /** Each database server on a host of its own, or everything on this machine. */
    public ArenaPlan(
            Engine engine,
            int members,
            Path work,
            boolean separateHosts,
            int masters,
            String profile,
            String durability,
            String masterSettings) {
        this(
                engine,
                members,
                work,
                separateHosts ? Layout.SERVERS_APART : Layout.ONE_MACHINE,
                masters,
                profile,
                durability,
                masterSettings);
    }

    /**
     * A primary and three replicas, three masters, the fast profile; lossless, or bounded where the engine can't be. Of clusters two
     * and the normal profile: a dozen Java processes on one machine don't always answer in the other's times.
     */
    public static ArenaPlan of(Engine engine, Path work, boolean separateHosts) {
        return new ArenaPlan(
                engine,
                engine == Engine.ELASTICSEARCH ? 2 : 4,
                work,
                separateHosts,
                3,
                engine == Engine.ELASTICSEARCH ? "normal" : "fast",
                engine.mayBeLossless() ? "lossless" : "bounded",
                "");
    }

    /** The same with another number of servers; 2 to 9. */
    public ArenaPlan withMembers(int number) {
        if (number < 2 || number > 9) {
            throw new IllegalArgumentException("members: " + number + " (must be 2 to 9)");
        }
        return new ArenaPlan(engine, number, work, layout, masters, profile, durability, masterSettings, nodes, ownDns);
    }

    /** The same with another number of nodes of the first cluster; 1 to 3. */
    public ArenaPlan withNodes(int number) {
        if (number < 1 || number > USUAL_NODES) {
            throw new IllegalArgumentException("nodes: " + number + " (must be 1 to " + USUAL_NODES + ")");
        }
        return new ArenaPlan(
                engine, members, work, layout, masters, profile, durability, masterSettings, number, ownDns);
    }

    /** The same with a zone that the masters answer for themselves. */
    public ArenaPlan withOwnDns() {
        return new ArenaPlan(engine, members, work, layout, masters, profile, durability, masterSettings, nodes, true);
    }
}
