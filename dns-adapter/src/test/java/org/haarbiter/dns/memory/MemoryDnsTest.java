package org.haarbiter.dns.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsProviderContract;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.memory.MemoryDns.Manner;
import org.junit.jupiter.api.Test;

class MemoryDnsTest extends DnsProviderContract {

    private final MemoryDns dns = new MemoryDns("db.test.");

    @Override
    protected DnsProvider provider() {
        return dns;
    }

    @Override
    protected DnsProvider another() {
        return dns;
    }

    @Override
    protected List<String> lookup(String name) {
        return dns.addresses(name);
    }

    @Override
    protected List<String> epochTexts(String epochName) {
        long epoch = dns.epoch(epochName);
        return epoch == 0 ? List.of() : List.of(Long.toString(epoch));
    }

    @Override
    protected long changes() {
        return dns.changes();
    }

    @Test
    void unreachableItIsNeitherChangedNorRead() {
        dns.behave(Manner.UNREACHABLE);
        assertThat(dns.publish(wanted(1, "10.0.0.1"), LIMIT).result()).isEqualTo(Result.UNKNOWN);
        assertThat(dns.readBack(wanted(1, "10.0.0.1"), LIMIT))
                .extracting(ServerReading::state)
                .containsExactly(ServerReading.State.UNREACHABLE);

        dns.behave(Manner.ANSWERS);
        assertThat(lookup(rw())).isEmpty();
        published(dns, wanted(1, "10.0.0.1"));
    }

    @Test
    void refusingItCanStillBeRead() {
        published(dns, wanted(1, "10.0.0.1"));
        dns.behave(Manner.REFUSES);
        assertThat(dns.publish(wanted(2, "10.0.0.2"), LIMIT).result()).isEqualTo(Result.REFUSED);
        assertThat(dns.readBack(wanted(1, "10.0.0.1"), LIMIT))
                .extracting(ServerReading::state)
                .containsExactly(ServerReading.State.MATCHES);
    }

    @Test
    void losingAnswersItIsChangedAllTheSame() {
        dns.behave(Manner.LOSES_ANSWERS);
        assertThat(dns.publish(wanted(1, "10.0.0.1"), LIMIT).result()).isEqualTo(Result.UNKNOWN);
        assertThat(lookup(rw())).containsExactly("10.0.0.1");
    }
}
