package org.haarbiter.agent.engine.elasticsearch;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.haarbiter.link.Tls;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Speaks JSON over HTTP with nodes, over TLS where it was told who issues their certificates: these must name the address that is
 * connected to. Thread-safe; connections are kept open.
 */
final class Rest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SENTENCE = 300;

    private final HttpClient client;
    private final String scheme;
    private final @Nullable String authorization;

    /** @throws org.haarbiter.settings.SettingsException where the certificates can't be used */
    Rest(@Nullable String user, @Nullable String password, @Nullable Path ca) {
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(2));
        if (ca != null) {
            builder.sslContext(Tls.trusting(ca));
        }
        this.client = builder.build();
        this.scheme = ca == null ? "http://" : "https://";
        this.authorization = user == null
                ? null
                : "Basic "
                        + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Sends a request and returns at once.
     *
     * @param body JSON; empty for none
     * @param limit after which the request is given up
     * @return fails with {@link RestProblem}
     */
    CompletableFuture<JsonNode> send(Endpoint node, String method, String path, String body, Duration limit) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(scheme + node + path))
                .timeout(limit)
                .header("Content-Type", "application/json")
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body));
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString())
                .handle((response, failure) -> {
                    if (failure != null) {
                        throw new Failed(problem(failure, method + " " + path));
                    }
                    try {
                        return read(response);
                    } catch (RestProblem e) {
                        throw new Failed(e);
                    }
                });
    }

    /** The same, and waits until the deadline. */
    JsonNode ask(Endpoint node, String method, String path, String body, long deadlineNanos) throws RestProblem {
        long left = Math.max(1_000_000, deadlineNanos - System.nanoTime());
        return await(send(node, method, path, body, Duration.ofNanos(left)), deadlineNanos, method + " " + path);
    }

    /** The answer; where none has come by the deadline the request goes on. */
    static <T> T await(CompletableFuture<T> answer, long deadlineNanos, String what) throws RestProblem {
        try {
            return answer.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw RestProblem.noAnswer(what);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw RestProblem.noAnswer("the agent, which is being stopped");
        } catch (ExecutionException e) {
            throw problem(e, what);
        }
    }

    private static RestProblem problem(Throwable failure, String what) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof Failed failed) {
                return failed.problem;
            }
            if (cause instanceof java.net.http.HttpTimeoutException
                    && !(cause instanceof java.net.http.HttpConnectTimeoutException)) {
                return RestProblem.noAnswer(what);
            }
            if (cause instanceof IOException) {
                return RestProblem.lost(String.valueOf(
                        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage()));
            }
        }
        return RestProblem.lost(String.valueOf(failure));
    }

    private static JsonNode read(HttpResponse<String> response) throws RestProblem {
        String text = response.body();
        JsonNode body;
        try {
            body = text.isEmpty() ? MissingNode.getInstance() : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw RestProblem.refused(response.statusCode(), "the answer can't be read: " + cut(text));
        }
        if (response.statusCode() >= 300) {
            String reason = body.at("/error/root_cause/0/reason")
                    .asText(body.at("/error/reason").asText(cut(text)));
            throw RestProblem.refused(response.statusCode(), "status " + response.statusCode() + ": " + cut(reason));
        }
        return body;
    }

    private static String cut(String text) {
        return text.length() <= SENTENCE ? text : text.substring(0, SENTENCE) + "...";
    }

    /** Carries a problem through a future. */
    private static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient RestProblem problem;

        Failed(RestProblem problem) {
            super(problem.getMessage(), problem);
            this.problem = problem;
        }
    }
}
