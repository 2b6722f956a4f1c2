package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CookiesTest {

    /** The examples of RFC 9018, appendix A. */
    @ParameterizedTest
    @CsvSource({
        "e5e973e5a6b2a43f48e7dc849e37bfcf, 2464c4abcf10c957, 198.51.100.100, 010000005cf79f111f8130c3eee29480",
        "e5e973e5a6b2a43f48e7dc849e37bfcf, 2464c4abcf10c957, 198.51.100.100, 010000005cf7a871d4a564a1442aca77",
        "e5e973e5a6b2a43f48e7dc849e37bfcf, fc93fc62807ddb86, 203.0.113.203, 010000005cf7a9acf73a7810aca2381e",
        "445536bcd2513298075a5d379663c962, 22681ab97d52c298, 2001:db8:220:1:59de:d0f4:8769:82b8, 010000005cf7c609a6bb79d16625507a"
    })
    void cookiesThatAllServersMake(String secret, String clientCookie, String client, String serverCookie)
            throws UnknownHostException {
        HexFormat hex = HexFormat.of();
        byte[] address = InetAddress.getByName(client).getAddress();
        byte[] cookie = Arrays.copyOf(hex.parseHex(clientCookie), 24);
        long seconds = Long.parseLong(serverCookie.substring(8, 16), 16);
        Cookies cookies = new Cookies(hex.parseHex(secret));

        cookies.write(cookie, 0, Network.high(address), Network.low(address), seconds);

        assertThat(hex.formatHex(cookie)).isEqualTo(clientCookie + serverCookie);
        assertThat(cookies.valid(cookie, 0, Network.high(address), Network.low(address), seconds))
                .isTrue();
    }

    @Test
    void onlyForTheirClientAndTheirTime() {
        Cookies cookies = new Cookies(new byte[16]);
        long high = 0;
        long low = Network.IPV4_LOW | 0x0a00_0001L;
        byte[] cookie = new byte[24];
        cookies.write(cookie, 0, high, low, 10_000);

        assertThat(cookies.valid(cookie, 0, high, low, 10_000)).isTrue();
        assertThat(cookies.valid(cookie, 0, high, low, 13_600)).isTrue();
        assertThat(cookies.valid(cookie, 0, high, low, 13_601)).isFalse();
        assertThat(cookies.valid(cookie, 0, high, low, 9_700)).isTrue();
        assertThat(cookies.valid(cookie, 0, high, low, 9_699)).isFalse();
        assertThat(cookies.fresh(cookie, 0, 11_800)).isTrue();
        assertThat(cookies.fresh(cookie, 0, 11_801)).isFalse();
        assertThat(cookies.valid(cookie, 0, high, low + 1, 10_000)).isFalse();
        assertThat(cookies.valid(cookie, 0, 1, low, 10_000)).isFalse();
        assertThat(new Cookies(Arrays.copyOf(new byte[] {1}, 16)).valid(cookie, 0, high, low, 10_000))
                .isFalse();
        for (int i = 0; i < 24; i++) {
            byte[] changed = cookie.clone();
            changed[i] ^= 1;
            assertThat(cookies.valid(changed, 0, high, low, 10_000))
                    .as("byte %d", i)
                    .isFalse();
        }
    }
}
