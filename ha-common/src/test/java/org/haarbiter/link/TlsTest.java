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
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.haarbiter.docs.MetricsPage;
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
    private PeerCheck check = PeerCheck.ANYBODY;
    private Endpoint endpoint = new Endpoint(HOST, 1);

    @BeforeAll
    static void issueCertificates() throws Exception {
        TestAuthority ours = new TestAuthority(directory, "ours");
        masterFiles = ours.issue("master", "EC", "ip:" + HOST + ",uri:ha-arbiter://master/m1");
        agentFiles = ours.issue("agent", "RSA", "dns:agent-1.example.org,uri:ha-arbiter://agent/g/m");
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
    void anAgentIsHeardForItsOwnMemberOnly() throws Exception {
        TestAuthority ours = new TestAuthority(directory, "members");
        Tls masters = Tls.load(ours.issue("m1", "EC", "ip:" + HOST + ",uri:ha-arbiter://master/m1"));
        Tls other = Tls.load(ours.issue("other", "EC", "ip:" + HOST + ",uri:ha-arbiter://agent/g/other"));
        try (LinkServer server = server(masters);
                LinkClient client = client(server, other)) {
            // This heartbeat says that it is of member m of group g.
            client.send(heartbeat(1, ""));
            await("it is closed", () -> master.events.contains("disconnected"));
            assertThat(master.heartbeats).isEmpty();
        }
    }

    @Test
    void anAgentDoesNotTakeOrdersOfWhoIsNoMaster() throws Exception {
        TestAuthority ours = new TestAuthority(directory, "impostors");
        Tls agents = Tls.load(ours.issue("agent", "EC", "ip:" + HOST + ",uri:ha-arbiter://agent/g/m"));
        check = agents.rules().anyMaster();
        refuses(agents, agents, "must name a master: ha-arbiter://master/{name}");
        check = agents.rules().agentOf("g", "m2");
        refuses(agents, agents, "must name ha-arbiter://agent/g/m2");
        check = agents.rules().agentOf("g", "m");
        try (LinkServer server = server(agents);
                LinkClient client = client(server, agents)) {
            await("it connects", client::connected);
        }
    }

    @Test
    void renewedFilesCountForNewConnectionsAndBrokenOnesDoNot() throws Exception {
        TestAuthority first = new TestAuthority(directory, "first");
        TestAuthority second = new TestAuthority(directory, "second");
        TlsSettings before = first.issue("renewed", "EC", "ip:" + HOST);
        TlsSettings after = second.issue("renewed", "EC", "ip:" + HOST);
        Path here = Files.createDirectory(directory.resolve("in-use"));
        TlsSettings files = new TlsSettings(here.resolve("crt"), here.resolve("key"), here.resolve("ca"), true);
        copy(before, files);
        Tls renewed = Tls.load(files);
        Tls old = Tls.load(first.issue("agent", "EC", "ip:" + HOST + ",uri:ha-arbiter://agent/g/m"));
        Tls young = Tls.load(second.issue("agent", "EC", "ip:" + HOST + ",uri:ha-arbiter://agent/g/m"));
        try (LinkServer server = server(renewed);
                TlsRenewal renewal = new TlsRenewal(renewed, 20, Clock.systemUTC());
                LinkClient stays = client(server, old)) {
            await("it connects", stays::connected);
            assertThat(renewal.problem()).contains("ends at").contains("renew it");

            Files.writeString(files.certificate(), "half a certi");
            await("the broken file is noticed", () -> renewal.problem().contains(files.certificate() + ": "));
            assertThat(renewal.problem()).contains("stays in use until " + renewed.expires());
            try (LinkClient another = another(old)) {
                await("it connects with what was read before", another::connected);
            }

            copy(after, files);
            await("the new files are taken", () -> !renewal.problem().contains("stays in use"));
            try (LinkClient another = another(young)) {
                await("it connects by the new authority", another::connected);
            }
            try (LinkClient another = another(old)) {
                await("the old authority's is refused", () -> another.failure() != null);
            }
            stays.send(heartbeat(7, ""));
            await("the connection that was there goes on", () -> master.newestHeartbeat() == 7);
            assertThat(agent.events).as("of the client that stays").noneMatch(event -> event.startsWith("disc"));
        }
    }

    private LinkClient another(Tls tls) {
        LinkClient client =
                new LinkClient(endpoint, "master", tls, PeerCheck.ANYBODY, QUICK, loop, Ticker.SYSTEM, new Heard());
        client.start();
        return client;
    }

    private static void copy(TlsSettings from, TlsSettings to) throws Exception {
        Files.copy(from.certificate(), to.certificate(), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(from.key(), to.key(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
        Files.copy(from.ca(), to.ca(), StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void namesOfAgentsAreFilledInOnceAndWholly() {
        PeerRules rules = new PeerRules("{member}.{group}.agents.example", "{name}.masters.example");
        assertThat(rules.agentName("{member}", "a")).isEqualTo("a.{member}.agents.example");
        assertThat(rules.agentOf("g", "a").problem(new CertificateNames(List.of("a.g.agents.example"), List.of())))
                .isNull();
        assertThat(rules.agentOf("g", "a").problem(new CertificateNames(List.of("xa.g.agents.example"), List.of())))
                .contains("must name a.g.agents.example");
        assertThat(rules.anyMaster().problem(new CertificateNames(List.of("m1.masters.example"), List.of())))
                .isNull();
        assertThat(rules.anyMaster().problem(new CertificateNames(List.of("m1/x.masters.example"), List.of())))
                .contains("must name a master");
        assertThat(rules.anyMaster().problem(CertificateNames.NONE)).contains("that of nobody");
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
    void thePageOfMetricsSaysWhatCertificatesExport() throws Exception {
        MetricsPage.check(
                "## Certificates",
                new TlsCollector(Tls.load(masterFiles))
                        .collect().stream()
                                .map(family -> MetricsPage.row(family.name, family.type, family.help, family))
                                .toList());
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
        LinkClient client = new LinkClient(
                endpoint, "master", tls, tls == null ? PeerCheck.ANYBODY : check, QUICK, loop, Ticker.SYSTEM, agent);
        client.start();
        return client;
    }
}
