package org.haarbiter.sim;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.EndpointReport;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.endpoints.RiseAndFall;
import org.jspecify.annotations.Nullable;

/** Addresses that aren't databases, which come and go, the masters' checks of them, and a person who drains and holds them. */
final class SimEndpoints {
    private static final String GROUP = "web";
    private static final int INTERVAL_MILLIS = 300;
    private static final EndpointCheck CHECK =
            new EndpointCheck(EndpointCheck.Kind.TCP, 443, "", "", 0, "", false, INTERVAL_MILLIS, 200, 2, 2);

    /** A master says nothing of what it hasn't looked at for so long. */
    private static final long SILENT_NANOS = 3L * INTERVAL_MILLIS * 1_000_000;

    /** What a leader believes was found by then: checks, the reports' way, and how long they count. */
    private static final long LATELY_NANOS = 6_000_000_000L;

    /** One master's. */
    private static final class Checks {
        long setIndex;
        final TreeMap<String, RiseAndFall> counts = new TreeMap<>();
        final TreeMap<String, Long> lookedNanos = new TreeMap<>();
    }

    /** When each master last met this at each endpoint. */
    private static final class Met {
        final TreeMap<String, Long> success = new TreeMap<>();
        final TreeMap<String, Long> failure = new TreeMap<>();
    }

    private final World world;
    private final Chance chance;
    private final TreeMap<String, Boolean> up = new TreeMap<>();
    private final TreeMap<String, Checks> checks = new TreeMap<>();
    private final TreeMap<String, Met> met = new TreeMap<>();
    private final int minHealthy;

    SimEndpoints(World world, Chance chance) {
        this.world = world;
        this.chance = chance;
        for (int i = 1; i <= 3; i++) {
            up.put("e" + i, true);
            met.put("e" + i, new Met());
            world.sites.put("e" + i, "s" + i);
        }
        this.minHealthy = chance.below(3);
    }

    void start() {
        up.keySet().forEach(this::comesAndGoes);
        operate();
    }

    private void comesAndGoes(String endpoint) {
        world.timeline.after(chance.millis(500, 5_000), () -> {
            if (!world.calm) {
                up.merge(endpoint, false, (was, no) -> !was);
                world.timeline.note(
                        "endpoint " + endpoint + (Boolean.TRUE.equals(up.get(endpoint)) ? " comes" : " goes"));
                comesAndGoes(endpoint);
            }
        });
    }

    /** Everything heals, but for endpoints: those that are down stay down, and one is up. */
    void settle() {
        if (up.values().stream().noneMatch(Boolean::booleanValue)) {
            up.put("e" + (1 + chance.below(3)), true);
        }
    }

    private void operate() {
        world.timeline.after(chance.millis(300, 1_500), () -> {
            EndpointGroup group = committed();
            if (group == null) {
                world.command(new Command.SetEndpoints(wanted(), "person", "new"));
            } else if (chance.percent(world.calm ? 100 : 20)) {
                order(group);
            }
            operate();
        });
    }

    private void order(EndpointGroup group) {
        if (world.calm) {
            group.endpoints().forEach((endpoint, each) -> {
                CheckedEndpoint.ByHand byHand = each.state().byHand();
                if (byHand != null) {
                    boolean drained = byHand.order() == CheckedEndpoint.Order.DRAINED;
                    order(endpoint, drained ? Command.EndpointAct.UNDRAIN : Command.EndpointAct.RELEASE);
                }
            });
            return;
        }
        Command.EndpointAct[] acts = Command.EndpointAct.values();
        order("e" + (1 + chance.below(3)), acts[chance.below(acts.length)]);
    }

    private void order(String endpoint, Command.EndpointAct act) {
        world.command(new Command.OrderEndpoint(GROUP, endpoint, act, "person", "work"));
    }

    private @Nullable EndpointGroup committed() {
        return world.truth.newest().endpoints().get(GROUP);
    }

