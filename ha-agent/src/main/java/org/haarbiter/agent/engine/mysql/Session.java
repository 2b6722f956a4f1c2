package org.haarbiter.agent.engine.mysql;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.haarbiter.agent.process.UnixSocket;
import org.jspecify.annotations.Nullable;

/**
 * One session with the server. A statement whose answer doesn't come in time stays outstanding: the same answer can be
 * awaited again. Deadlines are by {@link System#nanoTime}. One thread at a time, but {@link #shutdown} from any.
 */
final class Session implements AutoCloseable {
    private static final int LONG_PASSWORD = 0x1;
    private static final int LONG_FLAG = 0x4;
    private static final int PROTOCOL_41 = 0x200;
    private static final int TRANSACTIONS = 0x2000;
    private static final int SECURE_CONNECTION = 0x8000;
    private static final int MULTI_STATEMENTS = 0x10000;
    private static final int MULTI_RESULTS = 0x20000;
    private static final int PLUGIN_AUTH = 0x80000;
    private static final int CAPABILITIES = LONG_PASSWORD
            | LONG_FLAG
            | PROTOCOL_41
            | TRANSACTIONS
            | SECURE_CONNECTION
            | MULTI_STATEMENTS
            | MULTI_RESULTS
            | PLUGIN_AUTH;
    private static final int UTF8MB4 = 45;
    private static final int MORE_RESULTS = 0x8;
    private static final int LONGEST_PACKET = 0xffffff;
    private static final byte COM_QUERY = 3;

    /** Nobody waits for a write: what is sent fits into the socket's buffer, unless the server reads nothing at all. */
    private static final long WRITE_NANOS = 20_000_000;

    private enum Stage {
        GREETING,
        AUTHENTICATING,
        READY
    }

    private enum Expected {
        HEAD,
        COLUMNS,
        COLUMNS_END,
        ROWS
    }

    private final UnixSocket socket;
    private final String user;
    private final String password;
    private final byte[] chunk = new byte[16 * 1024];
    private byte[] held = new byte[16 * 1024];
    private int heldFrom;
    private int heldTo;
    private int sequence;
    private Stage stage = Stage.GREETING;
    private String serverVersion = "";
    private long connectionId;
    private String plugin = "";

    private volatile boolean outstanding = true;
    private long sinceNanos = System.nanoTime();
    private String statement = "log in";
    private Expected expected = Expected.HEAD;
    private int columnsLeft;
    private Rows rows = new Rows();
    private List<Rows> results = new ArrayList<>();

    private Session(UnixSocket socket, String user, String password) {
        this.socket = socket;
        this.user = user;
        this.password = password;
    }

    /** Connects, without waiting; {@link #login} comes next. */
    static Session connect(Path path, String user, String password) throws IOException {
        return new Session(UnixSocket.connect(path), user, password);
    }

    int peerPid() throws IOException {
        return socket.peerPid();
    }

    /** As the server says it; empty before its greeting. */
    String serverVersion() {
        return serverVersion;
    }

    /** The session's number on the server. */
    long connectionId() {
        return connectionId;
    }

    boolean ready() {
        return stage == Stage.READY;
    }

    /** An answer is still to come. */
    boolean outstanding() {
        return outstanding;
    }

    /** Since when the outstanding answer has been waited for, by {@link System#nanoTime}. */
    long sinceNanos() {
        return sinceNanos;
    }

    /** Logs in. After NO_ANSWER it can be called again, and carries on. */
    void login(long deadlineNanos) throws SqlProblem {
        while (stage != Stage.READY) {
            byte[] packet = packet(deadlineNanos);
            int head = packet.length == 0 ? -1 : packet[0] & 0xff;
            if (head == 0xff) {
                throw refusal(packet);
            } else if (stage == Stage.GREETING) {
                greet(packet);
            } else if (head == 0x00) {
                stage = Stage.READY;
                outstanding = false;
            } else {
                authenticate(head, packet);
            }
        }
    }

