package org.haarbiter.agent.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Set;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Ends the TCP connections of the server's port at once. A dying server's clients would otherwise wait until the kernel
 * has freed all its memory. Uses the kernel's socket diagnosis (netlink, {@code SOCK_DESTROY}), which needs CAP_NET_ADMIN
 * and a kernel with CONFIG_INET_DIAG_DESTROY; without them {@link #unavailable} says so and nothing is reset.
 *
 * <p>Threads: any; calls are taken one at a time.
 */
public final class ConnectionReset implements AutoCloseable {
    private static final int AF_NETLINK = 16;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int NETLINK_SOCK_DIAG = 4;
    private static final short SOCK_DIAG_BY_FAMILY = 20;
    private static final short SOCK_DESTROY = 21;
    private static final short NLMSG_ERROR = 2;
    private static final short NLMSG_DONE = 3;
    private static final short NLM_F_REQUEST = 1;
    private static final short NLM_F_ACK = 4;
    private static final short NLM_F_DUMP = 0x300;
    private static final byte IPPROTO_TCP = 6;
    private static final int HEADER = 16;
    private static final int REQUEST = HEADER + 56;
    private static final int ID = 48;
    private static final int INODE = 68;
    private static final int LISTEN_STATE = 10;
    private static final int SYN_SENT_STATE = 2;

    /** Established, syn-recv, fin-wait 1 and 2, close-wait: a client may wait at the other end of each. */
    private static final int OPEN_STATES = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8;

    private static final int BATCH = 400;
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final long ANSWER_NANOS = 200_000_000;

    private final int port;
    private final byte[][] addresses;
    private final Memory out = new Memory((long) BATCH * REQUEST);
    private final ByteBuffer outBytes = out.getByteBuffer(0, out.size()).order(ByteOrder.nativeOrder());
    private final Memory in = new Memory(BUFFER_BYTES);
    private final ByteBuffer inBytes = in.getByteBuffer(0, BUFFER_BYTES).order(ByteOrder.nativeOrder());
    private final Memory pollFd = new Memory(8);
    private final byte[] id = new byte[ID];
    private final byte[] local = new byte[16];
    private byte[] found = new byte[BATCH * (ID + 1)];
    private int foundCount;
    private boolean everyAddress4;
    private boolean everyAddress6;
    private boolean listeners6;
    private boolean keepListeners;

    /** The sockets to look for by their inodes; null while the server's port is what counts. */
    private @Nullable Set<Integer> outgoing;

    private int fd = -1;
    private final @Nullable String unavailable;

    /**
     * Prepares the resetting of connections to one server; asks the kernel whether it can.
     *
     * @param server the address that the server's clients connect to; its name is looked up now, not at a death
     */
    public ConnectionReset(Endpoint server) {
        this.port = server.port();
        byte[][] found = {};
        String problem = null;
        try {
            InetAddress[] all = InetAddress.getAllByName(server.host());
            found = new byte[all.length][];
            for (int i = 0; i < all.length; i++) {
                found[i] = mapped(all[i].getAddress());
            }
        } catch (UnknownHostException e) {
            problem = "the host of " + server + " is unknown here: check the agent's address setting and name service";
        }
        this.addresses = found;
        if (problem == null) {
            problem = tryOut();
        }
        this.unavailable = problem == null
                ? null
                : "resetting client connections when the server dies: not available: " + problem
                        + ". Clients will notice the death later, by about 90 ms for each GB of the server's memory";
    }

    private synchronized @Nullable String tryOut() {
        try {
            fd = LibC.socket(AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
            pollFd.setInt(0, fd);
            pollFd.setShort(4, (short) LibC.POLLIN);
            // A socket that can't exist: a kernel that could destroy it says "no such file", others say why not.
            Arrays.fill(id, (byte) 0);
            id[0] = 0;
            id[1] = 1;
            request(0, SOCK_DESTROY, (short) (NLM_F_REQUEST | NLM_F_ACK), AF_INET, 0, id, 0);
            LibC.send(fd, out, REQUEST, 0);
            int error = firstError();
            if (error == LibC.EPERM || error == LibC.EACCES) {
                return "the agent lacks CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)";
            }
            if (error != LibC.ENOENT) {
                return "the kernel answers errno " + error + " (needs CONFIG_INET_DIAG_DESTROY)";
            }
            return null;
        } catch (LastErrorException e) {
            return "the kernel's socket diagnosis can't be used: " + LibC.text(e);
        }
    }

    /** Why connections can't be reset, as a sentence for an operator; null where they can. */
    public @Nullable String unavailable() {
        return unavailable;
    }

    /**
     * Ends the connections that the server itself has opened to another's port: replication's, and those by which it
     * takes its leave of a source that doesn't answer any more.
     *
     * @param port the other's port
     * @param owner the server; nobody else's connections are touched
     * @return how many were ended; -1 where they can't be
     */
    public synchronized int resetOutgoing(int port, ServerProcess owner) {
        if (unavailable != null || fd < 0) {
            return -1;
        }
        try {
            Set<Integer> inodes = owner.sockets();
            outgoing = inodes;
            foundCount = 0;
            skipAnswers();
            find(AF_INET, OPEN_STATES | 1 << SYN_SENT_STATE, 0, port);
            find(AF_INET6, OPEN_STATES | 1 << SYN_SENT_STATE, 0, port);
            return endFound();
        } catch (LastErrorException | IOException e) {
            return -1;
        } finally {
            outgoing = null;
        }
    }

    /** The connections that {@link #reset} would end now; -1 where that can't be told. Ends none. */
    public synchronized int count() {
        if (unavailable != null || fd < 0) {
            return -1;
        }
        try {
            find(false);
            return foundCount;
        } catch (LastErrorException e) {
            return -1;
        }
    }

    /**
     * Ends all connections to the server's port and address.
     *
     * @param listenersToo also close what listens there, so that new connections are refused: only where the server is
     *     dying, since it can't be undone
     * @return how many sockets were ended; -1 where they can't be
     */
    public synchronized int reset(boolean listenersToo) {
        if (unavailable != null || fd < 0) {
            return -1;
        }
        try {
            find(listenersToo);
            return endFound();
        } catch (LastErrorException e) {
            return -1;
        }
    }

    private int endFound() {
        int ended = 0;
        while (ended < foundCount) {
            int batch = Math.min(BATCH, foundCount - ended);
            for (int i = 0; i < batch; i++) {
                int at = (ended + i) * (ID + 1);
                request(i * REQUEST, SOCK_DESTROY, NLM_F_REQUEST, found[at], 0, found, at + 1);
            }
            LibC.send(fd, out, (long) batch * REQUEST, 0);
            ended += batch;
        }
        skipAnswers();
        return ended;
    }

    private void find(boolean listenersToo) {
        foundCount = 0;
        everyAddress4 = false;
        everyAddress6 = false;
        listeners6 = false;
        keepListeners = listenersToo;
        skipAnswers();
        // The kernel goes through its listeners first, so that it is known in time whether all addresses are the
        // server's.
        find(AF_INET, OPEN_STATES | 1 << LISTEN_STATE, port, 0);
        find(AF_INET6, 1 << LISTEN_STATE, port, 0);
        if (listeners6) {
            find(AF_INET6, OPEN_STATES, port, 0);
        }
    }

    private void find(int family, int states, int localPort, int remotePort) {
        Arrays.fill(id, (byte) 0);
        id[0] = (byte) (localPort >> 8);
        id[1] = (byte) localPort;
        id[2] = (byte) (remotePort >> 8);
        id[3] = (byte) remotePort;
        request(0, SOCK_DIAG_BY_FAMILY, (short) (NLM_F_REQUEST | NLM_F_DUMP), family, states, id, 0);
        LibC.send(fd, out, REQUEST, 0);
        while (true) {
            int length = receive();
            if (length < 0) {
                return;
            }
            int at = 0;
            while (at + HEADER <= length) {
                int size = inBytes.getInt(at);
                short type = inBytes.getShort(at + 4);
                if (type == NLMSG_DONE || type == NLMSG_ERROR || size < HEADER) {
                    return;
                }
                if (type == SOCK_DIAG_BY_FAMILY && size >= HEADER + INODE + 4) {
                    keep(at + HEADER);
                }
                at += (size + 3) & ~3;
            }
        }
    }

    private void keep(int message) {
        byte family = inBytes.get(message);
        byte state = inBytes.get(message + 1);
        inBytes.get(message + 4, id);
        int foundPort = (id[0] & 0xff) << 8 | (id[1] & 0xff);
        Set<Integer> owned = outgoing;
        if (owned != null) {
            if (foundPort != port && owned.contains(inBytes.getInt(message + INODE))) {
                add(family);
            }
            return;
        }
        if (foundPort != port || !isServers(family, state)) {
            return;
        }
        if (state == LISTEN_STATE && family == AF_INET6) {
            listeners6 = true;
        }
        if (state == LISTEN_STATE && !keepListeners) {
            return;
        }
        add(family);
    }

    private void add(byte family) {
        int at = foundCount * (ID + 1);
        if (at + ID + 1 > found.length) {
            found = Arrays.copyOf(found, found.length * 2);
        }
        found[at] = family;
        System.arraycopy(id, 0, found, at + 1, ID);
        foundCount++;
    }

    private boolean isServers(byte family, byte state) {
        if (family == AF_INET) {
            Arrays.fill(local, (byte) 0);
            local[10] = (byte) 0xff;
            local[11] = (byte) 0xff;
            System.arraycopy(id, 4, local, 12, 4);
        } else {
            System.arraycopy(id, 4, local, 0, 16);
        }
        for (byte[] address : addresses) {
            if (Arrays.equals(address, local)) {
                return true;
            }
        }
        // Who listens at this port on all addresses leaves no room for another at the server's: then all of them are
        // its.
        if (state == LISTEN_STATE && isAny(family)) {
            if (family == AF_INET) {
                everyAddress4 = true;
            } else {
                everyAddress6 = true;
            }
        }
        return family == AF_INET ? everyAddress4 : everyAddress6;
    }

    private boolean isAny(byte family) {
        int last = family == AF_INET ? 8 : 20;
        for (int i = 4; i < last; i++) {
            if (id[i] != 0) {
                return false;
            }
        }
        return true;
    }

    private void request(int at, short type, short flags, int family, int states, byte[] ids, int idAt) {
        outBytes.putInt(at, REQUEST);
        outBytes.putShort(at + 4, type);
        outBytes.putShort(at + 6, flags);
        outBytes.putInt(at + 8, 1);
        outBytes.putInt(at + 12, 0);
        outBytes.put(at + 16, (byte) family);
        outBytes.put(at + 17, IPPROTO_TCP);
        outBytes.put(at + 18, (byte) 0);
        outBytes.put(at + 19, (byte) 0);
        outBytes.putInt(at + 20, states);
        outBytes.put(at + 24, ids, idAt, ID);
    }

    private int firstError() {
        int length = receive();
        if (length >= HEADER + 4 && inBytes.getShort(4) == NLMSG_ERROR) {
            return -inBytes.getInt(HEADER);
        }
        return 0;
    }

    private int receive() {
        long deadline = System.nanoTime() + ANSWER_NANOS;
        while (System.nanoTime() - deadline < 0) {
            if (readable(10)) {
                return (int) LibC.recv(fd, in, BUFFER_BYTES, LibC.MSG_DONTWAIT);
            }
        }
        return -1;
    }

    private void skipAnswers() {
        while (readable(0)) {
            if (LibC.recv(fd, in, BUFFER_BYTES, LibC.MSG_DONTWAIT) <= 0) {
                return;
            }
        }
    }

    private boolean readable(int millis) {
        pollFd.setShort(6, (short) 0);
        return LibC.poll(pollFd, 1, millis) > 0;
    }

    private static byte[] mapped(byte[] address) {
        if (address.length == 16) {
            return address;
        }
        byte[] long6 = new byte[16];
        long6[10] = (byte) 0xff;
        long6[11] = (byte) 0xff;
        System.arraycopy(address, 0, long6, 12, 4);
        return long6;
    }

    @Override
    public synchronized void close() {
        if (fd >= 0) {
            LibC.close(fd);
            fd = -1;
        }
    }
}
