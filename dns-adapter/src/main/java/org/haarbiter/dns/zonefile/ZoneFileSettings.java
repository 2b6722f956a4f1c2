package org.haarbiter.dns.zonefile;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsSettings;
import org.haarbiter.dns.zone.Spelling;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A file that holds names.
 *
 * @param zone what all names end in, e.g. {@code db.example.}; a missing final dot is added
 * @param file may be missing, its directory not. What stands in it outside of the arbiter's block stays
 * @param format how it is written
 * @param soa {@code PRIMARY-NAME-SERVER HOSTMASTER} for a block that begins with an SOA record of its own, whose serial number grows
 *     with each change; null for none. Of zone files only
 * @param reloadCommand run after each change, without a shell; empty for none
 * @param reloadLimitMillis after which the command is killed, 10 to 60000
 * @param authoritativeServers asked in the read-back besides the file, by address; empty for none
 */
public record ZoneFileSettings(
        String zone,
        Path file,
        Format format,
        @Nullable String soa,
        List<String> reloadCommand,
        int reloadLimitMillis,
        List<Endpoint> authoritativeServers)
        implements DnsSettings {

    /** How the names are written. */
    public enum Format {
        /** {@code ADDRESS NAME}, as in {@code /etc/hosts}: for dnsmasq, CoreDNS' plugin hosts, or the hosts of applications. */
        HOSTS,
        /** Records, RFC 1035 section 5: for what reads zone files. */
        ZONE
    }

    /**
     * Checks all parts.
     *
     * @throws IllegalArgumentException with one line for each mistake
     */
    public ZoneFileSettings {
        zone = Spelling.absolute(zone);
        reloadCommand = List.copyOf(reloadCommand);
        authoritativeServers = List.copyOf(authoritativeServers);
        List<String> mistakes = new ArrayList<>(Spelling.nameMistakes("zone", zone));
        mistakes.addAll(Spelling.authoritativeServersMistakes(authoritativeServers));
        if (file.getFileName() == null) {
            mistakes.add("file: " + file + " (must be the path of a file)");
        }
        if (soa != null && format != Format.ZONE) {
            mistakes.add("soa: '" + soa + "' (belongs to format zone)");
        } else if (soa != null && !isSoa(soa)) {
            mistakes.add("soa: '" + soa
                    + "' (must be the primary name server and the hostmaster's mailbox as two domain names,"
                    + " e.g. 'ns1.example. hostmaster.example.')");
        }
        if (reloadLimitMillis < 10 || reloadLimitMillis > 60_000) {
            mistakes.add("reload-limit-millis: " + reloadLimitMillis + " (must be 10 to 60000)");
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
    }

    private static boolean isSoa(String text) {
        String[] names = text.strip().split("\\s+", -1);
        return names.length == 2
                && Spelling.nameMistakes("soa", names[0]).isEmpty()
                && Spelling.nameMistakes("soa", names[1]).isEmpty();
    }

    @Override
    public DnsProvider open() {
        return new ZoneFileProvider(this);
    }
}
