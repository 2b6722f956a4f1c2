package org.haarbiter.agent.engine.redis;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * A connection on which one can wait for an answer to begin, give up and wait again later: to Jedis a read that has timed out is
 * the end of the connection, but a server that stood still goes on and answers what it was asked before. One thread at a time.
 */
final class AnswerSocket extends Socket {
    private static final int BUFFER_BYTES = 16 * 1024;

    private final Socket socket;
    private final Input input;
    private volatile long deadlineNanos;

    /** @param tls null for a plain connection */
    AnswerSocket(Endpoint to, @Nullable SSLContext tls, boolean verifyHost, long deadlineNanos) throws IOException {
        this.deadlineNanos = deadlineNanos;
        Socket plain = new Socket();
        try {
            plain.setTcpNoDelay(true);
            plain.setKeepAlive(true);
            plain.connect(new InetSocketAddress(to.host(), to.port()), leftMillis());
            plain.setSoTimeout(leftMillis());
            socket = tls == null ? plain : secured(plain, to, tls, verifyHost);
            input = new Input(socket.getInputStream());
        } catch (IOException e) {
            plain.close();
            throw e;
        }
    }

    private static Socket secured(Socket plain, Endpoint to, SSLContext tls, boolean verifyHost) throws IOException {
        SSLSocket secured = (SSLSocket) tls.getSocketFactory().createSocket(plain, to.host(), to.port(), true);
        SSLParameters parameters = secured.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        if (verifyHost) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        return secured;
    }

    /** Reads wait until then, by {@link System#nanoTime}. */
    void until(long nanos) {
        deadlineNanos = nanos;
    }

    /** Waits until there is something to read; false where the time is over. */
    boolean awaitInput() throws IOException {
        return input.fill();
    }

    private int leftMillis() {
        long left = deadlineNanos - System.nanoTime();
        return (int) Math.max(1, Math.min(60_000, (left + 999_999) / 1_000_000));
    }

    private final class Input extends InputStream {
        private final InputStream in;
        private final byte[] buffer = new byte[BUFFER_BYTES];
        private int position;
        private int limit;

        Input(InputStream in) {
            this.in = in;
        }

        boolean fill() throws IOException {
            if (position < limit) {
                return true;
            }
            socket.setSoTimeout(leftMillis());
            try {
                int count = in.read(buffer);
                if (count < 0) {
                    throw new EOFException("the server ended the connection");
                }
                position = 0;
                limit = count;
                return true;
            } catch (SocketTimeoutException e) {
                return false;
            }
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (!fill()) {
                throw new SocketTimeoutException("the rest of an answer didn't come in time");
            }
            // No more than a line: Jedis has a buffer of its own, and what it took of the next answer wouldn't be seen
            // here.
            int end = position + 1;
            while (end < limit && buffer[end - 1] != '\n') {
                end++;
            }
            int count = Math.min(length, end - position);
            System.arraycopy(buffer, position, into, offset, count);
            position += count;
            return count;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            read(one, 0, 1);
            return one[0] & 0xff;
        }

        @Override
        public int available() {
            return limit - position;
        }
    }

    @Override
    public InputStream getInputStream() {
        return input;
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        return socket.getOutputStream();
    }

    /** Each wait has its own limit: {@link #until}. */
    @Override
    public synchronized void setSoTimeout(int millis) {}

    @Override
    public synchronized int getSoTimeout() {
        return 0;
    }

    @Override
    public boolean isConnected() {
        return socket.isConnected();
    }

    @Override
    public boolean isBound() {
        return socket.isBound();
    }

    @Override
    public boolean isClosed() {
        return socket.isClosed();
    }

    @Override
    public boolean isInputShutdown() {
        return socket.isInputShutdown();
    }

    @Override
    public boolean isOutputShutdown() {
        return socket.isOutputShutdown();
    }

    @Override
    public synchronized void close() throws IOException {
        socket.close();
    }
}
