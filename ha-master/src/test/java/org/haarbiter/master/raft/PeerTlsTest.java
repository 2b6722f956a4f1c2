package org.haarbiter.master.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.haarbiter.master.raft.RaftCluster.LIMIT;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import org.haarbiter.link.PeerCheck;
import org.haarbiter.master.raft.RaftCluster.Member;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeerTlsTest {
    private static final char[] PASSWORD = "password".toCharArray();

    @TempDir
    Path root;

    /** A key that certifies itself, for the loopback address of the tests; made by the JDK's own tool. */
    private KeyStore key(String name) throws Exception {
        Path file = root.resolve(name + ".p12");
        Process tool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        name,
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "SAN=IP:127.77.0.1",
                        "-validity",
                        "2",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        file.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        String said = new String(tool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (tool.waitFor() != 0) {
            throw new IOException(said);
        }
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private static KeyManagerFactory keys(KeyStore store) throws Exception {
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, PASSWORD);
        return factory;
    }

    private static TrustManagerFactory trust(KeyStore other) throws Exception {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        String alias = other.aliases().nextElement();
        anchors.setCertificateEntry(alias, other.getCertificate(alias));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(anchors);
        return factory;
    }

    private static SslContext server(KeyStore own, KeyStore trusted) throws Exception {
        return SslContextBuilder.forServer(keys(own))
                .trustManager(trust(trusted))
                .build();
    }

    private static SslContext client(KeyStore own, KeyStore trusted) throws Exception {
        return SslContextBuilder.forClient()
                .keyManager(keys(own))
                .trustManager(trust(trusted))
                .build();
    }

    private static PeerTls tls(KeyStore own, KeyStore trusted) throws Exception {
        SslContext server = server(own, trusted);
        SslContext client = client(own, trusted);
        return new PeerTls(() -> server, () -> client, PeerCheck.ANYBODY);
    }

    @Test
    void mastersWithKeysOfTheClusterElectALeader() throws Exception {
        KeyStore ours = key("ours");
        PeerTls tls = tls(ours, ours);
        try (RaftCluster cluster = RaftCluster.started(3, root, s -> s.withTls(tls))) {
            Member leader = cluster.awaitLeader();
            cluster.awaitAllHave(RaftCluster.proposeAll(leader, "word-", 50));
        }
    }

    @Test
    void aPeerWithAnotherKeyOrNoneIsNotAnswered() throws Exception {
        KeyStore ours = key("ours");
        KeyStore stranger = key("stranger");
        Endpoint address = RaftCluster.freeAddress();
        RaftSettings settings = RaftSettings.of("test", address, List.of(), root);
        RaftSettings visitor = RaftSettings.of("test", RaftCluster.freeAddress(), List.of(), root);
        PeerTransport listening = new PeerTransport(settings.withTls(tls(ours, ours)));
        PeerTransport plain = new PeerTransport(visitor);
        PeerTransport foreign = new PeerTransport(visitor.withTls(tls(stranger, ours)));
        PeerTransport known = new PeerTransport(visitor.withTls(tls(ours, ours)));
        // Its certificate is good, and it may be that of an agent: here only the name "ours" makes a master.
        PeerTls mastersOnly = tls(ours, ours);
        PeerTransport strict = new PeerTransport(RaftSettings.of("test", RaftCluster.freeAddress(), List.of(), root)
                .withTls(new PeerTls(mastersOnly.server(), mastersOnly.client(), names -> "no master: " + names)));
        PeerTransport distrusting = new PeerTransport(visitor.withTls(tls(ours, stranger)));
        List<PeerTransport> all = List.of(listening, plain, foreign, known, distrusting, strict);
        try {
            listening.server().bind();
            com.alipay.sofa.jraft.rpc.RaftRpcServerFactory.addRaftRequestProcessors(
                    listening.server(), Runnable::run, Runnable::run, Runnable::run);
            known.link(address).whenReady().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            for (PeerTransport refused : List.of(plain, foreign, distrusting)) {
                assertThatThrownBy(() -> refused.link(address).whenReady().get(1, TimeUnit.SECONDS))
                        .isInstanceOf(TimeoutException.class);
            }
            assertThat(known.link(address).isReady()).isTrue();
            // As the one that connects it gives up ...
            assertThatThrownBy(() -> strict.link(address).whenReady().get(1, TimeUnit.SECONDS))
                    .isInstanceOf(TimeoutException.class);
            // ... and as the one that accepts it answers nobody.
            strict.server().bind();
            com.alipay.sofa.jraft.rpc.RaftRpcServerFactory.addRaftRequestProcessors(
                    strict.server(), Runnable::run, Runnable::run, Runnable::run);
            Endpoint strictly = strict.settings().self();
            assertThatThrownBy(() -> known.link(strictly).whenReady().get(1, TimeUnit.SECONDS))
                    .isInstanceOf(TimeoutException.class);
        } finally {
            all.forEach(PeerTransport::close);
        }
    }
}
