package org.haarbiter.dns.zonefile;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.zone.AuthoritativeServers;
import org.haarbiter.dns.zone.Reading;
import org.haarbiter.dns.zone.ZoneRecords;
import org.haarbiter.dns.zone.ZoneRecords.Held;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Name;
import org.xbill.DNS.TextParseException;

/**
 * Names in a file that this process can write. The file is replaced whole, so a reader sees the names of before or of after; it is never
 * taken back to an older epoch, and of several processes that write it at the same time each sees what the one before wrote. Only a
 * leader publishes: masters that don't share the file each write their own while they lead.
 *
 * <p>Thread-safe. Calls block the caller for their limit, and for that of the reload command.
 */
public final class ZoneFileProvider implements DnsProvider {

    private static final int EPOCH_TTL_SECONDS = 1;

    private final ZoneFileSettings settings;
    private final Name zone;
    private final NamesFile file;
    private final ReloadCommand reload;
    private final AuthoritativeServers servers;

    /** Something was written, perhaps by the process that was here before, and whoever reads the file hasn't been told. */
    private final AtomicBoolean reloadDue = new AtomicBoolean(true);

    private volatile boolean closed;

    /** Neither reads nor writes yet. */
    public ZoneFileProvider(ZoneFileSettings settings) {
        this(settings, Clock.systemUTC());
    }

    ZoneFileProvider(ZoneFileSettings settings, Clock clock) {
        this.settings = settings;
        try {
            this.zone = Name.fromString(settings.zone(), Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException("the settings were checked, yet: " + e.getMessage(), e);
        }
        this.file = new NamesFile(settings, zone, clock);
        this.reload = new ReloadCommand(settings.reloadCommand(), Duration.ofMillis(settings.reloadLimitMillis()));
        this.servers = new AuthoritativeServers(zone, settings.authoritativeServers(), EPOCH_TTL_SECONDS);
    }

    @Override
    public String name() {
        return "file " + settings.file();
    }

    @Override
    public PublishOutcome publish(WantedNames wanted, Duration limit) {
        return publish(List.of(wanted), limit).get(0);
    }

    /**
     * {@inheritDoc}
     *
     * <p>All groups are one write, and one run of the reload command. Where that fails the names stand in the file, and the outcome
     * is {@link Result#UNKNOWN}: asked again, it is run again.
     */
    @Override
    public List<PublishOutcome> publish(List<WantedNames> wanted, Duration limit) {
        if (closed) {
            PublishOutcome stopping =
                    new PublishOutcome(Result.UNKNOWN, name() + " is closed: this process is stopping");
            return Collections.nCopies(wanted.size(), stopping);
        }
        long deadline = System.nanoTime() + limit.toNanos();
        List<PublishOutcome> outcomes = new ArrayList<>();
        try {
            file.change(names -> put(wanted, names, outcomes), deadline);
        } catch (IOException e) {
            // Whether the rename has happened isn't known; asked again, it is seen.
            return Collections.nCopies(wanted.size(), new PublishOutcome(Result.UNKNOWN, file.words(e)));
        }
        String problem = reload();
        if (problem == null) {
            return outcomes;
        }
        PublishOutcome unread = new PublishOutcome(
                Result.UNKNOWN, settings.file() + " was written, but " + problem + ". It is run again");
        return outcomes.stream()
                .map(outcome -> outcome.result() == Result.PUBLISHED ? unread : outcome)
                .toList();
    }

    private boolean put(List<WantedNames> wanted, Names names, List<PublishOutcome> outcomes) {
        boolean changed = false;
        for (WantedNames group : wanted) {
            ZoneRecords records;
            try {
                records = new ZoneRecords(zone, group, EPOCH_TTL_SECONDS);
            } catch (IllegalArgumentException e) {
                outcomes.add(new PublishOutcome(Result.REFUSED, String.valueOf(e.getMessage())));
                continue;
            }
            Reading reading = names.reading(records);
            Held held = reading.held();
            if (held == null) {
                outcomes.add(new PublishOutcome(Result.REFUSED, settings.file() + ": " + reading.detail()));
            } else if (held.newerThan(records.epoch())) {
                outcomes.add(new PublishOutcome(
                        Result.NEWER_EPOCH,
                        settings.file() + ": " + records.epochName() + " holds epoch " + held.epoch()
                                + ", newer than " + records.epoch() + " of group " + group.group()
                                + ": another leader has switched it since. Nothing was changed"));
            } else {
                if (reading.state() != ServerReading.State.MATCHES) {
                    names.put(records);
                    changed = true;
                }
                outcomes.add(new PublishOutcome(Result.PUBLISHED, ""));
            }
        }
        if (changed) {
            reloadDue.set(true);
        }
        return changed;
    }

    private @Nullable String reload() {
        if (!reloadDue.getAndSet(false)) {
            return null;
        }
        String problem = reload.run();
        if (problem != null) {
            reloadDue.set(true);
        }
        return problem;
    }

    @Override
    public List<ServerReading> readBack(WantedNames wanted, Duration limit) {
        return readBack(List.of(wanted), limit).get(0);
    }

    /**
     * {@inheritDoc}
     *
     * <p>The file counts as the first server; the authoritative servers of the settings follow, if there are any.
     */
    @Override
    public List<List<ServerReading>> readBack(List<WantedNames> wanted, Duration limit) {
        List<List<ServerReading>> readings = servers.readBack(wanted, limit, (server, epochName, held) -> {});
        Names names = null;
        String problem = "not read: this process is stopping";
        try {
            names = closed ? null : file.read();
        } catch (IOException e) {
            problem = file.words(e);
        }
        for (int i = 0; i < wanted.size(); i++) {
            readings.get(i).add(0, reading(names, problem, wanted.get(i)));
        }
        return readings;
    }

    private ServerReading reading(@Nullable Names names, String problem, WantedNames wanted) {
        String where = settings.file().toString();
        if (names == null) {
            return new ServerReading(where, ServerReading.State.UNREACHABLE, problem);
        }
        try {
            Reading reading = names.reading(new ZoneRecords(zone, wanted, EPOCH_TTL_SECONDS));
            return new ServerReading(where, reading.state(), reading.detail());
        } catch (IllegalArgumentException e) {
            return new ServerReading(where, ServerReading.State.DIFFERS, "can't hold this: " + e.getMessage());
        }
    }

    /** Whether the file could be written and the reload command run, without doing either. */
    @Override
    public List<String> warnings(WantedNames wanted, Duration limit) {
        List<String> warnings = new ArrayList<>();
        for (String problem : Arrays.asList(file.problem(), reload.problem())) {
            if (problem != null) {
                warnings.add(problem);
            }
        }
        return warnings;
    }

    /** The file stays as it is. */
    @Override
    public void close() {
        closed = true;
        servers.close();
    }
}
