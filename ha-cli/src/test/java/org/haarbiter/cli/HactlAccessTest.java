package org.haarbiter.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.haarbiter.link.TestAuthority;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.master.admin.Access;
import org.haarbiter.master.admin.Role;
import org.haarbiter.master.admin.TokenFile;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may do what at an encrypted admin port. */
class HactlAccessTest {
    private static final String REASON = "--reason=planned work";
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    @TempDir
    private static Path keys;

    private static TlsSettings master = new TlsSettings(Path.of(""), Path.of(""), Path.of(""), true);
    private static TlsSettings wendy = master;
    private static TlsSettings nora = master;
    private static TlsSettings agent = master;
    private static TlsSettings stranger = master;

    @TempDir
    private Path directory;

    private ArbiterOfOne arbiter;
    private Path tokens;

    @BeforeAll
    static void issueCertificates() throws Exception {
        TestAuthority ours = new TestAuthority(keys, "ours");
        master = ours.issue("m1", "EC", "ip:127.0.0.1,uri:ha-arbiter://master/m1");
        wendy = ours.issue("wendy", "EC", "email:wendy@example.org");
        nora = ours.issue("nora", "EC", "email:nora@example.org");
        agent = ours.issue("agent", "EC", "ip:127.0.0.1,uri:ha-arbiter://agent/orders/db-1");
        stranger = new TestAuthority(keys, "theirs").issue("wendy", "EC", "email:wendy@example.org");
    }

    @BeforeEach
    void start() throws Exception {
        tokens = directory.resolve("tokens");
        write(tokens, "# who\nci operator " + hash(TOKEN) + "\n");
        arbiter = ArbiterOfOne.withOrders(
                Tls.load(master),
                Access.of(
                        new TreeMap<>(Map.of("wendy@example.org", Role.VIEWER, "m1", Role.ADMIN)),
                        new TokenFile(tokens, Ticker.SYSTEM),
                        false));
    }

    @AfterEach
    void stop() {
        arbiter.close();
    }

    private static void write(Path file, String text) throws Exception {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private static String hash(String token) throws Exception {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
    }

    private Result as(TlsSettings who, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(
                "--cert", who.certificate().toString(), "--key", who.key().toString()));
        return hactl(all.toArray(String[]::new));
    }

    private Result hactl(String... arguments) {
        Result result = Result.of(
                directory,
                Map.of("HA_MASTERS", arbiter.address(), "HA_CA", master.ca().toString()),
                "",
                false,
                arguments);
        assertThat(result.out() + result.err()).doesNotContain(TOKEN);
        return result;
    }

    private Result byToken(String token, String... arguments) throws Exception {
        Path file = directory.resolve("token");
        write(file, token + "\n");
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--token-file", file.toString()));
        return hactl(all.toArray(String[]::new));
    }

    @Test
    void aViewerReadsAndIsToldWhatAnActNeeds() {
        Result status = as(wendy, "status");
        assertThat(status.code()).as(status.err()).isZero();
        assertThat(status.out()).contains("orders");
        Result pause = as(wendy, "pause", "orders", REASON);
        assertThat(pause.code()).isEqualTo(7);
        assertThat(pause.err())
                .isEqualTo("hactl: not allowed: wendy@example.org is a viewer, and pause needs an operator\n");
        assertThat(as(wendy, "pause", "orders", REASON, "-o", "json").out()).contains("\"error\":\"forbidden\"");
        assertThat(as(wendy, "status").out()).doesNotContain("paused");
    }

    @Test
    void anOperatorActsUnderTheNameThatTheTokenProves() throws Exception {
        assertThat(byToken(TOKEN, "pause", "orders", REASON).code()).isZero();
        assertThat(byToken(TOKEN, "log", "-o", "json").out())
                .contains("ci (says alice@desk)")
                .contains("planned work");
        Result policy = byToken(TOKEN, "group", "set", "orders", "--priority", "1", REASON);
        assertThat(policy.code()).isEqualTo(7);
        assertThat(policy.err()).contains("ci is an operator, and set-policy needs an admin");
        Result admin = as(master, "group", "set", "orders", "--priority", "1", REASON);
        assertThat(admin.code()).as(admin.err()).isZero();
    }

    @Test
    void whoIsNotKnownIsToldWhatIsMissing() throws Exception {
        Result nobody = hactl("status");
        assertThat(nobody.code()).isEqualTo(7);
        assertThat(nobody.err()).contains("who asks isn't known: neither a certificate nor a token was sent");
        Result unknown = as(nora, "status");
        assertThat(unknown.code()).isEqualTo(7);
        assertThat(unknown.err()).contains("the certificate of nora, nora@example.org has no role here");
        Result wrong = byToken("f".repeat(32), "status");
        assertThat(wrong.code()).isEqualTo(7);
        assertThat(wrong.err()).contains("the token isn't known here");
        // Of another authority, with a name that has a role here.
        TlsSettings forged = new TlsSettings(stranger.certificate(), stranger.key(), master.ca(), true);
        Result foreign = as(forged, "status");
        assertThat(foreign.code()).isEqualTo(7);
        assertThat(foreign.err()).contains("a certificate of another authority isn't sent");
        // An operator's wrong token isn't made good by a certificate.
        write(directory.resolve("token"), "f".repeat(32));
        assertThat(as(
                                wendy,
                                "status",
                                "--token-file",
                                directory.resolve("token").toString())
                        .code())
                .isEqualTo(7);
    }

