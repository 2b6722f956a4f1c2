package org.haarbiter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Guard;
import org.haarbiter.words.ServerState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

class HactlTest {
    private static final String REASON = "--reason=planned work";

    @TempDir
    private Path directory;

    private ArbiterOfOne arbiter;

    @BeforeEach
    void start() throws IOException {
        arbiter = ArbiterOfOne.withOrders();
    }

    @AfterEach
    void stop() {
        arbiter.close();
    }

    private Result hactl(String... arguments) {
        return hactl(Map.of("HA_MASTERS", arbiter.address()), "", false, arguments);
    }

    private Result hactl(Map<String, String> environment, String typed, boolean terminal, String... arguments) {
        return Result.of(directory, environment, typed, terminal, arguments);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Test
    void statusShowsProblemsFirst() {
        Result result = hactl("status");

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out()).startsWith("PROBLEMS\n  ! master m3 (127.0.0.3:7100) is unreachable from m1");
        assertThat(result.out()).containsPattern("orders +mysql +ok +db-1 +127.0.1.1:3306 +1 +3/3 +0 ms +served");
        assertThat(result.out()).doesNotContain("\u001b");
    }

    @Test
    void coloursOnlyOnATerminal() {
        Map<String, String> environment = Map.of("HA_MASTERS", arbiter.address());

        assertThat(hactl(environment, "", true, "status").out()).contains("\u001b[32mok");
        assertThat(hactl(environment, "", true, "status", "--no-color").out()).doesNotContain("\u001b");
        assertThat(hactl(environment, "", true, "status", "-o", "json").out()).doesNotContain("\u001b");
    }

    @Test
    void jsonIsTheApisOwnAnswer() throws IOException {
        JsonNode status = hactl("status", "-o", "json").json();

        assertThat(status.at("/leader").asText()).isEqualTo("m1");
        assertThat(status.at("/groups/0/state").asText()).isEqualTo("ok");
        assertThat(status.at("/groups/0/healthyMembers").asInt()).isEqualTo(3);
        assertThat(hactl("group", "show", "orders", "-o", "json")
                        .json()
                        .at("/members/0/role")
                        .asText())
                .isEqualTo("primary");
        assertThat(hactl("why", "orders", "-o", "json")
                        .json()
                        .at("/rules/0/rule")
                        .asText())
                .isEqualTo("ADOPT");
        assertThat(hactl("log", "-o", "json").json().at("/switches/0/kind").asText())
                .isEqualTo("adoption");
        assertThat(hactl("master", "list", "-o", "json")
                        .json()
                        .at("/masters/2/state")
                        .asText())
                .isEqualTo("unreachable");
    }

    @Test
    void yamlIsTheSameAnswerADocumentEach() {
        Result result = hactl("group", "show", "orders", "-o", "yaml");
        assertThat(result.out()).startsWith("---\nname: orders\n");
        assertThat(new Load(LoadSettings.builder().build()).loadFromString(result.out()))
                .asInstanceOf(InstanceOfAssertFactories.map(String.class, Object.class))
                .containsEntry("primary", "db-1")
                .containsEntry("epoch", 1)
                .containsEntry("pause", null);
        Result refused = hactl("demote", "orders", "-o", "yaml", "--yes", "--reason=");
        assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
        assertThat(hactl("pause", "orders", "-o", "yaml", REASON).out()).startsWith("---\naccepted: true\n");
        assertThat(hactl("pause", "nobody", "-o", "yaml", REASON).out()).contains("error: not-found");
        assertThat(hactl("class", "remove", "orders", "none", "-o", "yaml", REASON)
                        .out())
                .contains("accepted: false");
    }

    @Test
    void topologyIsATreeAndWhoIsNotInItStandsBelow() {
        Result whole = hactl("topology", "orders");
        assertThat(whole.code()).as(whole.err()).isZero();
        assertThat(whole.out())
                .startsWith("Group orders: ok, epoch 1, lossless")
                .containsPattern("(?m)^db-1 +north +127.0.1.1:3306 +primary +running +- +0 ms")
                .containsPattern("(?m)^\\+ db-2 +north +127.0.1.2:3306 +replica +running +receives, applies +0 ms")
                .containsPattern("(?m)^\\+ db-3 ")
                .doesNotContain("aren't in the tree");
        ArbiterOfOne.Server chained = arbiter.server("orders/db-3");
        chained.obeys = false;
        chained.source = arbiter.server("orders/db-2").address;
        assertThat(hactl("topology", "orders").out()).containsPattern("(?m)^  \\+ db-3 ");
        chained.source = null;
        assertThat(hactl("topology", "orders").out())
                .containsPattern("(?m)^db-3 ")
                .endsWith("1 of 3 aren't in the tree of the primary, db-1\n");
        assertThat(hactl("topology", "nobody").code()).isEqualTo(ExitCode.NOT_FOUND);
    }

