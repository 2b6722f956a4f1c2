package org.haarbiter.sim;

import java.util.List;
import java.util.function.Consumer;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Phase;

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
        if (world.groups.size() > 1 && chance.percent(25)) {
            ofMany();
            return;
        }
        if (chance.percent(35)) {
            compound(group);
            return;
        }
        switch (chance.below(23)) {
            case 21 -> restartAgent(group.agent(server.name));
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
            case 19 -> meddle(group, server);
            case 20 -> changePolicy(group);
            default -> command(group, server);
        }
        if (chance.percent(30)) {
            heal();
        }
    }

    /** What befalls many groups at once. */
    private void ofMany() {
        SimMaster leader = world.leader();
        boolean resets = chance.percent(50);
        switch (chance.below(4)) {
            case 0 -> {
                world.timeline.note("many: all primaries end at once");
                for (SimGroup group : world.groups) {
                    Group committed = world.committed(group);
                    if (committed != null) {
                        kill(group.server(committed.primary()));
                    }
                }
            }
            case 1 -> {
                if (leader != null) {
                    world.timeline.note("many: " + leader.name + ", which leads, hears no agent");
                    forEachServer(server -> world.network.cut(server.name, leader.name, resets));
                }
            }
            case 2 -> {
                world.timeline.note("many: no master hears the agents of a site, the leader's own sometimes");
                String site = "s" + (1 + chance.below(3));
                forEachServer(server -> {
                    if (site.equals(world.sites.get(server.name))) {
                        world.masters.forEach(master -> world.network.cut(server.name, master.name, resets));
                    }
                });
            }
            default -> cutSite("s" + (1 + chance.below(3)), resets);
        }
        if (chance.percent(40)) {
            later(200, 2_500, this::heal);
        }
        if (leader != null && chance.percent(20)) {
            later(0, 1_500, () -> killMaster(leader, chance.millis(100, 2_000)));
        }
    }

    private void forEachServer(Consumer<SimServer> what) {
        world.groups.forEach(group -> group.servers.forEach(what));
    }

    private void later(int fromMillis, int toMillis, Runnable what) {
        world.timeline.after(chance.millis(fromMillis, toMillis), () -> {
            if (!world.calm) {
                what.run();
            }
        });
    }

    /** What single faults find too rarely: several, each at the worst moment. */
    private void compound(SimGroup group) {
        Group committed = world.committed(group);
        SimMaster leader = world.leader();
        if (leader == null) {
            return;
        }
        if (committed == null) {
            adoption(group);
            return;
        }
        SimServer primary = group.server(committed.primary());
        SimServer other = group.servers.get(chance.below(group.servers.size()));
        switch (chance.below(27)) {
            case 25, 26 -> unreplicated(group, primary);
            case 23, 24 -> restartedUnheard(group, primary);
            case 17, 18 -> withoutMasters(group, primary, other);
            case 21, 22 -> outlivedPermission(group, primary, other);
            case 19, 20 -> heardByPeersAlone(group, primary, other);
            case 12 -> brokenConnections(group, primary);
            case 11 -> strandedCandidate(group, primary);
            case 10 -> lateAnswers(primary);
            case 0 -> soleHolder(group, primary, other);
            case 7, 15, 16 -> moreAcknowledgers(group, primary, other);
            case 8 -> hungWhileDrained(group, primary, other);
            case 9, 13 -> keptFromTheSwitch(primary, other);
            case 1, 14 -> handover(group, primary, leader, other);
            case 2 -> {
                world.timeline.note("compound: the primary and the leader die together");
                kill(primary);
                later(0, 300, () -> killMaster(leader, chance.millis(50, 1_000)));
            }
            case 3 -> {
                world.timeline.note("compound: candidates die while they are promoted");
                kill(primary);
                killCandidate(group, committed.epoch(), 0);
            }
            case 4 -> deposed(primary, leader);
            case 5 -> cutOffReplica(primary, other);
            default -> {
                world.timeline.note("compound: a replica dies just before the primary");
                kill(other);
                later(0, 700, () -> kill(primary));
            }
        }
    }

    /** No master is left for longer than a lease; something else may go wrong meanwhile. */
    private void withoutMasters(SimGroup group, SimServer primary, SimServer other) {
        world.timeline.note("compound: all masters are gone");
        long until = chance.millis(1_200, 4_500);
        for (SimMaster master : world.masters) {
            killMaster(master, until + chance.millis(0, 500));
        }
        for (int i = chance.below(3); i > 0; i--) {
            later(0, 2_500, () -> amongPeers(group, primary, other));
        }
    }

    /** The primary and the masters don't reach each other, and its peers let it go on; something else goes wrong meanwhile. */
    private void heardByPeersAlone(SimGroup group, SimServer primary, SimServer other) {
        world.timeline.note("compound: " + primary.name + " is heard by its peers alone");
        for (SimMaster master : world.masters) {
            cutOneWay(primary.name, master.name, chance.percent(30));
            if (chance.percent(60)) {
                cutOneWay(master.name, primary.name, chance.percent(30));
            }
        }
        for (int i = 1 + chance.below(3); i > 0; i--) {
            later(500, 2_500, () -> amongPeers(group, primary, other));
        }
        if (chance.percent(50)) {
            boolean lossAccepted = chance.percent(50);
            later(
                    600,
                    2_500,
                    () -> world.command(
                            new Command.Promote(group.name, other.name, lossAccepted, "person", "it is unheard")));
        }
    }

    /** A primary that goes on by its peers' permission is cut off from them, too, while somebody else is promoted. */
    private void outlivedPermission(SimGroup group, SimServer primary, SimServer other) {
        world.timeline.note("compound: " + primary.name + " is heard by its peers alone, and then by nobody");
        for (SimMaster master : world.masters) {
            world.network.cut(primary.name, master.name, false);
            world.network.cut(master.name, primary.name, false);
        }
        boolean late = chance.percent(50);
        later(1_100, 1_600, () -> {
            for (SimServer peer : group.servers) {
                if (late && peer != primary) {
                    world.network.slow(peer.name, primary.name, chance.millis(300, 900));
                }
            }
        });
        later(1_700, 2_000, () -> {
            world.timeline.note("nobody hears " + primary.name);
            for (SimServer peer : group.servers) {
                world.network.cut(primary.name, peer.name, false);
                if (!late) {
                    world.network.cut(peer.name, primary.name, false);
                }
                if (peer != primary && chance.percent(60)) {
                    killAgent(group.agent(peer.name), true);
                    later(20, 150, () -> startAgent(group.agent(peer.name)));
                }
            }
            for (int i = 0; i < 4; i++) {
                later(
                        100 * i,
                        100 * i + 100,
                        () -> world.command(new Command.Promote(group.name, other.name, false, "person", "now")));
            }
            later(1_100, 2_500, () -> {
                for (SimServer peer : group.servers) {
                    world.network.heal(primary.name, peer.name);
                    world.network.heal(peer.name, primary.name);
                }
            });
        });
    }

    /** The primary's agent is restarted in good order when it is cut off, or is being opened. */
    private void restartedUnheard(SimGroup group, SimServer primary) {
        world.timeline.note("compound: the agent of " + primary.name + " is restarted while nobody hears it");
        if (chance.percent(30)) {
            kill(primary);
            later(1, 200, () -> world.bootIfDown(primary));
            for (SimServer server : group.servers) {
                later(20, 400, () -> restartAgent(group.agent(server.name)));
            }
        }
        later(0, 400, () -> isolate(primary.name, chance.percent(30)));
        for (int i = 1 + chance.below(3); i > 0; i--) {
            later(0, 900, () -> restartAgent(group.agent(primary.name)));
        }
    }

    private void amongPeers(SimGroup group, SimServer primary, SimServer other) {
        switch (chance.below(7)) {
            case 0 -> {
                cutOneWay(primary.name, other.name, chance.percent(50));
                cutOneWay(other.name, primary.name, chance.percent(50));
            }
            case 1 -> killAgent(group.agent(other.name), true);
            case 2 -> killAgent(group.agent(primary.name), true);
            case 3 -> kill(chance.percent(50) ? primary : other);
            case 4 -> isolate(primary.name, chance.percent(50));
            case 5 -> slow(other.name, primary.name);
            default -> freezeAgent(group.agent(other.name));
        }
    }

    /** One replica alone holds what was acknowledged last; it dies, and then the primary. */
    private void soleHolder(SimGroup group, SimServer primary, SimServer holder) {
        world.timeline.note("compound: only " + holder.name + " keeps up with " + primary.name + ", and both die");
        boolean cut = chance.percent(30);
        for (SimServer server : group.servers) {
            if (server != holder && server != primary) {
                if (cut) {
                    world.network.cut(primary.name, server.name, false);
                } else {
                    world.network.slow(primary.name, server.name, chance.millis(50, 900));
                }
            }
        }
        later(20, 600, () -> {
            kill(holder);
            later(1, 300, () -> world.bootIfDown(holder));
            later(10, 900, () -> kill(primary));
        });
    }

    /** One follower comes back and more acknowledgements are asked for, while one alone holds what was acknowledged last. */
    private void moreAcknowledgers(SimGroup group, SimServer primary, SimServer away) {
        if (away == primary) {
            return;
        }
        world.timeline.note("compound: " + away.name + " comes back to lagging followers of " + primary.name);
        SimServer holder = group.servers.get(chance.below(group.servers.size()));
        kill(away);
        later(700, 1_500, () -> {
            for (SimServer server : group.servers) {
                if (server != holder && server != primary && server != away) {
                    world.network.slow(primary.name, server.name, chance.millis(200, 900));
                }
            }
            world.bootIfDown(away);
        });
        later(1_500, 1_900, () -> world.network.slow(primary.name, away.name, chance.millis(100, 900)));
        if (chance.percent(40)) {
            // It says how many have come, and isn't told to wait for them.
            later(1_200, 1_900, () -> {
                for (SimMaster master : world.masters) {
                    world.network.cut(master.name, primary.name, false);
                }
            });
        }
        later(1_600, 2_600, () -> {
            kill(holder);
            later(1, 200, () -> kill(primary));
        });
    }

    /** A person wants a switch while the primary hangs; then nobody hears of it, and it goes on. */
    private void hungWhileDrained(SimGroup group, SimServer primary, SimServer other) {
        world.timeline.note("compound: " + primary.name + " hangs, is drained, is cut off, and goes on");
        hang(primary, chance.millis(1_300, 3_500));
        later(0, 60, () -> world.command(new Command.Promote(group.name, other.name, false, "person", "now")));
        later(61, 160, () -> {
            for (SimMaster master : world.masters) {
                world.network.cut(primary.name, master.name, false);
                world.network.cut(master.name, primary.name, false);
            }
        });
    }

    /** The leader's answers are on their way for long when the primary is cut off. */
    private void lateAnswers(SimServer primary) {
        world.timeline.note("compound: answers to " + primary.name + " come late, and it is cut off");
        for (SimMaster master : world.masters) {
            world.network.slow(master.name, primary.name, chance.millis(300, 900));
        }
        later(300, 1_000, () -> {
            for (String other : world.sites.keySet()) {
                world.network.cut(primary.name, other, false);
            }
        });
    }

    /** The primary and a replica are kept from a switch, each alone, and come back together. */
    private void keptFromTheSwitch(SimServer primary, SimServer replica) {
        if (replica == primary) {
            return;
        }
        world.timeline.note("compound: " + primary.name + " and " + replica.name + " are kept from a switch");
        isolate(replica.name, false);
        later(0, 150, () -> isolate(primary.name, chance.percent(50)));
        later(1_500, 3_500, this::heal);
    }

    /** A person adopts a group of which not everybody is there. */
    private void adoption(SimGroup group) {
        SimServer gone = group.servers.get(chance.below(group.servers.size()));
        SimServer head = group.servers.get(chance.below(group.servers.size()));
        world.timeline.note("compound: " + head.name + " is adopted by hand without " + gone.name);
        if (chance.percent(50)) {
            kill(gone);
        } else {
            isolate(gone.name, chance.percent(50));
        }
        for (int i = 1; i <= 3; i++) {
            later(
                    700 * i,
                    700 * i + 600,
                    () -> world.command(new Command.Promote(group.name, head.name, false, "person", "now")));
        }
    }

    /** The primary is cut off while the leadership moves, and a person wants a switch at once. */
    private void handover(SimGroup group, SimServer primary, SimMaster leader, SimServer other) {
        world.timeline.note("compound: " + primary.name + " is cut off while " + leader.name + " hands over");
        if (chance.percent(50)) {
            isolate(primary.name, chance.percent(50));
        } else {
            for (SimMaster master : world.masters) {
                cutOneWay(primary.name, master.name, chance.percent(50));
            }
        }
        later(0, 100, () -> {
            for (SimMaster master : world.masters) {
                if (master != leader && master.up() && !master.frozen()) {
                    master.campaignNow();
                    break;
                }
            }
        });
        boolean lossAccepted = chance.percent(50);
        for (int i = 1; i <= 4; i++) {
            later(
                    100 * i,
                    100 * i + 100,
                    () -> world.command(new Command.Promote(group.name, other.name, lossAccepted, "person", "now")));
        }
    }

    /** Every follower loses its connection and comes back, and the primary dies soon after. */
    private void brokenConnections(SimGroup group, SimServer primary) {
        world.timeline.note("compound: followers of " + primary.name + " connect anew, and then it dies");
        int rounds = 1 + chance.below(3);
        for (int i = 0; i < rounds; i++) {
            later(150 * i, 150 * i + 50, () -> group.servers.forEach(SimServer::loseConnection));
        }
        later(150 * (rounds - 1) + 20, 150 * rounds + 50, () -> kill(primary));
    }

    /** A candidate that still applies is cut off, and a person wants another one: it must not open when it is done. */
    private void strandedCandidate(SimGroup group, SimServer primary) {
        world.timeline.note("compound: whoever follows " + primary.name + " applies slowly and will be cut off");
        for (SimServer server : group.servers) {
            if (server != primary) {
                server.applyLagNanos = chance.millis(1_500, 1_900);
            }
        }
        later(100, 600, () -> {
            Group before = world.committed(group);
            kill(primary);
            if (before != null) {
                strand(group, before.epoch(), 0);
            }
        });
    }

    private void strand(SimGroup group, long epoch, int tries) {
        later(1, 6, () -> {
            Group now = world.committed(group);
            if (now == null || now.epoch() == epoch || !(now.phase() instanceof Phase.Promoting)) {
                if (tries < 200) {
                    strand(group, epoch, tries + 1);
                }
                return;
            }
            SimServer candidate = group.server(now.primary());
            for (SimServer other : group.servers) {
                if (other != candidate) {
                    other.applyNow();
                }
            }
            later(5, 60, () -> {
                for (SimMaster master : world.masters) {
                    world.network.cut(candidate.name, master.name, false);
                    world.network.cut(master.name, candidate.name, false);
                }
            });
            for (SimServer other : group.servers) {
                if (other != candidate) {
                    later(
                            1_000,
                            1_500,
                            () -> world.command(new Command.Promote(group.name, other.name, true, "person", "now")));
                }
            }
        });
    }

    private void killCandidate(SimGroup group, long epoch, int tries) {
        later(1, 6, () -> {
            Group now = world.committed(group);
            if (now != null && now.epoch() > epoch && now.phase() instanceof Phase.Promoting) {
                kill(group.server(now.primary()));
                if (chance.percent(40)) {
                    killCandidate(group, now.epoch(), tries + 1);
                }
            } else if (tries < 400) {
                killCandidate(group, epoch, tries + 1);
            }
        });
    }

    /** The leader and the primary see each other and nobody else does: it goes on answering, and another is elected. */
    private void deposed(SimServer primary, SimMaster leader) {
        world.timeline.note("compound: " + leader.name + " is deposed, and only " + primary.name + " still hears it");
        for (SimMaster master : world.masters) {
            if (master != leader) {
                cutOneWay(leader.name, master.name, false);
                cutOneWay(master.name, leader.name, false);
                cutOneWay(primary.name, master.name, false);
            }
        }
    }

    /** A replica restarts; no master hears of it any more, but the primary does. */
    private void cutOffReplica(SimServer primary, SimServer replica) {
        world.timeline.note("compound: " + replica.name + " restarts and only " + primary.name + " hears it");
        kill(replica);
        later(0, 60, () -> {
            for (SimMaster master : world.masters) {
                cutOneWay(replica.name, master.name, chance.percent(30));
                if (chance.percent(50)) {
                    cutOneWay(master.name, replica.name, chance.percent(30));
                }
            }
            for (SimServer server : replica.group.servers) {
                if (server != primary && server != replica && chance.percent(70)) {
                    world.network.slow(primary.name, server.name, chance.millis(100, 900));
                }
            }
        });
        later(10, 200, () -> world.bootIfDown(replica));
        later(400, 1_600, () -> kill(primary));
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

    /** @param hook the service manager runs a stop hook; without a lossless log nothing else would fence, so it always does */
    void killAgent(SimAgent agent, boolean hook) {
        if (!agent.up()) {
            return;
        }
        world.count("fault-agent-killed");
        agent.stop("killed");
        ended(agent, hook);
    }

    /** What the service manager does when an agent ended in any other way than a clean stop. */
    private void ended(SimAgent agent, boolean hook) {
        SimServer server = agent.server;
        boolean guarded = world.shape.guarded();
        if (!hook && !guarded) {
            server.unguarded = true;
            world.timeline.after(chance.millis(100, 2_500), () -> startAgent(agent));
            return;
        }
        server.unguarded |= !guarded;
        agent.hookPending = true;
        // In a group that isn't lossless watchdog, hook and fence fit into what an agent keeps back of each permission.
        boolean slow = !guarded && chance.percent(30);
        world.timeline.after(slow ? chance.millis(60, 1_500) : chance.millis(1, 60), () -> {
            agent.hookPending = false;
            if (server.follows() && server.answers()) {
                world.count("stop-hook-left-replica");
            } else {
                fenceFromOutside(server, "the stop hook");
            }
            world.timeline.after(chance.millis(20, 2_400), () -> startAgent(agent));
        });
    }

    private void fenceFromOutside(SimServer server, String who) {
        if (server.frozen()) {
            kill(server);
        } else if (server.up()) {
            world.timeline.note(who + " fences " + server.name);
            server.fence(problem -> {});
        }
    }

    /** An upgrade: it stops in good order and is started again at once. */
    void restartAgent(SimAgent agent) {
        if (!agent.up() || agent.frozen()) {
            return;
        }
        world.count("fault-agent-restarted");
        boolean fence = agent.leave();
        agent.hookPending = fence;
        world.timeline.after(fence ? chance.millis(0, 10) : 0, () -> {
            agent.hookPending = false;
            if (fence) {
                fenceFromOutside(agent.server, "its agent, before it stops,");
            }
            world.timeline.after(chance.millis(30, 240), () -> startAgent(agent));
        });
    }

    void startAgent(SimAgent agent) {
        if (agent.up()) {
            return;
        }
        if (agent.hookPending) {
            world.timeline.after(chance.millis(5, 20), () -> startAgent(agent));
            return;
        }
        world.timeline.note("agent of " + agent.server.name + " starts");
        agent.start();
    }

    void freezeAgent(SimAgent agent) {
        freezeAgent(agent, chance.percent(40) ? chance.millis(10, 80) : chance.millis(50, 3_000));
    }

    /** It stands still; where it is watched for longer than the watchdog lets it, it is killed and the stop hook follows. */
    void freezeAgent(SimAgent agent, long nanos) {
        if (!agent.up() || agent.frozen()) {
            return;
        }
        world.count("fault-agent-frozen");
        world.timeline.note("agent of " + agent.server.name + " freezes");
        agent.freeze();
        boolean guarded = world.shape.guarded();
        boolean watched = guarded || chance.percent(50);
        long verdict = guarded ? chance.millis(60, 80) : chance.millis(200, 400);
        agent.server.unguarded |= !guarded;
        int life = agent.life();
        world.timeline.after(nanos, () -> {
            if (agent.life() == life) {
                world.timeline.note("agent of " + agent.server.name + " goes on");
                agent.thaw();
            }
        });
        world.timeline.after(verdict, () -> {
            if (watched && agent.life() == life && agent.frozen()) {
                world.count("watchdog-killed-agent");
                agent.stop("killed by the watchdog");
                ended(agent, true);
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
        server.applyLagNanos = chance.millis(1, chance.percent(50) ? 300 : 2_000);
    }

    /** Somebody changes what the arbiter has set. */
    private void meddle(SimGroup group, SimServer server) {
        world.count("fault-meddled");
        server.meddle(chance.below(3));
        if (chance.percent(40)) {
            later(0, 400, () -> kill(server));
        } else if (chance.percent(40)) {
            later(0, 100, () -> killAgent(group.agent(server.name), true));
        }
    }

    /** Nothing of the primary's reaches its replicas; it goes on by a bounded group's nature, or somebody's meddling, and dies. */
    private void unreplicated(SimGroup group, SimServer primary) {
        world.timeline.note("compound: nothing of " + primary.name + " reaches its replicas, and it dies");
        for (SimServer other : group.servers) {
            if (other != primary) {
                world.network.cut(primary.name, other.name, false);
            }
        }
        boolean lossless = group.lossless();
        if (lossless) {
            later(20, 300, () -> primary.meddle(1));
        }
        later(lossless ? 400 : 1_000, lossless ? 1_500 : 7_000, () -> {
            kill(primary);
            heal();
        });
    }

    /** Only where every server is fenced when its agent is gone, as any promise but lossless needs. */
    private void changePolicy(SimGroup group) {
        if (!world.shape.guarded()) {
            return;
        }
        List<Durability> all = List.of(Durability.LOSSLESS, Durability.BOUNDED, Durability.AVAILABLE);
        Durability durability = all.get(chance.below(all.size()));
        world.command(new Command.ChangePolicy(
                group.name,
                durability,
                2_000L + chance.below(3_000),
                20L,
                chance.percent(50) ? OnNoAcknowledger.WAIT : OnNoAcknowledger.DEGRADE,
                null,
                "person",
                "test"));
    }

    void command(SimGroup group, SimServer server) {
        String by = "person";
        Command command = switch (chance.below(10)) {
            case 8, 9 -> new Command.Rebuild(group.name, server.name, null, by, "test");
            case 0, 1, 2, 3 -> new Command.Promote(group.name, server.name, false, by, "test");
            case 4, 5 -> new Command.Demote(group.name, server.name, by, "test");
            case 6 -> new Command.Pause(group.name, by, "test", chance.percent(50) ? 0 : 500 + chance.below(5_000));
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
        if (world.endpoints != null) {
            world.endpoints.settle();
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
