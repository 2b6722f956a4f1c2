package org.haarbiter.master.admin;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.haarbiter.admin.EventView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Group;
import org.jspecify.annotations.Nullable;

/** Puts the lines of the switch log together to switches: one for each epoch of a group. */
final class SwitchLog {
    private static final String MICROS = "_micros";
    private static final String SAW = "saw_";

    private record Key(String group, long epoch) {}

    private SwitchLog() {}

    static LogView of(ClusterState state, MasterFacts facts, AdminBackend.LogQuery query) throws AdminException {
        String wanted = query.group();
        if (wanted != null
                && state.group(wanted) == null
                && !state.endpoints().containsKey(wanted)
                && state.recent().stream().noneMatch(e -> e.group().equals(wanted))) {
            throw Views.noGroup(wanted, state.groups().keySet());
        }
        Map<Key, List<AuditEvent>> steps = new LinkedHashMap<>();
        List<AuditEvent> others = new ArrayList<>();
        for (AuditEvent event : state.recent()) {
            boolean otherGroup = wanted != null && !event.group().equals(wanted);
            boolean otherEpoch = query.epoch() != 0 && event.epoch() != query.epoch();
            if (otherGroup || otherEpoch || event.index() <= query.afterIndex()) {
                continue;
            }
            if (isStep(event)) {
                steps.computeIfAbsent(new Key(event.group(), event.epoch()), k -> new ArrayList<>())
                        .add(event);
            } else {
                others.add(event);
            }
        }
        steps.values().removeIf(events -> events.get(0).wallMillis() < query.sinceWallMillis());
        others.removeIf(event -> event.wallMillis() < query.sinceWallMillis());
        List<SwitchView> switches = new ArrayList<>();
        steps.forEach((key, events) -> switches.add(one(state, facts, key, events)));
        // By their first entries, so that two groups' switches of one storm stand in the order in which they began.
        Collections.reverse(switches);
        Collections.reverse(others);
        boolean more = switches.size() > query.limit();
        List<SwitchView> kept = switches.subList(0, Math.min(switches.size(), query.limit()));
        long oldest = more ? kept.get(kept.size() - 1).events().get(0).index() : 0;
        List<EventView> events = others.stream()
                .filter(e -> e.index() >= oldest)
                .limit(query.limit())
                .map(SwitchLog::event)
                .toList();
        return new LogView(wanted == null ? "" : wanted, kept, events, more);
    }

    private static boolean isStep(AuditEvent event) {
        return switch (event.kind()) {
            case "group-adopted",
                    "switch-started",
                    "candidate-chosen",
                    "switch-completed",
                    "switch-abandoned",
                    "names-published" -> true;
            default -> false;
        };
    }

    private static SwitchView one(ClusterState state, MasterFacts facts, Key key, List<AuditEvent> events) {
        AuditEvent first = events.get(0);
        AuditEvent started = find(events, "switch-started");
        AuditEvent adopted = find(events, "group-adopted");
        AuditEvent chosen = find(events, "candidate-chosen");
        AuditEvent completed = find(events, "switch-completed");
        boolean abandoned = find(events, "switch-abandoned") != null;
        Group group = state.group(key.group());
        boolean present = group != null && group.epoch() == key.epoch();
        String from = detail(started, "from");
        String to = detail(chosen, "candidate");
        if (abandoned) {
            to = from;
        } else if (to.isEmpty() && adopted != null && group != null && present) {
            to = group.primary();
        }
        TreeMap<String, Double> phases = new TreeMap<>();
        TreeMap<String, String> evidence = new TreeMap<>();
        for (AuditEvent event : events) {
            event.details().forEach((name, value) -> {
                if (name.endsWith(MICROS)) {
                    phases.put(name.substring(0, name.length() - MICROS.length()), Long.parseLong(value) / 1_000.0);
                }
            });
        }
        if (started != null) {
            started.details().forEach((name, value) -> {
                if (name.startsWith(SAW)) {
                    evidence.put(name.substring(SAW.length()), value);
                }
            });
        }
        AuditEvent beginning = started != null ? started : adopted;
        return new SwitchView(
                key.group(),
                key.epoch(),
                kind(started, adopted, abandoned),
                outcome(abandoned, completed, present),
                detail(started, "trigger"),
                from,
                to,
                beginning == null ? "" : beginning.by(),
                started != null ? started.text() : detail(adopted, "evidence"),
                detail(started, "accept_data_loss").equals("true"),
                detail(chosen, "proof"),
                detail(chosen, "up_to"),
                first.wallMillis(),
                completed == null ? -1 : Math.max(0, completed.wallMillis() - first.wallMillis()),
                names(facts, group, present, find(events, "names-published") != null),
                phases,
                evidence,
                events.stream().map(SwitchLog::event).toList());
    }

    private static String kind(@Nullable AuditEvent started, @Nullable AuditEvent adopted, boolean abandoned) {
        if (adopted != null) {
            return "adoption";
        }
        if (started == null) {
            return "unknown";
        }
        // Only a planned switch is ever abandoned.
        if (abandoned || detail(started, "planned").equals("true")) {
            return "switchover";
        }
        return detail(started, "trigger").equals("MANUAL") ? "manual" : "failover";
    }

    private static String outcome(boolean abandoned, @Nullable AuditEvent completed, boolean present) {
        if (abandoned) {
            return "abandoned";
        }
        if (completed != null) {
            return "completed";
        }
        return present ? "under-way" : "superseded";
    }

    private static String names(MasterFacts facts, @Nullable Group group, boolean present, boolean published) {
        if (published) {
            return "served";
        }
        boolean kept =
                group != null && (group.publishedEpoch() > 0 || facts.names().containsKey(group.name()));
        return kept && present ? "pending" : "none";
    }

    private static @Nullable AuditEvent find(List<AuditEvent> events, String kind) {
        return events.stream().filter(e -> e.kind().equals(kind)).findFirst().orElse(null);
    }

    private static String detail(@Nullable AuditEvent event, String name) {
        return event == null ? "" : event.details().getOrDefault(name, "");
    }

    private static EventView event(AuditEvent event) {
        return new EventView(
                event.index(),
                event.wallMillis(),
                event.group(),
                event.epoch(),
                event.kind(),
                event.by(),
                event.text(),
                event.details());
    }
}
