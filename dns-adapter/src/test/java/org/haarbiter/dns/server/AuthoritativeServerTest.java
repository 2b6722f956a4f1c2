package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CookieOption;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSIDOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/** What a client gets, packet by packet. */
class AuthoritativeServerTest {

    private static final Endpoint SERVER = Played.freeEndpoint();
    private static final AtomicLong APPLIED = new AtomicLong(42);
    private static AuthoritativeServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new AuthoritativeServer(Played.settings(SERVER), () -> new StateAge(APPLIED.get(), 7));
        server.start();
        assertThat(server.serve(Played.zone(5)).result()).isEqualTo(ServeOutcome.Result.SERVED);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static List<String> answers(Message message) {
        return message.getSection(Section.ANSWER).stream()
                .map(record -> record.getName() + " " + record.getTTL() + " " + Type.string(record.getType()) + " "
                        + record.rdataToString())
                .toList();
    }

    private static void negative(Message message, int rcode) {
        assertThat(message.getRcode()).isEqualTo(rcode);
        assertThat(message.getHeader().getFlag(Flags.AA)).isTrue();
        SOARecord soa = (SOARecord) message.getSection(Section.AUTHORITY).get(0);
        assertThat(soa.getName()).isEqualTo(Name.fromConstantString(Played.ZONE));
        assertThat(soa.getTTL()).as("the lesser of TTL and minimum").isEqualTo(1);
        assertThat(soa.getSerial()).isEqualTo(5);
    }

    @Test
    void addressWithAuthority() throws IOException {
        Message message = Played.ask(SERVER, "orders-rw.db.test.", Type.A);
        assertThat(message.getRcode()).isEqualTo(Rcode.NOERROR);
        assertThat(message.getHeader().getFlag(Flags.AA)).isTrue();
        assertThat(message.getHeader().getFlag(Flags.RA)).isFalse();
        assertThat(message.getHeader().getFlag(Flags.RD)).as("comes back").isTrue();
        assertThat(answers(message)).containsExactly("orders-rw.db.test. 1 A 10.0.0.1");
        assertThat(message.getSection(Section.AUTHORITY)).isEmpty();
        assertThat(message.getOPT()).as("no EDNS where none was asked with").isNull();
    }

    @Test
    void allTypes() throws IOException {
        assertThat(answers(Played.ask(SERVER, "six.db.test.", Type.AAAA)))
                .containsExactlyInAnyOrder(
                        "six.db.test. 1 AAAA fd00:0:0:0:0:0:0:1", "six.db.test. 1 AAAA fd00:0:0:0:0:0:0:2");
        assertThat(answers(Played.ask(SERVER, "_mysql._tcp.orders.db.test.", Type.SRV)))
                .containsExactly("_mysql._tcp.orders.db.test. 5 SRV 1 2 3306 orders-rw.db.test.");
        assertThat(answers(Played.ask(SERVER, "text.db.test.", Type.TXT)))
                .containsExactly("text.db.test. 7 TXT one two");
        assertThat(answers(Played.ask(SERVER, "text.db.test.", Type.A))).containsExactly("text.db.test. 3 A 10.0.0.9");
        assertThat(answers(Played.ask(SERVER, "alias.db.test.", Type.CNAME)))
                .containsExactly("alias.db.test. 1 CNAME orders-rw.db.test.");
        assertThat(answers(Played.ask(SERVER, "db.test.", Type.NS)))
                .containsExactlyInAnyOrder("db.test. 30 NS ns1.db.test.", "db.test. 30 NS ns2.example.");
        assertThat(answers(Played.ask(SERVER, "db.test.", Type.SOA)))
                .containsExactly("db.test. 30 SOA ns1.db.test. hostmaster.db.test. 5 60 5 86400 1");
    }

