package org.haarbiter.sim;

import static org.haarbiter.sim.PlantedBugs.agent;
import static org.haarbiter.sim.PlantedBugs.master;
import static org.haarbiter.sim.PlantedBugs.sim;
import static org.haarbiter.sim.PlantedBugs.words;

import java.util.List;
import org.haarbiter.sim.PlantedBugs.Bug;

/** The planted bugs. One that isn't found asks for richer faults, not for its removal. */
@SuppressWarnings("StringConcatToTextBlock") // each line is a line of the source that is replaced
final class BugList {
    private BugList() {}

    private static Bug bug(String story, String file, String right, String wrong, int seeds) {
        return new Bug(story, file, List.of(right, wrong), 1, seeds);
    }

    static final List<Bug> USUAL = List.of(
            bug(
                    "a Redis primary that came back without its history opens before its followers are heard",
                    master("Rule"),
                    "if (old != null && !whole && mayHoldMore(group, sealed)) {",
                    "if (old != null && !whole && mayHoldMore(group, List.of()) && group.followers().isEmpty()) {",
                    12_000),
            bug(
                    "a Redis replica that came back without its history is promoted before the others are heard",
                    master("Rule"),
                    "if (!sealing.acceptDataLoss() && !candidates.isEmpty() && mayHoldMore(group, sealed)) {",
                    "if (group.members().isEmpty()) {",
                    12_000),
            bug(
                    "the followers of a primary that lost something count as parts of its history",
                    master("Rule"),
                    "                    && candidate.sighting().historyComplete();\n",
                    "                    && candidate.sighting().state() == ServerState.RUNNING;\n",
                    12_000),
            bug(
                    "Redis offsets are compared whatever the history",
                    words("ReplicationOffset"),
                    "                .filter(part -> part.id().equals(id))\n",
                    "                .filter(part -> !id.isEmpty())\n",
                    12_000),
            bug(
                    "a replica that may have dropped what it held says that it is whole",
                    agent("AgentCore"),
                    "historyComplete &= traits.historySurvivesRestart() || !idleReplica;",
                    "historyComplete &= traits.historySurvivesRestart() || sourceSeen;",
                    30_000),
            bug(
                    "clients are never sent again to a member that was left out",
                    master("Serving"),
                    "            if ((was || mayReturn) && well(view, member, was)) {\n",
                    "            if (was && well(view, member, mayReturn)) {\n",
                    2_000),
            bug(
                    "one master's word takes an endpoint out",
                    master("EndpointVotes"),
                    "return checkers().size() / 2 + 1;",
                    "return 1;",
                    4_000),
            bug(
                    "clients are sent to an unhealthy endpoint though others are left",
                    master("EndpointGroup"),
                    "each.fit() || (!enough && each.state().served()",
                    "each.fit() || (each.state().served()",
                    4_000),
            bug(
                    "any number of groups switch at once",
                    master("Turns"),
                    "if (all >= limits.storms().atOnce()) {",
                    "if (all < 0) {",
                    12_000),
            bug(
                    "many silences are believed without a witness",
                    master("Doubt"),
                    "        confirm.retainAll(masters.elsewhere());\n        return confirm.isEmpty()\n",
                    "        confirm.retainAll(masters.elsewhere());\n        return silentPrimaries < 0\n",
                    12_000),
            bug(
                    "writes open without a last look at the permission",
                    sim("SimAgent"),
                    "if (!running.core.permitted(promote.epoch(), clock())) {",
                    "if (promote.epoch() < 0) {",
                    12_000),
            bug(
                    "a lease counts from the answer's receipt",
                    agent("AgentCore"),
                    "heartbeat.sentNanos() + AgentLimits.nanos(wish.leaseMillis())",
                    "lastNanos + AgentLimits.nanos(wish.leaseMillis())",
                    12_000),
            bug(
                    "a lease never ends",
                    agent("AgentCore"),
                    "&& nowNanos < present.endNanos()",
                    "&& nowNanos - 1_000_000_000_000L < present.endNanos()",
                    12_000),
            bug(
                    "an answer goes out without a confirmation",
                    sim("SimMaster"),
                    "            unanswered.put(key(awaiting), awaiting);\n            decide",
                    "            answer(awaiting);\n            decide",
                    12_000),
            bug(
                    "a new leader doesn't wait for leases that the old one gave",
                    master("View"),
                    "granted == null ? leaderSinceNanos : Math.max(granted, leaderSinceNanos)",
                    "granted == null ? leaderSinceNanos - limits.leaseWaitNanos() : granted",
                    12_000),
            bug(
                    "the wait for a lease's end is too short",
                    master("Limits"),
                    "return nanos(leaseMillis) * (1_000 + driftPerMille) / 1_000;",
                    "return nanos(leaseMillis) / 2;",
                    12_000),
            bug(
                    "the agent takes older goals",
                    agent("AgentCore"),
                    "                || wish.term() < term\n"
                            + "                || (wish.term() == term && answer.sequence() < answeredSequence)\n"
                            + "                || (present != null && wish.epoch() < present.epoch())) {",
                    "                ) {",
                    12_000),
            bug(
                    "one seal too few is thought to be enough",
                    master("Group"),
                    "return followers().size() - acknowledgers + 1;",
                    "return Math.max(1, followers().size() - acknowledgers);",
                    12_000),
            bug(
                    "the floor is ignored",
                    master("Rule"),
                    "c.received().covers(group.positionKind().parse(group.floor())))",
                    "c.received().covers(c.received()))",
                    12_000),
            bug(
                    "the primary waits for fewer acknowledgements before the log says so",
                    master("Goals"),
                    "attached >= wanted ? wanted : group.acknowledgers();",
                    "attached >= wanted ? wanted : Math.min(attached, group.acknowledgers());",
                    12_000),
            bug(
                    "a member joins whose history isn't part of the primary's",
                    master("Rule"),
                    "if (!primary.received().covers(heard.received())) {",
                    "if (group.epoch() < 0) {",
                    12_000),
            bug(
                    "a candidate is chosen that lacks what another sealed one has",
                    master("Rule"),
                    "return covering(sealed, sealed);",
                    "return sealed;",
                    12_000),
            bug(
                    "a history that a restart has shortened is taken for whole",
                    master("Rule"),
                    "return sealed.stream().filter(h -> h.sighting().historyComplete()).count();",
                    "return sealed.size();",
                    12_000),
            bug(
                    "the drained primary's position is taken before it is drained",
                    master("Rule"),
                    "                    || from.sighting().fencedEpoch() != group.epoch()\n"
                            + "                    || from.sighting().writable()) {",
                    "                    ) {",
                    12_000),
            bug(
                    "a dead replica stops counting while it alone holds what it acknowledged",
                    master("Rule"),
                    "                                    && heard.received().covers(primary.received());",
                    "                                    && heard != primary;",
                    12_000),
            bug(
                    "whoever wasn't sealed goes on as a follower of the new primary",
                    master("Rule"),
                    "if (whole || group.phase() instanceof Phase.Draining) {",
                    "if (candidate != null) {",
                    12_000),
            bug(
                    "a fenced member is never sealed",
                    agent("AgentCore"),
                    "case FENCED, SEALED -> sealedEpoch == wish.epoch() ? null : new Step.Seal(wish.epoch());",
                    "case SEALED -> sealedEpoch == wish.epoch() ? null : new Step.Seal(wish.epoch());\n"
                            + "            case FENCED -> null;",
                    12_000),
            bug(
                    "a new agent takes its server's history for whole",
                    agent("AgentCore"),
                    "this.historyComplete = traits.historySurvivesRestart() || knownEpoch == 0;",
                    "this.historyComplete = true;",
                    12_000),
            bug(
                    "a restarted primary may open under the epoch of the process before",
                    master("Goals"),
                    "|| !heard.sighting().instance().equals(group.primaryInstance())) {",
                    ") {",
                    12_000),
            bug(
                    "commits of before are counted on to have waited for as many acknowledgements as those of now",
                    master("Rule"),
                    "if (holders < reached) {",
                    "if (holders < 0) {",
                    12_000),
            bug(
                    "a member joins while its old source may still send",
                    master("Rule"),
                    "s.fencedEpoch() != group.epoch() || s.sealedEpoch() != group.epoch()",
                    "s.fencedEpoch() != group.epoch() || s.receiving()",
                    12_000),
            bug(
                    "an old primary's position is compared while commits of it still wait",
                    master("Rule"),
                    "s.fencedEpoch() != group.epoch() || s.sealedEpoch() != group.epoch()",
                    "s.fencedEpoch() != group.epoch() || (s.source() != null && s.sealedEpoch() != group.epoch())",
                    12_000),
            bug(
                    "a drained primary needs no permission",
                    agent("AgentCore"),
                    "mayWrite(server) && !permitted(lease.epoch(), nowNanos)",
                    "mayWrite(server) && lease.epoch() < 0",
                    12_000),
            bug(
                    "a new server process follows on a goal that was meant for the one before",
                    agent("AgentCore"),
                    "if (answeredSequence < instanceSequence) {",
                    "if (answeredSequence < 0) {",
                    12_000),
            bug(
                    "DNS takes every update",
                    sim("SimDns"),
                    "if (wanted.epoch() <= epoch(first, group)) {",
                    "if (wanted.epoch() < 0) {",
                    12_000),
            bug(
                    "a primary that was fenced may have been opened again",
                    master("Rule"),
                    "return view.leaseOver(primary) && view.peerLeaseOver()",
                    "return primary != null",
                    12_000),
            bug(
                    "the leader doesn't think of permissions by peers",
                    master("Rule"),
                    "return view.leaseOver(primary) && view.peerLeaseOver()",
                    "return view.leaseOver(primary)",
                    12_000),
            bug(
                    "the leader doesn't wait for the end of a peer's promise",
                    master("View"),
                    "&& !last.sighting().peering().promised();",
                    "&& last.sighting() != null;",
                    12_000));

