package org.haarbiter.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.agent.engine.Following;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.agent.engine.Promotion;
import org.haarbiter.agent.engine.Surplus;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Position;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every engine must do, on real servers. Prints how long the steps of a failover took. */
abstract class EngineContract<S extends DatabaseServer> {
    static final int HUNG_MILLIS = 300;
    static final Duration REBUILD_LIMIT = Duration.ofSeconds(90);

    @TempDir
    Path work;

    private final List<AutoCloseable> open = new ArrayList<>();
    final List<Seat<S>> seats = new ArrayList<>();

    abstract ReplicatedGroup<S> start(Path directory, List<Endpoint> addresses) throws Exception;

    /** An engine beside the server, with this password. */
    abstract Engine engine(S server, String password);

    abstract Clients<S> clients();

    abstract String addressPrefix();

    /** How many acknowledgements commits of a lossless group wait for by the server's own settings. */
    abstract int acknowledgers();

    final Seat<S> seat(S server, Engine engine) {
        return new Seat<>(server, engine, clients());
    }

    final Seat<S> seat(S server, String password) {
        return seat(server, engine(server, password));
    }

    @AfterEach
    void closeAll() throws Exception {
        for (Seat<S> seat : seats) {
            seat.close();
        }
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    final void seats(int count) throws Exception {
        List<Endpoint> addresses = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            addresses.add(new Endpoint(addressPrefix() + i, 24_316));
        }
        ReplicatedGroup<S> group = start(work, addresses);
        open.add(group);
        for (S server : group.servers()) {
            Seat<S> seat = seat(server, Account.AGENT.password());
            seats.add(seat);
            seat.awaitState(ServerState.RUNNING);
        }
    }

    /** The first is the open primary; the others follow and acknowledge. */
    void losslessGroup(int count) throws Exception {
        seats(count);
        Seat<S> primary = seats.get(0);
        for (Seat<S> replica : seats.subList(1, count)) {
            replica.engine.follow(new Following(primary.server.address(), true), Seat.LIMIT);
        }
        primary.engine.promote(new Promotion(1, "", acknowledgers()), () -> true, Seat.LIMIT);
        primary.engine.settle(Seat.LIMIT);
        seats.forEach(seat -> seat.acknowledged = true);
        for (Seat<S> replica : seats.subList(1, count)) {
            replica.await("receiving", Observation::receiving);
        }
        primary.await("acknowledgers", seen -> seen.acknowledgers() == count - 1);
    }

    final Position position(Seat<S> seat, String text) {
        return seat.engine.traits().positionKind().parse(text);
    }

