package org.haarbiter.master.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.master.core.CheckedEndpoint.Order;
import org.junit.jupiter.api.Test;

class EndpointGroupTest {
    private static final SortedMap<String, List<String>> NOWHERE = new TreeMap<>();
    private static final SortedMap<String, List<String>> REGIONS =
            new TreeMap<>(Map.of("north", List.of("n1", "s1"), "south", List.of("s1", "n1")));

    private static EndpointsOfTests abc() {
        return new EndpointsOfTests().with("a").with("b").with("c");
    }

    private static List<String> everybodyIsSentTo(EndpointGroup group) {
        return group.addresses(NOWHERE).getOrDefault("", List.of());
    }

    // Who is served

    @Test
    void inANewGroupEverybodyServesUntilSomebodyHasLooked() {
        assertThat(abc().set().served()).containsExactly("a", "b", "c");
        assertThat(abc().set().keptForWantOfBetter()).isEmpty();
    }

    @Test
    void onlyTheHealthyAreServed() {
        assertThat(abc().found("a", "c").served()).containsExactly("a", "c");
        assertThat(everybodyIsSentTo(abc().found("a", "c"))).containsExactly("10.0.0.1", "10.0.0.3");
    }

    @Test
    void oneThatNobodyHasLookedAtYetGoesOnBesideOneThatIsHealthy() {
        EndpointGroup group = abc().set().judged(new TreeMap<>(Map.of("a", new EndpointGroup.Judgement(true, ""))), 1);
        assertThat(group.served()).containsExactly("a", "b", "c");
    }

    @Test
    void whereAllFailAtOnceAllStay() {
        EndpointGroup group = abc().found();
        assertThat(group.served()).containsExactly("a", "b", "c");
        assertThat(group.keptForWantOfBetter()).containsExactly("a", "b", "c");
    }

    @Test
    void whereOneAfterTheOtherFailsTheLastOneStaysUntilAnotherIsBack() {
        EndpointGroup last = EndpointsOfTests.found(EndpointsOfTests.found(abc().found("a", "b"), "b"));
        assertThat(last.served()).containsExactly("b");
        assertThat(EndpointsOfTests.found(last, "c").served()).containsExactly("c");
    }

    @Test
    void belowMinHealthyNobodyIsTakenOutAndWhoeverIsHealthyIsAdded() {
        EndpointGroup two = abc().minHealthy(2).found("a", "b");
        assertThat(two.served()).containsExactly("a", "b");
        EndpointGroup one = EndpointsOfTests.found(two, "a");
        assertThat(one.served()).containsExactly("a", "b");
        assertThat(one.keptForWantOfBetter()).containsExactly("b");
        EndpointGroup other = EndpointsOfTests.found(one, "c");
        assertThat(other.served()).containsExactly("a", "b", "c");
        assertThat(EndpointsOfTests.found(other, "b", "c").served()).containsExactly("b", "c");
    }

    @Test
    void oneThatJoinsOrMovesWaitsUntilItWasFoundHealthy() {
        EndpointGroup before = new EndpointsOfTests().with("a").with("b").found("a", "b");
        EndpointGroup joined = abc().wanted("web").after(before, 7, 7);
        assertThat(joined.served()).containsExactly("a", "b");
        assertThat(EndpointsOfTests.found(joined, "a", "b", "c").served()).containsExactly("a", "b", "c");

        EndpointGroup moved =
                new EndpointsOfTests().with("b").with("a").wanted("web").after(before, 8, 8);
        // Both have each other's address now. Nobody was looked at there: better those than nobody.
        assertThat(moved.endpoints().values())
                .allSatisfy(each -> assertThat(each.state().health()).isEqualTo(CheckedEndpoint.Health.UNCHECKED));
        assertThat(moved.served()).containsExactly("a", "b");
    }

    @Test
    void whatIsKnownStaysWhereOnlyTheWeightsChange() {
        EndpointGroup before = abc().found("a", "c");
        EndpointGroup after = new EndpointsOfTests()
                .with("a", "", 5, 0, 0)
                .with("b")
                .with("c")
                .wanted("web")
                .after(before, 7, 7);
        assertThat(after.served()).containsExactly("a", "c");
        assertThat(after.setIndex()).isEqualTo(7);
        assertThat(after.namedAs(before)).isFalse();
    }

