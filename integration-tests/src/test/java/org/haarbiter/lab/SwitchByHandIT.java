package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.Type;
import org.xbill.DNS.Update;

@Tag("servers")
class SwitchByHandIT {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Endpoint DNS = new Endpoint("127.0.212.53", 24_353);
    private static final Endpoint SECONDARY_DNS = new Endpoint("127.0.212.54", 24_353);
    private static final int PORT = 24_306;
    private static final Endpoint FIRST = new Endpoint("127.0.212.1", PORT);
    private static final Endpoint SECOND = new Endpoint("127.0.212.2", PORT);

    private final ZoneKey key = ZoneKey.random("lab");

    @Test
    void aClientThatKnowsOnlyTheNameFollowsItToTheNewPrimary(@TempDir Path work) throws Exception {
        try (BindServer dns = BindServer.primary(
                        work.resolve("dns1"), DNS, "ha.test", key, List.of(SECONDARY_DNS), Host.here());
                BindServer secondary = BindServer.secondary(
                        work.resolve("dns2"), SECONDARY_DNS, "ha.test", key, List.of(DNS), Host.here());
                ReplicatedGroup<SqlServer> group = ReplicatedGroup.mariadb(work, List.of(FIRST, SECOND))) {
            dns.start();
            secondary.start();
            dns.awaitReady(LIMIT);
            secondary.awaitReady(LIMIT);
            group.openByHand();
            point(FIRST);
            awaitName(secondary, FIRST);

            WriteLoad load = WriteLoad.start(
                    new WriteLoad.DnsName(DNS, "rw.ha.test", PORT),
                    WriteLoad.Behaviour.of(4, 400).warming(List.of(FIRST, SECOND)));
            load.awaitAcknowledged(100, LIMIT);
            assertThat(load.lastServer()).contains(FIRST);

            long fault = System.nanoTime();
            group.primary().kill9();
            point(SECOND);
            group.at(SECOND).openByHand();
            WriteHistory.Outage outage = load.awaitOutageEnd(fault, FIRST, LIMIT);
            load.close();

            assertThat(outage.newServer()).isEqualTo(SECOND);
            assertThat(outage.firstFreshMillis()).isPositive();
            assertThat(load.history().twoWritersMillis()).isZero();
            awaitName(secondary, SECOND);
        }
    }

    @Test
    void aFrozenDnsServerAnswersNothingAndAStoppedOneKeepsItsZone(@TempDir Path work) throws Exception {
        try (BindServer dns = BindServer.primary(work, DNS, "ha.test", key, List.of(), Host.here())) {
            dns.start();
            dns.awaitReady(LIMIT);
            point(FIRST);

            dns.freeze();
            assertThatThrownBy(() -> dns.lookUp("rw.ha.test")).isInstanceOf(IOException.class);
            dns.thaw();
            dns.awaitReady(LIMIT);

            dns.stop();
            dns.start();
            dns.awaitReady(LIMIT);
            assertThat(dns.lookUp("rw.ha.test")).contains(FIRST.host());
        }
    }

    private void point(Endpoint server) throws IOException {
        Update update = new Update(Name.fromString("ha.test."));
        update.replace(Name.fromString("rw.ha.test."), Type.A, 1, server.host());
        SimpleResolver resolver = new SimpleResolver(new InetSocketAddress(DNS.host(), DNS.port()));
        resolver.setTSIGKey(new TSIG(TSIG.HMAC_SHA256, key.name(), key.secret()));
        resolver.setTimeout(Duration.ofSeconds(5));
        Message answer = resolver.send(update);
        assertThat(Rcode.string(answer.getRcode())).isEqualTo("NOERROR");
        assertThat(answer.isVerified()).isTrue();
    }

    private static void awaitName(BindServer dns, Endpoint server) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (!dns.lookUp("rw.ha.test").equals(Optional.of(server.host()))) {
            assertThat(System.nanoTime())
                    .as("time for %s to hear of %s", dns.address(), server)
                    .isLessThan(deadline);
            Thread.sleep(5);
        }
    }
}
