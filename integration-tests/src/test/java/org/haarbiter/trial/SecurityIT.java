package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.RedisServer;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.lab.ServerPlan;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.link.Tls;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A first set-up with scripts/make-certs.sh: real masters, agents and hactl, all of whose connections are proved and encrypted. */
@Tag("servers")
class SecurityIT {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int MASTERS = 3;
    private static final String HOST = "127.0.4.1";

    private final List<String> said = new ArrayList<>();
    private Path work = Path.of("");
    private Path certificates = Path.of("");

    @Test
    void whoIsProvedMayDoWhatItsRoleAllowsAndNoSecretIsSaid() throws Exception {
        work = Arena.newWorkDirectory("ha-arbiter-security-");
        certificates = work.resolve("certificates");
        System.out.println("security: evidence is kept in " + work + " if this fails");
        String tokenLine = makeCertificates();
        Path tokens = secret(work.resolve("tokens"), tokenLine + "\n");
        TreeMap<String, ServerProcess> processes = new TreeMap<>();
        try (ReplicatedGroup<RedisServer> servers =
                ReplicatedGroup.start(List.of(plan(1), plan(2)), RedisServer::new)) {
            servers.openByHand();
            for (int i = 1; i <= MASTERS; i++) {
                processes.put("m" + i, process("m" + i, "ha-master", master(i, tokens)));
            }
            for (RedisServer server : servers.servers()) {
                processes.put(server.name(), process(server.name(), "ha-agent", agent(server)));
            }
            for (ServerProcess process : processes.values()) {
                process.start();
            }
            String group = awaitSaid(
                    person("alice"),
                    out -> out.contains("\"primary\":\"redis-1\"") && out.contains("\"phase\":\"steady\""),
                    "group",
                    "show",
                    "members",
                    "-o",
                    "json");
            assertThat(group).contains("redis-2");

            Ended refused = hactl(person("wendy"), "pause", "members", "--reason", "not hers");
            assertThat(refused.code()).isEqualTo(7);
            assertThat(refused.err()).contains("not allowed: wendy is a viewer, and pause needs an operator");
            assertThat(hactl(List.of(), "status").code()).as("nobody").isEqualTo(7);

            renew("master-m1", "master", "m1", HOST);
            renew("agent-members-redis-2", "agent", "members", "redis-2", HOST);
            awaitLog("m1", "new files are in use");
            awaitLog("redis-2", "new files are in use");

            Ended moved = hactl(token(), "switchover", "members", "--to", "redis-2", "--reason", "rehearsal");
            assertThat(moved.code()).as(moved.said()).isZero();
            String log = hactl(person("wendy"), "log").out();
            assertThat(log).containsPattern("switchover +redis-1 +redis-2 +completed .* ci \\(says ");

            askEverything();
        } finally {
            for (ServerProcess process : processes.values()) {
                process.close();
            }
        }
        checkSecrets();
        Arena.deleteWorkDirectory(work);
    }

    private ServerPlan plan(int number) {
        return ServerPlan.of("redis-" + number, new Endpoint(HOST, 14_300 + number), number, work.resolve("servers"));
    }

