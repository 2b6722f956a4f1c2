package org.haarbiter.agent.engine.mysql;

import java.nio.file.Path;
import org.haarbiter.link.TlsSettings;
import org.jspecify.annotations.Nullable;

/**
 * What is needed to keep a former primary's surplus and to replace a server's data.
 *
 * @param stateDirectory the agent's own, where it notes that a rebuild is under way
 * @param toolsDirectory where the server's programs are looked for before PATH; null for PATH alone
 * @param stopCommand a shell command that stops the server and keeps it stopped; null where there is none
 * @param startCommand a shell command that starts the server; null where there is none
 * @param copyPort where the agents of MariaDB servers hand out copies, each at its server's host; 0 for nowhere
 * @param tls for these copies; null for plain connections
 */
public record RebuildSettings(
        Path stateDirectory,
        @Nullable Path toolsDirectory,
        @Nullable String stopCommand,
        @Nullable String startCommand,
        int copyPort,
        @Nullable TlsSettings tls) {}
