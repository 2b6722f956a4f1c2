package org.haarbiter.master.raft;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Pattern;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * What one node of the replicated log needs to know.
 *
 * @param clusterId names the cluster, the same on all its members: 1 to 64 letters, digits, {@code -} or {@code _}; a
 *     node of another cluster is refused by the transport, and a data directory of another cluster at start
 * @param self the address this node binds and the others reach it at
 * @param initialMembers all first members, this node among them; empty for a node that waits to be added ({@code
 *     addMember}). Read only while the data directory is empty
 * @param dataDirectory where log, votes and snapshots live; made if it is missing
 * @param electionTimeoutMillis silence of the leader after which a member stands for election, 300 to 60,000; under 300 a
 *     loaded machine changes leaders for nothing
 * @param maxElectionDelayMillis jitter added to each election timeout, 100 to 60,000; a narrow one makes split votes
 * @param connectTimeoutMillis how long one attempt to connect to a peer may take, 10 to 10,000. Nothing waits for it:
 *     peers are connected in the background
 * @param snapshotIntervalSeconds a snapshot is saved at this interval when there is something new, 1 to 86,400
 * @param snapshotEveryEntries and after this many entries, 1 to 1,000,000
 * @param tls null for plain text, which is for the loopback interface and the lab only
 */
public record RaftSettings(
        String clusterId,
        Endpoint self,
        List<Endpoint> initialMembers,
        Path dataDirectory,
        int electionTimeoutMillis,
        int maxElectionDelayMillis,
        int connectTimeoutMillis,
        int snapshotIntervalSeconds,
        int snapshotEveryEntries,
        @Nullable PeerTls tls) {

    private static final Pattern CLUSTER_ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    /** Checks everything; throws {@link IllegalArgumentException} with all mistakes, one a line. */
    public RaftSettings {
        initialMembers = List.copyOf(initialMembers);
        List<String> mistakes = new ArrayList<>();
        if (!CLUSTER_ID.matcher(clusterId).matches()) {
            mistakes.add("cluster id: '" + clusterId + "' (must be 1 to 64 letters, digits, - or _)");
        }
        if (!initialMembers.isEmpty() && !initialMembers.contains(self)) {
            mistakes.add("initial members: " + initialMembers + " (must contain this node, " + self
                    + ", or be empty for a node that waits to be added)");
        }
        if (new HashSet<>(initialMembers).size() != initialMembers.size()) {
            mistakes.add("initial members: " + initialMembers + " (each may be named once)");
        }
        checkRange(mistakes, "election-timeout-millis", electionTimeoutMillis, 300, 60_000);
        checkRange(mistakes, "max-election-delay-millis", maxElectionDelayMillis, 100, 60_000);
        checkRange(mistakes, "connect-timeout-millis", connectTimeoutMillis, 10, 10_000);
        checkRange(mistakes, "snapshot-interval-seconds", snapshotIntervalSeconds, 1, 86_400);
        checkRange(mistakes, "snapshot-every-entries", snapshotEveryEntries, 1, 1_000_000);
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("\n", mistakes));
        }
    }

    /** The normal profile in plain text: election timeout 500 ms, delay 300 ms, a snapshot each 10 minutes or 1,000 entries. */
    public static RaftSettings of(String clusterId, Endpoint self, List<Endpoint> initialMembers, Path dataDirectory) {
        return new RaftSettings(clusterId, self, initialMembers, dataDirectory, 500, 300, 50, 600, 1000, null);
    }

    /** The same with other election times. */
    public RaftSettings withElection(int timeoutMillis, int maxDelayMillis) {
        return new RaftSettings(
                clusterId,
                self,
                initialMembers,
                dataDirectory,
                timeoutMillis,
                maxDelayMillis,
                connectTimeoutMillis,
                snapshotIntervalSeconds,
                snapshotEveryEntries,
                tls);
    }

    /** The same with another rhythm of snapshots. */
    public RaftSettings withSnapshots(int intervalSeconds, int everyEntries) {
        return new RaftSettings(
                clusterId,
                self,
                initialMembers,
                dataDirectory,
                electionTimeoutMillis,
                maxElectionDelayMillis,
                connectTimeoutMillis,
                intervalSeconds,
                everyEntries,
                tls);
    }

    /** The same with mutual TLS. */
    public RaftSettings withTls(PeerTls mutual) {
        return new RaftSettings(
                clusterId,
                self,
                initialMembers,
                dataDirectory,
                electionTimeoutMillis,
                maxElectionDelayMillis,
                connectTimeoutMillis,
                snapshotIntervalSeconds,
                snapshotEveryEntries,
                mutual);
    }

    /** The cluster id in the form the Raft library wants: it must begin with a letter. */
    String groupId() {
        return "ha-" + clusterId;
    }

    private static void checkRange(List<String> mistakes, String name, int value, int least, int most) {
        if (value < least || value > most) {
            mistakes.add(name + ": " + value + " (must be " + least + " to " + most + ")");
        }
    }
}
