package org.haarbiter.dns.rfc2136;

import java.io.IOException;
import java.nio.file.Path;
import org.haarbiter.dns.lab.DnsServers;
import org.haarbiter.dns.lab.KnotServers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class Rfc2136KnotIT extends Rfc2136ServersContract {

    @TempDir
    private static Path directory;

    private static KnotServers knot;

    @BeforeAll
    static void start() throws IOException {
        knot = new KnotServers(directory);
    }

    @AfterAll
    static void stop() throws IOException {
        knot.close();
    }

    @Override
    protected DnsServers servers() {
        return knot;
    }

    @Override
    protected String sentence(Trouble trouble) {
        return switch (trouble) {
            case UNKNOWN_KEY ->
                "doesn't know key k9\\. with hmac-sha256, or allows it nothing in zone db\\.test\\. \\(BADKEY\\)";
            case WRONG_SECRET -> "another secret for key k1\\. \\(BADSIG\\)";
            // Knot has one answer for a key that it doesn't know and one that no acl of the zone names.
            case KEY_WITHOUT_RIGHTS ->
                "or allows it nothing in zone db\\.test\\. \\(BADKEY\\).*Knot:.*action \\[update, query\\]";
            case ZONE_WITHOUT_UPDATES -> "or allows it nothing in zone closed\\.test\\.";
            case ZONE_NOT_SERVED -> "REFUSED, unsigned: check .* and that it serves zone other\\.test\\.";
            case SENT_TO_A_SECONDARY -> "and the zone, on its primary, an acl";
            case CLOCK_TEN_MINUTES_BEHIND -> "BADTIME.*its clock is (59[0-9]|60[0-9]) s ahead of this machine's";
        };
    }
}
