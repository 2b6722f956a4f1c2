package org.haarbiter.master.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Explanation;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Rule;
import org.haarbiter.master.core.Standing;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.Testimony;
import org.haarbiter.master.core.Testimony.MemberName;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.words.Goal;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.api.Test;

/** What a leader does when many groups lose their primaries at once: ten of them, the first six with primaries in the north. */
class MassFailureTest {
    private static final int GROUPS = 10;
    private static final int NORTHERN = 6;
    private static final int SILENCE = 1_000;
    private static final int STEP = 100;
    private static final Storms STORMS = new Storms(3, 10, 5_000, 3, 2);
    private static final Masters MASTERS =
            new Masters("m1", new TreeMap<>(Map.of("m1", "north", "m2", "north", "m3", "south")));

    private final TreeMap<MemberName, Peer> peers = new TreeMap<>();
    private final Limits limits = new Limits(
            SILENCE,
            2_000,
            10,
            300,
            5_000,
            1_000,
            Policies.of(Policy.LOSSLESS),
            10_000,
            WhenArbiterLost.HOLD,
            STORMS,
            Blocking.NONE,
            10_000);
    private Arbiter arbiter = new Arbiter(limits, MASTERS, 0);
    private ClusterState state = ClusterState.empty();
    private long index;
    private long nowMillis;
    private Predicate<MemberName> audible = name -> true;

    MassFailureTest() {
        for (int i = 0; i < GROUPS; i++) {
            adopt("g" + i, i < NORTHERN ? "north" : "south");
        }
        arbiter.leaderStarted(1, nanos());
        pass(3_000);
        assertThat(state.groups().values()).allMatch(group -> group.epoch() == 1 && group.acknowledgers() == 1);
    }

    private void adopt(String group, String site) {
        String other = site.equals("north") ? "south" : "north";
        TreeMap<String, Member> members = new TreeMap<>();
        for (String name : List.of("a", "b", "c")) {
            String where = name.equals("a") ? site : other;
            peers.put(new MemberName(group, name), new Peer(group, name, where));
            members.put(
                    name, new Member(name, where, Peer.address(name), "id-" + name, true, Standing.FOLLOWING, null));
        }
        String instance =
                peer(new MemberName(group, "a")).heartbeat().sighting().instance();
        apply(new Entry.GroupAdopted(
                group,
                "mysql",
                PositionKind.MYSQL_GTID,
                Policy.LOSSLESS,
                "a",
                instance,
                1,
                "",
                false,
                members,
                "test",
                "test",
                0));
    }

    private void apply(Entry entry) {
        state = entry.applyTo(state, ++index);
        arbiter.applied(state, nanos());
        arbiter.proposalEnded(entry.group());
    }

    private long nanos() {
        return nowMillis * 1_000_000;
    }

    private Peer peer(MemberName name) {
        return Objects.requireNonNull(peers.get(name));
    }

    private static MemberName primary(int group) {
        return new MemberName("g" + group, "a");
    }

    /** Whoever is audible obeys and is heard; nothing is decided. */
    private void hear() {
        peers.forEach((name, peer) -> {
            Goal goal = arbiter.goal(name.group(), name.member());
            if (audible.test(name)) {
                if (goal != null) {
                    peer.obey(goal);
                    peer.answered(goal);
                }
                arbiter.heard(peer.heartbeat(), nanos());
            }
        });
    }

    /** One look at all groups; what it says is committed at once. */
    private List<Entry> look() {
        List<Entry> entries = new ArrayList<>(arbiter.decide(nanos(), nowMillis));
        entries.forEach(this::apply);
        return entries;
    }

    /** Lets time pass; the groups that began to switch, in the order in which they did. */
    private List<String> pass(int millis) {
        List<String> switched = new ArrayList<>();
        for (int passed = 0; passed < millis; passed += STEP) {
            nowMillis += STEP;
            hear();
            look().stream()
                    .filter(Entry.SwitchStarted.class::isInstance)
                    .map(Entry::group)
                    .forEach(switched::add);
        }
        return switched;
    }

    private void says(String master, Set<MemberName> heard, int hearing) {
        long asked = nanos();
        TreeSet<MemberName> unheard = new TreeSet<>();
        peers.keySet().stream().filter(audible.negate()).forEach(unheard::add);
        arbiter.testified(master, new Testimony(unheard, new TreeSet<>(heard), hearing), asked, nanos());
    }

    private String why(int group) {
        return arbiter.why("g" + group, nanos(), nowMillis).stream()
                .filter(e -> e.rule() == Rule.PRIMARY_SILENT)
                .map(Explanation::sentence)
                .collect(Collectors.joining());
    }

    private void silenceTheNorth() {
        audible = name -> !Objects.requireNonNull(state.group(name.group()))
                .member(name.member())
                .site()
                .equals("north");
    }

    @Test
    void manySilencesAreBelievedOnceAMasterOfAnotherSiteConfirmsThem() {
        silenceTheNorth();
        assertThat(pass(SILENCE + 500)).isEmpty();
        assertThat(arbiter.doubts()).isTrue();
        assertThat(why(0)).contains("6 of 10 primaries fell silent at once", "none of m3 has confirmed yet");
        says("m2", Set.of(), 16);
        assertThat(pass(STEP)).as("m2 stands beside the leader").isEmpty();
        says("m3", Set.of(primary(1)), 17);
        assertThat(why(1)).contains("m3 still hears a");
        assertThat(pass(STEP)).hasSize(STORMS.atOncePerSite()).doesNotContain("g1");
    }

