package org.haarbiter.master.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.common.TextFormat;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.EndpointsChange;
import org.haarbiter.admin.ErrorView;
import org.haarbiter.admin.ExpectedGroup;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.admin.RecordsChange;
import org.haarbiter.http.HttpLimits;
import org.haarbiter.link.CertificateNames;
import org.haarbiter.link.PortLimits;
import org.haarbiter.link.RequestRate;
import org.haarbiter.link.Tls;
import org.haarbiter.master.admin.AdminException.Kind;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The admin API over HTTP. {@code GET /} lists its paths. Answers are one JSON object each, in UTF-8; errors are an
 * {@link ErrorView}. A master that doesn't lead answers 307 with the leader's address in {@code Location} and in the body;
 * where there is no leader it answers 503, or, with {@code ?local=true}, what it knows itself.
 *
 * <p>With TLS it speaks HTTPS, and asks for a certificate without insisting on one, since a token does as well. {@link Access}
 * says who may do what; {@code /health} and {@code /leader} are for everybody. What browsers can be made to send by a foreign page is refused: commands need the header {@code X-HA-Arbiter: 1} and must
 * have no {@code Origin}.
 */
public final class AdminServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AdminServer.class);

    /** The header without which no command is taken. */
    public static final String COMMAND_HEADER = "X-HA-Arbiter";

    /** More than work at once: a client that is slow with its handshake or its request holds one for some seconds. */
    private static final int THREADS = 64;

    private static final int WAITING_LIMIT = 64;
    private static final int BODY_LIMIT_BYTES = 16 * 1024;
    private static final int TEXT_LIMIT = 1_000;
    private static final int BACKLOG = 64;
    private static final long ANSWER_LIMIT_MILLIS = 10_000;
    private static final long HEALTH_LIMIT_MILLIS = 1_000;
    private static final String[] PROTOCOLS = {"TLSv1.3", "TLSv1.2"};
    private static final Set<Kind> REFUSED = EnumSet.of(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.TOO_MANY_REQUESTS);
    private static final int SAID_LIMIT = 100;

    /** Many an hactl watch, and a Prometheus beside them, behind one address. */
    private static final int REQUESTS_AT_ONCE = 1_000;

    private static final int REQUESTS_PER_SECOND = 200;
    private static final String JSON = "application/json; charset=utf-8";

    private static final Map<String, String> PATHS = new TreeMap<>(Map.ofEntries(
            Map.entry("GET /v1/status", "the fleet at a glance"),
            Map.entry("GET /v1/groups/NAME", "everything of a group"),
            Map.entry("GET /v1/groups/NAME/why", "what every rule says of a group now"),
            Map.entry(
                    "GET /v1/dns?group=NAME&read=now", "the DNS names of all groups or one, as last read or read now"),
            Map.entry("GET /v1/endpoints", "all groups of endpoints"),
            Map.entry("GET /v1/endpoints/NAME", "one of them, with what each master finds"),
            Map.entry("GET /v1/log?group=NAME&epoch=E&limit=N", "the switch log"),
            Map.entry("GET /v1/masters", "the masters"),
            Map.entry("POST /v1/commands", "a manual act; needs the header " + COMMAND_HEADER + ": 1"),
            Map.entry("GET /metrics", "Prometheus metrics"),
            Map.entry("GET /health", "200 while this master's decision thread answers"),
            Map.entry("GET /leader", "200 on the leader, 503 elsewhere")));

    /** Action, whether it needs a group and a member, and who may do it. */
    private enum Action {
        PROMOTE("promote", true, true, Role.OPERATOR),
        SWITCHOVER("switchover", true, false, Role.OPERATOR),
        DEMOTE("demote", true, true, Role.OPERATOR),
        REBUILD("rebuild", true, true, Role.OPERATOR),
        SET_POLICY("set-policy", true, false, Role.ADMIN),
        EXPECT_GROUP("expect-group", true, false, Role.ADMIN),
        FORGET_GROUP("forget-group", true, false, Role.ADMIN),
        SET_CLASS("set-class", true, false, Role.ADMIN),
        REMOVE_CLASS("remove-class", true, false, Role.ADMIN),
        SET_RECORDS("set-records", false, false, Role.ADMIN),
        REMOVE_RECORDS("remove-records", false, false, Role.ADMIN),
        SET_ENDPOINTS("set-endpoints", true, false, Role.ADMIN),
        REMOVE_ENDPOINTS("remove-endpoints", true, false, Role.ADMIN),
        DRAIN_ENDPOINT("drain-endpoint", true, true, Role.OPERATOR),
        UNDRAIN_ENDPOINT("undrain-endpoint", true, true, Role.OPERATOR),
        HOLD_ENDPOINT("hold-endpoint", true, true, Role.OPERATOR),
        HOLD_ENDPOINT_IN("hold-endpoint-in", true, true, Role.OPERATOR),
        HOLD_ENDPOINT_OUT("hold-endpoint-out", true, true, Role.OPERATOR),
        RELEASE_ENDPOINT("release-endpoint", true, true, Role.OPERATOR),
        REPAIR_DNS("repair-dns", false, false, Role.OPERATOR),
        ACK("ack", true, false, Role.OPERATOR),
        PAUSE("pause", false, false, Role.OPERATOR),
        RESUME("resume", false, false, Role.OPERATOR),
        ADD_MASTER("add-master", false, true, Role.ADMIN),
        REMOVE_MASTER("remove-master", false, true, Role.ADMIN),
        TRANSFER_LEADER("transfer-leader", false, true, Role.ADMIN);

        private final String word;
        private final boolean needsGroup;
        private final boolean needsMember;
        private final Role role;

        Action(String word, boolean needsGroup, boolean needsMember, Role role) {
            this.word = word;
            this.needsGroup = needsGroup;
            this.needsMember = needsMember;
            this.role = role;
        }
    }

    /** By word of each action, what somebody must be to do it. */
    public static SortedMap<String, Role> roles() {
        TreeMap<String, Role> roles = new TreeMap<>();
        for (Action action : Action.values()) {
            roles.put(action.word, action.role);
        }
        return roles;
    }

    private record Reply(
            int status,
            String contentType,
            String body,
            @Nullable String location) {}

    private final AdminBackend backend;
    private final CollectorRegistry metrics;
    private final boolean secure;
    private final Access access;
    private final PortLimits limits = new PortLimits("admin", Integer.MAX_VALUE, Integer.MAX_VALUE);
    private final RequestRate rate = new RequestRate(REQUESTS_AT_ONCE, REQUESTS_PER_SECOND);
    private final HttpServer server;
    private final ThreadPoolExecutor threads;
    private final ObjectMapper json = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Takes a record with all that belongs to it, and nothing else. */
    private final ObjectMapper wholeRecords = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .build();

    /**
     * Listens at once, in plain text, for everybody.
     *
     * @param address port 0 picks a free one, see {@link #port}
     * @throws IOException where the address can't be bound
     */
    public AdminServer(InetSocketAddress address, AdminBackend backend, CollectorRegistry metrics) throws IOException {
        this(address, backend, metrics, null, Access.everybody());
    }

    /**
     * Listens at once.
     *
     * @param address port 0 picks a free one, see {@link #port}
     * @param tls null for plain text
     * @throws IOException where the address can't be bound
     */
    public AdminServer(
            InetSocketAddress address,
            AdminBackend backend,
            CollectorRegistry metrics,
            @Nullable Tls tls,
            Access access)
            throws IOException {
        this.backend = backend;
        this.metrics = metrics;
        this.secure = tls != null;
        this.access = access;
        HttpLimits.set();
        if (tls == null) {
            this.server = HttpServer.create(address, BACKLOG);
        } else {
            HttpsServer https = HttpsServer.create(address, BACKLOG);
            https.setHttpsConfigurator(new CertificateWanted(tls.renewedServer()));
            this.server = https;
        }
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, 60, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_LIMIT), task -> {
                    Thread thread = new Thread(task, "admin");
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    private static final class CertificateWanted extends HttpsConfigurator {
        CertificateWanted(SSLContext context) {
            super(context);
        }

        @Override
        public void configure(HttpsParameters parameters) {
            SSLParameters wanted = getSSLContext().getDefaultSSLParameters();
            wanted.setProtocols(PROTOCOLS);
            wanted.setWantClientAuth(true);
            parameters.setSSLParameters(wanted);
        }
    }

    /** The port it listens on. */
    public int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            Reply reply;
            try {
                reply = answer(exchange);
            } catch (AdminException e) {
                if (REFUSED.contains(e.kind())) {
                    refused(exchange, e);
                }
                reply = error(exchange, e);
            } catch (RuntimeException e) {
                LOG.error("{} {}", exchange.getRequestMethod(), exchange.getRequestURI(), e);
                reply = error(exchange, new AdminException(Kind.FAULT, "a fault in the master, see its log: " + e));
            }
            send(exchange, reply);
        } catch (IOException e) {
            // The client is gone; there is nobody to tell.
            LOG.debug("{} {}: {}", exchange.getRequestMethod(), exchange.getRequestURI(), e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void refused(HttpExchange exchange, AdminException e) {
        if (e.kind() == Kind.UNAUTHENTICATED) {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Bearer realm=\"ha-arbiter\"");
        }
        limits.refused(
                e.kind() == Kind.TOO_MANY_REQUESTS ? PortLimits.Reason.RATE : PortLimits.Reason.ACCESS,
                host(exchange),
                exchange.getRequestMethod() + " " + exchange.getRequestURI().getRawPath() + ": " + e.getMessage(),
                Ticker.SYSTEM.nanos());
    }

    private static String host(HttpExchange exchange) {
        return exchange.getRemoteAddress().getAddress().getHostAddress();
    }

    /** What was refused, for metrics. */
    public PortLimits limits() {
        return limits;
    }

    private static void send(HttpExchange exchange, Reply reply) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", reply.contentType());
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
        if (reply.location() != null) {
            exchange.getResponseHeaders().set("Location", reply.location());
        }
        boolean head = exchange.getRequestMethod().equals("HEAD");
        byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(reply.status(), head ? -1 : body.length);
        if (!head) {
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
    }

    private Reply answer(HttpExchange exchange) throws AdminException, IOException, InterruptedException {
        if (!rate.take(host(exchange), Ticker.SYSTEM.nanos())) {
            throw new AdminException(
                    Kind.TOO_MANY_REQUESTS,
                    "more than " + REQUESTS_PER_SECOND + " requests a second from " + host(exchange)
                            + " (must be fewer; ask more slowly)");
        }
        String path = exchange.getRequestURI().getPath();
        String method = exchange.getRequestMethod();
        if (path.equals("/v1/commands")) {
            if (!method.equals("POST")) {
                return wrongMethod(method, path, "POST");
            }
            return command(exchange);
        }
        List<String> parts = parts(path);
        boolean forEverybody = parts.size() == 1
                && (List.of("health", "leader").contains(parts.get(0))
                        || (parts.get(0).equals("metrics") && access.openMetrics()));
        if (!forEverybody) {
            Access.require(caller(exchange), Role.VIEWER, path);
        }
        boolean known = switch (parts.size()) {
            case 0 -> true;
            case 1 -> List.of("metrics", "health", "leader").contains(parts.get(0));
            case 2 ->
                parts.get(0).equals("v1")
                        && List.of("status", "masters", "log", "dns", "endpoints")
                                .contains(parts.get(1));
            case 3 ->
                parts.get(0).equals("v1") && List.of("groups", "endpoints").contains(parts.get(1));
            case 4 ->
                parts.get(0).equals("v1")
                        && parts.get(1).equals("groups")
                        && parts.get(3).equals("why");
            default -> false;
        };
        if (!known) {
            return json(
                    404,
                    new ErrorView(
                            Kind.NOT_FOUND.word(),
                            "no path " + path + " (there are " + String.join(", ", PATHS.keySet()) + ")",
                            null));
        }
        if (!method.equals("GET") && !method.equals("HEAD")) {
            return wrongMethod(method, path, "GET");
        }
        return view(exchange, parts);
    }

    private Reply view(HttpExchange exchange, List<String> parts)
            throws AdminException, IOException, InterruptedException {
        if (parts.isEmpty()) {
            return json(200, PATHS);
        }
        if (parts.size() == 1) {
            return switch (parts.get(0)) {
                case "metrics" -> metrics();
                case "leader" -> leader();
                default -> health();
            };
        }
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        boolean local = flag(query);
        if (parts.get(1).equals("log")) {
            checkKnown(query, List.of("local", "group", "epoch", "limit", "since", "after"));
            long epoch = number(query, "epoch", 0, 0, Long.MAX_VALUE);
            String group = query.get("group");
            if (epoch > 0 && group == null) {
                throw new AdminException(Kind.BAD_REQUEST, "epoch needs a group: every group counts its own");
            }
            int limit = (int) number(query, "limit", 20, 1, 1_000);
            long since = number(query, "since", 0, 0, Long.MAX_VALUE);
            long after = number(query, "after", 0, 0, Long.MAX_VALUE);
            return json(200, await(backend.log(new AdminBackend.LogQuery(group, epoch, limit, since, after), local)));
        }
        if (parts.get(1).equals("dns")) {
            checkKnown(query, List.of("local", "group", "read"));
            String read = query.getOrDefault("read", "last");
            if (!List.of("last", "now").contains(read)) {
                throw new AdminException(Kind.BAD_REQUEST, "read: '" + read + "' (must be now or last)");
            }
            return json(200, await(backend.dns(query.get("group"), read.equals("now"), local)));
        }
        checkKnown(query, List.of("local"));
        if (parts.get(1).equals("endpoints")) {
            return json(
                    200,
                    parts.size() == 2
                            ? await(backend.endpoints(local))
                            : await(backend.endpointGroup(parts.get(2), local)));
        }
        if (parts.size() == 2) {
            return json(
                    200, parts.get(1).equals("status") ? await(backend.status(local)) : await(backend.masters(local)));
        }
        String group = parts.get(2);
        return json(200, parts.size() == 3 ? await(backend.group(group, local)) : await(backend.why(group, local)));
    }

    private Access.Caller caller(HttpExchange exchange) throws AdminException {
        CertificateNames names = exchange instanceof HttpsExchange https
                ? CertificateNames.of(https.getSSLSession())
                : CertificateNames.NONE;
        return access.caller(names, exchange.getRequestHeaders().getFirst("Authorization"));
    }

    // Commands

    private Reply command(HttpExchange exchange) throws AdminException, IOException, InterruptedException {
        if (!"1".equals(exchange.getRequestHeaders().getFirst(COMMAND_HEADER))) {
            throw new AdminException(
                    Kind.BAD_REQUEST, "a command needs the header " + COMMAND_HEADER + ": 1 (hactl sends it)");
        }
        if (exchange.getRequestHeaders().containsKey("Origin")) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    "a command with an Origin header comes from a web page and isn't taken (use hactl)");
        }
        Access.Caller caller = caller(exchange);
        byte[] body;
        try (InputStream in = exchange.getRequestBody()) {
            body = in.readNBytes(BODY_LIMIT_BYTES + 1);
        }
        if (body.length > BODY_LIMIT_BYTES) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    "request: more than " + BODY_LIMIT_BYTES + " bytes (must be a command of at most that)");
        }
        CommandRequest request = request(body, caller);
        LOG.info(
                "{} {} {}: asked by {} from {}",
                request.action(),
                request.group(),
                request.member(),
                request.by(),
                exchange.getRemoteAddress());
        CommandResult result = await(backend.command(request));
        return json(result.accepted() ? 200 : 409, result);
    }

    private CommandRequest request(byte[] body, Access.Caller caller) throws AdminException, IOException {
        JsonNode root;
        try {
            root = json.readTree(body);
        } catch (JsonProcessingException e) {
            throw new AdminException(Kind.BAD_REQUEST, "request: not JSON: " + e.getOriginalMessage(), e);
        }
        if (root == null || !root.isObject()) {
            throw new AdminException(Kind.BAD_REQUEST, "request: must be one JSON object");
        }
        List<String> fields = List.of(
                "action",
                "group",
                "member",
                "acceptDataLoss",
                "donor",
                "policy",
                "expected",
                "trafficClass",
                "records",
                "endpoints",
                "by",
                "reason",
                "forMillis");
        checkFields(root, "request", fields);
        String word = text(root, "action");
        Action action = null;
        List<String> words = new ArrayList<>();
        for (Action candidate : Action.values()) {
            words.add(candidate.word);
            if (candidate.word.equals(word)) {
                action = candidate;
            }
        }
        if (action == null) {
            throw new AdminException(
                    Kind.BAD_REQUEST, "action: '" + word + "' (must be one of " + String.join(", ", words) + ")");
        }
        Access.require(caller, action.role, word);
        JsonNode loss = root.path("acceptDataLoss");
        if (!loss.isMissingNode() && !loss.isBoolean()) {
            throw new AdminException(Kind.BAD_REQUEST, "acceptDataLoss: " + loss + " (must be true or false)");
        }
        if (loss.asBoolean(false) && action != Action.PROMOTE) {
            throw new AdminException(Kind.BAD_REQUEST, "acceptDataLoss: true (only promote knows it)");
        }
        String group = text(root, "group");
        String member = text(root, "member");
        need(action.needsGroup, group, "group", word);
        need(action.needsMember, member, "member", word);
        if (!action.needsGroup && action.needsMember) {
            checkEndpoint(member);
        }
        String by = by(caller, text(root, "by"));
        String reason = text(root, "reason");
        need(true, by, "by", word);
        need(true, reason, "reason", word);
        String donor = text(root, "donor");
        if (!donor.isEmpty() && action != Action.REBUILD) {
            throw new AdminException(Kind.BAD_REQUEST, "donor: '" + donor + "' (only rebuild knows it)");
        }
        PolicyChange policy = policy(root.path("policy"));
        if (policy != null && action != Action.SET_POLICY && action != Action.EXPECT_GROUP) {
            throw new AdminException(Kind.BAD_REQUEST, "policy: only set-policy and expect-group know it");
        }
        ExpectedGroup expected = expected(root.path("expected"));
        if (expected != null && action != Action.EXPECT_GROUP) {
            throw new AdminException(Kind.BAD_REQUEST, "expected: only expect-group knows it");
        }
        ClassChange trafficClass = trafficClass(root.path("trafficClass"));
        if ((trafficClass != null) != (action == Action.SET_CLASS || action == Action.REMOVE_CLASS)) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    trafficClass == null
                            ? "trafficClass: missing (" + word + " needs it)"
                            : "trafficClass: only set-class and remove-class know it");
        }
        boolean aboutRecords = action == Action.SET_RECORDS || action == Action.REMOVE_RECORDS;
        RecordsChange records = records(root.path("records"));
        if ((records != null) != aboutRecords) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    records == null
                            ? "records: missing (" + word + " needs them)"
                            : "records: only set-records and remove-records know them");
        }
        if (aboutRecords && !group.isEmpty()) {
            throw new AdminException(
                    Kind.BAD_REQUEST, "group: '" + group + "' (must be empty: records of a group follow from it)");
        }
        EndpointsChange endpoints = endpoints(root.path("endpoints"));
        if ((endpoints != null) != (action == Action.SET_ENDPOINTS)) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    endpoints == null
                            ? "endpoints: missing (" + word + " needs them)"
                            : "endpoints: only set-endpoints knows them");
        }
        return new CommandRequest(
                word,
                group,
                member,
                loss.asBoolean(false),
                donor,
                policy,
                expected,
                trafficClass,
                records,
                endpoints,
                by,
                reason,
                forMillis(root.path("forMillis"), action));
    }

    /** What is proved comes first; what the client says of itself is no more than that, and may help to find a person. */
    private static String by(Access.Caller caller, String said) {
        if (caller.name() == null) {
            return said;
        }
        return said.isEmpty() || said.equals(caller.name())
                ? caller.name()
                : caller.name() + " (says " + (said.length() > SAID_LIMIT ? said.substring(0, SAID_LIMIT) : said) + ")";
    }

    private static long forMillis(JsonNode millis, Action action) throws AdminException {
        if (millis.isMissingNode()) {
            return 0;
        }
        if (!millis.isIntegralNumber() || !millis.canConvertToLong() || millis.longValue() < 0) {
            throw new AdminException(Kind.BAD_REQUEST, "forMillis: " + millis + " (must be a number, 0 or more)");
        }
        if (millis.longValue() > 0 && action != Action.PAUSE) {
            throw new AdminException(Kind.BAD_REQUEST, "forMillis: " + millis + " (only pause knows it)");
        }
        return millis.longValue();
    }

    private @Nullable EndpointsChange endpoints(JsonNode endpoints) throws AdminException {
        if (endpoints.isMissingNode() || endpoints.isNull()) {
            return null;
        }
        try {
            return wholeRecords.treeToValue(endpoints, EndpointsChange.class);
        } catch (JsonProcessingException e) {
            throw new AdminException(Kind.BAD_REQUEST, "endpoints: " + e.getOriginalMessage(), e);
        }
    }

    private static @Nullable RecordsChange records(JsonNode records) throws AdminException {
        if (records.isMissingNode() || records.isNull()) {
            return null;
        }
        if (!records.isObject()) {
            throw new AdminException(Kind.BAD_REQUEST, "records: must be a JSON object");
        }
        checkFields(records, "records", List.of("name", "type", "region", "ttlSeconds", "values"));
        JsonNode ttl = records.path("ttlSeconds");
        if (!ttl.isMissingNode() && !ttl.canConvertToExactIntegral()) {
            throw new AdminException(Kind.BAD_REQUEST, "ttlSeconds: " + ttl + " (must be a number of seconds)");
        }
        return new RecordsChange(
                text(records, "name"),
                text(records, "type"),
                text(records, "region"),
                ttl.asInt(0),
                texts(records, "values", "what a record holds, as in a zone file"));
    }

    private static @Nullable ClassChange trafficClass(JsonNode trafficClass) throws AdminException {
        if (trafficClass.isMissingNode() || trafficClass.isNull()) {
            return null;
        }
        if (!trafficClass.isObject()) {
            throw new AdminException(Kind.BAD_REQUEST, "trafficClass: must be a JSON object");
        }
        checkFields(trafficClass, "trafficClass", List.of("name", "follows", "pins", "fallBack"));
        return new ClassChange(
                text(trafficClass, "name"),
                text(trafficClass, "follows"),
                texts(trafficClass, "pins", "the name of a member"),
                text(trafficClass, "fallBack"));
    }

    private static @Nullable ExpectedGroup expected(JsonNode expected) throws AdminException {
        if (expected.isMissingNode() || expected.isNull()) {
            return null;
        }
        if (!expected.isObject()) {
            throw new AdminException(Kind.BAD_REQUEST, "expected: must be a JSON object");
        }
        checkFields(expected, "expected", List.of("engine", "positionKind", "members"));
        return new ExpectedGroup(
                text(expected, "engine"), text(expected, "positionKind"), texts(expected, "members", "HOST:PORT"));
    }

    private static List<String> texts(JsonNode root, String field, String each) throws AdminException {
        List<String> texts = new ArrayList<>();
        for (JsonNode text : root.path(field)) {
            if (!text.isTextual()) {
                throw new AdminException(Kind.BAD_REQUEST, field + ": " + text + " (must be " + each + ")");
            }
            texts.add(text.textValue());
        }
        return texts;
    }

    private static @Nullable PolicyChange policy(JsonNode policy) throws AdminException {
        if (policy.isMissingNode() || policy.isNull()) {
            return null;
        }
        if (!policy.isObject()) {
            throw new AdminException(Kind.BAD_REQUEST, "policy: must be a JSON object");
        }
        checkFields(
                policy,
                "policy",
                List.of("durability", "maxLagMillis", "maxLagTransactions", "onNoAcknowledger", "priority"));
        return new PolicyChange(
                textOrNull(policy, "durability"),
                countOrNull(policy, "maxLagMillis"),
                countOrNull(policy, "maxLagTransactions"),
                textOrNull(policy, "onNoAcknowledger"),
                countOrNull(policy, "priority"));
    }

    private static void checkFields(JsonNode object, String what, List<String> fields) throws AdminException {
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            if (!fields.contains(field.getKey())) {
                throw new AdminException(
                        Kind.BAD_REQUEST,
                        what + ": unknown field '" + field.getKey() + "' (there are " + String.join(", ", fields)
                                + ")");
            }
        }
    }

    private static @Nullable String textOrNull(JsonNode root, String field) throws AdminException {
        String text = text(root, field);
        return text.isEmpty() ? null : text;
    }

    private static @Nullable Long countOrNull(JsonNode root, String field) throws AdminException {
        JsonNode value = root.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return null;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < 0) {
            throw new AdminException(Kind.BAD_REQUEST, field + ": " + value + " (must be a whole number, 0 or more)");
        }
        return value.asLong();
    }

    private static void checkEndpoint(String member) throws AdminException {
        try {
            Endpoint.parse(member);
        } catch (IllegalArgumentException e) {
            throw new AdminException(Kind.BAD_REQUEST, "member: " + e.getMessage() + ": the master's Raft address", e);
        }
    }

    private static String text(JsonNode root, String field) throws AdminException {
        JsonNode value = root.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return "";
        }
        if (!value.isTextual()) {
            throw new AdminException(Kind.BAD_REQUEST, field + ": " + value + " (must be a text)");
        }
        String text = value.textValue().strip();
        if (text.length() > TEXT_LIMIT || text.chars().anyMatch(Character::isISOControl)) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    field + ": must be at most " + TEXT_LIMIT + " characters without control characters");
        }
        return text;
    }

    private static void need(boolean needed, String value, String field, String action) throws AdminException {
        if (needed && value.isEmpty()) {
            throw new AdminException(Kind.BAD_REQUEST, field + ": missing (" + action + " needs it)");
        }
    }

    // The rest

    private Reply metrics() throws IOException {
        StringWriter text = new StringWriter();
        TextFormat.write004(text, metrics.metricFamilySamples());
        return new Reply(200, TextFormat.CONTENT_TYPE_004, text.toString(), null);
    }

    private Reply leader() {
        boolean leading = backend.leading();
        return json(leading ? 200 : 503, new TreeMap<>(Map.of("leading", leading)));
    }

    private Reply health() throws InterruptedException {
        try {
            await(backend.masters(true), HEALTH_LIMIT_MILLIS);
            return json(200, new TreeMap<>(Map.of("healthy", true, "leading", backend.leading())));
        } catch (AdminException e) {
            return json(503, new TreeMap<>(Map.of("healthy", false, "sentence", String.valueOf(e.getMessage()))));
        }
    }

    private static <T> T await(CompletableFuture<? extends T> answer) throws AdminException, InterruptedException {
        return await(answer, ANSWER_LIMIT_MILLIS);
    }

    private static <T> T await(CompletableFuture<? extends T> answer, long limitMillis)
            throws AdminException, InterruptedException {
        try {
            return answer.get(limitMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AdminException(
                    Kind.TIMEOUT,
                    "no answer within " + limitMillis
                            + " ms: the master is overloaded or the quorum is lost; a command may yet be carried out"
                            + " (see hactl log)",
                    e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            while (cause instanceof CompletionException && cause.getCause() != null) {
                cause = cause.getCause();
            }
            if (cause instanceof AdminException known) {
                throw known;
            }
            LOG.error("the admin API's backend failed", cause);
            throw new AdminException(Kind.FAULT, "a fault in the master, see its log: " + cause, e);
        }
    }

    private static List<String> parts(String path) {
        List<String> parts = new ArrayList<>();
        for (String part : path.split("/", -1)) {
            if (!part.isEmpty()) {
                parts.add(part);
            }
        }
        return parts;
    }

    private static Map<String, String> query(@Nullable String raw) throws AdminException {
        Map<String, String> query = new TreeMap<>();
        for (String pair : raw == null || raw.isEmpty() ? new String[0] : raw.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals <= 0) {
                throw new AdminException(Kind.BAD_REQUEST, "query: '" + pair + "' (must be NAME=VALUE)");
            }
            try {
                query.put(
                        URLDecoder.decode(pair.substring(0, equals), StandardCharsets.UTF_8),
                        URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                throw new AdminException(Kind.BAD_REQUEST, "query: '" + pair + "': " + e.getMessage(), e);
            }
        }
        return query;
    }

    private static void checkKnown(Map<String, String> query, List<String> known) throws AdminException {
        TreeSet<String> unknown = new TreeSet<>(query.keySet());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw new AdminException(
                    Kind.BAD_REQUEST,
                    "query: unknown " + String.join(", ", unknown) + " (known: " + String.join(", ", known) + ")");
        }
    }

    private static boolean flag(Map<String, String> query) throws AdminException {
        String value = query.getOrDefault("local", "false");
        if (!value.equals("true") && !value.equals("false")) {
            throw new AdminException(Kind.BAD_REQUEST, "local: '" + value + "' (must be true or false)");
        }
        return value.equals("true");
    }

    private static long number(Map<String, String> query, String name, long fallback, long min, long max)
            throws AdminException {
        String value = query.get(name);
        if (value == null) {
            return fallback;
        }
        if (value.matches("\\d{1,18}")) {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        }
        throw new AdminException(
                Kind.BAD_REQUEST, name + ": '" + value + "' (must be a whole number, " + min + " to " + max + ")");
    }

    private Reply wrongMethod(String method, String path, String right) {
        return json(
                405, new ErrorView(Kind.BAD_REQUEST.word(), method + " " + path + " (must be " + right + ")", null));
    }

    private Reply error(HttpExchange exchange, AdminException e) {
        Endpoint leader = e.leader();
        Reply reply = json(
                e.kind().status(),
                new ErrorView(
                        e.kind().word(), String.valueOf(e.getMessage()), leader == null ? null : leader.toString()));
        return leader == null
                ? reply
                : new Reply(
                        reply.status(),
                        reply.contentType(),
                        reply.body(),
                        (secure ? "https://" : "http://") + leader + exchange.getRequestURI());
    }

    private Reply json(int status, Object value) {
        try {
            return new Reply(status, JSON, json.writeValueAsString(value), null);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("can't be written as JSON: " + value, e);
        }
    }

    /** Stops listening, and cuts off what is being answered. */
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
