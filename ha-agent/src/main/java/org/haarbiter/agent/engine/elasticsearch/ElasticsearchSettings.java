package org.haarbiter.agent.engine.elasticsearch;

import java.nio.file.Path;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * How to reach the node beside the agent, and what of its cluster belongs to the group.
 *
 * @param address where the node serves clients, and the agent
 * @param user the agent's account; null where the cluster has no security
 * @param password its password; null as above
 * @param ca certificates of those who may issue the nodes' certificates, in PEM; null where nodes speak HTTP without TLS
 * @param aliases the names through which clients write: closed on every cluster but the primary. The stream's consumer writes to the
 *     indices behind them. At least one
 * @param checkpointIndex where the stream's consumer writes down how far it is, a document for each partition
 * @param hungMillis the node counts as hung when it has answered nothing for so long, at least 100 ms
 * @param electionMillis a cluster without an elected node for so long counts as hung, at least 100 ms
 * @param watchMillis how often the process is looked at, 1 to 1000 ms
 */
public record ElasticsearchSettings(
        Endpoint address,
        @Nullable String user,
        @Nullable String password,
        @Nullable Path ca,
        List<String> aliases,
        String checkpointIndex,
        int hungMillis,
        int electionMillis,
        int watchMillis) {

    /** Copies the list and checks the rest; throws {@link IllegalArgumentException} with the offending value. */
    public ElasticsearchSettings {
        aliases = List.copyOf(aliases);
        if (aliases.isEmpty()) {
            throw new IllegalArgumentException("aliases: none (must be at least one)");
        }
        atLeast("hung-millis", hungMillis, 100);
        atLeast("election-millis", electionMillis, 100);
        atLeast("watch-millis", watchMillis, 1);
    }

    private static void atLeast(String name, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(name + ": " + value + " (must be at least " + least + ")");
        }
    }

    /** Without the password. */
    @Override
    public String toString() {
        return (user == null ? "" : user + " at ") + address;
    }
}
