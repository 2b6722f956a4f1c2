package org.haarbiter.agent.engine.redis;

import java.util.List;

/** What the agent's account on the server must be allowed, and no more. */
final class Account {
    private static final List<String> RIGHTS = List.of(
            "+ping",
            "+info",
            "+replicaof",
            "+client|id",
            "+client|list",
            "+client|kill",
            "+client|pause",
            "+client|unpause",
            "+config|get",
            "+config|set",
            "+script|kill",
            "+function|kill",
            "+bgsave");

    /**
     * Each command in a form that the server refuses without doing anything: one that isn't allowed is refused as NOPERM. CLIENT
     * UNPAUSE and SCRIPT KILL have no such form.
     */
    static final List<String[]> HARMLESS = List.<String[]>of(
            new String[] {"REPLICAOF", "127.0.0.1", "no-port"},
            new String[] {"CLIENT", "LIST", "TYPE", "no-type"},
            new String[] {"CLIENT", "KILL", "ID", "0"},
            new String[] {"CLIENT", "PAUSE", "no-number", "WRITE"},
            new String[] {"CONFIG", "SET", "no-such-setting", "0"},
            new String[] {"BGSAVE", "no-such-argument"});

    private Account() {}

    /** Makes it. */
    static String statement(String user) {
        return "ACL SETUSER " + user + " on >PASSWORD nocommands resetkeys resetchannels " + String.join(" ", RIGHTS);
    }
}