    @Test
    void severalAddressesTakeTurns() throws IOException {
        Set<String> first = new HashSet<>();
        for (int i = 0; i < 6; i++) {
            List<String> all = answers(Played.ask(SERVER, "orders-ro.db.test.", Type.A));
            assertThat(all).hasSize(3).doesNotHaveDuplicates();
            first.add(all.get(0));
        }
        assertThat(first).hasSize(3);
    }

    @Test
    void whatIsNotThere() throws IOException {
        negative(Played.ask(SERVER, "missing.db.test.", Type.A), Rcode.NXDOMAIN);
        negative(Played.ask(SERVER, "a.missing.db.test.", Type.A), Rcode.NXDOMAIN);
        negative(Played.ask(SERVER, "below.orders-rw.db.test.", Type.A), Rcode.NXDOMAIN);
        negative(Played.ask(SERVER, "orders-rw.db.test.", Type.AAAA), Rcode.NOERROR);
        negative(Played.ask(SERVER, "orders-rw.db.test.", Type.DNSKEY), Rcode.NOERROR);
        // Names that exist only because others stand below them.
        negative(Played.ask(SERVER, "_tcp.orders.db.test.", Type.A), Rcode.NOERROR);
        negative(Played.ask(SERVER, "under.wild.db.test.", Type.A), Rcode.NOERROR);
        negative(Played.ask(SERVER, "db.test.", Type.A), Rcode.NOERROR);
    }

    @Test
    void wildcardsStandForWhatDoesNotExist() throws IOException {
        assertThat(answers(Played.ask(SERVER, "x.wild.db.test.", Type.A)))
                .containsExactly("x.wild.db.test. 1 A 10.0.0.77");
        assertThat(answers(Played.ask(SERVER, "a.b.wild.db.test.", Type.A)))
                .containsExactly("a.b.wild.db.test. 1 A 10.0.0.77");
        assertThat(answers(Played.ask(SERVER, "*.wild.db.test.", Type.A)))
                .containsExactly("*.wild.db.test. 1 A 10.0.0.77");
        negative(Played.ask(SERVER, "x.wild.db.test.", Type.AAAA), Rcode.NOERROR);
        // RFC 4592 2.2.1: below a name that exists the wildcard above it doesn't stand.
        negative(Played.ask(SERVER, "x.under.wild.db.test.", Type.A), Rcode.NXDOMAIN);
        negative(Played.ask(SERVER, "x.deep.under.wild.db.test.", Type.A), Rcode.NXDOMAIN);
    }

    @Test
    void aliasesAreFollowedInTheZone() throws IOException {
        assertThat(answers(Played.ask(SERVER, "twice.db.test.", Type.A)))
                .containsExactly(
                        "twice.db.test. 1 CNAME alias.db.test.",
                        "alias.db.test. 1 CNAME orders-rw.db.test.",
                        "orders-rw.db.test. 1 A 10.0.0.1");
        assertThat(answers(Played.ask(SERVER, "outside.db.test.", Type.A)))
                .containsExactly("outside.db.test. 1 CNAME www.example.org.");
        Message nowhere = Played.ask(SERVER, "nowhere.db.test.", Type.A);
        negative(nowhere, Rcode.NXDOMAIN);
        assertThat(answers(nowhere)).containsExactly("nowhere.db.test. 1 CNAME missing.db.test.");
        Message noSuchType = Played.ask(SERVER, "alias.db.test.", Type.AAAA);
        negative(noSuchType, Rcode.NOERROR);
        assertThat(answers(noSuchType)).containsExactly("alias.db.test. 1 CNAME orders-rw.db.test.");
        assertThat(answers(Played.ask(SERVER, "loop-a.db.test.", Type.A)))
                .as("a loop ends")
                .hasSizeBetween(2, 16);
    }

    @Test
    void questionComesBackByteForByte() throws IOException {
        byte[] query = Played.query("ordERS-rW.dB.TeSt.", Type.A).toWire();
        byte[] response = Objects.requireNonNull(Played.askUdp(SERVER, query));
        assertThat(response).startsWith(query[0], query[1]);
        assertThat(Arrays.copyOfRange(response, 12, query.length))
                .isEqualTo(Arrays.copyOfRange(query, 12, query.length));
        assertThat(new Message(response).getSection(Section.ANSWER)).hasSize(1);
    }

