package org.haarbiter.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** What all kinds of database server have in common: a child process with a directory of its own. */
abstract class ChildServer implements DatabaseServer {

    private static final int LONGEST_SOCKET_PATH = 107;

    private final ServerPlan plan;
    private final ServerProcess process;

    /**
     * A server that isn't started yet.
     *
     * @param command starts it with the file that {@link #configuration(ServerPlan)} names
     * @param restartCode started again when it ends with this; 0 for never
     */
    ChildServer(ServerPlan plan, List<String> command, int restartCode) {
        this.plan = plan;
        this.process = new ServerProcess(
                plan.name(),
                plan.host(),
                command,
                plan.directory().resolve("output.log"),
                new ServerProcess.Supervision(restartCode, startRequest(plan)));
        if (socket().toString().length() > LONGEST_SOCKET_PATH) {
            throw new IllegalArgumentException("work directory of " + plan.name() + ": " + plan.work()
                    + " is too long for a Unix socket in it (must leave the path below " + LONGEST_SOCKET_PATH
                    + " characters)");
        }
    }

    static Path configuration(ServerPlan plan) {
        return plan.directory().resolve("server.cnf").toAbsolutePath();
    }

    static Path startRequest(ServerPlan plan) {
        return plan.directory().resolve("start-requested").toAbsolutePath();
    }

    /** The whole configuration file. */
    abstract String configuration();

    /** Makes the data directory. */
    abstract void makeData() throws IOException;

    /**
     * Asks it something as root.
     *
     * @return why it doesn't answer yet; null where it does
     * @throws IOException where it never will
     */
    abstract @Nullable Exception unready() throws IOException;

    ServerPlan plan() {
        return plan;
    }

    @Override
    public String name() {
        return plan.name();
    }

    @Override
    public Endpoint address() {
        return plan.address();
    }

    @Override
    public Path socket() {
        return plan.directory().resolve("sock").toAbsolutePath();
    }

    @Override
    public Path dataDir() {
        return plan.directory().resolve("data").toAbsolutePath();
    }

    @Override
    public Path errorLog() {
        return plan.directory().resolve("error.log").toAbsolutePath();
    }

    @Override
    public long pid() {
        return process.pid();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void start() throws IOException {
        if (!Files.isDirectory(dataDir())) {
            Files.createDirectories(plan.directory());
            makeData();
            Files.writeString(configuration(plan), configuration(), StandardCharsets.UTF_8);
        }
        process.start();
    }

    @Override
    public void restart() throws IOException {
        process.kill9();
        process.awaitEnd(Duration.ofSeconds(60));
        process.start();
    }

    @Override
    public void startEmpty() throws IOException {
        process.kill9();
        process.awaitEnd(Duration.ofSeconds(60));
        deleteData();
        start();
    }

    /** An agent's disk canary may write its file into the directory meanwhile. */
    private void deleteData() throws IOException {
        for (int attempt = 1; Files.exists(dataDir()); attempt++) {
            try {
                Commands.run(List.of("rm", "-rf", dataDir().toString()), "");
            } catch (IOException e) {
                if (attempt == 10) {
                    throw e;
                }
            }
        }
    }

    @Override
    public void kill9() {
        process.kill9();
    }

    @Override
    public void terminate() {
        process.terminate();
    }

    @Override
    public void freeze() {
        process.freeze();
    }

    @Override
    public void thaw() {
        process.thaw();
    }

    @Override
    public void awaitEnd(Duration limit) throws IOException {
        process.awaitEnd(limit);
    }

    @Override
    public void awaitReady(Duration limit) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            Exception why = unready();
            if (why == null) {
                return;
            }
            boolean ended = !process.isAlive();
            if (ended || System.nanoTime() - deadline > 0) {
                throw new IOException(
                        name() + " at " + address()
                                + (ended ? " ended" : " doesn't answer after " + limit.toMillis() + " ms")
                                + ". Its log ends with:\n" + process.lastWords() + ServerProcess.tail(errorLog()),
                        why);
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while waiting for " + name(), e);
            }
        }
    }

    @Override
    public void close() throws IOException {
        process.close();
    }

    @Override
    public String toString() {
        return name() + " at " + address();
    }
}
