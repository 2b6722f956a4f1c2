package org.haarbiter.master.codec;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Phase;

/**
 * Entries, snapshots and lines of the switch log as JSON. Kinds have names of their own, so that a class may be renamed
 * without an old log becoming unreadable; what isn't known is refused, never skipped. Thread-safe.
 */
public final class StateCodec {

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
    private interface Kind {}

    private static final Map<String, Class<? extends Entry>> ENTRIES = Map.ofEntries(
            Map.entry("group-adopted", Entry.GroupAdopted.class),
            Map.entry("group-expected", Entry.GroupExpected.class),
            Map.entry("group-forgotten", Entry.GroupForgotten.class),
            Map.entry("member-joined", Entry.MemberJoined.class),
            Map.entry("member-away", Entry.MemberAway.class),
            Map.entry("acknowledgers-changed", Entry.AcknowledgersChanged.class),
            Map.entry("degraded", Entry.Degraded.class),
            Map.entry("policy-changed", Entry.PolicyChanged.class),
            Map.entry("rebuild-started", Entry.RebuildStarted.class),
            Map.entry("peers-changed", Entry.PeersChanged.class),
            Map.entry("switch-started", Entry.SwitchStarted.class),
            Map.entry("preparation-started", Entry.PreparationStarted.class),
            Map.entry("preparation-ended", Entry.PreparationEnded.class),
            Map.entry("candidate-chosen", Entry.CandidateChosen.class),
            Map.entry("switch-completed", Entry.SwitchCompleted.class),
            Map.entry("switch-abandoned", Entry.SwitchAbandoned.class),
            Map.entry("names-published", Entry.NamesPublished.class),
            Map.entry("failovers-acknowledged", Entry.FailoversAcknowledged.class),
            Map.entry("class-set", Entry.ClassSet.class),
            Map.entry("serving-changed", Entry.ServingChanged.class),
            Map.entry("records-set", Entry.RecordsSet.class),
            Map.entry("endpoints-set", Entry.EndpointGroupSet.class),
            Map.entry("endpoints-removed", Entry.EndpointGroupRemoved.class),
            Map.entry("endpoints-judged", Entry.EndpointsJudged.class),
            Map.entry("endpoint-ordered", Entry.EndpointOrdered.class),
            Map.entry("endpoint-names-gone", Entry.EndpointNamesGone.class),
            Map.entry("class-forgotten", Entry.ClassForgotten.class),
            Map.entry("paused", Entry.Paused.class),
            Map.entry("resumed", Entry.Resumed.class),
            Map.entry("master-changed", Entry.MasterChanged.class));

    private static final Map<String, Class<? extends Phase>> PHASES = Map.of(
            "steady", Phase.Steady.class,
            "sealing", Phase.Sealing.class,
            "preparing", Phase.Preparing.class,
            "draining", Phase.Draining.class,
            "promoting", Phase.Promoting.class);

    private static final String KIND = "kind";
    private static final String PAUSED = "paused";
    private static final String FOR_MILLIS = "forMillis";
    private static final String UNTIL_MILLIS = "untilMillis";
    private static final String EXPECTED = "expected";
    private static final String CLASSES = "classes";
    private static final String SERVING = "serving";
    private static final String RECORDS = "records";
    private static final String ENDPOINTS = "endpoints";
    private static final String FORMER_ENDPOINTS = "formerEndpoints";
    private static final String NAMES_INDEX = "namesIndex";

    private final ObjectMapper json;

    /** Ready to use. */
    public StateCodec() {
        json = JsonMapper.builder()
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
                .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
                .addMixIn(Entry.class, Kind.class)
                .addMixIn(Phase.class, Kind.class)
                .build();
        ENTRIES.forEach((name, type) -> json.registerSubtypes(new NamedType(type, name)));
        PHASES.forEach((name, type) -> json.registerSubtypes(new NamedType(type, name)));
    }

    /** An entry for the log. */
    public byte[] entry(Entry entry) {
        return write(json.writerFor(Entry.class), entry);
    }

    /**
     * An entry from the log.
     *
     * @throws IOException where the bytes aren't an entry that this version knows; the node must stop
     */
    public Entry entry(byte[] bytes) throws IOException {
        JsonNode root = json.readTree(bytes);
        if (root instanceof ObjectNode written
                && PAUSED.equals(written.path(KIND).textValue())
                && !written.has(FOR_MILLIS)) {
            // Written before a pause could end by itself.
            written.put(FOR_MILLIS, 0);
        }
        return json.treeToValue(root, Entry.class);
    }

    /** The whole state. */
    public byte[] state(ClusterState state) {
        return write(json.writer(), state);
    }

    /**
     * The whole state from a snapshot.
     *
     * @throws IOException where the bytes aren't a state that this version knows; the node must stop
     */
    public ClusterState state(byte[] bytes) throws IOException {
        JsonNode root = json.readTree(bytes);
        if (root instanceof ObjectNode snapshot && !snapshot.has(EXPECTED)) {
            // Written before groups could be expected.
            snapshot.putObject(EXPECTED);
        }
        if (root instanceof ObjectNode snapshot && !snapshot.has(NAMES_INDEX)) {
            // Written before the zone followed from the log alone.
            snapshot.put(NAMES_INDEX, 0);
            snapshot.putObject(RECORDS);
        }
        if (root instanceof ObjectNode snapshot && !snapshot.has(ENDPOINTS)) {
            // Written before there were endpoints.
            snapshot.putObject(ENDPOINTS);
            snapshot.putObject(FORMER_ENDPOINTS);
        }
        endless(root.path("fleetPause"));
        for (JsonNode group : root.path("groups")) {
            endless(group.path("pause"));
            if (group instanceof ObjectNode written && !written.has(CLASSES)) {
                // Written before groups could have traffic classes.
                written.putObject(CLASSES);
            }
            if (group instanceof ObjectNode written && !written.has(SERVING)) {
                // Written before the log knew who is well: nobody is left out on a guess.
                ObjectNode serving = written.putObject(SERVING);
                ArrayNode well = serving.putArray("well");
                written.path("members").fieldNames().forEachRemaining(well::add);
                serving.putObject("hosts");
            }
        }
        return json.treeToValue(root, ClusterState.class);
    }

    /** A pause that was written before one could end by itself. */
    private static void endless(JsonNode pause) {
        if (pause instanceof ObjectNode written && !written.has(UNTIL_MILLIS)) {
            written.put(UNTIL_MILLIS, 0);
        }
    }

    /** One line of the switch log, without a line end. */
    public String line(AuditEvent event) {
        return new String(write(json.writer(), event), StandardCharsets.UTF_8);
    }

    /**
     * A line of the switch log.
     *
     * @throws IOException where it isn't one
     */
    public AuditEvent line(String line) throws IOException {
        return json.readValue(line, AuditEvent.class);
    }

    private static byte[] write(com.fasterxml.jackson.databind.ObjectWriter writer, Object value) {
        try {
            return writer.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("can't be written as JSON: " + value, e);
        }
    }
}
