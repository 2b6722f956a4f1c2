package org.haarbiter.agent.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hears from the kernel (its process connector, netlink) when a thread of one process ends. Of a killed server most threads
 * end within a millisecond or two, long before the last of them has freed the memory: the first such event is the moment
 * to look. A filter in the kernel keeps everything else on the machine from waking the agent.
 *
 * <p>Needs CAP_NET_ADMIN, the host's own network, user and pid namespaces, and a kernel with CONFIG_PROC_EVENTS; without
 * them {@link #unavailable} says so. One thread only.
 */
final class ExitEvents implements AutoCloseable {
    private static final int AF_NETLINK = 16;
    private static final int NETLINK_CONNECTOR = 11;
    private static final int CN_IDX_PROC = 1;
    private static final int CN_VAL_PROC = 1;
    private static final short NLMSG_DONE = 3;
    private static final int PROC_CN_MCAST_LISTEN = 1;
    private static final int PROC_CN_MCAST_IGNORE = 2;
    private static final int SOL_SOCKET = 1;
    private static final int SO_ATTACH_FILTER = 26;

    static final int EVENT_NONE = 0;
    static final int EVENT_EXIT = 0x80000000;
    static final int EVENT_COREDUMP = 0x40000000;

    // Where the fields are, counted from the start of a datagram: netlink header, connector header, event.
    static final int AT_ID = 16;
    static final int AT_WHAT = 36;
    static final int AT_ACK_ERROR = 52;
    static final int AT_TGID = 56;
    static final int EVENT_BYTES = 60;

    private static final int SUBSCRIBE_BYTES = 40;
    private static final int BUFFER_BYTES = 4096;
    private static final int FILTER_STEPS = 8;
    private static final long TRIAL_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

    private static final short LOAD_WORD = 0x20;
    private static final short JUMP_IF_EQUAL = 0x15;
    private static final short RETURN = 0x06;

    private final Memory buffer = new Memory(BUFFER_BYTES);
    private final ByteBuffer bytes = buffer.getByteBuffer(0, BUFFER_BYTES).order(ByteOrder.nativeOrder());
    private final Memory pollFd = new Memory(8);
    private final Memory steps = new Memory(8L * FILTER_STEPS);
    private final Memory program = new Memory(16);
    private final @Nullable String unavailable;
    private int fd = -1;
    private int pid;

    /** Subscribes, and tries it out on a thread of this very process. Takes up to 300 ms where it doesn't work. */
    ExitEvents() {
        pollFd.clear();
        String problem;
        try {
            problem = subscribe();
        } catch (LastErrorException e) {
            problem = reason(e.getErrorCode(), LibC.text(e));
        }
        unavailable = problem;
        if (problem != null) {
            close();
        }
    }

    private @Nullable String subscribe() {
        fd = LibC.socket(AF_NETLINK, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, NETLINK_CONNECTOR);
        pollFd.setInt(0, fd);
        pollFd.setShort(4, (short) LibC.POLLIN);
        // The filter comes before the subscription, so that no other process's event ever gets in.
        of(LibC.getpid());
        try (Memory address = new Memory(12)) {
            address.clear();
            address.setShort(0, (short) AF_NETLINK);
            address.setInt(8, CN_IDX_PROC);
            LibC.bind(fd, address, 12);
        }
        ask(PROC_CN_MCAST_LISTEN);
        Thread trial = new Thread(() -> {}, "exit-events-trial");
        trial.setDaemon(true);
        trial.start();
        long deadline = System.nanoTime() + TRIAL_NANOS;
        while (System.nanoTime() - deadline < 0) {
            if (!readable(10)) {
                continue;
            }
            int length = (int) LibC.recv(fd, buffer, BUFFER_BYTES, LibC.MSG_DONTWAIT);
            int error = refusal(bytes, length);
            if (error != 0) {
                return reason(error, "errno " + error);
            }
            if (tellsOfEnd(bytes, length, pid)) {
                return null;
            }
        }
        return "the kernel doesn't send them here: the agent must run in the host's own user and pid namespaces";
    }

    private static String reason(int error, String text) {
        return switch (error) {
            case LibC.EPERM, LibC.EACCES ->
                "the agent lacks CAP_NET_ADMIN (systemd: AmbientCapabilities=CAP_NET_ADMIN)";
            case LibC.EPROTONOSUPPORT -> "the kernel was built without CONFIG_PROC_EVENTS";
            case LibC.ECONNREFUSED, LibC.ENOENT ->
                "the kernel sends them in the host's own network namespace only, or was built without"
                        + " CONFIG_PROC_EVENTS";
            default -> "the kernel's process connector can't be used: " + text;
        };
    }

    private void ask(int operation) {
        try (Memory request = new Memory(SUBSCRIBE_BYTES)) {
            request.clear();
            request.setInt(0, SUBSCRIBE_BYTES);
            request.setShort(4, NLMSG_DONE);
            request.setInt(AT_ID, CN_IDX_PROC);
            request.setInt(AT_ID + 4, CN_VAL_PROC);
            request.setShort(32, (short) 4);
            request.setInt(AT_WHAT, operation);
            LibC.send(fd, request, SUBSCRIBE_BYTES, 0);
        }
    }

    /** Why there are no events, as a sentence for an operator; null where they come. */
    @Nullable
    String unavailable() {
        return unavailable;
    }

    /** Readable when there may be an event; -1 where there are none. */
    int fd() {
        return fd;
    }

    /** Hears of this process's threads from now on, and of no other's. Throws where the kernel takes no filter. */
    void of(int process) {
        pid = process;
        // Words are loaded in network order, whatever the machine's is.
        step(0, LOAD_WORD, 0, 0, AT_WHAT);
        step(1, JUMP_IF_EQUAL, 4, 0, network(EVENT_NONE));
        step(2, JUMP_IF_EQUAL, 1, 0, network(EVENT_EXIT));
        step(3, JUMP_IF_EQUAL, 0, 3, network(EVENT_COREDUMP));
        step(4, LOAD_WORD, 0, 0, AT_TGID);
        step(5, JUMP_IF_EQUAL, 0, 1, network(process));
        step(6, RETURN, 0, 0, -1);
        step(7, RETURN, 0, 0, 0);
        program.clear();
        program.setShort(0, (short) FILTER_STEPS);
        program.setPointer(8, steps);
        LibC.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, 16);
    }

    private void step(int number, short code, int ifTrue, int ifFalse, int operand) {
        long at = 8L * number;
        steps.setShort(at, code);
        steps.setByte(at + 2, (byte) ifTrue);
        steps.setByte(at + 3, (byte) ifFalse);
        steps.setInt(at + 4, operand);
    }

    private static int network(int word) {
        return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? Integer.reverseBytes(word) : word;
    }

    /** Reads what has come, without waiting. Returns true where a thread of the process has ended since. */
    boolean heard() {
        boolean any = false;
        while (readable(0)) {
            try {
                int length = (int) LibC.recv(fd, buffer, BUFFER_BYTES, LibC.MSG_DONTWAIT);
                any |= tellsOfEnd(bytes, length, pid);
            } catch (LastErrorException e) {
                if (e.getErrorCode() == LibC.ENOBUFS) {
                    // So many came that some were dropped: that is news as well.
                    any = true;
                } else if (e.getErrorCode() == LibC.EAGAIN || e.getErrorCode() == LibC.EINTR) {
                    return any;
                } else {
                    throw e;
                }
            }
        }
        return any;
    }

    /** Does this datagram say that a thread of the process has ended, or that its memory is being dumped? */
    static boolean tellsOfEnd(ByteBuffer datagram, int length, int process) {
        if (!isEvent(datagram, length)) {
            return false;
        }
        int what = datagram.getInt(AT_WHAT);
        return (what == EVENT_EXIT || what == EVENT_COREDUMP) && datagram.getInt(AT_TGID) == process;
    }

    /** The errno by which the kernel refuses a subscription; 0 where the datagram is something else. */
    static int refusal(ByteBuffer datagram, int length) {
        return isEvent(datagram, length) && datagram.getInt(AT_WHAT) == EVENT_NONE ? datagram.getInt(AT_ACK_ERROR) : 0;
    }

    private static boolean isEvent(ByteBuffer datagram, int length) {
        return length >= EVENT_BYTES
                && datagram.getInt(AT_ID) == CN_IDX_PROC
                && datagram.getInt(AT_ID + 4) == CN_VAL_PROC;
    }

    private boolean readable(int millis) {
        pollFd.setShort(6, (short) 0);
        try {
            return LibC.poll(pollFd, 1, millis) > 0;
        } catch (LastErrorException e) {
            if (e.getErrorCode() != LibC.EINTR) {
                throw e;
            }
            return false;
        }
    }

    /** Ends the subscription. */
    @Override
    public void close() {
        if (fd < 0) {
            return;
        }
        int open = fd;
        try {
            if (unavailable == null) {
                // Older kernels count the listeners, and don't notice when one just goes.
                ask(PROC_CN_MCAST_IGNORE);
            }
        } finally {
            fd = -1;
            LibC.close(open);
        }
    }
}
