package org.haarbiter.agent.engine.mysql;

import java.nio.file.Path;
import org.haarbiter.words.Endpoint;

/**
 * How to reach the server, and how long to be patient with it.
 *
 * @param socket the server's Unix socket
 * @param address where its clients and replicas reach it
 * @param dataDirectory its data directory; the agent writes a small file there each second, to see that the disk answers
 * @param user the agent's account on the server
 * @param password its password
 * @param credentialsFile where the two stand, for messages only
 * @param replicationUser the account that replicas log in with at their source
 * @param replicationPassword its password
 * @param replicationTls how replicas connect to their source
 * @param hungMillis the server counts as hung when it has answered nothing for so long, at least 100 ms
 * @param diskMillis the disk counts as hung when a 4 KiB write has taken so long, at least 100 ms
 * @param watchMillis how often the process is looked at, 1 to 1000 ms
 * @param rebuild how its data can be replaced
 */
public record MysqlSettings(
        Path socket,
        Endpoint address,
        Path dataDirectory,
        String user,
        String password,
        String credentialsFile,
        String replicationUser,
        String replicationPassword,
        ReplicationTls replicationTls,
        int hungMillis,
        int diskMillis,
        int watchMillis,
        RebuildSettings rebuild) {

    /** Checks the numbers; throws {@link IllegalArgumentException} with the offending value. */
    public MysqlSettings {
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
        return user + " at " + socket + " of " + address;
    }
}
