package org.haarbiter.master.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.ExpectedView;
import org.haarbiter.admin.GoalView;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.admin.GroupState;
import org.haarbiter.admin.GroupSummary;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.admin.NamesView;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.admin.WhyView;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.Expected;
import org.haarbiter.master.core.Explanation;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.Heard;
import org.haarbiter.master.core.Member;
import org.haarbiter.master.core.Pause;
import org.haarbiter.master.core.Phase;
import org.haarbiter.master.core.Policy;
import org.haarbiter.master.core.Rule;
import org.haarbiter.master.core.Standing;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.master.core.View;
import org.haarbiter.master.core.WhenArbiterLost;
import org.haarbiter.words.ClusterNode;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Guard;
import org.haarbiter.words.Position;
import org.haarbiter.words.ServerState;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/** One group, read off once for one answer. */
final class GroupReading {

    /** A switch that has got nowhere for so long is an outage, however it is called. */
    private static final long STUCK_MILLIS = 10_000;

    private final Arbiter arbiter;
    private final MasterFacts facts;
    private final String name;
    private final View view;
    private final @Nullable Group group;
    private final SortedMap<String, Heard> heard;
    private final List<Explanation> explanations;
    private final NamesView names;
    private final List<MemberView> members = new ArrayList<>();

    /** Somebody can't write, or writes where nobody should. */
    private final List<String> grave = new ArrayList<>();

    /** The next failure would do more harm than it should. */
    private final List<String> serious = new ArrayList<>();

    private final GroupState state;

    GroupReading(Arbiter arbiter, MasterFacts facts, String name, long nowNanos, long wallMillis) {
        this.arbiter = arbiter;
        this.facts = facts;
        this.name = name;
        this.view = arbiter.view(name, nowNanos, wallMillis);
        this.group = view.group();
        this.heard = view.heard();
        this.explanations = arbiter.why(name, nowNanos, wallMillis);
        this.names = names();
        List<String> ofMembers = new ArrayList<>();
        TreeSet<String> memberNames = new TreeSet<>(heard.keySet());
        if (group != null) {
            memberNames.addAll(group.members().keySet());
        }
        for (String member : memberNames) {
            MemberView read = member(member);
            members.add(read);
            read.problems().forEach(problem -> ofMembers.add(member + ": " + problem));
        }
        findGroupProblems();
        this.state = state(!ofMembers.isEmpty());
        serious.addAll(ofMembers);
        Pause pause = pause();
        if (pause != null) {
            serious.add("paused by " + pause.by() + Views.until(pause) + ": " + pause.reason() + " (hactl resume "
                    + (group != null && group.pause() != null ? name : "--fleet") + " ends it)");
        }
    }

    GroupSummary summary() {
        String primary = group == null ? "" : group.primary();
        long lag = -1;
        for (MemberView member : members) {
            if (member.role().equals("replica") && !member.state().equals("silent")) {
                lag = Math.max(lag, member.lagMillis());
            }
        }
        return new GroupSummary(
                name,
                engine(),
                state.word(),
                primary,
                group == null ? "" : group.primaryMember().address().toString(),
                group == null ? 0 : group.epoch(),
                members.size() + view.awaited().size(),
                (int) members.stream().filter(MemberView::healthy).count(),
                lag,
                names.state(),
                texts(view.awaited()),
                problems());
    }

    GroupView view() {
        return new GroupView(
                name,
                engine(),
                state.word(),
                group == null ? 0 : group.epoch(),
                group == null ? "none" : phaseWord(group.phase()),
                phaseDetail(),
                group == null ? 0 : millis(view.nowNanos() - view.phaseSinceNanos()),
                group == null ? "" : group.primary(),
                group == null ? "" : group.policy().words(group.positionKind()),
                unit(),
                group == null ? "" : group.positionKind().acknowledgement(group.acknowledgers()),
                group == null ? 0 : group.acknowledgers(),
                group == null ? 0 : group.acknowledgersWanted(),
                group == null ? List.of() : List.copyOf(group.peers()),
                group == null ? "" : agentLost(group),
                expected(),
                Views.pause(pause()),
                group == null ? null : settings(group),
                members,
                names,
                problems());
    }

