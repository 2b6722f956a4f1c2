package org.haarbiter.agent.engine.redis;

import java.nio.file.Path;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * How to reach the server, and how long to be patient with it.
 *
 * @param address where its clients, its replicas and the agent reach it
 * @param socket its Unix socket, by which its process is found; null where the process is found by what the server says
 * @param dataDirectory its directory as the agent sees it; null for the one that the server names
 * @param user the agent's account on the server
 * @param password its password
 * @param credentialsFile where the two stand, for messages only
 * @param replicationUser the account that replicas log in with at their source; null where the servers' own configuration says it
 * @param replicationPassword its password; null as above
 * @param tls for the agent's connections to the server; null for plain ones
 * @param hungMillis the server counts as hung when it has answered nothing for so long, at least 100 ms
 * @param diskMillis the disk counts as hung when a 4 KiB write has taken so long, at least 100 ms
 * @param watchMillis how often the process is looked at, 1 to 1000 ms
 * @param stateDirectory the agent's own, where it notes that a rebuild is under way
 */
public record RedisSettings(
        Endpoint address,
        @Nullable Path socket,
        @Nullable Path dataDirectory,
        String user,
        String password,
        String credentialsFile,
        @Nullable String replicationUser,
        @Nullable String replicationPassword,
        @Nullable TlsSettings tls,
        int hungMillis,
        int diskMillis,
        int watchMillis,
        Path stateDirectory) {

    /** Checks the numbers; throws {@link IllegalArgumentException} with the offending value. */
    public RedisSettings {
        atLeast("hung-millis", hungMillis, 100);
        atLeast("disk-millis", diskMillis, 100);
        atLeast("watch-millis", watchMillis, 1);
    }

    private static void atLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(name + ": " + value + " (must be at least " + least + ")");
        }
    }

    /** Without the passwords. */
    @Override
    public String toString() {
        return user + " at " + address;
    }
}
