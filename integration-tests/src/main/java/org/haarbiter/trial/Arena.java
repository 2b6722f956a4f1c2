package org.haarbiter.trial;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.StatusView;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.BindServer;
import org.haarbiter.lab.DataClient;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.ElasticsearchCluster;
import org.haarbiter.lab.ElasticsearchNode;
import org.haarbiter.lab.Host;
import org.haarbiter.lab.MariadbServer;
import org.haarbiter.lab.MessageStream;
import org.haarbiter.lab.MysqlServer;
import org.haarbiter.lab.NetworkLab;
import org.haarbiter.lab.RedisServer;
import org.haarbiter.lab.ReplicatedGroup;
import org.haarbiter.lab.ServerPlan;
import org.haarbiter.lab.ServerProcess;
import org.haarbiter.lab.SqlServer;
import org.haarbiter.lab.WriteLoad;
import org.haarbiter.lab.ZoneKey;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * One arbiter with everything round it: masters, a group of database servers with an agent beside each, a DNS server with the
 * zone. All are processes that a user would start in the same way; their files are in the work directory. One thread.
 */
public final class Arena implements AutoCloseable {
    private static final long DELETE_LIMIT_NANOS = 10_000_000_000L;

    /** The group's name. */
    public static final String GROUP = "members";

    /** The zone of the group's names. */
    public static final String ZONE = "ha.test";

    /** Where clients can be. */
    static final List<String> CLIENT_SITES = List.of("north", "south");

    private static final List<String> MASTER_SITES = List.of("north", "south", "west");

    /** Nobody ever cuts it off: from here the arena asks the masters. */
    private static final String CONTROL = "control";

    private static final String DNS = "dns";
    private static final int DATABASE_PORT = 13_306;
    private static final int METRICS_PORT = 17_400;
    private static final int HEALTH_PORT = 17_800;
    private static final int DNS_PORT = 15_353;
    private static final long MEMORY_BYTES = 4L << 30;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final int FEED_MILLIS = 50;

    private static final int ELECTABLE_CLUSTERS = 2;

    private final ArenaPlan plan;
    private final @Nullable NetworkLab network;
    private final TreeMap<String, ServerProcess> masters = new TreeMap<>();
    private final TreeMap<String, ServerProcess> agents = new TreeMap<>();
    private final List<AutoCloseable> closing = new ArrayList<>();
    private final ArbiterApi api;
    private @Nullable BindServer dns;
    private @Nullable ReplicatedGroup<? extends DatabaseServer> databases;
    /** What feeds clusters of Elasticsearch. */
    private final MessageStream stream = new MessageStream();

    private List<ElasticsearchCluster> clusters = List.of();
    /** The same, where they are SQL servers. */
    private @Nullable ReplicatedGroup<SqlServer> group;

    private Arena(ArenaPlan plan, @Nullable NetworkLab network) {
        this.plan = plan;
        this.network = network;
        List<Endpoint> admins = new ArrayList<>();
        for (int i = 1; i <= plan.masters(); i++) {
            admins.add(new Endpoint(masterAddress(i), 17_300 + i));
        }
        this.api = new ArbiterApi(admins, controlHost());
    }

    /** Starts everything and waits until the group is adopted, its primary open and the DNS right. */
    public static Arena open(ArenaPlan plan) throws IOException, SQLException {
        Files.createDirectories(plan.work());
        List<String> hosts = hosts(plan);
        NetworkLab network = hosts.isEmpty() ? null : NetworkLab.open(hosts);
        Arena arena = new Arena(plan, network);
        try {
            arena.start();
        } catch (IOException | SQLException | RuntimeException e) {
            arena.close();
            throw e;
        }
        return arena;
    }

    /** The names of the lab's hosts; none where everything is on this machine. */
    private static List<String> hosts(ArenaPlan plan) {
        List<String> hosts = new ArrayList<>();
        if (plan.layout() == ArenaPlan.Layout.ONE_MACHINE) {
            return hosts;
        }
        hosts.add(CONTROL);
        for (int i = 1; i <= plan.members(); i++) {
            hosts.addAll(serverHosts(plan, i));
        }
        if (plan.layout() == ArenaPlan.Layout.SITES) {
            for (int i = 1; i <= plan.masters(); i++) {
                hosts.add("m" + i);
            }
            hosts.add(DNS);
            CLIENT_SITES.forEach(site -> hosts.add(clientHost(site)));
        }
        return hosts;
    }

