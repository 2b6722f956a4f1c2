package org.haarbiter.master.raft;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** Real nodes in this process, on addresses of the loopback net. */
final class RaftCluster implements AutoCloseable {
    static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Logger LIBRARY = Logger.getLogger("com.alipay.sofa.jraft");
    private static final Logger OURS = Logger.getLogger("org.haarbiter.master.raft");

    static {
        LIBRARY.setLevel(Level.OFF);
        OURS.setLevel(Level.SEVERE);
    }

    private final Path root;
    private final UnaryOperator<RaftSettings> adjust;
    private final List<Member> members = new ArrayList<>();

    /** One member, running or not; a restart gives it a new node and an empty state. */
    static final class Member {
        final RaftSettings settings;

        @Nullable
        JraftNode node;

        WordState state = new WordState();

        Member(RaftSettings settings) {
            this.settings = settings;
        }

        Endpoint address() {
            return settings.self();
        }

        JraftNode node() {
            JraftNode running = node;
            if (running == null) {
                throw new IllegalStateException(address() + " is not running");
            }
            return running;
        }

        boolean isRunning() {
            return node != null;
        }

        void start() throws RaftStartException {
            state = new WordState();
            JraftNode made = new JraftNode(settings, state);
            node = made;
            made.start();
        }

        void stop() {
            node().close();
            node = null;
        }

        /** Ends without a word to the others. */
        void kill() {
            node().transport().cut();
            stop();
        }

        CompletableFuture<Long> propose(String word) {
            return node().propose(word.getBytes(UTF_8), state.leadingTerm());
        }
    }

    private RaftCluster(Path root, UnaryOperator<RaftSettings> adjust) {
        this.root = root;
        this.adjust = adjust;
    }

    /** Makes tests of refusals silent: loads this class, which sets the log levels. */
    static void quiet() {}

    /** Members that are not started yet. */
    static RaftCluster of(int size, Path root, UnaryOperator<RaftSettings> adjust) throws IOException {
        RaftCluster cluster = new RaftCluster(root, adjust);
        List<Endpoint> addresses = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            addresses.add(freeAddress());
        }
        for (Endpoint address : addresses) {
            cluster.members.add(cluster.member(address, addresses));
        }
        return cluster;
    }

    static RaftCluster started(int size, Path root, UnaryOperator<RaftSettings> adjust) throws Exception {
        RaftCluster cluster = of(size, root, adjust);
        for (Member member : cluster.members) {
            member.start();
        }
        return cluster;
    }

    /** A further member in join mode, not started yet. */
    Member joining() throws IOException {
        Member member = member(freeAddress(), List.of());
        members.add(member);
        return member;
    }

    private Member member(Endpoint address, List<Endpoint> initial) {
        return new Member(
                adjust.apply(RaftSettings.of("test", address, initial, root.resolve(String.valueOf(address.port())))
                        .withElection(1_000, 700)));
    }

    Member get(int number) {
        return members.get(number);
    }

    List<Member> running() {
        return members.stream().filter(Member::isRunning).toList();
    }

    /** The one running member that leads, knows it, and whose followers know it. */
    Member awaitLeader() {
        List<Member> found = new ArrayList<>();
        await("one leader that all follow", () -> {
            found.clear();
            running().stream().filter(m -> m.state.leadingTerm() >= 0).forEach(found::add);
            return found.size() == 1
                    && running().stream()
                            .allMatch(
                                    m -> found.get(0).address().equals(m.node().leader()));
        });
        return found.get(0);
    }

    /** A running member that leads, whatever the others know. */
    Member awaitAnyLeaderBut(Member old) {
        List<Member> found = new ArrayList<>();
        await("another leader than " + old.address(), () -> {
            running().stream()
                    .filter(m -> m != old && m.state.leadingTerm() >= 0)
                    .forEach(found::add);
            return !found.isEmpty();
        });
        return found.get(0);
    }

    Member follower() {
        Member leader = awaitLeader();
        return running().stream().filter(m -> m != leader).findFirst().orElseThrow();
    }

    void awaitAllHave(List<String> words) {
        await(
                "all members have " + words.size() + " words",
                () -> running().stream().allMatch(m -> m.state.words().equals(words)));
    }

    /** Proposes words of this stem one after the other, all acknowledged. */
    static List<String> proposeAll(Member leader, String stem, int count) throws Exception {
        List<String> words = new ArrayList<>();
        List<CompletableFuture<Long>> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            words.add(stem + i);
            results.add(leader.propose(stem + i));
            if (results.size() % 100 == 0) {
                results.get(results.size() - 1).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            }
        }
        for (CompletableFuture<Long> result : results) {
            result.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        }
        return words;
    }

    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("not within " + LIMIT + ": " + what);
            }
            try {
                TimeUnit.MILLISECONDS.sleep(2);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for: " + what, e);
            }
        }
    }

    static Endpoint freeAddress() throws IOException {
        return FreeEndpoint.at("127.77.0.1");
    }

    @Override
    public void close() {
        running().forEach(Member::stop);
    }
}
