package org.haarbiter.dns.rfc2136;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;

/** A socket's input whose reads together keep to one limit; a plain read timeout would start anew with every byte. */
final class TimedInput extends InputStream {

    private final Socket socket;
    private final InputStream in;
    private final long deadlineNanos;

    TimedInput(Socket socket, long deadlineNanos) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.deadlineNanos = deadlineNanos;
    }

    @Override
    public int read() throws IOException {
        arm();
        return in.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        arm();
        return in.read(bytes, offset, length);
    }

    private void arm() throws IOException {
        long millis = (deadlineNanos - System.nanoTime() + 999_999) / 1_000_000;
        if (millis <= 0) {
            throw new SocketTimeoutException("the limit has passed");
        }
        socket.setSoTimeout((int) Math.min(millis, Integer.MAX_VALUE));
    }
}
