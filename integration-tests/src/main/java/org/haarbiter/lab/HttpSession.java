package org.haarbiter.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A client of one HTTP server. Asked by one thread at a time it keeps one connection, and opens another only where the server
 * has closed that. Its sockets are on the host of the thread that made it and asks. Threads: any.
 */
final class HttpSession {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Endpoint server;
    private final HttpClient client;
    private @Nullable CompletableFuture<HttpResponse<byte[]>> underWay;
    private boolean aborted;

    HttpSession(Endpoint server, int connectMillis) {
        this.server = server;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofMillis(connectMillis))
                .build();
    }

    /** Asks, and waits for the whole answer; a connection without one in time is given up. */
    ElasticsearchNode.Answer ask(String method, String path, String body, int answerMillis) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + server.host() + ":" + server.port() + path))
                .header(
                        "Content-Type",
                        path.contains("_bulk") || path.contains("_msearch")
                                ? "application/x-ndjson"
                                : "application/json")
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body))
                .build();
        CompletableFuture<HttpResponse<byte[]>> asking;
        synchronized (this) {
            if (aborted) {
                throw new IOException("the session with " + server + " was given up");
            }
            asking = client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
            underWay = asking;
        }
        try {
            HttpResponse<byte[]> response = asking.get(answerMillis, TimeUnit.MILLISECONDS);
            return new ElasticsearchNode.Answer(response.statusCode(), parsed(response.body()));
        } catch (TimeoutException e) {
            throw new IOException(
                    server + " doesn't answer " + method + " " + path + " within " + answerMillis + " ms", e);
        } catch (CancellationException e) {
            throw new IOException("the session with " + server + " was given up", e);
        } catch (ExecutionException e) {
            throw new IOException(server + ": " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + server, e);
        } finally {
            // Closes the connection of an exchange that hasn't ended, and does nothing else.
            asking.cancel(true);
        }
    }

    private static JsonNode parsed(byte[] body) {
        try {
            return body.length == 0 ? TextNode.valueOf("") : JSON.readTree(body);
        } catch (IOException e) {
            return TextNode.valueOf(new String(body, java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    /** Gives it up; whoever waits for an answer is told so. */
    synchronized void abort() {
        aborted = true;
        CompletableFuture<HttpResponse<byte[]>> waiting = underWay;
        if (waiting != null) {
            waiting.cancel(true);
        }
    }
}
