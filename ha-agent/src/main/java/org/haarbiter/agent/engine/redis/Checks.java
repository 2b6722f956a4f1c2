package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Looks for settings that make the arbiter's promises void; says what to do. Changes nothing. */
final class Checks {
    private static final long LEAST_BACKLOG_BYTES = 16L << 20;
    private static final int INCLUDES = 8;

    private static final String[] SETTINGS = {
        "CONFIG",
        "GET",
        "replica-read-only",
        "replica-serve-stale-data",
        "replica-ignore-maxmemory",
        "repl-backlog-size",
        "repl-backlog-ttl",
        "repl-ping-replica-period",
        "min-replicas-max-lag",
        "masterauth"
    };

    private final RedisSettings settings;
    private final Links links;

    Checks(RedisSettings settings, Links links) {
        this.settings = settings;
        this.links = links;
    }

    /** Sentences for an operator; none where all is well. On connections of its own. */
    List<String> run(long deadlineNanos) throws RedisProblem {
        List<String> found = new ArrayList<>();
        try (Link link = links.open(deadlineNanos)) {
            List<Object> said = link.all(deadlineNanos, List.<String[]>of(ServerInfo.COMMAND, SETTINGS));
            Link.check(said.get(0));
            ServerInfo info = ServerInfo.parse(Link.text(said.get(0)));
            startsFenced(info.configFile(), found);
            if (info.clustered()) {
                found.add("cluster-enabled is yes (must be no): Redis Cluster chooses primaries by itself");
            }
            Map<String, String> live = LiveSettings.map(said.get(1));
            if (!live.isEmpty()) {
                values(live, found);
                replicationAccount(live, found, deadlineNanos);
            }
            rights(link, found, deadlineNanos);
        }
        return found;
    }

    /** A server without this line opens itself at each restart, and one that comes back empty has its replicas emptied. */
    private void startsFenced(String file, List<String> found) {
        String line = "'replicaof 127.0.0.1 1'";
        if (file.isEmpty()) {
            found.add("it was started without a configuration file, so it isn't known how it starts again (must start"
                    + " fenced): start it with a file that has the line " + line);
            return;
        }
        try {
            String follows = follows(Path.of(file), INCLUDES);
            if (follows == null || !follows.equals("127.0.0.1 1")) {
                found.add("a restart opens it, and where it comes back empty its replicas are emptied: "
                        + (follows == null ? "there is no 'replicaof'" : "there is 'replicaof " + follows + "'")
                        + " in "
                        + file + " (must be " + line + "): " + (follows == null ? "add" : "change") + " that line");
            }
        } catch (IOException e) {
            found.add("whether it starts fenced can't be seen: the agent can't read " + file + " (" + e
                    + "), which must have the line " + line
                    + ": let the agent's user read it, or run the agent as the server's user");
        }
    }

    /** The last such line of the file and those that it includes; null where there is none. */
    private static @Nullable String follows(Path file, int depth) throws IOException {
        String last = null;
        for (String line : Files.readAllLines(file)) {
            String[] words = line.strip().split("\\s+", 2);
            if (words.length < 2) {
                continue;
            }
            String value = words[1].strip().replace("\"", "");
            switch (words[0].toLowerCase(Locale.ROOT)) {
                case "replicaof", "slaveof" -> last = value.replaceAll("\\s+", " ");
                case "include" -> {
                    String included =
                            depth > 0 && !value.contains("*") ? follows(file.resolveSibling(value), depth - 1) : null;
                    last = included == null ? last : included;
                }
                default -> {
                    // None of our business.
                }
            }
        }
        return last;
    }

    private static void values(Map<String, String> live, List<String> found) {
        must(live, found, "replica-read-only", "yes", "a replica takes writes that no other server gets");
        must(live, found, "replica-serve-stale-data", "yes", "a fenced server can't be asked to save what only it has");
        must(live, found, "replica-ignore-maxmemory", "yes", "a replica drops keys that its source has");
        must(
                live,
                found,
                "repl-backlog-ttl",
                "0",
                "a primary whose replicas are all away forgets its history after so many seconds, and they must take a"
                        + " whole copy");
        long backlog = number(live, "repl-backlog-size");
        if (backlog < LEAST_BACKLOG_BYTES) {
            found.add("repl-backlog-size is " + backlog + " (must be at least " + LEAST_BACKLOG_BYTES
                    + ", better 64mb): a replica that is away while more than that is written must take a whole copy:"
                    + mend("repl-backlog-size", "64mb"));
        }
        long ping = number(live, "repl-ping-replica-period");
        if (ping > 1 && ping != LiveSettings.NO_PINGS) {
            found.add("repl-ping-replica-period is " + ping + " (must be 1): replicas of an idle primary can't tell"
                    + " for so many seconds whether it is there:" + mend("repl-ping-replica-period", "1"));
        }
        if (number(live, "min-replicas-max-lag") == 0) {
            found.add("min-replicas-max-lag is 0 (must be at least 1): min-replicas-to-write has no effect, and a"
                    + " planned switch can't refuse writes:" + mend("min-replicas-max-lag", "10"));
        }
    }

    private static void must(Map<String, String> live, List<String> found, String name, String value, String why) {
        String now = live.getOrDefault(name, value);
        if (!now.equals(value)) {
            found.add(name + " is " + now + " (must be " + value + "): " + why + ":" + mend(name, value));
        }
    }

    private static String mend(String name, String value) {
        return " CONFIG SET " + name + " " + value + ", and the line '" + name + " " + value
                + "' in the configuration file";
    }

    private static long number(Map<String, String> live, String name) {
        return Long.parseLong(live.getOrDefault(name, "0"));
    }

    /** Whoever isn't logged in can do nothing here: then replicas can't either without an account. */
    private void replicationAccount(Map<String, String> live, List<String> found, long deadlineNanos)
            throws RedisProblem {
        if (settings.replicationUser() != null
                || !live.getOrDefault("masterauth", "").isEmpty()) {
            return;
        }
        try (Link stranger = links.connect(deadlineNanos)) {
            Object said = stranger.all(deadlineNanos, List.<String[]>of(new String[] {"PING"}))
                    .get(0);
            if (Link.text(said).startsWith("NOAUTH")) {
                found.add(
                        "masterauth isn't set, and this server lets nobody in without a password: as a replica it can't"
                                + " log in at its source: the lines 'masteruser NAME' and 'masterauth PASSWORD' on all servers of"
                                + " the group, or replication-credentials-file in the agent's settings");
            }
        } catch (IOException e) {
            throw RedisProblem.lost(String.valueOf(e.getMessage()));
        }
    }

    private void rights(Link link, List<String> found, long deadlineNanos) throws RedisProblem {
        List<String> missing = new ArrayList<>();
        List<Object> said = link.all(deadlineNanos, Account.HARMLESS);
        for (int i = 0; i < said.size(); i++) {
            if (Link.text(said.get(i)).startsWith("NOPERM")) {
                String[] command = Account.HARMLESS.get(i);
                missing.add(
                        command[0].equals("REPLICAOF") || command[0].equals("BGSAVE")
                                ? command[0]
                                : command[0] + " " + command[1]);
            }
        }
        if (!missing.isEmpty()) {
            found.add("the agent's account may not use " + String.join(", ", missing) + ": "
                    + Account.statement(settings.user()));
        }
    }
}
