package org.haarbiter.agent.engine.mysql;

import org.jspecify.annotations.Nullable;

/**
 * Whether a replica's connection to its source is encrypted, where the agent sets such a connection up anew. Where it only
 * points an existing one to another source, everything else about it stays as it is.
 *
 * @param mode the choice
 * @param caFile a file that the server can read, with the certificates of those who may sign a source's; null but for
 *     {@link Mode#VERIFIED}
 */
public record ReplicationTls(Mode mode, @Nullable String caFile) {

    /** The choices. */
    public enum Mode {
        /**
         * What the server does when it isn't told: MySQL encrypts where the source offers it and checks nothing; it reads the
         * system's whole bundle of authorities at each connect, here 15 ms of a processor's time. MariaDB doesn't encrypt.
         */
        SERVER_DEFAULT,
        /** No encryption. */
        DISABLED,
        /** Encrypted, and the source's certificate must be signed by the authority in the file. */
        VERIFIED
    }

    /** No encryption. */
    public static final ReplicationTls NONE = new ReplicationTls(Mode.DISABLED, null);

    /** Checks that a file is there exactly where it is needed. */
    public ReplicationTls {
        if ((mode == Mode.VERIFIED) != (caFile != null)) {
            throw new IllegalArgumentException("replication-ca-file: " + caFile
                    + " (must be given with replication-tls: verified, and only with it)");
        }
    }

    /** The options of CHANGE REPLICATION SOURCE or CHANGE MASTER, with a leading comma; empty for the default. */
    String options(String prefix) {
        return switch (mode) {
            case SERVER_DEFAULT -> "";
            case DISABLED -> ", " + prefix + "_SSL=0";
            case VERIFIED ->
                ", " + prefix + "_SSL=1, " + prefix + "_SSL_CA=" + SqlEngine.quoted(String.valueOf(caFile));
        };
    }
}
