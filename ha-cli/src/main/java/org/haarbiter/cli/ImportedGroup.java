package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.haarbiter.admin.ExpectedGroup;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.Timing;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of one of a Sentinel's groups here.
 *
 * @param name the group; the same as Sentinel's, so that clients needn't change it
 * @param primary its primary's address
 * @param members the primary first
 * @param settings what Sentinel is told of it, and what takes its place
 * @param profile the timing profile whose silence is nearest to Sentinel's {@code down-after-milliseconds}
 * @param importable whether it can be announced to the masters; where not, the first of the problems says why
 * @param expected the group as the masters are to expect it
 * @param policy what it is to promise; null in it what the masters' section {@code redis} says
 * @param problems sentences, each with what to do
 * @param removals commands that make each Sentinel forget it
 */
record ImportedGroup(
        String name,
        String primary,
        List<MemberOfSentinel> members,
        List<Replaced> settings,
        String profile,
        boolean importable,
        ExpectedGroup expected,
        PolicyChange policy,
        List<String> problems,
        List<String> removals) {

    private static final String ENGINE = "redis";

    /**
     * One server.
     *
     * @param address where it is
     * @param role {@code primary} or {@code replica}
     * @param state {@code up}, or Sentinel's words for what is wrong
     * @param priority its {@code replica-priority}; 0: never promoted; -1 where it isn't known, as of a primary
     */
    record MemberOfSentinel(String address, String role, String state, long priority) {}

    /**
     * A setting of Sentinel.
     *
     * @param setting Sentinel's name for it
     * @param value as the Sentinel has it
     * @param here what takes its place, as a sentence
     */
    record Replaced(String setting, String value, String here) {}

    /** Copies the lists. */
    ImportedGroup {
        members = List.copyOf(members);
        settings = List.copyOf(settings);
        problems = List.copyOf(problems);
        removals = List.copyOf(removals);
    }

    /**
     * Looks at a group.
     *
     * @param all the Sentinel's groups, this one too
     * @param asked the Sentinel that told of it
     */
    static ImportedGroup of(WatchedGroup group, List<WatchedGroup> all, Endpoint asked, PolicyChange policy) {
        Timing.Profile profile = nearest(group.downAfterMillis());
        List<MemberOfSentinel> members = new ArrayList<>();
        members.add(new MemberOfSentinel(group.primary().toString(), "primary", state(group.flags(), true), -1));
        for (WatchedGroup.Replica replica : group.replicas()) {
            members.add(new MemberOfSentinel(
                    replica.address().toString(),
                    "replica",
                    state(replica.flags(), replica.linked()),
                    replica.priority()));
        }
        List<String> obstacles = obstacles(group, all);
        List<String> problems = new ArrayList<>(obstacles);
        problems.addAll(problems(group, asked));
        List<String> removals = new ArrayList<>();
        sentinels(group, asked)
                .forEach(sentinel -> removals.add("redis-cli -h " + sentinel.host() + " -p " + sentinel.port()
                        + " SENTINEL REMOVE " + group.name()));
        return new ImportedGroup(
                group.name(),
                group.primary().toString(),
                members,
                replaced(group, profile),
                word(profile),
                obstacles.isEmpty(),
                new ExpectedGroup(
                        ENGINE,
                        PositionKind.REPLICATION_OFFSET.name().toLowerCase(Locale.ROOT),
                        group.members().stream().map(Endpoint::toString).toList()),
                policy,
                problems,
                removals);
    }

    private static List<Endpoint> sentinels(WatchedGroup group, Endpoint asked) {
        List<Endpoint> sentinels = new ArrayList<>(List.of(asked));
        group.others().forEach(other -> sentinels.add(other.sentinel()));
        return sentinels;
    }

    private static String state(List<String> flags, boolean linked) {
        if (!flags.isEmpty()) {
            return String.join(",", flags);
        }
        return linked ? "up" : "up, without its source";
    }

    /** By ratio; of two that are equally near the slower one. */
    static Timing.Profile nearest(long downAfterMillis) {
        Timing.Profile nearest = Timing.Profile.WIDE;
        for (Timing.Profile profile : List.of(Timing.Profile.NORMAL, Timing.Profile.FAST)) {
            if (distance(profile, downAfterMillis) < distance(nearest, downAfterMillis)) {
                nearest = profile;
            }
        }
        return nearest;
    }

    private static double distance(Timing.Profile profile, long millis) {
        return Math.abs(Math.log((double) profile.timing().silenceMillis() / Math.max(1, millis)));
    }

    static String word(Timing.Profile profile) {
        return profile.name().toLowerCase(Locale.ROOT);
    }

    private static List<Replaced> replaced(WatchedGroup group, Timing.Profile profile) {
        Timing timing = profile.timing();
        long silent = Math.max(timing.silenceMillis(), timing.leaseWithDriftMillis());
        List<Replaced> settings = new ArrayList<>();
        settings.add(new Replaced(
                "down-after-milliseconds",
                Long.toString(group.downAfterMillis()),
                "timing profile " + word(profile) + " (silence-millis " + timing.silenceMillis()
                        + "), of the masters and of all agents: a primary that falls silent is replaced " + silent
                        + " ms after it was last heard, when its permission to write has surely ended; one whose process"
                        + " ends is replaced at once"));
        settings.add(new Replaced(
                "quorum",
                Long.toString(group.quorum()),
                "nothing: a majority of the masters decides (3 or 5 of them; agents don't vote)"));
        settings.add(new Replaced(
                "parallel-syncs",
                Long.toString(group.parallelSyncs()),
                "nothing: all replicas go over to a new primary at once, since they need only what they lack"
                        + " (repl-backlog-size must hold it)"));
        settings.add(new Replaced(
                "failover-timeout",
                Long.toString(group.failoverTimeoutMillis()),
                "nothing: a failover isn't given up. How long a group waits before its next one: 'repeated-failover:' in"
                        + " the masters' settings; how long a planned switch may take: 'drain-millis'"));
        if (!group.notificationScript().isEmpty()) {
            settings.add(new Replaced(
                    "notification-script",
                    group.notificationScript(),
                    "nothing runs a script: the masters' audit-file, hactl log and the metrics tell what happens"));
        }
        if (!group.clientReconfigScript().isEmpty()) {
            settings.add(new Replaced(
                    "client-reconfig-script",
                    group.clientReconfigScript(),
                    "nothing runs a script: clients hear +switch-master from the masters' 'sentinel' addresses, and 'dns:' in"
                            + " the masters' settings keeps names"));
        }
        return settings;
    }

    // What is missing or wrong

    /** What can't be announced to the masters at all. */
    private static List<String> obstacles(WatchedGroup group, List<WatchedGroup> all) {
        List<String> obstacles = new ArrayList<>();
        String name = Section.groupProblem(group.name());
        if (name != null) {
            obstacles.add(
                    "it can't be a group's name here: " + name
                            + "; so it isn't imported (have the Sentinels monitor it under another name, which its clients must use)");
        }
        int members = group.members().size();
        if (members > ExpectedGroup.MOST_MEMBERS) {
            obstacles.add("it has " + members + " servers (must be at most " + ExpectedGroup.MOST_MEMBERS
                    + "; SENTINEL RESET " + group.name() + " drops those that are gone)");
        }
        for (Endpoint member : group.members()) {
            all.stream()
                    .filter(other -> !other.name().equals(group.name())
                            && other.members().contains(member))
                    .forEach(other -> obstacles.add(member + " belongs to the group " + other.name()
                            + " as well (a server can be in one group only: SENTINEL RESET of the one that it has left, or import"
                            + " one of them, --group)"));
        }
        return obstacles;
    }

    private static List<String> problems(WatchedGroup group, Endpoint asked) {
        List<String> problems = new ArrayList<>();
        if (!group.flags().isEmpty()) {
            problems.add("its primary " + group.primary() + " is " + String.join(",", group.flags())
                    + " (wait until the Sentinels have a primary that is up, and import again)");
        }
        if (group.members().size() < 2) {
            problems.add(
                    "the Sentinel knows no replica: there is nobody to fail over to, and a group of one is adopted only by"
                            + " hactl promote " + group.name() + " MEMBER");
        }
        for (WatchedGroup.Replica replica : group.replicas()) {
            replicaProblem(group, replica, problems);
        }
        if (!group.replicas().isEmpty() && group.replicas().stream().allMatch(replica -> replica.priority() == 0)) {
            problems.add("every replica has replica-priority 0: none may be promoted, here as with Sentinel");
        }
        for (Endpoint member : group.members()) {
            hostProblem(member, asked, problems);
        }
        for (WatchedGroup.Opinion other : group.others()) {
            if (other.primary() == null) {
                problems.add(
                        "the Sentinel " + other.sentinel() + " " + other.problem()
                                + ": it may think otherwise, and it must be told to forget the group too (start it, or mend its list)");
            } else if (!other.primary().equals(group.primary())) {
                problems.add("the Sentinel " + other.sentinel() + " takes " + other.primary() + " for the primary, and "
                        + asked + " takes " + group.primary() + " (wait until they agree, and import again)");
            }
        }
        return problems;
    }

    private static void replicaProblem(WatchedGroup group, WatchedGroup.Replica replica, List<String> problems) {
        if (!replica.flags().isEmpty()) {
            problems.add("replica " + replica.address() + " is " + String.join(",", replica.flags())
                    + ": adoption waits until it runs (start it; where it is gone for good, SENTINEL RESET "
                    + group.name()
                    + " drops it, and import again)");
            return;
        }
        Endpoint source = replica.source();
        if (source != null && !source.equals(group.primary())) {
            problems.add("replica " + replica.address() + " follows " + source + ", not the primary " + group.primary()
                    + ": no group is adopted like that (REPLICAOF "
                    + group.primary().host() + " "
                    + group.primary().port() + ")");
        } else if (!replica.linked()) {
            problems.add("replica " + replica.address() + " isn't connected to " + group.primary()
                    + " (look at its log: network, account, masterauth)");
        }
    }

    private static void hostProblem(Endpoint member, Endpoint asked, List<String> problems) {
        String host = member.host();
        boolean literal = host.indexOf(':') >= 0 || host.matches("[0-9.]+");
        if (isLoopback(host) && !isLoopback(asked.host())) {
            problems.add(member + " is a loopback address: from anywhere but the host of the Sentinel " + asked
                    + " it is another machine (have the servers listen at, and announce, an address that all reach)");
        } else if (!literal) {
            problems.add(member
                    + " is a host name: members are compared by their addresses as they are written, so 'address' in"
                    + " its agent's settings must be what its replicas show as master_host (better: sentinel"
                    + " resolve-hostnames no, and addresses throughout)");
        } else if (host.equals("0.0.0.0") || host.equals("::")) {
            problems.add(member + " isn't an address that can be reached (see replica-announce-ip)");
        }
    }

    private static boolean isLoopback(String host) {
        return host.startsWith("127.") || host.equals("::1") || host.equals("localhost");
    }

    /** What the masters are told of it, as YAML. */
    String yaml() {
        StringBuilder text = new StringBuilder();
        text.append("group: ").append(quoted(name)).append('\n');
        text.append("engine: ").append(expected.engine()).append('\n');
        text.append("members: [");
        text.append(String.join(
                ", ", expected.members().stream().map(ImportedGroup::quoted).toList()));
        text.append("]\n");
        line(text, "durability", policy.durability());
        line(text, "max-lag-millis", policy.maxLagMillis());
        line(text, "max-lag-transactions", policy.maxLagTransactions());
        line(text, "on-no-acknowledger", policy.onNoAcknowledger());
        line(text, "priority", policy.priority());
        text.append("# what isn't said is as the section 'redis:' of the masters' settings has it\n");
        return text.toString();
    }

    private static void line(StringBuilder text, String key, @Nullable Object value) {
        if (value != null) {
            text.append(key).append(": ").append(value).append('\n');
        }
    }

    /** A text in YAML. */
    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
