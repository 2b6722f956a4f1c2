package org.haarbiter.trial;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.haarbiter.lab.Account;
import org.haarbiter.lab.Servers;
import org.haarbiter.words.Endpoint;

/** An application of another ecosystem: a script of {@code src/test/clients} that sets the keys that it is given by line. */
final class ScriptedSentinelClient implements SentinelClient {
    private static final long END_SECONDS = 5;

    private final Process process;
    private final BufferedWriter keys;
    private final BufferedReader answers;

    private ScriptedSentinelClient(Process process) {
        this.process = process;
        this.keys = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        this.answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** With ioredis, in Node.js. */
    static SentinelClient ioredis(List<Endpoint> sentinels, String group) throws IOException {
        return start(Servers.onPath("node"), "ioredis.cjs", sentinels, group);
    }

    /** With redis-py, in the Python whose packages are Debian's. */
    static SentinelClient redisPy(List<Endpoint> sentinels, String group) throws IOException {
        return start(Path.of("/usr/bin/python3"), "redis_py.py", sentinels, group);
    }

    private static SentinelClient start(Path interpreter, String script, List<Endpoint> sentinels, String group)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                interpreter.toString(),
                Arena.home()
                        .resolve("integration-tests/src/test/clients")
                        .resolve(script)
                        .toString(),
                group,
                Account.APPLICATION.user(),
                Account.APPLICATION.password(),
                Long.toString(LIMIT.toMillis())));
        sentinels.forEach(sentinel -> command.add(sentinel.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("NODE_PATH", Servers.clientModules().toString());
        return new ScriptedSentinelClient(builder.start());
    }

    @Override
    public void write(String key) throws IOException {
        keys.write(key);
        keys.newLine();
        keys.flush();
        String answer = answers.readLine();
        if (!"ok".equals(answer)) {
            throw new IOException(answer == null ? "the script has ended" : answer);
        }
    }

    /** Ends the script; a write under way fails. */
    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("the script, process " + process.pid() + ", doesn't end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the script ends", e);
        }
    }
}
