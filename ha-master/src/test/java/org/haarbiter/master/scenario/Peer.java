package org.haarbiter.master.scenario;

import java.util.List;
import java.util.TreeMap;
import org.haarbiter.scenario.Line;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peering;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/** What a scripted agent will say of its server next. A setting stays until another line changes it. */
final class Peer {
    /** The words a script may set. */
    static final String SETTINGS =
            "state, detail, restart, agent, site, writable, source, receiving, heard, received, applied,"
                    + " sealed, fenced, open, attached, required, waiting, complete, electable, priority, engine, listens, remembered, promised,"
                    + " asked, rebuilding, surplus, elected, nodes";

    private final String group;
    private final String name;
    private long session = 1;
    private long sequence;
    private long acceptedTerm;
    private long acceptedEpoch;
    private long answered;
    private long lookAnswered;
    private int process = 1;
    private ServerState state = ServerState.RUNNING;
    private String detail = "";
    private String site;
    private PositionKind kind = PositionKind.MYSQL_GTID;
    private boolean writable;
    private @Nullable Endpoint source;
    private boolean receiving;
    private long sourceHeardMillis = -1;
    private String received = "a:1-100";
    private String applied = "";
    private long sealed;
    private long fenced;
    private long open;
    private int attached;
    private int required;
    private long waitingMillis;
    private boolean complete = true;
    private int priority = 100;
    private boolean listens;
    private List<String> list = List.of();
    private long remembered;
    private boolean promised;
    private long askedMillis = -1;
    private boolean rebuilding;
    private String surplus = "";
    private long elected;
    private List<String> nodes = List.of();

    /** @param name of a member; of one node of a cluster MEMBER/NODE */
    Peer(String group, String name) {
        this(group, name, "north");
    }

    Peer(String group, String name, String site) {
        this.group = group;
        this.name = name;
        this.site = site;
    }

    /** The member that it speaks for, or whose node it is beside. */
    String member() {
        return name.contains("/") ? name.substring(0, name.indexOf('/')) : name;
    }

    private @Nullable ClusterNode node() {
        if (!name.contains("/")) {
            return null;
        }
        TreeMap<String, Endpoint> known = new TreeMap<>();
        nodes.forEach(node -> known.put(node, new Endpoint(node + "." + member(), 9200)));
        return new ClusterNode(
                name.substring(name.indexOf('/') + 1),
                elected,
                "cluster-" + process + "-of-" + member(),
                known,
                List.of());
    }

    void died() {
        state = ServerState.DEAD;
        detail = "killed";
    }

    static Endpoint address(String member) {
        return new Endpoint(member, 3306);
    }

    void set(Line line, String setting, String value) {
        switch (setting) {
            case "state" -> {
                state = line.oneOf(ServerState.class, value, setting);
                detail = state == ServerState.RUNNING ? "" : "it is " + value;
            }
            case "detail" -> detail = value.replace('_', ' ');
            case "restart" -> {
                // A restarted server comes up fenced, under another process identity.
                process = line.number(value, "a process number");
                state = ServerState.RUNNING;
                detail = "";
                writable = false;
                receiving = false;
                open = 0;
                sealed = 0;
                fenced = 0;
            }
            case "agent" -> {
                session = line.number(value, "an agent's session");
                sequence = 0;
                acceptedTerm = 0;
                acceptedEpoch = 0;
                answered = 0;
                lookAnswered = 0;
            }
            case "site" -> site = value;
            case "engine" ->
                kind = switch (value) {
                    case "mysql" -> PositionKind.MYSQL_GTID;
                    case "mariadb" -> PositionKind.MARIADB_GTID;
                    case "redis" -> PositionKind.REPLICATION_OFFSET;
                    case "elasticsearch" -> PositionKind.STREAM_OFFSETS;
                    default ->
                        throw line.wrong("engine is '" + value + "' (must be mysql, mariadb, redis or elasticsearch)");
                };
            case "writable" -> writable = line.yesOrNo(value, setting);
            case "source" -> {
                source = value.equals("none") ? null : address(value);
                receiving = source != null;
                sourceHeardMillis = receiving ? 0 : -1;
            }
            case "receiving" -> receiving = line.yesOrNo(value, setting);
            case "heard" -> sourceHeardMillis = line.millis(value, "how long ago the source was heard");
            case "received" -> received = value;
            case "applied" -> applied = value;
            case "sealed" -> sealed = line.number(value, "an epoch");
            case "fenced" -> fenced = line.number(value, "an epoch");
            case "open" -> open = line.number(value, "an epoch");
            case "attached" -> attached = line.number(value, "a number of acknowledgers");
            case "required" -> required = line.number(value, "a number of acknowledgers");
            case "waiting" -> waitingMillis = line.millis(value, "how long commits have waited");
            case "complete" -> complete = line.yesOrNo(value, setting);
            case "listens" -> listens = line.yesOrNo(value, setting);
            case "remembered" -> remembered = line.number(value, "an epoch");
            case "promised" -> promised = line.yesOrNo(value, setting);
            case "rebuilding" -> rebuilding = line.yesOrNo(value, setting);
            case "surplus" -> surplus = value.replace('_', ' ');
            case "elected" -> elected = line.number(value, "a term; 0 for another node");
            case "nodes" -> nodes = List.of(value.split(",", -1));
            case "asked" -> askedMillis = line.millis(value, "how long ago the primary's agent asked");
            case "electable" -> priority = line.yesOrNo(value, setting) ? 100 : 0;
            case "priority" -> priority = Math.toIntExact(line.number(value, "a priority"));
            default -> throw line.wrong("unknown setting '" + setting + "' (known: " + SETTINGS + ")");
        }
    }