    private static GroupSettings settings(Group group) {
        Policy policy = group.policy();
        List<ClassChange> classes = new ArrayList<>();
        group.classes().forEach((name, rule) -> {
            if (!rule.equals(TrafficClass.REMOVED)) {
                classes.add(new ClassChange(
                        name, Views.word(rule.follows()), List.copyOf(rule.pins()), Views.word(rule.fallBack())));
            }
        });
        return new GroupSettings(
                new PolicyChange(
                        Views.word(policy.durability()),
                        policy.maxLagMillis(),
                        policy.maxLagTransactions(),
                        Views.word(policy.onNoAcknowledger()),
                        (long) policy.priority()),
                classes);
    }

    WhyView why() {
        List<WhyView.RuleView> rules = new ArrayList<>();
        for (Explanation e : explanations) {
            rules.add(new WhyView.RuleView(e.rule().name(), e.rule().sentence(), e.outcome(), e.sentence()));
        }
        return new WhyView(name, state.word(), summarySentence(), protections(), figures(), problems(), rules);
    }

    /** How far each member has applied the stream, and what it counts: of groups whose members are fed by one. */
    private List<String> figures() {
        List<String> sentences = new ArrayList<>();
        heard.forEach((member, last) -> {
            Sighting s = last.sighting();
            if (!s.positionKind().streamed()) {
                return;
            }
            long left = last.received().minus(last.applied()).transactions();
            sentences.add(member + " has applied " + (s.applied().isEmpty() ? "nothing of the stream" : s.applied())
                    + (left > 0 ? ", and lacks " + left + " messages of what its consumer has seen in the stream" : "")
                    + (s.lagMillis() > 0 ? ", the oldest for " + s.lagMillis() + " ms" : "")
                    + (s.sourceHeardMillis() < 0
                            ? "; its consumer hasn't asked for the stream's end yet"
                            : "; its consumer asked for the stream's end "
                                    + (s.sourceHeardMillis() + millis(view.nowNanos() - last.arrivedNanos()))
                                    + " ms ago"));
            ClusterNode node = s.node();
            if (node != null) {
                node.figures().forEach(figure -> sentences.add(member + ", " + figure));
            }
        });
        return sentences;
    }

    private List<String> problems() {
        List<String> all = new ArrayList<>(grave);
        all.addAll(serious);
        return all;
    }

    private String engine() {
        if (group != null) {
            return group.engine();
        }
        Expected expected = view.expected();
        return heard.values().stream()
                .map(h -> h.sighting().engine())
                .findFirst()
                .orElse(expected == null ? "" : expected.engine());
    }

    private String unit() {
        if (group != null) {
            return group.positionKind().unit();
        }
        return heard.values().stream()
                .map(h -> h.sighting().positionKind().unit())
                .findFirst()
                .orElse("");
    }

    private @Nullable ExpectedView expected() {
        Expected expected = view.expected();
        return expected == null
                ? null
                : new ExpectedView(
                        expected.engine(),
                        expected.policy().words(expected.positionKind()),
                        texts(expected.members()),
                        texts(view.awaited()),
                        expected.by(),
                        expected.reason(),
                        expected.wallMillis());
    }

    private static List<String> texts(SortedSet<Endpoint> addresses) {
        return addresses.stream().map(Endpoint::toString).toList();
    }

    private @Nullable Pause pause() {
        return group != null && group.pause() != null ? group.pause() : view.fleetPause();
    }

    // The whole group

    private GroupState state(boolean membersHaveProblems) {
        if (group == null) {
            return GroupState.NOT_ADOPTED;
        }
        boolean open = primaryIsOpen() || stillHeardByReplica();
        if (!(group.phase() instanceof Phase.Steady)) {
            boolean stuck = millis(view.nowNanos() - view.phaseSinceNanos()) >= STUCK_MILLIS;
            return stuck && !open ? GroupState.DOWN : GroupState.SWITCHING;
        }
        if (!open) {
            return GroupState.DOWN;
        }
        if (membersHaveProblems || !grave.isEmpty() || !serious.isEmpty()) {
            return GroupState.DEGRADED;
        }
        return pause() != null ? GroupState.PAUSED : GroupState.OK;
    }

