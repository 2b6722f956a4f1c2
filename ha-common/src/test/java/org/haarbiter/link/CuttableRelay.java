package org.haarbiter.link;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.haarbiter.words.Endpoint;

/** Stands between two ends and, once cut, swallows everything while both connections stay open: a host that vanished. */
final class CuttableRelay implements AutoCloseable {
    private final ServerSocket accepting;
    private final Endpoint to;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile boolean cut;

    CuttableRelay(Endpoint to) throws IOException {
        this.to = to;
        accepting = new ServerSocket(0, 50, InetAddress.getByName(Heard.HOST));
        daemon(this::accept);
    }

    Endpoint endpoint() {
        return new Endpoint(Heard.HOST, accepting.getLocalPort());
    }

    void cut() {
        cut = true;
    }

    private void accept() throws IOException {
        while (true) {
            Socket from = accepting.accept();
            sockets.add(from);
            if (!cut) {
                Socket behind = new Socket(to.host(), to.port());
                sockets.add(behind);
                daemon(() -> copy(from.getInputStream(), behind.getOutputStream()));
                daemon(() -> copy(behind.getInputStream(), from.getOutputStream()));
            }
        }
    }

    private void copy(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[4096];
        for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
            if (!cut) {
                out.write(buffer, 0, read);
            }
        }
    }

    @Override
    public void close() throws IOException {
        accepting.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void daemon(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // The test has closed the sockets: that is how these threads end.
                        Thread.currentThread().interrupt();
                    }
                },
                "relay");
        thread.setDaemon(true);
        thread.start();
    }
}
