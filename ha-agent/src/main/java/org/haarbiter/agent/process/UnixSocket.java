package org.haarbiter.agent.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Memory;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A stream to the server beside us, with a time limit on every wait, and with the server's pid: Java's own has neither.
 * Threads: one at a time, but {@link #shutdown} from any.
 */
public final class UnixSocket implements AutoCloseable {
    private static final int AF_UNIX = 1;
    private static final int PATH_BYTES = 108;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    private static final int BUFFER_BYTES = 16 * 1024;

    private final int fd;
    private final Memory buffer = new Memory(BUFFER_BYTES);
    private final Memory pollFd = new Memory(8);
    private boolean closed;

    private UnixSocket(int fd) {
        this.fd = fd;
        pollFd.setInt(0, fd);
    }

    /**
     * Connects; never waits.
     *
     * @throws NoSuchFileException where there is no such socket
     * @throws ConnectException where nobody listens at it
     * @throws IOException for everything else; a queue of connections that is full, among others
     */
    public static UnixSocket connect(Path path) throws IOException {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length >= PATH_BYTES) {
            throw new IOException("socket " + path + ": " + name.length + " bytes (must be fewer than 108)");
        }
        int fd = -1;
        try (Memory address = new Memory(2L + PATH_BYTES)) {
            address.clear();
            address.setShort(0, (short) AF_UNIX);
            address.write(2, name, 0, name.length);
            fd = LibC.socket(AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0);
            LibC.connect(fd, address, (int) address.size());
            return new UnixSocket(fd);
        } catch (LastErrorException e) {
            if (fd >= 0) {
                LibC.close(fd);
            }
            IOException said = switch (e.getErrorCode()) {
                case LibC.ENOENT -> new NoSuchFileException(path.toString());
                case LibC.ECONNREFUSED -> new ConnectException("nobody listens at " + path);
                case LibC.EAGAIN -> new IOException("the queue of connections that wait at " + path + " is full");
                default -> new IOException("can't connect to " + path + ": " + LibC.text(e));
            };
            said.initCause(e);
            throw said;
        }
    }

    /** The pid of the process that listens at the other end; 0 where it is in another pid namespace. */
    public int peerPid() throws IOException {
        try (Memory credentials = new Memory(12);
                Memory length = new Memory(4)) {
            length.setInt(0, 12);
            LibC.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
            return credentials.getInt(0);
        } catch (LastErrorException e) {
            throw new IOException("can't ask who serves the socket: " + LibC.text(e), e);
        }
    }

    /**
     * Reads what there is.
     *
     * @return number of bytes, at least 1; 0 when the deadline (by {@link System#nanoTime}) passed before any came
     * @throws EOFException at the end
     */
    public int read(byte[] into, int offset, int length, long deadlineNanos) throws IOException {
        try {
            if (!await(LibC.POLLIN, deadlineNanos)) {
                return 0;
            }
            int count = (int) LibC.recv(fd, buffer, Math.min(length, BUFFER_BYTES), LibC.MSG_DONTWAIT);
            if (count <= 0) {
                throw new EOFException("the server ended the connection");
            }
            buffer.read(0, into, offset, count);
            return count;
        } catch (LastErrorException e) {
            if (e.getErrorCode() == LibC.EAGAIN || e.getErrorCode() == LibC.EINTR) {
                return 0;
            }
            throw new IOException("the connection to the server broke: " + LibC.text(e), e);
        }
    }

    /**
     * Writes everything.
     *
     * @throws IOException also when the deadline passes before all is written: the stream is then of no use any more
     */
    public void write(byte[] from, int length, long deadlineNanos) throws IOException {
        int sent = 0;
        try {
            while (sent < length) {
                if (!await(LibC.POLLOUT, deadlineNanos)) {
                    throw new IOException("the server doesn't read what is sent to it");
                }
                int count = Math.min(length - sent, BUFFER_BYTES);
                buffer.write(0, from, sent, count);
                sent += (int) LibC.send(fd, buffer, count, LibC.MSG_NOSIGNAL | LibC.MSG_DONTWAIT);
            }
        } catch (LastErrorException e) {
            throw new IOException("the connection to the server broke: " + LibC.text(e), e);
        }
    }

    private boolean await(int events, long deadlineNanos) {
        pollFd.setShort(4, (short) events);
        while (true) {
            pollFd.setShort(6, (short) 0);
            long left = deadlineNanos - System.nanoTime();
            int millis = left <= 0 ? 0 : (int) Math.min(60_000, (left + 999_999) / 1_000_000);
            try {
                if (LibC.poll(pollFd, 1, millis) > 0) {
                    return true;
                }
            } catch (LastErrorException e) {
                if (e.getErrorCode() != LibC.EINTR) {
                    throw e;
                }
            }
            if (deadlineNanos - System.nanoTime() <= 0) {
                return false;
            }
        }
    }

    /** Makes a wait in another thread end at once. */
    public synchronized void shutdown() {
        if (!closed) {
            try {
                LibC.shutdown(fd, 2);
            } catch (LastErrorException e) {
                // The other end has already gone: the wait ends by itself.
                return;
            }
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            LibC.close(fd);
        }
    }
}