    /** The agent has converged to its goal. */
    void obey(Goal goal) {
        switch (goal.role()) {
            case OBSERVE -> {}
            case PRIMARY -> {
                open = goal.epoch();
                writable = true;
                sealed = 0;
                fenced = 0;
                source = null;
                receiving = false;
                sourceHeardMillis = -1;
                required = goal.acknowledgers();
                complete = true;
            }
            case REPLICA -> {
                open = 0;
                writable = false;
                sealed = 0;
                fenced = 0;
                source = goal.source();
                receiving = true;
                sourceHeardMillis = 0;
            }
            case SEALED -> {
                sealed = goal.epoch();
                receiving = false;
            }
            case FENCED, REBUILT -> {
                fenced = goal.epoch();
                sealed = goal.epoch();
                open = 0;
                writable = false;
                receiving = false;
            }
            case DRAINED -> {
                fenced = goal.epoch();
                open = 0;
                writable = false;
            }
        }
    }

    /** The leader has answered the last heartbeat; the agent looks at its server before the next one. */
    void answered(Goal goal) {
        if (goal.term() < acceptedTerm || goal.epoch() < acceptedEpoch) {
            return;
        }
        if (goal.term() != acceptedTerm) {
            lookAnswered = 0;
        }
        acceptedTerm = goal.term();
        acceptedEpoch = goal.epoch();
        list = goal.peers().names();
        answered = sequence;
    }

    Heartbeat heartbeat() {
        if (state == ServerState.RUNNING && acceptedTerm > 0) {
            lookAnswered = answered;
        }
        sequence++;
        return new Heartbeat(
                session,
                sequence,
                lookAnswered,
                new Sighting(
                        group,
                        member(),
                        site,
                        switch (kind) {
                            case MYSQL_GTID -> "mysql";
                            case MARIADB_GTID -> "mariadb";
                            case REPLICATION_OFFSET -> "redis";
                            case STREAM_OFFSETS -> "elasticsearch";
                        },
                        kind,
                        address(member()),
                        state,
                        detail,
                        "process-" + process + "-of-" + name,
                        "server-of-" + member(),
                        "1",
                        writable,
                        source,
                        receiving,
                        true,
                        Letters.spell(received),
                        Letters.spell(applied.isEmpty() ? received : applied),
                        0,
                        sourceHeardMillis,
                        acceptedTerm,
                        acceptedEpoch,
                        sealed,
                        fenced,
                        open,
                        attached,
                        required,
                        waitingMillis,
                        complete,
                        priority,
                        peering(),
                        rebuilding,
                        surplus,
                        Guard.NONE,
                        node(),
                        List.of()));
    }

    private Peering peering() {
        return listens
                ? new Peering(new Endpoint(member(), 7401), list, remembered, promised, askedMillis)
                : Peering.NONE;
    }
}