    private void findGroupProblems() {
        serious.addAll(facts.groupProblems().getOrDefault(name, List.of()));
        Explanation ending = ending();
        if (group == null) {
            if (ending != null && ending.outcome().equals("holds")) {
                grave.add(ending.sentence());
            }
            return;
        }
        boolean steady = group.phase() instanceof Phase.Steady;
        if (steady) {
            if (ending != null && ending.outcome().equals("holds") && ending.rule() != Rule.PAUSED) {
                grave.add("no automatic switch: " + ending.sentence());
            }
            if (!primaryIsOpen() && pause() != null) {
                grave.add("nothing automatic happens because of the pause (hactl promote " + name
                        + " MEMBER --reason ... still works)");
            }
            if (names.state().equals("pending")) {
                serious.add("promoted, DNS pending: the names don't show epoch " + group.epoch() + " everywhere"
                        + (names.detail().isEmpty() ? "" : ": " + names.detail()));
            }
            findMissingProtection(group);
        } else {
            String detail = phaseDetail();
            grave.add("switch to epoch " + group.epoch() + " under way for "
                    + seconds(view.nowNanos() - view.phaseSinceNanos()) + (detail.isEmpty() ? "" : ": " + detail));
        }
    }

    private void findMissingProtection(Group adopted) {
        String primary = adopted.primary();
        Heard open = heard.get(primary);
        String waits = open == null || !primaryIsOpen() ? null : whatWaits(adopted, open.sighting());
        if (waits != null) {
            grave.add(waits);
        } else if (adopted.durability() == Durability.LOSSLESS
                && adopted.acknowledgers() < adopted.acknowledgersWanted()) {
            serious.add(
                    adopted.acknowledgers() == 0
                            ? "commits of " + primary + " aren't known to wait for acknowledgements, so a failure isn't"
                                    + " followed by an automatic switch (check that semi-synchronous replication is"
                                    + " installed and that replicas are attached)"
                            : "commits of " + primary + " wait for " + adopted.acknowledgers() + " acknowledgement(s), "
                                    + adopted.acknowledgersWanted()
                                    + " are wanted (check the replicas' semi-synchronous"
                                    + " replication)");
        }
        int reachable = reachableFollowers().size();
        int needed = needed(adopted);
        boolean electable = reachableFollowers().stream().anyMatch(view::electable);
        if (reachable < needed) {
            serious.add("a failure of " + primary + " wouldn't be followed by an automatic switch: " + needed
                    + " replica(s) are needed for it, " + reachable + " can be reached (bring replicas up)");
        } else if (!electable) {
            serious.add(
                    "a failure of " + primary + " wouldn't be followed by an automatic switch: no reachable replica is"
                            + " electable (see electable in the agents' settings, and replica-priority of Redis)");
        }
    }

    private @Nullable String whatWaits(Group adopted, Sighting s) {
        boolean tooFew = s.acknowledgers() < adopted.acknowledgers();
        if (adopted.acknowledgers() == 0
                || !(tooFew || s.waitingMillis() >= view.limits().silenceMillis())) {
            return null;
        }
        return "writes of " + s.member() + " wait: " + adopted.acknowledgers() + " replica(s) must acknowledge each, "
                + Math.max(0, s.acknowledgers()) + " are attached"
                + (s.waitingMillis() > 0 ? ", and one has waited " + s.waitingMillis() + " ms" : "")
                + " (bring a replica up; rule ACKNOWLEDGERS_LOST of hactl why " + name
                + " says what happens by itself)";
    }

    /** The rule that acts or holds; null where all pass. */
    private @Nullable Explanation ending() {
        for (Explanation e : explanations) {
            if (e.outcome().equals("acts") || e.outcome().equals("holds")) {
                return e;
            }
        }
        return null;
    }

    private String summarySentence() {
        Explanation ending = ending();
        if (ending != null) {
            return ending.outcome().equals("acts")
                    ? "rule " + ending.rule().name() + " acts now: " + ending.sentence()
                    : "rule " + ending.rule().name() + " holds everything after it back: " + ending.sentence();
        }
        if (group == null) {
            return "the group isn't adopted";
        }
        return state == GroupState.OK
                ? "all is well: " + group.primary() + " takes writes under epoch " + group.epoch()
                        + ", and no rule has anything to do"
                : "no rule has anything to do; what is wrong needs a person, or time";
    }