    @Test
    void whatIsNotOursIsRefused() throws IOException {
        for (String name : List.of("example.org.", "test.", ".", "xdb.test.")) {
            Message query = Played.query(name, Type.A);
            query.addRecord(new OPTRecord(1_232, 0, 0), Section.ADDITIONAL);
            Message message = Played.ask(SERVER, query);
            assertThat(message.getRcode()).isEqualTo(Rcode.REFUSED);
            assertThat(message.getHeader().getFlag(Flags.AA)).isFalse();
            assertThat(message.getSection(Section.ANSWER)).isEmpty();
            assertThat(error(message)).isEqualTo(ExtendedErrorCodeOption.NOT_AUTHORITATIVE);
        }
        Message chaos =
                Message.newQuery(Record.newRecord(Name.fromConstantString("authors.bind."), Type.TXT, DClass.CH));
        assertThat(Played.ask(SERVER, chaos).getRcode()).isEqualTo(Rcode.REFUSED);
        Message hesiod =
                Message.newQuery(Record.newRecord(Name.fromConstantString("orders-rw.db.test."), Type.A, DClass.HS));
        assertThat(Played.ask(SERVER, hesiod).getRcode()).isEqualTo(Rcode.REFUSED);
    }

    private static int error(Message message) {
        for (EDNSOption option : message.getOPT().getOptions()) {
            if (option instanceof ExtendedErrorCodeOption extended) {
                return extended.getErrorCode();
            }
        }
        return -1;
    }

    @Test
    void aZoneWithoutContentsIsNotReady() throws IOException {
        Message query = Played.query("x.other.test.", Type.A);
        query.addRecord(new OPTRecord(1_232, 0, 0), Section.ADDITIONAL);
        Message message = Played.ask(SERVER, query);
        assertThat(message.getRcode()).isEqualTo(Rcode.SERVFAIL);
        assertThat(message.getHeader().getFlag(Flags.AA)).isFalse();
        assertThat(error(message)).isEqualTo(ExtendedErrorCodeOption.NOT_READY);
    }

    @Test
    void otherOperationsAreNotImplemented() throws IOException {
        for (int opcode : new int[] {Opcode.IQUERY, Opcode.STATUS, 3, Opcode.NOTIFY, Opcode.UPDATE, 15}) {
            Message query = Played.query("orders-rw.db.test.", Type.A);
            query.getHeader().setOpcode(opcode);
            Message message = Played.ask(SERVER, query);
            assertThat(message.getRcode()).isEqualTo(Rcode.NOTIMP);
            assertThat(message.getHeader().getOpcode()).isEqualTo(opcode);
        }
    }