    @Test
    void anotherCheckTellsNothingYetAndMovesNobody() {
        EndpointGroup before = abc().found("a", "c");
        EndpointGroup wanted = abc().wanted("web");
        EndpointGroup after = new EndpointGroup(
                        "web",
                        5,
                        wanted.mode(),
                        1,
                        new EndpointCheck(EndpointCheck.Kind.TCP, 80, "", "", 0, "", false, 1_000, 500, 2, 3),
                        wanted.loads(),
                        0,
                        0,
                        wanted.endpoints())
                .after(before, 7, 7);
        assertThat(after.served()).containsExactly("a", "c");
        assertThat(EndpointsOfTests.found(after, "b").served()).containsExactly("b");
    }

    // By hand

    @Test
    void whoeverIsDrainedLeavesHoweverItIsAndComesBackAsItIs() {
        EndpointGroup drained = abc().found("a", "b").ordered("a", EndpointsOfTests.order(Order.DRAINED));
        assertThat(drained.served()).containsExactly("b");
        assertThat(EndpointsOfTests.found(drained, "a", "b", "c").served()).containsExactly("b", "c");
        assertThat(drained.ordered("a", null).served()).containsExactly("a", "b");
    }

    @Test
    void whoeverIsHeldStaysWhateverTheChecksFind() {
        EndpointGroup held = abc().found("a", "b")
                .ordered("a", EndpointsOfTests.order(Order.HELD_IN))
                .ordered("b", EndpointsOfTests.order(Order.HELD_OUT));
        assertThat(EndpointsOfTests.found(held, "b").served()).containsExactly("a");
        assertThat(EndpointsOfTests.found(held, "b", "c").served()).containsExactly("a", "c");
        // Nobody is fit but the one that is held in.
        assertThat(EndpointsOfTests.found(held).served()).containsExactly("a");
        assertThat(EndpointsOfTests.found(held, "b").ordered("a", null).served())
                .as("too few are fit, so whoever served stays")
                .containsExactly("a");
    }

    @Test
    void theLastOneThatIsHealthyCantBeTakenOutByHand() {
        EndpointGroup group = abc().found("a");
        assertThat(group.orderProblem("a", EndpointsOfTests.order(Order.DRAINED)))
                .contains("no other endpoint of 'web' is healthy")
                .contains("hactl endpoint hold web ENDPOINT --in");
        assertThat(group.orderProblem("b", EndpointsOfTests.order(Order.DRAINED)))
                .isNull();
        assertThat(group.ordered("b", EndpointsOfTests.order(Order.HELD_IN))
                        .orderProblem("a", EndpointsOfTests.order(Order.HELD_OUT)))
                .isNull();
        assertThat(group.orderProblem("d", EndpointsOfTests.order(Order.DRAINED)))
                .isEqualTo("no endpoint 'd' in 'web' (known: a, b, c)");
    }

    @Test
    void whereTheServedOneIsRemovedTheOthersStandInHoweverTheyAre() {
        EndpointGroup group = abc().found("a");
        EndpointGroup after = new EndpointsOfTests()
                .with("x")
                .with("b")
                .with("c")
                .wanted("web")
                .after(group, 7, 7);
        assertThat(after.served()).containsExactly("b", "c", "x");
    }

    @Test
    void aGroupOfWhichAllAreDrainedCantBeSet() {
        EndpointGroup before = abc().found("a", "b", "c").ordered("c", EndpointsOfTests.order(Order.DRAINED));
        EndpointGroup wanted = abc().wanted("web");
        TreeMap<String, CheckedEndpoint> onlyC = new TreeMap<>(wanted.endpoints());
        onlyC.keySet().retainAll(List.of("c"));
        EndpointGroup after = new EndpointGroup(
                        "web", 5, EndpointGroup.Mode.ALL, 1, EndpointsOfTests.CHECK, new TreeMap<>(), 0, 0, onlyC)
                .after(before, 7, 7);
        assertThat(after.problem()).contains("one at least must not be drained or held out");
    }

    // What the name holds

    @Test
    void ofAGroupThatPrefersTheNameHoldsTheBestOrder() {
        EndpointsOfTests three = new EndpointsOfTests()
                .first()
                .with("a", "", 1, 1, 0)
                .with("b", "", 1, 2, 0)
                .with("c", "", 1, 2, 0);
        assertThat(everybodyIsSentTo(three.found("a", "b", "c"))).containsExactly("10.0.0.1");
        assertThat(everybodyIsSentTo(three.found("b", "c"))).containsExactly("10.0.0.2", "10.0.0.3");
    }

