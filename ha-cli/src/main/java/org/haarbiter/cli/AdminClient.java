package org.haarbiter.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import org.haarbiter.admin.ErrorView;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsSettings;
import org.haarbiter.settings.OwnerOnlyFile;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * Asks the masters, one after the other, and goes on to the leader where one names it; with a token only to addresses that the
 * settings name, since whoever gets it can use it. For one thread.
 */
final class AdminClient {
    private static final int CONNECT_LIMIT_MILLIS = 1_500;
    private static final long NO_LEADER_PATIENCE_MILLIS = 3_000;
    private static final long ROUND_GAP_MILLIS = 200;
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{16,512}");
    private static final int ANSWER_LIMIT_BYTES = 64 << 20;

    /** An answer that isn't about who leads. */
    record Answer(int status, String body) {}

    private static final class NotReachedException extends Exception {
        private static final long serialVersionUID = 1L;

        /** True where the request may have been carried out all the same. */
        private final boolean sent;

        NotReachedException(String sentence, boolean sent) {
            super(sentence);
            this.sent = sent;
        }
    }

    private final List<Endpoint> masters;
    private final @Nullable SSLSocketFactory sockets;
    private final @Nullable String token;
    private final long limitMillis;
    private final ObjectMapper json = JsonMapper.builder()
            // A master of a later version may say more.
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** The master that answered last is asked first. */
    private @Nullable Endpoint last;

