package org.haarbiter.lab;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadFactory;

/** Where a process of the lab runs: on this machine as it is, or in a network namespace of {@link NetworkLab}. */
public interface Host {

    /** What a command line starts with so that the command runs on this host, as the same process; may be empty. */
    List<String> enter();

    /** Makes daemon threads whose sockets are on this host. */
    ThreadFactory threads(String name);

    /** Runs {@code work} with its sockets on this host and hands its result back. */
    <T> T call(Callable<T> work) throws Exception;

    /** Says whether 127.x addresses must be configured before a server that asks the kernel for them can listen. */
    boolean ownsLoopback();

    /** This machine as it is. */
    static Host here() {
        return new Host() {
            @Override
            public List<String> enter() {
                return List.of();
            }

            @Override
            public ThreadFactory threads(String name) {
                return runnable -> {
                    Thread thread = new Thread(runnable, name);
                    thread.setDaemon(true);
                    return thread;
                };
            }

            @Override
            public <T> T call(Callable<T> work) throws Exception {
                return work.call();
            }

            @Override
            public boolean ownsLoopback() {
                return true;
            }
        };
    }
}
