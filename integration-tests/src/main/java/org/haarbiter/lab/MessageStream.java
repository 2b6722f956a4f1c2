package org.haarbiter.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The message queue between Elasticsearch clusters, in this process, which the tests never kill. A partition is a sequence of
 * messages with numbers from 1 on. A document's version is its message's number, so a message may be applied again, and late.
 *
 * <p>Each cluster has a <i>checkpoint document</i> for a partition, in the index {@value #CHECKPOINTS}: {@code position}, up to
 * which the cluster holds every message; {@code end}, the newest number of the queue when the document was written; and
 * {@code time_millis}, the wall clock then. A position is written only after all of its messages were acknowledged: documents of
 * one request lie on different shards and may come to different ends.
 *
 * <p>Threads: any.
 */
public final class MessageStream implements AutoCloseable {

    /** Index of the checkpoint documents; their ids are the names of the partitions. */
    public static final String CHECKPOINTS = "ha-checkpoint";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CONFLICT = 409;

    /**
     * A message: the document that it writes.
     *
     * @param number 1 and up in its partition; the document's version
     * @param id the document's
     * @param body JSON, in one line
     */
    public record Message(long number, String id, String body) {}

    private final SortedMap<String, List<Message>> partitions = new TreeMap<>();
    private final Deque<String> idle = new ArrayDeque<>();
    private final List<Feed> feeds = new ArrayList<>();

    /** A stream with one partition, so that its consumers have something to tell of from the beginning. */
    public MessageStream() {
        giveBack(lease());
    }

    /** Appends a message, to a partition that may be new, and hands back its number. */
    public synchronized long append(String partition, String id, String body) {
        List<Message> messages = partitions.computeIfAbsent(partition, p -> new ArrayList<>());
        messages.add(new Message(messages.size() + 1L, id, body));
        return messages.size();
    }

    /** The newest number of each partition, by name. */
    public synchronized SortedMap<String, Long> ends() {
        SortedMap<String, Long> ends = new TreeMap<>();
        partitions.forEach((partition, messages) -> ends.put(partition, (long) messages.size()));
        return ends;
    }

    /** The newest number of a partition; 0 where it is empty. */
    public synchronized long end(String partition) {
        return partitions.getOrDefault(partition, List.of()).size();
    }

    /** The messages after a position, oldest first; {@code most} of them at most. */
    public synchronized List<Message> after(String partition, long position, int most) {
        List<Message> messages = partitions.getOrDefault(partition, List.of());
        int from = (int) Math.min(position, messages.size());
        return List.copyOf(messages.subList(from, Math.min(messages.size(), from + most)));
    }

    /** A partition that nobody else appends to until it is given back: whoever has it knows what its cluster holds of it. */
    synchronized String lease() {
        String free = idle.poll();
        if (free != null) {
            return free;
        }
        String added = "app-" + (partitions.size() + 1);
        partitions.put(added, new ArrayList<>());
        return added;
    }

    synchronized void giveBack(String partition) {
        idle.add(partition);
    }

    /** Starts a consumer for this cluster, which applies what it lacks every 50 ms. */
    public Feed feed(ElasticsearchCluster cluster) {
        return feed(cluster, Host.here(), 50);
    }

    /**
     * The same from another host, or at another pace.
     *
     * @param everyMillis between the beginnings of two bulks; at least 1
     */
    public synchronized Feed feed(ElasticsearchCluster cluster, Host host, int everyMillis) {
        Feed feed = new Feed(this, cluster, host, everyMillis);
        feeds.add(feed);
        return feed;
    }

    /** Ends all consumers. */
    @Override
    public void close() {
        List<Feed> ending;
        synchronized (this) {
            ending = List.copyOf(feeds);
        }
        ending.forEach(Feed::close);
    }

    /** A {@code _bulk} request under construction. */
    static final class Bulk {
        private final StringBuilder lines = new StringBuilder();

        void document(String index, Message message) {
            add(index, message.id(), message.number(), message.body());
        }

        void checkpoint(String partition, long position, long end) {
            ObjectNode body = JSON.createObjectNode();
            body.put("position", position);
            body.put("end", end);
            body.put("time_millis", System.currentTimeMillis());
            // Of two that speak for one partition, the one that is behind doesn't undo what the other wrote.
            add(CHECKPOINTS, partition, position, body.toString());
        }

        private void add(String index, String id, long version, String body) {
            ObjectNode action = JSON.createObjectNode();
            action.putObject("index")
                    .put("_index", index)
                    .put("_id", id)
                    .put("version", version)
                    .put("version_type", "external_gte");
            lines.append(action).append('\n').append(body).append('\n');
        }

        boolean isEmpty() {
            return lines.length() == 0;
        }

        @Override
        public String toString() {
            return lines.toString();
        }
    }

    /** Why a bulk, or the first of its items that failed, was refused; null where all is written, or something newer is there. */
    static @Nullable String refusal(ElasticsearchNode.Answer answer) {
        if (!answer.yes()) {
            return answer.toString();
        }
        for (JsonNode item : answer.body().path("items")) {
            JsonNode result = item.elements().next();
            int status = result.path("status").asInt();
            if (status >= 300 && status != CONFLICT) {
                return new ElasticsearchNode.Answer(status, result).toString();
            }
        }
        return null;
    }

    /** The request for {@link #positions}. */
    static String positionsQuery(Collection<String> partitions) {
        ObjectNode query = JSON.createObjectNode();
        ArrayNode docs = query.putArray("docs");
        partitions.forEach(p -> docs.addObject().put("_index", CHECKPOINTS).put("_id", p));
        return query.toString();
    }

    /** The positions in the answer of {@code _mget}; 0 where there is no checkpoint yet. */
    static SortedMap<String, Long> positions(ElasticsearchNode.Answer answer) throws IOException {
        if (!answer.yes()) {
            throw new IOException("no checkpoints: " + answer);
        }
        SortedMap<String, Long> positions = new TreeMap<>();
        for (JsonNode found : answer.body().path("docs")) {
            if (found.has("error")) {
                throw new IOException("no checkpoint: " + new ElasticsearchNode.Answer(answer.status(), found));
            }
            positions.put(
                    found.path("_id").asText(),
                    found.path("_source").path("position").asLong());
        }
        return positions;
    }

    /**
     * A consumer: brings a cluster, from its checkpoints on, what it lacks, and renews the checkpoints at least each 50 ms as a sign of
     * life. It asks another node when one doesn't answer. Threads: any.
     */
    public static final class Feed implements AutoCloseable {

        private static final int CONNECT_MILLIS = 500;
        private static final int ANSWER_MILLIS = 2_000;
        private static final int MOST_MESSAGES = 1_000;
        private static final long SIGN_NANOS = 50_000_000L;
        private static final long END_LIMIT_MILLIS = 5_000;

        private final MessageStream stream;
        private final ElasticsearchCluster cluster;
        private final long everyNanos;
        private final Thread thread;
        private volatile boolean running = true;
        private volatile String lastFailure = "";
        private int node;
        private @Nullable HttpSession session;
        private long signNanos = System.nanoTime() - SIGN_NANOS;

        private Feed(MessageStream stream, ElasticsearchCluster cluster, Host host, int everyMillis) {
            if (everyMillis < 1) {
                throw new IllegalArgumentException("everyMillis: " + everyMillis + " (must be at least 1)");
            }
            this.stream = stream;
            this.cluster = cluster;
            this.everyNanos = everyMillis * 1_000_000L;
            this.thread = host.threads("feeds-" + cluster.name()).newThread(this::run);
            thread.start();
        }

        private void run() {
            while (running) {
                long due = System.nanoTime() + everyNanos;
                try {
                    step();
                    lastFailure = "";
                } catch (IOException e) {
                    lastFailure = String.valueOf(e.getMessage());
                    node++;
                    session = null;
                }
                LockSupport.parkNanos(due - System.nanoTime());
            }
        }

        private void step() throws IOException {
            SortedMap<String, Long> ends = stream.ends();
            if (ends.isEmpty()) {
                return;
            }
            // Asked each time: a cluster that was emptied, or that its clients write to, is where it says, not where we
            // left it.
            SortedMap<String, Long> positions = positions(ask("/_mget", positionsQuery(ends.keySet())));
            boolean moved = false;
            Bulk documents = new Bulk();
            for (Map.Entry<String, Long> one : positions.entrySet()) {
                List<Message> lacking = stream.after(one.getKey(), one.getValue(), MOST_MESSAGES);
                for (Message message : lacking) {
                    documents.document(ElasticsearchCluster.STREAM_WRITES, message);
                    one.setValue(message.number());
                    moved = true;
                }
            }
            if (moved) {
                send(documents);
            }
            long now = System.nanoTime();
            if (moved || now - signNanos >= SIGN_NANOS) {
                Bulk checkpoints = new Bulk();
                positions.forEach((partition, position) ->
                        checkpoints.checkpoint(partition, position, Math.max(position, stream.end(partition))));
                send(checkpoints);
                signNanos = now;
            }
        }

        private void send(Bulk bulk) throws IOException {
            String refusal = refusal(ask("/_bulk?timeout=1s", bulk.toString()));
            if (refusal != null) {
                throw new IOException(cluster.name() + " refuses the stream: " + refusal);
            }
        }

        private ElasticsearchNode.Answer ask(String path, String body) throws IOException {
            HttpSession open = session;
            if (open == null) {
                List<ElasticsearchNode> nodes = cluster.nodes();
                open = new HttpSession(
                        nodes.get(Math.floorMod(node, nodes.size())).http(), CONNECT_MILLIS);
                session = open;
            }
            return open.ask("POST", path, body, ANSWER_MILLIS);
        }

        /** Waits until the cluster's checkpoints say that it holds all that is in the queue at this moment. */
        public void awaitCaughtUp(Duration limit) throws IOException {
            SortedMap<String, Long> wanted = stream.ends();
            SortedMap<String, Long> reached = new TreeMap<>();
            long deadline = System.nanoTime() + limit.toNanos();
            while (true) {
                try {
                    reached = cluster.positions(wanted.keySet());
                } catch (IOException e) {
                    lastFailure = String.valueOf(e.getMessage());
                }
                if (holds(reached, wanted)) {
                    return;
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IOException(cluster.name() + " holds " + reached + " of the stream after "
                            + limit.toMillis() + " ms (must be " + wanted + "); " + lastFailure);
                }
                LockSupport.parkNanos(10_000_000L);
            }
        }

        private static boolean holds(SortedMap<String, Long> reached, SortedMap<String, Long> wanted) {
            return wanted.entrySet().stream().allMatch(e -> reached.getOrDefault(e.getKey(), 0L) >= e.getValue());
        }

        /** Why the last attempt failed; empty when it didn't. */
        public String lastFailure() {
            return lastFailure;
        }

        /** Ends it; what is under way may still be applied. */
        @Override
        public void close() {
            running = false;
            LockSupport.unpark(thread);
            try {
                thread.join(END_LIMIT_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
