package org.haarbiter.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.haarbiter.settings.Section;
import org.haarbiter.words.Endpoint;

/** The settings of the agents of imported groups, one file each: {@code DIR/GROUP/HOST-PORT/ha-agent.yaml}. */
final class AgentFiles {
    private static final int FIRST_AGENT_PORT = 7401;
    private static final String NAME = "ha-agent.yaml";

    /** One agent's file. */
    private record AgentFile(String group, Path path, String text) {}

    private final List<AgentFile> files = new ArrayList<>();

    /**
     * Plans the files; writes nothing.
     *
     * @param masters where the masters listen for agents; empty where that isn't known
     * @throws CliException where a file is there already, or an address can't be part of a file's name
     */
    AgentFiles(Path directory, List<ImportedGroup> groups, List<String> masters, String profile, String site)
            throws CliException {
        Map<String, Integer> agentsOfHosts = new TreeMap<>();
        for (ImportedGroup group : groups) {
            for (String address : group.expected().members()) {
                Endpoint server = Endpoint.parse(address);
                int agents = agentsOfHosts.merge(server.host(), 1, Integer::sum);
                String member = member(server);
                Path path = directory.resolve(group.name()).resolve(member).resolve(NAME);
                if (Files.exists(path)) {
                    throw new CliException(
                            ExitCode.USAGE,
                            "--agents: " + path
                                    + " is there already (must be a directory without it; nothing was written)");
                }
                files.add(
                        new AgentFile(group.name(), path, text(group, server, member, agents, masters, profile, site)));
            }
        }
    }

    /** Its address, in a form that can be a member's name and a directory's. */
    private static String member(Endpoint server) throws CliException {
        String name = (server.host() + "-" + server.port()).replace(':', '-').replaceFirst("^-+", "");
        if (!Section.NAME.matcher(name).matches()) {
            throw new CliException(
                    ExitCode.USAGE,
                    "--agents: " + server + " can't be a member's name (write this agent's settings by hand, after"
                            + " conf/ha-agent-redis.yaml)");
        }
        return name;
    }

    private static String text(
            ImportedGroup group,
            Endpoint server,
            String member,
            int agents,
            List<String> masters,
            String profile,
            String site) {
        Endpoint agent = new Endpoint(server.host(), FIRST_AGENT_PORT - 1 + agents);
        // Agents that share a host must not share a state directory.
        String state = "/var/lib/ha-arbiter/agent" + (agents == 1 ? "" : "/" + group.name() + "-" + member);
        return """
                # Written by hactl import sentinel. Every key there is: conf/ha-agent.yaml and conf/ha-agent-redis.yaml.

                group: %s
                member: %s
                site: %s                     # the data centre: change it where there is more than one
                address: %s
                agent-address: %s   # where the agents of the group's other members reach this one

                masters: %s
                state-directory: %s

                timing: {profile: %s}      # must be the same as the masters'

                engine: redis
                server:
                  credentials-file: /etc/ha-arbiter/agent-credentials.yaml   # 'user:' and 'password:', readable by its owner only
                  # socket: /run/redis/redis-server.sock   # its 'unixsocket': the process is found by it
                """.formatted(
                        ImportedGroup.quoted(group.name()),
                        ImportedGroup.quoted(member),
                        site,
                        ImportedGroup.quoted(server.toString()),
                        ImportedGroup.quoted(agent.toString()),
                        masters.isEmpty()
                                ? "[]   # fill in: every master's 'agents' address"
                                : "["
                                        + String.join(
                                                ", ",
                                                masters.stream()
                                                        .map(ImportedGroup::quoted)
                                                        .toList()) + "]",
                        state,
                        profile);
    }

    /**
     * Writes them.
     *
     * @param without groups whose agents need none
     * @return their paths
     * @throws CliException where one can't be written; those before it are there then
     */
    List<String> write(List<String> without) throws CliException {
        List<String> written = new ArrayList<>();
        for (AgentFile file : files) {
            if (without.contains(file.group())) {
                continue;
            }
            try {
                Files.createDirectories(file.path().getParent());
                Files.writeString(
                        file.path(),
                        file.text(),
                        StandardCharsets.UTF_8,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE);
            } catch (IOException e) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--agents: " + file.path() + " can't be written: " + e
                                + (written.isEmpty() ? "" : "; written were " + String.join(", ", written)));
            }
            written.add(file.path().toString());
        }
        return written;
    }
}