    private EndpointGroup wanted() {
        TreeMap<String, CheckedEndpoint> endpoints = new TreeMap<>();
        for (String endpoint : up.keySet()) {
            endpoints.put(
                    endpoint,
                    new CheckedEndpoint(
                            "10.0.0." + endpoint.substring(1),
                            "",
                            1,
                            0,
                            0,
                            new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, false, null)));
        }
        return new EndpointGroup(GROUP, 5, EndpointGroup.Mode.ALL, minHealthy, CHECK, new TreeMap<>(), 0, 0, endpoints);
    }

    // ---- checks

    /** A master has started: it knows nothing yet. */
    void started(SimMaster master) {
        Checks own = new Checks();
        checks.put(master.name, own);
        for (String endpoint : up.keySet()) {
            look(master, own, endpoint);
        }
    }

    private void look(SimMaster master, Checks own, String endpoint) {
        master.after(chance.millis(INTERVAL_MILLIS * 9 / 10, INTERVAL_MILLIS * 11 / 10), () -> {
            EndpointGroup group = master.arbiter().state().endpoints().get(GROUP);
            if (group != null) {
                if (own.setIndex != group.setIndex()) {
                    own.setIndex = group.setIndex();
                    own.counts.clear();
                }
                boolean success = Boolean.TRUE.equals(up.get(endpoint))
                        && !world.network.cut(master.name, endpoint)
                        && !world.network.cut(endpoint, master.name);
                own.counts
                        .computeIfAbsent(endpoint, e -> new RiseAndFall(CHECK.rise(), CHECK.fall()))
                        .count(success);
                own.lookedNanos.put(endpoint, master.clock());
                Met at = met.computeIfAbsent(endpoint, e -> new Met());
                (success ? at.success : at.failure).put(master.name, world.timeline.now());
            }
            look(master, own, endpoint);
        });
    }

    /** What a master finds. */
    EndpointReport report(SimMaster master) {
        Checks own = checks.getOrDefault(master.name, new Checks());
        TreeMap<String, EndpointReport.Finding> found = new TreeMap<>();
        own.counts.forEach((endpoint, count) -> {
            Boolean healthy = count.healthy();
            long age = master.clock() - own.lookedNanos.getOrDefault(endpoint, Long.MIN_VALUE / 2);
            if (healthy != null && age < SILENT_NANOS) {
                found.put(endpoint, new EndpointReport.Finding(healthy, healthy ? "connected" : "refused"));
            }
        });
        return new EndpointReport(new TreeMap<>(Map.of(GROUP, new EndpointReport.OfGroup(own.setIndex, found))));
    }

    // ---- truth

    /** A leader is about to judge. Most masters must have met that. */
    void believes(SimMaster leader, Entry.EndpointsJudged entry) {
        entry.judgements()
                .getOrDefault(GROUP, new Entry.EndpointsJudged.OfEndpointGroup(0, new TreeMap<>()))
                .found()
                .forEach((endpoint, judgement) -> {
                    Met at = met.getOrDefault(endpoint, new Met());
                    long since = world.timeline.now() - LATELY_NANOS;
                    List<String> so = (judgement.healthy() ? at.success : at.failure)
                            .entrySet().stream()
                                    .filter(each -> each.getValue() >= since)
                                    .map(Map.Entry::getKey)
                                    .toList();
                    if (so.size() <= world.masters.size() / 2) {
                        throw world.truth.violated(
                                "14 most masters judge",
                                leader.name + " finds " + endpoint + (judgement.healthy() ? " healthy" : " unhealthy")
                                        + ", and of " + world.masters.size() + " masters only " + so
                                        + " have met that lately");
                    }
                });
    }

    /** A state has been committed. */
    void applied() {
        EndpointGroup group = committed();
        if (group == null) {
            return;
        }
        if (group.served().isEmpty()) {
            throw world.truth.violated("15 a name leads somewhere", "no clients are sent to any of " + group);
        }
        long fit =
                group.endpoints().values().stream().filter(CheckedEndpoint::fit).count();
        long served = group.served().size();
        if (fit < Math.max(1, group.minHealthy()) && served < fit) {
            throw world.truth.violated(
                    "15 a name leads somewhere", "clients aren't sent to all that are fit: " + group);
        }
    }

    /** Why clients aren't sent where they should be, once everything has healed; null where they are. */
    @Nullable
    String notWell() {
        EndpointGroup group = committed();
        if (group == null) {
            return "no endpoints are set";
        }
        TreeSet<String> healthy = new TreeSet<>();
        up.forEach((endpoint, is) -> {
            if (is) {
                healthy.add(endpoint);
            }
        });
        for (Map.Entry<String, CheckedEndpoint> each : group.endpoints().entrySet()) {
            boolean is = each.getValue().state().health() == CheckedEndpoint.Health.HEALTHY;
            if (each.getValue().state().byHand() != null || is != healthy.contains(each.getKey())) {
                return each.getKey() + " is " + each.getValue().state() + ", and "
                        + (healthy.contains(each.getKey()) ? "up" : "down");
            }
        }
        boolean enough = healthy.size() >= group.minHealthy();
        return group.served().equals(healthy) || (!enough && group.served().containsAll(healthy))
                ? null
                : "clients are sent to " + group.served() + ", and " + healthy + " are healthy";
    }
}
