package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.haarbiter.dns.server.AuthoritativeServer;
import org.haarbiter.dns.server.DnsServerSettings;
import org.haarbiter.dns.server.StateAge;
import org.haarbiter.words.Endpoint;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The embedded DNS server as a process of its own, with all that a master switches on: regions, a rate limit, cookies. */
@Command(name = "dns-trial-server", description = "Serves the zone of the trials.")
final class DnsTrialServer implements Callable<Integer> {

    @Option(names = "--port", required = true)
    private int port;

    @Option(names = "--names", required = true)
    private int names;

    @Option(names = "--work", required = true)
    private Path work = Path.of("?");

    /** Serves until it is killed. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new DnsTrialServer()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        DnsTrialZone zone = new DnsTrialZone(names);
        Path regions = Files.write(work.resolve("regions"), zone.regionLines());
        DnsServerSettings settings = new DnsServerSettings(
                List.of(new Endpoint("127.0.0.1", port)),
                1,
                "trial",
                new TreeMap<>(Map.of(DnsTrialZone.ZONE, DnsServerSettings.Zone.closed())),
                new TreeMap<>(),
                // No response of the trial is held back, yet each is counted.
                new DnsServerSettings.RateLimit(1_000_000, 2, List.of()),
                1_000,
                1_000,
                10_000,
                "",
                DnsTrialZone.REGIONS,
                regions,
                DnsServerSettings.EVERYBODY);
        try (AuthoritativeServer server = new AuthoritativeServer(settings, () -> new StateAge(1, 0))) {
            server.start();
            server.serve(zone.contents(1));
            new CountDownLatch(1).await();
        }
        return 0;
    }
}
