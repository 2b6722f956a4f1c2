package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.CookieOption;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.NSIDOption;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;

/** Queries with bytes changed, cut, doubled and mixed by chance. A failure tells the packet. */
class MalformedPacketsTest {

    private static final TSIG KEY = LongWay.tsig(new SigningKey("k1", "hmac-sha256", Played.SECRET));

    private static List<byte[]> queries(boolean signed) {
        List<byte[]> queries = new ArrayList<>();
        for (String name :
                List.of("orders-rw", "orders-ro", "twice", "missing", "x.wild", "text", "loop-a", "_ha-state")) {
            for (int type : new int[] {Type.A, Type.TXT, Type.ANY, Type.SOA}) {
                Message query = Played.query(name + "." + Played.ZONE, type);
                queries.add(query.toWire());
                query.addRecord(
                        new OPTRecord(
                                1_232,
                                0,
                                0,
                                Flags.DO,
                                new NSIDOption(new byte[0]),
                                new CookieOption(new byte[8], new byte[16]),
                                new ClientSubnetOption(32, InetAddress.getLoopbackAddress())),
                        Section.ADDITIONAL);
                queries.add(query.toWire());
                if (signed) {
                    TSIGRecord signature = KEY.generate(query, query.toWire(), Rcode.NOERROR, null);
                    query.addRecord(signature, Section.ADDITIONAL);
                    queries.add(query.toWire());
                }
            }
        }
        Name zone = Name.fromConstantString(Played.ZONE);
        Message transfer = Message.newQuery(Record.newRecord(zone, Type.IXFR, DClass.IN));
        transfer.addRecord(new SOARecord(zone, DClass.IN, 0, zone, zone, 1, 1, 1, 1, 1), Section.AUTHORITY);
        queries.add(transfer.toWire());
        queries.add(Message.newQuery(Record.newRecord(Name.fromConstantString("id.server."), Type.TXT, DClass.CH))
                .toWire());
        return queries;
    }

    private static byte[] mutated(List<byte[]> queries, Random random) {
        byte[] packet = queries.get(random.nextInt(queries.size())).clone();
        for (int change = random.nextInt(6); change >= 0 && packet.length > 0; change--) {
            int at = random.nextInt(packet.length);
            switch (random.nextInt(7)) {
                case 0 -> packet[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> packet[at] = (byte) random.nextInt();
                case 2 -> packet[at] = (byte) (random.nextBoolean() ? 0xff : 0xc0);
                case 3 -> packet = Arrays.copyOf(packet, at);
                case 4 -> packet = Arrays.copyOf(packet, packet.length + random.nextInt(40));
                case 5 -> {
                    byte[] other = queries.get(random.nextInt(queries.size()));
                    int bytes = Math.max(0, Math.min(other.length, packet.length) - 12);
                    System.arraycopy(other, 12, packet, packet.length - bytes, bytes); // another's end
                }
                default -> {
                    if (packet.length > 12) {
                        packet[4 + random.nextInt(8)] = (byte) random.nextInt(3); // a count
                    }
                }
            }
        }
        return packet;
    }

    @ParameterizedTest
    @ValueSource(longs = {101, 102, 103, 104})
    void answeredOrNot(long seed) throws IOException {
        Random random = new Random(seed);
        Catalog catalog = new Catalog(
                List.of(new Catalog.Zone(
                        Played.ZONE, ZoneSnapshot.of(Played.zone(1), new RegionNames(List.of()), null))),
                RegionTable.EMPTY,
                "");
        Responder responder = new Responder(
                new DnsServerMetrics(),
                null,
                List.of(),
                DnsServerSettings.EVERYBODY,
                new Cookies(new byte[16]),
                "m1",
                () -> new StateAge(1, 2),
                catalog);
        List<byte[]> queries = queries(true);
        byte[] out = new byte[Responder.MAX_BYTES];
        int answered = 0;
        for (int i = 0; i < 5_000; i++) {
            byte[] packet = mutated(queries, random);
            String told = "seed " + seed + ": " + HexFormat.of().formatHex(packet);
            boolean tcp = random.nextBoolean();
            int length;
            try {
                length = responder.respond(packet, packet.length, 0, Network.IPV4_LOW | 1, tcp, out);
            } catch (RuntimeException e) {
                fail(told, e);
                return;
            }
            if (packet.length < 12 || packet[2] < 0) {
                assertThat(length).as(told).isEqualTo(Responder.NOTHING);
            }
            if (length > 0) {
                answered++;
                check(packet, Arrays.copyOf(out, length), tcp, told);
            }
        }
        assertThat(answered).as("most packets are answered").isGreaterThan(2_500);
    }

    private static void check(byte[] packet, byte[] response, boolean tcp, String told) throws IOException {
        assertThat(response.length).as(told).isLessThanOrEqualTo(tcp ? Responder.MAX_BYTES : Responder.UDP_BYTES);
        assertThat(response).as(told).startsWith(packet[0], packet[1]);
        Message message = new Message(response);
        assertThat(message.getHeader().getFlag(Flags.QR)).as(told).isTrue();
        assertThat(message.getHeader().getOpcode()).as(told).isEqualTo((packet[2] >>> 3) & 0x0f);
        for (int section = 0; section < 4; section++) {
            // dnsjava drops nothing: what is counted is there, and nothing stands behind it.
            assertThat(message.getSection(section))
                    .as(told)
                    .hasSize(message.getHeader().getCount(section));
        }
        int rcode = message.getHeader().getRcode();
        assertThat(rcode).as(told).isIn(Rcode.NOERROR, Rcode.FORMERR, Rcode.NXDOMAIN, Rcode.NOTIMP, Rcode.REFUSED);
        if (rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN) {
            assertThat(message.getSection(Section.ANSWER)).as(told).isEmpty();
        }
    }

    /** Through the sockets, so that signed ones and transfers go the long way. */
    @Test
    void theServerLives() throws IOException {
        long seed = 105;
        Random random = new Random(seed);
        Endpoint address = Played.freeEndpoint();
        try (AuthoritativeServer server = new AuthoritativeServer(Played.settings(address), () -> new StateAge(1, 2));
                DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            server.start();
            server.serve(Played.zone(1));
            List<byte[]> queries = queries(true);
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < 100; i++) {
                    byte[] packet = mutated(queries, random);
                    socket.send(new DatagramPacket(
                            packet, packet.length, InetAddress.getLoopbackAddress(), address.port()));
                }
                assertThat(Played.ask(address, "orders-rw.db.test.", Type.A).getSection(Section.ANSWER))
                        .as("seed %d, round %d", seed, round)
                        .hasSize(1);
            }
            Message signed = Played.query("orders-rw.db.test.", Type.A);
            TSIGRecord signature = KEY.generate(signed, signed.toWire(), Rcode.NOERROR, null);
            signed.addRecord(signature, Section.ADDITIONAL);
            assertThat(new Message(Played.askTcp(address, signed.toWire())).getSection(Section.ANSWER))
                    .hasSize(1);
            assertThat(server.metrics().defects()).isZero();
            assertThat(server.metrics().badSignatures())
                    .as("some went the long way")
                    .isPositive();
        }
    }
}
