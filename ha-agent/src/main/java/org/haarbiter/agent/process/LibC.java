package org.haarbiter.agent.process;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.Pointer;

/** The system calls that Java 17 has no words for. Every failure is a {@link LastErrorException} with the errno. */
final class LibC {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int ESRCH = 3;
    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int EACCES = 13;
    static final int EPROTONOSUPPORT = 93;
    static final int ENOBUFS = 105;
    static final int ECONNREFUSED = 111;
    static final int EOPNOTSUPP = 95;

    static final int POLLIN = 0x1;
    static final int POLLOUT = 0x4;
    static final int SIGKILL = 9;
    static final int PRIO_PROCESS = 0;
    static final int O_RDONLY = 0;
    static final int O_CLOEXEC = 0x80000;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOCK_RAW = 3;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOCK_NONBLOCK = 0x800;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int MSG_DONTWAIT = 0x40;

    /** The same numbers on every architecture: both calls are younger than their unification. */
    static final long SYS_PIDFD_SEND_SIGNAL = 424;

    static final long SYS_PIDFD_OPEN = 434;

    static {
        Native.register(LibC.class, "c");
    }

    private LibC() {}

    static native int socket(int domain, int type, int protocol) throws LastErrorException;

    static native int connect(int fd, Pointer address, int length) throws LastErrorException;

    static native int bind(int fd, Pointer address, int length) throws LastErrorException;

    static native int setsockopt(int fd, int level, int name, Pointer value, int length) throws LastErrorException;

    static native int getsockopt(int fd, int level, int name, Pointer value, Pointer length) throws LastErrorException;

    static native int open(String path, int flags) throws LastErrorException;

    static native long pread(int fd, Pointer into, long length, long offset) throws LastErrorException;

    static native long recv(int fd, Pointer into, long length, int flags) throws LastErrorException;

    static native long send(int fd, Pointer from, long length, int flags) throws LastErrorException;

    static native int poll(Pointer fds, long count, int timeoutMillis) throws LastErrorException;

    static native int shutdown(int fd, int how) throws LastErrorException;

    static native int close(int fd) throws LastErrorException;

    static native int setpriority(int which, int who, int niceness) throws LastErrorException;

    static native int getpid() throws LastErrorException;

    static native long syscall(long number, long first, long second, long third, long fourth) throws LastErrorException;

    /** What the errno means, for a message. */
    static String text(LastErrorException e) {
        return switch (e.getErrorCode()) {
            case EPERM -> "not permitted";
            case ENOENT -> "no such file";
            case ESRCH -> "no such process";
            case EACCES -> "access denied";
            case ECONNREFUSED -> "nobody listens";
            case EOPNOTSUPP -> "the kernel doesn't support it";
            default -> "errno " + e.getErrorCode();
        };
    }
}
