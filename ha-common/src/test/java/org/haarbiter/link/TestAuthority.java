package org.haarbiter.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A certificate authority for tests, made with the JDK's own keytool. */
public final class TestAuthority {
    private static final String PASSWORD = "only-for-tests";

    private final Path directory;
    private final String name;
    private final Path store;
    private final Path caFile;

    /** Makes a new one; its files are named after it. */
    public TestAuthority(Path directory, String name) throws Exception {
        this.directory = directory;
        this.name = name;
        store = directory.resolve(name + ".p12");
        caFile = directory.resolve(name + "-ca.crt");
        keytool(
                "-genkeypair",
                "-alias",
                "ca",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=" + name,
                "-ext",
                "bc:c",
                "-validity",
                "2");
        writeCertificate(caFile, keys().getCertificate("ca"));
    }

    /** Issues a certificate; {@code names} as keytool writes them, such as {@code ip:127.0.0.1}. */
    public TlsSettings issue(String alias, String algorithm, String names) throws Exception {
        Path certificate = directory.resolve(name + "-" + alias + ".crt");
        Path key = directory.resolve(name + "-" + alias + ".key");
        keytool(
                "-genkeypair",
                "-alias",
                alias,
                "-keyalg",
                algorithm,
                "-dname",
                "CN=" + alias,
                "-validity",
                "2",
                "-ext",
                "san=" + names,
                "-signer",
                "ca");
        KeyStore keys = keys();
        writeCertificate(certificate, keys.getCertificate(alias));
        writeKey(key, keys.getKey(alias, PASSWORD.toCharArray()).getEncoded());
        return new TlsSettings(certificate, key, caFile, true);
    }

    static void writeKey(Path file, byte[] key) throws IOException {
        Files.writeString(file, pem("PRIVATE KEY", key));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private static void writeCertificate(Path file, Certificate certificate)
            throws IOException, GeneralSecurityException {
        Files.writeString(file, pem("CERTIFICATE", certificate.getEncoded()));
    }

    private static String pem(String type, byte[] content) {
        return "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(content) + "\n-----END " + type
                + "-----\n";
    }

    private KeyStore keys() throws IOException, GeneralSecurityException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        return keys;
    }

    private void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-keystore",
                store.toString(),
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-J-XX:TieredStopAtLevel=1"));
        command.addAll(1, List.of(arguments[0]));
        command.addAll(List.of(arguments).subList(1, arguments.length));
        Path output = directory.resolve("keytool.out");
        Process keytool = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(keytool.waitFor(30, TimeUnit.SECONDS)).as("keytool ended").isTrue();
        assertThat(keytool.exitValue()).as(Files.readString(output)).isZero();
    }
}
