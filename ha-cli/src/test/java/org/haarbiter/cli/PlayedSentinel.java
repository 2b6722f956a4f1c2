package org.haarbiter.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.haarbiter.words.Endpoint;

/** Answers as a Redis Sentinel does, with what a test says; in RESP2. */
final class PlayedSentinel implements AutoCloseable {

    /** What it tells of a group. */
    static final class Group {
        final Map<String, String> primary = new TreeMap<>();
        final List<Map<String, String>> replicas = new CopyOnWriteArrayList<>();
        final List<Endpoint> others = new CopyOnWriteArrayList<>();

        Group primary(String key, String value) {
            primary.put(key, value);
            return this;
        }

        /** A replica that is well. */
        Group replica(String address, String... keysAndValues) {
            Endpoint at = Endpoint.parse(address);
            Map<String, String> fields = new TreeMap<>(Map.of(
                    "name",
                    address,
                    "ip",
                    at.host(),
                    "port",
                    Integer.toString(at.port()),
                    "flags",
                    "slave",
                    "slave-priority",
                    "100",
                    "master-link-status",
                    "ok",
                    "master-host",
                    primary.getOrDefault("ip", "?"),
                    "master-port",
                    primary.getOrDefault("port", "0")));
            for (int i = 0; i < keysAndValues.length; i += 2) {
                fields.put(keysAndValues[i], keysAndValues[i + 1]);
            }
            replicas.add(fields);
            return this;
        }
    }

    final Map<String, Group> groups = new ConcurrentHashMap<>();

    /** What {@code AUTH} must say; empty for none. */
    volatile String password = "";

    /** What every command is answered with; empty for a Sentinel's answers. */
    volatile String always = "";

    private final ServerSocket server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());

    PlayedSentinel() throws IOException {
        Thread thread = new Thread(this::accept, "played-sentinel");
        thread.setDaemon(true);
        thread.start();
    }

    Endpoint address() {
        return new Endpoint("127.0.0.1", server.getLocalPort());
    }

    Group group(String name, String primary) {
        Endpoint at = Endpoint.parse(primary);
        Group group = new Group();
        group.primary("name", name)
                .primary("ip", at.host())
                .primary("port", Integer.toString(at.port()))
                .primary("flags", "master")
                .primary("quorum", "2")
                .primary("down-after-milliseconds", "1000")
                .primary("failover-timeout", "60000")
                .primary("parallel-syncs", "1");
        groups.put(name, group);
        return group;
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                Thread thread = new Thread(() -> serve(client), "played-sentinel-client");
                thread.setDaemon(true);
                thread.start();
            } catch (SocketException e) {
                return; // closed
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void serve(Socket client) {
        boolean known = password.isEmpty();
        try (client) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
            OutputStream out = client.getOutputStream();
            for (String head = in.readLine(); head != null; head = in.readLine()) {
                List<String> words = new ArrayList<>();
                for (int left = Integer.parseInt(head.substring(1)); left > 0; left--) {
                    in.readLine();
                    words.add(in.readLine());
                }
                String reply;
                if (!always.isEmpty()) {
                    reply = always;
                } else if (words.get(0).equalsIgnoreCase("AUTH")) {
                    known = words.get(words.size() - 1).equals(password);
                    reply = known ? "+OK\r\n" : "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
                } else {
                    reply = known ? reply(words) : "-NOAUTH Authentication required.\r\n";
                }
                out.write(reply.getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (SocketException e) {
            // The client is gone: the test sees what became of it.
            return;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String reply(List<String> words) {
        if (!words.get(0).equalsIgnoreCase("SENTINEL")) {
            return "+OK\r\n";
        }
        String asked = words.get(1).toLowerCase(Locale.ROOT);
        if (asked.equals("masters")) {
            return maps(
                    new TreeMap<>(groups).values().stream().map(g -> g.primary).toList());
        }
        Group group = groups.get(words.get(2));
        if (group == null) {
            return asked.equals("get-master-addr-by-name") ? "*-1\r\n" : "-ERR No such master with that name\r\n";
        }
        return switch (asked) {
            case "replicas" -> maps(group.replicas);
            case "sentinels" ->
                maps(group.others.stream()
                        .map(other -> Map.of(
                                "name",
                                other.toString(),
                                "ip",
                                other.host(),
                                "port",
                                Integer.toString(other.port()),
                                "flags",
                                "sentinel"))
                        .toList());
            default -> array(List.of(group.primary.getOrDefault("ip", ""), group.primary.getOrDefault("port", "")));
        };
    }

    private static String maps(List<? extends Map<String, String>> maps) {
        StringBuilder text = new StringBuilder("*" + maps.size() + "\r\n");
        for (Map<String, String> map : maps) {
            List<String> flat = new ArrayList<>();
            map.forEach((key, value) -> {
                flat.add(key);
                flat.add(value);
            });
            text.append(array(flat));
        }
        return text.toString();
    }

    private static String array(List<String> words) {
        StringBuilder text = new StringBuilder("*" + words.size() + "\r\n");
        for (String word : words) {
            int bytes = word.getBytes(StandardCharsets.UTF_8).length;
            text.append('$').append(bytes).append("\r\n").append(word).append("\r\n");
        }
        return text.toString();
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
