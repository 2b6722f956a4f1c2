package org.haarbiter.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.haarbiter.master.codec.EndpointReportCodec;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.WhenArbiterLost;
import org.junit.jupiter.api.Test;

/** The leader m1 of three masters. */
class EndpointRoundsTest {
    private static final int SILENCE_MILLIS = 200;
    private static final Masters MASTERS = new Masters("m1", new TreeMap<>(Map.of("m1", "", "m2", "", "m3", "")));

    private final Arbiter arbiter = new Arbiter(
            new Limits(
                    SILENCE_MILLIS,
                    400,
                    10,
                    100,
                    1000,
                    1000,
                    Policies.of(Policy.LOSSLESS),
                    10_000,
                    WhenArbiterLost.HOLD,
                    Storms.usual(SILENCE_MILLIS),
                    Blocking.NONE,
                    10_000),
            MASTERS,
            0);
    private final List<String> asked = new ArrayList<>();
    private final TreeMap<String, CompletableFuture<EndpointReport>> answers = new TreeMap<>();
    private final EndpointRounds rounds =
            new EndpointRounds(MASTERS, SILENCE_MILLIS, () -> ask("m1"), this::ask, act -> act.accept(arbiter));

    private CompletableFuture<EndpointReport> ask(String master) {
        asked.add(master);
        return answers.computeIfAbsent(master, m -> new CompletableFuture<>());
    }

    private void answer(String master, boolean healthy) {
        EndpointReport report = new EndpointReport(new TreeMap<>(Map.of(
                "web",
                new EndpointReport.OfGroup(
                        1, new TreeMap<>(Map.of("a", new EndpointReport.Finding(healthy, "tried")))))));
        // As it crosses the wire.
        Objects.requireNonNull(answers.remove(master))
                .complete(EndpointReportCodec.report(EndpointReportCodec.answer(report)));
    }

    private void tick(int millis) {
        rounds.tick(arbiter, millis * 1_000_000L);
    }

    private void theGroupIsSet() {
        CheckedEndpoint.State unchecked =
                new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, false, null);
        EndpointGroup group = new EndpointGroup(
                "web",
                5,
                EndpointGroup.Mode.ALL,
                1,
                new EndpointCheck(EndpointCheck.Kind.TCP, 443, "", "", 0, "", false, 1_000, 500, 2, 3),
                new TreeMap<>(),
                0,
                0,
                new TreeMap<>(Map.of("a", new CheckedEndpoint("10.0.0.1", "", 1, 0, 0, unchecked))));
        arbiter.applied(new Entry.EndpointGroupSet(group, "ann", "new", 0).applyTo(ClusterState.empty(), 1), 0);
    }

    @Test
    void nobodyIsAskedByAFollowerNorWhereNothingIsChecked() {
        theGroupIsSet();
        tick(1);
        assertThat(asked).isEmpty();
        arbiter.leaderStarted(1, 0);
        arbiter.applied(ClusterState.empty(), 0);
        tick(2);
        assertThat(asked).isEmpty();
    }

    @Test
    void everyMasterIsAskedTwiceInASilenceAndOnceAtATime() {
        theGroupIsSet();
        arbiter.leaderStarted(1, 0);
        tick(1);
        assertThat(asked).containsExactly("m1", "m2", "m3");
        answer("m1", true);
        answer("m2", true);
        tick(100);
        assertThat(asked).as("not yet").hasSize(3);
        tick(101);
        assertThat(asked).as("m3 hasn't answered yet").endsWith("m1", "m2").hasSize(5);
        Objects.requireNonNull(answers.remove("m3")).completeExceptionally(new IllegalStateException("no connection"));
        tick(201);
        assertThat(asked).as("m3 has failed, and is asked again").endsWith("m3").hasSize(6);
    }

    @Test
    void whatTheyFindReachesTheArbiter() {
        theGroupIsSet();
        arbiter.leaderStarted(1, 0);
        tick(1);
        answer("m1", false);
        assertThat(arbiter.judgeEndpoints(2_000_000, 2)).isNull();
        answer("m3", false);
        assertThat(arbiter.judgeEndpoints(2_000_000, 2))
                .isEqualTo(new Entry.EndpointsJudged(
                        new TreeMap<>(Map.of(
                                "web",
                                new Entry.EndpointsJudged.OfEndpointGroup(
                                        1,
                                        new TreeMap<>(Map.of(
                                                "a", new EndpointGroup.Judgement(false, "m1: tried; m3: tried")))))),
                        2));
    }
}