    private String phaseDetail() {
        if (group == null || group.phase() instanceof Phase.Steady) {
            return "";
        }
        Explanation ending = ending();
        if (ending != null && ending.rule() != Rule.ABANDON) {
            return ending.sentence();
        }
        Rule asked = group.phase() instanceof Phase.Draining ? Rule.CHOOSE_DRAINED : Rule.COMPLETE;
        return explanations.stream()
                .filter(e -> e.rule() == asked)
                .map(Explanation::sentence)
                .findFirst()
                .orElse("");
    }

    /** What a server promises by itself that acknowledges without waiting. */
    private static String asynchronous(Group adopted) {
        String primary = adopted.primary();
        return (adopted.acknowledgers() > 0
                        ? primary + " refuses writes while fewer than " + adopted.acknowledgers()
                                + " replica(s) have been heard within its min-replicas-max-lag; "
                        : primary + " takes writes also while no replica is attached; ")
                + "what it acknowledges is its own until a replica has it: a client that can't lose it says WAIT 1 after the"
                + " write, and takes a shorter answer for unknown";
    }

    private List<String> protections() {
        List<String> sentences = new ArrayList<>();
        if (group == null) {
            sentences.add("none: the arbiter does nothing about a group that isn't adopted");
            return sentences;
        }
        int followers = group.followers().size();
        int reachable = reachableFollowers().size();
        int needed = needed(group);
        String primary = group.primary();
        if (group.durability() == Durability.LOSSLESS && group.acknowledgers() > 0) {
            sentences.add("lossless: every commit of " + primary + " waits for " + group.acknowledgers() + " of "
                    + followers
                    + " followers; after a failure " + needed + " of them must be reached for the proof that nothing is"
                    + " lost");
        } else if (group.durability() == Durability.LOSSLESS
                && group.positionKind().streamed()) {
            sentences.add(
                    "lossless: nobody is promoted who hasn't applied the stream to the end that it had once " + primary
                            + " took no writes any more; what is acknowledged and not in the stream isn't covered"
                            + behindStream());
        } else if (group.durability() == Durability.LOSSLESS) {
            sentences.add("not lossless yet: commits of " + primary
                    + " aren't known to wait for acknowledgements; until then a person must decide on every failover");
        } else if (group.durability() == Durability.BOUNDED) {
            sentences.add(group.policy().words(group.positionKind())
                    + ": nobody is promoted by itself who may lack more than that of what " + primary
                    + " wrote up to the moment at which it stopped, or may have" + behind());
        } else {
            sentences.add(
                    "available: after a failover the newest writes may be missing; the switch log says how many are"
                            + " known to be");
        }
        if (group.positionKind().refusesWithoutReplicas()) {
            sentences.add(asynchronous(group));
        }
        long blocked = view.blockedMillis();
        if (blocked > 0) {
            sentences.add("not again yet: the group has failed over ("
                    + group.streak().failovers() + " in a row); were "
                    + primary + " lost now, the next failover would wait " + seconds(blocked * 1_000_000)
                    + " (hactl ack " + name + " ends the wait)");
        }
        boolean can = reachable >= needed
                && (!group.losslessByAcknowledgements() || group.acknowledgers() > 0)
                && reachableFollowers().stream().anyMatch(view::electable)
                && pause() == null;
        sentences.add(
                can
                        ? "a failure of " + primary + " is followed by an automatic switch to one of "
                                + String.join(
                                        ", ",
                                        reachableFollowers().stream()
                                                .filter(view::electable)
                                                .map(Member::name)
                                                .toList())
                                + "; " + (reachable - needed) + " replica(s) may be lost before that no longer holds"
                        : "a failure of " + primary + " is NOT followed by an automatic switch now");
        Heard last = heard.get(primary);
        if (last != null && fresh(primary) && last.sighting().acknowledgersRequired() > 0) {
            int spare = last.sighting().acknowledgers() - last.sighting().acknowledgersRequired();
            sentences.add(
                    spare >= 0
                            ? last.sighting().acknowledgers() + " replica(s) acknowledge and "
                                    + last.sighting().acknowledgersRequired() + " must: " + spare
                                    + " may be lost before writes wait"
                            : "writes wait: " + last.sighting().acknowledgersRequired()
                                    + " replica(s) must acknowledge, "
                                    + Math.max(0, last.sighting().acknowledgers()) + " do");
        }
        long lease = leaseEndsMillis(primary);
        if (lease > 0) {
            sentences.add("permission: " + primary + " may write for at most " + lease
                    + " ms more unless it is renewed; a silent primary is replaced after that");
        }
        sentences.add("agent lost: " + agentLost(group));
        sentences.add(withoutMasters(group));
        sentences.add(
                switch (names.state()) {
                    case "served" -> "DNS: every authoritative server shows epoch " + group.epoch();
                    case "pending" ->
                        "DNS: clients that use the names may still go to an older primary, which is fenced";
                    default -> "DNS: the arbiter keeps no names for this group";
                });
        return sentences;
    }

