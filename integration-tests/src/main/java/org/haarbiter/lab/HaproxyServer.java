package org.haarbiter.lab;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A real HAProxy on this machine. Threads: any. */
public final class HaproxyServer implements AutoCloseable {
    private final Path directory;
    private final ServerProcess process;

    /**
     * One that isn't started yet; throws when there is no HAProxy on this machine.
     *
     * @param directory everything goes there; it is made
     * @param configuration with one {@code stats socket} line, whose path is replaced by {@link #socket}
     */
    public HaproxyServer(Path directory, String configuration) throws IOException {
        this.directory = Files.createDirectories(directory).toAbsolutePath();
        Path file = this.directory.resolve("haproxy.cfg");
        String line = "stats socket " + socket();
        String own = configuration.replaceFirst("stats socket \\S+", line);
        if (!own.contains(line)) {
            throw new IllegalArgumentException("no line 'stats socket PATH' in the configuration:\n" + configuration);
        }
        Files.writeString(file, own);
        this.process = new ServerProcess(
                "haproxy",
                Host.here(),
                List.of(Servers.haproxy().path().toString(), "-db", "-f", file.toString()),
                this.directory.resolve("haproxy.log"));
    }

    private Path socket() {
        return directory.resolve("admin.sock");
    }

    /** Starts it and returns at once. */
    public void start() throws IOException {
        process.start();
    }

    /**
     * What it says of a backend's servers, by name: {@code UP}, {@code DOWN}, {@code UP 1/2} after a failed check, {@code DOWN 1/4} after a good
     * one, {@code no check}.
     *
     * @throws IOException where it can't be asked, or knows no such backend
     */
    public TreeMap<String, String> servers(String backend) throws IOException {
        TreeMap<String, String> states = new TreeMap<>();
        List<String> lines = ask("show stat").lines().toList();
        List<String> columns = List.of(lines.get(0).substring("# ".length()).split(",", -1));
        int status = columns.indexOf("status");
        for (String line : lines) {
            String[] fields = line.split(",", -1);
            boolean server = fields.length > status && !fields[1].equals("BACKEND") && !fields[1].equals("FRONTEND");
            if (server && fields[0].equals(backend)) {
                states.put(fields[1], fields[status]);
            }
        }
        if (states.isEmpty()) {
            throw new IOException("HAProxy has no backend '" + backend + "'");
        }
        return states;
    }

    /** The backend's servers to which it sends clients now. */
    public List<String> up(String backend) throws IOException {
        List<String> up = new ArrayList<>();
        servers(backend).forEach((server, state) -> {
            if (state.startsWith("UP")) {
                up.add(server);
            }
        });
        return up;
    }

    private String ask(String command) throws IOException {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket()));
            ByteBuffer asked = ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.US_ASCII));
            while (asked.hasRemaining()) {
                channel.write(asked);
            }
            return new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IOException(
                    "can't ask HAProxy '" + command + "' at " + socket() + ". Its log ends with:\n"
                            + process.lastWords(),
                    e);
        }
    }

    /** Kills it and waits for its end; the directory stays. */
    @Override
    public void close() throws IOException {
        process.close();
    }
}
