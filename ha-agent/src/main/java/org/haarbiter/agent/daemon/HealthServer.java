package org.haarbiter.agent.daemon;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers load balancers' checks over HTTP. Two threads, and a bounded line before them: a check that finds no room is dropped, and
 * the load balancer takes that for a failed one. The agent's own thread is never asked.
 */
final class HealthServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HealthServer.class);
    private static final int THREADS = 2;
    private static final int MOST_WAITING = 100;
    private static final int BACKLOG = 100;
    private static final Set<String> METHODS = Set.of("GET", "HEAD", "OPTIONS");

    private final HealthAnswers answers;
    private final HttpServer server;
    private final ThreadPoolExecutor threads;
    private final ObjectMapper json = new ObjectMapper();

    /**
     * Listens at once.
     *
     * @param address port 0 takes any that is free
     * @throws IOException where it can't listen there
     */
    HealthServer(InetSocketAddress address, HealthAnswers answers) throws IOException {
        this.answers = answers;
        try {
            this.server = HttpServer.create(address, BACKLOG);
        } catch (IOException e) {
            throw new IOException(
                    "health: can't listen on " + address.getHostString() + ":" + address.getPort() + ": "
                            + e.getMessage(),
                    e);
        }
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MOST_WAITING), task -> {
                    Thread thread = new Thread(task, "health");
                    thread.setDaemon(true);
                    return thread;
                });
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /** The port it listens on. */
    int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            String method = exchange.getRequestMethod();
            if (!METHODS.contains(method)) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD, OPTIONS");
                exchange.sendResponseHeaders(405, -1);
                return;
            }
            HealthAnswers.Answer answer = answers.answer(
                    exchange.getRequestURI().getPath(), exchange.getRequestURI().getRawQuery());
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            byte[] body = body(answer);
            if (method.equals("HEAD")) {
                exchange.sendResponseHeaders(answer.status(), -1);
                return;
            }
            exchange.sendResponseHeaders(answer.status(), body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        } catch (IOException e) {
            // Whoever asked has gone.
            LOG.debug("a check of this server's health wasn't answered: {}", e.toString());
        } catch (RuntimeException e) {
            LOG.error("a check of this server's health can't be answered", e);
        }
    }

    private byte[] body(HealthAnswers.Answer answer) throws JsonProcessingException {
        return json.writeValueAsBytes(answer.body());
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
