package org.haarbiter.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/** Listens at both ends and keeps what was said, in order; and what the link's tests say and wait for. */
final class Heard implements LinkServerListener, LinkClientListener {
    static final String HOST = "127.0.71.1";
    /** Quick, so that tests of silence don't take long. */
    static final LinkSettings QUICK = new LinkSettings(50, 300, 1000, 60_000, 100, 100, 1_000, 1_000);

    final List<Heartbeat> heartbeats = new CopyOnWriteArrayList<>();
    final List<Answer> answers = new CopyOnWriteArrayList<>();
    final List<PeerRequest> requests = new CopyOnWriteArrayList<>();
    final List<PeerAnswer> peerAnswers = new CopyOnWriteArrayList<>();
    final List<String> events = new CopyOnWriteArrayList<>();
    volatile @Nullable AgentConnection agent;

    @Override
    public void connected(AgentConnection connection) {
        agent = connection;
        events.add("connected");
    }

    @Override
    public void heartbeat(AgentConnection from, Heartbeat heartbeat, long arrivedNanos) {
        heartbeats.add(heartbeat);
    }

    @Override
    public void request(AgentConnection from, PeerRequest request) {
        requests.add(request);
        from.send(new PeerAnswer("b", request.session(), request.round(), request.epoch(), true, ""));
    }

    @Override
    public void disconnected(AgentConnection connection) {
        events.add("disconnected");
    }

    @Override
    public void connected(Endpoint master) {
        events.add("connected");
    }

    @Override
    public void answer(Endpoint master, Answer answer) {
        answers.add(answer);
    }

    @Override
    public void answer(Endpoint peer, PeerAnswer answer) {
        peerAnswers.add(answer);
    }

    @Override
    public void disconnected(Endpoint master, String reason) {
        events.add("disconnected: " + reason);
    }

    long newestHeartbeat() {
        return heartbeats.isEmpty() ? -1 : heartbeats.get(heartbeats.size() - 1).sequence();
    }

    long newestAnswer() {
        return answers.isEmpty() ? -1 : answers.get(answers.size() - 1).sequence();
    }

    static Heartbeat heartbeat(long sequence, String detail) {
        return new Heartbeat(
                1,
                sequence,
                new Sighting(
                        "g",
                        "m",
                        "north",
                        "mysql",
                        PositionKind.MYSQL_GTID,
                        new Endpoint("10.0.0.1", 3306),
                        ServerState.RUNNING,
                        detail,
                        "",
                        "",
                        "8.4",
                        true,
                        null,
                        false,
                        false,
                        "",
                        "",
                        -1,
                        -1,
                        1,
                        1,
                        0,
                        0,
                        1,
                        -1,
                        0,
                        -1,
                        true,
                        100,
                        Peering.NONE,
                        false,
                        "",
                        Guard.NONE,
                        null,
                        List.of()));
    }

    static Answer answer(long sequence, String reason) {
        return new Answer(
                1, sequence, new Goal(1, 1, Role.PRIMARY, null, "", 1000, 0, false, "", PeerList.NONE, reason));
    }

    static void await(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start))
                    .as("seconds waited until " + what)
                    .isLessThan(15);
            LockSupport.parkNanos(500_000);
        }
    }
}
