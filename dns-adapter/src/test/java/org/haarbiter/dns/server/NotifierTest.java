package org.haarbiter.dns.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;

/** What a secondary hears of changes; it is played by this test. */
class NotifierTest {

    private static final SigningKey KEY = new SigningKey("k1", "hmac-sha256", Played.SECRET);
    private static final TSIG TSIG_KEY = LongWay.tsig(KEY);

    private final Endpoint address = Played.freeEndpoint();
    private final DatagramSocket secondary = socket();
    private final Endpoint told = new Endpoint("127.0.0.1", secondary.getLocalPort());
    private final AuthoritativeServer server = new AuthoritativeServer(
            Played.settings(
                    address,
                    new DnsServerSettings.Zone(
                            List.of("k1"), List.of(), List.of(new DnsServerSettings.Secondary(told, "k1"))),
                    new DnsServerSettings.RateLimit(0, 0, List.of()),
                    null),
            () -> new StateAge(0, 0));

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Told(Message message, byte[] wire, InetAddress from, int port) {
        long serial() {
            return ((SOARecord) message.getSection(Section.ANSWER).get(0)).getSerial();
        }
    }

    private static DatagramSocket socket() {
        try {
            DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
            socket.setSoTimeout(20_000);
            return socket;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @BeforeEach
    void start() throws IOException {
        server.start();
    }

    @AfterEach
    void stop() {
        server.close();
        secondary.close();
    }

    private Told hear() throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[4_096], 4_096);
        secondary.receive(packet);
        byte[] wire = Arrays.copyOf(packet.getData(), packet.getLength());
        return new Told(new Message(wire), wire, packet.getAddress(), packet.getPort());
    }

    private void reply(Told notification, int rcode, boolean signed) throws IOException {
        Message reply = new Message(notification.message().getHeader().getID());
        reply.getHeader().setOpcode(Opcode.NOTIFY);
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setRcode(rcode);
        reply.addRecord(notification.message().getQuestion(), Section.QUESTION);
        if (signed) {
            TSIGRecord signature = TSIG_KEY.generate(
                    reply, reply.toWire(), Rcode.NOERROR, notification.message().getTSIG());
            reply.addRecord(signature, Section.ADDITIONAL);
        }
        byte[] wire = reply.toWire();
        secondary.send(new DatagramPacket(wire, wire.length, notification.from(), notification.port()));
    }

    private SecondaryState state() {
        return server.secondaries().get(0);
    }

    @Test
    void eachChangeIsToldOnceItIsAcknowledged() throws IOException {
        server.serve(Played.zone(1));
        Told first = hear();
        assertThat(first.message().getHeader().getOpcode()).isEqualTo(Opcode.NOTIFY);
        assertThat(first.message().getHeader().getFlag(Flags.AA)).isTrue();
        assertThat(first.message().getQuestion().getType()).isEqualTo(Type.SOA);
        assertThat(first.message().getQuestion().getName()).hasToString("db.test.");
        assertThat(first.serial()).isEqualTo(1);
        assertThat(TSIG_KEY.verify(first.message(), first.wire(), null)).isEqualTo(Rcode.NOERROR);
        assertThat(first.from().getHostAddress())
                .as("from the address that serves")
                .isEqualTo("127.0.0.1");

        // While one is under way, changes are gathered.
        server.serve(Played.zone(2));
        server.serve(Played.zone(3));
        Played.await("the changes are known", () -> state().wantedSerial() == 3);
        reply(first, Rcode.NOERROR, true);
        Told second = hear();
        assertThat(second.serial()).isEqualTo(3);
        assertThat(state().acknowledgedSerial()).isEqualTo(1);
        reply(second, Rcode.NOERROR, true);
        Played.await("it is acknowledged", () -> state().acknowledgedSerial() == 3);
        assertThat(server.metrics().notifiesSent()).isEqualTo(2);
    }

    @Test
    void whatIsNotAcknowledgedIsRepeated() throws IOException {
        server.serve(Played.zone(1));
        Told first = hear();
        server.serve(Played.zone(2));
        Played.await("the change is known", () -> state().wantedSerial() == 2);
        reply(first, Rcode.NOERROR, false); // forged: nobody signed it
        Told again = hear();
        assertThat(again.serial()).as("the newest, by then").isEqualTo(2);
        assertThat(state().acknowledgedSerial()).isEqualTo(-1);
        reply(again, Rcode.NOERROR, true);
        Played.await("it is acknowledged", () -> state().acknowledgedSerial() == 2);
    }

    @Test
    void aRefusalIsCounted() throws IOException {
        server.serve(Played.zone(1));
        reply(hear(), Rcode.REFUSED, false);
        Played.await("it is counted", () -> server.metrics().notifyFailures() == 1);
        server.serve(Played.zone(2));
        assertThat(hear().serial()).as("the next change is told").isEqualTo(2);
    }
}