    /** How far each member that can be reached has applied the stream. */
    private String behindStream() {
        StringBuilder far = new StringBuilder();
        for (Member follower : reachableFollowers()) {
            Heard last = heard.get(follower.name());
            if (last == null) {
                continue;
            }
            long left = last.received().beyond(last.applied());
            long ago = last.sighting().sourceHeardMillis();
            far.append("; ").append(follower.name()).append(" has ");
            far.append(left == 0 ? "applied all that it knows of" : left + " messages to apply");
            far.append(ago < 0 ? ", and hasn't heard of the stream" : ", as of " + ago + " ms ago");
        }
        return far.toString();
    }

    /** Who of the followers is too far behind now. */
    private String behind() {
        StringBuilder far = new StringBuilder();
        for (Member follower : reachableFollowers()) {
            Heard last = heard.get(follower.name());
            String beyond = last == null ? null : view.beyondBound(last);
            if (beyond != null) {
                far.append("; now ").append(beyond);
            }
        }
        return far.toString();
    }

    /**
     * The layers that the group has where the primary's agent ends or stands still and its server runs on: no lease protects
     * then, since it is the agent that would keep it.
     */
    private String agentLost(Group adopted) {
        String primary = adopted.primary();
        Heard last = heard.get(primary);
        Guard guard = last == null || !fresh(primary) ? null : last.sighting().guard();
        String manager =
                guard == null ? "whether a service manager would fence " + primary + " isn't known now" : guard(guard);
        String others = lessGuarded(adopted, guard);
        if (adopted.durability() == Durability.LOSSLESS && adopted.acknowledgers() > 0) {
            return "lossless: " + primary
                    + " can't acknowledge a write any more once its replicas are sealed, and nobody is"
                    + " promoted before; " + manager + others;
        }
        boolean guarded = guard != null && guard.kind().compareTo(Guard.Kind.IN_TIME) >= 0;
        if (adopted.positionKind().streamed()) {
            return (guarded
                            ? "guarded: "
                            : "not guarded in time: without the agent beside its elected node " + primary
                                    + " may go on taking writes; there is no automatic switch while agents of its other nodes are"
                                    + " heard, and where none is two clusters may take writes; ")
                    + manager
                    + others;
        }
        return guarded
                ? "not lossless, and guarded: " + manager + others
                : "not lossless, and not guarded in time: " + primary
                        + " may go on taking writes without its agent; there is"
                        + " no automatic switch while a replica hears it, and where none does two servers may take writes; "
                        + manager + " (docs/getting-started.md has the units)" + others;
    }

    /** Who may become the primary and has less of a guard than that one; empty for nobody. */
    private String lessGuarded(Group adopted, @Nullable Guard guard) {
        List<String> less = new ArrayList<>();
        for (Member follower : adopted.followers()) {
            Heard last = heard.get(follower.name());
            if (guard != null
                    && last != null
                    && view.electable(follower)
                    && fresh(follower.name())
                    && last.sighting().guard().kind().compareTo(guard.kind()) < 0) {
                less.add(follower.name());
            }
        }
        return less.isEmpty() ? "" : "; less so of " + String.join(", ", less) + ", which may be promoted";
    }

    private static String guard(Guard guard) {
        String within = "the service manager fences it within " + guard.withinMillis()
                + " ms of its agent's last sign of life, ";
        return switch (guard.kind()) {
            case NONE -> "no service manager fences it (WatchdogSec, ExecStopPost)";
            case WATCHDOG ->
                "the service manager ends an agent that stands still, but nothing fences the server (ExecStopPost)";
            case STOP_HOOK ->
                "the service manager fences it when its agent ends, but notices none that stands still (WatchdogSec)";
            case LATE -> within + "which may be after its permission has ended (WatchdogSec)";
            case IN_TIME -> within + "before its permission ends";
            case ALWAYS -> within + "before its permission ends, even where it had no answer for a while before";
        };
    }

