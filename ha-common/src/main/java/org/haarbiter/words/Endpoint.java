package org.haarbiter.words;

/**
 * Where a server listens: a host name or literal address, and a port.
 *
 * @param host host name, IPv4 or IPv6 literal (without brackets); never empty
 * @param port 1 to 65535
 */
public record Endpoint(String host, int port) implements Comparable<Endpoint> {

    /** Checks both parts; throws {@link IllegalArgumentException} with the offending value. */
    public Endpoint {
        if (host.isBlank()) {
            throw new IllegalArgumentException("host: empty (must be a host name or an address)");
        }
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("port: " + port + " (must be 1 to 65535)");
        }
    }

    /**
     * Reads {@code host:port} or {@code [v6]:port}.
     *
     * @throws IllegalArgumentException naming the text and what was expected
     */
    public static Endpoint parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon <= 0 || colon == text.length() - 1) {
            throw new IllegalArgumentException("'" + text + "' (must be HOST:PORT)");
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new IllegalArgumentException("'" + text + "' (an IPv6 address must be written [ADDRESS]:PORT)");
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' (the port must be a number, 1 to 65535)", e);
        }
        return new Endpoint(host, port);
    }

    @Override
    public int compareTo(Endpoint other) {
        int byHost = host.compareTo(other.host);
        return byHost != 0 ? byHost : Integer.compare(port, other.port);
    }

    /**
     * Whether only this machine reaches it, by its looks: a name's addresses may be other ones tomorrow. No getter by its name: those
     * are written into the log.
     */
    public boolean onLoopback() {
        return host.matches("127(\\.\\d{1,3}){3}|::1|localhost");
    }

    /** {@code host:port}, with brackets round an IPv6 address; {@link #parse} reads it back. */
    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
