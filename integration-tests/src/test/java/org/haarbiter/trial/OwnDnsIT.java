package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.haarbiter.lab.DnsQuestion;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The masters answer for the zone themselves, and a real BIND copies it from them: clients that ask BIND follow a failover and lose
 * nothing; every server says the same; what is set by hand is served, too; without a quorum a master goes on to answer, and one that
 * is started answers nothing until it knows what the others know.
 */
@Tag("servers")
class OwnDnsIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int MEMBERS = 3;
    private static final Pattern LEADER_SILENCE = Pattern.compile("leader-silence-millis=(\\d+)");

    @Test
    void clientsFollowASwitchByTheMastersOwnServers() throws Exception {
        Path work = Arena.newWorkDirectory("ha-arbiter-own-dns-");
        System.out.println("evidence is kept in " + work + " if this fails");
        ArenaPlan plan = ArenaPlan.of(ArenaPlan.Engine.MARIADB, work, false)
                .withMembers(MEMBERS)
                .withOwnDns();
        try (Arena arena = Arena.open(plan)) {
            arena.api().awaitWhole(Arena.GROUP, MEMBERS, LIMIT);
            FailoverTrial.Result result = FailoverTrial.run(arena, Fault.KILL, FailoverTrial.Client.DNS, 200, 1);
            System.out.println(result);
            assertThat(result.lost()).as("acknowledged writes lost").isZero();
            assertThat(result.twoWritersMillis()).as("time with two writers").isZero();
            String primary = arena.database(result.to()).address().host();
            awaitEverywhere(arena, arena.writeName(), "A", primary);

            Ended set =
                    Hactl.ended(arena, "dns", "set", "mail", "A", "10.0.0.9", "--reason", "the relay", "--ttl", "30");
            assertThat(set.code()).as(set.said()).isZero();
            awaitEverywhere(arena, "mail." + Arena.ZONE, "A", "10.0.0.9");
            assertThat(Hactl.ended(arena, "dns", "set", "orders-rw", "MX", "10 x", "--reason", "no")
                            .said())
                    .contains("type: 'MX' (must be one of");
            Ended diff = Hactl.ended(arena, "dns", "diff");
            assertThat(diff.code()).as(diff.said()).isZero();
            assertThat(Hactl.ended(arena, "dns").out())
                    .contains("kept by embedded ")
                    .contains("mail")
                    .contains("by hand");

            withoutAQuorumTheLastOneAnswers(arena, primary);
        }
        Arena.deleteWorkDirectory(work);
    }

    private static void withoutAQuorumTheLastOneAnswers(Arena arena, String primary) throws Exception {
        String leader = arena.awaitLeader(LIMIT);
        List<String> names = List.copyOf(arena.masterNames());
        List<String> struck = names.stream()
                .filter(name -> !name.equals(names.get((names.indexOf(leader) + 1) % names.size())))
                .toList();
        String left = names.stream()
                .filter(name -> !struck.contains(name))
                .findFirst()
                .orElseThrow();
        for (String name : struck) {
            arena.master(name).kill9();
            arena.master(name).awaitEnd(LIMIT);
        }
        Endpoint own = arena.mastersDns().get(names.indexOf(left));
        awaitAge(own);
        assertThat(DnsQuestion.ask(own, arena.writeName(), "A")).containsExactly(primary);

        // It comes back alone: what it has on its disk may be old, and nobody can tell it.
        ServerProcess back = arena.master(left);
        back.kill9();
        back.awaitEnd(LIMIT);
        back.start();
        awaitRefusal(own, arena.writeName());
        for (String name : struck) {
            arena.master(name).start();
        }
        awaitEverywhere(arena, arena.writeName(), "A", primary);
    }

    /** The server says itself that it hasn't heard of a leader for a while. */
    private static void awaitAge(Endpoint server) {
        await(server + " tells how old its knowledge is", () -> {
            String age = String.join(" ", DnsQuestion.ask(server, "_ha-state." + Arena.ZONE, "TXT"));
            Matcher millis = LEADER_SILENCE.matcher(age);
            return millis.find() && Long.parseLong(millis.group(1)) > 1_000;
        });
    }

    private static void awaitRefusal(Endpoint server, String name) {
        await(server + " says SERVFAIL", () -> {
            try {
                DnsQuestion.ask(server, name, "A");
                return false;
            } catch (IOException e) {
                return String.valueOf(e.getMessage()).contains("SERVFAIL");
            }
        });
    }

    private static void awaitEverywhere(Arena arena, String name, String type, String value) {
        List<Endpoint> servers = new ArrayList<>(arena.mastersDns());
        servers.add(arena.dns().address());
        for (Endpoint server : servers) {
            await(
                    server + " says " + value + " of " + name,
                    () -> DnsQuestion.ask(server, name, type).equals(List.of(value)));
        }
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void await(String what, Condition condition) {
        long end = System.nanoTime() + LIMIT.toNanos();
        String last = "";
        while (System.nanoTime() - end < 0) {
            try {
                if (condition.holds()) {
                    return;
                }
            } catch (IOException e) {
                last = e.toString();
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
        throw new AssertionError("not within " + LIMIT + ": " + what + " " + last);
    }
}
