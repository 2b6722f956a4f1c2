package org.haarbiter.sim;

import java.util.List;
import java.util.SortedMap;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Standing;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/** One run from one seed: first faults, then everything heals and progress is demanded. */
public final class Simulation {
    private static final long SECOND = 1_000_000_000L;
    private static final long PATIENCE = 8 * SECOND;

    /**
     * How a run ended.
     *
     * @param seed the seed
     * @param invariant which invariant broke; null where none did
     * @param sentence what happened
     * @param recent the last events before the end
     * @param counts what happened how often
     */
    public record Result(
            long seed,
            @Nullable String invariant,
            String sentence,
            List<String> recent,
            SortedMap<String, Long> counts) {}

    private Simulation() {}

    /** Runs one seed. */
    public static Result run(long seed) {
        return run(seed, false);
    }

    static Result run(long seed, boolean everything) {
        Chance chance = new Chance(seed);
        boolean mysql = chance.percent(65);
        Chance engine = chance.split("engine");
        boolean redis = engine.percent(12);
        Policy drawn = policy(chance);
        Policy policy = redis ? asynchronous(engine) : drawn;
        boolean lossless = policy.durability() == Durability.LOSSLESS;
        int members = 2 + chance.below(4);
        Chance mass = chance.split("mass");
        int groups = mass.percent(8) ? 2 + mass.below(4) : 1;
        int open = chance.percent(60) ? -1 : lossless ? chance.below(2) : 0;
        World world = new World(
                new World.Shape(
                        chance.percent(85) ? 3 : 5,
                        members,
                        redis
                                ? PositionKind.REPLICATION_OFFSET
                                : mysql ? PositionKind.MYSQL_GTID : PositionKind.MARIADB_GTID,
                        policy,
                        // Without a log that is lossless nothing else would stop a server whose agent is gone.
                        !lossless || chance.percent(30),
                        open,
                        chance.percent(90) ? WhenArbiterLost.HOLD : WhenArbiterLost.FENCE,
                        groups),
                chance.split("world"),
                everything);
        world.timeline.note("seed " + seed + ": " + world.shape);
        String invariant = null;
        String sentence = "";
        try {
            play(world, chance);
        } catch (Truth.Violation e) {
            invariant = e.invariant;
            sentence = String.valueOf(e.getMessage());
        } catch (RuntimeException e) {
            java.io.StringWriter trace = new java.io.StringWriter();
            e.printStackTrace(new java.io.PrintWriter(trace));
            invariant = "exception";
            sentence = trace.toString();
        }
        world.counts.put("events", world.timeline.count());
        world.counts.put("writes-acknowledged", world.writes);
        return new Result(
                seed,
                invariant,
                sentence,
                everything ? world.timeline.transcript() : world.timeline.recent(),
                world.counts);
    }

    private static Policy policy(Chance chance) {
        if (chance.percent(70)) {
            return new Policy(
                    Durability.LOSSLESS,
                    0,
                    0,
                    chance.percent(40) ? OnNoAcknowledger.DEGRADE : OnNoAcknowledger.WAIT,
                    Policy.USUAL_PRIORITY);
        }
        return chance.percent(50)
                ? Policy.AVAILABLE
                : new Policy(
                        Durability.BOUNDED,
                        chance.percent(80) ? 1_600 + chance.below(3_000) : 0,
                        5 + chance.below(100),
                        OnNoAcknowledger.WAIT,
                        Policy.USUAL_PRIORITY);
    }

    private static Policy asynchronous(Chance chance) {
        return chance.percent(50)
                ? Policy.AVAILABLE
                : new Policy(
                        Durability.BOUNDED,
                        1_600 + chance.below(3_000),
                        0,
                        chance.percent(70) ? OnNoAcknowledger.DEGRADE : OnNoAcknowledger.WAIT,
                        Policy.USUAL_PRIORITY);
    }