    @Test
    void watchShowsOnePictureAfterTheOtherAndGoesOnWhereNobodyAnswers() {
        Result twice = hactl("watch", "--count", "2", "--every", "0.1");
        assertThat(twice.code()).isZero();
        assertThat(twice.out().split("At ", -1)).hasSize(3);
        assertThat(twice.out()).contains("every 0.1 s").doesNotContain("\u001b[2J");
        assertThat(hactl("watch", "orders", "--count", "1").out()).contains("Group orders: ok, primary db-1");
        assertThat(hactl(Map.of("HA_MASTERS", arbiter.address()), "", true, "watch", "--count", "1")
                        .out())
                .startsWith("\u001b[H\u001b[2JAt ")
                .contains("Ctrl-C ends it");
        assertThat(hactl("watch", "nobody").code()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(hactl("watch", "--every", "0").err()).contains("--every: 0.0 (must be 0.1 to 3600 seconds)");
        Result nobody =
                hactl(Map.of("HA_MASTERS", "127.0.0.1:1"), "", false, "watch", "--count", "2", "--every", "0.1");
        assertThat(nobody.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(nobody.out().split("At ", -1)).hasSize(3);
    }

    @Test
    void theLogCanBeFollowed() throws InterruptedException {
        StringWriter out = new StringWriter();
        Thread following = new Thread(() -> Hactl.run(
                new Surroundings(
                        Map.of("HA_MASTERS", arbiter.address()),
                        List.of(),
                        "alice@desk",
                        false,
                        new BufferedReader(new StringReader("")),
                        new PrintWriter(out),
                        new PrintWriter(new StringWriter())),
                "log",
                "orders",
                "--follow",
                "--since",
                "1h"));
        following.start();
        try {
            awaitSaid(out, "orders@1  group-adopted");
            hactl("pause", "orders", REASON);
            awaitSaid(out, "orders@1  paused");
            assertThat(out.toString().lines().filter(line -> line.contains("  paused  ")))
                    .as("each entry once")
                    .hasSize(1);
        } finally {
            following.interrupt();
            following.join();
        }
        assertThat(hactl("log", "--follow", "--full").err()).contains("--follow prints entries");
    }

    private static void awaitSaid(StringWriter out, String words) throws InterruptedException {
        long end = System.nanoTime() + 30_000_000_000L;
        while (!out.toString().contains(words)) {
            assertThat(System.nanoTime() - end)
                    .as("nothing of '%s' in: %s", words, out)
                    .isNegative();
            Thread.sleep(20);
        }
    }

    @Test
    void theLogIsShownSinceAMoment() {
        assertThat(hactl("log", "--since", "10m").out()).contains("adoption");
        assertThat(hactl("log", "--since", "0s").out()).isEqualTo("The switch log is empty.\n");
        assertThat(hactl("log", "--since", "yesterday").err())
                .contains("--since: 'yesterday' (must be a number and s, m, h or d, such as 90s or 12h)");
    }

    @Test
    void groupShowsMembersPermissionAndNames() {
        Result result = hactl("group", "show", "orders", "--positions");

        assertThat(result.code()).isZero();
        assertThat(result.out())
                .contains("primary db-1, epoch 1, lossless")
                .containsPattern("db-1 +north +127.0.1.1:3306 +primary +running +open@1")
                .containsPattern("db-2 +north +127.0.1.2:3306 +replica +running +read-only|fenced@1")
                .contains("orders-rw -> 127.0.1.1 (ttl 1 s)")
                .contains("db-1 holds 3e11fa47");
        assertThat(hactl("group", "list").out()).contains("orders").doesNotContain("PROBLEMS");
    }

    @Test
    void whySaysWhatEachRuleSaw() {
        Result result = hactl("why", "orders", "--rules");

        assertThat(result.code()).isZero();
        assertThat(result.out())
                .contains("all is well: db-1 takes writes under epoch 1")
                .contains("lossless: every commit of db-1 waits for 1 of 2 followers")
                .contains("followed by an automatic switch to one of db-2, db-3; 0 replica(s) may be lost")
                .containsPattern("PRIMARY_DEAD +passes")
                .contains("When the primary's process has ended, a replica takes over.");
    }

    @Test
    void wrongCredentialsAreASentenceWithWhatToDo() {
        ArbiterOfOne.Server replica = arbiter.server("orders/db-3");
        replica.state = ServerState.UNKNOWN;
        replica.detail = "access denied for 'ha'@'localhost' (correct credentials-file and restart the agent)";

        assertThat(hactl("status").out())
                .contains("! orders: db-3: its agent can't tell how the server is: access denied for 'ha'@'localhost'")
                .containsPattern("orders +mysql +degraded");
        assertThat(hactl("why", "orders").out()).contains("db-3: its agent can't tell how the server is");
    }

    @Test
    void whatProtectsAGroupThatLosesAnAgentIsSaid() {
        String sealed = "lossless: db-1 can't acknowledge a write any more once its replicas are sealed";
        assertThat(hactl("why", "orders").out())
                .contains("- agent lost: " + sealed)
                .contains("no service manager fences it (WatchdogSec, ExecStopPost)");

        arbiter.server("orders/db-1").guard = new Guard(Guard.Kind.IN_TIME, 2_000);
        arbiter.server("orders/db-2").guard = new Guard(Guard.Kind.ALWAYS, 1_500);
        assertThat(hactl("group", "show", "orders").out())
                .contains("Agent lost:      " + sealed)
                .contains("the service manager fences it within 2000 ms of its agent's last sign of life, before its"
                        + " permission ends; less so of db-3, which may be promoted");
        arbiter.server("orders/db-1").guard = new Guard(Guard.Kind.STOP_HOOK, 0);
        assertThat(hactl("why", "orders").out()).contains("but notices none that stands still (WatchdogSec)");
    }

    @Test
    void aGroupThatCantBeAdoptedSaysWhy() {
        arbiter.addGroup("carts", 2);
        arbiter.server("carts/db-3").source = null;

        assertThat(hactl("status").out())
                .containsPattern("carts +mysql +not-adopted +- +- +0")
                .contains(
                        "carts: not adopted: 2 members follow nobody (db-1, db-3), so it isn't clear which is the primary");
        assertThat(hactl("why", "carts").out()).contains("rule ADOPT holds everything after it back");
    }

    @Test
    void aDnsServerThatIsDownLeavesTheSwitchPromotedWithDnsPending() {
        arbiter.dnsProblem = "127.0.0.53:53: no answer within 1 s (is named running?)";
        arbiter.server("orders/db-1").state = ServerState.DEAD;
        arbiter.server("orders/db-1").detail = "exited on signal 9";

        Result status = hactl("status");
        assertThat(status.out())
                .contains(
                        "orders: promoted, DNS pending: the names don't show epoch 2 everywhere: 127.0.0.53:53: no answer")
                .contains("db-1: its server has ended: exited on signal 9")
                .containsPattern("orders +mysql +degraded +db-2 +127.0.1.2:3306 +2 +2/3 +0 ms +pending");
        Result log = hactl("log", "orders", "--limit", "1");
        assertThat(log.out())
                .contains("Group orders, epoch 2: failover from db-1 to db-2: completed")
                .contains("DNS pending")
                .contains("By:      rule PRIMARY_DEAD")
                .contains("Why:     the process of db-1 has ended: exited on signal 9 (PRIMARY_DEAD)")
                .contains("Proof:   lossless: 2 of 2 followers are sealed")
                .contains("Kept:    3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100")
                .contains("db-1: dead (exited on signal 9), heard")
                .containsPattern("\\+\\d+ ms +candidate-chosen +db-2: lossless")
                .containsPattern("promoted +\\d+\\.\\d ms");
    }

    @Test
    void promoteWaitsUntilTheSwitchIsComplete() {
        Result result = hactl("promote", "orders", "db-3", REASON);

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out())
                .contains("planned switch of group 'orders' from db-1 to db-3 begins")
                .contains("db-3 takes writes under epoch 2")
                .contains("every DNS server shows it")
                .contains("it holds everything that the drained primary db-1 has");
        assertThat(hactl("log", "orders", "--switch", "2").out())
                .contains("By:      alice@desk")
                .contains("planned work");
        assertThat(hactl("log").out()).containsPattern("orders +2 +\\S+ +db-1 +db-3 +completed");
    }

    @Test
    void switchoverSaysHowLongWritesWereFrozen() {
        Result result = hactl("switchover", "orders", "--to", "db-3", REASON);

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out())
                .contains("planned switch of group 'orders' from db-1 to db-3 begins")
                .contains("db-3 takes writes under epoch 2")
                .containsPattern("nobody took writes for \\d+ ms");
    }

