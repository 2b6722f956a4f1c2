package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.lab.DnsQuestion;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteHistory;
import org.haarbiter.lab.WriteLoad;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a person does with {@code hactl} to a fleet that works: each act ends as its exit code says, loses no acknowledged write,
 * and is on record with who and why. A refused act changes nothing.
 */
@Tag("servers")
class ManualActsIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String ENDPOINTS = "web";
    private static final int WRITES_PER_SECOND = 200;
    private static final int MEMBERS = 4;
    private static final long PAUSE_NANOS = 50_000_000;

    /** hactl names the person behind a sudo, so the log must hold this name. */
    private static final String PERSON = "olivia";

    /** What an act asks of a server is tried on each engine by its contract; here it is about the way from hactl to the log. */
    @Test
    void actsMoveThePrimaryOrAreRefusedAndNothingIsLost() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-acts-");
        System.out.println("evidence is kept in " + work + " if this fails");
        try (Arena arena = Arena.open(ArenaPlan.of(ArenaPlan.Engine.MYSQL, work, false))) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            refusedActsChangeNothing(arena);
            promoteMovesThePrimary(arena);
            switchoverMovesThePrimary(arena);
            demoteMovesThePrimary(arena);
            aPauseHoldsTheFailoverBackUntilItIsResumed(arena);
            endpointsAreNamedOnTheServerThatTakesUpdates(arena, work);
            jsonHasTheFieldsThatTheDocumentationNames(arena);
            endpointsLeaveTheServerThatTakesUpdates(arena);
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void promoteMovesThePrimary(Arena arena) throws Exception {
        String reason = "kernel update on the old host";
        SqlServer old = arena.awaitSteady(LIMIT);
        SqlServer wanted = arena.group().servers().stream()
                .filter(s -> s != old)
                .findFirst()
                .orElseThrow();
        CompletableFuture<Ended> ended = new CompletableFuture<>();
        Written written = writtenWhile(arena, old, load -> {
            long began = System.nanoTime();
            ended.complete(hactl(arena, "promote", Arena.GROUP, wanted.name(), "--reason", reason));
            return began;
        });
        theActIsComplete(arena, ended.join(), old, wanted);
        theHistoryIsWhole(arena, "promote", written, wanted);
        theLogNames(arena, "promote", reason, old, wanted);
    }

    private static void switchoverMovesThePrimary(Arena arena) throws Exception {
        String reason = "the rack gets another switch";
        SqlServer old = arena.awaitSteady(LIMIT);
        CompletableFuture<Ended> ended = new CompletableFuture<>();
        Written written = writtenWhile(arena, old, load -> {
            long began = System.nanoTime();
            ended.complete(hactl(arena, "switchover", Arena.GROUP, "--reason", reason));
            return began;
        });
        SqlServer fresh = arena.group().at(written.outage().newServer());
        assertThat(ended.join().out()).as("says how long writes were frozen").contains("nobody took writes for");
        theActIsComplete(arena, ended.join(), old, fresh);
        theHistoryIsWhole(arena, "switchover", written, fresh);
        theLogNames(arena, "switchover", reason, old, fresh);
    }

    private static void demoteMovesThePrimary(Arena arena) throws Exception {
        String reason = "the disk of the primary complains";
        SqlServer old = arena.awaitSteady(LIMIT);
        CompletableFuture<Ended> ended = new CompletableFuture<>();
        Written written = writtenWhile(arena, old, load -> {
            long began = System.nanoTime();
            ended.complete(hactl(arena, "demote", Arena.GROUP, old.name(), "--reason", reason));
            return began;
        });
        SqlServer fresh = arena.group().at(written.outage().newServer());
        theActIsComplete(arena, ended.join(), old, fresh);
        theHistoryIsWhole(arena, "demote", written, fresh);
        theLogNames(arena, "demote", reason, old, fresh);
    }

    private static void aPauseHoldsTheFailoverBackUntilItIsResumed(Arena arena) throws Exception {
        String reason = "the network is rebuilt tonight";
        SqlServer old = arena.awaitSteady(LIMIT);
        long epoch = epoch(arena);
        Written written = writtenWhile(arena, old, load -> {
            Ended paused = hactl(arena, "pause", Arena.GROUP, "--reason", reason);
            assertThat(paused.code()).as(paused.err()).isZero();
            assertThat(paused.out()).contains("paused");
            long struck = System.nanoTime();
            old.kill9();
            theOldPrimaryStays(arena, old, epoch, reason);
            assertThat(load.lastServer()).contains(old.address());
            Ended resumed = hactl(arena, "resume", Arena.GROUP, "--reason", "the network is back");
            assertThat(resumed.code()).as(resumed.err()).isZero();
            assertThat(resumed.out()).contains("resumed");
            return struck;
        });
        SqlServer fresh = arena.group().at(written.outage().newServer());
        arena.api().awaitPublished(Arena.GROUP, LIMIT);
        theHistoryIsWhole(arena, "pause and resume", written, fresh);
        assertThat(epoch(arena)).isGreaterThan(epoch);
        assertThat(arena.dns().lookUp(arena.writeName()))
                .hasValue(fresh.address().host());
        SwitchView newest = arena.api().switches(Arena.GROUP).get(0);
        assertThat(newest.kind()).isEqualTo("failover");
        assertThat(newest.from()).isEqualTo(old.name());
        assertThat(newest.to()).isEqualTo(fresh.name());
        Ended log = hactl(arena, "log", Arena.GROUP);
        assertThat(log.code()).as(log.err()).isZero();
        assertThat(log.out()).contains(reason, "the network is back", PERSON + "@");
        old.start();
        // A commit that the kill interrupted may be in its binary log alone, acknowledged to nobody: then it stays
        // fenced.
        arena.api()
                .await(
                        Arena.GROUP,
                        "has " + old.name() + " back, or says what keeps it away",
                        LIMIT,
                        g -> g.members().stream()
                                .anyMatch(m -> m.name().equals(old.name())
                                        && !m.writable()
                                        && ((m.role().equals("replica") && m.healthy()) || ArbiterApi.keptAway(m))));
    }

    /** Without its permission the dead primary could take no writes: from here on only the pause keeps the arbiter from a switch. */
    private static void theOldPrimaryStays(Arena arena, SqlServer old, long epoch, String reason) throws Exception {
        arena.api()
                .await(
                        Arena.GROUP,
                        "shows " + old.name() + " dead and without permission",
                        LIMIT,
                        g -> g.members().stream()
                                .anyMatch(m -> m.name().equals(old.name())
                                        && m.state().equals("dead")
                                        && m.leaseEndsMillis() == 0));
        JsonNode holding = awaitPauseHolds(arena);
        assertThat(holding.get("sentence").asText()).contains(PERSON + "@", reason, "hactl resume");
        Ended why = hactl(arena, "why", Arena.GROUP);
        assertThat(why.code()).as(why.err()).isZero();
        assertThat(why.out()).contains("PAUSED", "holds", PERSON + "@", reason);
        GroupView still = arena.api()
                .await(Arena.GROUP, "is paused", LIMIT, g -> g.state().equals("paused") || g.pause() != null);
        assertThat(still.epoch()).isEqualTo(epoch);
        assertThat(still.primary()).isEqualTo(old.name());
        assertThat(still.phase()).isEqualTo("steady");
        assertThat(arena.dns().lookUp(arena.writeName())).hasValue(old.address().host());
    }

    private static JsonNode awaitPauseHolds(Arena arena) throws Exception {
        long start = System.nanoTime();
        while (true) {
            JsonNode why = json(arena, "-o", "json", "why", Arena.GROUP);
            for (JsonNode rule : why.get("rules")) {
                if (rule.get("rule").asText().equals("PAUSED")
                        && rule.get("outcome").asText().equals("holds")) {
                    return rule;
                }
            }
            assertThat(System.nanoTime() - start)
                    .as("PAUSED should hold: %s", why)
                    .isLessThan(LIMIT.toNanos());
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static void refusedActsChangeNothing(Arena arena) throws Exception {
        SqlServer primary = arena.awaitSteady(LIMIT);
        String other = arena.group().servers().stream()
                .map(SqlServer::name)
                .filter(name -> !name.equals(primary.name()))
                .findFirst()
                .orElseThrow();
        String reason = "--reason=to be refused";
        long epoch = epoch(arena);
        sentence(arena, 5, "no member 'nobody' in group", "promote", Arena.GROUP, "nobody", reason);
        sentence(arena, 5, "no member 'nobody' in group", "demote", Arena.GROUP, "nobody", reason);
        sentence(arena, 1, "is the primary of group", "promote", Arena.GROUP, primary.name(), reason);
        sentence(arena, 1, "isn't the primary of group", "demote", Arena.GROUP, other, reason);
        sentence(arena, 5, "no member 'nobody' in group", "switchover", Arena.GROUP, "--to", "nobody", reason);
        sentence(arena, 1, "is the primary of group", "switchover", Arena.GROUP, "--to", primary.name(), reason);
        sentence(arena, 1, "isn't paused", "resume", Arena.GROUP, reason);
        sentence(arena, 5, "nothing", "promote", "nothing", other, reason);
        sentence(arena, 5, "nothing", "demote", "nothing", other, reason);
        sentence(arena, 5, "nothing", "pause", "nothing", reason);
        sentence(arena, 5, "nothing", "why", "nothing");
        sentence(arena, 5, "nothing", "group", "show", "nothing");
        sentence(arena, 2, "must say why", "promote", Arena.GROUP, other, "--reason", " ");
        sentence(arena, 2, "--wait-limit", "promote", Arena.GROUP, other, reason, "--wait-limit", "0");
        sentence(arena, 2, "add --yes", "promote", Arena.GROUP, other, reason, "--accept-data-loss");
        sentence(arena, 2, "--masters", "--masters", "127.0.0.1", "status");
        String dead = "127.0.0.1:17397,127.0.0.1:17398";
        sentence(
                arena,
                3,
                "no master can be reached: 127.0.0.1:17397",
                "--masters",
                dead,
                "promote",
                Arena.GROUP,
                other,
                reason);
        sentence(arena, 3, "no master can be reached: 127.0.0.1:17397", "--masters", dead, "status");
        usage(arena, "--reason", "promote", Arena.GROUP, other);
        usage(arena, "--reason", "pause", Arena.GROUP);
        usage(arena, "--force", "promote", Arena.GROUP, other, reason, "--force");
        usage(arena, "nonsense", "nonsense");
        assertThat(epoch(arena)).isEqualTo(epoch);
        assertThat(arena.awaitSteady(LIMIT)).isSameAs(primary);
        assertThat(arena.api().switches(Arena.GROUP))
                .allSatisfy(s -> assertThat(s.kind()).isEqualTo("adoption"));
    }

    /** It ends with this code, and one line on standard error says why. */
    private static void sentence(Arena arena, int code, String part, String... arguments) throws Exception {
        Ended ended = hactl(arena, arguments);
        assertThat(ended.code()).as("%s: %s", List.of(arguments), ended).isEqualTo(code);
        assertThat(ended.err().lines().toList())
                .as("what hactl %s says", List.of(arguments))
                .singleElement()
                .asString()
                .startsWith("hactl: ")
                .contains(part);
        assertThat(ended.out()).isEmpty();
    }

    /** A wrong command line: the first line says what is wrong, the usage or a guess at what was meant follows. */
    private static void usage(Arena arena, String part, String... arguments) throws Exception {
        Ended ended = hactl(arena, arguments);
        assertThat(ended.code()).as("%s: %s", List.of(arguments), ended).isEqualTo(2);
        assertThat(ended.err().lines().findFirst())
                .hasValueSatisfying(line -> assertThat(line).contains(part));
        assertThat(ended.err()).containsAnyOf("Usage: hactl", "Did you mean: hactl");
        assertThat(ended.out()).isEmpty();
    }

    private static void endpointsAreNamedOnTheServerThatTakesUpdates(Arena arena, Path work) throws Exception {
        Path file = Files.writeString(
                work.resolve("web.yaml"), """
                check: {kind: tcp, port: %d}
                endpoints: {own: {address: 127.0.0.1}}
                """.formatted(arena.dns().address().port()));
        Ended set = hactl(arena, "endpoint", "set", ENDPOINTS, "--file", file.toString(), "--reason", "a front");
        assertThat(set.code()).as(set.err()).isZero();
        awaitAddresses(arena, List.of("127.0.0.1"));
    }

    private static void endpointsLeaveTheServerThatTakesUpdates(Arena arena) throws Exception {
        Ended removed = hactl(arena, "endpoint", "remove", ENDPOINTS, "--reason", "closed");
        assertThat(removed.code()).as(removed.err()).isZero();
        awaitAddresses(arena, List.of());
    }

    private static void awaitAddresses(Arena arena, List<String> wanted) throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        List<String> found = DnsQuestion.ask(arena.dns().address(), ENDPOINTS + "." + Arena.ZONE, "A");
        while (!found.equals(wanted)) {
            assertThat(System.nanoTime() - end).as("the name holds %s", found).isNegative();
            LockSupport.parkNanos(20_000_000);
            found = DnsQuestion.ask(arena.dns().address(), ENDPOINTS + "." + Arena.ZONE, "A");
        }
    }

    /** docs/hactl.md says of each command which members its JSON has. */
    private static void jsonHasTheFieldsThatTheDocumentationNames(Arena arena) throws Exception {
        TreeSet<String> seen = new TreeSet<>();
        for (String line : Files.readAllLines(Arena.home().resolve("docs").resolve("hactl.md"))) {
            // There is no Sentinel to import from here.
            if (!line.startsWith("| `hactl -o json ") || line.startsWith("| `hactl -o json import ")) {
                continue;
            }
            List<String> words = new ArrayList<>();
            for (String cell : line.split("`", -1)) {
                if (cell.matches("[A-Za-z][A-Za-z -]*")) {
                    words.add(cell);
                }
            }
            String command = words.remove(0).substring("hactl ".length());
            JsonNode answer = json(
                    arena,
                    command.replace("GROUP", Arena.GROUP)
                            .replace("NAME", ENDPOINTS)
                            .split(" "));
            List<String> fields = new ArrayList<>();
            answer.fieldNames().forEachRemaining(fields::add);
            assertThat(fields).as("members of hactl %s", command).containsExactlyInAnyOrderElementsOf(words);
            seen.add(command);
        }
        assertThat(seen)
                .contains("-o json status", "-o json group show GROUP", "-o json why GROUP", "-o json log GROUP");
        JsonNode status = json(arena, "-o", "json", "status");
        assertThat(status.at("/groups/0/name").asText()).isEqualTo(Arena.GROUP);
        assertThat(status.at("/groups/0/primary").asText())
                .isEqualTo(arena.awaitSteady(LIMIT).name());
        assertThat(json(arena, "group", "show", Arena.GROUP, "-o", "json").get("members"))
                .hasSize(MEMBERS);
    }

    private record Written(WriteHistory history, SortedSet<Long> lost, WriteHistory.Outage outage) {}

    /** What moves the primary while a client writes. */
    @FunctionalInterface
    private interface Act {
        /** @return when the outage may begin, by {@link System#nanoTime} */
        long perform(WriteLoad load) throws Exception;
    }

    /** Writes before, during and after the act; ends when another server than the old primary has taken writes for a while. */
    private static Written writtenWhile(Arena arena, SqlServer old, Act act) throws Exception {
        long first = arena.clients()
                        .call(() -> Long.parseLong(
                                arena.awaitSteady(LIMIT).askRoot("SELECT COALESCE(MAX(id), 0) FROM app.writes")))
                + 100_000;
        WriteLoad load = WriteLoad.start(
                arena.byName(),
                WriteLoad.Behaviour.of(8, WRITES_PER_SECOND)
                        .warming(arena.addresses())
                        .startingAt(first)
                        .on(arena.clients()));
        WriteHistory.Outage outage;
        try (load) {
            load.awaitAcknowledged(WRITES_PER_SECOND, LIMIT);
            long began = act.perform(load);
            outage = load.awaitOutageEnd(began, old.address(), LIMIT);
            load.awaitAcknowledged(load.history().ids().size() + WRITES_PER_SECOND, LIMIT);
        }
        SqlServer fresh = arena.group().at(outage.newServer());
        return new Written(load.history(), arena.clients().call(() -> load.verify(fresh)), outage);
    }

    /** hactl waited for all of it: nothing is waited for here but the old primary's way back as a replica. */
    private static void theActIsComplete(Arena arena, Ended ended, SqlServer old, SqlServer fresh) throws Exception {
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out())
                .contains(
                        "planned switch of group '" + Arena.GROUP + "' from " + old.name(),
                        fresh.name() + " takes writes under epoch " + epoch(arena),
                        "every DNS server shows it");
        assertThat(arena.dns().lookUp(arena.writeName()))
                .hasValue(fresh.address().host());
        GroupView group = arena.api()
                .await(
                        Arena.GROUP,
                        "has " + old.name() + " back as a replica of " + fresh.name(),
                        LIMIT,
                        g -> g.members().stream()
                                .anyMatch(m -> m.name().equals(old.name())
                                        && m.role().equals("replica")
                                        && m.healthy()
                                        && !m.writable()
                                        && m.receiving()
                                        && m.applying()
                                        && m.source().equals(fresh.address().toString())));
        assertThat(group.primary()).isEqualTo(fresh.name());
        arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
    }

    private static void theHistoryIsWhole(Arena arena, String act, Written written, SqlServer fresh) {
        WriteHistory history = written.history();
        System.out.printf(
                "%s %s: silence %.0f ms, %d acknowledged, %d lost, two writers %.0f ms%n",
                arena.plan().engine().word(),
                act,
                written.outage().silenceMillis(),
                history.ids().size(),
                written.lost().size(),
                history.provenTwoWritersMillis());
        assertThat(written.lost()).as("acknowledged writes lost").isEmpty();
        assertThat(history.provenTwoWritersMillis()).as("time with two writers").isZero();
        assertThat(history.acknowledgements()).anyMatch(a -> a.server().equals(fresh.address()));
    }

    private static void theLogNames(Arena arena, String act, String reason, SqlServer old, SqlServer fresh)
            throws Exception {
        long epoch = epoch(arena);
        Ended full = hactl(arena, "log", Arena.GROUP, "--switch", Long.toString(epoch));
        assertThat(full.code()).as(full.err()).isZero();
        assertThat(full.out())
                .as("hactl log after %s", act)
                .contains(
                        "from " + old.name() + " to " + fresh.name() + ": completed",
                        "By:      " + PERSON + "@",
                        "Why:     " + reason);
        Ended lines = hactl(arena, "log", Arena.GROUP);
        assertThat(lines.out().lines().filter(line -> line.contains(PERSON + "@")))
                .anySatisfy(line -> assertThat(line).contains(old.name(), fresh.name(), "completed"));
    }

    private static long epoch(Arena arena) {
        return arena.api()
                .await(Arena.GROUP, "is known to a leader", LIMIT, g -> true)
                .epoch();
    }

    private static Ended hactl(Arena arena, String... arguments) throws IOException, InterruptedException {
        return Hactl.endedAs(PERSON, arena, arguments);
    }

    private static JsonNode json(Arena arena, String... arguments) throws IOException, InterruptedException {
        Ended ended = hactl(arena, arguments);
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.out().lines()).hasSize(1);
        return new ObjectMapper().readTree(ended.out());
    }
}
