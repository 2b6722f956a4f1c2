package org.haarbiter.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.haarbiter.words.Endpoint;

/**
 * Addresses for servers that tests start. Their ports lie below those that the kernel hands out by itself (32768 and up on
 * Linux), so that no connection takes one while its server is away, and none is given twice in a process.
 */
public final class FreeEndpoint {
    private static final int FIRST = 21_000;
    private static final int COUNT = 11_000;
    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(COUNT));

    private FreeEndpoint() {}

    /** The next one where nobody listens now. Any thread. */
    public static Endpoint at(String host) throws IOException {
        IOException taken = null;
        for (int draw = 0; draw < COUNT; draw++) {
            int port = FIRST + Math.floorMod(NEXT.getAndIncrement(), COUNT);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(host))) {
                return new Endpoint(host, socket.getLocalPort());
            } catch (IOException e) {
                taken = e;
            }
        }
        throw new IOException(host + " has no free port from " + FIRST + " to " + (FIRST + COUNT - 1), taken);
    }
}
