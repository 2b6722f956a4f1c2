package org.haarbiter.dns.rfc2136;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;

class Rfc2136SettingsTest {

    private static final Endpoint SERVER = new Endpoint("127.0.0.1", 53);

    @Test
    void namesGetTheirFinalDot() {
        Rfc2136Settings settings =
                new Rfc2136Settings("DB.example", SERVER, List.of(SERVER), "K1", "HMAC-SHA256", "c2VjcmV0", 1);
        assertThat(settings.zone()).isEqualTo("db.example.");
        assertThat(settings.keyName()).isEqualTo("k1.");
        assertThat(settings.algorithm()).isEqualTo("hmac-sha256");
    }

    @Test
    void allMistakesAreToldAtOnceAndNeverTheSecret() {
        Endpoint byName = new Endpoint("ns1.example", 53);
        assertThatThrownBy(() -> new Rfc2136Settings(
                        "a..b", byName, List.of(SERVER, SERVER), "k1", "hmac-md5", "not!base64", -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("zone: 'a..b.'")
                .hasMessageContaining("update-server: ns1.example (must be an IPv4 or IPv6 address")
                .hasMessageContaining("127.0.0.1:53 (is listed twice")
                .hasMessageContaining("algorithm: hmac-md5 (must be one of")
                .hasMessageContaining("secret: (not base64")
                .hasMessageContaining("epoch-ttl-seconds: -1 (must be 0 to 86400")
                .hasMessageNotContaining("not!base64");
    }

    @Test
    void everyServerMustBeListed() {
        assertThatThrownBy(() -> new Rfc2136Settings("db.test", SERVER, List.of(), "k1", "hmac-sha256", "c2VjcmV0", 1))
                .hasMessageContaining("authoritative-servers: empty");
    }

    @Test
    void theSecretIsNotPrinted() {
        assertThat(new Rfc2136Settings("db.test", SERVER, List.of(SERVER), "k1", "hmac-sha256", "c2VjcmV0", 1)
                        .toString())
                .contains("db.test.")
                .doesNotContain("c2VjcmV0");
    }
}
