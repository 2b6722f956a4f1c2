package org.haarbiter.wire;

import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.haarbiter.words.Answer;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peer;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Role;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/** Legal heartbeats and answers of every shape, from a seed. */
public final class RandomWords {
    private final Random random;

    public RandomWords(long seed) {
        random = new Random(seed);
    }

    public Heartbeat heartbeat() {
        return new Heartbeat(random.nextLong(), count(), count(), sighting());
    }

    public Answer answer() {
        return new Answer(random.nextLong(), count(), goal());
    }

    private Sighting sighting() {
        PositionKind kind = any(PositionKind.values());
        return new Sighting(
                "g" + text(60),
                "m" + text(60),
                text(20),
                text(20),
                kind,
                endpoint(),
                any(ServerState.values()),
                text(WireLimits.SENTENCE),
                text(100),
                text(100),
                text(WireLimits.NAME),
                random.nextBoolean(),
                maybe(endpoint()),
                random.nextBoolean(),
                random.nextBoolean(),
                position(kind),
                position(kind),
                count() - 1,
                count() - 1,
                count(),
                count(),
                count(),
                count(),
                count(),
                random.nextInt(66) - 1,
                random.nextInt(65),
                count() - 1,
                random.nextBoolean(),
                random.nextInt(200),
                new Peering(maybe(endpoint()), names(), count(), random.nextBoolean(), count() - 1),
                random.nextBoolean(),
                text(200),
                new Guard(any(Guard.Kind.values()), random.nextInt(100_000)),
                maybe(node()),
                sentences());
    }

    private List<String> sentences() {
        return IntStream.range(0, random.nextInt(4)).mapToObj(i -> text(200)).toList();
    }

    private Goal goal() {
        PositionKind kind = any(PositionKind.values());
        return new Goal(
                count(),
                count(),
                any(Role.values()),
                maybe(endpoint()),
                position(kind),
                count(),
                random.nextInt(65),
                random.nextBoolean(),
                position(kind),
                new PeerList(names().stream().map(n -> new Peer(n, endpoint())).toList(), random.nextBoolean()),
                text(WireLimits.SENTENCE));
    }

    PeerRequest request() {
        return new PeerRequest(
                "g" + text(60),
                "m" + text(60),
                random.nextLong(),
                count(),
                count(),
                random.nextBoolean(),
                random.nextInt(WireLimits.LEASE_MILLIS));
    }

    PeerAnswer peerAnswer() {
        return new PeerAnswer(
                "m" + text(60), random.nextLong(), count(), count(), random.nextBoolean(), text(WireLimits.SENTENCE));
    }

    private List<String> names() {
        return IntStream.range(0, random.nextInt(4))
                .mapToObj(i -> "n" + i + text(40))
                .toList();
    }

    private ClusterNode node() {
        TreeMap<String, Endpoint> nodes = new TreeMap<>();
        names().forEach(name -> nodes.put(name, endpoint()));
        return new ClusterNode("n" + text(40), count(), text(60), nodes, sentences());
    }

    private Endpoint endpoint() {
        return new Endpoint(any(new String[] {"10.0.0.1", "::1", "db-7.example.org"}), 1 + random.nextInt(65_535));
    }

    private String position(PositionKind kind) {
        long last = 1L + random.nextInt(1 << random.nextInt(30));
        return switch (random.nextInt(3)) {
            case 0 -> "";
            default ->
                switch (kind) {
                    case MYSQL_GTID -> "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-" + last;
                    case MARIADB_GTID -> "0-1-" + last + ",5-2-" + last;
                    case REPLICATION_OFFSET -> "b7e2:" + 2 * last + ",a5f0:" + last;
                    case STREAM_OFFSETS -> "orders-0:" + last + ",orders-1:" + 2 * last;
                };
        };
    }

    private long count() {
        return random.nextLong() >>> (1 + random.nextInt(63));
    }

    private String text(int limit) {
        int[] points = random.ints(random.nextInt(limit / 2), 1, 0x2_0000)
                .filter(point -> point < Character.MIN_SURROGATE || point > Character.MAX_SURROGATE)
                .toArray();
        return new String(points, 0, points.length);
    }

    private <T> @Nullable T maybe(T value) {
        return random.nextBoolean() ? value : null;
    }

    private <T> T any(T[] values) {
        return List.of(values).get(random.nextInt(values.length));
    }
}
