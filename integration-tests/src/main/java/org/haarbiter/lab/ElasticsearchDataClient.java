package org.haarbiter.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.lab.MessageStream.Bulk;
import org.haarbiter.lab.MessageStream.Message;
import org.haarbiter.words.Endpoint;

/**
 * Documents with a field {@code n}. A write goes to the stream first, then to the server, and is acknowledged when both have it. One that
 * the server refuses is in the stream all the same and will come to every cluster: it counts as refused, which asks nothing but
 * that nobody writes its number again.
 *
 * @param stream what brings the other cluster the same
 * @param clusters all that there are
 */
record ElasticsearchDataClient(MessageStream stream, List<ElasticsearchCluster> clusters) implements DataClient {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PAGE = 10_000;
    private static final int MOST_MESSAGES = 1_000;
    private static final int ALIVE_MILLIS = 1_000;

    @Override
    public Endpoint member(Endpoint server) {
        return clusters.stream()
                .filter(cluster ->
                        cluster.nodes().stream().anyMatch(node -> node.http().equals(server)))
                .findFirst()
                .<Endpoint>map(ElasticsearchCluster::address)
                .orElse(server);
    }

    @Override
    public Session connect(Endpoint server, int connectTimeoutMillis, int socketTimeoutMillis) throws Failure {
        // An HTTP client costs a thread: none for a server that nobody can connect to.
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(server.host(), server.port()), connectTimeoutMillis);
        } catch (IOException e) {
            throw broken(e);
        }
        return new ElasticsearchSession(new HttpSession(server, connectTimeoutMillis), socketTimeoutMillis);
    }

    @Override
    public Set<Long> written(DatabaseServer server, long first) throws IOException {
        if (!(server instanceof ElasticsearchCluster cluster)) {
            throw new IllegalArgumentException(
                    server.name() + " isn't an Elasticsearch cluster: its documents can't be read");
        }
        cluster.demand("POST", "/" + ElasticsearchCluster.WRITES + "/_refresh", "");
        Set<Long> present = new HashSet<>();
        long from = first;
        while (true) {
            ObjectNode query = JSON.createObjectNode();
            query.put("size", PAGE).put("_source", false);
            query.putObject("query").putObject("range").putObject("n").put("gte", from);
            query.putArray("sort").addObject().put("n", "asc");
            JsonNode hits = cluster.demand("POST", "/" + ElasticsearchCluster.WRITES + "/_search", query.toString())
                    .path("hits")
                    .path("hits");
            for (JsonNode hit : hits) {
                from = hit.path("sort").path(0).asLong() + 1;
                present.add(from - 1);
            }
            if (hits.size() < PAGE) {
                return present;
            }
        }
    }

    @Override
    public String summary(DatabaseServer server) throws IOException {
        Set<Long> all = written(server, 0);
        return all.size() + " documents, sum " + all.stream().reduce(0L, (a, b) -> a ^ b);
    }

    private static Failure broken(IOException e) {
        return new Failure(Kind.BROKEN, String.valueOf(e.getMessage()), e);
    }

    private final class ElasticsearchSession implements Session {
        private final HttpSession http;
        private final int answerMillis;
        private final String partition = stream.lease();
        private final AtomicBoolean open = new AtomicBoolean(true);
        /** Up to where the server holds the partition; -1 before it was asked. */
        private long position = -1;

        private ElasticsearchSession(HttpSession http, int answerMillis) {
            this.http = http;
            this.answerMillis = answerMillis;
        }

        @Override
        public void write(long id) throws Failure {
            if (position < 0) {
                position = askPosition();
            }
            // Nothing new into the stream as long as what is there is refused: a fenced cluster's clients would fill
            // it.
            bring(stream.end(partition));
            String body = JSON.createObjectNode().put("n", id).toString();
            bring(stream.append(partition, Long.toString(id), body));
        }

        private void bring(long number) throws Failure {
            while (position < number) {
                Bulk bulk = new Bulk();
                long reached = position;
                // More than this one where the server refused those before it: a checkpoint has no gaps below it.
                for (Message message : stream.after(partition, position, MOST_MESSAGES)) {
                    bulk.document(ElasticsearchCluster.WRITES, message);
                    reached = message.number();
                }
                bulk.checkpoint(partition, position, stream.end(partition));
                String refusal = MessageStream.refusal(
                        ask("POST", "/_bulk?timeout=" + answerMillis + "ms", bulk.toString(), answerMillis));
                if (refusal != null) {
                    throw new Failure(Kind.REFUSED, refusal);
                }
                position = reached;
            }
        }

        private long askPosition() throws Failure {
            ElasticsearchNode.Answer answer =
                    ask("POST", "/_mget", MessageStream.positionsQuery(List.of(partition)), answerMillis);
            try {
                return MessageStream.positions(answer).getOrDefault(partition, 0L);
            } catch (IOException e) {
                throw new Failure(Kind.REFUSED, String.valueOf(e.getMessage()), e);
            }
        }

        @Override
        public List<Long> newest(List<Writer> writers) throws Failure {
            ObjectNode query = JSON.createObjectNode().put("size", 0);
            ObjectNode parts = query.putObject("aggs");
            for (int i = 0; i < writers.size(); i++) {
                ObjectNode part = parts.putObject("w" + i);
                part.putObject("filter")
                        .putObject("range")
                        .putObject("n")
                        .put("gte", writers.get(i).first())
                        .put("lt", writers.get(i).end());
                part.putObject("aggs").putObject("newest").putObject("max").put("field", "n");
            }
            demand("/" + ElasticsearchCluster.WRITES + "/_refresh", "");
            JsonNode found = demand("/" + ElasticsearchCluster.WRITES + "/_search", query.toString())
                    .path("aggregations");
            List<Long> newest = new ArrayList<>();
            for (int i = 0; i < writers.size(); i++) {
                newest.add(found.path("w" + i).path("newest").path("value").asLong());
            }
            return newest;
        }

        private JsonNode demand(String path, String body) throws Failure {
            ElasticsearchNode.Answer answer = ask("POST", path, body, answerMillis);
            // An answer of some shards only would look like a read that went back.
            if (!answer.yes() || answer.body().path("_shards").path("failed").asInt() > 0) {
                throw new Failure(Kind.REFUSED, answer.toString());
            }
            return answer.body();
        }

        @Override
        public void rehearseRefusal() throws Failure {
            ElasticsearchNode.Answer answer = ask("PUT", "/app-nothing/_doc/1?require_alias=true", "{}", answerMillis);
            if (!answer.yes()) {
                throw new Failure(Kind.REFUSED, answer.toString());
            }
        }

        @Override
        public boolean answers() {
            try {
                return http.ask(
                                "GET",
                                "/_cluster/health?local=true&timeout=0s",
                                "",
                                Math.min(ALIVE_MILLIS, answerMillis))
                        .yes();
            } catch (IOException e) {
                return false;
            }
        }

        private ElasticsearchNode.Answer ask(String method, String path, String body, int limitMillis) throws Failure {
            try {
                return http.ask(method, path, body, limitMillis);
            } catch (IOException e) {
                throw broken(e);
            }
        }

        @Override
        public void abort() {
            http.abort();
            if (open.getAndSet(false)) {
                stream.giveBack(partition);
            }
        }
    }
}
