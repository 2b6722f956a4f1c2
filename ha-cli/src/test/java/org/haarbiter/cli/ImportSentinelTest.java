package org.haarbiter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImportSentinelTest {

    @TempDir
    private Path directory;

    private PlayedSentinel sentinel;
    private PlayedSentinel.Group cache;
    private ArbiterOfOne arbiter;

    @BeforeEach
    void start() throws IOException {
        sentinel = new PlayedSentinel();
        cache = sentinel.group("cache", "127.0.9.1:6379")
                .replica("127.0.9.2:6379")
                .replica("127.0.9.3:6379", "slave-priority", "0");
        arbiter = ArbiterOfOne.withOrders();
    }

    @AfterEach
    void stop() throws IOException {
        sentinel.close();
        arbiter.close();
    }

    /** hactl import sentinel ADDRESS OPTION..., knowing no master. */
    private Result alone(String... options) {
        return hactl(Map.of(), with(sentinel.address().toString(), options));
    }

    /** The same with masters. */
    private Result imported(String... options) {
        return hactl(
                Map.of("HA_MASTERS", arbiter.address()), with(sentinel.address().toString(), options));
    }

    private static String[] with(String address, String... options) {
        List<String> words = new ArrayList<>(List.of("import", "sentinel", address));
        words.addAll(List.of(options));
        return words.toArray(String[]::new);
    }

    private Result hactl(Map<String, String> environment, String... arguments) {
        return Result.of(directory, environment, "", false, arguments);
    }

    @Test
    void withoutApplyNoMasterIsNeededAndNothingIsChanged() {
        Result result = alone();

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.out())
                .contains("Group cache: primary 127.0.9.1:6379")
                .doesNotContain("PROBLEMS")
                .containsPattern("127.0.9.1:6379 +primary +up +-")
                .containsPattern("127.0.9.2:6379 +replica +up +100")
                .containsPattern("127.0.9.3:6379 +replica +up +0 \\(never promoted\\)")
                .contains("down-after-milliseconds 1000: timing profile normal (silence-millis 1500)")
                .contains("quorum 2: nothing: a majority of the masters decides")
                .contains("parallel-syncs 1: nothing")
                .contains("failover-timeout 60000: nothing")
                .contains("members: [\"127.0.9.1:6379\", \"127.0.9.2:6379\", \"127.0.9.3:6379\"]")
                .contains("redis-cli -h 127.0.0.1 -p " + sentinel.address().port() + " SENTINEL REMOVE cache")
                .contains("Nothing was changed.");
        assertThat(result.out().indexOf("SENTINEL REMOVE"))
                .isLessThan(result.out().indexOf("Agents: one beside"));
        assertThat(hactl(Map.of("HA_MASTERS", arbiter.address()), "group", "list")
                        .out())
                .doesNotContain("cache");
    }

    @Test
    void applyLetsTheMastersWaitForTheAgents() {
        Result result = imported("--apply", "--durability", "available", "--priority", "2");

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out())
                .contains("applied: group 'cache' is adopted, available, priority 2, once the agents of");
        Map<String, String> masters = Map.of("HA_MASTERS", arbiter.address());
        String missing = "127.0.9.1:6379, 127.0.9.2:6379, 127.0.9.3:6379";
        assertThat(hactl(masters, "status").out())
                .contains("! cache: not adopted: nothing is heard of the agents of " + missing)
                .containsPattern("cache +redis +not-adopted +- +- +0 +0/3");
        assertThat(hactl(masters, "group", "list").out())
                .contains("cache is expected, and nothing is heard of the agents of " + missing);
        assertThat(hactl(masters, "group", "show", "cache").out())
                .contains("Expected:        redis at " + missing
                        + ", to be available, priority 2 (alice@desk: imported from" + " the Redis Sentinel "
                        + sentinel.address() + ")")
                .contains("Missing agents:  " + missing + " (start ha-agent beside these servers)");
        assertThat(hactl(masters, "log", "cache").out()).contains("group-expected");

        // Again, as it is now; then no more.
        assertThat(imported("--apply").out()).contains("bounded to 10000 ms").contains("expected otherwise before");
        assertThat(hactl(masters, "group", "forget", "cache", "--reason=not yet")
                        .out())
                .contains("group 'cache' is expected no more");
        Result gone = hactl(masters, "group", "show", "cache");
        assertThat(gone.code()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(hactl(masters, "group", "forget", "orders", "--reason=not yet")
                        .err())
                .contains("group 'orders' is adopted: only a group that is expected can be forgotten");
    }

    @Test
    void anAdoptedGroupAndAnOddNameAreRefusedAndTheOthersApplied() {
        sentinel.group("orders", "127.0.8.1:6379").replica("127.0.8.2:6379");
        sentinel.group("my_cache", "127.0.7.1:6379").replica("127.0.7.2:6379");

        sentinel.group("twin", "127.0.6.1:6379").replica("127.0.6.2:6379");
        sentinel.group("twins", "127.0.6.1:6379").replica("127.0.6.2:6379");
        Path agents = directory.resolve("agents");

        Result result = imported("--apply", "--agents", agents.toString());

        assertThat(result.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(agents)
                .isDirectoryContaining(path -> path.endsWith("cache"))
                .isDirectoryNotContaining(path -> !path.endsWith("cache"));
        assertThat(result.out())
                .contains("refused: twin: 127.0.6.1:6379 belongs to the group twins as well")
                .contains("applied: group 'cache'")
                .contains(
                        "refused: orders: group 'orders' is adopted already, with primary db-1 (127.0.1.1:3306); hactl group"
                                + " set orders changes what it promises")
                .contains("refused: my_cache: it can't be a group's name here: 'my_cache' (must not contain '_'");
        assertThat(result.err())
                .contains("refused: my_cache, orders, twin, twins (1 of 5 groups are expected by the masters now)");
    }

    @Test
    void whatTheMastersCanNotPromiseIsRefused() {
        Result lossless = imported("--apply", "--durability", "lossless");
        assertThat(lossless.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(lossless.out())
                .contains("refused: cache: the server acknowledges writes without waiting for replicas");

        Result word = imported("--apply", "--durability", "durable");
        assertThat(word.code()).isEqualTo(ExitCode.USAGE);
        assertThat(word.err()).contains("durability: 'durable' (must be one of lossless, bounded, available)");
    }

    @Test
    void whatIsWrongIsNamed() throws IOException {
        cache.primary("flags", "master,s_down,o_down");
        cache.replica("127.0.9.4:6379", "flags", "slave,s_down,disconnected");
        cache.replica("127.0.9.5:6379", "master-link-status", "err");
        cache.replica("127.0.9.6:6379", "master-host", "127.0.9.2");
        cache.replica("redis-7.example:6379", "master-host", "127.0.9.1");
        cache.primary("notification-script", "/etc/tell.sh");
        sentinel.group("alone", "127.0.8.6:6379").primary("down-after-milliseconds", "30000");
        try (PlayedSentinel other = new PlayedSentinel();
                PlayedSentinel third = new PlayedSentinel()) {
            other.group("cache", "127.0.9.2:6379");
            cache.others.addAll(List.of(other.address(), third.address(), new Endpoint("127.0.0.1", 1)));

            String out = alone().out();

            assertThat(out)
                    .contains("its primary 127.0.9.1:6379 is s_down,o_down")
                    .contains("replica 127.0.9.4:6379 is s_down,disconnected: adoption waits until it runs")
                    .contains("replica 127.0.9.5:6379 isn't connected to 127.0.9.1:6379")
                    .contains("replica 127.0.9.6:6379 follows 127.0.9.2:6379, not the primary 127.0.9.1:6379")
                    .contains("redis-7.example:6379 is a host name")
                    .contains("the Sentinel " + other.address() + " takes 127.0.9.2:6379 for the primary, and "
                            + sentinel.address() + " takes 127.0.9.1:6379")
                    .contains("the Sentinel " + third.address() + " doesn't watch this group")
                    .contains("the Sentinel 127.0.0.1:1 can't be asked: the connection is refused")
                    .contains("notification-script /etc/tell.sh: nothing runs a script")
                    .contains("the Sentinel knows no replica")
                    .contains("down-after-milliseconds 30000: timing profile wide")
                    .contains("redis-cli -h 127.0.0.1 -p 1 SENTINEL REMOVE cache");
        }
    }

    @Test
    void aLoopbackAddressIsAnotherMachineElsewhere() {
        WatchedGroup group = new WatchedGroup(
                "cache", new Endpoint("127.0.0.1", 6379), List.of(), 2, 1_000, 60_000, 1, "", "", List.of(), List.of());
        assertThat(ImportedGroup.of(
                                group,
                                List.of(group),
                                new Endpoint("10.0.1.21", 26_379),
                                org.haarbiter.admin.PolicyChange.NONE)
                        .problems())
                .anyMatch(problem -> problem.startsWith("127.0.0.1:6379 is a loopback address"));
    }

    @Test
    void jsonIsOneObject() throws IOException {
        Result result = imported("--apply", "-o", "json");

        assertThat(result.out().lines()).hasSize(1);
        JsonNode json = new ObjectMapper().readTree(result.out());
        assertThat(json.at("/profile").asText()).isEqualTo("normal");
        assertThat(json.at("/groups/0/expected/members").size()).isEqualTo(3);
        assertThat(json.at("/groups/0/members/0/role").asText()).isEqualTo("primary");
        assertThat(json.at("/applied/0").asText()).contains("once the agents of");
        assertThat(json.at("/refused").size()).isZero();
    }

    @Test
    void onlyTheGroupsThatWereAskedFor() {
        sentinel.group("sessions", "127.0.8.1:6379").replica("127.0.8.2:6379");
        sentinel.group("carts", "127.0.7.1:6379").replica("127.0.7.2:6379");

        assertThat(alone("--group", "sessions,carts").out())
                .contains("Group carts", "Group sessions")
                .doesNotContain("Group cache");
        Result unknown = alone("--group", "sesions");
        assertThat(unknown.code()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(unknown.err())
                .contains("--group: the Sentinel " + sentinel.address()
                        + " watches no group 'sesions' (known: cache, carts, sessions)");
        sentinel.groups.clear();
        Result none = alone();
        assertThat(none.code()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(none.err()).contains("watches no group");
    }

    @Test
    void theAgentsSettingsAreWrittenOnceAndNeverOver() throws IOException {
        // Two servers of one host need ports and directories of their own.
        sentinel.group("sessions", "127.0.9.1:6380").replica("127.0.9.2:6380");
        Path agents = directory.resolve("agents");

        Result result = imported("--agents", agents.toString());

        assertThat(result.code()).as(result.err()).isZero();
        try (Stream<Path> files = Files.walk(agents)) {
            assertThat(files.filter(Files::isRegularFile)
                            .map(file -> agents.relativize(file).toString()))
                    .containsExactlyInAnyOrder(
                            "cache/127.0.9.1-6379/ha-agent.yaml",
                            "cache/127.0.9.2-6379/ha-agent.yaml",
                            "cache/127.0.9.3-6379/ha-agent.yaml",
                            "sessions/127.0.9.1-6380/ha-agent.yaml",
                            "sessions/127.0.9.2-6380/ha-agent.yaml");
        }
        Path file = agents.resolve("sessions/127.0.9.2-6380/ha-agent.yaml");
        SettingsReader.file(file).read(root -> {
            assertThat(root.groupName("group")).isEqualTo("sessions");
            assertThat(root.name("member")).isEqualTo("127.0.9.2-6380");
            assertThat(root.name("site")).isEqualTo("main");
            assertThat(root.endpoint("address")).isEqualTo(new Endpoint("127.0.9.2", 6380));
            assertThat(root.endpoint("agent-address")).isEqualTo(new Endpoint("127.0.9.2", 7402));
            assertThat(root.endpoints("masters", 1, 9))
                    .containsExactly(
                            new Endpoint("127.0.0.1", 7200),
                            new Endpoint("127.0.0.2", 7200),
                            new Endpoint("127.0.0.3", 7200));
            assertThat(root.path("state-directory"))
                    .isEqualTo(Path.of("/var/lib/ha-arbiter/agent/sessions-127.0.9.2-6380"));
            assertThat(Timing.read(root.section("timing"))).isEqualTo(Timing.Profile.NORMAL.timing());
            assertThat(root.string("engine")).isEqualTo("redis");
            Section server = root.section("server");
            assertThat(server.path("credentials-file")).isAbsolute();
            return file;
        });

        String before = Files.readString(file);
        Result again = imported("--apply", "--agents", agents.toString());
        assertThat(again.code()).isEqualTo(ExitCode.USAGE);
        assertThat(again.err()).contains("is there already (must be a directory without it; nothing was written)");
        assertThat(Files.readString(file)).isEqualTo(before);
        // Nothing was announced either.
        assertThat(hactl(Map.of("HA_MASTERS", arbiter.address()), "group", "list")
                        .out())
                .doesNotContain("cache");
    }

    @Test
    void withoutMastersTheirAddressesAreLeftToFillIn() throws IOException {
        Path agents = directory.resolve("agents");

        Result result = alone("--agents", agents.toString(), "--profile", "fast", "--site", "north");

        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err()).contains("'masters' is left empty in the agents' settings");
        assertThat(Files.readString(agents.resolve("cache/127.0.9.1-6379/ha-agent.yaml")))
                .contains("masters: []   # fill in")
                .contains("timing: {profile: fast}")
                .contains("site: north");
    }

    @ParameterizedTest
    @ValueSource(strings = {"sentinel", "host:port", "host:70000", ":26379", "10.0.0.1:26379:1"})
    void whatIsNoAddressIsRefused(String address) {
        Result result = hactl(Map.of(), with(address));
        assertThat(result.code()).isEqualTo(ExitCode.USAGE);
        assertThat(result.err().lines()).singleElement().asString().startsWith("hactl: the Sentinel's address: ");
    }

    @Test
    void nobodyAnswers() throws IOException {
        Endpoint closed = sentinel.address();
        sentinel.close();
        Result result = hactl(Map.of(), with(closed.toString()));
        assertThat(result.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.err().lines())
                .singleElement()
                .asString()
                .isEqualTo(
                        "hactl: nobody answers at " + closed
                                + ": the connection is refused (must be the address of a Redis Sentinel, whose usual port is 26379)");
        Result unknown = hactl(Map.of(), with("no-such-host.invalid:26379"));
        assertThat(unknown.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(unknown.err()).contains("nobody answers at no-such-host.invalid:26379: the host name isn't known");
    }

    @Test
    void whoAnswersIsNoSentinel() {
        sentinel.always = "-ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' \r\n";
        Result redis = alone();
        assertThat(redis.code()).isEqualTo(ExitCode.USAGE);
        assertThat(redis.err())
                .contains(sentinel.address() + " isn't a Redis Sentinel but a plain Redis: it answers 'ERR");

        sentinel.always = "HTTP/1.1 400 Bad Request\r\n\r\n";
        Result http = alone();
        assertThat(http.code()).isEqualTo(ExitCode.USAGE);
        assertThat(http.err().lines())
                .singleElement()
                .asString()
                .startsWith("hactl: whoever answers isn't a Redis Sentinel at " + sentinel.address());

        sentinel.always = "";
        cache.primary("port", "none");
        Result odd = alone();
        assertThat(odd.code()).isEqualTo(ExitCode.USAGE);
        assertThat(odd.err()).contains("isn't a Redis Sentinel: '127.0.9.1' and 'none' aren't an address");
    }

    @Test
    void silenceEnds() {
        sentinel.always = "*1\r\n";
        Result result = alone("--timeout", "0.3");
        assertThat(result.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(result.err()).contains("nobody answers at " + sentinel.address() + ": no answer in time");
    }

    @Test
    void theSentinelsPassword() throws IOException {
        sentinel.password = "secret";
        Result none = alone();
        assertThat(none.code()).isEqualTo(ExitCode.USAGE);
        assertThat(none.err()).contains("wants a login, and none was given").contains("--credentials-file");

        Path file = directory.resolve("sentinel.yaml");
        Files.writeString(file, "user: default\npassword: wrong\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        Result open = alone("--credentials-file", file.toString());
        assertThat(open.code()).isEqualTo(ExitCode.USAGE);
        assertThat(open.err()).contains("permissions rw-r--r--").contains("chmod 600");

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Result wrong = alone("--credentials-file", file.toString());
        assertThat(wrong.code()).isEqualTo(ExitCode.USAGE);
        assertThat(wrong.err())
                .contains("refuses the login of default: WRONGPASS")
                .doesNotContain("wrong\n");

        Files.writeString(file, "user: default\npassword: secret\n");
        assertThat(alone("--credentials-file", file.toString()).code()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "100, FAST",
        "500, FAST",
        "800, FAST",
        "1000, NORMAL",
        "1500, NORMAL",
        "2900, NORMAL",
        "3000, WIDE",
        "5000, WIDE",
        "30000, WIDE"
    })
    void theProfileWhoseSilenceIsNearest(long downAfterMillis, Timing.Profile profile) {
        assertThat(ImportedGroup.nearest(downAfterMillis)).isEqualTo(profile);
    }
}
