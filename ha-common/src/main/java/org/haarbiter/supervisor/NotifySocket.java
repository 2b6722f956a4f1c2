package org.haarbiter.supervisor;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Sends datagrams to a Unix socket, which Java 17 can't. For one thread at a time; never waits. */
final class NotifySocket implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int PATH_BYTES = 108;
    private static final int FAMILY_BYTES = 2;
    private static final int ENOENT = 2;
    private static final int EAGAIN = 11;
    private static final int EACCES = 13;
    private static final int ECONNREFUSED = 111;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_NOSIGNAL = 0x4000;

    private final int fd;
    private final Memory address;
    private boolean closed;

    private static final class LibC {
        static {
            Native.register(LibC.class, "c");
        }

        private LibC() {}

        static native int socket(int domain, int type, int protocol) throws LastErrorException;

        static native long sendto(int fd, Pointer from, long length, int flags, Pointer address, int addressLength)
                throws LastErrorException;

        static native int close(int fd) throws LastErrorException;
    }

    /**
     * Makes the socket; nobody need listen yet.
     *
     * @param name an absolute path, or {@code @} and a name without a file
     * @throws IOException where the name isn't one of those, or is too long
     */
    NotifySocket(String name) throws IOException {
        this.address = address(name);
        try {
            this.fd = LibC.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        } catch (LastErrorException e) {
            throw new IOException("no socket can be made (" + e.getMessage() + ")", e);
        }
    }

    /** The name as a sockaddr_un (unix(7)); throws {@link IOException} where it can't be one. */
    static Memory address(String name) throws IOException {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        boolean abstractName = name.startsWith("@");
        if ((!abstractName && !name.startsWith("/")) || bytes.length < 2) {
            throw new IOException("'" + name + "' isn't supported (must be an absolute path, or '@' and a name)");
        }
        if (bytes.length >= PATH_BYTES) {
            throw new IOException("'" + name + "' has " + bytes.length + " bytes (must be fewer than 108)");
        }
        if (abstractName) {
            bytes[0] = 0;
        }
        // A name without a file is as long as the address says; a path ends with a zero.
        Memory address = new Memory(FAMILY_BYTES + (long) bytes.length + (abstractName ? 0 : 1));
        address.clear();
        address.setShort(0, (short) AF_UNIX);
        address.write(FAMILY_BYTES, bytes, 0, bytes.length);
        return address;
    }

    /** @throws IOException with a sentence where the message didn't arrive */
    void send(String lines) throws IOException {
        byte[] bytes = lines.getBytes(StandardCharsets.UTF_8);
        try (Memory message = new Memory(bytes.length)) {
            message.write(0, bytes, 0, bytes.length);
            LibC.sendto(fd, message, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, (int) address.size());
        } catch (LastErrorException e) {
            String why = switch (e.getErrorCode()) {
                case ENOENT -> "there is no such socket";
                case ECONNREFUSED -> "nobody listens at it";
                case EACCES -> "this user may not write to it";
                case EAGAIN -> "its queue is full";
                default -> String.valueOf(e.getMessage());
            };
            throw new IOException(why, e);
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            LibC.close(fd);
        }
    }
}
