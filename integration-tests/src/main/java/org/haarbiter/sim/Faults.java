package org.haarbiter.sim;

import java.util.List;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Group;

/** What goes wrong, and its mending. */
final class Faults {
    private final World world;
    private final Chance chance;

    Faults(World world, Chance chance) {
        this.world = world;
        this.chance = chance;
    }

    /** Lets something go wrong now and then until the end; compound faults are as common as single ones. */
    void between(long end) {
        world.timeline.after(chance.percent(40) ? chance.millis(0, 60) : chance.millis(100, 1_800), () -> {
            if (world.timeline.now() < end) {
                one();
                between(end);
            }
        });
    }

    private SimGroup group() {
        return world.groups.get(chance.below(world.groups.size()));
    }

    /** Mostly the one that matters. */
    private SimServer server(SimGroup group) {
        Group committed = world.committed(group);
        if (committed != null && chance.percent(50)) {
            return group.server(committed.primary());
        }
        return group.servers.get(chance.below(group.servers.size()));
    }

    private SimMaster master() {
        SimMaster leader = world.leader();
        return leader != null && chance.percent(60) ? leader : world.masters.get(chance.below(world.masters.size()));
    }

    private void one() {
        SimGroup group = group();
        SimServer server = server(group);
        switch (chance.below(20)) {
            case 0, 1, 2 -> kill(server);
            case 3 -> hang(server, chance.millis(50, 3_000));
            case 4, 5 -> killAgent(group.agent(server.name), chance.percent(60));
            case 6 -> freezeAgent(group.agent(server.name));
            case 7, 8 -> killMaster(master(), chance.millis(100, 3_000));
            case 9, 10 -> pauseMaster(master(), chance.millis(50, 2_500));
            case 11, 12 -> isolate(chance.percent(50) ? master().name : server.name, chance.percent(50));
            case 13 -> cutSite("s" + (1 + chance.below(3)), chance.percent(50));
            case 14, 15 -> cutOneWay(host(server), host(server(group)), chance.percent(50));
            case 16 -> slow(host(server), host(server(group)));
            case 17 -> heal();
            case 18 -> lag(server);
            default -> command(group, server);
        }
        if (chance.percent(30)) {
            heal();
        }
    }

    private String host(SimServer server) {
        return chance.percent(50) ? server.name : master().name;
    }

    void kill(SimServer server) {
        if (server.up()) {
            world.count("fault-server-killed");
            server.crash("killed");
            world.supervise(server);
        }
    }

    void hang(SimServer server, long nanos) {
        if (!server.answers()) {
            return;
        }
        world.count("fault-server-hung");
        world.timeline.note("server " + server.name + " hangs");
        server.freeze();
        int life = server.life();
        world.timeline.after(nanos, () -> {
            if (server.life() == life && server.frozen()) {
                world.timeline.note("server " + server.name + " goes on");
                server.thaw();
            }
        });
    }

    /** @param hook what the service manager runs when an agent ends: it fences; without a lossless log nothing else would */
    void killAgent(SimAgent agent, boolean hook) {
        if (!agent.up()) {
            return;
        }
        world.count("fault-agent-killed");
        SimServer server = agent.server;
        agent.stop("killed");
        if (hook || server.group.durability == Durability.AVAILABLE) {
            world.timeline.after(chance.millis(1, 60), () -> {
                if (server.frozen()) {
                    kill(server);
                } else if (server.up()) {
                    world.timeline.note("the service manager fences " + server.name);
                    server.fence(problem -> {});
                }
            });
        }
        world.timeline.after(chance.millis(100, 2_500), () -> startAgent(agent));
    }

    void startAgent(SimAgent agent) {
        if (!agent.up()) {
            world.timeline.note("agent of " + agent.server.name + " starts");
            agent.start();
        }
    }

