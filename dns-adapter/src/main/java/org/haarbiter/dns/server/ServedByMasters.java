package org.haarbiter.dns.server;

import java.time.Duration;
import java.util.List;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.zone.AuthoritativeServers;
import org.haarbiter.words.Endpoint;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/**
 * A zone that the masters answer for themselves: what the log says is published by being committed, so there is nothing to send. Every
 * server is read back, those of the masters and those that copy the zone from them. Thread-safe.
 */
public final class ServedByMasters implements DnsProvider {
    private static final int EPOCH_TTL_SECONDS = 1;

    private final String zone;
    private final List<Endpoint> servers;
    private final AuthoritativeServers authoritative;

    /**
     * Asks nobody yet.
     *
     * @param zone such as {@code db.example.}
     * @param servers every authoritative server of the zone, by address
     * @throws IllegalArgumentException where the zone isn't a domain name
     */
    public ServedByMasters(String zone, List<Endpoint> servers) {
        this.zone = zone;
        this.servers = List.copyOf(servers);
        try {
            this.authoritative =
                    new AuthoritativeServers(Name.fromString(zone, Name.root), this.servers, EPOCH_TTL_SECONDS);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(
                    "zone: '" + zone + "' (must be a domain name: " + e.getMessage() + ")", e);
        }
    }

    @Override
    public String name() {
        return "embedded " + zone + " at " + servers;
    }

    /** {@inheritDoc} Whoever wants names has read them from the log, so they are published. */
    @Override
    public PublishOutcome publish(WantedNames wanted, Duration limit) {
        return new PublishOutcome(PublishOutcome.Result.PUBLISHED, "");
    }

    @Override
    public List<ServerReading> readBack(WantedNames wanted, Duration limit) {
        return readBack(List.of(wanted), limit).get(0);
    }

    @Override
    public List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit) {
        return authoritative.readBack(wanted, limit, (server, epochName, held) -> {});
    }

    @Override
    public void close() {
        authoritative.close();
    }
}
