package org.haarbiter.master.core;

import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.master.core.Command.Outcome;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/** Judges what a person asks for. A refusal says what is wrong and changes nothing. */
final class Commands {
    private Commands() {}

    static Outcome check(View view, Command command) {
        if (command.reason().isBlank()) {
            return Outcome.refused("a reason is needed (--reason)");
        }
        if (command instanceof Command.Promote promote) {
            return promote(view, promote);
        }
        Group group = view.group();
        if (group == null && command.group().isEmpty()) {
            return ofFleet(view, command);
        }
        if (command instanceof Command.ExpectGroup expect) {
            return expect(view, expect);
        }
        if (command instanceof Command.ForgetGroup) {
            return forget(view, command);
        }
        if (group == null) {
            return Outcome.refused("group '" + command.group() + "' isn't adopted");
        }
        if (command instanceof Command.Demote demote) {
            return demote(view, group, demote);
        }
        if (command instanceof Command.Switchover switchover) {
            return switchover(view, group, switchover);
        }
        if (command instanceof Command.Rebuild rebuild) {
            return rebuild(view, group, rebuild);
        }
        if (command instanceof Command.ChangePolicy change) {
            return changePolicy(view, group, change);
        }
        if (command instanceof Command.Acknowledge) {
            return acknowledge(view, group, command);
        }
        if (command instanceof Command.SetClass set) {
            return setClass(view, group, set);
        }
        return command instanceof Command.Pause pause
                ? pause(view, pause)
                : resume(view, command, group.pause(), "group '" + group.name() + "'");
    }

    static Outcome setRecords(ClusterState state, Command.SetRecords command, long wallMillis) {
        SortedMap<String, RecordsByHand> present = state.records();
        RecordsByHand records = command.records();
        String problem = command.reason().isBlank() ? "a reason is needed (--reason)" : records.problemBeside(present);
        if (problem == null && !records.values().isEmpty()) {
            problem = EndpointCommands.takenProblem(state, records.name());
        }
        return problem != null
                ? Outcome.refused(problem)
                : Outcome.accepted(
                        new Entry.RecordsSet(records, command.by(), command.reason(), wallMillis),
                        records.values().isEmpty()
                                ? "removed: "
                                        + Objects.requireNonNull(present.get(records.key()))
                                                .words()
                                : "set: " + records.words());
    }

    private static Outcome ofFleet(View view, Command command) {
        if (command instanceof Command.Pause pause) {
            return pause(view, pause);
        }
        if (command instanceof Command.Resume) {
            return resume(view, command, view.fleetPause(), "the fleet");
        }
        return Outcome.refused("a group is needed");
    }

    private static Outcome pause(View view, Command.Pause command) {
        return command.forMillis() < 0 || command.forMillis() > Pause.LONGEST_MILLIS
                ? Outcome.refused("for: " + command.forMillis() + " ms (must be 1 to " + Pause.LONGEST_MILLIS
                        + ", or 0 until somebody ends it)")
                : Outcome.accepted(
                        new Entry.Paused(
                                command.group(),
                                command.by(),
                                command.reason(),
                                view.wallMillis(),
                                command.forMillis()),
                        "paused" + (command.forMillis() == 0 ? "" : " for " + command.forMillis() / 1_000 + " s"));
    }

    private static Outcome acknowledge(View view, Group group, Command command) {
        int failovers = group.streak().failovers();
        return failovers == 0
                ? Outcome.refused("group '" + group.name() + "' has no failover that isn't acknowledged")
                : Outcome.accepted(
                        new Entry.FailoversAcknowledged(
                                group.name(), command.by(), command.reason(), view.wallMillis()),
                        "the failovers of group '" + group.name() + "' are acknowledged (" + failovers + " in a row)");
    }

    private static Outcome resume(View view, Command command, @Nullable Pause present, String what) {
        return present == null
                ? Outcome.refused(what + " isn't paused")
                : Outcome.accepted(
                        new Entry.Resumed(command.group(), command.by(), command.reason(), view.wallMillis()),
                        "resumed");
    }

