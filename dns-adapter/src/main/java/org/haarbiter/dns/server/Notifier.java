package org.haarbiter.dns.server;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Address;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Opcode;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;
import org.xbill.DNS.Type;

/**
 * Tells secondaries that a zone has changed (RFC 1996). At most one notification is under way for each; the next goes out when
 * it is acknowledged, with the newest serial number, so that a storm of changes makes no storm of packets. All state belongs
 * to the one thread of the group.
 */
final class Notifier {

    /** RFC 1996 3.6 asks for a slower beginning; these are few servers, and a packet may get lost. */
    private static final long[] REPEAT_MILLIS = {500, 1_000, 2_000, 4_000, 8_000, 16_000};

    private final DnsServerMetrics metrics;
    private final Warnings warnings;
    private final EventLoopGroup loop;
    private final List<Secondary> secondaries = new ArrayList<>();
    private final SecureRandom random = new SecureRandom();
    private final Map<Boolean, Channel> channels = new HashMap<>();

    private static final class Secondary {
        final String zone;
        final Endpoint address;
        final InetSocketAddress socket;
        final @Nullable TSIG key;
        // Written by the loop's thread, read by any.
        volatile long wanted = -1;
        volatile long acknowledged = -1;
        volatile long transferred = -1;

        @Nullable
        ZoneContents contents;

        int id = -1;
        long sending;
        int attempt;

        @Nullable
        TSIGRecord signature;

        @Nullable
        ScheduledFuture<?> repeat;

        Secondary(String zone, Endpoint address, InetSocketAddress socket, @Nullable TSIG key) {
            this.zone = zone;
            this.address = address;
            this.socket = socket;
            this.key = key;
        }
    }

    /**
     * @param loop of one thread; closed by the caller
     */
    Notifier(DnsServerSettings settings, DnsServerMetrics metrics, Warnings warnings, EventLoopGroup loop) {
        this.metrics = metrics;
        this.warnings = warnings;
        this.loop = loop;
        settings.zones().forEach((zone, rights) -> {
            for (DnsServerSettings.Secondary secondary : rights.secondaries()) {
                SigningKey key = settings.keys().get(secondary.key());
                secondaries.add(new Secondary(
                        zone,
                        secondary.address(),
                        socket(secondary.address()),
                        key == null ? null : LongWay.tsig(key)));
            }
        });
    }

    private static InetSocketAddress socket(Endpoint endpoint) {
        try {
            return new InetSocketAddress(Address.getByAddress(endpoint.host()), endpoint.port());
        } catch (IOException e) {
            throw new IllegalArgumentException(endpoint + " (must be an address)", e);
        }
    }

    /**
     * Opens a socket for each family of addresses that there are.
     *
     * @param from this server's own addresses: secondaries look where a notification comes from
     * @throws IOException where it can't be opened
     */
    void start(List<InetAddress> from) throws IOException {
        for (Secondary secondary : secondaries) {
            boolean six = secondary.socket.getAddress().getAddress().length == 16;
            if (channels.containsKey(six)) {
                continue;
            }
            InetAddress own = null;
            for (InetAddress address : from) {
                own = own == null && address.getAddress().length == 16 == six ? address : own;
            }
            if (own == null) {
                throw new IOException("secondary " + secondary.address + " of " + secondary.zone
                        + ": no address of its family among listen (must be one to send from)");
            }
            ChannelFuture bound = new Bootstrap()
                    .group(loop)
                    .channel(NioDatagramChannel.class)
                    .handler(new Replies())
                    .bind(own, 0)
                    .awaitUninterruptibly();
            if (!bound.isSuccess()) {
                throw new IOException("notifications: can't send from " + own + ": " + bound.cause(), bound.cause());
            }
            channels.put(six, bound.channel());
        }
    }

    /** The zone has changed. Any thread. */
    void changed(ZoneContents contents) {
        loop.execute(() -> {
            for (Secondary secondary : secondaries) {
                if (secondary.zone.equals(contents.origin())) {
                    secondary.contents = contents;
                    secondary.wanted = contents.serial();
                    if (secondary.id < 0) {
                        first(secondary);
                    }
                }
            }
        });
    }

    /** A client has the zone at this serial number; it may be a secondary. Any thread. */
    void has(String zone, InetSocketAddress client, long serial) {
        loop.execute(() -> {
            for (Secondary secondary : secondaries) {
                if (secondary.zone.equals(zone) && secondary.socket.getAddress().equals(client.getAddress())) {
                    secondary.transferred = serial;
                }
            }
        });
    }

    /** What is known of each secondary. Any thread. */
    List<SecondaryState> states() {
        return secondaries.stream()
                .map(secondary -> new SecondaryState(
                        secondary.zone,
                        secondary.address,
                        secondary.wanted,
                        secondary.acknowledged,
                        secondary.transferred))
                .toList();
    }

    private void first(Secondary secondary) {
        secondary.attempt = 0;
        secondary.id = random.nextInt(0x10000);
        send(secondary);
    }

