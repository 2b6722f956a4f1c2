package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** One connection to the server. Commands are sent together and answered in their order. One thread at a time. */
final class Link implements AutoCloseable {
    private final Links links;
    private final AnswerSocket socket;
    private final Wire wire;
    private final List<Object> answers = new ArrayList<>();
    private int outstanding;
    private long sinceNanos;
    private boolean ready;
    private long id = -1;

    /** Jedis opens a lost connection anew by itself, as nobody: this one is opened once. */
    private static final class Wire extends Connection {
        Wire(AnswerSocket socket) {
            super(once(socket));
        }

        private static redis.clients.jedis.JedisSocketFactory once(AnswerSocket socket) {
            AtomicBoolean given = new AtomicBoolean();
            return () -> {
                if (given.compareAndSet(false, true)) {
                    return socket;
                }
                throw new JedisConnectionException("the connection has ended");
            };
        }

        void push() {
            flush();
        }
    }

    Link(Links links, AnswerSocket socket) {
        this.links = links;
        this.socket = socket;
        this.wire = new Wire(socket);
    }

    /** {@link #login} has succeeded. */
    boolean ready() {
        return ready;
    }

    /** Its number on the server. */
    long id() {
        return id;
    }

    boolean outstanding() {
        return outstanding > 0;
    }

    /** Since when the server owes the oldest answer that is outstanding. */
    long sinceNanos() {
        return sinceNanos;
    }

    /**
     * Logs in; goes on where an earlier one was given up.
     *
     * @throws RedisProblem REFUSED where the account isn't taken: the connection would go on as the default user, so it is of no use
     */
    void login(long deadlineNanos) throws RedisProblem {
        if (!outstanding()) {
            send(List.of(new String[] {"AUTH", links.user(), links.password()}, new String[] {"CLIENT", "ID"}));
        }
        List<Object> said = await(deadlineNanos);
        check(said.get(0));
        // A server that is busy with a script doesn't say it.
        if (said.get(1) instanceof Long number) {
            id = number;
            links.opened(id);
        }
        ready = true;
    }

    /** Sends commands behind what is outstanding. */
    void send(List<String[]> commands) throws RedisProblem {
        try {
            for (String[] command : commands) {
                byte[][] arguments = new byte[command.length - 1][];
                for (int i = 1; i < command.length; i++) {
                    arguments[i - 1] = command[i].getBytes(StandardCharsets.UTF_8);
                }
                byte[] name = command[0].getBytes(StandardCharsets.UTF_8);
                wire.sendCommand(() -> name, arguments);
            }
            wire.push();
        } catch (JedisDataException e) {
            // What a server that turns a connection away says before it closes it.
            throw RedisProblem.refused(e);
        } catch (JedisConnectionException e) {
            throw lost(e);
        }
        if (outstanding == 0) {
            sinceNanos = System.nanoTime();
        }
        outstanding += commands.size();
    }

    /**
     * Waits for all that is outstanding; may be given up and tried again.
     *
     * @return the answers in order; an error among them is a {@link JedisDataException}
     */
    List<Object> await(long deadlineNanos) throws RedisProblem {
        while (outstanding > 0) {
            socket.until(deadlineNanos);
            try {
                if (!socket.awaitInput()) {
                    throw RedisProblem.noAnswer("no answer in time");
                }
                answers.add(one());
            } catch (JedisConnectionException e) {
                throw lost(e);
            } catch (IOException e) {
                throw RedisProblem.lost(String.valueOf(e.getMessage()));
            }
            outstanding--;
        }
        List<Object> all = new ArrayList<>(answers);
        answers.clear();
        return all;
    }

    private Object one() {
        try {
            Object said = wire.getOne();
            return said == null ? "" : said;
        } catch (JedisDataException e) {
            return e;
        }
    }

    /** Waits for what is outstanding, then sends commands and waits for their answers, errors among them. */
    List<Object> all(long deadlineNanos, List<String[]> commands) throws RedisProblem {
        if (outstanding()) {
            await(deadlineNanos);
        }
        send(commands);
        return await(deadlineNanos);
    }

    /** As {@link #all}; the first error is thrown. */
    List<Object> run(long deadlineNanos, List<String[]> commands) throws RedisProblem {
        List<Object> said = all(deadlineNanos, commands);
        for (Object one : said) {
            check(one);
        }
        return said;
    }

    static void check(@Nullable Object answer) throws RedisProblem {
        if (answer instanceof JedisDataException error) {
            throw RedisProblem.refused(error);
        }
    }

    /** A text answer; an error's message. */
    static String text(Object answer) {
        if (answer instanceof byte[] bytes) {
            return new String(bytes, StandardCharsets.UTF_8);
        }
        return answer instanceof JedisDataException error ? String.valueOf(error.getMessage()) : answer.toString();
    }

    private static RedisProblem lost(JedisConnectionException e) {
        Throwable cause = e.getCause();
        return RedisProblem.lost(String.valueOf(cause == null ? e.getMessage() : cause.getMessage()));
    }

    @Override
    public void close() {
        links.closed(id);
        wire.setBroken();
        try {
            wire.forceDisconnect();
        } catch (IOException e) {
            links.closingFailed(e);
        }
        try {
            socket.close();
        } catch (IOException e) {
            links.closingFailed(e);
        }
    }
}
