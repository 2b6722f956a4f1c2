package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.haarbiter.admin.GroupView;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The agent of a primary whose group isn't lossless runs by its systemd unit: it is upgraded, and then it stands still. */
@Tag("servers")
class AgentGuardIT {
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int MEMBERS = 3;
    private static final int WRITES = 200;
    private static final int LEASE_MILLIS = 6_000;

    @ParameterizedTest
    @EnumSource(
            value = ArenaPlan.Engine.class,
            names = {"MARIADB", "MYSQL"})
    void aFrozenAgentsServerIsFencedAndAnUpgradeIsNotNoticed(ArenaPlan.Engine engine) throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-guard-");
        System.out.println(engine + ": evidence is kept in " + work + " if this fails");
        // A longer lease than the profile's: starting Java twice on a machine that is busy with tests takes seconds.
        ArenaPlan plan = new ArenaPlan(
                engine, MEMBERS, work, false, 3, "normal, lease-millis: " + LEASE_MILLIS, "available", "");
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            SqlServer primary = arena.awaitSteady(LIMIT);
            Path settings = work.resolve("agent-" + primary.name()).resolve("ha-agent.yaml");
            WriteLoad load = WriteLoad.start(
                    arena.byName(),
                    WriteLoad.Behaviour.of(4, WRITES).warming(arena.addresses()).on(arena.clients()));
            try (load;
                    PlayedSystemd systemd = new PlayedSystemd(primary.name(), settings, work.resolve("systemd"))) {
                // An agent that opened its server less than a lease ago would fence it before it stops.
                load.awaitAcknowledged(WRITES * (LEASE_MILLIS / 1_000 + 2), LIMIT);
                assertThat(agentLost(arena)).contains("not guarded in time", "no service manager fences it");
                isUpgradedUnnoticed(arena, load, systemd, primary);
                isFencedWhenItStandsStill(arena, load, systemd, primary);
            }
        }
        Arena.deleteWorkDirectory(work);
    }

    /**
     * Without the questions to the name server that timed out: a client asks again, and while Java starts twice on two
     * processors a name server is late as well.
     */
    private static Map<String, Long> failedWrites(WriteLoad load) {
        return load.failures().entrySet().stream()
                .filter(failure -> !failure.getKey().startsWith("lookup: "))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static String agentLost(Arena arena) {
        return arena.api().await(Arena.GROUP, "is known", LIMIT, g -> true).agentLost();
    }

    /** From an agent that nobody supervises to one that systemd does, and then to another such. */
    private static void isUpgradedUnnoticed(Arena arena, WriteLoad load, PlayedSystemd systemd, SqlServer primary)
            throws Exception {
        Map<String, Long> failures = failedWrites(load);
        long before = System.nanoTime();
        arena.agent(primary.name()).terminate();
        arena.agent(primary.name()).awaitEnd(LIMIT);
        systemd.start();
        systemd.await("ready");
        GroupView guarded = arena.api()
                .await(Arena.GROUP, "is guarded", LIMIT, g -> g.agentLost().startsWith("not lossless, and guarded"));
        assertThat(guarded.agentLost())
                .contains("the service manager fences it within 2000 ms of its agent's last sign of life, before its")
                .contains("less so of ");
        assertThat(Hactl.ended(arena, "why", Arena.GROUP).out())
                .contains("agent lost: not lossless, and guarded: the service manager fences it within 2000 ms");

        long stopped = System.nanoTime();
        systemd.stop();
        systemd.start();
        long ready = systemd.await("ready").nanos();
        int feeds = systemd.feeds();
        load.awaitAcknowledged(load.history().ids().size() + 4 * WRITES, LIMIT);
        WriteHistory during = load.history().between(before, System.nanoTime());
        System.out.printf(
                "%s: restarted, ready %d ms after the stop began; longest silence of writes %.0f ms;"
                        + " longest time between two feeds %d ms%n",
                arena.plan().engine(),
                (ready - stopped) / 1_000_000,
                during.longestSilenceMillis(),
                systemd.longestGapMillis());
        assertThat(failedWrites(load)).as("writes that failed").isEqualTo(failures);
        assertThat(arena.api().group(Arena.GROUP)).isNotNull();
        assertThat(arena.awaitSteady(LIMIT).name()).isEqualTo(primary.name());
        assertThat(arena.api().switches(Arena.GROUP)).as("only the adoption").hasSize(1);
        assertThat(systemd.feeds()).isGreaterThan(feeds + 4);
        assertThat(systemd.longestGapMillis()).isLessThan(systemd.watchdog().toMillis());
    }

    private static void isFencedWhenItStandsStill(Arena arena, WriteLoad load, PlayedSystemd systemd, SqlServer primary)
            throws Exception {
        long frozen = systemd.freeze();
        long verdict = systemd.await("watchdog").nanos();
        long hooked = systemd.await("hook watchdog 0").nanos();
        long restarted = systemd.await("started").nanos();
        long ready = systemd.await("ready").nanos();
        List<WriteHistory.Acknowledgement> old = load.history().acknowledgements().stream()
                .filter(a -> a.server().equals(primary.address()) && a.ackedNanos() > frozen)
                .toList();
        long last = old.stream()
                .mapToLong(WriteHistory.Acknowledgement::ackedNanos)
                .filter(nanos -> nanos < hooked)
                .max()
                .orElse(frozen);
        assertThat(old)
                .as("acknowledged between the hook and the next agent")
                .noneMatch(a -> a.sentNanos() > hooked && a.ackedNanos() < restarted);
        GroupView after = arena.api()
                .await(
                        Arena.GROUP,
                        "is open, and every agent is heard",
                        LIMIT,
                        g -> g.phase().equals("steady")
                                && g.members().stream().noneMatch(m -> m.state().equals("silent"))
                                && g.members().stream()
                                        .allMatch(m -> m.name().equals(g.primary()) == (m.openEpoch() == g.epoch())));
        load.awaitAcknowledged(load.history().ids().size() + 2 * WRITES, LIMIT);
        assertThat(load.history().provenTwoWritersMillis()).isZero();
        System.out.printf(
                "%s: frozen; after %d ms the watchdog's verdict, %d ms the last write, %d ms the hook's end, %d ms the agent"
                        + " back; then epoch %d, primary %s (was %s)%n",
                arena.plan().engine(),
                (verdict - frozen) / 1_000_000,
                (last - frozen) / 1_000_000,
                (hooked - frozen) / 1_000_000,
                (ready - frozen) / 1_000_000,
                after.epoch(),
                after.primary(),
                primary.name());
        assertThat((last - frozen) / 1_000_000)
                .as("the last write after the freeze, in ms")
                .isLessThan(LEASE_MILLIS);
    }
}