    private static Outcome changePolicy(View view, Group group, Command.ChangePolicy command) {
        if (!(group.phase() instanceof Phase.Steady)) {
            return underWay(group);
        }
        Policy before = group.policy();
        Changed changed = changed(view, group.positionKind(), before, command);
        Policy after = changed.policy();
        if (after == null) {
            return Outcome.refused(changed.problem());
        }
        return after.equals(before)
                ? Outcome.refused(
                        "group '" + group.name() + "' promises that already: " + before.words(group.positionKind()))
                : Outcome.accepted(
                        new Entry.PolicyChanged(
                                group.name(), group.epoch(), after, command.by(), command.reason(), view.wallMillis()),
                        "group '" + group.name() + "' is " + after.words(group.positionKind()) + " (before: "
                                + before.words(group.positionKind()) + ")");
    }

    /** A policy with what a person wants changed in it, or why it can't be promised. */
    private record Changed(@Nullable Policy policy, String problem) {}

    private static Changed changed(View view, PositionKind kind, Policy before, Command.ChangePolicy command) {
        Durability durability = command.durability() == null ? before.durability() : command.durability();
        long millis = command.maxLagMillis() == null ? before.maxLagMillis() : command.maxLagMillis();
        long transactions =
                command.maxLagTransactions() == null ? before.maxLagTransactions() : command.maxLagTransactions();
        long priority = command.priority() == null ? before.priority() : command.priority();
        String problem = Policy.problem(durability, millis, transactions, priority);
        if (problem == null) {
            problem = durability == Durability.BOUNDED
                    ? view.limits().tooShort(millis)
                    : Policies.problem(kind, durability);
        }
        if (problem != null) {
            return new Changed(null, problem);
        }
        return new Changed(
                new Policy(
                        durability,
                        millis,
                        transactions,
                        command.onNoAcknowledger() == null ? before.onNoAcknowledger() : command.onNoAcknowledger(),
                        (int) priority),
                "");
    }

    private static Outcome setClass(View view, Group group, Command.SetClass command) {
        TrafficClass before = group.classes().get(command.name());
        TrafficClass after = command.trafficClass();
        String was = before == null || before.equals(TrafficClass.REMOVED) ? "" : before.words();
        if (after.equals(TrafficClass.REMOVED) && was.isEmpty()) {
            return Outcome.refused("group '" + group.name() + "' has no traffic class '" + command.name()
                    + "' (hactl group show " + group.name() + " lists them)");
        }
        if (after.equals(before)) {
            return Outcome.refused("traffic class '" + command.name() + "' of group '" + group.name() + "': "
                    + after.words() + " already");
        }
        for (String pin : after.pins()) {
            if (!group.members().containsKey(pin)) {
                return noMember(group, pin);
            }
        }
        if (before == null && group.classes().size() >= TrafficClass.MOST) {
            return Outcome.refused(
                    "group '" + group.name() + "' has " + group.classes().size()
                            + " traffic classes, those included whose names are still to go from the DNS (at most "
                            + TrafficClass.MOST + ")");
        }
        return Outcome.accepted(
                new Entry.ClassSet(
                        group.name(), command.name(), after, command.by(), command.reason(), view.wallMillis()),
                "traffic class '" + command.name() + "' of group '" + group.name() + "': "
                        + (after.equals(TrafficClass.REMOVED) ? "removed" : after.words())
                        + (was.isEmpty() ? "" : " (before: " + was + ")"));
    }

    private static Outcome expect(View view, Command.ExpectGroup command) {
        String name = command.group();
        Group group = view.group();
        if (group != null) {
            return Outcome.refused("group '" + name + "' is adopted already, with primary " + group.primary() + " ("
                    + group.primaryMember().address() + "); hactl group set " + name + " changes what it promises");
        }
        Changed changed = changed(
                view, command.positionKind(), view.limits().policies().of(command.positionKind()), command.policy());
        Policy policy = changed.policy();
        return policy == null
                ? Outcome.refused(changed.problem())
                : Outcome.accepted(
                        new Entry.GroupExpected(new Expected(
                                name,
                                command.engine(),
                                command.positionKind(),
                                policy,
                                command.members(),
                                command.by(),
                                command.reason(),
                                view.wallMillis())),
                        "group '" + name + "' is adopted, " + policy.words(command.positionKind())
                                + ", once the agents of "
                                + Rule.Adoption.words(command.members()) + " report"
                                + (view.expected() == null ? "" : " (expected otherwise before)"));
    }

