package org.haarbiter.master.scenario;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.AuditEvent;
import org.haarbiter.master.core.Blocking;
import org.haarbiter.master.core.ClusterState;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Entry;
import org.haarbiter.master.core.Explanation;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Invariants;
import org.haarbiter.master.core.Limits;
import org.haarbiter.master.core.Masters;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Policies;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Rule;
import org.haarbiter.master.core.Storms;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.master.names.WantedNamesOfGroup;
import org.haarbiter.scenario.Line;
import org.haarbiter.scenario.Transcript;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * Plays one transcript against three masters' cores and one log. Column 0 holds inputs and comments, what the cores said is
 * indented. Time is a number; each wait is cut into heartbeats of {@value #HEARTBEAT_MILLIS} ms. The verbs are in docs/development.md.
 */
final class Script {
    static final int HEARTBEAT_MILLIS = 100;

    private static final String GROUP = "shop";
    private static final long WALL_AT_START = 1_000_000_000_000L;
    private static final String VERBS =
            "limits, leader, deposed, steady, hear, obey, wait, frozen, commit, fail, replay, names,"
                    + " promote, switchover, demote, rebuild, pause, resume, policy, class, expect, forget, ack, why, show, dns";

    private final Transcript out = new Transcript();
    private final TreeMap<String, Peer> peers = new TreeMap<>();
    private final TreeMap<String, String> saidGoals = new TreeMap<>();
    private final List<Entry> entries = new ArrayList<>();
    private final TreeMap<String, Arbiter> masters = new TreeMap<>();
    private Limits limits = new Limits(
            1_500,
            3_000,
            100,
            1_000,
            5_000,
            2_000,
            Policies.of(Policy.LOSSLESS),
            10_000,
            WhenArbiterLost.HOLD,
            Storms.usual(1_500),
            Blocking.NONE,
            10_000);
    private ClusterState state = ClusterState.empty();
    private long index;
    private long arrivals;
    private long nowMillis = 1_000_000;
    private long startMillis = nowMillis;
    private @Nullable Arbiter leader;
    private @Nullable Entry proposed;
    private @Nullable Arbiter proposer;
    private String saidHold = "";
    private boolean silent;

    /** The transcript with its outputs derived anew. */
    static String play(String file, String text) {
        Script script = new Script();
        return script.out.play(file, text, script::input);
    }

    private void input(Line line) {
        if (masters.isEmpty() && !line.verb().equals("limits")) {
            for (String name : List.of("m1", "m2", "m3")) {
                masters.put(name, new Arbiter(limits, Masters.ALONE, nanos()));
            }
        }
        switch (line.verb()) {
            case "limits" -> limits(line);
            case "leader" -> leader(line);
            case "deposed" -> deposed(line);
            case "steady" -> steady(line);
            case "hear" -> hear(line);
            case "obey" -> members(line, line.arguments()).forEach(this::obey);
            case "wait" -> waiting(line);
            case "frozen" -> {
                // The machine of this master stood still: heartbeats were lost, nothing was looked at.
                nowMillis += line.millis(line.argument(0, "time"), "a time");
                line.atMost(1);
            }
            case "commit" -> commit(line);
            case "fail" -> fail(line);
            case "replay" -> replay(line);
            case "names" ->
                leading(line)
                        .namesServed(
                                GROUP,
                                line.number(line.argument(0, "epoch"), "an epoch"),
                                new TreeSet<>(line.arguments()
                                        .subList(1, line.arguments().size())),
                                nanos());
            case "promote", "switchover", "rebuild", "demote", "pause", "resume", "policy", "ack", "forget" ->
                command(line);
            case "expect" -> judge(leading(line), expect(line));
            case "class" -> judge(leading(line), trafficClass(line));
            case "why" -> why(line);
            case "show" -> show(line);
            case "dns" -> dns(line);
            default -> throw line.wrong("unknown verb '" + line.verb() + "' (known: " + VERBS + ")");
        }
        look();
    }

    private void limits(Line line) {
        if (!masters.isEmpty()) {
            throw line.wrong("limits must come first");
        }
        for (String word : line.arguments()) {
            String[] parts = line.pair(word);
            int silence = limits.silenceMillis();
            int lease = limits.leaseMillis();
            int gather = limits.gatherMillis();
            int drain = limits.drainMillis();
            Policies policies = limits.policies();
            int noAcknowledger = limits.noAcknowledgerMillis();
            Blocking blocking = limits.blocking();
            switch (parts[0]) {
                case "silence" -> silence = line.millis(parts[1], "the silence");
                case "lease" -> lease = line.millis(parts[1], "the lease");
                case "gather" -> gather = line.millis(parts[1], "the gathering time");
                case "drain" -> drain = line.millis(parts[1], "the draining time");
                case "durability" ->
                    policies = Policies.of(
                            switch (parts[1]) {
                                case "lossless" -> Policy.LOSSLESS;
                                case "degrading" ->
                                    new Policy(
                                            Durability.LOSSLESS, 0, 0, OnNoAcknowledger.DEGRADE, Policy.USUAL_PRIORITY);
                                case "available" -> Policy.AVAILABLE;
                                default ->
                                    throw line.wrong("durability is '" + parts[1]
                                            + "' (must be lossless, degrading or available)");
                            });
                case "max-lag" ->
                    policies = Policies.of(new Policy(
                            Durability.BOUNDED,
                            line.millis(parts[1], "the limit"),
                            0,
                            OnNoAcknowledger.WAIT,
                            Policy.USUAL_PRIORITY));
                case "block" -> {
                    int first = line.millis(parts[1], "the wait after a failover");
                    blocking = new Blocking(first, 8 * first, 100 * first);
                }
                case "no-acknowledger" -> noAcknowledger = line.millis(parts[1], "the patience");
                default ->
                    throw line.wrong("unknown limit '" + parts[0]
                            + "' (known: silence, lease, gather, drain, durability, max-lag, no-acknowledger, block)");
            }
            limits = new Limits(
                    silence,
                    lease,
                    100,
                    gather,
                    drain,
                    2_000,
                    policies,
                    noAcknowledger,
                    WhenArbiterLost.HOLD,
                    limits.storms(),
                    blocking,
                    limits.readMaxLagMillis());
        }
    }

    private void leader(Line line) {
        Arbiter next = masters.get(line.argument(0, "master"));
        if (next == null) {
            throw line.wrong("'" + line.argument(0, "master") + "' isn't a master (known: " + masters.keySet() + ")");
        }
        int term = line.number(line.argument(1, "term"), "a term");
        line.atMost(2);
        depose();
        next.leaderStarted(term, nanos());
        leader = next;
    }

    private void deposed(Line line) {
        line.atMost(0);
        leading(line);
        depose();
    }

    private void depose() {
        Arbiter old = leader;
        if (old != null) {
            old.leaderStopped();
        }
        leader = null;
        saidHold = "";
    }

    private Arbiter leading(Line line) {
        Arbiter present = leader;
        if (present == null) {
            throw line.wrong("nobody leads (say: leader m1 1)");
        }
        return present;
    }

    /** Adopts a group whose first member is the primary, and brings it to rest; only the end is in the transcript. */
    private void steady(Line line) {
        leading(line);
        silent = true;
        String first = line.argument(0, "primary");
        for (String name : line.arguments()) {
            Peer peer = peers.computeIfAbsent(name, n -> new Peer(GROUP, n));
            if (!name.equals(first)) {
                peer.set(line, "source", first);
            }
        }
        List<String> all = List.copyOf(peers.keySet());
        tick(line, 2_500, all);
        for (int i = 0; i < 8; i++) {
            if (proposed != null) {
                commit(line);
            }
            all.forEach(this::obey);
            peer(line, first).set(line, "attached", Integer.toString(all.size() - 1));
            leading(line).namesServed(GROUP, 1, Collections.emptySortedSet(), nanos());
            tick(line, HEARTBEAT_MILLIS, all);
        }
        silent = false;
        show(line);
        startMillis = nowMillis;
    }

    private void hear(Line line) {
        String name = line.argument(0, "member");
        Peer peer = peers.computeIfAbsent(name, n -> new Peer(GROUP, n));
        for (String word : line.arguments().subList(1, line.arguments().size())) {
            String[] parts = line.pair(word);
            peer.set(line, parts[0], parts[1]);
        }
        heartbeat(name);
    }

    private void heartbeat(String name) {
        // No two heartbeats arrive at the same moment: rules ask which was first.
        arrivals++;
        var heartbeat = Objects.requireNonNull(peers.get(name)).heartbeat();
        masters.forEach((master, arbiter) -> {
            String problem = arbiter.heard(heartbeat, nanos());
            if (problem != null && arbiter == leader) {
                say("not believed: " + problem);
            }
        });
        Arbiter present = leader;
        Peer peer = Objects.requireNonNull(peers.get(name));
        Goal goal = present == null ? null : present.goal(GROUP, peer.member());
        if (present == null || goal == null) {
            return;
        }
        peer.answered(goal);
        if (goal.leaseMillis() > 0) {
            present.granted(GROUP, peer.member(), goal, nanos());
        }
    }

    private void obey(String name) {
        Arbiter present = leader;
        Peer peer = Objects.requireNonNull(peers.get(name));
        Goal goal = present == null ? null : present.goal(GROUP, peer.member());
        if (goal != null) {
            peer.obey(goal);
        }
        heartbeat(name);
    }

    private void waiting(Line line) {
        int millis = line.millis(line.argument(0, "time"), "a time");
        List<String> hearing = List.of();
        if (line.arguments().size() > 1) {
            if (!line.arguments().get(1).equals("hearing")) {
                throw line.wrong(
                        "'" + line.arguments().get(1) + "' isn't expected (wait MS [hearing MEMBER... | all])");
            }
            hearing = members(line, line.arguments().subList(2, line.arguments().size()));
        }
        tick(line, millis, hearing);
    }

    private void tick(Line line, int millis, List<String> hearing) {
        if (millis % HEARTBEAT_MILLIS != 0) {
            throw line.wrong(millis + " ms isn't a whole number of heartbeats of " + HEARTBEAT_MILLIS + " ms");
        }
        for (int passed = 0; passed < millis; passed += HEARTBEAT_MILLIS) {
            nowMillis += HEARTBEAT_MILLIS;
            hearing.forEach(this::heartbeat);
            look();
        }
    }

    private List<String> members(Line line, List<String> names) {
        if (names.isEmpty()) {
            throw line.wrong("the members are missing (names, or all)");
        }
        if (names.equals(List.of("all"))) {
            return List.copyOf(peers.keySet());
        }
        names.forEach(name -> peer(line, name));
        return names;
    }

    private Peer peer(Line line, String name) {
        Peer peer = peers.get(name);
        if (peer == null) {
            throw line.wrong("nothing was heard of '" + name + "' yet (known: " + peers.keySet() + ")");
        }
        return peer;
    }

    private void commit(Line line) {
        Entry entry = proposed;
        if (entry == null) {
            throw line.wrong("nothing is proposed");
        }
        line.atMost(line.verb().equals("steady") ? Integer.MAX_VALUE : 0);
        apply(entry);
        end();
    }

    private void fail(Line line) {
        if (proposed == null) {
            throw line.wrong("nothing is proposed");
        }
        line.atMost(0);
        end();
    }

    private void end() {
        Objects.requireNonNull(proposer).proposalEnded(GROUP);
        proposed = null;
        proposer = null;
    }

    private void apply(Entry entry) {
        ClusterState before = state;
        index++;
        state = entry.applyTo(state, index);
        String broken = Invariants.broken(before, state, entry);
        if (broken != null) {
            throw new IllegalStateException("after " + entry + ": " + broken);
        }
        masters.values().forEach(master -> master.applied(state, nanos()));
        if (state.equals(before)) {
            say("log: it came too late and changes nothing");
            return;
        }
        AuditEvent event = state.recent().get(state.recent().size() - 1);
        say("log: " + event.kind() + " by " + event.by() + ": " + event.text());
    }

    private void replay(Line line) {
        int number = line.number(line.argument(0, "number"), "the number of a proposal since steady");
        line.atMost(1);
        if (number < 1 || number > entries.size()) {
            throw line.wrong("there are proposals 1 to " + entries.size());
        }
        apply(entries.get(number - 1));
    }

    private void command(Line line) {
        Arbiter present = leading(line);
        List<String> words = new ArrayList<>(line.arguments());
        boolean accept = line.verb().equals("promote") && words.remove("--accept-data-loss");
        boolean fleet = words.remove("fleet");
        long forMillis = 0;
        if (line.verb().equals("pause") && words.size() == 2 && words.get(0).equals("for")) {
            forMillis = line.number(words.get(1), "for how many ms");
            words.clear();
        }
        boolean reasoned = !words.remove("without-reason");
        String group = fleet ? "" : GROUP;
        String reason = reasoned ? "work on the rack" : "";
        boolean named = List.of("promote", "demote", "rebuild", "policy").contains(line.verb());
        boolean mayName = line.verb().equals("switchover");
        if (words.size() != (named ? 1 : 0) && !(mayName && words.size() == 1)) {
            throw line.wrong(
                    "must be promote MEMBER [--accept-data-loss], switchover [MEMBER], demote MEMBER, rebuild MEMBER, policy DURABILITY,"
                            + " forget, ack, pause [fleet] [for MILLIS] or resume [fleet]");
        }
        Command command = switch (line.verb()) {
            case "promote" -> new Command.Promote(group, words.get(0), accept, "ann", reason);
            case "rebuild" -> new Command.Rebuild(group, words.get(0), null, "ann", reason);
            case "switchover" -> new Command.Switchover(group, words.isEmpty() ? null : words.get(0), "ann", reason);
            case "demote" -> new Command.Demote(group, words.get(0), "ann", reason);
            case "policy" ->
                new Command.ChangePolicy(
                        group,
                        line.oneOf(Durability.class, words.get(0), "durability"),
                        null,
                        null,
                        null,
                        null,
                        "ann",
                        reason);
            case "pause" -> new Command.Pause(group, "ann", reason, forMillis);
            case "forget" -> new Command.ForgetGroup(group, "ann", reason);
            case "ack" -> new Command.Acknowledge(group, "ann", reason);
            default -> new Command.Resume(group, "ann", reason);
        };
        judge(present, command);
    }

    /** MySQL servers at the addresses of these members; the last word may be a durability. */
    private static Command expect(Line line) {
        TreeSet<Endpoint> members = new TreeSet<>();
        Durability durability = null;
        for (String word : line.arguments()) {
            if (word.startsWith("durability=")) {
                durability = line.oneOf(Durability.class, line.pair(word)[1], "durability");
            } else {
                members.add(Peer.address(word));
            }
        }
        return new Command.ExpectGroup(
                "mysql",
                PositionKind.MYSQL_GTID,
                members,
                new Command.ChangePolicy(GROUP, durability, null, null, null, null, "ann", "moving over"));
    }

    /** NAME, and removed, primary, replicas, or MEMBER[,MEMBER] fall-back=WORD. */
    private static Command trafficClass(Line line) {
        line.atMost(3);
        String rule = line.argument(1, "rule");
        TrafficClass trafficClass = switch (rule) {
            case "removed" -> TrafficClass.REMOVED;
            case "primary", "replicas" ->
                new TrafficClass(
                        line.oneOf(TrafficClass.Follows.class, rule, "rule"),
                        new TreeSet<>(),
                        TrafficClass.FallBack.NONE);
            default ->
                new TrafficClass(
                        TrafficClass.Follows.MEMBERS,
                        new TreeSet<>(List.of(rule.split(","))),
                        line.oneOf(
                                TrafficClass.FallBack.class, line.pair(line.argument(2, "fall-back"))[1], "fall-back"));
        };
        return new Command.SetClass(GROUP, line.argument(0, "name"), trafficClass, "ann", "the sale");
    }

    private void judge(Arbiter present, Command command) {
        Command.Outcome outcome = present.command(command, nanos(), wall());
        Entry entry = outcome.entry();
        say((entry == null ? "refused: " : "accepted: ") + outcome.sentence());
        if (entry != null) {
            proposes(present, entry);
            say("proposes " + kind(entry));
        }
    }

    private void proposes(Arbiter by, Entry entry) {
        proposed = entry;
        proposer = by;
        if (!silent) {
            entries.add(entry);
        }
    }

    /** What the leader's thread does after each input: looks at the group, and at what its members should be told. */
    private void look() {
        for (Arbiter master : masters.values()) {
            if (master != leader) {
                master.decide(nanos(), wall());
            }
        }
        Arbiter present = leader;
        if (present == null) {
            return;
        }
        Entry entry = present.decide(GROUP, nanos(), wall());
        if (entry != null) {
            Explanation acting = ending(present);
            proposes(present, entry);
            say(acting.rule() + " acts: " + acting.sentence());
            say("proposes " + kind(entry));
            saidHold = "";
        } else if (proposed == null) {
            Explanation holding = ending(present);
            // A time that grows with each heartbeat is no news.
            String hold = holding.outcome().equals("holds")
                    ? holding.rule() + " " + holding.sentence().replaceAll("[0-9]+ ms", "N ms")
                    : "";
            if (!hold.isEmpty() && !hold.equals(saidHold)) {
                say(holding);
            }
            saidHold = hold;
        }
        TreeSet<String> members = new TreeSet<>();
        peers.values().forEach(peer -> members.add(peer.member()));
        for (String member : members) {
            Goal goal = present.goal(GROUP, member);
            String text = goal == null ? "" : text(goal);
            if (goal != null && !text.equals(saidGoals.get(member))) {
                say("goal of " + member + ": " + text);
                saidGoals.put(member, text);
            }
        }
    }

    /** The rule that acts or holds, or the last one. */
    private Explanation ending(Arbiter present) {
        List<Explanation> all = present.why(GROUP, nanos(), wall());
        for (Explanation one : all) {
            if (one.outcome().equals("acts") || one.outcome().equals("holds")) {
                return one;
            }
        }
        return all.get(all.size() - 1);
    }

    private void why(Line line) {
        Arbiter present = leading(line);
        line.atMost(1);
        List<Explanation> all = present.why(GROUP, nanos(), wall());
        if (line.arguments().isEmpty()) {
            all.forEach(this::say);
            return;
        }
        String wanted = line.arguments().get(0);
        List<Explanation> named =
                all.stream().filter(e -> e.rule().name().equals(wanted)).toList();
        if (named.isEmpty()) {
            throw line.wrong("'" + wanted + "' isn't a rule (known: " + List.of(Rule.values()) + ")");
        }
        named.forEach(this::say);
    }

    private void say(Explanation one) {
        say(one.rule() + " " + one.outcome() + (one.sentence().isEmpty() ? "" : ": " + one.sentence()));
    }

    private void show(Line line) {
        line.atMost(line.verb().equals("steady") ? Integer.MAX_VALUE : 0);
        Group group = state.group(GROUP);
        if (group == null) {
            say("the group isn't adopted");
            return;
        }
        say("group: epoch " + group.epoch() + ", primary " + group.primary() + ", " + phase(group.phase())
                + ", commits wait for " + group.acknowledgers() + ", DNS shows epoch " + group.publishedEpoch()
                + (group.pause() == null ? "" : ", paused")
                + (group.floor().isEmpty() ? "" : ", floor " + group.floor()));
        say("members: " + group.members().values().stream().map(Script::member).collect(Collectors.joining(", ")));
        Arbiter leading = leader;
        if (leading != null) {
            leading.heardOf(GROUP).values().forEach(heard -> showCluster(leading, heard));
        }
    }

    private void showCluster(Arbiter leading, Heard heard) {
        Sighting said = heard.sighting();
        ClusterNode node = said.node();
        if (node == null) {
            return;
        }
        if (nanos() - heard.arrivedNanos() >= limits.silenceMillis() * 1_000_000L) {
            say("cluster " + said.member() + ": nobody speaks for it; of its nodes "
                    + String.join("; ", leading.nodesOf(GROUP, said.member(), nanos())));
        } else {
            say("cluster " + said.member() + ": clients find it at "
                    + String.join(", ", node.nodes().keySet())
                    + said.problems().stream().map(p -> "; " + p).collect(Collectors.joining()));
        }
    }

    /** Whom the leader finds well now, committed at once, and what the zone shall therefore say of the group. */
    private void dns(Line line) {
        line.atMost(0);
        Arbiter leading = leading(line);
        Entry found = leading.serving(nanos(), wall());
        if (found != null) {
            apply(found);
            leading.proposalEnded(found.group());
        }
        WantedNamesOfGroup.Reading reading =
                new WantedNamesOfGroup("{group}-rw", "{group}-ro", 1).of(Objects.requireNonNull(state.group(GROUP)));
        say("epoch " + reading.names().epoch());
        reading.names().names().forEach(name -> say(name.name() + " -> " + name.addresses()));
        reading.sentences().forEach(this::say);
    }

    private static String member(Member member) {
        return member.name() + " " + member.standing().name().toLowerCase(Locale.ROOT);
    }

    private static String phase(Phase phase) {
        return phase.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    private static String text(Goal goal) {
        return goal.role().name().toLowerCase(Locale.ROOT) + " at epoch " + goal.epoch() + " of term " + goal.term()
                + (goal.source() == null ? "" : ", source " + goal.source().host())
                + (goal.acknowledges() ? ", acknowledges" : "")
                + (goal.upTo().isEmpty() ? "" : ", up to " + goal.upTo())
                + (goal.leaseMillis() == 0
                        ? ""
                        : ", lease " + goal.leaseMillis() + " ms, commits wait for " + goal.acknowledgers())
                + (goal.peers().peers().isEmpty()
                        ? ""
                        : ", peers " + goal.peers().names()
                                + (goal.peers().hold() ? " may permit it to go on" : " are to be known"))
                + " (" + goal.reason() + ")";
    }

    private static String kind(Entry entry) {
        String more = "";
        if (entry instanceof Entry.CandidateChosen chosen) {
            more = ": " + chosen.candidate() + " up to " + chosen.upTo() + ", behind it: " + chosen.behind();
        }
        return Transcript.kind(entry.getClass()) + more;
    }

    private void say(String text) {
        if (!silent) {
            out.say(nowMillis - startMillis, Letters.brief(text));
        }
    }

    private long nanos() {
        return nowMillis * 1_000_000 + arrivals;
    }

    private long wall() {
        return WALL_AT_START + nowMillis;
    }
}
