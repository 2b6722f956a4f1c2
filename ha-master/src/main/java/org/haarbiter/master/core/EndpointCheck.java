package org.haarbiter.master.core;

import org.jspecify.annotations.Nullable;

/**
 * How every master finds out whether an endpoint of a group can be used. Immutable.
 *
 * @param kind what has to succeed
 * @param port where, 1 to 65535
 * @param path what is asked for, of {@link Kind#HTTP} and {@link Kind#HTTPS}; empty otherwise
 * @param host the Host header and the name that a TLS server is asked for; empty for the endpoint's address
 * @param expectedStatus of the answer to HTTP, 100 to 599; 0 for any from 200 to 399
 * @param expectedBody what must stand in the first {@link #BODY_LIMIT_BYTES} of the answer to HTTP; empty for anything
 * @param trusted whether a TLS server's certificate must be of an authority that the master trusts, and for {@code host}
 * @param intervalMillis from one check of an endpoint to its next, give or take a tenth
 * @param timeoutMillis the longest that a check may take, connecting included; at most the interval
 * @param rise so many successes in a row make an endpoint healthy to a master
 * @param fall so many failures in a row make it unhealthy
 */
public record EndpointCheck(
        Kind kind,
        int port,
        String path,
        String host,
        int expectedStatus,
        String expectedBody,
        boolean trusted,
        int intervalMillis,
        int timeoutMillis,
        int rise,
        int fall) {

    /** So much of an answer is looked at. */
    public static final int BODY_LIMIT_BYTES = 64 * 1024;

    private static final int LEAST_INTERVAL_MILLIS = 200;
    private static final int MOST_INTERVAL_MILLIS = 3_600_000;
    private static final int LEAST_TIMEOUT_MILLIS = 50;
    private static final int MOST_COUNT = 100;
    private static final int LONGEST_TEXT = 1_000;
    private static final String PATH = "/[!-~]*";
    private static final String HOST = "[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?";

    /** What has to succeed. */
    public enum Kind {
        /** A connection is accepted. */
        TCP,
        /** A request is answered as expected. */
        HTTP,
        /** The same, over TLS. */
        HTTPS,
        /** A TLS handshake is completed. */
        TLS;

        /** It asks for a path. */
        public boolean asks() {
            return this == HTTP || this == HTTPS;
        }

        /** It begins with a TLS handshake. */
        public boolean encrypts() {
            return this == HTTPS || this == TLS;
        }
    }

    /** Why nothing can be checked so, as a sentence with the setting and its value; null where it can. */
    public @Nullable String problem() {
        if (port < 1 || port > 65_535) {
            return "port: " + port + " (must be 1 to 65535)";
        }
        if (kind.asks() ? !path.matches(PATH) || path.length() > LONGEST_TEXT : !path.isEmpty()) {
            return "path: '" + path + "' ("
                    + (kind.asks()
                            ? "must begin with / and hold no space, at most " + LONGEST_TEXT + " characters"
                            : "only a check of HTTP or HTTPS asks for one")
                    + ")";
        }
        if (kind.asks() ? expectedStatus != 0 && (expectedStatus < 100 || expectedStatus > 599) : expectedStatus != 0) {
            return "expected-status: " + expectedStatus + " ("
                    + (kind.asks() ? "must be 100 to 599" : "only a check of HTTP or HTTPS gets one")
                    + ")";
        }
        if (kind.asks() ? expectedBody.length() > LONGEST_TEXT : !expectedBody.isEmpty()) {
            return "expected-body: " + expectedBody.length() + " characters ("
                    + (kind.asks() ? "must be at most " + LONGEST_TEXT : "only a check of HTTP or HTTPS gets one")
                    + ")";
        }
        if (!host.isEmpty() && (kind == Kind.TCP || !host.matches(HOST))) {
            return "host: '" + host + "' ("
                    + (kind == Kind.TCP ? "a connection alone names nobody" : "must be a host name, without a port")
                    + ")";
        }
        if (trusted && (!kind.encrypts() || host.isEmpty())) {
            return "certificate: trusted ("
                    + (kind.encrypts()
                            ? "needs host: whose certificate should it be?"
                            : "only a check of HTTPS or TLS sees one")
                    + ")";
        }
        if (intervalMillis < LEAST_INTERVAL_MILLIS || intervalMillis > MOST_INTERVAL_MILLIS) {
            return "interval-millis: " + intervalMillis + " (must be " + LEAST_INTERVAL_MILLIS + " to "
                    + MOST_INTERVAL_MILLIS + ")";
        }
        if (timeoutMillis < LEAST_TIMEOUT_MILLIS || timeoutMillis > intervalMillis) {
            return "timeout-millis: " + timeoutMillis + " (must be " + LEAST_TIMEOUT_MILLIS + " to interval-millis, "
                    + intervalMillis + ": an endpoint is asked once at a time)";
        }
        if (rise < 1 || rise > MOST_COUNT) {
            return "rise: " + rise + " (must be 1 to " + MOST_COUNT + ")";
        }
        return fall < 1 || fall > MOST_COUNT ? "fall: " + fall + " (must be 1 to " + MOST_COUNT + ")" : null;
    }

    /** For people. */
    public String words() {
        return switch (kind) {
            case TCP -> "TCP port " + port;
            case TLS -> "TLS port " + port + (host.isEmpty() ? "" : " as " + host) + (trusted ? ", trusted" : "");
            case HTTP, HTTPS ->
                kind + " port " + port + " " + path + (host.isEmpty() ? "" : " of " + host) + ", status "
                        + (expectedStatus == 0 ? "200 to 399" : Integer.toString(expectedStatus))
                        + (expectedBody.isEmpty() ? "" : ", body with '" + expectedBody + "'")
                        + (trusted ? ", trusted" : "");
        };
    }
}