    private static Outcome forget(View view, Command command) {
        String name = command.group();
        if (view.group() != null) {
            return Outcome.refused(
                    "group '" + name + "' is adopted: only a group that is expected can be forgotten (to leave"
                            + " this one alone: hactl pause " + name + ")");
        }
        return view.expected() == null
                ? Outcome.refused("group '" + name + "' isn't expected; it is known because its agents report it")
                : Outcome.accepted(
                        new Entry.GroupForgotten(name, command.by(), command.reason(), view.wallMillis()),
                        "group '" + name + "' is expected no more"
                                + (view.heard().isEmpty() ? "" : "; it is adopted by what its agents report"));
    }

    private static Outcome underWay(Group group) {
        return Outcome.refused(
                "a switch of group '" + group.name() + "' is under way; wait for it (hactl why " + group.name() + ")");
    }

    private static Outcome noMember(Group group, String member) {
        return Outcome.refused("no member '" + member + "' in group '" + group.name() + "' (known: "
                + String.join(", ", group.members().keySet()) + ")");
    }

    private static Outcome promote(View view, Command.Promote command) {
        Heard target = view.heardOf(command.member());
        if (target == null) {
            return Outcome.refused("nothing is heard of a member '" + command.member() + "' of group '"
                    + command.group() + "' (members heard: "
                    + String.join(", ", view.heard().keySet()) + ")");
        }
        if (!view.in(ServerState.RUNNING, command.member())) {
            return Outcome.refused(
                    command.member() + " can't be promoted: it is " + view.describe(command.member(), target));
        }
        if (target.sighting().rebuilding()) {
            return Outcome.refused(command.member() + " can't be promoted: its data isn't whole: "
                    + String.join("; ", target.sighting().problems()));
        }
        Group group = view.group();
        if (group == null) {
            return adopt(view, command, target);
        }
        Member member = group.members().get(command.member());
        if (member == null) {
            return Outcome.refused(command.member() + " isn't part of group '" + group.name() + "' yet");
        }
        if (!(group.phase() instanceof Phase.Steady || group.phase() instanceof Phase.Sealing)) {
            return underWay(group);
        }
        boolean stuck = group.phase() instanceof Phase.Sealing;
        if (command.member().equals(group.primary()) && !stuck) {
            return Outcome.refused(command.member() + " is the primary of group '" + group.name() + "' already");
        }
        if (member.standing() == Standing.AWAY && !command.acceptDataLoss()) {
            return Outcome.refused(
                    command.member() + " is away: its history may lack acknowledged writes, or hold others "
                            + "(--accept-data-loss overrides)");
        }
        boolean planned = !stuck && primaryIsWell(view, group) && !command.acceptDataLoss();
        if (planned && member.standing() == Standing.AWAY) {
            return Outcome.refused(command.member() + " doesn't follow the primary");
        }
        return planned
                ? prepare(view, group, target, command)
                : start(view, group, command.member(), command.acceptDataLoss(), command);
    }

