package org.haarbiter.lab;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * One node of an {@link ElasticsearchCluster}: a process with a directory of its own. The transport port is 100 above the HTTP
 * port. Threads: any.
 */
public final class ElasticsearchNode implements AutoCloseable {

    private static final int TRANSPORT_ABOVE_HTTP = 100;
    private static final Duration END_LIMIT = Duration.ofSeconds(60);
    private static final int CONNECT_MILLIS = 2_000;
    private static final int ANSWER_MILLIS = 90_000;

    /** Elasticsearch refuses to run as root. */
    private static final String NOBODY = "65534";

    /** To the standard output only: that goes to the log of the process. */
    private static final String LOGGING = """
            status = error
            appender.console.type = Console
            appender.console.name = console
            appender.console.layout.type = PatternLayout
            appender.console.layout.pattern = %d{ISO8601} %-5p %c{1.} %m%n
            rootLogger.level = info
            rootLogger.appenderRef.console.ref = console
            """;

    /** With /tmp for its temporary directory it refuses to start from anywhere below that. */
    private static final String JVM_OPTIONS = """
            -XX:+UseSerialGC
            -XX:TieredStopAtLevel=1
            -XX:-AlwaysPreTouch
            -Djava.io.tmpdir=${ES_TMPDIR}
            -Xms256m
            -Xmx256m
            """;

    private final ServerPlan plan;
    private final Servers.Program program;
    private final ServerProcess process;
    private @Nullable HttpSession session;

    ElasticsearchNode(ServerPlan plan, Servers.Program program) {
        this.plan = plan;
        this.program = program;
        List<String> command = command(plan, program);
        // OpenSearch has no launcher: its script becomes the server.
        this.process = isOpenSearch()
                ? new ServerProcess(plan.name(), plan.host(), command, log())
                : ServerProcess.launcher(plan.name(), plan.host(), command, log());
    }