    static long millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1_000_000;
    }

    final void figure(String what, long fromNanos, long toNanos) {
        System.out.printf("%s: %s: %.1f ms%n", getClass().getSimpleName(), what, (toNanos - fromNanos) / 1e6);
    }

    static <S extends DatabaseServer> Set<Long> rows(Seat<S> seat) {
        return seat.rows();
    }

    @Test
    void aFencedServerIsOpenedDrainedAndOpenedAgain() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        Observation fenced = seat.look();
        assertThat(fenced.writable()).isFalse();
        assertThat(fenced.source()).isNull();
        assertThat(fenced.instance()).isNotEmpty();
        assertThat(fenced.serverId()).isNotEmpty();
        assertThat(fenced.version()).isNotEmpty();
        assertThat(fenced.problems()).isEmpty();
        assertThatThrownBy(() -> seat.write(1)).isInstanceOf(Refused.class);

        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        assertThat(seat.look().writable()).isTrue();
        assertThat(seat.look().acknowledgersRequired()).isZero();
        seat.write(1);

        seat.engine.drain(Seat.LIMIT);
        assertThat(seat.look().writable()).isFalse();
        // Asked for twice, it finds its work done.
        assertThat(Objects.requireNonNull(seat.engine.drain(Seat.LIMIT)).received())
                .isEqualTo(seat.look().received());
        assertThatThrownBy(() -> seat.write(2)).isInstanceOf(Refused.class);

        String upTo = seat.look().received();
        assertThat(upTo).isNotEmpty();
        seat.engine.promote(new Promotion(2, upTo, 0), () -> true, Seat.LIMIT);
        seat.engine.settle(Seat.LIMIT);
        seat.write(2);
        assertThat(position(seat, seat.look().received()).covers(position(seat, upTo)))
                .isTrue();
    }

    @Test
    void aDrainThatIsHeldUpThrowsAndLeavesWritesOpen() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        try (AutoCloseable holder = holdUp(seat.server)) {
            assertThat(holder).isNotNull();
            long start = System.nanoTime();
            assertThatThrownBy(() -> seat.engine.drain(Duration.ofMillis(300)))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("writes are open");
            assertThat(millisSince(start)).isLessThan(3_000);
        }
        seat.awaitState(ServerState.RUNNING);
        assertThat(seat.look().writable()).isTrue();
        seat.write(1);
    }

    /** Keeps the server from refusing writes, until it is closed. */
    abstract AutoCloseable holdUp(S server) throws Exception;

    @Test
    void withoutPermissionWritesStayClosed() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        assertThatThrownBy(() -> seat.engine.promote(new Promotion(7, "", 0), () -> false, Seat.LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("epoch 7");
        assertThat(seat.look().writable()).isFalse();
        assertThatThrownBy(() -> seat.write(1)).isInstanceOf(Refused.class);
    }

    @Test
    void aPositionThatIsNeverReachedKeepsWritesClosed() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        assertThatThrownBy(() ->
                        seat.engine.promote(new Promotion(1, unreachable(), 0), () -> true, Duration.ofMillis(500)))
                .isInstanceOf(EngineException.class);
        assertThat(seat.look().writable()).isFalse();
    }

    abstract String unreachable();

    @Test
    void deathIsNoticedAndARestartIsAnotherInstance() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        Observation before = seat.look();
        try (Writers<S> writers = new Writers<>(seat, 16, 1).awaitAcknowledged(50)) {
            long killed = System.nanoTime();
            seat.server.kill9();
            Seat.Death death = seat.deaths.poll(10, TimeUnit.SECONDS);
            assertThat(death).isNotNull();
            figure("death noticed (" + death.evidence() + ")", killed, death.nanos());
            assertThat(death.instance()).isEqualTo(before.instance());
            Observation dead = seat.look();
            assertThat(dead.state()).isEqualTo(ServerState.DEAD);
            assertThat(dead.instance()).isEqualTo(before.instance());
            assertThat(dead.writable()).isFalse();
            assertThat(dead.serverId()).isEqualTo(before.serverId());
            writers.awaitEnd();
            figure(
                    "last of 16 clients noticed",
                    killed,
                    writers.ended.values().stream()
                            .mapToLong(Long::longValue)
                            .max()
                            .orElseThrow());
        }
        seat.engine.fence(Seat.LIMIT);
        seat.server.awaitEnd(Seat.LIMIT);
        assertThat(seat.look().state()).isEqualTo(ServerState.DEAD);
        seat.server.start();
        Observation starting =
                seat.await("another instance", seen -> !seen.instance().equals(before.instance()));
        assertThat(starting.state()).isIn(ServerState.STARTING, ServerState.RUNNING);
        Observation up = seat.awaitState(ServerState.RUNNING);
        assertThat(up.writable()).isFalse();
        assertThat(up.serverId()).isEqualTo(before.serverId());
        assertThat(seat.deaths).isEmpty();
    }

    @Test
    void aFrozenServerIsHungAndRunsAgainWhenThawed() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        Observation before = seat.look();
        seat.server.freeze();
        long frozen = System.nanoTime();
        Observation hung = seat.awaitState(ServerState.HUNG);
        assertThat(millisSince(frozen)).isGreaterThanOrEqualTo(HUNG_MILLIS - 100);
        assertThat(hung.instance()).isEqualTo(before.instance());
        assertThat(hung.detail()).contains("hasn't answered");
        seat.server.thaw();
        assertThat(seat.awaitState(ServerState.RUNNING).instance()).isEqualTo(before.instance());
        assertThat(seat.deaths).isEmpty();
    }

    @Test
    void aFrozenServerIsFencedByKillingIt() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        seat.server.freeze();
        long start = System.nanoTime();
        seat.engine.fence(Seat.LIMIT);
        figure("fence of a frozen server", start, System.nanoTime());
        assertThat(millisSince(start)).isLessThan(1_000);
        assertThat(seat.deaths.poll(10, TimeUnit.SECONDS)).isNotNull();
        assertThat(seat.look().state()).isEqualTo(ServerState.DEAD);
    }

    @Test
    void wrongCredentialsAreNoReasonToAct() throws Exception {
        seats(1);
        Seat<S> stranger = seat(seats.get(0).server, "wrong");
        seats.add(stranger);
        Observation seen = stranger.look();
        assertThat(seen.state()).isEqualTo(ServerState.UNKNOWN);
        assertThat(seen.detail()).contains("/etc/ha-arbiter/agent.yaml", Account.AGENT.user(), accountStatement());
        assertThat(stranger.look().state()).isEqualTo(ServerState.UNKNOWN);
    }

    /** What the statement begins with that gives the agent's account its rights. */
    abstract String accountStatement();

    @Test
    void aServerThatWasNeverReachedIsUnknown() throws Exception {
        seats(1);
        seats.get(0).server.kill9();
        seats.get(0).server.awaitEnd(Seat.LIMIT);
        Seat<S> late = seat(seats.get(0).server, Account.AGENT.password());
        seats.add(late);
        assertThat(late.look().state()).isEqualTo(ServerState.UNKNOWN);
        assertThat(late.look().detail()).contains("never reached");
        assertThat(seats.get(0).awaitState(ServerState.DEAD).detail()).contains("ended");
    }

    @Test
    void aSettingThatBreaksAPromiseIsAProblemWithWhatToDo() throws Exception {
        seats(1);
        S server = seats.get(0).server;
        breakAPromise(server);
        // A second agent beside the same server would have a problem of its own: the port for copies is taken.
        seats.remove(0).close();
        Seat<S> late = seat(server, Account.AGENT.password());
        seats.add(late);
        Observation seen = late.await("problems", o -> !o.problems().isEmpty());
        assertThat(seen.problems()).hasSize(1);
        assertThat(seen.problems().get(0)).contains(brokenPromise(), "configuration file");
    }

    abstract void breakAPromise(S server) throws Exception;

    /** What is said of it. */
    abstract String brokenPromise();

    @Test
    void tooManyConnectionsIsRefusing() throws Exception {
        seats(1);
        Seat<S> seat = seats.get(0);
        seat.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        limitConnections(seat.server, 20);
        List<Clients.Client> clients = new ArrayList<>();
        try {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 30; i++) {
                            clients.add(seat.connect());
                        }
                    })
                    .isInstanceOf(Refused.class);
            assertThat(seat.awaitState(ServerState.REFUSING).detail()).contains(connectionsSetting() + " is 20");
        } finally {
            for (Clients.Client client : clients) {
                client.close();
            }
        }
        seat.awaitState(ServerState.RUNNING);
    }

    abstract void limitConnections(S server, int limit) throws Exception;

    abstract String connectionsSetting();

    @Test
    void aFailoverLosesNothingThatWasAcknowledged() throws Exception {
        losslessGroup(3);
        Seat<S> old = seats.get(0);
        for (Seat<S> seat : seats) {
            seat.await("the source heard", seen -> seen.source() == null || seen.sourceHeardMillis() >= 0);
        }
        try (Writers<S> writers = new Writers<>(old, 16, 1).awaitAcknowledged(400)) {
            long killed = System.nanoTime();
            old.server.kill9();
            Seat.Death death = old.deaths.poll(10, TimeUnit.SECONDS);
            assertThat(death).isNotNull();
            figure("death noticed", killed, death.nanos());
            List<Seat<S>> replicas = seats.subList(1, 3);
            for (Seat<S> replica : replicas) {
                long start = System.nanoTime();
                Observation own = Objects.requireNonNull(replica.engine.seal(Seat.LIMIT));
                figure("seal", start, System.nanoTime());
                // What the seal itself saw is final: a look after it finds the same position.
                assertThat(own.receiving()).isFalse();
                assertThat(own.received()).isEqualTo(replica.look().received());
            }
            Observation one = replicas.get(0).look();
            Observation two = replicas.get(1).look();
            assertThat(one.receiving()).isFalse();
            boolean first = position(replicas.get(0), one.received()).covers(position(replicas.get(0), two.received()));
            Seat<S> winner = replicas.get(first ? 0 : 1);
            Seat<S> loser = replicas.get(first ? 1 : 0);
            String upTo = first ? one.received() : two.received();
            long start = System.nanoTime();
            winner.engine.promote(new Promotion(2, upTo, acknowledgers()), () -> true, Seat.LIMIT);
            figure("promote", start, System.nanoTime());
            start = System.nanoTime();
            loser.engine.follow(new Following(winner.server.address(), true), Seat.LIMIT);
            figure("follow (repoint)", start, System.nanoTime());
            awaitFollowing(loser, winner);
            winner.write(1_000_000);
            figure("kill to first acknowledged write", killed, System.nanoTime());
            winner.engine.settle(Seat.LIMIT);
            assertThat(winner.look().source()).isNull();
            assertThat(winner.look().acknowledgersRequired()).isEqualTo(acknowledgers());
            assertThat(winner.look().writable()).isTrue();
            writers.awaitEnd();
            assertThat(rows(winner)).containsAll(writers.acknowledged.keySet()).contains(1_000_000L);
            awaitRow(loser, 1_000_000);
            assertThat(rows(loser)).containsAll(writers.acknowledged.keySet());
        }
    }

    /** Gives the order again until it shows, as the agent does. */
    final void awaitFollowing(Seat<S> replica, Seat<S> source) throws Exception {
        long deadline = System.nanoTime() + Seat.LIMIT.toNanos();
        while (true) {
            Observation seen = replica.look();
            if (seen.receiving() && source.server.address().equals(seen.source())) {
                return;
            }
            assertThat(System.nanoTime()).as("following, last seen: %s", seen).isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(5);
            replica.engine.follow(new Following(source.server.address(), true), Seat.LIMIT);
        }
    }

    static void awaitRow(Seat<?> seat, long id) throws Exception {
        long deadline = System.nanoTime() + Seat.LIMIT.toNanos();
        while (!seat.rows().contains(id)) {
            assertThat(System.nanoTime()).isLessThan(deadline);
        }
    }

    @Test
    void aFenceUnderLoadEndsTheAcknowledging() throws Exception {
        losslessGroup(2);
        Seat<S> primary = seats.get(0);
        try (Writers<S> writers = new Writers<>(primary, 16, 1).awaitAcknowledged(200)) {
            long start = System.nanoTime();
            primary.engine.fence(Seat.LIMIT);
            long fenced = System.nanoTime();
            figure("fence under load", start, fenced);
            writers.awaitEnd();
            assertThat((writers.lastAcknowledgedNanos() - fenced) / 1_000_000).isLessThan(20);
            assertThat(primary.look().writable()).isFalse();
            assertThatThrownBy(() -> primary.write(2_000_000)).isInstanceOf(Refused.class);
        }
        primary.engine.fence(Seat.LIMIT);
        assertThat(primary.look().writable()).isFalse();
    }

    @Test
    void aFenceEndsTheClientsThatWaitForAcknowledgementsThatNeverCome() throws Exception {
        losslessGroup(2);
        Seat<S> primary = seats.get(0);
        try (Writers<S> writers = new Writers<>(primary, 8, 1).awaitAcknowledged(100)) {
            strand(writers, primary, seats.get(1));
            int acknowledged = writers.acknowledged.size();
            long start = System.nanoTime();
            primary.engine.fence(Seat.LIMIT);
            figure("fence with commits that wait", start, System.nanoTime());
            assertThat(millisSince(start)).isLessThan(1_000);
            writers.awaitEnd();
            assertThat(writers.acknowledged).hasSize(acknowledged);
        }
        Observation after = primary.look();
        assertThat(after.writable()).isFalse();
        // What waited is in its log: a position without it would be taken for a part of the new primary's history.
        try {
            primary.engine.seal(Seat.LIMIT);
        } catch (EngineException e) {
            primary.awaitState(ServerState.DEAD);
            primary.server.awaitEnd(Seat.LIMIT);
            primary.server.start();
        }
        Observation sealed = primary.awaitState(ServerState.RUNNING);
        assertThat(sealed.writable()).isFalse();
        Observation replica =
                seats.get(1).await("all applied", seen -> seen.applied().equals(seen.received()));
        assertThat(position(primary, replica.received()).covers(position(primary, sealed.received())))
                .isFalse();
    }

    /** Nobody acknowledges any more: all clients come to wait. */
    private void strand(Writers<S> writers, Seat<S> primary, Seat<S> onlyReplica) throws Exception {
        onlyReplica.engine.seal(Seat.LIMIT);
        primary.await("no acknowledger", seen -> seen.acknowledgers() == 0);
        long quiet = System.nanoTime();
        while (System.nanoTime() - Math.max(quiet, writers.lastAcknowledgedNanos()) < 300_000_000L) {
            Thread.onSpinWait();
        }
    }

    @Test
    void aPrimaryThatWasFencedWhileCommitsWaitedOpensAgain() throws Exception {
        losslessGroup(2);
        Seat<S> primary = seats.get(0);
        Seat<S> replica = seats.get(1);
        try (Writers<S> writers = new Writers<>(primary, 8, 1).awaitAcknowledged(100)) {
            strand(writers, primary, replica);
            primary.engine.fence(Seat.LIMIT);
            writers.awaitEnd();
        }
        // Clients, and replicas, are cut off: nobody attaches before writes are open.
        long start = System.nanoTime();
        primary.engine.promote(new Promotion(1, "", acknowledgers()), () -> true, Seat.LIMIT);
        figure("opening again with commits that wait", start, System.nanoTime());
        // What waited is let go now, and with it a fence's read-only that still waited for it.
        replica.engine.follow(new Following(primary.server.address(), true), Seat.LIMIT);
        awaitFollowing(replica, primary);
        primary.write(2_000_000);
        assertThat(primary.look().writable()).isTrue();
        awaitRow(replica, 2_000_000);
        assertThat(rows(replica)).isEqualTo(rows(primary));
    }

    @Test
    void sealingAgainstAFrozenSourceIsQuickAndFinal() throws Exception {
        losslessGroup(2);
        Seat<S> primary = seats.get(0);
        Seat<S> replica = seats.get(1);
        try (Writers<S> writers = new Writers<>(primary, 4, 1).awaitAcknowledged(100)) {
            primary.server.freeze();
            long start = System.nanoTime();
            replica.engine.seal(Seat.LIMIT);
            figure("seal against a frozen source", start, System.nanoTime());
            assertThat(millisSince(start)).isLessThan(1_000);
            Observation sealed = replica.look();
            assertThat(sealed.receiving()).isFalse();
            long before = writers.acknowledged.size();
            primary.server.thaw();
            replica.await("everything applied", seen -> seen.applied().equals(seen.received()));
            assertThat(replica.look().received()).isEqualTo(sealed.received());
            // Each client may still get the one answer that was under way.
            assertThat((long) writers.acknowledged.size()).isLessThanOrEqualTo(before + 4);
            assertThat(rows(replica)).containsAll(writers.acknowledged.keySet());
            primary.engine.fence(Seat.LIMIT);
            writers.awaitEnd();
        }
    }

    @Test
    void aServerWithoutASourceFollowsIsRepointedAndHeard() throws Exception {
        seats(3);
        Seat<S> first = seats.get(0);
        Seat<S> second = seats.get(1);
        Seat<S> third = seats.get(2);
        first.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        second.engine.follow(new Following(first.server.address(), false), Seat.LIMIT);
        second.await("receiving", Observation::receiving);
        first.write(1);
        awaitRow(second, 1);
        second.await("heard", seen -> seen.sourceHeardMillis() >= 0 && seen.lagMillis() == 0);

        // From nothing: the third forgets what a DBA has told it.
        third.engine.settle(Seat.LIMIT);
        assertThat(third.look().source()).isNull();
        third.engine.follow(new Following(first.server.address(), false), Seat.LIMIT);
        third.await("receiving", Observation::receiving);
        awaitRow(third, 1);

        // Chained under the second, then acknowledging.
        third.engine.follow(new Following(second.server.address(), true), Seat.LIMIT);
        awaitFollowing(third, second);
        first.write(2);
        awaitRow(third, 2);
        assertThat(third.look().problems()).isEmpty();
        assertThatThrownBy(() -> third.write(3)).isInstanceOf(Refused.class);

        // A planned switch: the candidate receives until it opens, and no longer; the old primary follows it.
        Observation drained = Objects.requireNonNull(first.engine.drain(Seat.LIMIT));
        assertThat(drained.writable()).isFalse();
        String upTo = drained.received();
        assertThat(upTo).isEqualTo(first.look().received());
        second.await("holding everything", o -> position(second, o.received()).covers(position(second, upTo)));
        assertThat(second.look().receiving()).isTrue();
        assertThatThrownBy(
                        () -> second.engine.promote(new Promotion(2, upTo, acknowledgers()), () -> false, Seat.LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("epoch 2");
        assertThat(second.look().writable()).isFalse();
        second.engine.promote(new Promotion(2, upTo, acknowledgers()), () -> true, Seat.LIMIT);
        assertThat(second.look().writable()).isTrue();
        assertThat(second.look().receiving()).isFalse();
        first.engine.follow(new Following(second.server.address(), true), Seat.LIMIT);
        awaitFollowing(first, second);
        second.engine.settle(Seat.LIMIT);
        second.write(4);
        awaitRow(first, 4);
        second.engine.requireAcknowledgers(acknowledgers(), 0, Seat.LIMIT);
        assertThat(second.look().acknowledgersRequired()).isZero();
        assertThatThrownBy(() -> second.engine.requireAcknowledgers(2, 1, Seat.LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("somebody else has changed it");
        assertThat(second.look().acknowledgersRequired()).isZero();
        second.engine.requireAcknowledgers(0, 1, Seat.LIMIT);
        assertThat(second.look().acknowledgersRequired()).isEqualTo(1);
    }

    /** The first was the primary and has rows 101 to 107 beyond the second, which is the primary now and has row 200. */
    void partedGroup() throws Exception {
        seats(2);
        Seat<S> old = seats.get(0);
        Seat<S> primary = seats.get(1);
        old.engine.promote(new Promotion(1, "", 0), () -> true, Seat.LIMIT);
        primary.engine.follow(new Following(old.server.address(), false), Seat.LIMIT);
        primary.await("receiving", Observation::receiving);
        for (int id = 1; id <= 5; id++) {
            old.write(id);
        }
        awaitRow(primary, 5);
        primary.engine.seal(Seat.LIMIT);
        for (int id = 101; id <= 107; id++) {
            old.write(id);
            if (id == 103) {
                duringSurplus(old.server);
            }
        }
        old.engine.fence(Seat.LIMIT);
        old.engine.seal(Seat.LIMIT);
        primary.engine.promote(new Promotion(2, primary.look().received(), 0), () -> true, Seat.LIMIT);
        primary.engine.settle(Seat.LIMIT);
        primary.write(200);
    }

    /** Between the writes of which the surplus consists. */
    abstract void duringSurplus(S server) throws Exception;

    @Test
    void theSurplusOfAFormerPrimaryIsSaved() throws Exception {
        partedGroup();
        Seat<S> old = seats.get(0);
        String primary = seats.get(1).look().received();
        Path directory = work.resolve("surplus");
        assertThatThrownBy(() -> seats.get(1).engine.keepSurplus("", directory, Seat.LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("must be fenced");

        long start = System.nanoTime();
        Surplus surplus = Objects.requireNonNull(old.engine.keepSurplus(primary, directory, Seat.LIMIT));
        figure("surplus saved", start, System.nanoTime());
        assertThat(surplus.bytes()).isEqualTo(Files.size(surplus.file()));
        List<Path> made = listed(directory);
        assertThat(made).contains(surplus.file());
        for (Path file : made) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }

        // Asked again, also when the primary has gone on meanwhile.
        seats.get(1).write(201);
        assertThat(old.engine.keepSurplus(seats.get(1).look().received(), directory, Seat.LIMIT))
                .isEqualTo(surplus);
        assertThat(listed(directory)).isEqualTo(made);
        assertThat(old.engine.keepSurplus(old.look().received(), directory, Seat.LIMIT))
                .isNull();
        checkSurplus(surplus);

        makeSurplusImpossible(old.server);
        assertThatThrownBy(() -> old.engine.keepSurplus(primary, work.resolve("late"), Seat.LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageMatching("(?s).*(" + whyImpossible() + ").*");
        assertThat(listed(work.resolve("late"))).isEmpty();
    }

    private static List<Path> listed(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    /** Rows 101 to 107 are in it. */
    abstract void checkSurplus(Surplus surplus) throws Exception;

    abstract void makeSurplusImpossible(S server) throws Exception;

    abstract String whyImpossible();

    @Test
    void aFormerPrimaryIsRebuiltFromADonorThatTakesWrites() throws Exception {
        partedGroup();
        Seat<S> old = seats.get(0);
        Seat<S> primary = seats.get(1);
        String serverId = old.look().serverId();
        List<Long> totals = new CopyOnWriteArrayList<>();
        List<Observation> looks = new CopyOnWriteArrayList<>();
        try (Writers<S> writers = new Writers<>(primary, 4, 1_000).awaitAcknowledged(100);
                Looking looking = new Looking(old, looks)) {
            long start = System.nanoTime();
            old.engine.rebuild(
                    primary.server.address(),
                    (stage, done, total) -> {
                        totals.add(total);
                        fence(old);
                        assertThatThrownBy(() ->
                                        old.engine.follow(new Following(primary.server.address(), false), Seat.LIMIT))
                                .hasMessageContaining("rebuild");
                    },
                    REBUILD_LIMIT);
            figure("rebuild", start, System.nanoTime());
            assertThat(looking.thread.isAlive()).isTrue();
            assertThat(writers.ended).isEmpty();
        }
        assertThat(totals).isNotEmpty();
        assertThat(looks).anyMatch(Observation::rebuilding).noneMatch(Observation::writable);
        Observation rebuilt = old.awaitState(ServerState.RUNNING);
        assertThat(rebuilt.rebuilding()).isFalse();
        assertThat(rebuilt.problems()).isEmpty();
        assertThat(rebuilt.serverId()).isEqualTo(serverId);
        assertThat(rebuilt.source()).isNull();
        assertThatThrownBy(() -> old.write(3)).isInstanceOf(Refused.class);
        assertThat(position(old, primary.look().received()).covers(position(old, rebuilt.received())))
                .isTrue();
        assertThat(position(old, rebuilt.received()).isEmpty()).isFalse();

        long start = System.nanoTime();
        old.engine.follow(new Following(primary.server.address(), true), Seat.LIMIT);
        awaitFollowing(old, primary);
        figure("following after it", start, System.nanoTime());
        primary.write(999_999);
        awaitRow(old, 999_999);
        figure("and level", start, System.nanoTime());
        assertThat(rows(old)).isEqualTo(rows(primary)).contains(5L, 200L).doesNotContain(101L, 107L);
        assertThat(old.engine
                        .traits()
                        .positionKind()
                        .parse(old.look().received())
                        .minus(position(primary, primary.look().received()))
                        .isEmpty())
                .isTrue();

        // It is a member like any other: it can be switched to.
        primary.engine.drain(Seat.LIMIT);
        old.engine.promote(new Promotion(3, primary.look().received(), 0), () -> true, Seat.LIMIT);
        old.engine.settle(Seat.LIMIT);
        primary.engine.follow(new Following(old.server.address(), true), Seat.LIMIT);
        awaitFollowing(primary, old);
        old.write(1_000_000);
        awaitRow(primary, 1_000_000);
    }

    private static void fence(Seat<?> seat) {
        try {
            seat.engine.fence(Seat.LIMIT);
        } catch (EngineException e) {
            throw new AssertionError("a fence while it is rebuilt", e);
        }
    }

    /** Looks at the server all the time, as an agent does. */
    static final class Looking implements AutoCloseable {
        final Thread thread;
        private volatile boolean ended;

        Looking(Seat<?> seat, List<Observation> looks) {
            thread = new Thread(
                    () -> {
                        while (!ended) {
                            looks.add(seat.look());
                            LockSupport.parkNanos(20_000_000);
                        }
                    },
                    "looking");
            thread.start();
        }

        @Override
        public void close() {
            ended = true;
            try {
                thread.join(Seat.LIMIT.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while the looking was ending", e);
            }
        }
    }

    /** The data is dropped before the copy begins; else the copy is made beside it. */
    abstract boolean dropsDataFirst();

    /** Makes a copy take so long that somebody can die in the middle. */
    abstract void slowCopies(Seat<S> recipient, Seat<S> donor) throws Exception;

    /** With data of which a copy takes a while: 64 MB. */
    abstract void fill(S server) throws Exception;

    /** The same server, with another engine beside it: the agent is started again and still knows. */
    private Seat<S> withoutItsData(Seat<S> old, Seat<S> donor) {
        Observation after = old.await("a look that says so", Observation::rebuilding);
        assertThat(after.problems().get(0))
                .contains("data isn't whole", donor.server.address().toString());
        assertThat(after.writable()).isFalse();
        assertThatThrownBy(() -> old.engine.promote(new Promotion(3, "", 0), () -> true, Seat.LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("isn't whole");
        Seat<S> again = seat(old.server, Account.AGENT.password());
        old.engine.close();
        seats.set(0, again);
        assertThat(again.look().rebuilding()).isTrue();
        return again;
    }

    @Test
    void aDonorThatDiesInTheMiddleIsReportedAndTheNextRebuildSucceeds() throws Exception {
        partedGroup();
        Seat<S> old = seats.get(0);
        Seat<S> donor = seats.get(1);
        fill(donor.server);
        slowCopies(old, donor);
        AtomicLong killed = new AtomicLong();
        try (Looking looking = new Looking(old, new CopyOnWriteArrayList<>())) {
            assertThatThrownBy(() -> old.engine.rebuild(
                            donor.server.address(),
                            (stage, done, total) -> {
                                if (done > 20_000_000 && killed.compareAndSet(0, System.nanoTime())) {
                                    donor.server.kill9();
                                }
                            },
                            REBUILD_LIMIT))
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining(dropsDataFirst() ? "ask for a rebuild again" : "data is as before");
            figure("rebuild given up after the donor's death", killed.get(), System.nanoTime());
            assertThat(killed.get()).isNotZero();
            assertThat(millisSince(killed.get())).isLessThan(60_000);
            assertThat(looking.thread.isAlive()).isTrue();
        }
        Seat<S> again = dropsDataFirst() ? withoutItsData(old, donor) : old;
        if (!dropsDataFirst()) {
            assertThat(old.look().rebuilding()).isFalse();
            assertThat(rows(old)).contains(107L);
        }

        donor.server.awaitEnd(Seat.LIMIT);
        donor.server.start();
        donor.server.awaitReady(Seat.LIMIT);
        donor.awaitState(ServerState.RUNNING);
        donor.engine.promote(new Promotion(3, "", 0), () -> true, Seat.LIMIT);
        try (Looking looking = new Looking(again, new CopyOnWriteArrayList<>())) {
            again.engine.rebuild(donor.server.address(), (stage, done, total) -> {}, REBUILD_LIMIT);
            assertThat(looking.thread.isAlive()).isTrue();
        }
        Observation rebuilt = again.awaitState(ServerState.RUNNING);
        assertThat(rebuilt.rebuilding()).isFalse();
        assertThat(rebuilt.received()).isNotEmpty();
        again.engine.follow(new Following(donor.server.address(), true), Seat.LIMIT);
        awaitFollowing(again, donor);
        donor.write(300);
        awaitRow(again, 300);
        assertThat(rows(again)).isEqualTo(rows(donor)).doesNotContain(101L);
    }

    @Test
    void aDonorThatCantBeReachedLeavesTheDataAsItWas() throws Exception {
        partedGroup();
        Seat<S> old = seats.get(0);
        Endpoint nobody = new Endpoint(addressPrefix() + 9, 24_316);
        assertThatThrownBy(() -> old.engine.rebuild(nobody, (stage, done, total) -> {}, REBUILD_LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("data is as before");
        Observation after = old.awaitState(ServerState.RUNNING);
        assertThat(after.rebuilding()).isFalse();
        assertThat(after.writable()).isFalse();
        assertThat(rows(old)).contains(107L);
        assertThatThrownBy(() ->
                        seats.get(1).engine.rebuild(old.server.address(), (stage, done, total) -> {}, REBUILD_LIMIT))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("must be fenced");
    }
}
