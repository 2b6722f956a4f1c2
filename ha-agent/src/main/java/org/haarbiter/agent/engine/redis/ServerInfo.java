package org.haarbiter.agent.engine.redis;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * What {@code INFO} says.
 *
 * @param processId in the server's own pid namespace; 0 where it isn't said
 * @param configFile empty where the server was started without
 * @param loading it reads its data from a file, or the copy that its source has sent
 * @param source whom it follows; null for a primary, and for one that follows {@link #NOBODY}
 * @param linkUp it receives from its source
 * @param syncing a copy of all of the source's data is on its way or being read: what the server held is worth nothing
 * @param offset bytes of the replication stream that it has processed
 * @param olderId the history before the present one; empty where there is none
 * @param olderOffset how far it has that one
 * @param lastIoSeconds since its source was heard; -1 where there is no connection
 * @param linkDownSeconds since the connection ended; -1 where it is up or never was
 * @param followers of the replicas that are attached and have all of the data, how many seconds ago each acknowledged something
 * @param keys in all databases
 * @param clients connections, replicas' among them
 * @param refusedClients connections that were refused since the start, for there were too many
 * @param saveFailed the last snapshot couldn't be written
 * @param logFailed the append-only file can't be written
 */
record ServerInfo(
        String version,
        String runId,
        int processId,
        String configFile,
        boolean clustered,
        boolean loading,
        boolean primary,
        @Nullable Endpoint source,
        boolean linkUp,
        boolean syncing,
        boolean readOnly,
        int priority,
        long offset,
        String id,
        String olderId,
        long olderOffset,
        long lastIoSeconds,
        long linkDownSeconds,
        List<Integer> followers,
        long keys,
        long clients,
        long clientsLimit,
        long refusedClients,
        boolean saving,
        boolean saveFailed,
        boolean logEnabled,
        boolean logFailed,
        long copiedBytes,
        long copyBytes) {

    /** Whom a server follows that shall follow nobody and take no writes: nobody listens there. */
    static final Endpoint NOBODY = new Endpoint("127.0.0.1", 1);

    /** The sections that it takes. */
    static final String[] COMMAND = {
        "INFO", "server", "clients", "persistence", "stats", "replication", "cluster", "keyspace"
    };

    private static final String NO_ID = "0".repeat(40);

    /** Sections that were not asked for count as empty. */
    static ServerInfo parse(String text) {
        Map<String, String> all = new HashMap<>();
        long keys = 0;
        List<Integer> followers = new ArrayList<>();
        for (String line : text.split("\r?\n", -1)) {
            int colon = line.indexOf(':');
            if (colon <= 0 || line.charAt(0) == '#') {
                continue;
            }
            String name = line.substring(0, colon);
            String value = line.substring(colon + 1);
            if (name.matches("db\\d+")) {
                keys += Long.parseLong(field(value, "keys"));
            } else if (name.matches("slave\\d+")) {
                if (field(value, "state").equals("online")) {
                    followers.add(Integer.parseInt(field(value, "lag")));
                }
            } else {
                all.put(name, value);
            }
        }
        Fields f = new Fields(all);
        boolean primary = f.text("role").equals("master");
        boolean syncing = f.flag("master_sync_in_progress");
        Endpoint source = primary || f.text("master_host").isEmpty()
                ? null
                : new Endpoint(f.text("master_host"), (int) f.number("master_port", 0));
        long offset = f.number("master_repl_offset", 0);
        // Once a replica has begun to take a copy of another history it doesn't count its own any more, and says 1.
        long processed = primary ? offset : Math.min(offset, f.number("slave_repl_offset", 0));
        String older = f.text("master_replid2");
        boolean went = !older.isEmpty() && !older.equals(NO_ID) && f.number("second_repl_offset", -1) > 1;
        return new ServerInfo(
                f.has("valkey_version") ? f.text("valkey_version") : f.text("redis_version"),
                f.text("run_id"),
                (int) f.number("process_id", 0),
                f.text("config_file"),
                f.flag("cluster_enabled"),
                f.flag("loading") || f.flag("async_loading"),
                primary,
                NOBODY.equals(source) ? null : source,
                f.text("master_link_status").equals("up"),
                syncing,
                !f.has("slave_read_only") || f.flag("slave_read_only"),
                (int) f.number("slave_priority", org.haarbiter.agent.engine.Observation.USUAL_PRIORITY),
                processed,
                f.text("master_replid"),
                went ? older : "",
                went ? f.number("second_repl_offset", 1) - 1 : 0,
                f.number("master_last_io_seconds_ago", -1),
                f.number("master_link_down_since_seconds", -1),
                List.copyOf(followers),
                keys,
                f.number("connected_clients", 0) + f.number("connected_slaves", 0),
                f.number("maxclients", Long.MAX_VALUE),
                f.number("rejected_connections", 0),
                f.flag("rdb_bgsave_in_progress"),
                f.text("rdb_last_bgsave_status").equals("err"),
                f.flag("aof_enabled"),
                f.text("aof_last_write_status").equals("err"),
                f.number("master_sync_read_bytes", 0),
                f.number("master_sync_total_bytes", -1));
    }

    private record Fields(Map<String, String> all) {
        boolean has(String name) {
            return all.containsKey(name);
        }

        String text(String name) {
            return all.getOrDefault(name, "");
        }

        boolean flag(String name) {
            return text(name).equals("1");
        }

        long number(String name, long otherwise) {
            String value = text(name);
            return value.isEmpty() ? otherwise : Long.parseLong(value);
        }
    }

    /** Of {@code keys=1,expires=0,avg_ttl=0}. */
    private static String field(String value, String name) {
        for (String part : value.split(",", -1)) {
            if (part.startsWith(name + "=")) {
                return part.substring(name.length() + 1);
            }
        }
        return "0";
    }

    /**
     * Its history, as {@link org.haarbiter.words.ReplicationOffset} reads it. A server that has loaded its data from a file under a new
     * history, or was never followed, counts nothing: it mustn't look as if it were empty. While it takes a copy it has nothing.
     */
    String position() {
        if (syncing || (keys == 0 && offset <= 1)) {
            return "";
        }
        String present = id + ":" + Math.max(1, offset);
        return olderId.isEmpty() || olderOffset > offset ? present : present + "," + olderId + ":" + olderOffset;
    }

    /** How many replicas count for {@code min-replicas-to-write} now. */
    int acknowledgers(int lagLimitSeconds) {
        return (int) followers.stream().filter(lag -> lag <= lagLimitSeconds).count();
    }
}