    /** Returns the line for the masters' file of tokens. */
    private String makeCertificates() throws Exception {
        make("ca");
        for (int i = 1; i <= MASTERS; i++) {
            make("master", "m" + i, HOST);
        }
        make("agent", "members", "redis-1", HOST);
        make("agent", "members", "redis-2", HOST);
        make("person", "alice", "dba");
        make("person", "wendy");
        String last = make("token", "ci", "operator").strip().lines().reduce("", (before, line) -> line);
        assertThat(last).startsWith("ci operator ");
        Ended again = script("ca");
        assertThat(again.code()).isEqualTo(2);
        assertThat(again.err()).contains("nothing is overwritten");
        try (Stream<Path> files = Files.list(certificates)) {
            for (Path file : files.toList()) {
                if (!file.toString().endsWith(".crt")) {
                    assertThat(Files.getPosixFilePermissions(file))
                            .as("%s", file)
                            .containsExactlyInAnyOrder(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
                }
            }
        }
        return last;
    }

    private String make(String... what) throws Exception {
        Ended ended = script(what);
        assertThat(ended.code()).as(ended.said()).isZero();
        return ended.out();
    }

    private Ended script(String... what) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Arena.launcher("make-certs.sh"), "--dir", certificates.toString(), "--days", "30"));
        command.addAll(List.of(what));
        return Ended.of(new ProcessBuilder(command));
    }

    /** As an operator would: the new files take the place of the old ones. */
    private void renew(String file, String... what) throws Exception {
        for (String end : List.of(".crt", ".key")) {
            Path inUse = certificates.resolve(file + end);
            Files.move(inUse, certificates.resolve("old-" + file + end), StandardCopyOption.ATOMIC_MOVE);
        }
        make(what);
    }

    private static Path secret(Path file, String text) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, text);
    }

    private Path master(int number, Path tokens) throws IOException {
        Path directory = Files.createDirectories(work.resolve("m" + number));
        StringBuilder all = new StringBuilder();
        for (int i = 1; i <= MASTERS; i++) {
            all.append("  m%d: {raft: \"%s:%d\", agents: \"%s:%d\", admin: \"%s\"}%n"
                    .formatted(i, HOST, 14_100 + i, HOST, 14_200 + i, admin(i)));
        }
        return Files.writeString(directory.resolve("ha-master.yaml"), """
                cluster-id: security
                name: m%d
                masters:
                %sdata-directory: raft
                audit-file: switches.jsonl
                timing: {profile: fast}
                redis: {durability: available}
                tls: {certificate: %s, key: %s, ca: %s}
                access:
                  certificates: {alice: admin, wendy: viewer}
                  tokens-file: %s
                """.formatted(
                        number,
                        all,
                        certificates.resolve("master-m" + number + ".crt"),
                        certificates.resolve("master-m" + number + ".key"),
                        certificates.resolve("ca.crt"),
                        tokens));
    }

    private static Endpoint admin(int master) {
        return new Endpoint(HOST, 14_400 + master);
    }

    private Path agent(RedisServer server) throws IOException {
        Path directory = Files.createDirectories(work.resolve(server.name()));
        secret(
                directory.resolve("credentials.yaml"),
                "user: " + Account.AGENT.user() + "\npassword: " + Account.AGENT.password() + "\n");
        secret(
                directory.resolve("replication.yaml"),
                "user: " + Account.REPLICATION.user() + "\npassword: " + Account.REPLICATION.password() + "\n");
        String files = "agent-members-" + server.name();
        return Files.writeString(directory.resolve("ha-agent.yaml"), """
                group: members
                member: %s
                site: here
                address: "%s"
                agent-address: "%s:%d"
                masters: ["%s:14201", "%s:14202", "%s:14203"]
                state-directory: state
                metrics: "%s:%d"
                timing: {profile: fast}
                engine: redis
                server:
                  socket: %s
                  data-directory: %s
                  credentials-file: credentials.yaml
                  replication-credentials-file: replication.yaml
                tls: {certificate: %s, key: %s, ca: %s}
                """.formatted(
                        server.name(),
                        server.address(),
                        HOST,
                        server.address().port() + 200,
                        HOST,
                        HOST,
                        HOST,
                        HOST,
                        server.address().port() + 300,
                        server.socket().toAbsolutePath(),
                        server.dataDir().toAbsolutePath(),
                        certificates.resolve(files + ".crt"),
                        certificates.resolve(files + ".key"),
                        certificates.resolve("ca.crt")));
    }

    private ServerProcess process(String name, String launcher, Path settings) {
        return new ServerProcess(
                name,
                Host.here(),
                List.of(Arena.launcher(launcher), "--config", settings.toString()),
                work.resolve(name).resolve("log"));
    }

    private List<String> person(String person) {
        String name = "person-" + person;
        return List.of(
                "--cert",
                certificates.resolve(name + ".crt").toString(),
                "--key",
                certificates.resolve(name + ".key").toString());
    }

    private List<String> token() {
        return List.of("--token-file", certificates.resolve("ci.token").toString());
    }

    private Ended hactl(List<String> who, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(Arena.launcher("hactl")));
        command.addAll(List.of(arguments));
        command.addAll(who);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("HA_MASTERS", admin(1) + "," + admin(2) + "," + admin(3));
        builder.environment().put("HA_CA", certificates.resolve("ca.crt").toString());
        Ended ended = Ended.of(builder);
        said.add(ended.said());
        return ended;
    }

    private String awaitSaid(List<String> who, Predicate<String> condition, String... arguments) throws Exception {
        long end = System.nanoTime() + LIMIT.toNanos();
        Ended last = hactl(who, arguments);
        while (!condition.test(last.out())) {
            assertThat(System.nanoTime()).as("last said: %s", last.said()).isLessThan(end);
            LockSupport.parkNanos(100_000_000);
            last = hactl(who, arguments);
        }
        return last.out();
    }

    private void awaitLog(String name, String sentence) throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (!Files.readString(work.resolve(name).resolve("log")).contains(sentence)) {
            assertThat(System.nanoTime())
                    .as("'%s' in the log of %s", sentence, name)
                    .isLessThan(end);
            LockSupport.parkNanos(50_000_000);
        }
    }

    /** Every path of the API, and the metrics of all processes. */
    private void askEverything() throws Exception {
        String token = Files.readString(certificates.resolve("ci.token"));
        HttpClient client = HttpClient.newBuilder()
                .sslContext(Tls.trusting(certificates.resolve("ca.crt")))
                .build();
        for (int i = 1; i <= MASTERS; i++) {
            for (String path : List.of(
                    "/",
                    "/v1/status",
                    "/v1/groups/members",
                    "/v1/groups/members/why",
                    "/v1/dns",
                    "/v1/endpoints",
                    "/v1/log",
                    "/v1/masters",
                    "/metrics")) {
                String local = path.startsWith("/v1/") ? path + "?local=true" : path;
                HttpResponse<String> answer = client.send(
                        HttpRequest.newBuilder(URI.create("https://" + admin(i) + local))
                                .header("Authorization", "Bearer " + token)
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode())
                        .as("%s: %s", local, answer.body())
                        .isEqualTo(200);
                said.add(answer.body());
                if (path.equals("/metrics")) {
                    assertThat(answer.body())
                            .contains("ha_certificate_expiry_timestamp_seconds 1.")
                            .contains("ha_certificate_files_unusable 0.0");
                }
            }
        }
    }

    /** Passwords, the token and the keys stand in no log, no record of switches and no answer. */
    private void checkSecrets() throws IOException {
        List<String> secrets = new ArrayList<>(List.of(
                Account.AGENT.password(),
                Account.REPLICATION.password(),
                Files.readString(certificates.resolve("ci.token"))));
        try (Stream<Path> files = Files.list(certificates)) {
            for (Path key :
                    files.filter(file -> file.toString().endsWith(".key")).toList()) {
                // A key in PEM: its last line but one is no part of any other key.
                List<String> lines = Files.readAllLines(key);
                secrets.add(lines.get(lines.size() - 2));
            }
        }
        assertThat(secrets).hasSizeGreaterThan(10).allMatch(secret -> secret.length() >= 8);
        List<String> texts = new ArrayList<>(said);
        try (Stream<Path> files = Files.walk(work, 2)) {
            for (Path file : files.filter(SecurityIT::isLog).toList()) {
                texts.add(Files.readString(file));
            }
        }
        assertThat(texts).hasSizeGreaterThan(30);
        for (String text : texts) {
            assertThat(text).doesNotContain(secrets);
        }
    }

    private static boolean isLog(Path file) {
        String name = String.valueOf(file.getFileName());
        return Files.isRegularFile(file) && (name.equals("log") || name.endsWith(".jsonl"));
    }
}
