package org.haarbiter.link;

import java.util.regex.Pattern;
import org.haarbiter.settings.Section;

/**
 * Which names in a certificate make its owner a master, or the agent of a member. One authority issues the certificates of all,
 * so without such names an agent's stolen key would do for a master.
 *
 * @param agent what the certificate of a member's agent must have among its names, with {@code {group}} and {@code {member}}
 * @param master what a master's must have, with {@code {name}} for any name
 */
public record PeerRules(String agent, String master) {
    /** As {@code scripts/make-certs.sh} writes them. */
    public static final PeerRules USUAL =
            new PeerRules("ha-arbiter://agent/{group}/{member}", "ha-arbiter://master/{name}");

    private static final Pattern AGENT = Pattern.compile("(?=.*\\{group})(?=.*\\{member})\\S{1,200}");
    private static final Pattern MASTER = Pattern.compile("\\S{1,200}");
    private static final String ANY_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";

    /** Reads them from the section {@code tls}. */
    static PeerRules read(Section section) {
        return new PeerRules(
                section.string("agent-name", USUAL.agent(), AGENT, "a name with {group} and {member} in it"),
                section.string("master-name", USUAL.master(), MASTER, "a name, with {name} for what differs"));
    }

    /** The name that the certificate of this member's agent must have. */
    public String agentName(String group, String member) {
        // One pass: a group can't be named so that its name is filled in a second time.
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < agent.length(); i++) {
            if (agent.startsWith("{group}", i)) {
                name.append(group);
                i += "{group}".length() - 1;
            } else if (agent.startsWith("{member}", i)) {
                name.append(member);
                i += "{member}".length() - 1;
            } else {
                name.append(agent.charAt(i));
            }
        }
        return name.toString();
    }

    /** Whether one of these is the name of some member's agent. */
    public boolean anyAgent(CertificateNames names) {
        String anyName = "\\E" + ANY_NAME + "\\Q";
        Pattern pattern = Pattern.compile("\\Q" + agentName(anyName, anyName) + "\\E");
        return names.names().stream().anyMatch(name -> pattern.matcher(name).matches());
    }

    /** The agent of this member and no other. */
    public PeerCheck agentOf(String group, String member) {
        String wanted = agentName(group, member);
        return names -> names.names().contains(wanted)
                ? null
                : "its certificate is that of " + names + " (must name " + wanted
                        + ": an agent speaks for its own member" + " only)";
    }

    /** Any master. */
    public PeerCheck anyMaster() {
        int hole = master.indexOf("{name}");
        Pattern wanted = Pattern.compile(
                hole < 0
                        ? Pattern.quote(master)
                        : Pattern.quote(master.substring(0, hole))
                                + ANY_NAME
                                + Pattern.quote(master.substring(hole + "{name}".length())));
        return names ->
                names.names().stream().anyMatch(name -> wanted.matcher(name).matches())
                        ? null
                        : "its certificate is that of " + names + " (must name a master: " + master + ")";
    }
}