    private String withoutMasters(Group adopted) {
        String primary = adopted.primary();
        if (view.limits().whenArbiterLost() == WhenArbiterLost.FENCE) {
            return "without masters: " + primary + " is fenced when its permission ends (when-arbiter-lost: fence)";
        }
        if (adopted.peers().isEmpty()) {
            return "without masters: " + primary
                    + " would be fenced when its permission ends, since its agent isn't known to"
                    + " have a list of electable replicas whose agents could let it go on";
        }
        List<String> silent =
                adopted.peers().stream().filter(peer -> !fresh(peer)).toList();
        return "without masters: " + primary + " goes on while the agents of all of "
                + String.join(", ", adopted.peers())
                + " permit it"
                + (silent.isEmpty()
                        ? ""
                        : "; nothing is heard of " + String.join(", ", silent) + " now, so it would be fenced");
    }

    private static int needed(Group group) {
        return group.durability() == Durability.LOSSLESS && group.acknowledgers() > 0 ? group.sealsNeeded() : 1;
    }

    private List<Member> reachableFollowers() {
        return group == null
                ? List.of()
                : group.followers().stream()
                        .filter(m -> is(ServerState.RUNNING, m.name()))
                        .toList();
    }

    private boolean primaryIsOpen() {
        if (group == null) {
            return false;
        }
        Heard last = heard.get(group.primary());
        return last != null
                && is(ServerState.RUNNING, group.primary())
                && last.sighting().writable()
                && last.sighting().openEpoch() == group.epoch();
    }

    /** The primary's agent is gone and its server is well, as far as its replicas can tell. */
    private boolean stillHeardByReplica() {
        if (group == null || fresh(group.primary())) {
            return false;
        }
        return reachableFollowers().stream().anyMatch(m -> {
            Heard last = heard.get(m.name());
            return last != null
                    && last.sighting().receiving()
                    && last.sighting().sourceHeardMillis() >= 0
                    && last.sighting().sourceHeardMillis() < view.limits().silenceMillis();
        });
    }

    /** Of a cluster other nodes may be heard than the one that spoke for it. */
    private String unheardFor(String member, String duration) {
        List<String> nodes = arbiter.nodesOf(name, member, view.nowNanos());
        return nodes.isEmpty()
                ? "nothing heard of its agent for " + duration
                        + " (is ha-agent running there, and can it reach the masters?)"
                : "nobody has spoken for the cluster for " + duration
                        + ": it has elected no node, or the agent beside the elected one can't reach the masters (a cluster"
                        + " without an elected node counts as hung once it has lasted election-millis of its agents); of its nodes "
                        + String.join("; ", nodes);
    }

    private static List<NamesView.Name> withRules(Group adopted, List<NamesView.Name> wanted) {
        return wanted.stream()
                .map(name -> {
                    TrafficClass trafficClass = adopted.classes().get(name.name());
                    return new NamesView.Name(
                            name.name(),
                            name.addresses(),
                            name.ttlSeconds(),
                            trafficClass == null ? "" : trafficClass.words());
                })
                .toList();
    }

    private NamesView names() {
        return group == null ? NamesView.none() : names(group, facts);
    }

    /** How it stands with a group's names. */
    static NamesView names(Group group, MasterFacts facts) {
        NamesView known = facts.names().get(group.name());
        boolean published = group.publishedEpoch() >= group.epoch();
        if (known != null) {
            boolean served = known.state().equals("served") && known.epoch() == group.epoch();
            return new NamesView(
                    served ? "served" : "pending",
                    known.epoch(),
                    group.publishedEpoch(),
                    known.detail(),
                    withRules(group, known.wanted()),
                    known.servers());
        }
        // Only a leader publishes; what it once published, the log tells every master.
        return group.publishedEpoch() == 0
                ? NamesView.none()
                : new NamesView(
                        published ? "served" : "pending",
                        group.epoch(),
                        group.publishedEpoch(),
                        "",
                        List.of(),
                        List.of());
    }

