package org.haarbiter.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.haarbiter.link.Heard.HOST;
import static org.haarbiter.link.Heard.QUICK;
import static org.haarbiter.link.Heard.await;
import static org.haarbiter.link.Heard.heartbeat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import org.haarbiter.net.FreeEndpoint;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsTest {
    @TempDir
    static Path directory;

    private static TlsSettings masterFiles = new TlsSettings(Path.of(""), Path.of(""), Path.of(""), true);
    private static TlsSettings agentFiles = masterFiles;
    private static TlsSettings elsewhereFiles = masterFiles;
    private static TlsSettings strangerFiles = masterFiles;

    private final Heard master = new Heard();
    private final Heard agent = new Heard();
    private final LinkLoop loop = new LinkLoop();
    private Endpoint endpoint = new Endpoint(HOST, 1);

    @BeforeAll
    static void issueCertificates() throws Exception {
        TestAuthority ours = new TestAuthority(directory, "ours");
        masterFiles = ours.issue("master", "EC", "ip:" + HOST);
        agentFiles = ours.issue("agent", "RSA", "dns:agent-1.example.org");
        elsewhereFiles = ours.issue("elsewhere", "Ed25519", "dns:elsewhere.example.org");
        strangerFiles = new TestAuthority(directory, "theirs").issue("stranger", "EC", "ip:" + HOST);
    }

    @AfterEach
    void endThreads() {
        loop.close();
    }

    @Test
    void bothEndsOfOneAuthorityUnderstandEachOther() throws Exception {
        try (LinkServer server = server(Tls.load(masterFiles));
                LinkClient client = client(server, Tls.load(agentFiles))) {
            client.send(heartbeat(1, "secret"));
            await("it is heard", () -> master.newestHeartbeat() == 1 && client.connected());
            Objects.requireNonNull(master.agent).send(Heard.answer(1, ""));
            await("the answer is heard", () -> agent.newestAnswer() == 1);
        }
    }

    @Test
    void anAgentOfAnotherAuthorityIsRefusedByTheMaster() throws Exception {
        // It trusts our authority, so only the master has a reason to refuse.
        TlsSettings intruder =
                new TlsSettings(strangerFiles.certificate(), strangerFiles.key(), masterFiles.ca(), true);
        refuses(Tls.load(masterFiles), Tls.load(intruder), "certificate");
    }

    @Test
    void aMasterOfAnotherAuthorityIsRefusedByTheAgent() throws Exception {
        TlsSettings impostor =
                new TlsSettings(strangerFiles.certificate(), strangerFiles.key(), masterFiles.ca(), true);
        refuses(Tls.load(impostor), Tls.load(agentFiles), "unable to find valid certification path");
    }

    @Test
    void aPlainAgentIsRefusedByATlsMasterAndTheReverse() throws Exception {
        refuses(Tls.load(masterFiles), null, "");
        refuses(null, Tls.load(agentFiles), "");
    }

    @Test
    void aMasterUnderAnotherNameIsRefusedUnlessHostsAreNotVerified() throws Exception {
        refuses(Tls.load(elsewhereFiles), Tls.load(agentFiles), "No subject alternative names");
        TlsSettings trusting = new TlsSettings(agentFiles.certificate(), agentFiles.key(), agentFiles.ca(), false);
        try (LinkServer server = server(Tls.load(elsewhereFiles));
                LinkClient client = client(server, Tls.load(trusting))) {
            await("it connects", client::connected);
        }
    }

    @Test
    void theEarliestEndOfTheCertificatesIsKnown() {
        assertThat(Tls.load(masterFiles).expires())
                .isBetween(
                        Instant.now().plus(Duration.ofHours(47)), Instant.now().plus(Duration.ofHours(49)));
    }

    @Test
    void filesThatCannotBeUsedAreNamedWithWhatTheyMustBe() throws Exception {
        Path none = directory.resolve("none");
        Path text = Files.writeString(directory.resolve("text"), "hello\n");
        Files.setPosixFilePermissions(text, PosixFilePermissions.fromString("rw-------"));
        Path open = Files.copy(masterFiles.key(), directory.resolve("open.key"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rw-r--r--"));
        Path old = Files.writeString(
                directory.resolve("old.key"), "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
        Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rw-------"));
        Path damaged = directory.resolve("damaged.key");
        TestAuthority.writeKey(damaged, "not a key".getBytes(StandardCharsets.UTF_8));
        Path certificate = masterFiles.certificate();
        Path ca = masterFiles.ca();
        fails(none, masterFiles.key(), ca, none + ": not found (must be a file with certificates in PEM)");
        fails(text, masterFiles.key(), ca, text + ": ");
        fails(certificate, masterFiles.key(), text, text + ": ");
        fails(certificate, none, ca, none + ": not found (must be a file that only its owner can read)");
        fails(certificate, open, ca, open + ": permissions rw-r--r-- (must be rw------- or r--------");
        fails(certificate, text, ca, text + ": no private key in it (must be a private key in PEM)");
        fails(certificate, old, ca, old + ": RSA PRIVATE KEY (must be PRIVATE KEY, that is PKCS #8 and unencrypted");
        fails(certificate, damaged, ca, damaged + ": damaged or unknown private key (must be EC, RSA or Ed25519)");
        fails(certificate, agentFiles.key(), ca, agentFiles.key() + ": another key than that of " + certificate);
    }

    @Test
    void theSectionIsOptionalButWholeWhereItIsGiven() {
        assertThat(SettingsReader.text("t", "a: 1").<Boolean>read(root -> {
                    root.has("a");
                    return TlsSettings.read(root.section("tls")) == null;
                }))
                .isTrue();
        assertThatThrownBy(() -> SettingsReader.text("t", "tls:\n  certificate: a\n  verify-host: false\n")
                        .read(root -> Objects.requireNonNull(TlsSettings.read(root.section("tls")))))
                .hasMessage("t:2: tls.key: missing (must be a path of a file)\n"
                        + "t:2: tls.ca: missing (must be a path of a file)");
    }

    private static void fails(Path certificate, Path key, Path ca, String sentence) {
        assertThatThrownBy(() -> Tls.load(new TlsSettings(certificate, key, ca, true)))
                .isInstanceOf(SettingsException.class)
                .hasMessageStartingWith(sentence);
    }

    private void refuses(@Nullable Tls serverTls, @Nullable Tls clientTls, String reason) throws Exception {
        try (LinkServer server = server(serverTls);
                LinkClient client = client(server, clientTls)) {
            client.send(heartbeat(1, ""));
            await("the refusal is told", () -> client.failure() != null);
            String first = Objects.requireNonNull(client.failure());
            assertThat(first).contains(reason);
            assertThat(client.connected()).isFalse();
            assertThat(agent.events).isEmpty();
            assertThat(master.heartbeats).isEmpty();
        }
    }

    private LinkServer server(@Nullable Tls tls) throws Exception {
        endpoint = FreeEndpoint.at(HOST);
        LinkServer server = new LinkServer(endpoint, tls, QUICK, 1, Ticker.SYSTEM, master);
        server.start();
        return server;
    }

    private LinkClient client(LinkServer server, @Nullable Tls tls) {
        assertThat(server.connections()).isZero();
        LinkClient client = new LinkClient(endpoint, "master", tls, QUICK, loop, Ticker.SYSTEM, agent);
        client.start();
        return client;
    }
}
