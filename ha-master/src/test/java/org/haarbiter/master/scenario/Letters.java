package org.haarbiter.master.scenario;

/** Short names of servers' identities: {@code a:1-100} stands for a GTID set of the server whose identity is all a's. */
final class Letters {
    private static final String TAIL = "-0000-0000-0000-000000000000";

    private Letters() {}

    /** The engine's own form. */
    static String spell(String brief) {
        return brief.replaceAll("\\b([a-f]):", "$1$1$1$1$1$1$1$1" + TAIL + ":");
    }

    /** What a reader sees. */
    static String brief(String spelled) {
        return spelled.replaceAll("([a-f])\\1{7}" + TAIL + ":", "$1:");
    }
}
