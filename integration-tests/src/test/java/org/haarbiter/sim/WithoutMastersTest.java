package org.haarbiter.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The arbiter's death is not the database's death: many histories in which all masters end, and nothing else goes wrong. */
class WithoutMastersTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long WITHOUT = 10 * SECOND;

    /** Longer than any hiccup of the simulated network, and far shorter than a lease. */
    private static final long QUIET = SECOND / 2;

    @ParameterizedTest
    @CsvSource({
        "MYSQL_GTID, LOSSLESS, 3",
        "MYSQL_GTID, AVAILABLE, 4",
        "MARIADB_GTID, LOSSLESS, 4",
        "MARIADB_GTID, AVAILABLE, 2"
    })
    void writesGoOnByThePermissionOfThePeers(PositionKind kind, Durability durability, int members) {
        for (int seed = 1; seed <= 20; seed++) {
            World world = started(seed, kind, durability, members, WhenArbiterLost.HOLD);
            SimGroup group = world.groups.get(0);
            settle(world, group, true);
            world.masters.forEach(master -> master.stop("killed"));
            long switches = switches(world);
            long end = world.timeline.now() + WITHOUT;
            while (world.timeline.now() < end) {
                run(world, world.timeline.now() + SECOND / 10);
                assertThat(world.truth.notWell(group, world.timeline.now() - QUIET))
                        .as("what is wrong, seed %s", seed)
                        .isNull();
            }
            world.masters.forEach(SimMaster::start);
            run(world, world.timeline.now() + 5 * SECOND);
            assertThat(world.truth.notWell(group, world.timeline.now() - QUIET))
                    .as("what is wrong once masters are back, seed %s", seed)
                    .isNull();
            assertThat(switches(world)).as("switches, seed %s", seed).isEqualTo(switches);
        }
    }

    @ParameterizedTest
    @CsvSource({"HOLD", "FENCE"})
    void aPrimaryIsFencedWhereItsPeersCannotBeAskedOrThePolicySaysSo(WhenArbiterLost policy) {
        for (int seed = 1; seed <= 20; seed++) {
            World world = started(seed, PositionKind.MYSQL_GTID, Durability.AVAILABLE, 3, policy);
            SimGroup group = world.groups.get(0);
            settle(world, group, policy == WhenArbiterLost.HOLD);
            SimServer primary = primary(world, group);
            world.masters.forEach(master -> master.stop("killed"));
            if (policy == WhenArbiterLost.HOLD) {
                SimServer cut = group.servers.get(group.servers.get(0) == primary ? 1 : 0);
                world.network.cut(cut.name, primary.name, false);
            }
            run(world, world.timeline.now() + 2 * SECOND);
            assertThat(primary.look().writable()).as("seed %s", seed).isFalse();
            world.network.heal();
            run(world, world.timeline.now() + 3 * SECOND);
            assertThat(primary.look().writable())
                    .as("it opens again where all its peers permit it, seed %s", seed)
                    .isEqualTo(policy == WhenArbiterLost.HOLD);
        }
    }

    private static World started(
            int seed, PositionKind kind, Durability durability, int members, WhenArbiterLost whenArbiterLost) {
        World world = new World(
                new World.Shape(
                        3,
                        members,
                        kind,
                        durability == Durability.LOSSLESS ? Policy.LOSSLESS : Policy.AVAILABLE,
                        durability != Durability.LOSSLESS,
                        -1,
                        whenArbiterLost,
                        1),
                new Chance(seed).split("world"),
                false);
        world.calm = true;
        world.start();
        return world;
    }

    private static void settle(World world, SimGroup group, boolean peers) {
        long limit = world.timeline.now() + 30 * SECOND;
        while (true) {
            run(world, world.timeline.now() + SECOND);
            Group committed = world.committed(group);
            boolean known = committed != null && (!peers || !committed.peers().isEmpty());
            if (known && world.truth.notWell(group, world.timeline.now() - QUIET) == null) {
                return;
            }
            assertThat(world.timeline.now())
                    .as("settles: %s", world.truth.notWell(group, world.timeline.now() - QUIET))
                    .isLessThan(limit);
        }
    }

    private static SimServer primary(World world, SimGroup group) {
        return group.server(Objects.requireNonNull(world.committed(group)).primary());
    }

    private static long switches(World world) {
        return Map.copyOf(world.counts).getOrDefault("SwitchStarted", 0L);
    }

    private static void run(World world, long end) {
        while (world.timeline.step(end)) {
            // Each event checks the invariants it could break.
        }
    }
}
