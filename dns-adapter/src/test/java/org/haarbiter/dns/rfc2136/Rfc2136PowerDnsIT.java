package org.haarbiter.dns.rfc2136;

import java.io.IOException;
import java.nio.file.Path;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.dns.lab.PowerDnsServers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class Rfc2136PowerDnsIT extends Rfc2136ServersContract {

    @TempDir
    private static Path directory;

    private static PowerDnsServers powerdns;

    @BeforeAll
    static void start() throws IOException {
        powerdns = new PowerDnsServers(directory);
    }

    @AfterAll
    static void stop() throws IOException {
        powerdns.close();
    }

    @Override
    protected DnsServers servers() {
        return powerdns;
    }

    @Override
    protected String sentence(Trouble trouble) {
        return switch (trouble) {
            // PowerDNS doesn't say what is wrong with a key, and answers queries and updates differently.
            case UNKNOWN_KEY, WRONG_SECRET, CLOCK_TEN_MINUTES_BEHIND ->
                "(NOTAUTH|REFUSED), unsigned: check key name k[19]\\., its secret and algorithm \\(hmac-sha256\\), the clocks";
            case KEY_WITHOUT_RIGHTS ->
                "REFUSED to key k2\\.: allow it .* of db\\.test\\. .*PowerDNS: TSIG-ALLOW-DNSUPDATE";
            case ZONE_WITHOUT_UPDATES -> "REFUSED to key k1\\.: allow it .* of closed\\.test\\.";
            case ZONE_NOT_SERVED ->
                "REFUSED to key k1\\.: allow it .* of other\\.test\\. .*see that this is the zone's primary";
            case SENT_TO_A_SECONDARY -> "REFUSED to key k1\\.: .*see that this is the zone's primary, not a secondary";
        };
    }
}
