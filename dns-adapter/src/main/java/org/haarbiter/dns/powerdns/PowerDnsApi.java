package org.haarbiter.dns.powerdns;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLException;
import org.haarbiter.link.Tls;
import org.xbill.DNS.Name;

/** The requests of PowerDNS' API that are needed here, about one zone. Thread-safe; calls block until their deadline at most. */
final class PowerDnsApi {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_BYTES = 64 << 20;
    private static final int QUOTED = 300;

    /** Above this many, one answer with the whole zone is less work than one answer a name. */
    private static final int MOST_NAMES = 12;

    private final PowerDnsApiSettings settings;
    private final HttpClient client;
    private final String path;
    private final ReentrantLock patching = new ReentrantLock();

    /**
     * Asks nothing yet.
     *
     * @throws org.haarbiter.settings.SettingsException where the certificates can't be used
     */
    PowerDnsApi(PowerDnsApiSettings settings) {
        this.settings = settings;
        HttpClient.Builder builder = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        if (settings.ca() != null) {
            builder.sslContext(Tls.trusting(settings.ca()));
        }
        this.client = builder.build();
        this.path = (settings.ca() == null ? "http://" : "https://") + settings.server() + "/api/v1/servers/"
                + settings.serverId() + "/zones/" + encoded(settings.zone());
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    /** What is said of the zone itself: {@code kind}, {@code soa_edit_api} and others, without its records. */
    JsonNode zone(long deadlineNanos) throws ApiProblem {
        return await(send("GET", path + "?rrsets=false", ""), "GET of zone " + settings.zone(), deadlineNanos);
    }

    /** Answers that together hold all record sets of these names, each as {@link #zone} with {@code rrsets}. */
    List<JsonNode> records(Set<Name> names, long deadlineNanos) throws ApiProblem {
        List<CompletableFuture<HttpResponse<byte[]>>> sent = new ArrayList<>();
        if (names.size() > MOST_NAMES) {
            sent.add(send("GET", path, ""));
        } else {
            for (Name name : names) {
                sent.add(send("GET", path + "?rrset_name=" + encoded(name.toString()), ""));
            }
        }
        List<JsonNode> answers = new ArrayList<>();
        for (CompletableFuture<HttpResponse<byte[]>> each : sent) {
            answers.add(await(each, "GET of records of " + settings.zone(), deadlineNanos));
        }
        return answers;
    }

    /** Changes record sets, all of them or none. One at a time: with SQLite, two lock each other out and are answered 500. */
    void patch(JsonNode change, long deadlineNanos) throws ApiProblem {
        try {
            if (!patching.tryLock(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                throw new ApiProblem(
                        ApiProblem.Kind.UNKNOWN,
                        settings.server() + ": another change was under way all the time. It is tried again");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiProblem(ApiProblem.Kind.UNKNOWN, settings.server() + ": this process is stopping");
        }
        try {
            await(send("PATCH", path, change.toString()), "PATCH of zone " + settings.zone(), deadlineNanos);
        } finally {
            patching.unlock();
        }
    }

    /** Tells the secondaries of a change; else they hear of it within PowerDNS' xfr-cycle-interval, a minute. */
    void notifySecondaries(long deadlineNanos) throws ApiProblem {
        await(send("PUT", path + "/notify", ""), "PUT of " + settings.zone() + " /notify", deadlineNanos);
    }

    private CompletableFuture<HttpResponse<byte[]>> send(String method, String uri, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(uri))
                .header("X-API-Key", settings.apiKey())
                .header("Content-Type", "application/json")
                .method(
                        method,
                        body.isEmpty()
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body))
                .build();
        return client.sendAsync(request, info -> new BoundedBody(MOST_BYTES));
    }

    private JsonNode await(CompletableFuture<HttpResponse<byte[]>> sent, String what, long deadlineNanos)
            throws ApiProblem {
        long began = System.nanoTime();
        try {
            return read(sent.get(Math.max(0, deadlineNanos - began), TimeUnit.NANOSECONDS), what);
        } catch (TimeoutException e) {
            sent.cancel(true);
            throw new ApiProblem(
                    ApiProblem.Kind.UNKNOWN,
                    settings.server() + ": no answer to " + what + " within "
                            + Duration.ofNanos(System.nanoTime() - began).toMillis()
                            + " ms: see that PowerDNS runs and isn't overloaded");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiProblem(ApiProblem.Kind.UNKNOWN, settings.server() + ": this process is stopping");
        } catch (ExecutionException e) {
            throw broken(e.getCause() == null ? e : e.getCause(), what);
        }
    }

    private ApiProblem broken(Throwable cause, String what) {
        if (cause instanceof ConnectException) {
            return new ApiProblem(
                    ApiProblem.Kind.UNKNOWN,
                    settings.server()
                            + ": nobody answers at this port: start PowerDNS with webserver=yes and api=yes, or correct api-server");
        }
        if (cause instanceof SSLException) {
            return new ApiProblem(
                    ApiProblem.Kind.REFUSED,
                    settings.server() + ": " + cause.getMessage()
                            + " (its certificate must be issued by ca-file and name this address)");
        }
        return new ApiProblem(
                ApiProblem.Kind.UNKNOWN,
                settings.server() + ": " + what + " broke: "
                        + (cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage())
                        + (cause instanceof IOException && settings.ca() == null
                                ? " (does it speak HTTPS? then set ca-file)"
                                : ""));
    }

    private JsonNode read(HttpResponse<byte[]> response, String what) throws ApiProblem {
        JsonNode body;
        try {
            body = response.body().length == 0 ? MissingNode.getInstance() : JSON.readTree(response.body());
        } catch (JacksonException e) {
            body = MissingNode.getInstance(); // refusals are told in plain text, too
        } catch (IOException e) {
            throw new AssertionError("Jackson reads from memory only", e);
        }
        int status = response.statusCode();
        if (status < 300) {
            return body;
        }
        String said = body.path("error").asText(cut(new String(response.body(), StandardCharsets.UTF_8)));
        String answered = settings.server() + " answered " + status + " (" + cut(said.strip()) + ") to " + what + ": ";
        throw switch (status) {
            case 401, 403 ->
                new ApiProblem(
                        ApiProblem.Kind.REFUSED,
                        answered + "check api-key-file against PowerDNS' api-key, and webserver-allow-from");
            case 404 ->
                new ApiProblem(
                        ApiProblem.Kind.REFUSED,
                        answered + "it has no zone " + settings.zone() + " on server " + settings.serverId()
                                + ", or api=yes is missing. Correct zone, api-server-id or api-server");
            case 409, 413, 422 ->
                new ApiProblem(
                        ApiProblem.Kind.REFUSED_CONTENT,
                        answered + "nothing was changed. Remove what stands in the way, e.g. a CNAME at the name");
            default ->
                status >= 500
                        ? new ApiProblem(
                                ApiProblem.Kind.UNKNOWN,
                                answered + "it couldn't write. Look into its log, for a full disk or a locked database."
                                        + " It is tried again")
                        : new ApiProblem(ApiProblem.Kind.REFUSED, answered + "look into its log");
        };
    }

    private static String cut(String text) {
        return text.length() <= QUOTED ? text : text.substring(0, QUOTED) + "...";
    }
}