    private void send(Secondary secondary) {
        ZoneContents contents = secondary.contents;
        Channel channel = channels.get(secondary.socket.getAddress().getAddress().length == 16);
        if (contents == null || channel == null) {
            throw new IllegalStateException("notification of " + secondary.zone + " before the start");
        }
        secondary.sending = contents.serial();
        Message message = message(contents, secondary.id);
        secondary.signature = null;
        if (secondary.key != null) {
            // Signed anew each time: the signature holds the time.
            TSIGRecord signature = secondary.key.generate(message, message.toWire(), Rcode.NOERROR, null);
            message.addRecord(signature, Section.ADDITIONAL);
            secondary.signature = signature;
        }
        channel.writeAndFlush(new DatagramPacket(Unpooled.wrappedBuffer(message.toWire()), secondary.socket))
                .addListener(sent -> {
                    if (!sent.isSuccess()) {
                        metrics.sendFailures.increment();
                        warnings.warn(
                                Warnings.Kind.NOTIFY,
                                () -> "notification of " + secondary.address + " can't be sent: " + sent.cause());
                    }
                });
        metrics.notifiesSent.increment();
        secondary.repeat =
                loop.schedule(() -> repeat(secondary), REPEAT_MILLIS[secondary.attempt], TimeUnit.MILLISECONDS);
    }

    private static Message message(ZoneContents contents, int id) {
        Name zone = LongWay.name(contents.origin());
        Message message = new Message(id);
        message.getHeader().setOpcode(Opcode.NOTIFY);
        message.getHeader().setFlag(Flags.AA);
        message.addRecord(Record.newRecord(zone, Type.SOA, DClass.IN), Section.QUESTION);
        StartOfAuthority authority = contents.authority();
        message.addRecord(
                new SOARecord(
                        zone,
                        DClass.IN,
                        authority.ttlSeconds(),
                        LongWay.name(WireName.absolute(authority.primary(), contents.origin())),
                        LongWay.name(WireName.absolute(authority.mailbox(), contents.origin())),
                        contents.serial(),
                        authority.refreshSeconds(),
                        authority.retrySeconds(),
                        authority.expireSeconds(),
                        authority.minimumSeconds()),
                Section.ANSWER);
        return message;
    }

    private void repeat(Secondary secondary) {
        secondary.attempt++;
        if (secondary.attempt < REPEAT_MILLIS.length) {
            send(secondary);
            return;
        }
        failed(
                secondary,
                "didn't acknowledge a notification in " + REPEAT_MILLIS.length
                        + " attempts; the next change is told again, and it looks by itself after the SOA record's refresh");
    }

    private void failed(Secondary secondary, String why) {
        secondary.id = -1;
        metrics.notifyFailures.increment();
        warnings.warn(
                Warnings.Kind.NOTIFY, () -> "secondary " + secondary.address + " of " + secondary.zone + " " + why);
    }

    private void reply(Secondary secondary, Message message, byte[] wire) {
        TSIGRecord signature = secondary.signature;
        if (secondary.key != null
                && signature != null
                && secondary.key.verify(message, wire, signature) != Rcode.NOERROR
                && message.getHeader().getRcode() == Rcode.NOERROR) {
            return; // anybody may have sent this; the true one may come yet
        }
        ScheduledFuture<?> repeat = secondary.repeat;
        if (repeat != null) {
            repeat.cancel(false);
        }
        if (message.getHeader().getRcode() != Rcode.NOERROR) {
            failed(
                    secondary,
                    "answered " + Rcode.string(message.getHeader().getRcode())
                            + " to a notification (see that it holds the zone, and takes notifications from here,"
                            + " with the key " + (secondary.key == null ? "none" : "of the settings") + ")");
            return;
        }
        secondary.acknowledged = secondary.sending;
        secondary.id = -1;
        if (secondary.wanted != secondary.sending) {
            first(secondary);
        }
    }

    private final class Replies extends SimpleChannelInboundHandler<DatagramPacket> {
        Replies() {
            super(DatagramPacket.class);
        }

        @Override
        public boolean isSharable() {
            return false;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
            ByteBuf content = packet.content();
            byte[] wire = ByteBufUtil.getBytes(content);
            if (wire.length < Wire.HEADER_BYTES || wire[2] >= 0 || ((wire[2] >>> 3) & 0x0f) != Opcode.NOTIFY) {
                return;
            }
            for (Secondary secondary : secondaries) {
                if (secondary.id == Wire.getShort(wire, 0) && secondary.socket.equals(packet.sender())) {
                    try {
                        reply(secondary, new Message(wire), wire);
                    } catch (IOException e) {
                        metrics.malformed.increment();
                        warnings.warn(
                                Warnings.Kind.MALFORMED,
                                () -> "reply of " + secondary.address + " to a notification: " + e.getMessage());
                    }
                    return;
                }
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable error) {
            // A port that nobody listens at, told by the other side's kernel: the repetition comes anyway.
            metrics.sendFailures.increment();
            warnings.warn(Warnings.Kind.NOTIFY, () -> "notifications: " + error);
        }
    }
}