    @Test
    void aSwitchoverToAHungMemberIsRefused() {
        arbiter.server("orders/db-3").obeys = false;
        arbiter.server("orders/db-3").state = ServerState.HUNG;

        Result refused = hactl("switchover", "orders", "--to", "db-3", REASON);

        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("db-3 can't be promoted: it is hung");
    }

    @Test
    void demoteLetsTheArbiterChoose() throws IOException {
        Result result = hactl("demote", "orders", "db-1", REASON, "-o", "json");

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.json().at("/accepted").asBoolean()).isTrue();
        assertThat(result.json().at("/epoch").asLong()).isEqualTo(2);
        assertThat(hactl("group", "list").out()).containsPattern("orders +mysql +ok +db-2");
    }

    @Test
    void aSwitchThatIsNotCompleteInTimeEndsWithSix() {
        arbiter.server("orders/db-1").obeys = false;

        Result result = hactl("promote", "orders", "db-3", REASON, "--wait-limit", "1");

        assertThat(result.code()).isEqualTo(6);
        assertThat(result.err())
                .contains("accepted, but not complete after 1 s: db-1 isn't drained yet (hactl why orders)");
        assertThat(hactl("group", "show", "orders").out()).contains("Phase:           draining for");
    }

    @Test
    void noWaitReturnsAtOnce() {
        arbiter.server("orders/db-1").obeys = false;

        assertThat(hactl("promote", "orders", "db-3", REASON, "--no-wait").code())
                .isZero();
    }

    @Test
    void aRefusalSaysWhyAndEndsWithOne() throws IOException {
        Result result = hactl("promote", "orders", "db-1", REASON, "-o", "json");

        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).isEqualTo("hactl: refused: db-1 is the primary of group 'orders' already\n");
        assertThat(result.json().at("/accepted").asBoolean(true)).isFalse();
    }

    @Test
    void dataLossIsConfirmedOrGivenUp() {
        arbiter.server("orders/db-1").state = ServerState.DEAD;
        Map<String, String> environment = Map.of("HA_MASTERS", arbiter.address());
        String[] act = {"promote", "orders", "db-3", REASON, "--accept-data-loss"};

        Result noTerminal = hactl(environment, "", false, act);
        assertThat(noTerminal.code()).isEqualTo(2);
        assertThat(noTerminal.err()).contains("There is no terminal to ask on: add --yes");
        Result wrong = hactl(environment, "yes\n", true, act);
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.err()).contains("Type orders to go on").contains("not confirmed; nothing was done");
        Result right = hactl(environment, "orders\n", true, act);
        assertThat(right.code()).as(right.err()).isZero();
        assertThat(hactl("log", "orders", "--limit", "1").out()).contains("a person accepted that acknowledged writes");
    }

    @Test
    void pauseAndResume() {
        assertThat(hactl("pause", "orders", "--for", "15m", REASON).out()).isEqualTo("paused for 900 s\n");
        assertThat(hactl("status").out())
                .containsPattern("orders: paused by alice@desk until 2[0-9T:-]+Z: planned work");
        assertThat(hactl("pause", "orders", "--for", "0s", REASON).err()).contains("--for: '0s'");
        assertThat(hactl("pause", "orders", "--for", "900d", REASON).err())
                .contains("refused: for: 77760000000 ms (must be 1 to 31622400000, or 0 until somebody ends it)");
        assertThat(hactl("pause", "orders", REASON).code()).isZero();
        assertThat(hactl("status").out())
                .containsPattern("orders +mysql +paused")
                .contains("orders: paused by alice@desk: planned work (hactl resume orders ends it)");
        assertThat(hactl("pause", "--fleet", REASON).code()).isZero();
        assertThat(hactl("status").out()).contains("the whole fleet is paused by alice@desk");
        assertThat(hactl("resume", "--fleet", REASON).code()).isZero();
        assertThat(hactl("resume", "orders", REASON).code()).isZero();
        Result again = hactl("resume", "orders", REASON);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err()).contains("group 'orders' isn't paused");
        assertThat(hactl("log", "orders").out())
                .contains("Other events:")
                .contains("resumed  planned work  (alice@desk)");
    }

    @Test
    void aFailoverIsAcknowledged() {
        Result early = hactl("ack", "orders", REASON);
        assertThat(early.code()).isEqualTo(1);
        assertThat(early.err()).contains("group 'orders' has no failover that isn't acknowledged");
        arbiter.server("orders/db-1").state = ServerState.DEAD;
        assertThat(hactl("group", "list").out()).containsPattern("orders +mysql +degraded +db-2");
        assertThat(hactl("why", "orders").out())
                .contains("not again yet: the group has failed over (1 in a row); were db-2 lost now");
        assertThat(hactl("ack", "orders", REASON).out())
                .contains("the failovers of group 'orders' are acknowledged (1 in a row)");
        assertThat(hactl("why", "orders").out()).doesNotContain("not again yet");
        assertThat(hactl("log", "orders").out()).contains("failovers-acknowledged  planned work  (alice@desk)");
    }

    @Test
    void aGroupsPriorityIsSetWithinItsRange() {
        assertThat(hactl("group", "set", "orders", REASON).err()).contains("nothing to change: give --durability");
        Result set = hactl("group", "set", "orders", "--priority", "1", REASON);
        assertThat(set.out()).contains("wait, priority 1 (before: lossless, on-no-acknowledger wait)");
        Result out = hactl("group", "set", "orders", "--priority", "10", REASON);
        assertThat(out.code()).isEqualTo(1);
        assertThat(out.err()).contains("priority is 10 (must be 1, switched first, to 9, switched last)");
        assertThat(hactl("group", "show", "orders").out()).contains("priority 1");
    }

    @Test
    void aTrafficClassHasANameOfItsOwn() {
        Result set = hactl("class", "set", "orders", "marketing", "--pin", "db-3", "--fall-back", "replicas", REASON);
        assertThat(set.out())
                .contains("traffic class 'marketing' of group 'orders': pinned to db-3, falls back to replicas");
        assertThat(hactl("group", "show", "orders").out())
                .contains("marketing -> 127.0.1.3 (ttl 1 s), pinned to db-3, falls back to replicas")
                .contains("orders-ro -> 127.0.1.2 (ttl 1 s)\n");

        arbiter.server("orders/db-3").state = ServerState.DEAD;
        assertThat(hactl("status").out())
                .contains("traffic class marketing is pinned to db-3, of which it isn't known that it is well; it has"
                        + " fallen back to db-2");
        arbiter.server("orders/db-3").state = ServerState.RUNNING;

        assertThat(hactl("class", "set", "orders", "reports", "--follow", "replicas", REASON)
                        .code())
                .isZero();
        assertThat(hactl("class", "remove", "orders", "marketing", REASON).out())
                .contains(": removed (before: pinned");
        assertThat(hactl("group", "show", "orders").out())
                .contains("reports -> 127.0.1.2, 127.0.1.3 (ttl 1 s), follows the replicas")
                .doesNotContain("marketing");
        assertThat(hactl("log", "--limit", "5").out()).contains("class-forgotten");
    }

    @Test
    void theDnsIsShownWithEachServerAndWhatItDoesNotShow() {
        Result well = hactl("dns");
        assertThat(well.code()).isZero();
        assertThat(well.out())
                .contains("Zone db.test, kept by a test")
                .contains("127.0.0.53:53  shows everything as it should be")
                .containsPattern("orders-rw +127.0.1.1 +1 s +orders +1 +served");
        assertThat(hactl("dns", "diff").code()).isZero();
        assertThat(hactl("dns", "diff").out()).contains("no difference");

        arbiter.dnsProblem = "it doesn't answer";
        assertThat(hactl("dns").out())
                .contains("127.0.0.53:53  is wrong for 1 of 1 groups")
                .contains("orders: unreachable: it doesn't answer");
        Result differing = hactl("dns", "diff", "orders");
        assertThat(differing.code()).isEqualTo(1);
        assertThat(differing.out()).isEqualTo("orders  127.0.0.53:53  unreachable: it doesn't answer\n");
        assertThat(hactl("dns", "diff", "nobody").err()).contains("no group 'nobody' (known: orders)");
        assertThat(hactl("dns", "repair", "--wait", "1", REASON).code()).isEqualTo(6);
    }

    @Test
    void recordsBesideThoseOfGroupsAreSetAndRemoved() {
        assertThat(hactl("dns", "set", "Mail", "a", "10.0.0.9", "10.0.0.10", "--ttl", "30", REASON)
                        .out())
                .contains("set: mail A 30 s: 10.0.0.9, 10.0.0.10");
        assertThat(hactl("dns").out()).containsPattern("mail +A 10.0.0.9, 10.0.0.10 +30 s +- +- +by hand");
        assertThat(hactl("dns", "set", "mail", "A", "10.0.0.9", "10.0.0.10", "--ttl", "30", REASON)
                        .err())
                .contains("the records mail A are that already");
        assertThat(hactl("dns", "set", "mail", "CNAME", "www", REASON).err())
                .contains("'mail' has A records, and a name that has a CNAME record can have no other");
        assertThat(hactl("dns", "remove", "mail", "TXT", REASON).err()).contains("there are no records mail TXT");
        assertThat(hactl("dns", "remove", "mail", "A", REASON).out()).contains("removed: mail A 30 s");
        assertThat(hactl("log").out()).contains("records-removed");
    }

    @Test
    void aTrafficClassWithoutMeaningIsRefused() {
        assertThat(hactl("class", "set", "orders", "marketing", "--pin", "db-9", REASON)
                        .err())
                .contains("no member 'db-9' in group 'orders' (known: db-1, db-2, db-3)");
        assertThat(hactl("class", "set", "orders", "marketing", "--follow", "clients", REASON)
                        .err())
                .contains("follows: 'clients' (must be one of primary, replicas, members)");
        assertThat(hactl("class", "set", "orders", "marketing", "--pin", "db-3", "--fall-back", "all", REASON)
                        .err())
                .contains("fallBack: 'all' (must be one of none, replicas, any)");
        assertThat(hactl("class", "set", "orders", "for_sale", "--pin", "db-3", REASON)
                        .err())
                .contains("trafficClass: name: 'for_sale'");
        assertThat(hactl("class", "set", "orders", "marketing", "--follow", "members", REASON)
                        .err())
                .contains("a pinned name needs a member at least");
        assertThat(hactl("class", "remove", "orders", "marketing", REASON).err())
                .contains("group 'orders' has no traffic class 'marketing'");
        assertThat(hactl("class", "set", "orders", "marketing", "--follow", "primary", "--fall-back", "any", REASON)
                        .code())
                .isEqualTo(2);
        assertThat(hactl("class", "set", "orders", "marketing", REASON).code()).isEqualTo(2);
    }

    private String endpointFile(String text) throws IOException {
        return "--file=" + Files.writeString(directory.resolve("web.yaml"), text);
    }

    private static final String WEB = """
            check: {kind: http, port: 8080, path: /up, expected-body: ok}
            load: 900
            endpoints:
              n-1: {address: 10.1.0.1, site: n1, capacity: 400}
              n-2: {address: 10.1.0.2, site: n1, capacity: 400}
              s-1: {address: "2001:DB8:0::1", site: s1, weight: 2, capacity: 400}
            """;

    @Test
    void endpointsAreSetJudgedSwitchedByHandAndRemoved() throws IOException {
        assertThat(hactl("endpoint", "list").out()).contains("There are no groups of endpoints");
        assertThat(hactl("endpoint", "set", "web", endpointFile(WEB), REASON).out())
                .contains("set: n-1 10.1.0.1 in n1, n-2 10.1.0.2 in n1, s-1 2001:db8::1 in s1; all of the healthy, 1 at"
                        + " least; HTTP port 8080 /up, status 200 to 399, body with 'ok' every 2000 ms");
        assertThat(hactl("endpoint", "list").out()).containsPattern("web +0/3 +n-1, n-2, s-1 +all +HTTP port 8080 /up");
        assertThat(hactl("endpoint", "show", "web").out())
                .contains("! n-1 (10.1.0.1) hasn't been judged yet")
                .contains("! too few masters say what they find, so nothing is judged: nothing from m1 of 1");

        arbiter.findsEndpoints("web", Map.of("n-1", true, "n-2", false, "s-1", true));
        Result show = hactl("endpoint", "show", "web");
        assertThat(show.code()).as(show.err()).isZero();
        assertThat(show.out())
                .contains("Endpoints web, mode all, min-healthy 1, TTL 5 s")
                .contains(
                        "Check: HTTP port 8080 /up, status 200 to 399, body with 'ok', every 2000 ms for 1000 ms at the"
                                + " most, rise 2, fall 3")
                .contains("! n-2 (10.1.0.2) is unhealthy: m1: connecting: refused")
                .contains("! the clients of no region send 900, 100 more than all that are served can hold")
                .containsPattern("n-1 +10.1.0.1 +n1 +healthy +\\S+ \\S+ +in +- +\\d+\\.\\d % +m1 healthy")
                .containsPattern("n-2 +10.1.0.2 +n1 +unhealthy +\\S+ \\S+ +out +- +- +m1 unhealthy")
                .contains("n-2, as m1 finds it: connecting: refused");
        assertThat(hactl("status").out()).contains("! endpoints web: n-2 (10.1.0.2) is unhealthy");

        assertThat(hactl("endpoint", "drain", "web", "n-1", REASON).out())
                .contains("n-1 is drained; 'web' leads to s-1");
        assertThat(hactl("endpoint", "show", "web").out())
                .contains("n-1 is drained by alice@desk: planned work")
                .containsPattern("n-1 +10.1.0.1 +n1 +healthy +\\S+ \\S+ +out +drained +-");
        assertThat(hactl("endpoint", "drain", "web", "s-1", REASON).err())
                .contains("refused: no other endpoint of 'web' is healthy");
        assertThat(hactl("endpoint", "hold", "web", "n-2", "--in", REASON).out())
                .contains("n-2 is held in; 'web' leads to n-2, s-1");
        assertThat(hactl("endpoint", "hold", "web", "n-2", "--in", "--out", REASON)
                        .code())
                .isEqualTo(2);
        assertThat(hactl("endpoint", "hold", "web", "s-1", "--out", REASON).code())
                .isZero();
        assertThat(hactl("endpoint", "release", "web", "s-1", REASON).code()).isZero();
        assertThat(hactl("endpoint", "undrain", "web", "n-1", REASON).out())
                .contains("n-1 is left to the checks again; 'web' leads to n-1, n-2, s-1");
        assertThat(hactl("endpoint", "hold", "web", "n-3", REASON).err()).contains("no endpoint 'n-3' in 'web'");
        assertThat(hactl("log", "web").out()).contains("endpoint-ordered").contains("endpoints-judged");

        assertThat(hactl("endpoint", "remove", "web", REASON).code()).isZero();
        Result gone = hactl("endpoint", "show", "web");
        assertThat(gone.code()).isEqualTo(5);
        assertThat(gone.err()).contains("no group of endpoints 'web' (there is none)");
    }

    @Test
    void theWholeOfAGroupOfEndpointsComesBackAsJson() throws IOException {
        hactl("endpoint", "set", "web", endpointFile(WEB), REASON);
        JsonNode json = hactl("endpoint", "show", "web", "-o", "json").json();
        assertThat(json.at("/settings/check/timeoutMillis").asInt()).isEqualTo(1_000);
        assertThat(json.at("/settings/endpoints/s-1/weight").asInt()).isEqualTo(2);
        assertThat(json.at("/settings/loads").path("").asLong()).isEqualTo(900);
        assertThat(hactl("endpoint", "list", "-o", "json")
                        .json()
                        .at("/groups/0/name")
                        .asText())
                .isEqualTo("web");
    }

    @Test
    void endpointsThatCantBeAreRefusedWithEveryMistakeOfTheFile() throws IOException {
        Result mistakes = hactl("endpoint", "set", "web", endpointFile("""
                        mod: first
                        check: {kind: tcp, port: 0, path: /up}
                        endpoints:
                          a: {site: n1, weight: 0}
                        """), REASON);
        assertThat(mistakes.code()).isEqualTo(2);
        assertThat(mistakes.err())
                .contains("mod")
                .contains("check.port: 0")
                .contains("check.path")
                .contains("endpoints.a.address")
                .contains("endpoints.a.weight: 0");
        assertThat(hactl("endpoint", "set", "web", "--file=" + directory.resolve("none.yaml"), REASON)
                        .code())
                .isEqualTo(2);
        assertThat(hactl("endpoint", "set", "web", endpointFile(WEB.replace("10.1.0.2", "web-2.example")), REASON)
                        .err())
                .contains("endpoint n-2: address: 'web-2.example' (must be an IPv4 or IPv6 address, not a host name)");
        assertThat(hactl("endpoint", "set", "web", endpointFile(WEB.replace("10.1.0.2", "10.1.0.1")), REASON)
                        .err())
                .contains("endpoint n-2: address: 10.1.0.1 (is that of n-1 already)");
        assertThat(hactl("endpoint", "set", "Web", endpointFile(WEB), REASON).err())
                .contains("'Web' (must be in small letters");
        assertThat(hactl("endpoint", "set", "orders", endpointFile(WEB), REASON).err())
                .contains("there is a group 'orders' of databases");
        assertThat(hactl("endpoint", "set", "web", endpointFile(WEB)).code()).isEqualTo(2);
    }

    @Test
    void mastersAreAddedRemovedAndLedByName() {
        assertThat(hactl("master", "list").out()).containsPattern("m3 +unreachable +127.0.0.3:7100");
        assertThat(hactl("master", "add", "127.0.0.4:7100", REASON).code()).isZero();
        assertThat(arbiter.lastMastersCommand).hasFieldOrPropertyWithValue("action", "add-master");
        assertThat(hactl("master", "remove", "m3", REASON).code()).isEqualTo(2);
        assertThat(hactl("master", "remove", "m3", REASON, "--yes").code()).isZero();
        assertThat(arbiter.lastMastersCommand).hasFieldOrPropertyWithValue("member", "127.0.0.3:7100");
        assertThat(hactl("master", "transfer-leader", "m2", REASON).out()).contains("transfer-leader 127.0.0.2:7100");
        assertThat(hactl("master", "transfer-leader", "m9", REASON).code()).isEqualTo(5);
        assertThat(hactl("master", "add", "nonsense", REASON).code()).isEqualTo(2);
    }

    @Test
    void goesOnToTheLeader() throws IOException {
        try (ArbiterOfOne follower = new ArbiterOfOne()) {
            follower.leads = false;
            follower.leaderElsewhere = Endpoint.parse(arbiter.address());
            Map<String, String> environment = Map.of("HA_MASTERS", follower.address());

            assertThat(hactl(environment, "", false, "group", "list").out()).contains("orders");
            assertThat(hactl(environment, "", false, "pause", "orders", REASON).code())
                    .isZero();
        }
    }

    @Test
    void withoutALeaderStatusShowsWhatOneMasterKnowsAndEndsWithFour() {
        arbiter.leads = false;

        Result status = hactl("status", "--timeout", "0.5");
        assertThat(status.code()).isEqualTo(4);
        assertThat(status.out())
                .contains("! there is no leader, so no switch can happen")
                .contains("orders");
        Result pause = hactl("pause", "--fleet", REASON, "--timeout", "0.5");
        assertThat(pause.code()).isEqualTo(4);
        assertThat(pause.err()).contains("there is no leader");
    }

    @Test
    void triesMastersInTurnAndNamesEachThatIsUnreachable() throws IOException {
        String dead = "127.0.0.1:" + freePort();

        assertThat(hactl("--masters", dead + "," + arbiter.address(), "status").code())
                .isZero();
        Result none = hactl("status", "--masters", dead);
        assertThat(none.code()).isEqualTo(3);
        assertThat(none.err()).contains("no master can be reached: " + dead + " refuses connections");
    }

    @Test
    void aMasterThatNeverAnswersIsGivenUpInTime() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + silent.getLocalPort();

            assertThat(hactl("status", "--masters", address, "--timeout", "0.3").code())
                    .isEqualTo(3);
            Result act = hactl("pause", "--fleet", REASON, "--masters", address, "--timeout", "0.3");
            assertThat(act.code()).isEqualTo(6);
            assertThat(act.err()).contains("the command was sent and no answer came");
        }
    }

    @Test
    void whatIsNotThereEndsWithFive() {
        Result group = hactl("group", "show", "nope");
        assertThat(group.code()).isEqualTo(5);
        assertThat(group.err()).isEqualTo("hactl: no group 'nope' (known: orders)\n");
        assertThat(hactl("why", "nope").code()).isEqualTo(5);
        assertThat(hactl("log", "nope").code()).isEqualTo(5);
        assertThat(hactl("log", "orders", "--switch", "99").code()).isEqualTo(5);
        assertThat(hactl("pause", "nope", REASON).code()).isEqualTo(5);
        Result member = hactl("promote", "orders", "db-9", REASON);
        assertThat(member.code()).isEqualTo(5);
        assertThat(member.err()).contains("no member 'db-9' in group 'orders' (known: db-1, db-2, db-3)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense",
                "status -o xml",
                "status --timeout 0",
                "status --masters nowhere",
                "group",
                "group show",
                "promote orders db-2",
                "promote orders db-2 --reason=",
                "pause --reason=x",
                "pause orders --fleet --reason=x",
                "log --switch 2",
                "log --limit 0"
            })
    void aWrongCommandLineEndsWithTwo(String line) {
        Result result = hactl(line.isEmpty() ? new String[0] : line.split(" ", -1));

        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).isNotBlank();
    }

    @Test
    void mastersComeFromTheSettingsFileToo() throws IOException {
        assertThat(hactl(Map.of(), "", false, "status").err()).contains("give --masters HOST:PORT,...");
        Path file = directory.resolve("hactl.yaml");
        Files.writeString(file, "masters: [\"" + arbiter.address() + "\"]\n");
        assertThat(hactl(Map.of(), "", false, "status").code()).isZero();
        Files.writeString(file, "master: [\"" + arbiter.address() + "\"]\n");
        Result wrong = hactl(Map.of(), "", false, "status");
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.err()).contains("hactl.yaml:1: master:");
    }

    @Test
    void helpNamesTheExitCodesAndVersionTheBuild() {
        assertThat(hactl("--help").out())
                .contains("Exit codes:")
                .contains("3   no master can be reached")
                .contains("7   not allowed");
        assertThat(hactl("--version").out()).matches("hactl \\d+\\.\\d+\\.\\d+\\S*\\s+");
        assertThat(hactl("completion").out()).contains("complete").contains("transfer-leader");
    }

    @Test
    void theServerRefusesWhatAWebPageCouldSend() throws IOException, InterruptedException {
        String command = "{\"action\":\"pause\",\"by\":\"x\",\"reason\":\"y\"}";

        assertThat(send("POST", "/v1/commands", command).body()).contains("needs the header X-HA-Arbiter");
        assertThat(send("POST", "/v1/commands", command, "X-HA-Arbiter", "1", "Origin", "http://evil.test")
                        .body())
                .contains("comes from a web page");
        assertThat(send("POST", "/v1/commands", "{\"actoin\":1}", "X-HA-Arbiter", "1")
                        .body())
                .contains("unknown field 'actoin'");
        assertThat(send("POST", "/v1/commands", "[", "X-HA-Arbiter", "1").statusCode())
                .isEqualTo(400);
        assertThat(send("POST", "/v1/commands", " ".repeat(20_000), "X-HA-Arbiter", "1")
                        .body())
                .contains("16384 bytes");
        assertThat(send("POST", "/v1/commands", "{\"action\":\"pause\",\"by\":\"x\"}", "X-HA-Arbiter", "1")
                        .body())
                .contains("reason: missing (pause needs it)");
        assertThat(send("POST", "/v1/status", "").statusCode()).isEqualTo(405);
        assertThat(hactl("status").out()).doesNotContain("paused");
    }

    @Test
    void theServerAnswersProbesAndPrometheus() throws IOException, InterruptedException {
        assertThat(send("GET", "/leader", "").statusCode()).isEqualTo(200);
        assertThat(send("GET", "/health", "").body()).isEqualTo("{\"healthy\":true,\"leading\":true}");
        assertThat(send("GET", "/metrics", "").statusCode()).isEqualTo(200);
        assertThat(send("GET", "/v2/x", "").body()).contains("no path /v2/x (there are GET /health");
        assertThat(send("GET", "/v1/log?limit=x", "").statusCode()).isEqualTo(400);
        arbiter.leads = false;
        assertThat(send("GET", "/leader", "").statusCode()).isEqualTo(503);
        arbiter.leaderElsewhere = Endpoint.parse("127.0.0.9:7300");
        HttpResponse<String> redirect = send("GET", "/v1/status", "");
        assertThat(redirect.statusCode()).isEqualTo(307);
        assertThat(redirect.headers().firstValue("Location")).contains("http://127.0.0.9:7300/v1/status");
    }

    private HttpResponse<String> send(String method, String path, String body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + arbiter.address() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
