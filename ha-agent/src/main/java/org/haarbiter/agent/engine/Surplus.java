package org.haarbiter.agent.engine;

import java.nio.file.Path;

/**
 * Transactions that only a former primary held, saved.
 *
 * @param file where they are, as SQL with every row as a comment, on Redis a snapshot of all that the server holds with a text beside
 *     it that says what it is; readable by its owner only
 * @param positions which they are, in the engine's own form: on MySQL a GTID set, on MariaDB the first and the last GTID of each
 *     domain, as {@code 0-1-101..0-1-140}, on Redis the part of the history
 * @param transactions how many; at least 1; on Redis bytes of the replication stream
 * @param bytes size of the file
 */
public record Surplus(Path file, String positions, long transactions, long bytes) {}
