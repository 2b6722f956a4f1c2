package org.haarbiter.agent.daemon;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.haarbiter.agent.engine.Engine;
import org.haarbiter.agent.engine.mysql.MariadbEngine;
import org.haarbiter.agent.engine.mysql.MysqlEngine;
import org.haarbiter.link.Tls;
import org.haarbiter.logging.Logging;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.words.Endpoint;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent as a process. Exit codes: 0 after a clean stop, 1 where it couldn't start, 2 for wrong arguments or settings.
 */
public final class AgentMain {
    private static final String USAGE = """
            usage: ha-agent --config FILE [--check]

              --config FILE   the settings; conf/ha-agent.yaml shows every key
              --check         read the settings, say what is wrong with them, and end
            """;

    private AgentMain() {}

    /** See the usage. */
    public static void main(String[] arguments) throws InterruptedException {
        Path file = null;
        boolean check = false;
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i].equals("--config") && i + 1 < arguments.length) {
                file = Path.of(arguments[++i]);
            } else if (arguments[i].equals("--check")) {
                check = true;
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
            AgentSettings settings = AgentSettings.read(file);
            if (check) {
                System.out.println(file + ": no mistakes");
                return;
            }
            run(settings);
        } catch (SettingsException e) {
            System.err.println(e.getMessage());
            System.exit(2);
        } catch (IOException e) {
            System.err.println("ha-agent can't start: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(AgentSettings settings) throws IOException, InterruptedException {
        Logger log = LoggerFactory.getLogger(AgentMain.class);
        Engine engine = engine(settings);
        AgentNode node = new AgentNode(
                settings.identity(),
                engine,
                settings.timing(),
                settings.stateDirectory(),
                settings.masters(),
                settings.tls() == null ? null : Tls.load(settings.tls()));
        Runtime.getRuntime().addShutdownHook(new Thread(node::close, "stop"));
        if (settings.metrics() != null) {
            CollectorRegistry registry = new CollectorRegistry();
            new AgentMetrics(node).register(registry);
            HTTPServer server = metrics(settings.metrics(), registry);
            log.info("metrics at http://{}:{}/metrics", settings.metrics().host(), server.getPort());
        }
        log.info(
                "agent of member {} of group {} is up",
                settings.identity().member(),
                settings.identity().group());
        // Until SIGTERM: the threads of the node do the work.
        new CountDownLatch(1).await();
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

    private static Engine engine(AgentSettings settings) {
        return switch (settings.engine()) {
            case MYSQL -> new MysqlEngine(settings.server());
            case MARIADB -> new MariadbEngine(settings.server());
        };
    }
}
