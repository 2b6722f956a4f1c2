package org.haarbiter.master.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.master.core.Command.EndpointAct;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A leader, m1 of three masters, and what they say of the endpoints a, b and c of the group web. */
class EndpointJudgementTest {
    private static final int SILENCE_MILLIS = 200;

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
                    Storms.usual(200),
                    Blocking.NONE,
                    10_000),
            new Masters("m1", new TreeMap<>(Map.of("m1", "north", "m2", "north", "m3", "south"))),
            0);
    private long millis;
    private long index;

    @BeforeEach
    void theGroupIsSet() {
        arbiter.leaderStarted(1, now());
        commit(command(new Command.SetEndpoints(abc().wanted("web"), "ann", "new")));
    }

    private static EndpointsOfTests abc() {
        return new EndpointsOfTests().with("a").with("b").with("c");
    }

    private long now() {
        return millis * 1_000_000;
    }

    private Command.Outcome command(Command command) {
        return arbiter.command(command, now(), millis);
    }

    private void commit(Command.Outcome outcome) {
        assertThat(outcome.entry()).as(outcome.sentence()).isNotNull();
        commit(Objects.requireNonNull(outcome.entry()));
    }

    private void commit(Entry entry) {
        ClusterState before = arbiter.state();
        ClusterState after = entry.applyTo(before, ++index);
        assertThat(Invariants.broken(before, after, entry)).isNull();
        assertThat(entry.group())
                .as("never between a database and its decision")
                .isEmpty();
        arbiter.applied(after, now());
        arbiter.proposalEnded(entry.group());
    }

    private EndpointGroup web() {
        return Objects.requireNonNull(arbiter.state().endpoints().get("web"));
    }

    /** A master finds those healthy, and all others unhealthy. */
    private void says(String master, String... healthy) {
        says(master, web().setIndex(), List.of(healthy), List.of("a", "b", "c"));
    }

    private void says(String master, long setIndex, List<String> healthy, List<String> known) {
        TreeMap<String, EndpointReport.Finding> found = new TreeMap<>();
        known.forEach(endpoint -> found.put(
                endpoint,
                new EndpointReport.Finding(
                        healthy.contains(endpoint), healthy.contains(endpoint) ? "connected" : "refused")));
        millis++;
        arbiter.reportedEndpoints(
                master,
                new EndpointReport(new TreeMap<>(Map.of("web", new EndpointReport.OfGroup(setIndex, found)))),
                now());
    }

    private @Nullable Entry judged() {
        return arbiter.judgeEndpoints(now(), millis);
    }

    private void judge() {
        commit(Objects.requireNonNull(judged(), "nothing is judged"));
    }

    private void allHealthy() {
        says("m1", "a", "b", "c");
        says("m2", "a", "b", "c");
        judge();
        assertThat(web().served()).containsExactly("a", "b", "c");
    }

    @Test
    void aRemovedGroupIsForgottenOnceItsNameIsInNoServerAndIsNoGroupOfDatabasesMeanwhile() {
        commit(command(new Command.RemoveEndpoints("web", "ann", "old")));
        long removal = index;
        assertThat(arbiter.state().formerEndpoints()).containsExactly(Map.entry("web", removal));
        arbiter.namesServed("web", removal, new TreeSet<>(), now());
        assertThat(judged()).as("it is there yet").isNull();
        arbiter.namesServed("web", removal, new TreeSet<>(List.of("web")), now());
        judge();
        assertThat(arbiter.state().formerEndpoints()).isEmpty();
        assertThat(arbiter.groups()).isEmpty();
        assertThat(judged()).isNull();
    }

    @Test
    void mostOfAllMastersTakeAnEndpointOutAndBringItBack() {
        allHealthy();
        says("m1", "a", "b");
        assertThat(judged()).isNull();
        says("m3", "a", "b");
        judge();
        says("m2", "a", "b");
        assertThat(web().served()).containsExactly("a", "b");
        AuditEvent line = arbiter.state().recent().get(arbiter.state().recent().size() - 1);
        assertThat(line.kind()).isEqualTo("endpoints-judged");
        assertThat(line.group()).isEqualTo("web");
        assertThat(line.text())
                .isEqualTo("endpoints: c is unhealthy (m1: refused; m3: refused), no clients are sent to it any more");
        assertThat(arbiter.state().namesIndex()).isEqualTo(line.index());

        says("m1", "a", "b", "c");
        assertThat(judged()).isNull();
        says("m2", "a", "b", "c");
        judge();
        assertThat(web().served()).containsExactly("a", "b", "c");
    }

    @Test
    void aMasterThatIsCutOffAndSeesAllDownMovesNobody() {
        allHealthy();
        says("m1");
        assertThat(judged()).isNull();
        says("m2", "a", "b", "c");
        says("m3", "a", "b", "c");
        assertThat(judged()).isNull();
    }

    @Test
    void whereMastersDisagreeHalfAndHalfNothingChanges() {
        allHealthy();
        says("m1", "a", "b");
        says("m2", "a", "b", "c");
        assertThat(judged()).isNull();
        assertThat(arbiter.findingsOf(web(), "c", now()))
                .containsEntry("m1", new EndpointReport.Finding(false, "refused"))
                .containsEntry("m2", new EndpointReport.Finding(true, "connected"))
                .containsEntry("m3", null);
    }

    @Test
    void whatWasSaidLongAgoCountsNoMore() {
        allHealthy();
        says("m3", "a", "b");
        millis += 2 * SILENCE_MILLIS + 1;
        says("m1", "a", "b");
        assertThat(judged()).isNull();
        says("m3", "a", "b");
        judge();
        assertThat(web().served()).containsExactly("a", "b");
    }

    @Test
    void whoeverDoesNotKnowCountsForNeitherSide() {
        allHealthy();
        says("m1", "a", "b");
        says("m2", web().setIndex(), List.of("a", "b"), List.of("a", "b"));
        says("m3", web().setIndex(), List.of(), List.of());
        assertThat(judged()).isNull();
    }

    @Test
    void whatWasFoundOfTheGroupAsItWasBeforeItWasSetAnewCountsNot() {
        allHealthy();
        long before = web().setIndex();
        commit(command(new Command.SetEndpoints(abc().minHealthy(2).wanted("web"), "ann", "more")));
        says("m1", before, List.of("a"), List.of("a", "b", "c"));
        says("m2", before, List.of("a"), List.of("a", "b", "c"));
        assertThat(judged()).isNull();
    }

    @Test
    void aJudgementOfAGroupThatWasSetAnewMeanwhileChangesNothing() {
        allHealthy();
        says("m1", "a", "b");
        says("m2", "a", "b");
        Entry late = Objects.requireNonNull(judged());
        commit(command(new Command.SetEndpoints(abc().minHealthy(2).wanted("web"), "ann", "more")));
        ClusterState before = arbiter.state();
        assertThat(late.applyTo(before, ++index)).isSameAs(before);
    }

    @Test
    void theLeaderThatBeganAnewBelievesOnlyWhatItAskedItself() {
        allHealthy();
        says("m2", "a", "b");
        says("m3", "a", "b");
        arbiter.leaderStopped();
        millis += 5;
        arbiter.leaderStarted(2, now());
        assertThat(judged()).isNull();
        says("m1", "a", "b");
        assertThat(judged()).isNull();
        says("m2", "a", "b");
        judge();
        assertThat(web().served()).containsExactly("a", "b");
    }

    @Test
    void oneThatIsNoMasterByTheSettingsHasNoVoice() {
        allHealthy();
        says("m1", "a", "b");
        says("m9", "a", "b");
        assertThat(judged()).isNull();
    }

    @Test
    void whileOneJudgementIsBeingCommittedThereIsNoOther() {
        allHealthy();
        says("m1", "a", "b");
        says("m2", "a", "b");
        Entry first = Objects.requireNonNull(judged());
        says("m1", "a");
        says("m2", "a");
        assertThat(judged()).isNull();
        commit(first);
        judge();
        assertThat(web().served()).containsExactly("a");
    }

    @Test
    void whereAllMastersLoseAllEndpointsAtOnceNobodyIsMoved() {
        allHealthy();
        long names = arbiter.state().namesIndex();
        says("m1");
        says("m2");
        says("m3");
        judge();
        assertThat(web().served()).containsExactly("a", "b", "c");
        assertThat(arbiter.state().namesIndex())
                .as("the name holds what it held")
                .isEqualTo(names);
        AuditEvent line = arbiter.state().recent().get(arbiter.state().recent().size() - 1);
        assertThat(line.text()).contains("clients are sent to it all the same, since fewer than 1 would be left");
    }

    @Test
    void aPausedFleetJudgesNobody() {
        allHealthy();
        commit(command(new Command.Pause("", "ann", "work on the network", 5_000)));
        says("m1", "a", "b");
        says("m2", "a", "b");
        assertThat(judged()).isNull();
        assertThat(arbiter.endFleetPause(millis)).isNull();
        millis += 5_000;
        Entry over = Objects.requireNonNull(arbiter.endFleetPause(millis));
        assertThat(arbiter.endFleetPause(millis)).as("that is being committed").isNull();
        commit(over);
        assertThat(arbiter.state().fleetPause()).isNull();
        says("m1", "a", "b");
        says("m2", "a", "b");
        judge();
    }

    // By hand

    private Command.Outcome order(String endpoint, EndpointAct act) {
        return command(new Command.OrderEndpoint("web", endpoint, act, "ann", "work"));
    }

    @Test
    void threeWaysOutAreSwitchedByHand() {
        allHealthy();
        Command.Outcome outcome = order("a", EndpointAct.DRAIN);
        assertThat(outcome.sentence()).isEqualTo("a is drained; 'web' leads to b, c");
        commit(outcome);
        commit(order("b", EndpointAct.HOLD_OUT));
        assertThat(order("c", EndpointAct.DRAIN).entry()).isNull();
        assertThat(order("a", EndpointAct.HOLD).sentence()).isEqualTo("a is drained (undrain it first)");
        assertThat(order("a", EndpointAct.RELEASE).sentence()).isEqualTo("a isn't held, it is drained");
        assertThat(order("b", EndpointAct.UNDRAIN).sentence()).isEqualTo("b isn't drained, it is held out");
        assertThat(order("c", EndpointAct.RELEASE).sentence()).isEqualTo("c isn't held");
        commit(order("a", EndpointAct.UNDRAIN));
        commit(order("c", EndpointAct.HOLD));
        assertThat(Objects.requireNonNull(web().endpoints().get("c")).state().byHand())
                .isEqualTo(new CheckedEndpoint.ByHand(CheckedEndpoint.Order.HELD_IN, "ann", "work", millis));
        commit(order("b", EndpointAct.RELEASE));
        assertThat(web().served()).containsExactly("a", "b", "c");
        assertThat(order("d", EndpointAct.DRAIN).sentence()).startsWith("no endpoint 'd' in 'web'");
        assertThat(command(new Command.OrderEndpoint("mail", "a", EndpointAct.DRAIN, "ann", "work"))
                        .sentence())
                .isEqualTo("no group of endpoints 'mail' (known: web)");
        assertThat(command(new Command.OrderEndpoint("web", "a", EndpointAct.DRAIN, "ann", " "))
                        .sentence())
                .isEqualTo("a reason is needed (--reason)");
    }

    @Test
    void anOrderThatCameTooLateLeavesTheLastOneIn() {
        allHealthy();
        commit(order("a", EndpointAct.DRAIN));
        Entry b = Objects.requireNonNull(order("b", EndpointAct.DRAIN).entry());
        Entry c = Objects.requireNonNull(order("c", EndpointAct.DRAIN).entry());
        commit(b);
        commit(c);
        assertThat(web().served()).containsExactly("c");
    }

    // Names

    @Test
    void aNameBelongsToOneOnly() {
        assertThat(command(new Command.SetRecords(
                                new RecordsByHand("web", "A", "", 60, List.of("10.0.0.9")), "ann", "new"))
                        .sentence())
                .contains("'web' is that of a group of endpoints");
        assertThat(command(new Command.SetRecords(
                                new RecordsByHand("web", "TXT", "", 60, List.of("\"hi\"")), "ann", "new"))
                        .sentence())
                .contains("'web' is that of a group of endpoints");
        commit(command(
                new Command.SetRecords(new RecordsByHand("mail", "A", "", 60, List.of("10.0.0.9")), "ann", "new")));
        assertThat(command(new Command.SetEndpoints(abc().wanted("mail"), "ann", "new"))
                        .sentence())
                .isEqualTo("'mail' has A records that were set by hand (hactl dns remove them first)");
        assertThat(command(new Command.SetEndpoints(abc().wanted("web"), "ann", "again"))
                        .sentence())
                .isEqualTo("the group of endpoints 'web' is that already");
        commit(command(new Command.RemoveEndpoints("web", "ann", "old")));
        assertThat(arbiter.state().endpoints()).isEmpty();
        assertThat(command(new Command.RemoveEndpoints("web", "ann", "old")).sentence())
                .isEqualTo("no group of endpoints 'web' (there is none)");
    }
}
