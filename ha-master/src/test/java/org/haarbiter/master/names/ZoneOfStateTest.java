package org.haarbiter.master.names;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.dns.server.RecordData;
import org.haarbiter.dns.server.RecordSet;
import org.haarbiter.dns.server.ZoneContents;
import org.haarbiter.master.core.ClusterState;
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

        ZoneContents paused = commit(new Entry.Paused("orders", "ann", "work", 5));
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
