package org.haarbiter.agent.daemon;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.http.HttpLimits;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsCollector;
import org.haarbiter.logging.Logging;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent as a process. Exit codes: 143 after SIGTERM and a stop in good order (Java's way of saying so), 1 where it couldn't start
 * or its server couldn't be left in good order, 2 for wrong arguments or settings. Of {@code fence-after-stop}: 0 where the server
 * needn't be fenced or is, 1 where it isn't, 2 as above.
 */
public final class AgentMain {
    private static final String USAGE = """
            usage: ha-agent [fence-after-stop] --config FILE [--check]

              fence-after-stop   for ExecStopPost in a systemd unit: fences the server, unless SERVICE_RESULT says that the agent
                                 stopped in good order, or the server is a replica at its work
              --config FILE      the settings; conf/ha-agent.yaml, ha-agent-redis.yaml and ha-agent-elasticsearch.yaml show every key
              --check            read the settings, say what is wrong with them, and end
            """;

    /** Longer than a server takes to come up, or to be freed from memory. */
    private static final Duration HOOK_LIMIT = Duration.ofSeconds(20);

    private AgentMain() {}

    /** See the usage. */
    public static void main(String[] arguments) throws InterruptedException {
        Path file = null;
        boolean check = false;
        boolean hook = false;
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--config") && i + 1 < arguments.length) {
                file = Path.of(arguments[++i]);
            } else if (arguments[i].equals("--check")) {
                check = true;
            } else if (i == 0 && arguments[i].equals(StopHook.COMMAND)) {
                hook = true;
            } else if (arguments[i].equals("--help") || arguments[i].equals("-h")) {
                System.out.print(USAGE);
                return;
            } else {
                System.err.print("ha-agent: '" + arguments[i] + "' isn't an option, or lacks its value\n" + USAGE);
                System.exit(2);
            }
        }
        if (file == null) {
            System.err.print("ha-agent: --config is missing\n" + USAGE);
            System.exit(2);
            return;
        }
        Logging.configure();
        try {
            if (hook && leftInGoodOrder()) {
                return;
            }
            AgentSettings settings = AgentSettings.read(file);
            if (check) {
                System.out.println(file + ": no mistakes");
                return;
            }
            if (hook) {
                System.exit(fence(settings) ? 0 : 1);
            }
            run(settings, file);
        } catch (SettingsException e) {
            System.err.println(e.getMessage());
            System.exit(2);
        } catch (IOException e) {
            System.err.println("ha-agent can't start: " + e.getMessage());
            System.exit(1);
        }
    }

    private static boolean leftInGoodOrder() {
        Logger log = LoggerFactory.getLogger(StopHook.class);
        Boolean clean = StopHook.clean(System.getenv());
        if (clean == null) {
            System.err.println(
                    "ha-agent " + StopHook.COMMAND + ": SERVICE_RESULT isn't set (systemd sets it for ExecStopPost;"
                            + " SERVICE_RESULT=signal fences by hand): nothing was done");
            System.exit(2);
        }
        boolean inGoodOrder = Boolean.TRUE.equals(clean);
        log.info(
                "the agent has ended ({}): {}",
                StopHook.ending(System.getenv()),
                inGoodOrder
                        ? "in good order; its server is left as it is"
                        : "not in good order; its server is looked at");
        return inGoodOrder;
    }

    private static boolean fence(AgentSettings settings) {
        // Not closed: closing waits for threads, and this process ends now.
        return StopHook.fence(
                settings.server().open(),
                Duration.ofMillis(settings.timing().hungMillis()),
                Duration.ofMillis(settings.timing().fenceBudgetMillis()),
                HOOK_LIMIT);
    }

    private static void run(AgentSettings settings, Path file) throws IOException, InterruptedException {
        Logger log = LoggerFactory.getLogger(AgentMain.class);
        Supervision supervision =
                Supervision.of(System.getenv(), ProcessHandle.current().pid(), file, settings.timing());
        Engine engine = settings.server().open();
        AgentNode node = new AgentNode(
                settings.identity(),
                engine,
                settings.timing(),
                settings.stateDirectory(),
                settings.masters(),
                settings.tls() == null ? null : Tls.load(settings.tls()),
                supervision);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(node), "stop"));
        HttpLimits.set();
        if (settings.metrics() != null) {
            CollectorRegistry registry = new CollectorRegistry();
            new AgentMetrics(node).register(registry);
            Tls tls = node.tls();
            if (tls != null) {
                new TlsCollector(tls).register(registry);
            }
            HTTPServer server = metrics(settings.metrics(), registry);
            log.info("metrics at http://{}:{}/metrics", settings.metrics().host(), server.getPort());
        }
        Endpoint health = settings.health();
        if (health != null) {
            HealthServer server = new HealthServer(
                    new InetSocketAddress(health.host(), health.port()),
                    node.health(settings.identity(), settings.timing()));
            log.info("health for load balancers at http://{}:{}/", health.host(), server.port());
        }
        log.info(
                "agent of member {} of group {} is up",
                settings.identity().member(),
                settings.identity().group());
        node.awaitReady();
        // Until SIGTERM: the threads of the node do the work.
        new CountDownLatch(1).await();
    }

    private static void stop(AgentNode node) {
        if (!node.stop()) {
            // The log may be closed already.
            System.err.println("ha-agent: the server couldn't be left in good order (a stop hook fences it)");
            Runtime.getRuntime().halt(1);
        }
    }

    private static HTTPServer metrics(Endpoint address, CollectorRegistry registry) throws IOException {
        try {
            return new HTTPServer.Builder()
                    .withInetSocketAddress(new InetSocketAddress(address.host(), address.port()))
                    .withRegistry(registry)
                    .withDaemonThreads(true)
                    .build();
        } catch (IOException e) {
            throw new IOException("metrics: can't listen on " + address + ": " + e.getMessage(), e);
        }
    }
}