    /** Those that one history of thousands shows, or none yet: hunted by {@link PlantedBugs#main} alone. */
    static final List<Bug> RARE = List.of(
            bug(
                    "what the primary was told to do without is counted on",
                    master("Rule"),
                    "Math.max(view.fewerAskedNanos() + 1, view.leaderSinceNanos())",
                    "view.leaderSinceNanos()",
                    30_000),
            bug(
                    "half a copy is promoted",
                    master("Rule"),
                    "!s.receiving() && !s.rebuilding() ? heard : null",
                    "!s.receiving() ? heard : null",
                    30_000),
            new Bug(
                    "the log says more acknowledgements than commits wait for",
                    master("Rule"),
                    List.of(
                            "primary.sighting().acknowledgersRequired() <= group.acknowledgers()",
                            "primary.sighting().acknowledgersRequired() < 0",
                            "Math.min(primary.sighting().acknowledgersRequired(), group.acknowledgersWanted())",
                            "group.acknowledgersWanted()"),
                    1,
                    12_000),
            bug(
                    "the primary may go on by its peers' permission before the log knows whom it asks",
                    master("Goals"),
                    "return new PeerList(peers, whole && !group.peers().isEmpty());",
                    "return new PeerList(peers, whole);",
                    12_000),
            bug(
                    "whoever shall be asked is thought to be asked already",
                    master("Rule"),
                    "&& !primary.sighting().peering().list().contains(peer));",
                    "&& next.isEmpty());",
                    12_000),
            new Bug(
                    "a peer permits whoever asks to go on",
                    agent("Promises"),
                    List.of(
                            "long known = Math.max(rememberedEpoch, goal == null ? 0 : goal.epoch());",
                            "long known = Math.min(1, rememberedEpoch);",
                            "boolean primary = goal != null\n",
                            "boolean primary = goal != null && known < 0\n"),
                    1,
                    12_000),
            bug(
                    "an agent forgets what it promised before it was restarted",
                    agent("Promises"),
                    "if (knownEpoch > 0) {",
                    "if (knownEpoch < 0) {",
                    12_000),
            bug(
                    "one peer's permission is enough",
                    agent("PeerRounds"),
                    "if (!round.granted().contains(peer)) {",
                    "if (round.granted().isEmpty()) {",
                    12_000),
            bug(
                    "whoever lacks too much of a bounded group is promoted",
                    master("View"),
                    "if (policy.maxLagMillis() > 0\n",
                    "if (policy.maxLagMillis() < 0\n",
                    12_000),
            bug(
                    "commits are made to wait again before the log says that they didn't",
                    agent("AgentCore"),
                    "return answeredSequence < fewerSequence;",
                    "return fewerSequence < 0;",
                    12_000),
            bug(
                    "the leader overlooks that commits were kept from waiting",
                    master("Heard"),
                    "&& sighting.acknowledgersRequired() < group.acknowledgers();",
                    "&& sighting.acknowledgersRequired() < 0;",
                    12_000),
            bug(
                    "a permission by peers counts from its answer",
                    agent("AgentCore"),
                    "extend(wish, began + AgentLimits.nanos(wish.leaseMillis()));",
                    "extend(wish, lastNanos + AgentLimits.nanos(wish.leaseMillis()));",
                    12_000),
            bug(
                    "an agent counts the permission that the one before it left from its own start",
                    agent("AgentCore"),
                    "this.unansweredEndNanos = heldUntilNanos == Long.MIN_VALUE",
                    "this.unansweredEndNanos = heldUntilNanos != 0",
                    12_000),
            bug(
                    "an agent stops in good order while it opens its server",
                    agent("AgentCore"),
                    "if (running instanceof Step.Promote || (mayWrite(server) && (little || unheard))) {",
                    "if (mayWrite(server) && little) {",
                    12_000));
}