    private static String clientHost(String site) {
        return "client-" + site;
    }

    private static String member(ArenaPlan plan, int number) {
        return plan.engine().word() + "-" + number;
    }

    /** The names of a member's servers, and of their hosts: one, or the nodes of a cluster. */
    private static List<String> serverHosts(ArenaPlan plan, int number) {
        String member = member(plan, number);
        if (plan.engine() != ArenaPlan.Engine.ELASTICSEARCH) {
            return List.of(member);
        }
        // Further clusters than two have one, and are never promoted: they are for classes of traffic.
        int nodes = number == 1 ? plan.nodes() : number == 2 ? Math.max(1, plan.nodes() - 1) : 1;
        return IntStream.rangeClosed(1, nodes).mapToObj(i -> member + "-" + i).toList();
    }

    private void start() throws IOException, SQLException {
        ZoneKey key = ZoneKey.random("arbiter");
        Path dnsDirectory = plan.work().resolve("dns");
        Endpoint dnsAddress = new Endpoint(
                network == null ? "127.0.1.53" : network.host(dnsHost()).address(), DNS_PORT);
        BindServer bind = plan.ownDns()
                ? BindServer.secondary(dnsDirectory, dnsAddress, ZONE, key, mastersDns(), host(dnsHost()))
                : BindServer.primary(dnsDirectory, dnsAddress, ZONE, key, List.of(), host(dnsHost()));
        dns = bind;
        closing.add(bind);
        if (!plan.ownDns()) {
            bind.start();
        }
        writeMasters(key, bind.address());
        masters.values().forEach(this::startProcess);
        List<ServerPlan> servers = new ArrayList<>();
        for (int i = 1; i <= plan.members(); i++) {
            servers.add(ServerPlan.of(member(plan, i), databaseAddress(i), i, plan.work())
                    .on(host(serverHosts(plan, i).get(0))));
        }
        ReplicatedGroup<? extends DatabaseServer> started = startDatabases(servers);
        if (plan.ownDns()) {
            // It copies the zone from the masters, which are up by now.
            bind.start();
        }
        bind.awaitReady(START_LIMIT);
        for (int i = 1; i <= plan.members(); i++) {
            DatabaseServer server = started.servers().get(i - 1);
            if (server instanceof ElasticsearchCluster cluster) {
                for (ElasticsearchNode node : cluster.nodes()) {
                    writeAgentOfNode(i, cluster, node);
                }
            } else {
                writeAgent(i, server);
            }
        }
        agents.values().forEach(this::startProcess);
    }

    private ReplicatedGroup<? extends DatabaseServer> startDatabases(List<ServerPlan> servers) throws IOException {
        ReplicatedGroup<? extends DatabaseServer> started = switch (plan.engine()) {
            case MYSQL -> speakingSql(ReplicatedGroup.start(servers, MysqlServer::new));
            case MARIADB -> speakingSql(ReplicatedGroup.start(servers, MariadbServer::new));
            case REDIS -> ReplicatedGroup.start(servers, RedisServer::new);
            case ELASTICSEARCH -> fed(ReplicatedGroup.start(servers, this::cluster));
        };
        databases = started;
        closing.add(started);
        if (plan.engine() == ArenaPlan.Engine.REDIS) {
            // Fenced Redis servers follow nobody, so there is no topology to adopt but one that is at work.
            started.openByHand();
        }
        return started;
    }

    /** Each node has an address of its own, and a host where there are any. */
    private ElasticsearchCluster cluster(ServerPlan server) {
        List<ServerPlan> nodes = new ArrayList<>();
        for (String name : serverHosts(plan, server.serverId())) {
            String address = network == null
                    ? "127.0.1." + (10 * server.serverId() + nodes.size() + 1)
                    : network.host(name).address();
            nodes.add(ServerPlan.of(
                            name,
                            new Endpoint(address, DATABASE_PORT),
                            server.serverId(),
                            server.work().resolve(server.name()))
                    .on(host(name)));
        }
        return new ElasticsearchCluster(server.name(), server.work().resolve(server.name()), nodes);
    }

