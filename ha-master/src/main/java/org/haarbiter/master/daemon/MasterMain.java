package org.haarbiter.master.daemon;

import io.prometheus.client.CollectorRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.link.Tls;
import org.haarbiter.logging.Logging;
import org.haarbiter.master.raft.RaftStartException;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.supervisor.Supervisor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The master as a process. Exit codes: 0 after a clean stop, 1 where it couldn't start or had to stop, 2 for wrong arguments
 * or settings.
 */
public final class MasterMain {
    private static final String USAGE = """
            usage: ha-master --config FILE [--check]

              --config FILE   the settings; conf/ha-master.yaml shows every key
              --check         read the settings, say what is wrong with them, and end
            """;

    private MasterMain() {}

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
                System.err.print("ha-master: '" + arguments[i] + "' isn't an option, or lacks its value\n" + USAGE);
                System.exit(2);
            }
        }
        if (file == null) {
            System.err.print("ha-master: --config is missing\n" + USAGE);
            System.exit(2);
            return;
        }
        Logging.configure();
        MasterSettings settings;
        try {
            settings = MasterSettings.read(file);
            if (check && settings.tls() != null) {
                Tls.load(settings.tls());
            }
        } catch (SettingsException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        if (check) {
            System.out.println(file + ": no mistakes");
            return;
        }
        System.exit(run(settings));
    }

    private static int run(MasterSettings settings) throws InterruptedException {
        Logger log = LoggerFactory.getLogger(MasterMain.class);
        CompletableFuture<Integer> end = new CompletableFuture<>();
        Supervisor supervisor =
                Supervisor.of(System.getenv(), ProcessHandle.current().pid());
        MasterNode node;
        try {
            node = new MasterNode(
                    settings, dns(settings), CollectorRegistry.defaultRegistry, supervisor, (sentence, cause) -> {
                        log.error("this master stops: {}", sentence, cause);
                        end.complete(1);
                    });
        } catch (SettingsException | IOException e) {
            System.err.println("ha-master can't start: " + e.getMessage());
            return 1;
        }
        Thread stop = new Thread(
                () -> {
                    supervisor.stopping();
                    node.close();
                },
                "stop");
        try {
            node.start();
            Runtime.getRuntime().addShutdownHook(stop);
            log.info(
                    "master {} of cluster {} is up: raft {}, agents {}, admin {}",
                    settings.name(),
                    settings.clusterId(),
                    settings.own().raft(),
                    settings.own().agents(),
                    settings.own().admin());
            supervisor.ready();
            return end.get();
        } catch (RaftStartException | IOException e) {
            System.err.println("ha-master can't start: " + e.getMessage());
            // What is half open can't be closed in good order; nothing of it has taken effect.
            Runtime.getRuntime().halt(1);
            return 1;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static @Nullable DnsProvider dns(MasterSettings settings) {
        MasterSettings.Names names = settings.names();
        return names == null ? null : names.provider().open();
    }
}