    @Test
    void aDoubtThatNobodyResolvesEndsButNotWithoutAnyAnswer() {
        silenceTheNorth();
        assertThat(pass(SILENCE + STORMS.doubtMillis() + 500))
                .as("no master has answered at all")
                .isEmpty();
        says("m3", Set.of(primary(0), primary(1)), 18);
        assertThat(pass(STEP)).as("the doubt has lasted long enough").isNotEmpty();
    }

    @Test
    void whatWasSaidLongAgoConfirmsNothing() {
        silenceTheNorth();
        pass(SILENCE + 500);
        says("m3", Set.of(), 12);
        audible = name -> true;
        pass(SILENCE + 500);
        silenceTheNorth();
        assertThat(pass(SILENCE + 500)).isEmpty();
    }

    @Test
    void oneGroupLookedAtAloneIsNoExceptionWhereManyFallSilentInOneMoment() {
        silenceTheNorth();
        while (nowMillis < 3_000 + SILENCE) {
            nowMillis += STEP;
            hear();
            if (nowMillis < 3_000 + SILENCE) {
                look();
            }
        }
        assertThat(arbiter.decide("g0", nanos(), nowMillis)).isNull();
        assertThat(why(0)).contains("6 of 10 primaries fell silent at once");
    }

    @Test
    void aFewSilencesNeedNoWitness() {
        audible = name -> !name.equals(primary(0)) && !name.equals(primary(9));
        assertThat(pass(2 * SILENCE)).containsExactlyInAnyOrder("g0", "g9");
    }

    @Test
    void whoHasJustBegunToListenCantTell() {
        Arbiter young = new Arbiter(limits, MASTERS, nanos());
        young.applied(state, nanos());
        TreeSet<MemberName> asked = new TreeSet<>(Set.of(primary(0), primary(1)));
        assertThat(young.testify(asked, nanos()).asked()).isEmpty();
        young.heard(peer(primary(1)).heartbeat(), nanos());
        assertThat(young.testify(asked, nanos()).asked()).containsExactly(primary(1));
        Testimony later = young.testify(asked, nanos() + 2_000_000_000L);
        assertThat(later.asked()).isEqualTo(asked);
        assertThat(later.heard()).isEmpty();
    }

    @Test
    void aMasterThatHearsMoreIsToLead() {
        audible = name -> !name.equals(primary(9)) && !name.group().equals("g8");
        pass(3 * SILENCE);
        assertThat(arbiter.betterLeader(nanos())).as("nobody said anything").isNull();
        says("m2", Set.of(primary(9)), 26);
        assertThat(arbiter.betterLeader(nanos()))
                .as("it misses one that the leader hears")
                .isNull();
        says("m2", Set.of(primary(9)), 27);
        says("m3", Set.of(primary(9), primary(8)), 28);
        assertThat(arbiter.betterLeader(nanos())).isEqualTo("m3");
        assertThat(arbiter.betterLeader(nanos())).as("not again at once").isNull();
    }

    @Test
    void groupsSwitchInTurnTheMostImportantFirst() {
        apply(new Entry.PolicyChanged(
                "g5", 1, new Policy(Durability.LOSSLESS, 0, 0, OnNoAcknowledger.WAIT, 1), "ann", "orders", 0));
        apply(new Entry.PolicyChanged(
                "g0", 1, new Policy(Durability.LOSSLESS, 0, 0, OnNoAcknowledger.WAIT, 9), "ann", "archive", 0));
        peers.forEach((name, peer) -> {
            if (name.member().equals("a")) {
                peer.died();
            }
        });
        nowMillis += STEP;
        hear();
        List<String> first = look().stream().map(Entry::group).toList();
        assertThat(first).as("three at once, two of a site").containsExactly("g5", "g1", "g6");
        assertThat(arbiter.decide("g7", nanos(), nowMillis))
                .as("others wait before it")
                .isNull();
        assertThat(arbiter.waitingForATurn()).isEqualTo(GROUPS - 3);
        List<String> all = new ArrayList<>(first);
        all.addAll(pass(5_000));
        assertThat(all).hasSize(GROUPS).doesNotHaveDuplicates().endsWith("g0");
        assertThat(state.groups().values())
                .allMatch(group -> group.epoch() == 2 && !group.primary().equals("a"));
        assertThat(arbiter.waitingForATurn()).isZero();
    }

    @Test
    void aSwitchThatGetsNowhereGivesItsTurnUp() {
        peers.forEach((name, peer) -> {
            if (name.member().equals("a")) {
                peer.died();
            }
        });
        nowMillis += STEP;
        hear();
        Set<String> stuck = look().stream().map(Entry::group).collect(Collectors.toSet());
        audible = name -> !stuck.contains(name.group());
        assertThat(pass(9_000)).isEmpty();
        assertThat(pass(5_000)).hasSize(GROUPS - stuck.size());
    }
}