    @Test
    void aChangedFileOfTokensCountsAtOnceAndABrokenOneDoesNot() throws Exception {
        write(tokens, "ci operator " + TOKEN + "\n");
        await(() ->
                as(master, "status").code() == 0 && arbiterProblem().contains(tokens + ":1: must be NAME ROLE SHA256"));
        assertThat(arbiterProblem()).doesNotContain(TOKEN);
        assertThat(byToken(TOKEN, "status").code()).isZero();
        write(tokens, "ci viewer " + hash("another".repeat(4)) + "\n");
        await(() -> arbiterProblem().isEmpty());
        assertThat(byToken(TOKEN, "status").code()).isEqualTo(7);
        assertThat(byToken("another".repeat(4), "status").code()).isZero();
    }

    private String arbiterProblem() {
        return arbiter.access.problem();
    }

    private static void await(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(60_000_000_000L);
            LockSupport.parkNanos(50_000_000);
        }
    }

    @Test
    void aFileOfTokensThatOthersMayReadIsRefused() throws Exception {
        Files.setPosixFilePermissions(tokens, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> new TokenFile(tokens, Ticker.SYSTEM))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("chmod 600");
    }

    @Test
    void aTokenGoesToNamedMastersOnlyAndNeverInPlainText() throws Exception {
        arbiter.leads = false;
        arbiter.leaderElsewhere = Endpoint.parse("127.0.0.9:7300");
        Result elsewhere = byToken(TOKEN, "pause", "orders", REASON);
        assertThat(elsewhere.code()).isEqualTo(4);
        assertThat(elsewhere.err()).contains("127.0.0.9:7300").contains("the token isn't sent there");
        Path file = directory.resolve("token");
        Result plain = Result.of(
                directory,
                Map.of(),
                "",
                false,
                "status",
                "--masters",
                "10.1.2.3:7300",
                "--token-file",
                file.toString());
        assertThat(plain.code()).isEqualTo(2);
        assertThat(plain.err()).contains("a token isn't sent to 10.1.2.3:7300 in plain text");
    }

    @Test
    void withoutRolesACertificateIsNeededAndAnAgentsIsNotEnough() throws Exception {
        try (ArbiterOfOne all = ArbiterOfOne.withOrders(
                Tls.load(master), Access.anyCertificate(Tls.load(master).rules()))) {
            String[] masters = {"--masters", all.address()};
            assertThat(as(nora, "pause", "orders", REASON, masters[0], masters[1])
                            .code())
                    .isZero();
            assertThat(as(nora, "log", "-o", "json", masters[0], masters[1]).out())
                    .contains("nora (says alice@desk)");
            assertThat(hactl("status", masters[0], masters[1]).code()).isEqualTo(7);
            Result stolen = as(agent, "status", masters[0], masters[1]);
            assertThat(stolen.code()).isEqualTo(7);
            assertThat(stolen.err()).contains("the certificate is that of an agent");
        }
    }

    @Test
    void probesNeedNoCertificateAndMetricsDo() throws Exception {
        assertThat(status("/health")).isEqualTo(200);
        assertThat(status("/leader")).isEqualTo(200);
        assertThat(status("/metrics")).isEqualTo(401);
        assertThat(status("/v1/status")).isEqualTo(401);
        assertThat(status("/none")).isEqualTo(401);
        try (ArbiterOfOne open = ArbiterOfOne.withOrders(
                Tls.load(master), Access.of(new TreeMap<>(Map.of("m1", Role.ADMIN)), null, true))) {
            assertThat(status(open, "/metrics")).isEqualTo(200);
            assertThat(status(open, "/v1/status")).isEqualTo(401);
        }
    }

    /** More than the port has threads; each begins a handshake and goes no further. */
    @Test
    void halfHandshakesAreGivenUp() throws Exception {
        List<Socket> open = new ArrayList<>();
        try {
            Endpoint port = Endpoint.parse(arbiter.address());
            for (int i = 0; i < 80; i++) {
                Socket socket = new Socket(port.host(), port.port());
                open.add(socket);
                socket.getOutputStream().write(0x16);
            }
            // Who comes meanwhile may be turned away; the sockets stay open, and are still given up.
            await(() -> as(wendy, "status").code() == 0);
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
    }

    private int status(String path) throws Exception {
        return status(arbiter, path);
    }

    private static int status(ArbiterOfOne at, String path) throws Exception {
        HttpResponse<String> answer = HttpClient.newBuilder()
                .sslContext(Tls.trusting(master.ca()))
                .build()
                .send(
                        HttpRequest.newBuilder(URI.create("https://" + at.address() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        return answer.statusCode();
    }

    @Test
    void theSettingsFileNamesTheFilesTooAndHalfOfThemIsAMistake() throws Exception {
        write(
                directory.resolve("hactl.yaml"),
                "masters: [\"" + arbiter.address() + "\"]\nca: " + master.ca() + "\ncertificate: " + wendy.certificate()
                        + "\nkey: " + wendy.key() + "\n");
        assertThat(Result.of(directory, Map.of(), "", false, "status").code()).isZero();
        Result half = hactl("status", "--cert", wendy.certificate().toString(), "--key", "");
        assertThat(half.code()).isEqualTo(2);
        Result plain =
                Result.of(directory.resolve("none"), Map.of("HA_MASTERS", arbiter.address()), "", false, "status");
        assertThat(plain.code()).isEqualTo(3);
        assertThat(plain.err()).contains("where its admin port is encrypted, give --ca");
    }
}