    private void greet(byte[] packet) throws SqlProblem {
        if (packet[0] != 10) {
            throw SqlProblem.lost("the server greets with protocol " + packet[0] + " (must be 10)");
        }
        int at = 1;
        while (packet[at] != 0) {
            at++;
        }
        serverVersion = new String(packet, 1, at - 1, StandardCharsets.UTF_8);
        at++;
        connectionId = number(packet, at, 4);
        byte[] nonce = new byte[20];
        System.arraycopy(packet, at + 4, nonce, 0, 8);
        // Number 4, nonce 8, filler 1, capabilities 2, charset 1, status 2, capabilities 2, nonce length 1, filler 10.
        int second = at + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10;
        System.arraycopy(packet, second, nonce, 8, 12);
        plugin = string(packet, second + 13);
        if (!Login.knows(plugin)) {
            // The account's own plugin is asked for in a moment.
            plugin = "mysql_native_password";
        }
        byte[] answer = Login.answer(plugin, nonce, password);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        put(out, CAPABILITIES, 4);
        put(out, LONGEST_PACKET, 4);
        put(out, UTF8MB4, 1);
        put(out, 0, 23);
        out.writeBytes(user.getBytes(StandardCharsets.UTF_8));
        out.write(0);
        out.write(answer.length);
        out.writeBytes(answer);
        out.writeBytes(plugin.getBytes(StandardCharsets.UTF_8));
        out.write(0);
        write(out.toByteArray());
        stage = Stage.AUTHENTICATING;
    }

    private void authenticate(int head, byte[] packet) throws SqlProblem {
        if (head == 0xfe) {
            plugin = string(packet, 1);
            if (!Login.knows(plugin)) {
                throw SqlProblem.refused(
                        1045,
                        "account " + user + " uses the authentication plugin " + plugin
                                + " (must be caching_sha2_password, mysql_native_password or the Unix socket's)");
            }
            int at = Math.min(packet.length, 2 + plugin.length());
            byte[] nonce = Arrays.copyOfRange(packet, at, Math.min(packet.length, at + 20));
            write(Login.answer(plugin, nonce, password));
        } else if (head == 0x01 && packet.length > 1 && packet[1] == 4) {
            write(Login.clear(password));
        } else if (head != 0x01) {
            throw SqlProblem.lost("the server sent " + head + " while the agent logged in");
        }
    }

    /** Sends statements, separated by semicolons, and returns without their results: {@link #await} has them. */
    void send(String sql) throws SqlProblem {
        if (outstanding) {
            throw new IllegalStateException("still outstanding: " + statement);
        }
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        byte[] packet = new byte[text.length + 1];
        packet[0] = COM_QUERY;
        System.arraycopy(text, 0, packet, 1, text.length);
        outstanding = true;
        sinceNanos = System.nanoTime();
        statement = sql;
        expected = Expected.HEAD;
        results = new ArrayList<>();
        sequence = 0;
        write(packet);
    }

