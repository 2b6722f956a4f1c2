package org.haarbiter.supervisor;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** The other end of NOTIFY_SOCKET: a service manager's datagram socket, which Java 17 can't bind. One thread. */
public final class NotifyListener implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM_CLOEXEC = 0x80002;
    private static final int POLLIN = 1;
    private static final int LONGEST = 4096;

    private static final class LibC {
        static {
            Native.register(LibC.class, "c");
        }

        private LibC() {}

        static native int socket(int domain, int type, int protocol) throws LastErrorException;

        static native int bind(int fd, Pointer address, int length) throws LastErrorException;

        static native int poll(Pointer fds, long count, int timeoutMillis) throws LastErrorException;

        static native long recv(int fd, Pointer into, long length, int flags) throws LastErrorException;

        static native int close(int fd) throws LastErrorException;
    }

    private final String name;
    private final int fd;

    /**
     * Binds it.
     *
     * @param name as NOTIFY_SOCKET has it: a path, or {@code @} and a name
     */
    public NotifyListener(String name) throws IOException {
        this.name = name;
        this.fd = LibC.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
        try (Memory address = NotifySocket.address(name)) {
            LibC.bind(fd, address, (int) address.size());
        }
    }

    /** The lines of the next message; empty where none comes in time. */
    public List<String> next(Duration limit) {
        try (Memory poll = new Memory(8);
                Memory message = new Memory(LONGEST)) {
            poll.clear();
            poll.setInt(0, fd);
            poll.setShort(4, (short) POLLIN);
            if (LibC.poll(poll, 1, (int) limit.toMillis()) <= 0) {
                return List.of();
            }
            int length = (int) LibC.recv(fd, message, LONGEST, 0);
            return new String(message.getByteArray(0, length), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
    }

    @Override
    public void close() throws IOException {
        LibC.close(fd);
        if (name.startsWith("/")) {
            Files.deleteIfExists(Path.of(name));
        }
    }
}