    private static Outcome adopt(View view, Command.Promote command, Heard target) {
        Endpoint source = target.sighting().source();
        boolean sourceHeard = source == null
                || view.heard().values().stream()
                        .anyMatch(heard -> source.equals(heard.sighting().address()));
        if (!sourceHeard && !command.acceptDataLoss()) {
            // A master that was started just now may not have heard of it yet.
            return Outcome.refused(
                    command.member() + " follows " + source
                            + ", of which nothing is heard, so it isn't known what that one holds (--accept-data-loss overrides)");
        }
        if (!target.sighting().historyComplete() && !command.acceptDataLoss()) {
            return Outcome.refused(command.member()
                    + " was restarted and may have dropped acknowledged writes, which others may hold"
                    + " (--accept-data-loss overrides)");
        }
        for (Heard heard : view.heard().values()) {
            String member = heard.sighting().member();
            // Whoever follows an open primary has nothing that it lacks.
            boolean replica = target.sighting().writable()
                    && target.sighting().address().equals(heard.sighting().source());
            if (!replica && !view.in(ServerState.RUNNING, member) && !command.acceptDataLoss()) {
                return Outcome.refused("it isn't known what " + member + " holds now: it is "
                        + view.describe(member, heard) + " (--accept-data-loss overrides)");
            }
            if (!replica && !target.received().covers(heard.received()) && !command.acceptDataLoss()) {
                return Outcome.refused(
                        heard.sighting().member() + " holds " + heard.received().minus(target.received()) + ", which "
                                + command.member() + " lacks (--accept-data-loss overrides)");
            }
            if (!heard.sighting().member().equals(command.member())
                    && heard.sighting().writable()) {
                return Outcome.refused(heard.sighting().member() + " takes writes; make it read-only first");
            }
        }
        Verdict.Act act = Rule.Adoption.adopt(view, target, command.acceptDataLoss(), command.by(), command.reason());
        String unexpected = Rule.Adoption.unlikeExpected(view);
        return Outcome.accepted(
                act.entry(), act.sentence() + (unexpected == null ? "" : ", although not as expected: " + unexpected));
    }

    private static Outcome demote(View view, Group group, Command.Demote command) {
        if (!command.member().equals(group.primary())) {
            return Outcome.refused(command.member() + " isn't the primary of group '" + group.name() + "'; "
                    + group.primary() + " is");
        }
        if (!(group.phase() instanceof Phase.Steady)) {
            return underWay(group);
        }
        boolean candidate = view.reachableFollowers().stream().anyMatch(view::electable);
        if (!candidate) {
            return Outcome.refused("no other member of group '" + group.name() + "' can be promoted");
        }
        Heard best = primaryIsWell(view, group) ? Rule.Choice.bestFollower(view) : null;
        return best == null ? start(view, group, null, false, command) : prepare(view, group, best, command);
    }

    private static Outcome switchover(View view, Group group, Command.Switchover command) {
        if (!(group.phase() instanceof Phase.Steady)) {
            return underWay(group);
        }
        if (!primaryIsWell(view, group)) {
            return Outcome.refused(group.primary() + " isn't well, so a planned switch can't be made (hactl promote "
                    + group.name() + " MEMBER, or leave it to the rules: hactl why " + group.name() + ")");
        }
        if (command.to() == null) {
            Heard best = Rule.Choice.bestFollower(view);
            return best == null
                    ? Outcome.refused("no electable follower of group '" + group.name()
                            + "' is running and receives from " + group.primary())
                    : prepare(view, group, best, command);
        }
        Member member = group.members().get(command.to());
        if (member == null) {
            return noMember(group, command.to());
        }
        if (command.to().equals(group.primary())) {
            return Outcome.refused(command.to() + " is the primary of group '" + group.name() + "' already");
        }
        Heard target = view.heardOf(command.to());
        if (member.standing() == Standing.AWAY) {
            return Outcome.refused(command.to() + " doesn't follow " + group.primary() + " (hactl why " + group.name()
                    + " says what keeps it away)");
        }
        if (target == null || !view.in(ServerState.RUNNING, command.to())) {
            return Outcome.refused(command.to() + " can't be promoted: "
                    + (target == null ? "nothing is heard of it" : "it is " + view.describe(command.to(), target)));
        }
        return prepare(view, group, target, command);
    }

