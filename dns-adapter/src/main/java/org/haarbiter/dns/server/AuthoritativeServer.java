package org.haarbiter.dns.server;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.FastThreadLocal;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xbill.DNS.Address;

/**
 * Answers for its zones with authority, over UDP and TCP. It knows only what {@link #serve} was given, and says SERVFAIL for a zone
 * until then, and while {@link #notCaughtUp} holds. A serial number that isn't newer never replaces what is served. Threads: all
 * methods but {@link #start} and {@link #close}, which are for one, may be called by any.
 */
public final class AuthoritativeServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AuthoritativeServer.class);

    private static final int BACKLOG = 1_024;
    /** Received at one go, where the kernel can: a batch costs one call. */
    private static final int DATAGRAMS_AT_ONCE = 64;

    private static final int BATCHES_AT_ONCE = 16;
    private static final int SOCKET_BYTES = 4 * 1024 * 1024;
    private static final int TCP_READ_BYTES = 2_048;
    private static final int REGIONS_CHECK_MILLIS = 2_000;
    private static final int MAX_SENTENCE_LETTERS = 200;

    private final DnsServerSettings settings;
    private final Supplier<StateAge> stateAge;
    private final Ticker ticker;
    private final DnsServerMetrics metrics = new DnsServerMetrics();
    private final Warnings warnings;
    private final RegionNames regions;
    private final @Nullable RegionsFile regionsFile;
    private final Cookies cookies;
    private final @Nullable ResponseRate rate;
    private final Map<String, ZoneHistory> histories = new HashMap<>();
    private final boolean epoll;
    private final EventLoopGroup loops;
    private final EventLoopGroup side;
    private final ByteBufAllocator allocator;
    private final Notifier notifier;
    private final LongWay longWay;
    private final Shared shared = new Shared();
    private final List<Channel> channels = new ArrayList<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final Map<InetAddress, Integer> connectionsByClient = new ConcurrentHashMap<>();
    private volatile Catalog catalog;

    /** Guarded by this, as is the next. */
    private boolean started;

    private boolean answers = true;

    /**
     * Doesn't open anything yet.
     *
     * @param stateAge asked for each query of {@link ZoneContents#STATE_NAME}, by any thread; must not wait and must not throw
     */
    public AuthoritativeServer(DnsServerSettings settings, Supplier<StateAge> stateAge) {
        this(settings, stateAge, Ticker.SYSTEM, Epoll.isAvailable());
    }

    AuthoritativeServer(DnsServerSettings settings, Supplier<StateAge> stateAge, Ticker ticker, boolean epoll) {
        this.settings = settings;
        this.stateAge = stateAge;
        this.ticker = ticker;
        this.epoll = epoll;
        this.warnings = new Warnings(LOG, ticker);
        this.regions = new RegionNames(settings.regions());
        this.regionsFile = settings.regionsFile() == null ? null : new RegionsFile(settings.regionsFile(), regions);
        this.cookies = new Cookies(cookieSecret(settings));
        DnsServerSettings.RateLimit limit = settings.rateLimit();
        this.rate = limit.responsesPerSecond() == 0 ? null : new ResponseRate(limit.responsesPerSecond(), limit.slip());
        List<Catalog.Zone> zones = new ArrayList<>();
        for (String zone : settings.zones().keySet()) {
            zones.add(new Catalog.Zone(zone, null));
            histories.put(zone, new ZoneHistory());
        }
        this.catalog = new Catalog(zones, RegionTable.EMPTY, "");
        this.loops = new MultiThreadIoEventLoopGroup(
                settings.threads(),
                new DefaultThreadFactory("dns-server", true),
                epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        // Of 1 MB chunks, one arena a thread: a batch and its responses have 200 KB at most.
        this.allocator = new PooledByteBufAllocator(true, 0, settings.threads(), 8_192, 7, 256, 64, true);
        this.side = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("dns-notify", true), NioIoHandler.newFactory());
        this.notifier = new Notifier(settings, metrics, warnings, side);
        this.longWay = new LongWay(settings, metrics, warnings, shared, shared::responder);
    }

    private static byte[] cookieSecret(DnsServerSettings settings) {
        byte[] given = settings.cookieBytes();
        if (given != null) {
            return given;
        }
        byte[] drawn = new byte[Cookies.SECRET_BYTES];
        new SecureRandom().nextBytes(drawn);
        return drawn;
    }

    /**
     * Reads the regions file, opens all sockets and begins to answer.
     *
     * @throws IOException naming the file and its mistakes, or the address that can't be listened at; nothing is open then
     */
    public void start() throws IOException {
        try {
            if (regionsFile != null) {
                RegionTable table = regionsFile.read();
                replace(table);
                side.scheduleWithFixedDelay(
                        this::checkRegions, REGIONS_CHECK_MILLIS, REGIONS_CHECK_MILLIS, TimeUnit.MILLISECONDS);
            }
            List<InetAddress> own = new ArrayList<>();
            for (Endpoint endpoint : settings.listen()) {
                InetAddress address = Address.getByAddress(endpoint.host());
                own.add(address);
                listen(new InetSocketAddress(address, endpoint.port()));
            }
            notifier.start(own);
            started();
        } catch (IOException e) {
            close();
            throw e;
        }
        LOG.info(
                "dns server: {} ({}, {} threads)",
                settings,
                epoll ? "epoll" : "without epoll: " + Epoll.unavailabilityCause(),
                settings.threads());
    }

    private void listen(InetSocketAddress address) throws IOException {
        // One socket a thread, between which the kernel shares the clients out, where it can.
        int sockets = epoll ? settings.threads() : 1;
        for (int i = 0; i < sockets; i++) {
            Bootstrap udp = new Bootstrap()
                    .group(loops)
                    .channel(epoll ? EpollDatagramChannel.class : NioDatagramChannel.class)
                    // The usual allocator would fetch, and clear, new memory for each batch: it pools nothing as large.
                    .option(ChannelOption.ALLOCATOR, allocator)
                    .option(ChannelOption.SO_RCVBUF, SOCKET_BYTES)
                    .option(ChannelOption.SO_SNDBUF, SOCKET_BYTES)
                    .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1 << 20, 2 << 20))
                    .option(
                            ChannelOption.RECVBUF_ALLOCATOR,
                            new FixedRecvByteBufAllocator(UdpHandler.MAX_QUERY_BYTES * (epoll ? DATAGRAMS_AT_ONCE : 1))
                                    .maxMessagesPerRead(BATCHES_AT_ONCE * (epoll ? 1 : DATAGRAMS_AT_ONCE)))
                    .handler(new UdpHandler(shared));
            if (epoll) {
                udp.option(EpollChannelOption.MAX_DATAGRAM_PAYLOAD_SIZE, UdpHandler.MAX_QUERY_BYTES);
                udp.option(EpollChannelOption.SO_REUSEPORT, sockets > 1);
            }
            bound(udp.bind(address), "UDP", address);
        }
        bound(
                new ServerBootstrap()
                        .group(loops)
                        .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                        .option(ChannelOption.SO_BACKLOG, BACKLOG)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(TCP_READ_BYTES))
                        .childHandler(new ChannelInitializer<Channel>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                accept(channel);
                            }
                        })
                        .bind(address),
                "TCP",
                address);
    }

    private void bound(ChannelFuture bound, String transport, InetSocketAddress address) throws IOException {
        bound.awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "dns server: can't listen on " + transport + " "
                            + address.getAddress().getHostAddress() + " port "
                            + address.getPort() + ": " + bound.cause().getMessage()
                            + " (must be an address of this machine and a port nobody uses; below 1024 needs"
                            + " CAP_NET_BIND_SERVICE)",
                    bound.cause());
        }
        channels.add(bound.channel());
    }

    private void accept(Channel channel) {
        if (!(channel.remoteAddress() instanceof InetSocketAddress client)) {
            channel.close(); // gone already
            return;
        }
        int ofClient = connectionsByClient.merge(client.getAddress(), 1, Integer::sum);
        int all = connections.incrementAndGet();
        channel.closeFuture().addListener(closed -> {
            connections.decrementAndGet();
            connectionsByClient.computeIfPresent(
                    client.getAddress(), (address, count) -> count == 1 ? null : count - 1);
        });
        if (all > settings.maxConnections() || ofClient > settings.maxConnectionsPerClient()) {
            metrics.tcpRefused.increment();
            warnings.warn(
                    Warnings.Kind.REFUSED_CONNECTION,
                    () -> "TCP connection of " + client + " refused: " + all + " are open (max-connections "
                            + settings.maxConnections() + "), " + ofClient
                            + " of this client (max-connections-per-client "
                            + settings.maxConnectionsPerClient() + ")");
            channel.close();
            return;
        }
        PerThread own = shared.perThread.get();
        channel.pipeline()
                .addLast(new LengthFieldBasedFrameDecoder(2 + TcpHandler.MAX_QUERY_BYTES, 0, 2, 0, 2))
                .addLast(new TcpHandler(shared, ticker, own.responder, own.response, client));
    }

    /**
     * Answers from these contents from now on, unless what is served is as new; secondaries are told.
     *
     * @throws IllegalArgumentException where the zone or one of its regions isn't in the settings
     */
    public synchronized ServeOutcome serve(ZoneContents contents) {
        Catalog.Zone zone = catalog.zone(contents.origin());
        ZoneHistory history = histories.get(contents.origin());
        if (zone == null || history == null) {
            throw new IllegalArgumentException("zone: " + contents.origin() + " (must be one of "
                    + settings.zones().keySet() + ")");
        }
        ZoneSnapshot before = zone.snapshot;
        if (before != null && !ZoneContents.newer(contents.serial(), before.contents.serial())) {
            return notNewer(contents, before.contents);
        }
        ZoneSnapshot after = ZoneSnapshot.of(contents, regions, before);
        if (before != null) {
            history.add(before.contents, contents);
        }
        catalog = catalog.with(after);
        if (started && answers) {
            notifier.changed(contents);
        }
        return new ServeOutcome(ServeOutcome.Result.SERVED, "");
    }

    private static ServeOutcome notNewer(ZoneContents contents, ZoneContents served) {
        if (contents.serial() == served.serial()
                && contents.sameApex(served)
                && contents.changedFrom(served).isEmpty()) {
            return new ServeOutcome(ServeOutcome.Result.UNCHANGED, "");
        }
        return new ServeOutcome(
                ServeOutcome.Result.OLDER,
                "zone " + contents.origin() + ": serial " + contents.serial() + " (must be newer than "
                        + served.serial() + ", which is served with other contents)");
    }

    /**
     * Nothing is answered from now on but SERVFAIL, with the reason.
     *
     * @param sentence for whoever asks, not empty; 200 letters of it are sent
     */
    public synchronized void notCaughtUp(String sentence) {
        if (sentence.isBlank()) {
            throw new IllegalArgumentException("sentence: blank (must say why)");
        }
        answers = false;
        catalog = catalog.notCaughtUp(sentence.substring(0, Math.min(MAX_SENTENCE_LETTERS, sentence.length())));
    }

    /** Answers again, from what was served last; secondaries are told, since they may have asked in vain. */
    public synchronized void caughtUp() {
        catalog = catalog.notCaughtUp("");
        answers = true;
        tellSecondaries();
    }

    private synchronized void tellSecondaries() {
        for (Catalog.Zone zone : catalog.zones()) {
            if (started && answers && zone.snapshot != null) {
                notifier.changed(zone.snapshot.contents);
            }
        }
    }

    private synchronized void started() {
        started = true;
        tellSecondaries();
    }

    private synchronized void replace(RegionTable table) {
        catalog = catalog.with(table);
    }

    private void checkRegions() {
        RegionsFile file = regionsFile;
        RegionTable table = file == null ? null : file.check();
        if (table != null) {
            replace(table);
        }
    }

    /** The counts since the start. */
    public DnsServerMetrics.Snapshot metrics() {
        return metrics.snapshot();
    }

    /** The serial number that each zone is served at; zones that nothing was handed over for are missing. */
    public SortedMap<String, Long> serials() {
        TreeMap<String, Long> serials = new TreeMap<>();
        for (Catalog.Zone zone : catalog.zones()) {
            if (zone.snapshot != null) {
                serials.put(zone.name, zone.snapshot.contents.serial());
            }
        }
        return serials;
    }

    /** What is known of each secondary of each zone. */
    public List<SecondaryState> secondaries() {
        return notifier.states();
    }

    /** How many TCP connections are open. */
    public int connections() {
        return connections.get();
    }

    /** What is wrong with the regions file, so that an older one is in force; empty where nothing is. */
    public String regionsTrouble() {
        return regionsFile == null ? "" : regionsFile.trouble();
    }

    /** Stops to answer, and frees the ports; returns when that is done. */
    @Override
    public void close() {
        for (Channel channel : channels) {
            // First, by itself: a connection that is accepted while its thread ends can keep the port from being freed.
            channel.close().awaitUninterruptibly();
        }
        longWay.close();
        loops.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
        side.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    /** What all connections of one thread share: only one of them is at work at a time. */
    private static final class PerThread {
        final Responder responder;
        final byte[] response = new byte[Responder.MAX_BYTES];

        PerThread(Responder responder) {
            this.responder = responder;
        }
    }

    private final class Shared implements Serving, LongWay.Zones {
        final FastThreadLocal<PerThread> perThread = new FastThreadLocal<>() {
            @Override
            protected PerThread initialValue() {
                return new PerThread(responder());
            }
        };

        @Override
        public Responder responder() {
            return new Responder(
                    metrics,
                    rate,
                    settings.rateLimit().exempt(),
                    settings.clientSubnetFrom(),
                    cookies,
                    settings.serverId(),
                    stateAge,
                    catalog);
        }

        @Override
        public void refresh(Responder responder) {
            responder.at(catalog, ticker.nanos(), System.currentTimeMillis() / 1_000);
        }

        @Override
        public DnsServerMetrics metrics() {
            return metrics;
        }

        @Override
        public Warnings warnings() {
            return warnings;
        }

        @Override
        public LongWay longWay() {
            return longWay;
        }

        @Override
        public DnsServerSettings settings() {
            return settings;
        }

        @Override
        public Catalog catalog() {
            return catalog;
        }

        @Override
        public ZoneHistory history(String zone) {
            ZoneHistory history = histories.get(zone);
            if (history == null) {
                throw new IllegalArgumentException("zone: " + zone + " (must be one of " + histories.keySet() + ")");
            }
            return history;
        }

        @Override
        public void has(String zone, InetSocketAddress client, long serial) {
            notifier.has(zone, client, serial);
        }
    }
}