    /**
     * By hand, as it was before the arbiter: the first is open, and a consumer of the stream brings each what it lacks. The consumers are
     * where the DNS server is: in the layout of sites they don't reach a cluster whose site is cut off.
     */
    private ReplicatedGroup<ElasticsearchCluster> fed(ReplicatedGroup<ElasticsearchCluster> started)
            throws IOException {
        clusters = started.servers();
        started.openByHand();
        for (ElasticsearchCluster cluster : clusters) {
            stream.feed(cluster, host(dnsHost()), FEED_MILLIS);
        }
        closing.add(stream);
        return started;
    }

    private ReplicatedGroup<SqlServer> speakingSql(ReplicatedGroup<SqlServer> started) {
        group = started;
        return started;
    }

    private void startProcess(ServerProcess process) {
        try {
            process.start();
        } catch (IOException e) {
            throw new IllegalStateException("can't start: " + e.getMessage(), e);
        }
    }

    private void writeMasters(ZoneKey key, Endpoint dnsAddress) throws IOException {
        Path keyFile = plan.work().resolve("zone-key.yaml");
        writeSecret(keyFile, "user: " + key.name() + "\npassword: \"" + key.secret() + "\"\n");
        StringBuilder all = new StringBuilder("masters:\n");
        for (int i = 1; i <= plan.masters(); i++) {
            all.append(masterLine(i));
        }
        for (int i = 1; i <= plan.masters(); i++) {
            Path directory = Files.createDirectories(plan.work().resolve("m" + i));
            Path file = directory.resolve("ha-master.yaml");
            Files.writeString(file, """
                    cluster-id: arena
                    name: m%d
                    %sdata-directory: raft
                    audit-file: switches.jsonl
                    %s%s%s
                    timing: {profile: %s}
                    dns:
                      zone: %s
                      verify-millis: 5000
                    %s""".formatted(
                    i,
                    all,
                    plan.masterSettings(),
                    // Most trials strike again and again; without this each strike would wait for longer.
                    plan.masterSettings().contains("repeated-failover") ? "" : "repeated-failover: {block-millis: 0}\n",
                    durabilityLines(),
                    plan.profile(),
                    ZONE,
                    (plan.ownDns() ? ownDnsLines(i, dnsAddress, key, keyFile) : updateLines(dnsAddress, keyFile))
                            .indent(2)));
            masters.put("m" + i, process("m" + i, "ha-master", file, masterHost(i), directory.resolve("log")));
        }
    }

    private static String updateLines(Endpoint dnsAddress, Path keyFile) {
        return """
                update-server: "%s"
                authoritative-servers: ["%s"]
                key-file: %s
                """.formatted(dnsAddress, dnsAddress, keyFile.toAbsolutePath());
    }

    /** The trial itself asks from this machine, as the masters do: it is near to the south, and the secondary gets the usual answers. */
    private String ownDnsLines(int master, Endpoint secondary, ZoneKey key, Path keyFile) throws IOException {
        Path regions = Files.writeString(
                keyFile.resolveSibling("regions"), "127.0.0.0/8 near # this machine\n10.0.0.0/8 far\n");
        List<Endpoint> all = new ArrayList<>(mastersDns());
        all.add(secondary);
        return """
                provider: embedded
                authoritative-servers: [%s]
                name-servers: {ns1: %s}
                region-sites: {near: [south, north], far: [north, south]}
                server:
                  listen: ["%s"]
                  regions: [near, far]
                  regions-file: %s
                  keys: [{key-file: %s}]
                  zones:
                    %s: {transfer-keys: [%s], secondaries: [{address: "%s", key: %s}]}
                """.formatted(
                        all.stream().map(server -> "\"" + server + "\"").collect(Collectors.joining(", ")),
                        secondary.host(),
                        mastersDns().get(master - 1),
                        regions.toAbsolutePath(),
                        keyFile.toAbsolutePath(),
                        ZONE,
                        key.name(),
                        secondary,
                        key.name());
    }

    /** Where the masters' own DNS servers answer, the first master's first. */
    public List<Endpoint> mastersDns() {
        return IntStream.rangeClosed(1, plan.masters())
                .mapToObj(i -> new Endpoint(masterAddress(i), DNS_PORT + 10 + i))
                .toList();
    }

