package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.CookieOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class ResponseRateTest {

    private static final long SECOND = 1_000_000_000L;
    private static final long CLIENT = Network.IPV4_LOW | 0x0a01_0203L;

    private static Map<ResponseRate.Verdict, Integer> take(ResponseRate rate, int times, long low, long nowNanos) {
        Map<ResponseRate.Verdict, Integer> verdicts = new EnumMap<>(ResponseRate.Verdict.class);
        for (int i = 0; i < times; i++) {
            verdicts.merge(rate.take(0, low, nowNanos), 1, Integer::sum);
        }
        return verdicts;
    }

    @Test
    void asManyASecondAsAllowed() {
        ResponseRate rate = new ResponseRate(100, 2);
        long now = 5 * SECOND;
        assertThat(take(rate, 300, CLIENT, now))
                .containsEntry(ResponseRate.Verdict.SEND, 100)
                .containsEntry(ResponseRate.Verdict.SLIP, 100)
                .containsEntry(ResponseRate.Verdict.DROP, 100);
        assertThat(take(rate, 100, CLIENT, now + SECOND / 2)).containsEntry(ResponseRate.Verdict.SEND, 50);
        assertThat(take(rate, 300, CLIENT, now + 10 * SECOND)).containsEntry(ResponseRate.Verdict.SEND, 100);
        // A clock that another thread read a moment ago brings nothing and takes nothing.
        assertThat(take(rate, 10, CLIENT, now + 9 * SECOND)).doesNotContainKey(ResponseRate.Verdict.SEND);
        assertThat(take(rate, 100, CLIENT, now + 11 * SECOND)).containsEntry(ResponseRate.Verdict.SEND, 100);
    }

    @Test
    void networksCountByThemselves() {
        ResponseRate rate = new ResponseRate(10, 0);
        assertThat(take(rate, 20, CLIENT, SECOND)).containsEntry(ResponseRate.Verdict.SEND, 10);
        assertThat(take(rate, 20, CLIENT + 1, SECOND))
                .as("the same /24")
                .containsExactly(Map.entry(ResponseRate.Verdict.DROP, 20));
        assertThat(take(rate, 20, CLIENT + 0x100, SECOND)).containsEntry(ResponseRate.Verdict.SEND, 10);
        long high = 0x2001_0db8_0000_0100L;
        assertThat(rate.take(high, 1, SECOND)).isEqualTo(ResponseRate.Verdict.SEND);
        for (int i = 0; i < 9; i++) {
            rate.take(high + i, i, SECOND);
        }
        assertThat(rate.take(high + 0xff, 99, SECOND)).as("the same /56").isEqualTo(ResponseRate.Verdict.DROP);
        assertThat(rate.take(high + 0x100, 1, SECOND)).isEqualTo(ResponseRate.Verdict.SEND);
    }

    @Test
    void heldBackByUdpOnly() throws IOException {
        Endpoint address = Played.freeEndpoint();
        DnsServerSettings settings = Played.settings(
                address,
                DnsServerSettings.Zone.closed(),
                new DnsServerSettings.RateLimit(1, 1, List.of(Network.parse("192.0.2.0/24"))),
                null);
        // A clock that stands still: nothing comes back in the meantime.
        try (AuthoritativeServer server =
                new AuthoritativeServer(settings, () -> new StateAge(0, 0), () -> SECOND, true)) {
            server.start();
            server.serve(Played.zone(1));
            Message query = Played.query("orders-rw.db.test.", Type.A);
            assertThat(Played.ask(address, query).getSection(Section.ANSWER)).hasSize(1);
            Message slipped = Played.ask(address, query);
            assertThat(slipped.getHeader().getFlag(Flags.TC)).isTrue();
            assertThat(slipped.getSection(Section.ANSWER)).isEmpty();
            assertThat(slipped.getQuestion()).isEqualTo(query.getQuestion());
            assertThat(new Message(Played.askTcp(address, query.toWire())).getSection(Section.ANSWER))
                    .hasSize(1);

            // A client that has shown by its cookie that its address isn't forged isn't limited.
            byte[] mine = {8, 7, 6, 5, 4, 3, 2, 1};
            Message withCookie = Played.query("orders-rw.db.test.", Type.A);
            withCookie.addRecord(new OPTRecord(1_232, 0, 0, 0, new CookieOption(mine)), Section.ADDITIONAL);
            Message given = Played.ask(address, withCookie);
            assertThat(given.getHeader().getFlag(Flags.TC)).isTrue();
            CookieOption cookie = (CookieOption)
                    Objects.requireNonNull(given.getOPT()).getOptions().get(0);
            Message proven = Played.query("orders-rw.db.test.", Type.A);
            proven.addRecord(
                    new OPTRecord(
                            1_232,
                            0,
                            0,
                            0,
                            new CookieOption(mine, cookie.getServerCookie().orElseThrow())),
                    Section.ADDITIONAL);
            assertThat(Played.ask(address, proven).getSection(Section.ANSWER)).hasSize(1);
            assertThat(server.metrics().rateSlipped()).isPositive();
        }
    }
}
