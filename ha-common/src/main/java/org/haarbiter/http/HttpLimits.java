package org.haarbiter.http;

import java.util.Map;

/** What the JDK's HTTP server is told about slow clients. */
public final class HttpLimits {
    private static final Map<String, String> WANTED = Map.of(
            // Seconds: a client that trickles its request would hold one of the few threads for ever.
            "sun.net.httpserver.maxReqTime", "5",
            "sun.net.httpserver.maxRspTime", "30",
            // Lines of a request: any client of ours sends a handful.
            "sun.net.httpserver.maxReqHeaders", "50",
            "jdk.httpserver.maxConnections", "500",
            // Headers and body are two writes: without this each answer waits 40 ms for a delayed acknowledgement.
            "sun.net.httpserver.nodelay", "true");

    private HttpLimits() {}

    /** To be called before the process's first server is made: they are read once, and there is no other way to tell it. */
    public static void set() {
        WANTED.forEach((name, value) -> {
            if (System.getProperty(name) == null) {
                System.setProperty(name, value);
            }
        });
    }
}
