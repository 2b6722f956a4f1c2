package org.haarbiter.master.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.server.RecordData;
import org.haarbiter.dns.server.RecordSet;
import org.haarbiter.dns.server.ZoneContents;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.RecordsByHand;
import org.haarbiter.master.core.Serving;
import org.haarbiter.master.core.Standing;
import org.haarbiter.master.core.Trigger;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.api.Test;

class ZoneOfStateTest {
    private static final String HELD = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5";

    private final ZoneOfState zone = new ZoneOfState(
            "db.test.",
            new TreeMap<>(Map.of("ns1", List.of("10.9.0.1"), "ns.elsewhere.", List.of("10.9.0.2"))),
            new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1),
            new TreeMap<>(Map.of("north", List.of("n", "s"), "overseas", List.of("x", "s", "n"))));
    private ClusterState state = ClusterState.empty();
    private long index;

    private ZoneContents commit(Entry entry) {
        state = entry.applyTo(state, ++index);
        return zone.of(state);
    }

    private ZoneContents adopt(String group) {
        TreeMap<String, Member> members = new TreeMap<>();
        members.put("a", member("a", "n", "10.0.0.1"));
        members.put("b", member("b", "n", "10.0.0.2"));
        members.put("c", member("c", "s", "10.0.0.3"));
        return commit(new Entry.GroupAdopted(
                group,
                "mysql",
                PositionKind.MYSQL_GTID,
                Policy.LOSSLESS,
                "a",
                "boot/1",
                1,
                HELD,
                false,
                members,
                "rule ADOPT",
                "they follow",
                1));
    }

    private static Member member(String name, String site, String host) {
        return new Member(name, site, new Endpoint(host, 3306), "id-" + name, true, Standing.FOLLOWING, null);
    }

    private static List<String> says(ZoneContents contents, String name, String region) {
        List<String> found = new ArrayList<>();
        for (RecordSet set : contents.names().getOrDefault(name, List.of())) {
            for (RecordData data : set.byRegion().getOrDefault(region, set.usual())) {
                found.add(
                        data instanceof RecordData.Host host
                                ? host.literal()
                                : data instanceof RecordData.Text text
                                        ? String.join("", text.strings())
                                        : data.toString());
            }
        }
        return found;
    }

    private static List<String> says(ZoneContents contents, String name) {
        return says(contents, name, "");
    }

    @Test
    void aSwitchShowsOnceTheNextPrimaryIsChosenAndTheSerialIsTheEntrysIndex() {
        assertThat(says(zone.of(state), "ns1")).containsExactly("10.9.0.1");
        ZoneContents adopted = adopt("orders");
        assertThat(adopted.serial()).isEqualTo(1);
        assertThat(says(adopted, "orders-rw")).containsExactly("10.0.0.1");
        assertThat(says(adopted, "orders-ro")).containsExactly("10.0.0.2", "10.0.0.3");
        assertThat(says(adopted, "_ha-epoch.orders")).containsExactly("1");

        commit(new Entry.SwitchCompleted("orders", 1, new TreeMap<>(), 2));
        ZoneContents sealing = commit(new Entry.SwitchStarted(
                "orders", 1, Trigger.PRIMARY_DEAD, false, null, null, false, 1, "rule", "dead", new TreeMap<>(), 3));
        assertThat(says(sealing, "orders-rw")).containsExactly("10.0.0.1");
        assertThat(says(sealing, "_ha-epoch.orders")).containsExactly("1");
        ZoneContents chosen = commit(new Entry.CandidateChosen(
                "orders", 2, "b", "boot/2", "", new TreeSet<>(List.of("b", "c")), "proof", new TreeMap<>(), 4));
        assertThat(says(chosen, "orders-rw")).containsExactly("10.0.0.2");
        assertThat(says(chosen, "_ha-epoch.orders")).containsExactly("2");
        assertThat(chosen.serial()).isEqualTo(index);

        ZoneContents paused = commit(new Entry.Paused("orders", "ann", "work", 5, 0));
        assertThat(paused.serial()).as("nothing changed in the zone").isEqualTo(index - 1);
    }

    @Test
    void readersAreSentToTheNearestSiteThatHasAReplicaThatIsWell() {
        ZoneContents all = adopt("orders");
        assertThat(says(all, "orders-ro", "north")).containsExactly("10.0.0.2");
        assertThat(says(all, "orders-ro", "overseas")).containsExactly("10.0.0.3");
        assertThat(says(all, "orders-rw", "overseas")).containsExactly("10.0.0.1");

        ZoneContents withoutB = serving("a", "c");
        assertThat(says(withoutB, "orders-ro", "north")).containsExactly("10.0.0.3");
        assertThat(says(withoutB, "orders-ro")).containsExactly("10.0.0.3");
        ZoneContents onlyPrimary = serving("a");
        assertThat(says(onlyPrimary, "orders-ro", "overseas")).containsExactly("10.0.0.1");
    }

    private ZoneContents serving(String... well) {
        return commit(new Entry.ServingChanged(
                new TreeMap<>(Map.of("orders", new Serving(new TreeSet<>(Arrays.asList(well)), new TreeMap<>()))), 6));
    }

    private static EndpointGroup endpoints() {
        TreeMap<String, CheckedEndpoint> endpoints = new TreeMap<>();
        endpoints.put("n-1", endpoint("10.1.0.1", "n", 1));
        endpoints.put("n-2", endpoint("10.1.0.2", "n", 3));
        endpoints.put("s-1", endpoint("10.2.0.1", "s", 1));
        endpoints.put("s-2", endpoint("2001:db8::2", "s", 1));
        return new EndpointGroup(
                "shop",
                5,
                EndpointGroup.Mode.ALL,
                1,
                new EndpointCheck(EndpointCheck.Kind.TCP, 443, "", "", 0, "", false, 1_000, 500, 2, 2),
                new TreeMap<>(),
                0,
                0,
                endpoints);
    }

    private static CheckedEndpoint endpoint(String address, String site, int weight) {
        return new CheckedEndpoint(
                address,
                site,
                weight,
                0,
                0,
                new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, false, null));
    }

    private ZoneContents judged(String... healthy) {
        EndpointGroup present = Objects.requireNonNull(state.endpoints().get("shop"));
        TreeMap<String, EndpointGroup.Judgement> found = new TreeMap<>();
        present.endpoints()
                .keySet()
                .forEach(each -> found.put(
                        each, new EndpointGroup.Judgement(Arrays.asList(healthy).contains(each), "looked")));
        return commit(new Entry.EndpointsJudged(
                new TreeMap<>(Map.of("shop", new Entry.EndpointsJudged.OfEndpointGroup(present.setIndex(), found))),
                7));
    }

    @Test
    void theNameOfEndpointsLeadsToThoseOfTheNearestSiteAndEachComesFirstAsItsWeightSays() {
        adopt("orders");
        ZoneContents set = commit(new Entry.EndpointGroupSet(endpoints(), "ann", "new", 6));
        assertThat(set.serial()).isEqualTo(2);
        assertThat(says(set, "shop")).containsExactlyInAnyOrder("10.1.0.1", "10.1.0.2", "10.2.0.1", "2001:db8::2");
        assertThat(says(set, "_ha-epoch.shop")).containsExactly("2");
        RecordSet addresses = Objects.requireNonNull(set.names().get("shop")).get(0);
        assertThat(addresses.byRegion().get("north"))
                .extracting(Object::toString)
                .hasSize(2);
        assertThat(addresses.shares().get("north"))
                .containsEntry(new RecordData.Host("10.1.0.1"), 250)
                .containsEntry(new RecordData.Host("10.1.0.2"), 750);
        assertThat(addresses.ttlSeconds()).isEqualTo(5);

        ZoneContents same = judged("n-1", "n-2", "s-1", "s-2");
        assertThat(same.serial()).as("clients are sent where they were").isEqualTo(2);
        assertThat(says(judged("n-1", "s-1", "s-2"), "shop", "north"))
                .contains("10.1.0.1")
                .doesNotContain("10.1.0.2");
        ZoneContents south = judged("s-1", "s-2");
        assertThat(says(south, "shop", "north")).containsExactly("10.2.0.1", "2001:db8::2");
        assertThat(says(south, "_ha-epoch.shop")).containsExactly("5");
        assertThat(says(judged(), "shop", "north")).as("nobody is healthy").containsExactly("10.2.0.1", "2001:db8::2");

        WantedNamesOfGroup wanted = new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1);
        WantedNames names = wanted.of(Objects.requireNonNull(state.endpoints().get("shop")), new TreeMap<>());
        assertThat(names.epoch()).as("as clients of no region are told").isEqualTo(5);
        assertThat(names.names())
                .containsExactly(new WantedNames.AddressName("shop", List.of("10.2.0.1", "2001:db8::2"), 5));
    }

    @Test
    void ofRemovedEndpointsTheEpochStaysUntilEveryServerIsKnownToShowThemNoMore() {
        commit(new Entry.EndpointGroupSet(endpoints(), "ann", "new", 6));
        ZoneContents removed = commit(new Entry.EndpointGroupRemoved("shop", "ann", "closed", 7));
        assertThat(removed.names()).doesNotContainKey("shop");
        assertThat(says(removed, "_ha-epoch.shop")).containsExactly("2");
        WantedNames gone = new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1).ofFormerEndpoints("shop", 2);
        assertThat(gone.names()).containsExactly(new WantedNames.AddressName("shop", List.of(), 1));

        assertThat(state.formerEndpoints()).containsExactly(Map.entry("shop", 2L));
        ClusterState kept = state;
        assertThat(new Entry.EndpointNamesGone(new TreeMap<>(Map.of("shop", 1L)), 8).applyTo(state, 3))
                .as("of an earlier removal this says nothing")
                .isSameAs(kept);
        ZoneContents forgotten = commit(new Entry.EndpointNamesGone(new TreeMap<>(Map.of("shop", 2L)), 8));
        assertThat(forgotten.names()).doesNotContainKey("_ha-epoch.shop");
        assertThat(state.formerEndpoints()).isEmpty();

        commit(new Entry.EndpointGroupSet(endpoints(), "ann", "open again", 9));
        commit(new Entry.EndpointGroupRemoved("shop", "ann", "closed", 10));
        ZoneContents again = commit(new Entry.EndpointGroupSet(endpoints(), "ann", "no, open", 11));
        assertThat(says(again, "shop")).hasSize(4);
        assertThat(state.formerEndpoints()).isEmpty();
    }

    @Test
    void namesThatGroupsOfDatabasesHaveOrWouldHaveAreRefused() {
        WantedNamesOfGroup names = new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1);
        TreeSet<String> groups = new TreeSet<>(List.of("orders"));
        assertThat(names.problem("orders-ro", groups)).contains("is that of group 'orders' itself");
        assertThat(names.problem("shop", groups)).isNull();
        assertThat(names.laterProblem("carts-rw")).contains("a group 'carts' of databases");
        assertThat(names.laterProblem("-rw")).isNull();
        assertThat(names.laterProblem("shop")).isNull();
        assertThat(new WantedNamesOfGroup("{group}", "{group}-ro", 1).laterProblem("shop"))
                .isNull();
    }

    @Test
    void recordsByHandStandBesideThoseOfGroups() {
        adopt("orders");
        assertThat(zone.problem(new RecordsByHand("orders-rw", "A", "", 60, List.of("10.1.1.1")), state))
                .contains("is that of group 'orders'");
        assertThat(zone.problem(new RecordsByHand("ns1", "A", "", 60, List.of("10.1.1.1")), state))
                .contains("is that of a server of the zone");
        assertThat(zone.problem(new RecordsByHand("mail", "A", "", 60, List.of("mail.example")), state))
                .contains("mail.example");
        assertThat(zone.problem(new RecordsByHand("mail", "MX", "", 60, List.of("10 mail")), state))
                .contains("type: 'MX' (must be one of [A, CNAME, TXT, AAAA, SRV])");
        assertThat(zone.problem(new RecordsByHand("mail", "A", "west", 60, List.of("10.1.1.1")), state))
                .contains("no region 'west' (known: north, overseas)");
        RecordsByHand regional = new RecordsByHand("mail", "A", "north", 60, List.of("10.1.1.2"));
        assertThat(zone.problem(regional, state)).contains("there are no records mail A for the clients of other");

        RecordsByHand usual = new RecordsByHand("mail", "A", "", 60, List.of("10.1.1.1"));
        assertThat(zone.problem(usual, state)).isNull();
        commit(new Entry.RecordsSet(usual, "ann", "new", 2));
        assertThat(zone.problem(regional, state)).isNull();
        ZoneContents both = commit(new Entry.RecordsSet(regional, "ann", "new", 3));
        assertThat(says(both, "mail")).containsExactly("10.1.1.1");
        assertThat(says(both, "mail", "north")).containsExactly("10.1.1.2");

        ZoneContents service = commit(new Entry.RecordsSet(
                new RecordsByHand("_db._tcp", "SRV", "", 60, List.of("0 10 3306 orders-rw")), "ann", "new", 4));
        assertThat(service.names().getOrDefault("_db._tcp", List.of()).get(0).usual())
                .containsExactly(new RecordData.Service(0, 10, 3306, "orders-rw"));

        ZoneContents removed =
                commit(new Entry.RecordsSet(new RecordsByHand("mail", "A", "north", 0, List.of()), "ann", "old", 5));
        assertThat(says(removed, "mail", "north")).containsExactly("10.1.1.1");
        assertThat(commit(new Entry.RecordsSet(new RecordsByHand("mail", "A", "", 0, List.of()), "ann", "old", 6))
                        .names())
                .doesNotContainKey("mail");
    }

    @Test
    void aGroupThatTakesANameLaterHasItAndOneThatCannotStandInAZoneIsTold() {
        commit(new Entry.RecordsSet(
                new RecordsByHand("orders-rw", "A", "", 60, List.of("10.1.1.1")), "ann", "before", 1));
        assertThat(says(adopt("orders"), "orders-rw")).containsExactly("10.0.0.1");
        ZoneContents more = commit(new Entry.RecordsSet(
                new RecordsByHand("mail", "TXT", "", 60, List.of("x".repeat(300))), "ann", "text", 2));
        assertThat(says(more, "orders-rw")).containsExactly("10.0.0.1");
        ZoneContents withdrawn =
                commit(new Entry.RecordsSet(new RecordsByHand("orders-rw", "A", "", 0, List.of()), "ann", "taken", 3));
        assertThat(says(withdrawn, "orders-rw")).containsExactly("10.0.0.1");
        assertThat(says(more, "mail")).containsExactly("x".repeat(300));

        String tooLong = "g".repeat(64);
        adopt(tooLong);
        assertThat(zone.problems()).containsOnlyKeys(tooLong);
        assertThat(zone.problems().get(tooLong)).contains("its names can't stand in the zone: ");
        assertThat(says(adopt("members"), "members-rw")).containsExactly("10.0.0.1");
    }

    @Test
    void whateverTheHistoryTheZoneIsThatOfTheLastStateAlone() {
        adopt("orders");
        serving("a", "c");
        commit(new Entry.RecordsSet(new RecordsByHand("mail", "A", "", 60, List.of("10.1.1.1")), "ann", "new", 1));
        ZoneContents grown = zone.of(state);
        ZoneContents atOnce = new ZoneOfState(
                        "db.test.",
                        new TreeMap<>(Map.of("ns1", List.of("10.9.0.1"), "ns.elsewhere.", List.of("10.9.0.2"))),
                        new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1),
                        new TreeMap<>(Map.of("north", List.of("n", "s"), "overseas", List.of("x", "s", "n"))))
                .of(state);
        assertThat(grown.names()).isEqualTo(atOnce.names());
        assertThat(grown.serial()).isEqualTo(atOnce.serial());
    }
}
