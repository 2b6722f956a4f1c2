package org.haarbiter.agent.scenario;

import java.util.List;
import java.util.TreeMap;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.scenario.Line;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/** What the engine sees of the scripted server. A setting stays until another line changes it. */
final class Server {
    private static final String SETTINGS = "state, detail, instance, writable, source, receiving, applying, received,"
            + " applied, attached, required, elected, lag, began";

    private ServerState state = ServerState.RUNNING;
    private String detail = "";
    private int process = 1;
    private boolean writable;
    private @Nullable Endpoint source;
    private boolean receiving;
    private boolean applying = true;
    private String received = "0-1-100";
    private String applied = "";
    private int attached;
    private int required;
    private boolean acknowledging;
    private long lagMillis;
    private boolean rebuilding;
    private @Nullable ClusterNode node;

    String instance() {
        return "process-" + process;
    }

    void set(Line line, String setting, String value) {
        switch (setting) {
            case "state" -> {
                state = line.oneOf(ServerState.class, value, setting);
                detail = "";
            }
            case "detail" -> detail = value.replace('_', ' ');
            case "instance" -> process = line.number(value, "a process number");
            case "writable" -> writable = line.yesOrNo(value, setting);
            case "source" -> {
                source = value.equals("none") ? null : address(value);
                receiving = source != null;
            }
            case "receiving" -> receiving = line.yesOrNo(value, setting);
            case "applying" -> applying = line.yesOrNo(value, setting);
            case "received" -> received = value;
            case "applied" -> applied = value;
            case "rebuilding" -> rebuilding = line.yesOrNo(value, setting);
            case "attached" -> attached = line.number(value, "a number of acknowledgers");
            case "acknowledging" -> acknowledging = line.yesOrNo(value, setting);
            case "elected" ->
                node = new ClusterNode(
                        "n1", line.number(value, "a term; 0 for another node"), "c", new TreeMap<>(), List.of());
            case "lag" -> lagMillis = value.equals("unknown") ? -1 : line.number(value, "a time in ms, or unknown");
            case "required" -> required = line.number(value, "a number of acknowledgers");
            default -> throw line.wrong("unknown setting '" + setting + "' (known: " + SETTINGS + ")");
        }
    }

    static Endpoint address(String member) {
        return new Endpoint(member, 3306);
    }

    Observation look() {
        return new Observation(
                state,
                detail,
                instance(),
                "server-of-db1",
                "1",
                writable,
                source,
                receiving,
                applying,
                received,
                applied.isEmpty() ? received : applied,
                lagMillis,
                receiving ? 0 : -1,
                attached,
                required,
                acknowledging,
                -1,
                List.of(),
                rebuilding,
                Observation.USUAL_PRIORITY,
                node);
    }
}