    void freezeAgent(SimAgent agent) {
        // Where nothing but the lease protects, the watchdog ends what stands still for longer than the fence's budget.
        freezeAgent(
                agent,
                agent.server.group.durability == Durability.AVAILABLE
                        ? chance.millis(10, 80)
                        : chance.millis(50, 3_000));
    }

    void freezeAgent(SimAgent agent, long nanos) {
        if (!agent.up() || agent.frozen()) {
            return;
        }
        world.count("fault-agent-frozen");
        world.timeline.note("agent of " + agent.server.name + " freezes");
        agent.freeze();
        int life = agent.life();
        world.timeline.after(nanos, () -> {
            if (agent.life() == life) {
                world.timeline.note("agent of " + agent.server.name + " goes on");
                agent.thaw();
            }
        });
    }

    void killMaster(SimMaster master, long nanos) {
        if (!master.up()) {
            return;
        }
        world.count("fault-master-killed");
        master.stop("killed");
        world.timeline.after(nanos, () -> startMaster(master));
    }

    void startMaster(SimMaster master) {
        if (!master.up()) {
            world.timeline.note("master " + master.name + " starts");
            master.start();
        }
    }

    void pauseMaster(SimMaster master, long nanos) {
        if (!master.up() || master.frozen()) {
            return;
        }
        world.count("fault-master-paused");
        world.timeline.note("master " + master.name + " stands still");
        master.freeze();
        int life = master.life();
        world.timeline.after(nanos, () -> {
            if (master.life() == life) {
                world.timeline.note("master " + master.name + " goes on");
                master.thaw();
            }
        });
    }

    void isolate(String host, boolean resets) {
        world.count("fault-isolated");
        world.timeline.note("host " + host + " is cut off" + (resets ? ", with resets" : ""));
        for (String other : world.sites.keySet()) {
            world.network.cut(host, other, resets);
            world.network.cut(other, host, resets);
        }
    }

    void cutSite(String site, boolean resets) {
        world.count("fault-site-cut");
        world.timeline.note("site " + site + " is cut off" + (resets ? ", with resets" : ""));
        world.sites.forEach((host, its) -> world.sites.forEach((other, itsSite) -> {
            if (its.equals(site) && !itsSite.equals(site)) {
                world.network.cut(host, other, resets);
                world.network.cut(other, host, resets);
            }
        }));
    }

    void cutOneWay(String from, String to, boolean resets) {
        world.count("fault-one-way-cut");
        world.timeline.note("link " + from + " to " + to + " is cut" + (resets ? ", with resets" : ""));
        world.network.cut(from, to, resets);
    }

    void slow(String from, String to) {
        world.count("fault-slow-link");
        long delay = chance.millis(5, 700);
        world.timeline.note("link " + from + " to " + to + " is slow: " + delay / 1_000_000 + " ms");
        world.network.slow(from, to, delay);
    }

    void heal() {
        world.timeline.note("links heal");
        world.network.heal();
    }

    void lag(SimServer server) {
        world.count("fault-slow-applier");
        server.applyLagNanos = chance.millis(1, 400);
    }

    void command(SimGroup group, SimServer server) {
        String by = "person";
        Command command = switch (chance.below(8)) {
            case 0, 1, 2, 3 -> new Command.Promote(group.name, server.name, false, by, "test");
            case 4, 5 -> new Command.Demote(group.name, server.name, by, "test");
            case 6 -> new Command.Pause(group.name, by, "test");
            default -> new Command.Resume(group.name, by, "test");
        };
        world.command(command);
    }

    /** Everything runs, every link is fine, nothing more goes wrong. */
    void healAll() {
        heal();
        world.calm = true;
        for (SimMaster master : world.masters) {
            master.thaw();
            startMaster(master);
        }
        for (SimGroup group : world.groups) {
            for (SimServer server : group.servers) {
                server.thaw();
                server.applyLagNanos = 1_000_000;
                world.bootIfDown(server);
            }
            List.copyOf(group.agents).forEach(agent -> {
                agent.thaw();
                startAgent(agent);
            });
        }
    }
}