    // One member

    private MemberView member(String member) {
        Member logged = group == null ? null : group.members().get(member);
        Heard last = heard.get(member);
        String role = role(member, logged);
        if (last == null) {
            return unheard(member, logged, role);
        }
        Sighting s = last.sighting();
        boolean fresh = fresh(member);
        List<String> problems = new ArrayList<>();
        if (!fresh) {
            problems.add(unheardFor(member, seconds(view.nowNanos() - last.arrivedNanos())));
        } else {
            String stateProblem = stateProblem(s, role);
            if (stateProblem != null) {
                problems.add(stateProblem);
            } else {
                findRoleProblems(role, last, problems);
            }
            problems.addAll(s.problems());
        }
        Goal goal = arbiter.goal(name, member);
        return new MemberView(
                member,
                logged == null ? s.site() : logged.site(),
                (logged == null ? s.address() : logged.address()).toString(),
                s.version(),
                role,
                fresh ? Views.word(s.state()) : "silent",
                healthy(role, last),
                s.detail(),
                s.writable(),
                s.source() == null ? "" : s.source().toString(),
                s.receiving(),
                s.applying(),
                s.sealedEpoch(),
                s.fencedEpoch(),
                s.openEpoch(),
                s.received(),
                s.applied(),
                transactionsBehind(last),
                Math.max(0, last.received().transactions() - last.applied().transactions()),
                s.lagMillis(),
                millis(view.nowNanos() - last.arrivedNanos()),
                leaseEndsMillis(member),
                s.acknowledgers(),
                s.acknowledgersRequired(),
                logged == null ? s.electable() : view.electable(logged),
                guard(s.guard()),
                goal == null
                        ? null
                        : new GoalView(
                                Views.word(goal.role()),
                                goal.epoch(),
                                goal.source() == null ? "" : goal.source().toString(),
                                goal.upTo(),
                                goal.reason()),
                problems);
    }

    private MemberView unheard(String member, @Nullable Member logged, String role) {
        // A master that has only just started hasn't had time to hear of anybody.
        boolean early = view.nowNanos() - view.listeningSinceNanos() < silenceNanos();
        List<String> problems = early
                ? List.of()
                : List.of("nothing was heard of its agent since " + facts.name()
                        + " started (is ha-agent running there, and can it reach the masters?)");
        return new MemberView(
                member,
                logged == null ? "" : logged.site(),
                logged == null ? "" : logged.address().toString(),
                "",
                role,
                "silent",
                false,
                "",
                false,
                "",
                false,
                false,
                0,
                0,
                0,
                "",
                "",
                -1,
                -1,
                -1,
                -1,
                leaseEndsMillis(member),
                -1,
                0,
                logged != null && logged.electable(),
                "",
                null,
                problems);
    }

    private String role(String member, @Nullable Member logged) {
        if (group == null || logged == null) {
            return "none";
        }
        if (member.equals(group.primary())) {
            return "primary";
        }
        if (logged.standing() == Standing.FOLLOWING) {
            return "replica";
        }
        return logged.donor() == null ? "away" : "rebuilt";
    }

    private boolean healthy(String role, Heard last) {
        Sighting s = last.sighting();
        if (!is(ServerState.RUNNING, s.member())) {
            return false;
        }
        return switch (role) {
            case "primary" -> group != null && s.writable() && s.openEpoch() == group.epoch();
            case "replica" -> s.receiving() && s.applying() && !s.writable();
            case "none" -> group == null;
            default -> false;
        };
    }

    private static @Nullable String stateProblem(Sighting s, String role) {
        String detail = s.detail().isEmpty() ? "" : ": " + s.detail();
        return switch (s.state()) {
            case RUNNING -> null;
            case UNKNOWN ->
                "its agent can't tell how the server is" + detail
                        + (s.detail().isEmpty() ? " (look at the agent's log)" : "");
            case STARTING -> "its server is starting" + detail + " (wait, or look at its error log)";
            case REFUSING -> "its server turns clients or writes away" + detail;
            case HUNG ->
                "its server lives and answers nothing" + detail
                        + (role.equals("primary") ? "" : " (look at its disk and its error log; restart it)");
            case DEAD ->
                "its server has ended" + detail
                        + " (look at its error log and start it; it comes up fenced and rejoins by itself)";
        };
    }