    private static Outcome rebuild(View view, Group group, Command.Rebuild command) {
        Member member = group.members().get(command.member());
        if (member == null) {
            return noMember(group, command.member());
        }
        if (command.member().equals(group.primary())) {
            return Outcome.refused(
                    command.member() + " is the primary of group '" + group.name() + "' (hactl switchover first)");
        }
        if (member.standing() == Standing.FOLLOWING) {
            return Outcome.refused(command.member() + " follows " + group.primary()
                    + " and counts as one that acknowledges; only a member that is away can be rebuilt");
        }
        if (!(group.phase() instanceof Phase.Steady)) {
            return underWay(group);
        }
        Heard heard = view.heardOf(command.member());
        if (heard == null || !view.in(ServerState.RUNNING, command.member())) {
            return Outcome.refused(command.member() + " can't be rebuilt: "
                    + (heard == null ? "nothing is heard of it" : "it is " + view.describe(command.member(), heard))
                    + " (its agent and its server must run)");
        }
        List<String> donors =
                Goals.donors(group, view.heard()).stream().map(Member::name).toList();
        String donor = command.from() != null ? command.from() : donors.isEmpty() ? null : donors.get(0);
        if (donor == null || !donors.contains(donor)) {
            return Outcome.refused((donor == null ? "nobody" : donor) + " can't hand out a copy (who can now: "
                    + (donors.isEmpty() ? "nobody" : String.join(", ", donors)) + ")");
        }
        return Outcome.accepted(
                new Entry.RebuildStarted(
                        group.name(),
                        group.epoch(),
                        command.member(),
                        donor,
                        command.by(),
                        command.reason(),
                        surplus(view, group, heard),
                        view.wallMillis()),
                command.member() + " is rebuilt from " + donor);
    }

    /** What only the member holds, and whether somebody may have seen it acknowledged. */
    private static SortedMap<String, String> surplus(View view, Group group, Heard heard) {
        TreeMap<String, String> evidence = new TreeMap<>();
        Heard primary = view.heardOf(group.primary());
        var beyond = primary == null ? heard.received() : heard.received().minus(primary.received());
        if (!beyond.isEmpty()) {
            evidence.put("surplus", beyond.toString());
            evidence.put("surplus_transactions", Long.toString(beyond.transactions()));
            evidence.put(
                    "surplus_acknowledged",
                    group.durability() == Durability.LOSSLESS
                            ? "no, unless a person accepted a loss: every switch of a lossless group keeps what was acknowledged"
                            : "some may have been: the group isn't lossless");
        }
        return evidence;
    }

    /** A planned switch. A replica that the primary can spare goes over to the candidate first. */
    private static Outcome prepare(View view, Group group, Heard candidate, Command command) {
        String name = candidate.sighting().member();
        if (!candidate.replicates()) {
            return Outcome.refused(name + " doesn't receive and apply what " + group.primary() + " writes: it is "
                    + view.describe(name, candidate));
        }
        Heard primary = view.heardOf(group.primary());
        boolean spare = primary != null && primary.sighting().acknowledgers() > group.acknowledgers();
        String vanguard = !spare
                ? null
                : view.reachableFollowers().stream()
                        .map(Member::name)
                        .filter(member -> !member.equals(name))
                        .findFirst()
                        .orElse(null);
        return Outcome.accepted(
                new Entry.PreparationStarted(
                        group.name(), group.epoch(), name, vanguard, command.by(), command.reason(), view.wallMillis()),
                "planned switch of group '" + group.name() + "' from " + group.primary() + " to " + name + " begins");
    }

    private static boolean primaryIsWell(View view, Group group) {
        Heard primary = view.heardOf(group.primary());
        return primary != null
                && view.in(ServerState.RUNNING, group.primary())
                && primary.sighting().openEpoch() == group.epoch();
    }

    private static Outcome start(
            View view, Group group, @Nullable String target, boolean acceptDataLoss, Command command) {
        return Outcome.accepted(
                new Entry.SwitchStarted(
                        group.name(),
                        group.epoch(),
                        Trigger.MANUAL,
                        false,
                        target,
                        null,
                        acceptDataLoss,
                        0,
                        command.by(),
                        command.reason(),
                        view.evidence(),
                        view.wallMillis()),
                "failover of group '" + group.name() + "' from " + group.primary()
                        + (target == null ? "" : " to " + target) + " begins");
    }
}