    private static void play(World world, Chance chance) {
        Faults faults = new Faults(world, chance.split("faults"));
        long safety = (8 + chance.below(8)) * SECOND;
        world.timeline.after(chance.percent(80) ? 2_500_000_000L : 0, () -> faults.between(safety));
        world.start();
        while (world.timeline.step(safety)) {
            // Each event checks the invariants it could break.
        }
        world.timeline.note("everything heals");
        faults.healAll();
        long healed = world.timeline.now();
        operate(world, healed);
        long next = healed + SECOND;
        for (SimGroup group : world.groups) {
            while (world.truth.notWell(group, healed) != null && next < healed + 3 * PATIENCE) {
                while (world.timeline.step(next)) {
                    // Each event checks the invariants it could break.
                }
                next += SECOND / 2;
            }
            String bad = world.truth.notWell(group, healed);
            if (bad != null) {
                throw new Truth.Violation(
                        "liveness", "group " + group.name + " isn't well: " + bad + "; " + world.why(group));
            }
        }
        SimEndpoints endpoints = world.endpoints;
        if (endpoints != null) {
            for (long until = next; endpoints.notWell() != null && until < next + PATIENCE; until += SECOND / 2) {
                while (world.timeline.step(until)) {
                    // Each event checks the invariants it could break.
                }
            }
            String bad = endpoints.notWell();
            if (bad != null) {
                throw new Truth.Violation("liveness", "endpoints: " + bad);
            }
        }
    }

    /** What holds more than an open primary waits for a person, who has it rebuilt, or provisions it by hand. */
    private static void rebuild(World world, SimGroup group, Group committed) {
        SimServer primary = group.server(committed.primary());
        for (SimServer server : group.servers) {
            Member member = committed.members().get(server.name);
            if (!(committed.phase() instanceof Phase.Steady)
                    || !primary.answers()
                    || !server.answers()
                    || member == null) {
                continue;
            }
            if (server.parted) {
                world.count("provisioned-anew-parted");
                server.provision(primary);
            } else if (member.standing() == Standing.AWAY
                    && member.donor() == null
                    && (server.beyond(primary) != 0 || server.rebuilding)) {
                world.command(new Command.Rebuild(group.name, server.name, null, "person", "it has parted"));
            }
        }
    }

    /** Of restarted Redis servers all follow nobody: who takes writes is the primary. */
    private static SimServer likelyPrimary(World world, SimGroup group) {
        SimServer any = group.servers.get(world.chance.below(group.servers.size()));
        return group.kind.copiedByFollowing()
                ? group.servers.stream()
                        .filter(server -> server.writable)
                        .findFirst()
                        .orElse(any)
                : any;
    }

    /** A person watches: ends pauses, says which is the primary, and accepts a loss where nothing else helps. */
    private static void operate(World world, long healed) {
        world.timeline.after(SECOND / 2, () -> {
            for (SimGroup group : world.groups) {
                Group committed = world.committed(group);
                if (committed != null && committed.pause() != null) {
                    world.command(new Command.Resume(group.name, "person", "all is well"));
                }
                if (committed != null) {
                    rebuild(world, group, committed);
                }
                boolean patient = world.timeline.now() < healed + PATIENCE;
                if (!patient && committed == null) {
                    SimServer likely = likelyPrimary(world, group);
                    Command.Outcome outcome = world.command(
                            new Command.Promote(group.name, likely.name, false, "person", "it was the primary"));
                    if (outcome != null
                            && (outcome.sentence().contains("may have dropped")
                                    || (group.kind.copiedByFollowing()
                                            && outcome.sentence().contains("--accept-data-loss")))
                            && world.chance.percent(30)) {
                        world.count("a-person-had-to-accept-loss");
                        world.command(new Command.Promote(group.name, likely.name, true, "person", "it is the newest"));
                    }
                } else if (!patient && world.why(group).contains("CHOOSE_SEALED holds") && world.chance.percent(50)) {
                    SimServer other = group.servers.get(world.chance.below(group.servers.size()));
                    world.command(new Command.Promote(group.name, other.name, false, "person", "another"));
                } else if (!patient && world.why(group).contains("accept-data-loss")) {
                    world.count("a-person-had-to-accept-loss");
                    SimServer most = group.servers.get(world.chance.below(group.servers.size()));
                    world.command(new Command.Promote(group.name, most.name, true, "person", "no proof"));
                }
            }
            operate(world, healed);
        });
    }
}