    private void findRoleProblems(String role, Heard last, List<String> problems) {
        Sighting s = last.sighting();
        if (group == null) {
            return;
        }
        boolean steady = group.phase() instanceof Phase.Steady;
        if (role.equals("primary")) {
            if (steady && !primaryIsOpen()) {
                problems.add("is the primary and takes no writes"
                        + (s.detail().isEmpty() ? "" : ": " + s.detail())
                        + " (hactl why " + name + " says what is awaited)");
            }
            return;
        }
        if (s.writable()) {
            problems.add(
                    "takes writes and isn't the primary (its agent is told to fence it; look at that agent's log)");
        }
        if (!steady || !primaryIsOpen()) {
            return;
        }
        String primary = group.primary();
        if (role.equals("replica")) {
            String address = group.primaryMember().address().toString();
            String source = s.source() == null ? "nobody" : s.source().toString();
            if (!source.equals(address)) {
                problems.add("follows " + source + ", should follow " + primary + " (" + address
                        + "); its agent is told so (look at that agent's log)");
            } else if (!s.receiving()) {
                problems.add("receives nothing from " + primary
                        + " (look at its replication status: network, account, purged logs)");
            }
            if (!s.applying()) {
                problems.add("doesn't apply what it received (look at its replication status for the error)");
            }
            if (!s.historyComplete()) {
                problems.add("may lack writes that it acknowledged before its restart, until it has caught up");
            }
            return;
        }
        Position beyond = beyondPrimary(last);
        if (beyond == null) {
            problems.add("its position can't be compared with that of " + primary + " (is it another engine?)");
        } else if (beyond.isEmpty()) {
            problems.add("is kept fenced until it rejoins; its history is part of the primary's (hactl why " + name
                    + ", rule MEMBER_JOINS)");
        } else {
            boolean byItself = last.sighting().positionKind().copiedByFollowing();
            problems.add("holds " + last.sighting().positionKind().unit() + " that " + primary + " lacks: " + beyond
                    + (byItself
                            ? " (its agent saves its data, and then it takes a copy by itself)"
                            : " (it stays fenced: hactl rebuild saves them and gives it a copy of the data)"));
        }
    }

    private @Nullable Position beyondPrimary(Heard last) {
        Heard primary = group == null ? null : heard.get(group.primary());
        if (primary == null
                || primary.sighting().positionKind() != last.sighting().positionKind()) {
            return null;
        }
        return last.received().minus(primary.received());
    }

    private long transactionsBehind(Heard last) {
        Heard primary = group == null ? null : heard.get(group.primary());
        if (primary == null
                || primary.sighting().positionKind() != last.sighting().positionKind()
                || !primary.received().covers(last.received())) {
            return -1;
        }
        return primary.received().transactions() - last.received().transactions();
    }

    private long leaseEndsMillis(String member) {
        if (!arbiter.leading()) {
            return -1;
        }
        Long granted = view.grantedNanos().get(member);
        boolean primary = group != null && member.equals(group.primary());
        if (granted == null && !primary) {
            return 0;
        }
        long newest = Math.max(granted == null ? view.leaderSinceNanos() : granted, view.leaderSinceNanos());
        long wait = view.limits().leaseMillis() * (1_000L + view.limits().driftPerMille()) * 1_000L;
        return Math.max(0, millis(newest + wait - view.nowNanos()));
    }

    private boolean fresh(String member) {
        Heard last = heard.get(member);
        return last != null && view.nowNanos() - last.arrivedNanos() < silenceNanos();
    }

    private boolean is(ServerState wanted, String member) {
        Heard last = heard.get(member);
        return last != null && fresh(member) && last.sighting().state() == wanted;
    }

    private long silenceNanos() {
        return view.limits().silenceMillis() * 1_000_000L;
    }

    private static String phaseWord(Phase phase) {
        if (phase instanceof Phase.Steady) {
            return "steady";
        }
        if (phase instanceof Phase.Sealing) {
            return "sealing";
        }
        if (phase instanceof Phase.Preparing) {
            return "preparing";
        }
        return phase instanceof Phase.Draining ? "draining" : "promoting";
    }

    private static long millis(long nanos) {
        return nanos / 1_000_000;
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.1f s", nanos / 1e9);
    }
}
