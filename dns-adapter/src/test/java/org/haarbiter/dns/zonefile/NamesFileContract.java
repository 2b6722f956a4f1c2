package org.haarbiter.dns.zonefile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.haarbiter.dns.DnsProvider;
import org.haarbiter.dns.DnsProviderContract;
import org.haarbiter.dns.PublishOutcome;
import org.haarbiter.dns.PublishOutcome.Result;
import org.haarbiter.dns.ServerReading;
import org.haarbiter.dns.ServerReading.State;
import org.haarbiter.dns.WantedNames;
import org.haarbiter.dns.zonefile.ZoneFileSettings.Format;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract on a file, and what may stand around the arbiter's block. */
abstract class NamesFileContract extends DnsProviderContract {

    @TempDir
    protected Path directory;

    private final List<ZoneFileProvider> open = new ArrayList<>();
    private Path file;
    private DnsProvider first;
    private DnsProvider second;

    protected abstract Format format();

    /** How a comment begins. */
    protected abstract String mark();

    @BeforeEach
    void begin() {
        file = directory.resolve("names");
        first = provider(file, List.of());
        second = provider(file, List.of());
    }

    @AfterEach
    void end() {
        open.forEach(ZoneFileProvider::close);
    }

    protected ZoneFileProvider provider(Path at, List<String> command) {
        ZoneFileProvider provider =
                new ZoneFileProvider(new ZoneFileSettings("db.test", at, format(), null, command, 2_000, List.of()));
        open.add(provider);
        return provider;
    }

    protected Path file() {
        return file;
    }

    @Override
    protected DnsProvider provider() {
        return first;
    }

    @Override
    protected DnsProvider another() {
        return second;
    }

