package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import javax.crypto.spec.SecretKeySpec;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;
import org.xbill.DNS.ZoneTransferException;
import org.xbill.DNS.ZoneTransferIn;

/** Copies of the zone for secondaries, and signatures. */
class TransferTest {

    private static final Name ZONE = Name.fromConstantString(Played.ZONE);
    private static final TSIG KEY = key("k1.", Played.SECRET, TSIG.HMAC_SHA256, Clock.systemUTC());

    private final Endpoint address = Played.freeEndpoint();
    private final AuthoritativeServer server = new AuthoritativeServer(
            Played.settings(
                    address,
                    new DnsServerSettings.Zone(List.of("k1"), List.of(), List.of()),
                    new DnsServerSettings.RateLimit(0, 0, List.of()),
                    null),
            () -> new StateAge(0, 0));
    private ZoneContents contents = Played.zone(100);

    @BeforeEach
    void start() throws IOException {
        server.start();
        server.serve(contents);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static TSIG key(String name, String secret, Name algorithm, Clock clock) {
        return new TSIG(
                algorithm,
                Name.fromConstantString(name),
                new SecretKeySpec(Base64.getDecoder().decode(secret), "HMAC"),
                clock);
    }

    private void change(String name, RecordSet set) {
        contents = contents.next(contents.serial() + 1).put(name, set).build();
        assertThat(server.serve(contents).result()).isEqualTo(ServeOutcome.Result.SERVED);
    }

    private ZoneTransferIn incremental(long serial) throws IOException, ZoneTransferException {
        ZoneTransferIn in = ZoneTransferIn.newIXFR(ZONE, serial, false, address.host(), address.port(), KEY);
        in.setTimeout(Duration.ofSeconds(10));
        in.run();
        return in;
    }

    private List<Record> whole(@Nullable TSIG key) throws IOException, ZoneTransferException {
        ZoneTransferIn in = ZoneTransferIn.newAXFR(ZONE, address.host(), address.port(), key);
        in.setTimeout(Duration.ofSeconds(10));
        in.run();
        return in.getAXFR();
    }

    private static Set<String> texts(List<Record> records) {
        Set<String> texts = new TreeSet<>();
        for (Record record : records) {
            texts.add(record.getName() + " " + record.getTTL() + " " + Type.string(record.getType()) + " "
                    + record.rdataToString());
        }
        return texts;
    }

    @Test
    void theWholeZoneSigned() throws IOException, ZoneTransferException {
        List<Record> records = whole(KEY);
        assertThat(records.get(0).getType()).isEqualTo(Type.SOA);
        assertThat(texts(records))
                .contains(
                        "db.test. 30 NS ns2.example.",
                        "orders-rw.db.test. 1 A 10.0.0.1",
                        "orders-ro.db.test. 1 A 10.0.0.4",
                        "six.db.test. 1 AAAA fd00:0:0:0:0:0:0:2",
                        "_mysql._tcp.orders.db.test. 5 SRV 1 2 3306 orders-rw.db.test.",
                        "*.wild.db.test. 1 A 10.0.0.77",
                        "alias.db.test. 1 CNAME orders-rw.db.test.")
                .noneMatch(text -> text.contains(ZoneContents.STATE_NAME));
        // The SOA record twice, two NS records, and everything else once.
        long sets = contents.names().values().stream()
                .flatMap(List::stream)
                .mapToLong(set -> set.usual().size())
                .sum();
        assertThat(records).hasSize((int) sets + 4);
        assertThat(server.metrics().fullTransfers()).isEqualTo(1);
    }

    @Test
    void aLargeZoneInManySignedMessages() throws IOException, ZoneTransferException {
        ZoneContents.Builder builder = contents.next(101);
        for (int i = 0; i < 4_000; i++) {
            builder.put("g" + i + "-rw", Played.a(1, "10.3." + i / 250 + "." + i % 250));
        }
        contents = builder.build();
        server.serve(contents);
        Set<String> texts = texts(whole(KEY));
        assertThat(texts).hasSizeGreaterThan(4_000).contains("g3999-rw.db.test. 1 A 10.3.15.249");
    }

    @Test
    void onlyWhatChanged() throws IOException, ZoneTransferException {
        change("orders-rw", Played.a(1, "10.0.0.5"));
        change("orders-ro", Played.a(2, "10.0.0.3", "10.0.0.4"));
        contents = contents.next(103).remove("six").build();
        server.serve(contents);

        ZoneTransferIn in = incremental(100);
        assertThat(in.isIXFR()).isTrue();
        List<ZoneTransferIn.Delta> deltas = in.getIXFR();
        assertThat(deltas).hasSize(3);
        assertThat(deltas.get(0).start).isEqualTo(100);
        assertThat(deltas.get(0).end).isEqualTo(101);
        assertThat(texts(deltas.get(0).deletes))
                .contains("orders-rw.db.test. 1 A 10.0.0.1")
                .hasSize(2);
        assertThat(texts(deltas.get(0).adds))
                .contains("orders-rw.db.test. 1 A 10.0.0.5")
                .hasSize(2);
        assertThat(texts(deltas.get(1).deletes)).hasSize(4);
        assertThat(texts(deltas.get(1).adds))
                .contains("orders-ro.db.test. 2 A 10.0.0.3", "orders-ro.db.test. 2 A 10.0.0.4")
                .hasSize(3);
        assertThat(texts(deltas.get(2).deletes)).hasSize(3);
        assertThat(texts(deltas.get(2).adds)).hasSize(1);
        assertThat(server.metrics().incrementalTransfers()).isEqualTo(1);

        assertThat(incremental(102).getIXFR()).hasSize(1);
        assertThat(incremental(103).isCurrent()).isTrue();
        assertThat(incremental(104).isCurrent())
                .as("newer than ours: nothing to give")
                .isTrue();
        assertThat(incremental(7).isAXFR()).as("not known any more").isTrue();
    }

    @Test
    void whatAllClientsDontShareIsNoChange() throws IOException, ZoneTransferException {
        change("orders-rw", Played.a(1, "10.0.0.1"));
        List<ZoneTransferIn.Delta> deltas = incremental(100).getIXFR();
        assertThat(deltas).hasSize(1);
        assertThat(deltas.get(0).deletes).hasSize(1);
        assertThat(deltas.get(0).adds).hasSize(1);
    }

    @Test
    void aNewApexIsTransferredAsAWhole() throws IOException, ZoneTransferException {
        contents = ZoneContents.of(Played.ZONE, 101, Played.AUTHORITY, List.of("ns9"))
                .put("ns9", Played.a(1, "127.0.0.1"))
                .build();
        server.serve(contents);
        assertThat(incremental(100).isAXFR()).isTrue();
        change("x", Played.a(1, "10.0.0.1"));
        assertThat(incremental(101).isIXFR()).isTrue();
    }

    @Test
    void byDatagramOnlyTheSerialNumber() throws IOException {
        change("orders-rw", Played.a(1, "10.0.0.5"));
        Message query = Message.newQuery(Record.newRecord(ZONE, Type.IXFR, DClass.IN));
        query.addRecord(new SOARecord(ZONE, DClass.IN, 0, ZONE, ZONE, 100, 1, 1, 1, 1), Section.AUTHORITY);
        TSIGRecord signature = sign(query, KEY);
        byte[] response = Objects.requireNonNull(Played.askUdp(address, query.toWire()));
        Message message = new Message(response);
        assertThat(KEY.verify(message, response, signature)).isEqualTo(Rcode.NOERROR);
        assertThat(message.getSection(Section.ANSWER)).hasSize(1);
        assertThat(((SOARecord) message.getSection(Section.ANSWER).get(0)).getSerial())
                .isEqualTo(101);
        assertThat(message.getHeader().getFlag(Flags.AA)).isTrue();

        Message whole = Message.newQuery(Record.newRecord(ZONE, Type.AXFR, DClass.IN));
        sign(whole, KEY);
        assertThat(new Message(Objects.requireNonNull(Played.askUdp(address, whole.toWire()))).getRcode())
                .isEqualTo(Rcode.FORMERR);
    }

    private static TSIGRecord sign(Message query, TSIG key) {
        TSIGRecord signature = key.generate(query, query.toWire(), Rcode.NOERROR, null);
        query.addRecord(signature, Section.ADDITIONAL);
        return signature;
    }

    @Test
    void whoMayNotCopy() {
        assertThatThrownBy(() -> whole(null))
                .isInstanceOf(ZoneTransferException.class)
                .hasMessageContaining("REFUSED");
        // A key that the server knows, and that has no right to this zone.
        assertThatThrownBy(() -> whole(key("k2.", Played.SECRET, TSIG.HMAC_SHA512, Clock.systemUTC())))
                .isInstanceOf(ZoneTransferException.class)
                .hasMessageContaining("REFUSED");
        assertThat(server.metrics().refusedTransfers()).isEqualTo(2);
        assertThat(server.metrics().fullTransfers()).isZero();
    }

    @Test
    void networksMayCopyWithoutAKey() throws IOException, ZoneTransferException {
        Endpoint other = Played.freeEndpoint();
        DnsServerSettings settings = Played.settings(
                other,
                new DnsServerSettings.Zone(List.of(), List.of(Network.parse("127.0.0.0/8")), List.of()),
                new DnsServerSettings.RateLimit(0, 0, List.of()),
                null);
        try (AuthoritativeServer open = new AuthoritativeServer(settings, () -> new StateAge(0, 0))) {
            open.start();
            open.serve(contents);
            ZoneTransferIn in = ZoneTransferIn.newAXFR(ZONE, other.host(), other.port(), null);
            in.run();
            assertThat(texts(in.getAXFR())).contains("orders-rw.db.test. 1 A 10.0.0.1");
            open.notCaughtUp("the log isn't read yet");
            ZoneTransferIn again = ZoneTransferIn.newAXFR(ZONE, other.host(), other.port(), null);
            assertThatThrownBy(again::run)
                    .isInstanceOf(ZoneTransferException.class)
                    .hasMessageContaining("SERVFAIL");
        }
    }

    @Test
    void signedQueriesGetSignedAnswers() throws IOException {
        Message query = Played.query("orders-RW.db.test.", Type.A);
        query.addRecord(new OPTRecord(1_232, 0, 0), Section.ADDITIONAL);
        TSIGRecord signature = sign(query, KEY);
        for (byte[] response : List.of(
                Objects.requireNonNull(Played.askUdp(address, query.toWire())),
                Played.askTcp(address, query.toWire()))) {
            Message message = new Message(response);
            assertThat(KEY.verify(message, response, signature)).isEqualTo(Rcode.NOERROR);
            assertThat(message.getRcode()).isEqualTo(Rcode.NOERROR);
            assertThat(message.getOPT()).isNotNull();
            assertThat(message.getSection(Section.ANSWER)).hasSize(1);
        }
    }

    @Test
    void wrongSignatures() throws IOException {
        refused(key("unknown.", Played.SECRET, TSIG.HMAC_SHA256, Clock.systemUTC()), Rcode.BADKEY);
        refused(key("k1.", Played.SECRET, TSIG.HMAC_SHA512, Clock.systemUTC()), Rcode.BADKEY);
        refused(key("k1.", "d3Jvbmcgc2VjcmV0", TSIG.HMAC_SHA256, Clock.systemUTC()), Rcode.BADSIG);
        Clock late = Clock.offset(Clock.systemUTC(), Duration.ofSeconds(-400));
        refused(key("k1.", Played.SECRET, TSIG.HMAC_SHA256, late), Rcode.BADTIME);
        assertThat(server.metrics().badSignatures()).isEqualTo(4);
    }

    private void refused(TSIG key, int error) throws IOException {
        Message query = Played.query("orders-rw.db.test.", Type.A);
        TSIGRecord signature = sign(query, key);
        byte[] response = Objects.requireNonNull(Played.askUdp(address, query.toWire()));
        Message message = new Message(response);
        assertThat(message.getHeader().getRcode()).isEqualTo(Rcode.NOTAUTH);
        assertThat(message.getSection(Section.ANSWER)).isEmpty();
        assertThat(message.getTSIG().getError()).isEqualTo(error);
        if (error == Rcode.BADTIME) {
            assertThat(message.getTSIG().getOther()).as("the server's time").hasSize(6);
            assertThat(KEY.verify(message, response, signature))
                    .as("signed all the same")
                    .isEqualTo(Rcode.BADTIME);
        } else {
            assertThat(message.getTSIG().getSignature()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nothing.test.", "orders-rw.db.test."})
    void zonesThatAreNotOurs(String name) throws IOException {
        Message query = Message.newQuery(Record.newRecord(Name.fromConstantString(name), Type.AXFR, DClass.IN));
        assertThat(new Message(Played.askTcp(address, query.toWire())).getRcode())
                .isEqualTo(Rcode.NOTAUTH);
    }

    @Test
    void queriesGoOnWhileAClientDoesNotReadItsCopy() throws IOException {
        ZoneContents.Builder builder = contents.next(101);
        String text = "x".repeat(250);
        for (int i = 0; i < 20_000; i++) {
            builder.put("t" + i, new RecordSet(RecordType.TXT, 1, List.of(new RecordData.Text(text))));
        }
        contents = builder.build();
        server.serve(contents);
        Message query = Message.newQuery(Record.newRecord(ZONE, Type.AXFR, DClass.IN));
        sign(query, KEY);
        byte[] wire = query.toWire();
        try (Socket lazy = new Socket()) {
            lazy.setReceiveBufferSize(4_096);
            lazy.connect(new InetSocketAddress(address.host(), address.port()), 10_000);
            Played.send(lazy, wire);
            byte[] first = Played.receive(lazy);
            assertThat(new Message(first).getSection(Section.ANSWER)).isNotEmpty();
            assertThat(Played.ask(address, "orders-rw.db.test.", Type.A).getSection(Section.ANSWER))
                    .hasSize(1);
            Message signed = Played.query("orders-rw.db.test.", Type.A);
            sign(signed, KEY);
            assertThat(new Message(Played.askTcp(address, signed.toWire())).getSection(Section.ANSWER))
                    .hasSize(1);
        }
        Played.await("the broken transfer is told", () -> server.metrics().failedTransfers() == 1);
        assertThat(server.metrics().fullTransfers()).isZero();
    }
}
