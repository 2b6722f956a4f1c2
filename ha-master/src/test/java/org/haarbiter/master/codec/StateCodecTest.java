package org.haarbiter.master.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Expected;
import org.haarbiter.master.core.MasterChange;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.RecordsByHand;
import org.haarbiter.master.core.Serving;
import org.haarbiter.master.core.Standing;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.master.core.Trigger;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.api.Test;

class StateCodecTest {
    /** The place of {@link Entry.EndpointGroupSet} in the history. */
    private static final int ENDPOINTS_SET = 18;

    private final StateCodec codec = new StateCodec();

    private static Member member(String name, int last) {
        return new Member(
                name, "north", new Endpoint("10.0.0." + last, 3306), "id-" + name, true, Standing.FOLLOWING, null);
    }

    private static EndpointGroup endpoints() {
        CheckedEndpoint.State unset = new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, false, null);
        return new EndpointGroup(
                "web",
                10,
                EndpointGroup.Mode.FIRST,
                1,
                new EndpointCheck(
                        EndpointCheck.Kind.HTTPS, 443, "/up", "web.example", 204, "ok", true, 2_000, 500, 2, 3),
                new TreeMap<>(Map.of("", 100L, "north", 200L)),
                0,
                0,
                new TreeMap<>(Map.of(
                        "one", new CheckedEndpoint("10.0.0.1", "n1", 1, 0, 300, unset),
                        "two", new CheckedEndpoint("2001:db8::2", "s1", 2, 1, 0, unset))));
    }

    /** One of each kind, in an order in which each has an effect. */
    private static List<Entry> history() {
        TreeMap<String, Member> members = new TreeMap<>(Map.of("a", member("a", 1), "b", member("b", 2)));
        TreeMap<String, String> details = new TreeMap<>(Map.of("saw_a", "dead", "x_micros", "12"));
        TreeSet<Endpoint> addresses =
                new TreeSet<>(Set.of(new Endpoint("10.0.0.1", 3306), new Endpoint("10.0.0.2", 3306)));
        return List.of(
                new Entry.GroupExpected(new Expected(
                        "h", "redis", PositionKind.REPLICATION_OFFSET, Policy.AVAILABLE, addresses, "me", "import", 1)),
                new Entry.GroupForgotten("h", "me", "by mistake", 1),
                new Entry.GroupExpected(new Expected(
                        "g", "mysql", PositionKind.MYSQL_GTID, Policy.LOSSLESS, addresses, "me", "import", 1)),
                new Entry.GroupAdopted(
                        "g",
                        "mysql",
                        PositionKind.MYSQL_GTID,
                        Policy.LOSSLESS,
                        "a",
                        "boot/1/2",
                        1,
                        "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5",
                        true,
                        members,
                        "rule ADOPT",
                        "they follow",
                        1),
                new Entry.SwitchCompleted("g", 1, details, 2),
                new Entry.NamesPublished("g", 1, details, 3),
                new Entry.MemberJoined("g", 1, member("c", 3), "covered", 4),
                new Entry.AcknowledgersChanged("g", 1, 2, "said so", 5),
                new Entry.Degraded("g", 1, "nobody is left", 5),
                new Entry.PolicyChanged(
                        "g", 1, new Policy(Durability.BOUNDED, 5_000, 10, OnNoAcknowledger.WAIT, 3), "me", "speed", 5),
                new Entry.PeersChanged("g", 1, new java.util.TreeSet<>(java.util.Set.of("b", "c")), 5),
                new Entry.ClassSet(
                        "g",
                        "marketing",
                        new TrafficClass(
                                TrafficClass.Follows.MEMBERS,
                                new TreeSet<>(Set.of("c")),
                                TrafficClass.FallBack.REPLICAS),
                        "me",
                        "sale",
                        5),
                new Entry.ClassSet("g", "marketing", TrafficClass.REMOVED, "me", "sale is over", 5),
                new Entry.ClassForgotten("g", "marketing", 5),
                new Entry.ServingChanged(
                        new TreeMap<>(Map.of(
                                "g",
                                new Serving(
                                        new TreeSet<>(Set.of("a", "c")),
                                        new TreeMap<>(Map.of("c", new TreeSet<>(Set.of("10.0.0.7", "10.0.0.8"))))))),
                        5),
                new Entry.RecordsSet(
                        new RecordsByHand("mail", "A", "north", 60, List.of("10.0.0.9", "10.0.0.10")), "me", "new", 5),
                new Entry.RecordsSet(new RecordsByHand("mail", "A", "north", 0, List.of()), "me", "old", 5),
                new Entry.EndpointGroupSet(endpoints(), "me", "new", 5),
                new Entry.EndpointsJudged(
                        new TreeMap<>(Map.of(
                                "web",
                                new Entry.EndpointsJudged.OfEndpointGroup(
                                        ENDPOINTS_SET,
                                        new TreeMap<>(Map.of(
                                                "one",
                                                new EndpointGroup.Judgement(false, "m1: refused; m2: refused")))))),
                        6),
                new Entry.EndpointOrdered(
                        "web",
                        "one",
                        new CheckedEndpoint.ByHand(CheckedEndpoint.Order.HELD_IN, "me", "I know better", 6),
                        "me",
                        "I know better",
                        6),
                new Entry.EndpointOrdered("web", "one", null, "me", "done", 6),
                new Entry.EndpointGroupRemoved("web", "me", "old", 6),
                new Entry.EndpointNamesGone(new TreeMap<>(Map.of("web", ENDPOINTS_SET + 4L)), 6),
                new Entry.MemberAway("g", 1, "c", "dead", 6),
                new Entry.RebuildStarted("g", 1, "c", "a", "me", "parted", details, 6),
                new Entry.Paused("g", "me", "work", 7, 0),
                new Entry.Resumed("g", "me", "done", 8),
                new Entry.Paused("", "me", "work on all", 9, 60_000),
                new Entry.PreparationStarted("g", 1, "b", "c", "me", "test", 9),
                new Entry.PreparationEnded("g", 1, "too far behind", 9),
                new Entry.MasterChanged("m4 (10.0.0.4:7101)", MasterChange.ADDED, "", "me", "m1's host is old", 9),
                new Entry.MasterChanged("m1 (10.0.0.1:7101)", MasterChange.STAYS, "no quorum", "me", "old", 9),
                new Entry.SwitchStarted("g", 1, Trigger.MANUAL, true, "b", "c", false, 0, "me", "test", details, 10),
                new Entry.SwitchAbandoned("g", 2, "too slow", 11),
                new Entry.SwitchStarted(
                        "g", 2, Trigger.PRIMARY_DEAD, false, null, null, false, 2, "rule", "dead", details, 12),
                new Entry.FailoversAcknowledged("g", "me", "seen", 12),
                new Entry.CandidateChosen(
                        "g",
                        3,
                        "b",
                        "boot/3/4",
                        "",
                        new java.util.TreeSet<>(java.util.Set.of("c")),
                        "proof",
                        details,
                        13));
    }

    @Test
    void everyKindOfEntryComesBackAsItWas() throws IOException {
        List<Class<?>> kinds = new java.util.ArrayList<>();
        for (Entry entry : history()) {
            assertThat(codec.entry(codec.entry(entry))).isEqualTo(entry);
            kinds.add(entry.getClass());
        }
        assertThat(kinds).containsAll(List.of(Entry.class.getPermittedSubclasses()));
    }

    @Test
    void theStateComesBackAsItWasAfterEachEntry() throws IOException {
        ClusterState state = ClusterState.empty();
        long index = 1;
        for (Entry entry : history()) {
            ClusterState next = entry.applyTo(state, index++);
            assertThat(next).as("%s has an effect", entry).isNotEqualTo(state);
            assertThat(codec.state(codec.state(next))).isEqualTo(next);
            state = next;
        }
        assertThat(codec.line(codec.line(state.recent().get(0))))
                .isEqualTo(state.recent().get(0));
    }

    @Test
    void aSnapshotFromBeforeGroupsCouldBeExpectedIsRead() throws IOException {
        byte[] old = "{\"groups\":{},\"fleetPause\":null,\"recent\":[]}".getBytes(StandardCharsets.UTF_8);
        assertThat(codec.state(old)).isEqualTo(ClusterState.empty());
    }

    @Test
    void aSnapshotFromBeforeTheLogKnewWhoIsWellLeavesNobodyOut() throws IOException {
        ClusterState state = ClusterState.empty();
        for (Entry entry : history()) {
            state = entry.applyTo(state, 7);
        }
        ObjectNode snapshot = (ObjectNode) new ObjectMapper().readTree(codec.state(state));
        snapshot.remove("namesIndex");
        snapshot.remove("records");
        snapshot.remove("endpoints");
        snapshot.path("groups").forEach(group -> ((ObjectNode) group).remove("serving"));

        ClusterState read = codec.state(new ObjectMapper().writeValueAsBytes(snapshot));

        assertThat(Objects.requireNonNull(read.group("g")).serving())
                .isEqualTo(new Serving(new TreeSet<>(Set.of("a", "b", "c")), new TreeMap<>()));
        assertThat(read.namesIndex()).isZero();
    }

    @Test
    void aChangeOfMastersStandsInTheSwitchLogWithWhoAndWhy() {
        ClusterState state = new Entry.MasterChanged(
                        "m4 (10.0.0.4:7101)", MasterChange.ADDED, "", "ann", "m1's host is old", 9)
                .applyTo(ClusterState.empty(), 5);
        assertThat(state.recent()).singleElement().satisfies(line -> {
            assertThat(line.kind()).isEqualTo("master-added");
            assertThat(line.index()).isEqualTo(5);
            assertThat(line.by()).isEqualTo("ann");
            assertThat(line.group()).isEmpty();
            assertThat(line.text()).isEqualTo("master m4 (10.0.0.4:7101) is added: m1's host is old");
            assertThat(line.details()).containsEntry("reason", "m1's host is old");
        });
    }

    @Test
    void whatThisVersionDoesNotKnowIsRefused() {
        for (String text : List.of(
                "{\"kind\":\"group-renamed\",\"group\":\"g\"}",
                "{\"kind\":\"paused\",\"group\":\"g\",\"by\":\"me\",\"reason\":\"r\",\"wallMillis\":1,\"until\":2}",
                "{\"kind\":\"paused\",\"group\":\"g\"}",
                "no json")) {
            assertThatThrownBy(() -> codec.entry(text.getBytes(StandardCharsets.UTF_8)))
                    .as(text)
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void aPauseThatWasWrittenBeforeOneCouldEndByItselfHasNoEnd() throws IOException {
        byte[] before = "{\"kind\":\"paused\",\"group\":\"g\",\"by\":\"me\",\"reason\":\"work\",\"wallMillis\":7}"
                .getBytes(StandardCharsets.UTF_8);
        assertThat(codec.entry(before)).isEqualTo(new Entry.Paused("g", "me", "work", 7, 0));
        ClusterState paused = new Entry.Paused("", "me", "work", 7, 0).applyTo(ClusterState.empty(), 1);
        String old = new String(codec.state(paused), StandardCharsets.UTF_8).replace(",\"untilMillis\":0", "");
        assertThat(old).doesNotContain("untilMillis");
        assertThat(codec.state(old.getBytes(StandardCharsets.UTF_8))).isEqualTo(paused);
    }
}