    @Override
    protected long changes() {
        try {
            return Files.exists(file) ? Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS) : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    protected List<String> lines() {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatStandsAroundTheBlockStays() throws IOException {
        Files.writeString(file, mark() + " mine\n\n" + mark() + " M\u00fcller\n");
        published(provider(), wanted(1, "10.0.0.1"));
        Files.writeString(file, Files.readString(file) + mark() + " below\n");
        published(provider(), wanted(2, "10.0.0.2"));

        assertThat(lines())
                .startsWith(mark() + " mine", "", mark() + " M\u00fcller")
                .endsWith(mark() + " below");
        assertThat(lines()).filteredOn(line -> line.contains("HA Arbiter")).hasSize(2);
        assertThat(lookup(rw())).containsExactly("10.0.0.2");
    }

    @Test
    void otherZonesHaveBlocksOfTheirOwn() {
        published(provider(), wanted(1, "10.0.0.1"));
        try (ZoneFileProvider other = new ZoneFileProvider(
                new ZoneFileSettings("db.test.org", file, format(), null, List.of(), 2_000, List.of()))) {
            published(other, wanted(7, "10.0.0.7"));
            published(provider(), wanted(2, "10.0.0.2"));
            assertThat(other.readBack(wanted(7, "10.0.0.7"), LIMIT))
                    .extracting(ServerReading::state)
                    .containsExactly(State.MATCHES);
        }
        assertThat(lookup(rw())).containsExactly("10.0.0.2");
    }

    @Test
    void somebodyElsesLineInTheBlockIsNamed() throws IOException {
        published(provider(), wanted(1, "10.0.0.1"));
        Files.writeString(file, Files.readString(file).replace("10.0.0.1", "10.0.0.one"));
        refused("'", "10.0.0.one", "isn't the arbiter's");

        Files.writeString(file, mark() + " END HA Arbiter db.test.\n");
        refused("must have one line '" + mark() + " BEGIN HA Arbiter db.test.'");
    }

    private void refused(String... words) throws IOException {
        String before = Files.readString(file);
        PublishOutcome outcome = provider().publish(wanted(2, "10.0.0.2"), LIMIT);
        assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
        assertThat(outcome.detail()).startsWith(file.toString()).contains(words);
        assertThat(provider().readBack(wanted(2, "10.0.0.2"), LIMIT))
                .singleElement()
                .satisfies(reading -> {
                    assertThat(reading.state()).isEqualTo(State.UNREACHABLE);
                    assertThat(reading.detail()).contains(words);
                });
        assertThat(provider().warnings(wanted(2, "10.0.0.2"), LIMIT))
                .singleElement()
                .asString()
                .contains(words);
        assertThat(Files.readString(file)).isEqualTo(before);
    }

    @Test
    void directoryThatIsMissingIsNamed() {
        ZoneFileProvider provider = provider(directory.resolve("none").resolve("names"), List.of());
        PublishOutcome outcome = provider.publish(wanted(1, "10.0.0.1"), LIMIT);
        assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
        assertThat(outcome.detail()).contains("directory doesn't exist");
        assertThat(provider.warnings(wanted(1, "10.0.0.1"), LIMIT))
                .singleElement()
                .asString()
                .contains("directory doesn't exist");
    }

    @Test
    void linksAndPermissionsStayAndNothingIsLeftBehind() throws IOException {
        Path real = Files.createDirectory(directory.resolve("elsewhere")).resolve("real");
        Files.createFile(real, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")));
        Files.createSymbolicLink(file, real);
        published(provider(), wanted(1, "10.0.0.1"));

        assertThat(Files.isSymbolicLink(file)).isTrue();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(real)))
                .isEqualTo("rw-r-----");
        assertThat(lookup(rw())).containsExactly("10.0.0.1");
        try (Stream<Path> left = Files.list(real.getParent())) {
            assertThat(left.map(path -> String.valueOf(path.getFileName()))).containsOnly("real", ".real.lock");
        }
    }

    @Test
    void newFileCanBeReadByTheServer() throws IOException {
        published(provider(), wanted(1, "10.0.0.1"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-r--r--");
    }

    @Test
    void theReloadCommandRunsAfterAChangeOnly() throws IOException {
        Path runs = directory.resolve("runs");
        ZoneFileProvider reloading = provider(file, List.of("sh", "-c", "wc -l < " + file + " >> " + runs));
        published(reloading, wanted(1, "10.0.0.1"));
        published(reloading, wanted(1, "10.0.0.1"));
        assertThat(Files.readAllLines(runs)).hasSize(1);
        published(reloading, wanted(2, "10.0.0.1"));
        assertThat(Files.readAllLines(runs)).hasSize(2);
        assertThat(reloading.warnings(wanted(2, "10.0.0.1"), LIMIT)).isEmpty();
    }

    @Test
    void reloadCommandThatFailsIsNamedAndRunAgain() throws IOException {
        Path ready = directory.resolve("ready");
        ZoneFileProvider reloading = provider(file, List.of("sh", "-c", "echo no rights >&2; test -e " + ready));
        PublishOutcome outcome = reloading.publish(wanted(1, "10.0.0.1"), LIMIT);
        assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
        assertThat(outcome.detail()).contains("was written", "ended with 1: no rights", "is run again");
        assertThat(lookup(rw())).containsExactly("10.0.0.1");
        Files.createFile(ready);
        published(reloading, wanted(1, "10.0.0.1"));
    }

    @Test
    void reloadCommandThatHangsIsKilled() throws InterruptedException {
        ZoneFileProvider reloading = provider(file, List.of("sh", "-c", "sleep 600; true"));
        long before = sleeping();
        PublishOutcome outcome = reloading.publish(wanted(1, "10.0.0.1"), LIMIT);
        assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
        assertThat(outcome.detail()).contains("hasn't ended after 2000 ms and was killed");
        // The kernel takes a killed process away when it comes to it.
        for (int i = 0; i < 600 && sleeping() != before; i++) {
            Thread.sleep(50);
        }
        assertThat(sleeping()).isEqualTo(before);
    }

    private static long sleeping() {
        return ProcessHandle.current()
                .descendants()
                .filter(process -> process.info().command().orElse("").endsWith("sleep") && process.isAlive())
                .count();
    }

    @Test
    void reloadCommandThatIsMissingIsWarnedOf() {
        assertThat(provider(file, List.of("no-such-program")).warnings(wanted(1, "10.0.0.1"), LIMIT))
                .singleElement()
                .asString()
                .contains("reload-command: 'no-such-program' (must be an executable in PATH");
    }

    @Test
    void otherProcessThatWritesItIsWaitedFor() throws Exception {
        published(provider(), wanted(1, "10.0.0.1"));
        Process holder = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        directory.resolve(".names.lock").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertThat(holder.getInputStream().read()).isEqualTo('h');
            PublishOutcome outcome = provider().publish(wanted(2, "10.0.0.2"), Duration.ofMillis(200));
            assertThat(outcome.result()).isEqualTo(Result.UNKNOWN);
            assertThat(outcome.detail()).contains("another process is still writing it");
            assertThat(lookup(rw())).containsExactly("10.0.0.1");
        } finally {
            holder.getOutputStream().close();
            holder.waitFor();
        }
        published(provider(), wanted(2, "10.0.0.2"));
    }

    @Test
    void closedItWritesNothing() {
        first.close();
        WantedNames wanted = wanted(1, "10.0.0.1");
        assertThat(first.publish(wanted, LIMIT).result()).isEqualTo(Result.UNKNOWN);
        assertThat(first.readBack(wanted, LIMIT))
                .extracting(ServerReading::state)
                .containsExactly(State.UNREACHABLE);
        assertThat(file).doesNotExist();
    }
}