    private String durabilityLines() {
        String line = "durability: " + plan.durability();
        return plan.engine().isSql() ? line : plan.engine().word() + ":\n  " + line;
    }

    private void writeAgent(int number, DatabaseServer server) throws IOException {
        Path directory = Files.createDirectories(plan.work().resolve("agent-" + server.name()));
        Path credentials = directory.resolve("credentials.yaml");
        writeSecret(credentials, "user: " + Account.AGENT.user() + "\npassword: " + Account.AGENT.password() + "\n");
        Path replication = directory.resolve("replication.yaml");
        writeSecret(
                replication,
                "user: " + Account.REPLICATION.user() + "\npassword: " + Account.REPLICATION.password() + "\n");
        Path file = directory.resolve("ha-agent.yaml");
        Files.writeString(file, """
                group: %s
                member: %s
                site: %s
                address: "%s"
                agent-address: "%s:%d"
                masters: [%s]
                state-directory: state
                metrics: "%s:%d"
                health: "%s"
                timing: {profile: %s}
                engine: %s
                server:
                  socket: %s
                  credentials-file: credentials.yaml
                  replication-credentials-file: replication.yaml
                  data-directory: %s
                %s""".formatted(
                        GROUP,
                        server.name(),
                        siteOfMember(number),
                        server.address(),
                        server.address().host(),
                        17_500 + number,
                        masterAddresses(),
                        server.address().host(),
                        METRICS_PORT + number,
                        health(server),
                        plan.profile(),
                        plan.engine().word(),
                        server.socket().toAbsolutePath(),
                        server.dataDir().toAbsolutePath(),
                        server instanceof SqlServer sql ? sqlLines(sql) : ""));
        agents.put(
                server.name(),
                process("agent-" + server.name(), "ha-agent", file, host(server.name()), directory.resolve("log")));
    }

    /** Where the agent beside a database server answers load balancers; clusters have no such address. */
    public Endpoint health(DatabaseServer server) {
        return new Endpoint(
                server.address().host(), HEALTH_PORT + databases().servers().indexOf(server) + 1);
    }

    /** Where Prometheus reads the agent beside a database server; not of clusters. */
    public Endpoint metrics(DatabaseServer server) {
        return new Endpoint(
                server.address().host(), METRICS_PORT + databases().servers().indexOf(server) + 1);
    }

    private String masterAddresses() {
        return agentsAddresses().stream().map(address -> "\"" + address + "\"").collect(Collectors.joining(", "));
    }

    private void writeAgentOfNode(int number, ElasticsearchCluster cluster, ElasticsearchNode node) throws IOException {
        Path directory = Files.createDirectories(plan.work().resolve("agent-" + node.name()));
        Path file = directory.resolve("ha-agent.yaml");
        int index = cluster.nodes().indexOf(node);
        Files.writeString(file, """
                group: %s
                member: %s
                site: %s
                address: "%s"
                agent-address: "%s:%d"
                masters: [%s]
                state-directory: state
                metrics: "%s:%d"
                timing: {profile: %s}
                electable: %s
                engine: elasticsearch
                server:
                  aliases: [%s]
                """.formatted(
                        GROUP,
                        cluster.name(),
                        siteOfMember(number),
                        node.http(),
                        node.http().host(),
                        17_500 + 10 * number + index,
                        masterAddresses(),
                        node.http().host(),
                        METRICS_PORT + 10 * number + index,
                        plan.profile(),
                        number <= ELECTABLE_CLUSTERS,
                        ElasticsearchCluster.WRITES));
        agents.put(
                node.name(),
                process("agent-" + node.name(), "ha-agent", file, host(node.name()), directory.resolve("log")));
    }

    private static String sqlLines(SqlServer server) {
        return """
                  replication-tls: disabled
                  tools-directory: %s
                  stop-command: %s
                  start-command: %s
                  copy-port: 17600
                """.formatted(server.tools().toAbsolutePath(), server.stopCommand(), server.startCommand());
    }

    private static ServerProcess process(String name, String launcher, Path settings, Host host, Path log) {
        return process(name, List.of(), launcher, settings, host, log);
    }