    private static List<String> command(ServerPlan plan, Servers.Program program) {
        Path directory = plan.directory().toAbsolutePath();
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            // Its directories are the other user's own; the way to them, and to the program, may lead through root's.
            // Without the
            // secure bit the kernel takes the capability for open(2), but not for access(2).
            command.addAll(List.of(
                    "setpriv",
                    "--reuid=" + NOBODY,
                    "--regid=" + NOBODY,
                    "--clear-groups",
                    "--securebits=+no_setuid_fixup",
                    "--bounding-set=-all,+dac_read_search",
                    "--inh-caps=-all,+dac_read_search",
                    "--ambient-caps=-all,+dac_read_search"));
        }
        command.addAll(List.of(
                "env",
                "ES_JAVA_HOME=" + System.getProperty("java.home"),
                "ES_PATH_CONF=" + directory.resolve("config"),
                "ES_TMPDIR=" + directory.resolve("tmp"),
                "OPENSEARCH_JAVA_HOME=" + System.getProperty("java.home"),
                "OPENSEARCH_PATH_CONF=" + directory.resolve("config"),
                "OPENSEARCH_TMPDIR=" + directory.resolve("tmp"),
                // The launcher's own: it lives as long as the server.
                "CLI_JAVA_OPTS=-Xms16m -Xmx32m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                program.path().toString()));
        return command;
    }

    private boolean isOpenSearch() {
        return program.path().endsWith("opensearch");
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    static Endpoint transport(Endpoint http) {
        return new Endpoint(http.host(), http.port() + TRANSPORT_ABOVE_HTTP);
    }

    /** Name in messages, of its directory, and in the cluster. */
    public String name() {
        return plan.name();
    }

    /** Where clients connect. */
    public Endpoint http() {
        return plan.address();
    }

    /** Where the other nodes connect. */
    public Endpoint transport() {
        return transport(http());
    }

    /** Its data directory. */
    public Path dataDir() {
        return plan.directory().resolve("data").toAbsolutePath();
    }

    /** What it prints. */
    public Path log() {
        return plan.directory().resolve("output.log").toAbsolutePath();
    }

    /** The pid of the server process itself, as soon as its launcher has started it. */
    public long pid() {
        return process.pid();
    }

    /** Whether the process exists; true also while it is frozen. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** Writes the configuration of a node of this cluster. */
    void configure(String cluster, List<ElasticsearchNode> all) throws IOException {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("cluster.name", cluster);
        settings.put("node.name", name());
        settings.put("path.data", dataDir().toString());
        settings.put("path.logs", directory("logs").toString());
        settings.put("http.host", http().host());
        settings.put("http.port", Integer.toString(http().port()));
        settings.put("transport.host", transport().host());
        settings.put("transport.port", Integer.toString(transport().port()));
        settings.put(
                "discovery.seed_hosts",
                all.stream().map(n -> quoted(n.transport().toString())).collect(Collectors.joining(", ", "[", "]")));
        settings.put(
                "cluster.initial_master_nodes",
                all.stream().map(n -> quoted(n.name())).collect(Collectors.joining(", ", "[", "]")));
        settings.put("cluster.routing.allocation.disk.threshold_enabled", "false");
        settings.put(ElasticsearchCluster.START_FENCE, "0");
        // Writes wait for a node that hangs until the cluster has missed it: with what it does by itself for half a
        // minute.
        settings.put("cluster.fault_detection.follower_check.timeout", "3s");
        if (!isOpenSearch()) {
            settings.put("xpack.security.enabled", "false");
            settings.put("xpack.security.autoconfiguration.enabled", "false");
        }
        if (Files.isDirectory(home().resolve("modules/x-pack-ml"))) {
            settings.put("xpack.ml.enabled", "false");
        }
        for (String line : plan.settings()) {
            int colon = line.indexOf(": ");
            if (colon <= 0) {
                throw new IllegalArgumentException(name() + ": setting '" + line + "' (must be NAME: VALUE)");
            }
            settings.put(line.substring(0, colon), line.substring(colon + 2));
        }
        for (String made : List.of("config", "tmp", "logs", "data")) {
            Files.createDirectories(directory(made));
        }
        Path config = directory("config");
        write(
                config.resolve(isOpenSearch() ? "opensearch.yml" : "elasticsearch.yml"),
                settings.entrySet().stream()
                        .map(e -> e.getKey() + ": " + e.getValue() + "\n")
                        .collect(Collectors.joining()));
        write(
                config.resolve("jvm.options"),
                isOpenSearch() ? JVM_OPTIONS.replace("ES_TMPDIR", "OPENSEARCH_TMPDIR") : JVM_OPTIONS);
        write(config.resolve("log4j2.properties"), LOGGING);
        if (isRoot()) {
            Commands.run(
                    List.of(
                            "chown",
                            "-R",
                            NOBODY + ":" + NOBODY,
                            plan.directory().toString()),
                    "");
        }
    }

    private static void write(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardCharsets.UTF_8);
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }

    private Path directory(String name) {
        return plan.directory().resolve(name).toAbsolutePath();
    }

    private Path home() {
        Path bin = program.path().toAbsolutePath().getParent();
        Path home = bin == null ? null : bin.getParent();
        if (home == null) {
            throw new IllegalStateException(program.path() + " (must be DIRECTORY/bin/elasticsearch)");
        }
        return home;
    }

    /** Starts the process and returns at once; does nothing when it runs. */
    public void start() throws IOException {
        process.start();
    }

    /** Kills the process if it runs, waits for its end and starts it again. */
    public void restart() throws IOException {
        kill9();
        awaitEnd(END_LIMIT);
        start();
    }

    /** Deletes what it holds; it mustn't run. */
    void deleteData() throws IOException {
        Commands.run(List.of("rm", "-rf", dataDir().toString()), "");
    }

    /** Sends SIGKILL and returns at once. */
    public void kill9() {
        process.kill9();
    }

    /** Sends SIGTERM and returns at once. */
    public void terminate() {
        process.terminate();
    }

    /** Sends SIGSTOP and returns when every thread stands still. */
    public void freeze() {
        process.freeze();
    }

    /** Sends SIGCONT. */
    public void thaw() {
        process.thaw();
    }

    /** Waits until the process is gone; throws when the limit passes. */
    public void awaitEnd(Duration limit) throws IOException {
        process.awaitEnd(limit);
    }

    /** The end of its log, for messages. */
    String lastWords() {
        return process.lastWords();
    }

    /**
     * Asks this node, from its own host.
     *
     * @param path with its query, such as {@code /_cluster/health?timeout=0s}
     * @param body JSON, or lines of JSON for {@code _bulk}; empty for none
     * @throws IOException where it doesn't answer within 90 s
     */
    public Answer ask(String method, String path, String body) throws IOException {
        return ask(method, path, body, ANSWER_MILLIS);
    }

    /** The same with another limit for the answer. */
    public Answer ask(String method, String path, String body, int answerMillis) throws IOException {
        try {
            return plan.host().call(() -> session().ask(method, path, body, answerMillis));
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("can't ask " + this + " from its host", e);
        }
    }

    /** What is to be done anyway: an answer that isn't yes is an exception. */
    JsonNode demand(String method, String path, String body) throws IOException {
        Answer answer = ask(method, path, body);
        if (!answer.yes()) {
            throw new IOException(this + ": " + method + " " + path + ": " + answer);
        }
        return answer.body();
    }

    private synchronized HttpSession session() {
        HttpSession open = session;
        if (open == null) {
            open = new HttpSession(http(), CONNECT_MILLIS);
            session = open;
        }
        return open;
    }

    /** Kills it and waits for its end; the directory stays. */
    @Override
    public void close() throws IOException {
        process.close();
    }

    @Override
    public String toString() {
        return name() + " at " + http();
    }

    /**
     * What a node said.
     *
     * @param status of HTTP
     * @param body as JSON; a string where it isn't
     */
    public record Answer(int status, JsonNode body) {

        /** Whether it is a yes. */
        public boolean yes() {
            return status >= 200 && status < 300;
        }

        /** The reason of a no, or what it said in all. */
        @Override
        public String toString() {
            JsonNode error = body.path("error");
            String reason = error.isMissingNode()
                    ? body.toString()
                    : error.path("type").asText(error.asText())
                            + ": "
                            + error.path("reason").asText();
            return status + " " + reason.substring(0, Math.min(300, reason.length()));
        }
    }
}