    /** The results of what was sent: one for each statement, empty for those without rows. */
    List<Rows> await(long deadlineNanos) throws SqlProblem {
        while (outstanding) {
            byte[] packet = packet(deadlineNanos);
            try {
                take(packet);
            } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
                throw SqlProblem.lost("the server's answer to '" + statement + "' can't be read: " + e);
            }
        }
        return results;
    }

    /** Waits out what is outstanding, then sends and awaits. */
    List<Rows> run(String sql, long deadlineNanos) throws SqlProblem {
        settle(deadlineNanos);
        send(sql);
        return await(deadlineNanos);
    }

    /** Waits out what is outstanding; how it ended doesn't matter. */
    void settle(long deadlineNanos) throws SqlProblem {
        if (!outstanding) {
            return;
        }
        try {
            await(deadlineNanos);
        } catch (SqlProblem e) {
            if (e.kind() != SqlProblem.Kind.REFUSED) {
                throw e;
            }
        }
    }

    private void take(byte[] packet) throws SqlProblem {
        int head = packet.length == 0 ? -1 : packet[0] & 0xff;
        if (head == 0xff) {
            outstanding = false;
            throw refusal(packet);
        }
        boolean end = head == 0xfe && packet.length < 9;
        switch (expected) {
            case HEAD -> {
                rows = new Rows();
                if (head == 0x00) {
                    int at = skipLength(packet, skipLength(packet, 1));
                    finish((int) number(packet, at, 2));
                } else {
                    columnsLeft = (int) length(packet, 0);
                    expected = Expected.COLUMNS;
                }
            }
            case COLUMNS -> {
                rows.column(columnName(packet));
                columnsLeft--;
                if (columnsLeft == 0) {
                    expected = Expected.COLUMNS_END;
                }
            }
            case COLUMNS_END -> expected = Expected.ROWS;
            case ROWS -> {
                if (end) {
                    finish((int) number(packet, 3, 2));
                } else {
                    rows.row(values(packet));
                }
            }
        }
    }

    private void finish(int status) {
        results.add(rows);
        expected = Expected.HEAD;
        if ((status & MORE_RESULTS) == 0) {
            outstanding = false;
        }
    }

    private static String columnName(byte[] packet) {
        int at = 0;
        // Catalogue, schema, table, original table; then the name.
        for (int i = 0; i < 4; i++) {
            at = skipLength(packet, at) + (int) length(packet, at);
        }
        return new String(packet, skipLength(packet, at), (int) length(packet, at), StandardCharsets.UTF_8);
    }

    private static List<@Nullable String> values(byte[] packet) {
        List<@Nullable String> values = new ArrayList<>();
        int at = 0;
        while (at < packet.length) {
            if ((packet[at] & 0xff) == 0xfb) {
                values.add(null);
                at++;
            } else {
                int size = (int) length(packet, at);
                at = skipLength(packet, at);
                values.add(new String(packet, at, size, StandardCharsets.UTF_8));
                at += size;
            }
        }
        return values;
    }

    private static SqlProblem refusal(byte[] packet) {
        int code = (int) number(packet, 1, 2);
        int at = packet.length > 3 && packet[3] == '#' ? 9 : 3;
        return SqlProblem.refused(code, new String(packet, at, packet.length - at, StandardCharsets.UTF_8));
    }

    /** The next whole packet; on NO_ANSWER what has come of it is kept. */
    private byte[] packet(long deadlineNanos) throws SqlProblem {
        while (true) {
            if (heldTo - heldFrom >= 4) {
                int size = (int) number(held, heldFrom, 3);
                if (size >= LONGEST_PACKET) {
                    throw SqlProblem.lost("the server sent more than 16 MB in answer to: " + statement);
                }
                if (heldTo - heldFrom >= 4 + size) {
                    sequence = (held[heldFrom + 3] & 0xff) + 1;
                    byte[] packet = Arrays.copyOfRange(held, heldFrom + 4, heldFrom + 4 + size);
                    heldFrom += 4 + size;
                    return packet;
                }
            }
            int count;
            try {
                count = socket.read(chunk, 0, chunk.length, deadlineNanos);
            } catch (IOException e) {
                throw SqlProblem.lost(String.valueOf(e.getMessage()));
            }
            if (count == 0) {
                if (deadlineNanos - System.nanoTime() <= 0) {
                    throw SqlProblem.noAnswer(statement);
                }
                continue;
            }
            hold(count);
        }
    }

    private void hold(int count) {
        if (heldTo + count > held.length) {
            byte[] next = held.length >= heldTo - heldFrom + count
                    ? held
                    : new byte[Math.max(held.length * 2, heldTo - heldFrom + count)];
            System.arraycopy(held, heldFrom, next, 0, heldTo - heldFrom);
            heldTo -= heldFrom;
            heldFrom = 0;
            held = next;
        }
        System.arraycopy(chunk, 0, held, heldTo, count);
        heldTo += count;
    }

    private void write(byte[] payload) throws SqlProblem {
        byte[] whole = new byte[payload.length + 4];
        whole[0] = (byte) payload.length;
        whole[1] = (byte) (payload.length >> 8);
        whole[2] = (byte) (payload.length >> 16);
        whole[3] = (byte) sequence;
        System.arraycopy(payload, 0, whole, 4, payload.length);
        try {
            socket.write(whole, whole.length, System.nanoTime() + WRITE_NANOS);
        } catch (IOException e) {
            throw SqlProblem.lost(String.valueOf(e.getMessage()));
        }
    }

    private static void put(ByteArrayOutputStream out, int value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write(i < 4 ? value >> (8 * i) : 0);
        }
    }

    private static long number(byte[] from, int at, int bytes) {
        long value = 0;
        for (int i = bytes - 1; i >= 0; i--) {
            value = value << 8 | (from[at + i] & 0xff);
        }
        return value;
    }

    private static long length(byte[] from, int at) {
        int first = from[at] & 0xff;
        return switch (first) {
            case 0xfc -> number(from, at + 1, 2);
            case 0xfd -> number(from, at + 1, 3);
            case 0xfe -> number(from, at + 1, 8);
            default -> first;
        };
    }

    private static int skipLength(byte[] from, int at) {
        return at
                + switch (from[at] & 0xff) {
                    case 0xfc -> 3;
                    case 0xfd -> 4;
                    case 0xfe -> 9;
                    default -> 1;
                };
    }

    private static String string(byte[] from, int at) {
        int end = at;
        while (end < from.length && from[end] != 0) {
            end++;
        }
        return at >= from.length ? "" : new String(from, at, end - at, StandardCharsets.UTF_8);
    }

    /** Makes a wait in another thread end at once. */
    void shutdown() {
        socket.shutdown();
    }

    @Override
    public void close() {
        socket.close();
    }
}
