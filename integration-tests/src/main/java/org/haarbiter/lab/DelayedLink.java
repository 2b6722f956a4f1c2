package org.haarbiter.lab;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Carries every frame from one network interface to another and back, each after a while, in order. It stands where the
 * kernel's own delay (netem) would, which not every kernel has. Frames are taken and given as the kernel hands them over,
 * unfinished checksums and large segments included, so that hosts behind it notice nothing but the delay.
 */
final class DelayedLink implements AutoCloseable {

    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW = 3;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUF = 8;
    private static final int SO_RCVTIMEO = 20;
    private static final int SOL_PACKET = 263;
    private static final int PACKET_VNET_HDR = 15;
    private static final int PACKET_IGNORE_OUTGOING = 23;
    private static final short EVERY_PROTOCOL = 3;
    private static final int EAGAIN = 11;
    private static final int LARGEST_FRAME = 70_000;
    private static final int RECEIVE_BUFFER = 8 << 20;

    /** As a switch's buffer: what comes when it is full is lost. */
    private static final int MOST_FRAMES = 20_000;

    private static final long WAIT_MILLIS = 100;

    private interface LibC extends Library {
        LibC INSTANCE = Native.load("c", LibC.class);

        int socket(int domain, int type, int protocol) throws LastErrorException;

        int bind(int socket, byte[] address, int length) throws LastErrorException;

        int setsockopt(int socket, int level, int option, byte[] value, int length) throws LastErrorException;

        int recv(int socket, byte[] buffer, long length, int flags) throws LastErrorException;

        int send(int socket, byte[] buffer, long length, int flags) throws LastErrorException;

        int if_nametoindex(String name) throws LastErrorException;

        int close(int descriptor) throws LastErrorException;
    }

    private record Frame(ByteBuffer bytes, long dueNanos) {}

    /** One direction. */
    private final class Way {
        private final int from;
        private final int to;
        private final Random chance;
        private final ArrayBlockingQueue<Frame> frames = new ArrayBlockingQueue<>(MOST_FRAMES);

        Way(int from, int to, long seed) {
            this.from = from;
            this.to = to;
            this.chance = new Random(seed);
        }

        void take() {
            byte[] buffer = new byte[LARGEST_FRAME];
            long last = System.nanoTime();
            while (running) {
                int length = receive(from, buffer);
                if (length > 0) {
                    long jitter = Math.round((2 * chance.nextDouble() - 1) * jitterNanos);
                    long due = System.nanoTime() + delayNanos + jitter;
                    // Not before the one that came before it: a link keeps the order.
                    last = due - last > 0 ? due : last;
                    if (!frames.offer(new Frame(ByteBuffer.wrap(Arrays.copyOf(buffer, length)), last))) {
                        // A full link loses the frame, as a real one does; time must pass before there is room.
                        LockSupport.parkNanos(1_000L);
                    }
                }
            }
        }

        void give() {
            try {
                while (running) {
                    Frame frame = frames.poll(WAIT_MILLIS, TimeUnit.MILLISECONDS);
                    while (frame != null && running && frame.dueNanos() - System.nanoTime() > 0) {
                        LockSupport.parkNanos(frame.dueNanos() - System.nanoTime());
                    }
                    if (frame != null && running) {
                        send(to, frame.bytes().array());
                    }
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private final long delayNanos;
    private final long jitterNanos;
    private final List<Integer> sockets = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean running = true;

    private DelayedLink(Duration delay, Duration jitter) {
        this.delayNanos = delay.toNanos();
        this.jitterNanos = jitter.toNanos();
    }

    /**
     * Joins two interfaces of the calling thread's network namespace.
     *
     * @param delay of each frame, each way
     * @param jitter by so much it may be more or less; at most {@code delay}
     */
    static DelayedLink join(String one, String other, Duration delay, Duration jitter, ThreadFactory factory)
            throws IOException {
        if (jitter.isNegative() || jitter.compareTo(delay) > 0) {
            throw new IllegalArgumentException("jitter: " + jitter + " (must be 0 to the delay, " + delay + ")");
        }
        DelayedLink link = new DelayedLink(delay, jitter);
        try {
            int first = link.open(one);
            int second = link.open(other);
            for (Way way : List.of(link.new Way(first, second, 1), link.new Way(second, first, 2))) {
                link.threads.add(factory.newThread(way::take));
                link.threads.add(factory.newThread(way::give));
            }
        } catch (LastErrorException e) {
            link.close();
            throw new IOException("can't carry frames between " + one + " and " + other, e);
        }
        link.threads.forEach(Thread::start);
        return link;
    }

    private int open(String device) {
        LibC c = LibC.INSTANCE;
        // Protocol 0: nothing is received before the socket is bound to its interface.
        int socket = c.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        sockets.add(socket);
        set(socket, SOL_PACKET, PACKET_VNET_HDR, number(1));
        set(socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, number(1));
        set(socket, SOL_SOCKET, SO_RCVBUF, number(RECEIVE_BUFFER));
        ByteBuffer limit = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
        limit.putLong(0).putLong(TimeUnit.MILLISECONDS.toMicros(WAIT_MILLIS));
        set(socket, SOL_SOCKET, SO_RCVTIMEO, limit.array());
        ByteBuffer address = ByteBuffer.allocate(20).order(ByteOrder.nativeOrder());
        address.putShort((short) AF_PACKET);
        address.order(ByteOrder.BIG_ENDIAN).putShort(EVERY_PROTOCOL);
        address.order(ByteOrder.nativeOrder()).putInt(c.if_nametoindex(device));
        c.bind(socket, address.array(), address.capacity());
        return socket;
    }

    private static void set(int socket, int level, int option, byte[] value) {
        LibC.INSTANCE.setsockopt(socket, level, option, value, value.length);
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    /** The length of the frame; 0 when none came. */
    private static int receive(int socket, byte[] buffer) {
        try {
            return LibC.INSTANCE.recv(socket, buffer, buffer.length, 0);
        } catch (LastErrorException e) {
            if (e.getErrorCode() == EAGAIN) {
                return 0;
            }
            // The interface went down or away: there is nothing to carry until the link is closed.
            LockSupport.parkNanos(1_000_000L);
            return 0;
        }
    }

    private static void send(int socket, byte[] frame) {
        try {
            LibC.INSTANCE.send(socket, frame, frame.length, 0);
        } catch (LastErrorException e) {
            // No room, or the interface is down: the frame is lost, as on a real link. The next may fare better.
            LockSupport.parkNanos(1_000L);
        }
    }

    /** What is under way is lost. */
    @Override
    public void close() {
        running = false;
        for (Thread thread : threads) {
            try {
                thread.join(10 * WAIT_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        for (int socket : sockets) {
            LibC.INSTANCE.close(socket);
        }
        sockets.clear();
    }
}