    /**
     * Reads the files that are named.
     *
     * @throws CliException where one can't be used
     */
    AdminClient(MastersSetting setting, long limitMillis) throws CliException {
        this.masters = setting.masters();
        this.limitMillis = limitMillis;
        try {
            this.sockets = sockets(setting);
            Path file = setting.tokenFile();
            this.token = file == null ? null : OwnerOnlyFile.read(file).strip();
        } catch (SettingsException e) {
            throw new CliException(ExitCode.USAGE, String.valueOf(e.getMessage()));
        }
        if (token != null && !TOKEN.matcher(token).matches()) {
            throw new CliException(
                    ExitCode.USAGE,
                    setting.tokenFile() + ": must hold one token and nothing else, of 16 to 512 characters");
        }
        for (Endpoint master : masters) {
            if (token != null && sockets == null && !master.onLoopback()) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--token-file: a token isn't sent to " + master
                                + " in plain text (give --ca, so that HTTPS is used)");
            }
        }
    }

    private static @Nullable SSLSocketFactory sockets(MastersSetting setting) {
        Path ca = setting.ca();
        if (ca == null) {
            return null;
        }
        Path certificate = setting.certificate();
        Path key = setting.key();
        SSLContext context = certificate == null || key == null
                ? Tls.trusting(ca)
                : Tls.load(new TlsSettings(certificate, key, ca, true)).clientContext();
        return context.getSocketFactory();
    }

    /** The body of a view. */
    String get(String path) throws CliException {
        return checked(ask("GET", path, ""));
    }

    /** The answer to a command, accepted (200) or refused (409). */
    Answer post(String path, Object body) throws CliException {
        Answer answer = ask("POST", path, write(body));
        if (answer.status() != 200 && answer.status() != 409) {
            checked(answer);
        }
        return answer;
    }

    <T> T read(String body, Class<T> type) throws CliException {
        try {
            return json.readValue(body, type);
        } catch (JsonProcessingException e) {
            throw new CliException(
                    ExitCode.REFUSED,
                    "the answer isn't a " + type.getSimpleName() + ": " + e.getOriginalMessage()
                            + " (is --masters an ha-master's admin address, and of this version?)");
        }
    }

    /** An object of the API as JSON. */
    String write(Object body) throws CliException {
        try {
            return json.writeValueAsString(body);
        } catch (JsonProcessingException e) {
            throw new CliException(ExitCode.USAGE, "can't be written as JSON: " + e.getOriginalMessage());
        }
    }

    private String checked(Answer answer) throws CliException {
        if (answer.status() == 200) {
            return answer.body();
        }
        ErrorView error = error(answer);
        int code = switch (error.error()) {
            case "not-found" -> ExitCode.NOT_FOUND;
            case "bad-request" -> ExitCode.USAGE;
            case "no-leader", "not-leader" -> ExitCode.NO_LEADER;
            case "unauthenticated", "forbidden" -> ExitCode.NOT_ALLOWED;
            case "timeout" -> ExitCode.INCOMPLETE;
            default -> ExitCode.REFUSED;
        };
        String sentence = code == ExitCode.NOT_ALLOWED ? "not allowed: " + error.sentence() : error.sentence();
        throw new CliException(code, sentence, answer.body());
    }

    private ErrorView error(Answer answer) throws CliException {
        try {
            return json.readValue(answer.body(), ErrorView.class);
        } catch (JsonProcessingException e) {
            throw new CliException(
                    ExitCode.REFUSED,
                    "answer " + answer.status() + " isn't an ha-master's: " + firstLine(answer.body())
                            + " (is --masters an ha-master's admin address?)");
        }
    }

    /** Goes round until somebody leads, for as long as an election may take. */
    private Answer ask(String method, String path, String body) throws CliException {
        long start = System.nanoTime();
        long patience = Math.min(limitMillis, NO_LEADER_PATIENCE_MILLIS);
        while (true) {
            Answer leaderless = null;
            List<String> failures = new ArrayList<>();
            ArrayDeque<Endpoint> next = new ArrayDeque<>(masters);
            if (last != null) {
                next.addFirst(last);
            }
            TreeSet<Endpoint> asked = new TreeSet<>();
            while (!next.isEmpty()) {
                Endpoint master = next.removeFirst();
                if (!asked.add(master)) {
                    continue;
                }
                Answer answer;
                try {
                    answer = exchange(master, method, path, body, remaining(start));
                } catch (NotReachedException e) {
                    failures.add(e.getMessage());
                    if (e.sent && method.equals("POST")) {
                        // Asked a second time it might be carried out twice.
                        throw new CliException(
                                ExitCode.INCOMPLETE,
                                "the command was sent and no answer came: " + e.getMessage()
                                        + " (see hactl status and hactl log before you repeat it)");
                    }
                    continue;
                }
                if (answer.status() == 307 || answer.status() == 503) {
                    ErrorView error = error(answer);
                    if (error.leader() != null) {
                        Endpoint leader = endpoint(error.leader());
                        if (token != null && !masters.contains(leader)) {
                            throw new CliException(
                                    ExitCode.NO_LEADER,
                                    master + " names " + leader + " as the leader, which isn't among the masters of"
                                            + " --masters, HA_MASTERS or hactl.yaml: the token isn't sent there (name"
                                            + " all masters' admin addresses as they themselves do)",
                                    answer.body());
                        }
                        next.addFirst(leader);
                        leaderless = answer;
                        continue;
                    }
                    if (error.error().equals("no-leader")) {
                        leaderless = answer;
                        continue;
                    }
                }
                last = master;
                return answer;
            }
            if (leaderless == null) {
                throw new CliException(
                        ExitCode.UNREACHABLE,
                        "no master can be reached: " + String.join("; ", failures)
                                + " (is ha-master running there? the databases go on without it; see --masters)");
            }
            if (elapsedMillis(start) + ROUND_GAP_MILLIS >= patience) {
                ErrorView error = error(leaderless);
                throw new CliException(
                        ExitCode.NO_LEADER,
                        (error.leader() == null
                                        ? error.sentence()
                                        : "the leader " + error.leader() + " can't be reached")
                                + (failures.isEmpty() ? "" : "; " + String.join("; ", failures)),
                        leaderless.body());
            }
            pause();
        }
    }

    private static void pause() throws CliException {
        try {
            Thread.sleep(ROUND_GAP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException(ExitCode.INCOMPLETE, "interrupted");
        }
    }

    private Answer exchange(Endpoint master, String method, String path, String body, int remainingMillis)
            throws NotReachedException {
        boolean sent = false;
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create((sockets == null ? "http://" : "https://") + master + path)
                            .toURL()
                            .openConnection(Proxy.NO_PROXY);
            if (connection instanceof HttpsURLConnection secure && sockets != null) {
                secure.setSSLSocketFactory(sockets);
            }
            if (token != null) {
                connection.setRequestProperty("Authorization", "Bearer " + token);
            }
            connection.setConnectTimeout(Math.min(CONNECT_LIMIT_MILLIS, remainingMillis));
            connection.setReadTimeout(remainingMillis);
            connection.setInstanceFollowRedirects(false);
            connection.setRequestMethod(method);
            if (method.equals("POST")) {
                byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                connection.setRequestProperty("X-HA-Arbiter", "1");
                connection.setRequestProperty("Content-Type", "application/json");
                connection.setDoOutput(true);
                // A fixed length also keeps the JDK from sending a command again by itself when the connection breaks.
                connection.setFixedLengthStreamingMode(bytes.length);
                connection.connect();
                sent = true;
                try (OutputStream out = connection.getOutputStream()) {
                    out.write(bytes);
                }
            }
            int status = connection.getResponseCode();
            InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream();
            if (in == null) {
                return new Answer(status, "");
            }
            try (in) {
                return new Answer(status, new String(in.readNBytes(ANSWER_LIMIT_BYTES), StandardCharsets.UTF_8));
            }
        } catch (ConnectException e) {
            throw new NotReachedException(master + " refuses connections", false);
        } catch (SocketTimeoutException e) {
            throw new NotReachedException(
                    master + (sent ? " gave no answer within " + remainingMillis + " ms" : " doesn't answer"), sent);
        } catch (SSLException e) {
            throw new NotReachedException(
                    master + ": TLS: " + e.getMessage()
                            + " (is its admin port encrypted, of the authority in --ca, and named in its certificate? does"
                            + " it trust --cert?)",
                    sent);
        } catch (IOException e) {
            throw new NotReachedException(
                    master + ": " + e.getMessage()
                            + (sockets == null ? " (where its admin port is encrypted, give --ca)" : ""),
                    sent);
        }
    }

    private static Endpoint endpoint(String text) throws CliException {
        try {
            return Endpoint.parse(text);
        } catch (IllegalArgumentException e) {
            throw new CliException(ExitCode.REFUSED, "a master names a leader that can't be asked: " + e.getMessage());
        }
    }

    private int remaining(long start) {
        return (int) Math.max(100, Math.min(Integer.MAX_VALUE, limitMillis - elapsedMillis(start)));
    }

    private static long elapsedMillis(long start) {
        return (System.nanoTime() - start) / 1_000_000;
    }

    private static String firstLine(String text) {
        String line = text.lines().findFirst().orElse("(empty)");
        return line.length() > 80 ? line.substring(0, 80) + "..." : line;
    }
}