    private static ServerProcess process(
            String name, List<String> environment, String launcher, Path settings, Host host, Path log) {
        List<String> command = new ArrayList<>();
        if (!environment.isEmpty()) {
            command.add("env");
            command.addAll(environment);
        }
        command.add(launcher(launcher));
        command.add("--config");
        command.add(settings.toAbsolutePath().toString());
        return new ServerProcess(name, host, command, log);
    }

    /** Ends a master in good order and starts it again by another program, as an upgrade does; returns at once. */
    void upgradeMaster(String name, Path program) throws IOException {
        end(master(name));
        Path directory = plan.work().resolve(name);
        masters.put(name, upgraded(name, program, "ha-master", masterHost(masterNumber(name)), directory));
    }

    /** The same with the agent beside a database server. */
    void upgradeAgent(String server, Path program) throws IOException {
        end(agent(server));
        String name = "agent-" + server;
        agents.put(
                server,
                upgraded(name, program, "ha-agent", host(server), plan.work().resolve(name)));
    }

    private ServerProcess upgraded(String name, Path program, String settings, Host host, Path directory) {
        ServerProcess process = new ServerProcess(
                name,
                host,
                List.of(
                        program.toAbsolutePath().toString(),
                        "--config",
                        directory.resolve(settings + ".yaml").toAbsolutePath().toString()),
                directory.resolve("log"));
        startProcess(process);
        return process;
    }