    @Test
    void responsesAreNeverAnswered() throws IOException {
        byte[] response = Played.query("orders-rw.db.test.", Type.A).toWire();
        response[2] |= (byte) 0x80;
        assertThat(Played.askUdp(SERVER, response)).isNull();
        assertThat(Played.askUdp(SERVER, new byte[11])).isNull();
        assertThat(Played.askUdp(SERVER, new byte[0])).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "000100000001000000000000 01610264620474657374", // the name doesn't end
                "000100000001000000000000 c00c 0001 0001", // a pointer to itself
                "000100000001000000000000 4061 00 0001 0001", // a label of an unknown kind
                "000100000001000000000000 00 0001", // no class
                "000100000002000000000000 00 0001 0001 00 0001 0001", // two questions
                "000100000000000000000000", // no question
                "000100000001000000000000 00 0001 0001 ff", // something behind the end
                "000100000001000000000001 00 0001 0001", // a record is missing
                "000100000001000000000001 00 0001 0001 00 0029 1000 00000000 0001", // an option is missing
                "000100000001000000000001 00 0001 0001 00 0029 1000 00000000 0004 000a 0008", // and cut
                "000100000001000000000002 00 0001 0001 00 0029 1000 00000000 0000 00 0029 1000 00000000 0000", // two
                // OPT
                "000100000001000000000001 00 0001 0001 01 61 00 0029 1000 00000000 0000", // OPT of a name
                "000100000001000000000001 00 0001 0001 00 0029 1000 00000000 0009 000a 0005 0102030405", // short cookie
                "000100000001000000000001 00 0001 0001 00 0029 1000 00000000 0008 0008 0004 0003 0000", // family 3
                "000100000001000000000001 00 0001 0001 00 0029 1000 00000000 0009 0008 0005 0001 04 00 ff", // bits
                // behind
                "000100000001000000000001 00 0001 0001 00 0029 1000 00000000 0009 0008 0005 0001 08 08 0a", // a scope
                "000100000001010000000000 00 0001 0001", // answers that aren't there
                "000100000001000000000000 00 0029 0001" // OPT asked for
            })
    void malformedQueries(String hex) throws IOException {
        byte[] query = HexFormat.of().parseHex(hex.replace(" ", ""));
        byte[] response = Objects.requireNonNull(Played.askUdp(SERVER, query));
        Message message = new Message(response);
        assertThat(message.getHeader().getRcode()).isEqualTo(Rcode.FORMERR);
        assertThat(message.getHeader().getFlag(Flags.QR)).isTrue();
        assertThat(message.getSection(Section.ANSWER)).isEmpty();
    }

    @Test
    void ednsIsAnsweredWithEdns() throws IOException {
        Message query = Played.query("orders-rw.db.test.", Type.A);
        query.addRecord(new OPTRecord(4_096, 0, 0, Flags.DO, new NSIDOption(new byte[0])), Section.ADDITIONAL);
        Message message = Played.ask(SERVER, query);
        assertThat(message.getOPT().getVersion()).isZero();
        assertThat(message.getOPT().getPayloadSize()).isEqualTo(1_232);
        assertThat(message.getOPT().getFlags() & 0x8000).isEqualTo(0x8000);
        assertThat(message.getOPT().getOptions().get(0).toWire())
                .containsExactly(0, 3, 0, 7, 'm', '1', '.', 't', 'e', 's', 't');
        assertThat(message.getSection(Section.ANSWER)).hasSize(1);
    }

    @Test
    void unknownOptionsFlagsAndVersions() throws IOException {
        Message query = Played.query("orders-rw.db.test.", Type.A);
        query.addRecord(
                new OPTRecord(1_232, 0, 0, 0x0040, new GenericEDNSOption(100, new byte[] {1, 2})), Section.ADDITIONAL);
        Message message = Played.ask(SERVER, query);
        assertThat(message.getRcode()).isEqualTo(Rcode.NOERROR);
        assertThat(message.getOPT().getFlags())
                .as("unknown flags are not echoed")
                .isZero();
        assertThat(message.getOPT().getOptions()).isEmpty();

        Message newer = Played.query("orders-rw.db.test.", Type.A);
        newer.addRecord(new OPTRecord(1_232, 0, 1), Section.ADDITIONAL);
        Message refused = Played.ask(SERVER, newer);
        assertThat(refused.getRcode()).isEqualTo(Rcode.BADVERS);
        assertThat(refused.getOPT().getVersion()).isZero();
        assertThat(refused.getSection(Section.ANSWER)).isEmpty();
    }

    @Test
    void whatDoesNotFitComesByTcp() throws IOException {
        List<String> many = new ArrayList<>();
        for (int i = 0; i < 90; i++) {
            many.add("10.7.0." + i);
        }
        ZoneContents big = ZoneContents.of("other.test.", 1, Played.AUTHORITY, List.of("ns1"))
                .put("big", Played.a(1, many.toArray(new String[0])))
                .build();
        Endpoint address = Played.freeEndpoint();
        try (AuthoritativeServer own = new AuthoritativeServer(Played.settings(address), () -> new StateAge(0, 0))) {
            own.start();
            own.serve(big);
            Message query = Played.query("big.other.test.", Type.A);
            Message small = Played.ask(address, query);
            assertThat(small.getHeader().getFlag(Flags.TC)).isTrue();
            assertThat(small.getSection(Section.ANSWER)).isEmpty();
            assertThat(small.numBytes()).isLessThanOrEqualTo(512);
            query.addRecord(new OPTRecord(4_096, 0, 0), Section.ADDITIONAL);
            Message stillTooMuch = Played.ask(address, query);
            assertThat(stillTooMuch.getHeader().getFlag(Flags.TC)).isTrue();
            assertThat(stillTooMuch.getOPT()).isNotNull();
            assertThat(own.metrics().truncated()).isEqualTo(2);
            Message whole = new Message(Played.askTcp(address, query.toWire()));
            assertThat(whole.getHeader().getFlag(Flags.TC)).isFalse();
            assertThat(whole.getSection(Section.ANSWER)).hasSize(90);
        }
    }

    @Test
    void manyQueriesOnOneConnection() throws IOException {
        try (Socket socket = Played.connect(SERVER)) {
            Set<Integer> ids = new HashSet<>();
            for (int i = 0; i < 50; i++) {
                Message query = Played.query("orders-rw.db.test.", Type.A);
                query.getHeader().setID(i);
                Played.send(socket, query.toWire());
            }
            for (int i = 0; i < 50; i++) {
                Message message = new Message(Played.receive(socket));
                assertThat(((ARecord) message.getSection(Section.ANSWER).get(0))
                                .getAddress()
                                .getHostAddress())
                        .isEqualTo("10.0.0.1");
                ids.add(message.getHeader().getID());
            }
            assertThat(ids).hasSize(50);
        }
        Played.await("the connection is forgotten", () -> server.connections() == 0);
    }

    @Test
    void queriesComeInPieces() throws IOException {
        byte[] query = Played.query("orders-rw.db.test.", Type.A).toWire();
        try (Socket socket = Played.connect(SERVER)) {
            socket.setTcpNoDelay(true);
            socket.getOutputStream().write(0);
            socket.getOutputStream().write(query.length);
            for (byte octet : query) {
                socket.getOutputStream().write(octet);
            }
            assertThat(new Message(Played.receive(socket)).getRcode()).isEqualTo(Rcode.NOERROR);
        }
    }

    @Test
    void nonsenseEndsAConnection() throws IOException {
        try (Socket socket = Played.connect(SERVER)) {
            socket.getOutputStream().write(new byte[] {0x7f, 0x7f, 0, 0});
            assertThatThrownBy(() -> Played.receive(socket)).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void idleConnectionsAreClosed() throws IOException {
        Endpoint address = Played.freeEndpoint();
        DnsServerSettings usual = Played.settings(address);
        DnsServerSettings impatient = new DnsServerSettings(
                usual.listen(),
                usual.threads(),
                "",
                usual.zones(),
                usual.keys(),
                usual.rateLimit(),
                2,
                2,
                100,
                "",
                List.of(),
                null,
                usual.clientSubnetFrom());
        try (AuthoritativeServer own = new AuthoritativeServer(impatient, () -> new StateAge(0, 0))) {
            own.start();
            try (Socket idle = Played.connect(address);
                    Socket dribbling = Played.connect(address)) {
                Played.await("both are accepted", () -> own.connections() == 2);
                try (Socket third = Played.connect(address)) {
                    assertThat(third.getInputStream().read()).as("too many").isEqualTo(-1);
                }
                dribbling.getOutputStream().write(0);
                assertThat(idle.getInputStream().read()).isEqualTo(-1);
                assertThat(dribbling.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(own.metrics().tcpRefused()).isEqualTo(1);
        }
    }

    @Test
    void aboutTheServerItself() throws IOException {
        for (String name : List.of("id.server.", "hostname.bind.")) {
            Message message = Played.ask(
                    SERVER, Message.newQuery(Record.newRecord(Name.fromConstantString(name), Type.TXT, DClass.CH)));
            assertThat(((TXTRecord) message.getSection(Section.ANSWER).get(0)).getStrings())
                    .containsExactly("m1.test");
            assertThat(message.getSection(Section.ANSWER).get(0).getDClass()).isEqualTo(DClass.CH);
        }
        Message version = Played.ask(
                SERVER,
                Message.newQuery(Record.newRecord(Name.fromConstantString("version.bind."), Type.TXT, DClass.CH)));
        assertThat(((TXTRecord) version.getSection(Section.ANSWER).get(0)).getStrings())
                .containsExactly("HA Arbiter");
    }

    @Test
    void anyIsOneSet() throws IOException {
        assertThat(Played.ask(SERVER, "text.db.test.", Type.ANY).getSection(Section.ANSWER))
                .hasSize(1);
        assertThat(Played.ask(SERVER, "db.test.", Type.ANY).getSection(Section.ANSWER))
                .hasSize(1);
    }

    @Test
    void howOldItsStateIs() throws IOException {
        APPLIED.set(43);
        Message message = Played.ask(SERVER, ZoneContents.STATE_NAME + ".db.test.", Type.TXT);
        assertThat(answers(message))
                .containsExactly("_ha-state.db.test. 0 TXT \"applied-index=43 leader-silence-millis=7\"");
        negative(Played.ask(SERVER, ZoneContents.STATE_NAME + ".db.test.", Type.A), Rcode.NOERROR);
    }

    @Test
    void cookies() throws IOException {
        byte[] clientCookie = {1, 2, 3, 4, 5, 6, 7, 8};
        Message query = Played.query("orders-rw.db.test.", Type.A);
        query.addRecord(new OPTRecord(1_232, 0, 0, 0, new CookieOption(clientCookie)), Section.ADDITIONAL);
        byte[] serverCookie = serverCookie(Played.ask(SERVER, query));
        assertThat(serverCookie).hasSize(16).startsWith(1, 0, 0, 0);

        Message again = Played.query("orders-rw.db.test.", Type.A);
        again.addRecord(
                new OPTRecord(1_232, 0, 0, 0, new CookieOption(clientCookie, serverCookie)), Section.ADDITIONAL);
        assertThat(serverCookie(Played.ask(SERVER, again)))
                .as("a young cookie is kept")
                .isEqualTo(serverCookie);

        Message cookieOnly = new Message();
        cookieOnly.addRecord(new OPTRecord(1_232, 0, 0, 0, new CookieOption(clientCookie)), Section.ADDITIONAL);
        Message empty = Played.ask(SERVER, cookieOnly);
        assertThat(empty.getRcode()).isEqualTo(Rcode.NOERROR);
        assertThat(serverCookie(empty)).hasSize(16);
    }

    private static byte[] serverCookie(Message message) {
        for (EDNSOption option : message.getOPT().getOptions()) {
            if (option instanceof CookieOption cookie) {
                return cookie.getServerCookie().orElseThrow();
            }
        }
        throw new AssertionError("no cookie in " + message);
    }

    @ParameterizedTest
    @CsvSource({"true, true", "false, true", "true, false"})
    void serialNumbersOnlyGrow(boolean olderSerial, boolean otherContents) throws IOException {
        Endpoint address = Played.freeEndpoint();
        try (AuthoritativeServer own = new AuthoritativeServer(Played.settings(address), () -> new StateAge(0, 0))) {
            own.start();
            ZoneContents first = Played.zone(0xffff_fff0L);
            own.serve(first);
            assertThat(own.serve(Played.zone(0xffff_fff0L)).result()).isEqualTo(ServeOutcome.Result.UNCHANGED);
            ZoneContents.Builder builder = first.next(olderSerial ? 0xffff_ffefL : 0xffff_fff0L);
            if (otherContents) {
                builder.put("orders-rw", Played.a(1, "10.66.66.66"));
            }
            ServeOutcome refused = own.serve(builder.build());
            assertThat(refused.result()).isEqualTo(ServeOutcome.Result.OLDER);
            assertThat(refused.detail()).contains("db.test.", "must be newer than 4294967280");
            assertThat(answers(Played.ask(address, "orders-rw.db.test.", Type.A)))
                    .containsExactly("orders-rw.db.test. 1 A 10.0.0.1");
            // Past the end of the circle comes its beginning.
            ZoneContents next =
                    first.next(3).put("orders-rw", Played.a(1, "10.0.0.5")).build();
            assertThat(own.serve(next).result()).isEqualTo(ServeOutcome.Result.SERVED);
            assertThat(answers(Played.ask(address, "orders-rw.db.test.", Type.A)))
                    .containsExactly("orders-rw.db.test. 1 A 10.0.0.5");
            assertThat(own.serials()).containsEntry("db.test.", 3L);
        }
    }

    @Test
    void silentWhileNotCaughtUp() throws IOException {
        Endpoint address = Played.freeEndpoint();
        try (AuthoritativeServer own = new AuthoritativeServer(Played.settings(address), () -> new StateAge(0, 0))) {
            own.start();
            own.serve(Played.zone(1));
            own.notCaughtUp("the leader was not heard since the start");
            Message query = Played.query("orders-rw.db.test.", Type.A);
            query.addRecord(new OPTRecord(1_232, 0, 0), Section.ADDITIONAL);
            Message refused = Played.ask(address, query);
            assertThat(refused.getRcode()).isEqualTo(Rcode.SERVFAIL);
            assertThat(refused.getSection(Section.ANSWER)).isEmpty();
            ExtendedErrorCodeOption error =
                    (ExtendedErrorCodeOption) refused.getOPT().getOptions().get(0);
            assertThat(error.getErrorCode()).isEqualTo(ExtendedErrorCodeOption.NOT_READY);
            assertThat(error.getText()).isEqualTo("the leader was not heard since the start");
            own.caughtUp();
            assertThat(Played.ask(address, query).getRcode()).isEqualTo(Rcode.NOERROR);
            assertThat(own.metrics().responsesByRcode()).containsKey("SERVFAIL");
        }
    }

    @Test
    void theSameWithoutEpoll() throws IOException {
        Endpoint address = Played.freeEndpoint();
        try (AuthoritativeServer plain =
                new AuthoritativeServer(Played.settings(address), () -> new StateAge(0, 0), System::nanoTime, false)) {
            plain.start();
            plain.serve(Played.zone(1));
            assertThat(answers(Played.ask(address, "orders-rw.db.test.", Type.A)))
                    .containsExactly("orders-rw.db.test. 1 A 10.0.0.1");
            byte[] query = Played.query("orders-ro.db.test.", Type.A).toWire();
            assertThat(new Message(Played.askTcp(address, query)).getSection(Section.ANSWER))
                    .hasSize(3);
        }
    }

    @Test
    void aTakenPortIsNamed() throws IOException {
        try (AuthoritativeServer second = new AuthoritativeServer(Played.settings(SERVER), () -> new StateAge(0, 0))) {
            assertThatThrownBy(second::start)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("127.0.0.1 port " + SERVER.port())
                    .hasMessageContaining("a port nobody uses");
        }
    }

    @Test
    void zonesAndRegionsMustBeInTheSettings() {
        ZoneContents stranger = ZoneContents.of("stranger.test.", 1, Played.AUTHORITY, List.of("ns1"))
                .build();
        assertThatThrownBy(() -> server.serve(stranger))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stranger.test.");
    }
}
