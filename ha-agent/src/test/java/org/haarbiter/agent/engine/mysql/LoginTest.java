package org.haarbiter.agent.engine.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The expected values were made with the formulas in the servers' protocol documents, by another program. */
class LoginTest {
    private static final byte[] NONCE = "01234567890123456789".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

    @Test
    void nativePasswordIsScrambled() {
        assertThat(hex("mysql_native_password")).isEqualTo("8fb5a14bbbe1cc80bd5562d5c4f78d8572ad972c");
    }

    @Test
    void sha2PasswordIsScrambled() {
        assertThat(hex("caching_sha2_password"))
                .isEqualTo("cc88de1908fcbfd045b8e6fb42bcf38e4050047d062a5277f2425e5ace3c7122");
    }

    private static String hex(String plugin) {
        return HexFormat.of().formatHex(Login.answer(plugin, NONCE, "lab-agent"));
    }

    @Test
    void anEmptyPasswordIsNothing() {
        assertThat(Login.answer("caching_sha2_password", NONCE, "")).isEmpty();
        assertThat(Login.answer("mysql_native_password", NONCE, "")).isEmpty();
    }

    @Test
    void anUnknownPluginIsRefused() {
        assertThat(Login.knows("ed25519")).isFalse();
        assertThatThrownBy(() -> Login.answer("ed25519", NONCE, "x")).isInstanceOf(IllegalArgumentException.class);
    }
}