    @Test
    void clientsGoToTheirNearestSiteAndToTheNextWhereItIsDown() {
        EndpointsOfTests two =
                new EndpointsOfTests().with("n-a", "n1").with("n-b", "n1").with("s-a", "s1");
        assertThat(two.found("n-a", "n-b", "s-a").addresses(REGIONS))
                .isEqualTo(Map.of(
                        "", List.of("10.0.0.1", "10.0.0.2", "10.0.0.3"),
                        "north", List.of("10.0.0.1", "10.0.0.2"),
                        "south", List.of("10.0.0.3")));
        assertThat(two.found("n-a", "s-a").addresses(REGIONS)).containsEntry("north", List.of("10.0.0.1"));
        assertThat(two.found("s-a").addresses(REGIONS)).containsEntry("north", List.of("10.0.0.3"));
        assertThat(two.found().addresses(REGIONS).values()).noneMatch(List::isEmpty);
    }

    @Test
    void aSiteThatNoRegionNamesIsTheLastResort() {
        EndpointsOfTests two = new EndpointsOfTests().with("n-a", "n1").with("far", "overseas");
        assertThat(two.found("n-a", "far").addresses(REGIONS)).containsEntry("south", List.of("10.0.0.1"));
        assertThat(two.found("far").addresses(REGIONS)).containsEntry("south", List.of("10.0.0.2"));
    }

    @Test
    void whatTheNearestSiteCantHoldGoesToTheNext() {
        EndpointsOfTests two = new EndpointsOfTests()
                .load("north", 600)
                .load("south", 300)
                .with("n-a", "n1", 1, 0, 400)
                .with("n-b", "n1", 1, 0, 400)
                .with("s-a", "s1", 1, 0, 500);
        EndpointShares well = EndpointShares.of(two.found("n-a", "n-b", "s-a"), REGIONS);
        assertThat(well.limits()).isEmpty();
        assertThat(well.perMille().get("north")).isEqualTo(Map.of("n-a", 500, "n-b", 500));

        // One of two is left in the north: it holds 400 of 600, and the south has room for 200 beside its own 300.
        EndpointShares lost = EndpointShares.of(two.found("n-a", "s-a"), REGIONS);
        assertThat(lost.perMille().get("north")).isEqualTo(Map.of("n-a", 666, "s-a", 333));
        assertThat(lost.perMille().get("south")).isEqualTo(Map.of("s-a", 1000));
        assertThat(lost.limits())
                .containsExactly("the clients of region north send 600, more than n-a can hold: the rest goes to s-a");
        assertThat(two.found("n-a", "s-a").addresses(REGIONS))
                .containsEntry("north", List.of("10.0.0.1", "10.0.0.3"))
                .containsEntry("south", List.of("10.0.0.3"));

        // The north is lost: its 600 don't fit where 300 of 500 are taken, whichever region is asked about first.
        EndpointShares site = EndpointShares.of(two.found("s-a"), REGIONS);
        assertThat(site.perMille().get("north")).isEqualTo(Map.of("s-a", 1000));
        assertThat(site.limits())
                .containsExactly("the clients of region north send 600, 400 more than all that are served can hold");
    }

    @Test
    void aRegionHasItsNearestSiteBeforeOthersOverflowThere() {
        EndpointsOfTests two = new EndpointsOfTests()
                .load("north", 1_000)
                .load("south", 500)
                .with("n-a", "n1", 1, 0, 600)
                .with("s-a", "s1", 1, 0, 500);
        EndpointShares shares = EndpointShares.of(two.found("n-a", "s-a"), REGIONS);
        assertThat(shares.perMille().get("south")).isEqualTo(Map.of("s-a", 1000));
        assertThat(shares.limits())
                .anyMatch(limit -> limit.contains("region north")
                        && limit.contains("and 400 more than all that are served can hold"));
        assertThat(shares.limits()).noneMatch(limit -> limit.contains("region south"));
    }

    @Test
    void withoutRegionsAPreferredEndpointThatCantHoldAllSharesWithTheNextOrder() {
        EndpointsOfTests two = new EndpointsOfTests()
                .first()
                .load("", 1_000)
                .with("a", "", 1, 1, 800)
                .with("b", "", 1, 2, 800)
                .with("c", "", 1, 3, 800);
        EndpointShares shares = EndpointShares.of(two.found("a", "b", "c"), NOWHERE);
        assertThat(shares.perMille().get("")).isEqualTo(Map.of("a", 800, "b", 200));
    }

    @Test
    void trafficIsSharedByWeightAsFarAsCapacitiesLet() {
        EndpointsOfTests three = new EndpointsOfTests()
                .load("", 1_000)
                .with("a", "", 8, 0, 500)
                .with("b", "", 1, 0, 0)
                .with("c", "", 1, 0, 0);
        EndpointShares shares = EndpointShares.of(three.found("a", "b", "c"), NOWHERE);
        assertThat(shares.perMille().get("")).isEqualTo(Map.of("a", 500, "b", 250, "c", 250));
        assertThat(shares.limits()).isEmpty();
        assertThat(shares.ofAll(three.set().loads())).isEqualTo(Map.of("a", 500, "b", 250, "c", 250));
    }

