package org.haarbiter.master.raft;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.haarbiter.master.raft.RaftCluster.LIMIT;
import static org.haarbiter.master.raft.RaftCluster.await;
import static org.haarbiter.master.raft.RaftCluster.proposeAll;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.haarbiter.master.raft.RaftCluster.Member;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real nodes, one process. */
class JraftNodeTest {
    @TempDir
    Path root;

    private static void done(CompletableFuture<?> future) throws Exception {
        future.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    private static void refused(CompletableFuture<?> future) {
        assertThatThrownBy(() -> done(future))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(NotLeaderException.class);
    }

    @Test
    void threeNodesApplyTheSameEntriesInTheSameOrder() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            List<String> words = proposeAll(leader, "word-", 300);
            cluster.awaitAllHave(words);
            assertThat(leader.node().members()).hasSize(3).contains(leader.address());
        }
    }

    @Test
    void twoOfThreeElectALeader() throws Exception {
        try (RaftCluster cluster = RaftCluster.of(3, root, UnaryOperator.identity())) {
            cluster.get(0).start();
            cluster.get(1).start();
            proposeAll(cluster.awaitLeader(), "word-", 10);
        }
    }

    @Test
    void nothingAcknowledgedIsLostWithTheLeader() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            AtomicInteger unacknowledged = new AtomicInteger();
            List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
            AtomicBoolean stop = new AtomicBoolean();
            Thread client = new Thread(() -> {
                for (int i = 0; !stop.get(); i++) {
                    String word = "word-" + i;
                    for (Member member : cluster.running()) {
                        if (member.state.leadingTerm() >= 0) {
                            try {
                                member.propose(word).get(2, TimeUnit.SECONDS);
                                acknowledged.add(word);
                                break;
                            } catch (InterruptedException | ExecutionException | TimeoutException e) {
                                unacknowledged.incrementAndGet(); // such a word may or may not be there
                            }
                        }
                    }
                }
            });
            client.start();
            await("entries flow", () -> acknowledged.size() > 50);
            Member first = cluster.awaitLeader();
            first.node().transport().cut();
            Member second = cluster.awaitAnyLeaderBut(first);
            stop.set(true);
            client.join(LIMIT.toMillis());
            assertThat(client.isAlive()).isFalse();
            assertThat(unacknowledged.get()).isPositive();
            first.stop();

            done(second.propose("after"));
            assertThat(second.state.words()).containsAll(acknowledged).endsWith("after");
            first.start();
            cluster.awaitAllHave(second.state.words());
        }
    }

    @Test
    void anEntryOfAnOldTermIsRefused() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member first = cluster.awaitLeader();
            Member second = cluster.follower();
            long oldTerm = first.state.leadingTerm();
            refused(second.node().propose("follower".getBytes(UTF_8), oldTerm));

            done(first.node().transferLeadership(second.address()));
            assertThat(cluster.awaitLeader()).isSameAs(second);
            refused(first.node().propose("deposed".getBytes(UTF_8), oldTerm));
            done(second.node().transferLeadership(first.address()));
            assertThat(cluster.awaitLeader()).isSameAs(first);

            assertThat(first.state.leadingTerm()).isGreaterThan(oldTerm);
            refused(first.node().propose("old term".getBytes(UTF_8), oldTerm));
            refused(first.node().confirmLeadership(oldTerm));
            done(first.propose("new term"));
            cluster.awaitAllHave(List.of("new term"));
        }
    }

    @Test
    void aFollowerKnowsWhetherItHasCaughtUp() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            Member follower = cluster.follower();
            for (int i = 0; i < 20; i++) {
                done(leader.propose("word-" + i));
                done(follower.node().catchUp());
                assertThat(follower.state.words()).contains("word-" + i);
                done(leader.node().catchUp());
            }
            follower.node().transport().cut();
            assertThatThrownBy(() -> follower.node().catchUp().get(LIMIT.toSeconds(), TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class);
        }
    }

    @Test
    void onlyTheLeaderOfTheTermIsConfirmed() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            long term = leader.state.leadingTerm();
            done(leader.node().confirmLeadership(term));
            refused(leader.node().confirmLeadership(term + 1));
            refused(cluster.follower().node().confirmLeadership(term));

            leader.node().transport().cut();
            // From the cut on it must never be confirmed, though for a while it still believes that it leads.
            assertThatThrownBy(() -> done(leader.node().confirmLeadership(term)))
                    .isInstanceOf(ExecutionException.class);
            Member next = cluster.awaitAnyLeaderBut(leader);
            done(next.node().confirmLeadership(next.state.leadingTerm()));
            assertThatThrownBy(() -> done(leader.node().confirmLeadership(term)))
                    .isInstanceOf(ExecutionException.class);

            leader.node().transport().heal();
            assertThat(cluster.awaitLeader()).isSameAs(next);
            refused(leader.node().confirmLeadership(term));
            leader.node().close();
            refused(leader.node().confirmLeadership(term));
            refused(leader.node().propose("closed".getBytes(UTF_8), term));
        }
    }

    @Test
    void aRestartReplaysToTheSameState() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, s -> s.withSnapshots(600, 40))) {
            List<String> words = proposeAll(cluster.awaitLeader(), "word-", 100);
            cluster.awaitAllHave(words);
            // One that fell behind on a busy machine gets the leader's instead of saving its own.
            await(
                    "snapshots",
                    () -> cluster.running().stream()
                            .allMatch(m -> m.state.snapshotsSaved.get() + m.state.snapshotsLoaded.get() > 0));
            List<Member> all = cluster.running();
            all.forEach(Member::stop);
            for (Member member : all) {
                member.start();
            }
            cluster.awaitLeader();
            cluster.awaitAllHave(words);
        }
    }

    @Test
    void aMemberThatWasAwayCatchesUpBySnapshot() throws Exception {
        try (RaftCluster cluster =
                RaftCluster.started(3, root, s -> s.withSnapshots(600, 100).withElection(3_000, 2_000))) {
            // With one of three away the leader must hear the other all the time, on a machine as busy as it may be.
            Member leader = cluster.awaitLeader();
            Member away = cluster.follower();
            List<String> words = new ArrayList<>(proposeAll(leader, "before-", 5));
            cluster.awaitAllHave(words);
            away.kill();
            for (int round = 1; round <= 4; round++) {
                words.addAll(proposeAll(leader, "round-" + round + "-", 110));
                while (leader.state.snapshotsSaved.get() < round) {
                    words.addAll(proposeAll(leader, "round-" + round + "-" + words.size() + "-", 1));
                }
            }
            away.start();
            cluster.awaitAllHave(words);
            assertThat(away.state.snapshotsLoaded.get()).isPositive();
            words.addAll(proposeAll(leader, "after-", 5));
            cluster.awaitAllHave(words);
        }
    }

    @Test
    void membersComeAndGoWhileEntriesFlow() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            Member leaving = cluster.follower();
            List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
            AtomicBoolean stop = new AtomicBoolean();
            CompletableFuture<Void> client = CompletableFuture.runAsync(() -> {
                for (int i = 0; !stop.get(); i++) {
                    String word = "word-" + i;
                    leader.propose(word)
                            .orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS)
                            .join();
                    acknowledged.add(word);
                }
            });
            Member fourth = cluster.joining();
            fourth.start();
            done(leader.node().addMember(fourth.address()));
            assertThat(leader.node().members()).hasSize(4).contains(fourth.address());
            done(leader.node().removeMember(leaving.address()));
            assertThat(leader.node().members()).hasSize(3).doesNotContain(leaving.address());
            int soFar = acknowledged.size();
            await("entries flow", () -> acknowledged.size() > soFar + 20);
            stop.set(true);
            done(client);
            leaving.stop();
            cluster.awaitAllHave(acknowledged);
        }
    }

    @Test
    void aMemberThatIsNotThereIsNotAdded() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            assertThatThrownBy(() -> done(leader.node().addMember(RaftCluster.freeAddress())))
                    .hasMessageContaining("can't be reached");
            assertThat(leader.node().members()).hasSize(3);
        }
    }

    @Test
    void aLeaderMayRemoveItself() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            done(leader.node().removeMember(leader.address()));
            Member next = cluster.awaitAnyLeaderBut(leader);
            leader.stop();
            done(next.propose("word"));
            assertThat(next.node().members()).hasSize(2);
        }
    }

    @Test
    void anEntryThatCantBeAppliedStopsTheNode() throws Exception {
        try (RaftCluster cluster = RaftCluster.started(3, root, UnaryOperator.identity())) {
            Member leader = cluster.awaitLeader();
            proposeAll(leader, "word-", 3);
            CompletableFuture<Long> poison = leader.propose(WordState.POISON);
            assertThatThrownBy(() -> done(poison)).isInstanceOf(ExecutionException.class);
            await("the fault", () -> leader.state.fault.get() != null);
            assertThat(leader.state.fault.get()).contains("can't be applied").contains(WordState.POISON);
            assertThat(leader.state.words()).hasSize(3);
        }
    }

    @Test
    void anEntryThatIsTooLargeIsRefusedAtOnce() throws Exception {
        JraftNode node =
                new JraftNode(RaftSettings.of("test", RaftCluster.freeAddress(), List.of(), root), new WordState());
        assertThatThrownBy(() -> done(node.propose(new byte[JraftNode.MOST_ENTRY_BYTES + 1], 1)))
                .hasMessageContaining("1048577");
        refused(node.propose(new byte[1], 1));
        node.close();
    }
}
