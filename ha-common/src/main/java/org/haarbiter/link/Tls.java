package org.haarbiter.link;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.haarbiter.settings.OwnerOnlyFile;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mutual TLS 1.3: each end shows a certificate that the other's CA file vouches for. Renewed files count from the next
 * {@link #look} on, for connections made after it; those that are open stay. For any thread.
 */
public final class Tls {
    private static final Logger LOG = LoggerFactory.getLogger(Tls.class);

    private static final Pattern PRIVATE_KEY = Pattern.compile(
            "-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----([A-Za-z0-9+/=\\s]*)-----END [A-Z0-9 ]*PRIVATE KEY-----");
    private static final List<String> KEY_ALGORITHMS = List.of("EC", "RSA", "EdDSA");

    /** What is in the three files. */
    private record Content(ByteString certificate, String key, ByteString ca) {
        static Content of(TlsSettings settings) {
            return new Content(bytes(settings.certificate()), OwnerOnlyFile.read(settings.key()), bytes(settings.ca()));
        }

        @Override
        public String toString() {
            // The key is in it.
            return "Content";
        }
    }

    /** A session that is resumed isn't checked again, so every set of files has contexts, and thus sessions, of its own. */
    private record Loaded(Content content, SslContext server, SslContext client, Instant expires) {}

    private final TlsSettings settings;
    private volatile Loaded loaded;
    private volatile String problem = "";

    private Tls(TlsSettings settings, Loaded loaded) {
        this.settings = settings;
        this.loaded = loaded;
    }

    /**
     * Reads the files.
     *
     * @throws SettingsException naming the file and what it must be
     */
    public static Tls load(TlsSettings settings) {
        return new Tls(settings, loaded(settings, Content.of(settings)));
    }

    /**
     * Reads the files again, and uses them from now on where they have changed. Where they can't be used, those that were
     * read before go on to count, and {@link #problem} says why. Blocks as reading files does.
     *
     * @return whether new files are in use
     */
    public synchronized boolean look() {
        try {
            Content content = Content.of(settings);
            if (content.equals(loaded.content())) {
                problem = "";
                return false;
            }
            loaded = loaded(settings, content);
            problem = "";
            LOG.info(
                    "tls: new files are in use for new connections: {}, valid until {}",
                    settings.certificate(),
                    expires());
            return true;
        } catch (SettingsException e) {
            problem = e.getMessage() + "; the certificate that was read before stays in use until " + expires();
            return false;
        }
    }

    /** Why the files as they are now can't be used, for an operator; empty while they can. */
    public String problem() {
        return problem;
    }

    /** How agents and masters are told apart. */
    public PeerRules rules() {
        return settings.rules();
    }

    private static Loaded loaded(TlsSettings settings, Content content) {
        List<X509Certificate> chain = certificates(settings.certificate(), content.certificate());
        List<X509Certificate> authorities = certificates(settings.ca(), content.ca());
        PrivateKey key = key(settings.key(), content.key());
        checkPair(settings, chain.get(0), key);
        try {
            SslContext server = SslContextBuilder.forServer(key, chain)
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .trustManager(authorities)
                    .clientAuth(ClientAuth.REQUIRE)
                    .build();
            SslContext client = SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .keyManager(key, chain)
                    .trustManager(authorities)
                    .endpointIdentificationAlgorithm(settings.verifyHost() ? "HTTPS" : null)
                    .build();
            Instant expires = Stream.concat(chain.stream(), authorities.stream())
                    .map(certificate -> certificate.getNotAfter().toInstant())
                    .min(Comparator.naturalOrder())
                    .orElseThrow();
            return new Loaded(content, server, client, expires);
        } catch (SSLException e) {
            throw new SettingsException("tls: " + settings.certificate() + " can't be used: " + e.getMessage(), e);
        }
    }

    /**
     * For who makes connections to servers that ask for no certificate, and are no link: TLS 1.3 or 1.2.
     *
     * @param ca who may issue the other end's certificate, in PEM; read once
     * @throws SettingsException naming the file and what it must be
     */
    public static SSLContext trusting(Path ca) {
        try {
            SslContext client = SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .trustManager(certificates(ca, bytes(ca)))
                    .build();
            return ((JdkSslContext) client).context();
        } catch (SSLException e) {
            throw new SettingsException(ca + " can't be used: " + e.getMessage(), e);
        }
    }

    /** When the first of the certificates in the files ends; from then on connections are refused. */
    public Instant expires() {
        return loaded.expires();
    }

    /** For who accepts connections and is no link, such as the masters' Raft traffic: ask for it at each connection. */
    public SslContext server() {
        return loaded.server();
    }

    /** As {@link #server}, for who keeps one context for ever; the protocols and the other end's certificate are its user's care. */
    public SSLContext renewedServer() {
        return new RenewedContext(this);
    }

    /** For who makes such connections: ask for it at each. */
    public SslContext client() {
        return loaded.client();
    }

    /** As {@link #client}, for the JDK's own sockets. */
    public SSLContext clientContext() {
        return ((JdkSslContext) client()).context();
    }

    SslHandler serverHandler(ByteBufAllocator allocator) {
        return server().newHandler(allocator);
    }

    SslHandler clientHandler(ByteBufAllocator allocator, Endpoint to) {
        return client().newHandler(allocator, to.host(), to.port());
    }

    private static ByteString bytes(Path file) {
        try {
            return ByteString.copyFrom(Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            throw new SettingsException(file + ": not found (must be a file with certificates in PEM)", e);
        } catch (IOException e) {
            throw new SettingsException(
                    file + ": can't be read (" + e + "); must be a file with certificates in PEM", e);
        }
    }

    private static List<X509Certificate> certificates(Path file, ByteString content) {
        List<X509Certificate> certificates;
        try {
            certificates = CertificateFactory.getInstance("X.509").generateCertificates(content.newInput()).stream()
                    .map(X509Certificate.class::cast)
                    .toList();
        } catch (CertificateException e) {
            throw new SettingsException(file + ": " + e.getMessage() + " (must be certificates in PEM)", e);
        }
        if (certificates.isEmpty()) {
            throw new SettingsException(file + ": no certificate in it (must be certificates in PEM)", null);
        }
        return certificates;
    }

    private static PrivateKey key(Path file, String content) {
        Matcher pem = PRIVATE_KEY.matcher(content);
        if (!pem.find()) {
            throw new SettingsException(file + ": no private key in it (must be a private key in PEM)", null);
        }
        if (!pem.group(1).isEmpty()) {
            throw new SettingsException(
                    file + ": " + pem.group(1)
                            + "PRIVATE KEY (must be PRIVATE KEY, that is PKCS #8 and unencrypted; run: "
                            + "openssl pkcs8 -topk8 -nocrypt -in " + file + " -out NEW)",
                    null);
        }
        byte[] bytes;
        try {
            bytes = Base64.getMimeDecoder().decode(pem.group(2));
        } catch (IllegalArgumentException e) {
            throw new SettingsException(file + ": damaged private key (must be a private key in PEM)", e);
        }
        GeneralSecurityException last = null;
        for (String algorithm : KEY_ALGORITHMS) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(bytes));
            } catch (InvalidKeySpecException e) {
                // Not of this algorithm: the next is tried, and the last failure is told.
                last = e;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK knows " + algorithm, e);
            }
        }
        throw new SettingsException(file + ": damaged or unknown private key (must be EC, RSA or Ed25519)", last);
    }

    /** Two files that don't belong together would otherwise show only as a handshake that fails at the other end. */
    private static void checkPair(TlsSettings settings, X509Certificate certificate, PrivateKey key) {
        String algorithm = switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> "EdDSA";
        };
        boolean pair;
        GeneralSecurityException cause = null;
        try {
            byte[] probe = "a probe".getBytes(StandardCharsets.UTF_8);
            Signature signing = Signature.getInstance(algorithm);
            signing.initSign(key);
            signing.update(probe);
            byte[] signature = signing.sign();
            Signature verifying = Signature.getInstance(algorithm);
            verifying.initVerify(certificate.getPublicKey());
            verifying.update(probe);
            pair = verifying.verify(signature);
        } catch (GeneralSecurityException e) {
            pair = false;
            cause = e;
        }
        if (!pair) {
            throw new SettingsException(
                    settings.key() + ": another key than that of " + settings.certificate()
                            + " (must be its private key)",
                    cause);
        }
    }
}