    /** Ends a master and starts it again with this in its environment, each as {@code NAME=VALUE}; waits until it follows. */
    void restartMaster(String name, List<String> environment) throws IOException {
        end(master(name));
        Path directory = plan.work().resolve(name);
        ServerProcess process = process(
                name,
                environment,
                "ha-master",
                directory.resolve("ha-master.yaml"),
                masterHost(masterNumber(name)),
                directory.resolve("log"));
        masters.put(name, process);
        process.start();
        long end = System.nanoTime() + START_LIMIT.toNanos();
        StatusView own = api.ownStatus(admin(name));
        while (own == null || own.leader().isEmpty()) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException(
                        name + " knows no leader " + START_LIMIT.toSeconds() + " s after its start");
            }
            LockSupport.parkNanos(20_000_000);
            own = api.ownStatus(admin(name));
        }
    }

    /** Ends the agent of a server and starts it again with this in its environment, each as {@code NAME=VALUE}. */
    void restartAgent(String server, List<String> environment) throws IOException {
        end(agent(server));
        Path directory = plan.work().resolve("agent-" + server);
        ServerProcess process = process(
                "agent-" + server,
                environment,
                "ha-agent",
                directory.resolve("ha-agent.yaml"),
                host(server),
                directory.resolve("log"));
        agents.put(server, process);
        process.start();
    }

    private static void end(ServerProcess process) throws IOException {
        process.terminate();
        process.awaitEnd(START_LIMIT);
        process.close();
    }

    /**
     * A new directory for an arena's files: in memory where the machine has room for it there, since several durable servers
     * on one disk make each other wait for it, which hosts of their own don't.
     */
    static Path newWorkDirectory(String prefix) throws IOException {
        Path memory = Path.of("/dev/shm");
        boolean roomy = Files.isWritable(memory) && Files.getFileStore(memory).getUsableSpace() > MEMORY_BYTES;
        return roomy ? Files.createTempDirectory(memory, prefix) : Files.createTempDirectory(prefix);
    }

    /** A new work directory that is gone when this process ends, in whatever way but by kill -9. */
    static Path passingWorkDirectory(String prefix) throws IOException {
        Path work = newWorkDirectory(prefix);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> deleteAtLast(work), "delete-" + work.getFileName()));
        return work;
    }

    /** The servers are being killed at the same time, and may still write. */
    private static void deleteAtLast(Path work) {
        long end = System.nanoTime() + DELETE_LIMIT_NANOS;
        while (Files.exists(work)) {
            try {
                deleteWorkDirectory(work);
            } catch (IOException | UncheckedIOException e) {
                if (System.nanoTime() - end > 0) {
                    System.err.println(work + " is left behind: " + e);
                    return;
                }
                LockSupport.parkNanos(20_000_000);
            }
        }
    }

    /** Takes a work directory away with everything in it. */
    static void deleteWorkDirectory(Path work) throws IOException {
        try (Stream<Path> files = Files.walk(work)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** The script that starts ha-master, ha-agent or hactl. */
    static String launcher(String name) {
        return home().resolve("scripts").resolve(name).toString();
    }

    /** The checkout: where the launchers are. */
    static Path home() {
        Path directory = Path.of("").toAbsolutePath();
        while (directory != null
                && !Files.isExecutable(directory.resolve("scripts").resolve("ha-master"))) {
            directory = directory.getParent();
        }
        if (directory == null) {
            throw new IllegalStateException(
                    "scripts/ha-master isn't above " + Path.of("").toAbsolutePath() + ": run this inside the checkout");
        }
        return directory;
    }

    private static void writeSecret(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }

    private Host controlHost() {
        return host(CONTROL);
    }

    private String dnsHost() {
        return plan.layout() == ArenaPlan.Layout.SITES ? DNS : CONTROL;
    }

    private String masterHostName(int number) {
        return plan.layout() == ArenaPlan.Layout.SITES ? "m" + number : CONTROL;
    }

    private Host masterHost(int number) {
        return host(masterHostName(number));
    }

    private String masterAddress(int number) {
        return network == null
                ? "127.0.0.1"
                : network.host(masterHostName(number)).address();
    }

    private static String siteOfMaster(int number) {
        return MASTER_SITES.get((number - 1) % MASTER_SITES.size());
    }

    private String siteOfMember(int number) {
        return number <= (plan.members() + 1) / 2 ? "north" : "south";
    }

    /** The hosts of a site, clients' and DNS server's among them. Only in the layout of sites. */
    List<NetworkLab.Node> site(String name) {
        List<NetworkLab.Node> hosts = new ArrayList<>();
        for (int i = 1; i <= plan.members(); i++) {
            if (siteOfMember(i).equals(name)) {
                serverHosts(plan, i).forEach(host -> hosts.add(node(host)));
            }
        }
        for (int i = 1; i <= plan.masters(); i++) {
            if (siteOfMaster(i).equals(name)) {
                hosts.add(node("m" + i));
            }
        }
        hosts.add(node(CLIENT_SITES.contains(name) ? clientHost(name) : DNS));
        return hosts;
    }

    /** The site of a database server. */
    String siteOf(DatabaseServer server) {
        return siteOfMember(databases().servers().indexOf(server) + 1);
    }

    /** The lab's host of that name: a server's, a master's, {@code dns}, {@code client-SITE}. */
    NetworkLab.Node node(String name) {
        return network().host(name);
    }

    /** The hosts' network. */
    NetworkLab network() {
        NetworkLab lab = network;
        if (lab == null) {
            throw new IllegalStateException("the arena has no hosts of its own to cut off");
        }
        return lab;
    }

    private Host host(String name) {
        return network == null ? Host.here() : network.host(name);
    }

    private Endpoint databaseAddress(int number) {
        String address = network == null
                ? "127.0.1." + number
                : network.host(serverHosts(plan, number).get(0)).address();
        return new Endpoint(address, DATABASE_PORT);
    }

    /** What the masters say. */
    public ArbiterApi api() {
        return api;
    }

    /** The database servers, of whatever engine. */
    public ReplicatedGroup<? extends DatabaseServer> databases() {
        ReplicatedGroup<? extends DatabaseServer> started = databases;
        if (started == null) {
            throw new IllegalStateException("the arena's servers aren't started");
        }
        return started;
    }

    /** The database servers, for what needs SQL; throws where they don't speak it. */
    public ReplicatedGroup<SqlServer> group() {
        if (!plan.engine().isSql()) {
            throw new IllegalStateException(
                    "the arena's servers are " + plan.engine().word() + ", which speaks no SQL: ask databases()");
        }
        ReplicatedGroup<SqlServer> started = group;
        if (started == null) {
            throw new IllegalStateException("the arena's servers aren't started");
        }
        return started;
    }

    /** The DNS server. */
    public BindServer dns() {
        BindServer started = dns;
        if (started == null) {
            throw new IllegalStateException("the arena's DNS server isn't started");
        }
        return started;
    }

    /** A master's process. */
    public ServerProcess master(String name) {
        return known(masters, name);
    }

    /** The masters' names. */
    public List<String> masterNames() {
        return List.copyOf(masters.keySet());
    }

    /** A master's admin address. */
    public Endpoint admin(String master) {
        return new Endpoint(masterAddress(masterNumber(master)), 17_300 + masterNumber(master));
    }

    /** A master's Raft address. */
    public Endpoint raft(String master) {
        return new Endpoint(masterAddress(masterNumber(master)), 17_100 + masterNumber(master));
    }

    private static int masterNumber(String master) {
        return Integer.parseInt(master.substring(1));
    }

    /** Waits until one of the masters leads; returns its name. */
    public String awaitLeader(Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        while (System.nanoTime() - end < 0) {
            StatusView status = api.status();
            if (status != null && !status.leader().isEmpty()) {
                return status.leader();
            }
            LockSupport.parkNanos(5_000_000);
        }
        throw new IllegalStateException("no master leads within " + limit.toSeconds() + " s");
    }

    /** Waits until all masters are up, and lets this one lead. */
    void leadFrom(String master, Duration limit) throws IOException {
        long end = System.nanoTime() + limit.toNanos();
        String sentence = "";
        while (!awaitLeader(limit).equals(master)) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException(
                        master + " doesn't lead within " + limit.toSeconds() + " s: " + sentence);
            }
            sentence = api.command(new CommandRequest(
                            "transfer-leader", "", raft(master).toString(), false, "", null, "trial", "it begins here"))
                    .sentence();
        }
    }

    /** Where agents reach the masters. */
    List<Endpoint> agentsAddresses() {
        List<Endpoint> addresses = new ArrayList<>();
        for (int i = 1; i <= plan.masters(); i++) {
            addresses.add(new Endpoint(masterAddress(i), 17_200 + i));
        }
        return addresses;
    }

    /** Makes the settings of one more master, one that joins a running quorum; it isn't started. */
    public ServerProcess joiningMaster() throws IOException {
        int number = plan.masters() + 1;
        String name = "m" + number;
        String first = Files.readString(plan.work().resolve("m1").resolve("ha-master.yaml"));
        Path directory = Files.createDirectories(plan.work().resolve(name));
        Path file = directory.resolve("ha-master.yaml");
        Files.writeString(
                file,
                first.replace("name: m1\n", "name: " + name + "\njoin: true\n")
                        .replace("data-directory:", masterLine(number) + "data-directory:"));
        ServerProcess process = process(name, "ha-master", file, masterHost(number), directory.resolve("log"));
        masters.put(name, process);
        return process;
    }

    private String masterLine(int number) {
        return "  m%d: {raft: \"%s:%d\", agents: \"%s:%d\", admin: \"%s:%d\"%s, site: %s}\n"
                .formatted(
                        number,
                        masterAddress(number),
                        17_100 + number,
                        masterAddress(number),
                        17_200 + number,
                        masterAddress(number),
                        17_300 + number,
                        sentinel(number).map(s -> ", sentinel: \"" + s + "\"").orElse(""),
                        siteOfMaster(number));
    }

    /** Where a master answers clients of Redis Sentinel; empty where the servers aren't Redis. */
    private Optional<Endpoint> sentinel(int master) {
        return plan.engine() == ArenaPlan.Engine.REDIS
                ? Optional.of(new Endpoint(masterAddress(master), 17_700 + master))
                : Optional.empty();
    }

    /** Ends the agents in good order, which leaves the servers as they are, and then the masters. */
    void endArbiter() throws IOException {
        for (ServerProcess agent : agents.values()) {
            end(agent);
        }
        for (ServerProcess master : masters.values()) {
            end(master);
        }
    }

    /** Where the masters answer clients of Redis Sentinel; empty where the servers aren't Redis. */
    public List<Endpoint> sentinels() {
        return masters.keySet().stream()
                .flatMap(name -> sentinel(masterNumber(name)).stream())
                .toList();
    }

    /** The process of the agent beside a database server. */
    public ServerProcess agent(String server) {
        return known(agents, server);
    }

    private static ServerProcess known(Map<String, ServerProcess> processes, String name) {
        ServerProcess process = processes.get(name);
        if (process == null) {
            throw new IllegalArgumentException("no process '" + name + "' (there are " + processes.keySet() + ")");
        }
        return process;
    }

    /** The server of that name, for what needs SQL; throws where it doesn't speak it. */
    public SqlServer server(String name) {
        return named(group().servers(), name);
    }

    /** The server of that name, of whatever engine. */
    public DatabaseServer database(String name) {
        return named(databases().servers(), name);
    }

    private static <S extends DatabaseServer> S named(List<S> servers, String name) {
        return servers.stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no server '" + name + "'"));
    }

    /** Waits until the group has an open primary, every other member follows, and the DNS shows it; returns the primary. */
    public DatabaseServer awaitPrimary(Duration limit) {
        return database(api.awaitSteady(GROUP, limit));
    }

    /** The same for what needs SQL; throws where it doesn't speak it. */
    public SqlServer awaitSteady(Duration limit) {
        return server(api.awaitSteady(GROUP, limit));
    }

    /** Asks for a planned switch, to the member that the arbiter finds best where {@code to} is empty; returns at once. */
    void switchOver(String to, String reason) throws IOException {
        switchOver(GROUP, to, reason);
    }

    /** The same of another group that has its agents with this arena's masters. */
    void switchOver(String group, String to, String reason) throws IOException {
        CommandResult result =
                api.command(new CommandRequest("switchover", group, to, false, "", null, "bench", reason));
        if (!result.accepted()) {
            throw new IOException("the planned switch was refused: " + result.sentence());
        }
    }

    /** The write name, absolute. */
    public String writeName() {
        return GROUP + "-rw." + ZONE + ".";
    }

    /** The name by which readers know the group. */
    public String readName() {
        return GROUP + "-ro." + ZONE + ".";
    }

    /** Where a client that knows only the name looks. */
    public WriteLoad.DnsName byName() {
        return new WriteLoad.DnsName(dns().address(), writeName(), DATABASE_PORT);
    }

    /** Where a client that knows every member looks. */
    public WriteLoad.Target byMembers() {
        return new WriteLoad.AnyMember(addresses());
    }

    /** How a client writes, whose every acknowledgement comes from the primary. */
    DataClient writes() {
        return switch (plan.engine()) {
            case MYSQL, MARIADB -> DataClient.jdbc();
            case REDIS -> DataClient.redis();
            case ELASTICSEARCH -> DataClient.elasticsearch(stream, clusters);
        };
    }

    /** The addresses of all database servers; of clusters those of their nodes. */
    public List<Endpoint> addresses() {
        if (!clusters.isEmpty()) {
            return clusters.stream()
                    .flatMap(cluster -> cluster.nodes().stream())
                    .<Endpoint>map(ElasticsearchNode::http)
                    .toList();
        }
        return databases().servers().stream()
                .<Endpoint>map(DatabaseServer::address)
                .toList();
    }

    /** Where clients run. */
    public Host clients() {
        return controlHost();
    }

    /** Where the clients of a site run. Only in the layout of sites. */
    NetworkLab.Node clients(String site) {
        return node(clientHost(site));
    }

    /** The hosts of a database server: one, or those of a cluster's nodes. */
    List<NetworkLab.Node> hostsOf(DatabaseServer server) {
        return serverHosts(plan, databases().servers().indexOf(server) + 1).stream()
                .map(this::node)
                .toList();
    }

    /** Cuts a database server's host off from everything, or joins it again; of a cluster all of them. Only with separate hosts. */
    public void cut(String server, boolean isCut) throws IOException {
        List<NetworkLab.Node> hosts = hostsOf(database(server));
        if (isCut && hosts.size() > 1) {
            List<NetworkLab.Node> others = network().hosts();
            others.removeAll(hosts);
            network().part(hosts, others);
            return;
        }
        for (NetworkLab.Node host : hosts) {
            if (isCut) {
                network().cut(host);
            } else {
                network().heal(host);
            }
        }
    }

    /** The plan it was made by. */
    public ArenaPlan plan() {
        return plan;
    }

    /** Ends every process and takes the hosts away; the files stay. */
    @Override
    public void close() throws IOException {
        IOException failed = null;
        List<AutoCloseable> all = new ArrayList<>(agents.values());
        all.addAll(masters.values());
        for (int i = closing.size() - 1; i >= 0; i--) {
            all.add(closing.get(i));
        }
        if (network != null) {
            all.add(network);
        }
        for (AutoCloseable one : all) {
            try {
                one.close();
            } catch (Exception e) {
                failed = failed == null ? new IOException("can't close everything", e) : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