    @Test
    void aTinyLoadReachesEveryEndpointWithTheMostDifferentWeights() {
        EndpointsOfTests many = new EndpointsOfTests().load("", 1).with("small", "", 1, 0, 1);
        for (int i = 1; i < EndpointGroup.MOST_ENDPOINTS; i++) {
            many.with("big-" + i, "", CheckedEndpoint.MOST_WEIGHT, 0, CheckedEndpoint.MOST_CAPACITY);
        }
        assertThat(everybodyIsSentTo(many.set())).hasSize(EndpointGroup.MOST_ENDPOINTS);
        EndpointsOfTests loaded = new EndpointsOfTests()
                .load("", CheckedEndpoint.MOST_CAPACITY)
                .with("a", "", CheckedEndpoint.MOST_WEIGHT, 0, CheckedEndpoint.MOST_CAPACITY)
                .with("b", "", CheckedEndpoint.MOST_WEIGHT, 0, CheckedEndpoint.MOST_CAPACITY);
        assertThat(EndpointShares.of(loaded.set(), NOWHERE).perMille().get("")).isEqualTo(Map.of("a", 500, "b", 500));
    }

    // What can't be set

    @Test
    void whatCantBeIsRefusedWithTheSettingAndItsValue() {
        assertThat(new EndpointsOfTests().wanted("web").problem()).isEqualTo("endpoints: 0 (must be 1 to 64)");
        assertThat(abc().minHealthy(4).set().problem())
                .isEqualTo("min-healthy: 4 (must be 0 to 3, as many as there are)");
        assertThat(abc().with("d", "", 0, 0, 0).set().problem()).isEqualTo("endpoint d: weight: 0 (must be 1 to 1000)");
        assertThat(abc().load("north", 5).set().problem()).contains("need the capacity of an endpoint");
        assertThat(abc().with("d", "", 1, 0, 5).load("north", -5).set().problem())
                .isEqualTo("load of region north: -5 (must be 1 to 1000000000)");
        assertThat(abc().set().problem()).isNull();
        EndpointGroup twins = abc().set();
        TreeMap<String, CheckedEndpoint> same = new TreeMap<>(twins.endpoints());
        same.replace("b", java.util.Objects.requireNonNull(same.get("a")));
        assertThat(new EndpointGroup("web", 5, twins.mode(), 1, twins.check(), twins.loads(), 0, 0, same).problem())
                .isEqualTo("endpoint b: address: 10.0.0.1 (is that of a already)");
    }

    @Test
    void aCheckThatMakesNoSenseIsRefused() {
        assertThat(EndpointsOfTests.CHECK.problem()).isNull();
        assertThat(check(EndpointCheck.Kind.HTTP, "/up", "", 200, "ok", false, 500)
                        .problem())
                .isNull();
        assertThat(check(EndpointCheck.Kind.HTTP, "up", "", 200, "", false, 500).problem())
                .startsWith("path: 'up'");
        assertThat(check(EndpointCheck.Kind.TCP, "/up", "", 0, "", false, 500).problem())
                .startsWith("path: '/up' (only a check of HTTP");
        assertThat(check(EndpointCheck.Kind.TCP, "", "", 200, "", false, 500).problem())
                .startsWith("expected-status: 200");
        assertThat(check(EndpointCheck.Kind.TLS, "", "", 0, "ok", false, 500).problem())
                .startsWith("expected-body: 2 characters");
        assertThat(check(EndpointCheck.Kind.HTTPS, "/", "", 0, "", true, 500).problem())
                .startsWith("certificate: trusted (needs host");
        assertThat(check(EndpointCheck.Kind.HTTP, "/", "a:80", 0, "", false, 500)
                        .problem())
                .startsWith("host: 'a:80'");
        assertThat(check(EndpointCheck.Kind.HTTP, "/a b", "", 0, "", false, 500).problem())
                .startsWith("path: '/a b'");
        assertThat(check(EndpointCheck.Kind.TCP, "", "", 0, "", false, 1_001).problem())
                .startsWith("timeout-millis: 1001 (must be 50 to interval-millis, 1000");
    }

    private static EndpointCheck check(
            EndpointCheck.Kind kind,
            String path,
            String host,
            int status,
            String body,
            boolean trusted,
            int timeoutMillis) {
        return new EndpointCheck(kind, 443, path, host, status, body, trusted, 1_000, timeoutMillis, 2, 3);
    }
}
