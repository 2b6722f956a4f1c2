package org.haarbiter.agent.scenario;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.haarbiter.agent.core.AgentCore;
import org.haarbiter.agent.core.AgentLimits;
import org.haarbiter.agent.core.Identity;
import org.haarbiter.agent.core.Step;
import org.haarbiter.agent.daemon.HealthAnswers;
import org.haarbiter.agent.engine.Traits;
import org.haarbiter.scenario.Line;
import org.haarbiter.scenario.Transcript;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.Goal;
import org.haarbiter.words.Heartbeat;
import org.haarbiter.words.Peer;
import org.haarbiter.words.PeerAnswer;
import org.haarbiter.words.PeerList;
import org.haarbiter.words.PeerRequest;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.Role;
import org.haarbiter.words.Sighting;
import org.jspecify.annotations.Nullable;

/**
 * Plays one transcript against one agent's core. Column 0 holds inputs and comments, what the core said is indented. Time is a
 * number; each wait is cut at heartbeats and the core's deadlines. The verbs are in docs/development.md.
 */
final class Script {
    private static final long WALL_AT_START = 1_000_000_000_000L;
    private static final long HEARTBEAT_NANOS = 100_000_000;
    private static final long NANOS_AT_START = 5_000_000_000L;
    private static final String VERBS = "agent, look, beat, answer, wait, suspended, done, failed, died,"
            + " health, permitted, remembered, peer-asks, ask-peers, peer-answers, stop";

    private static final Identity IDENTITY =
            new Identity("shop", "db1", "north", Server.address("db1"), new Endpoint("db1", 7401), true);
    private static final int STALE_MILLIS = 2_000;

    private final Transcript out = new Transcript();
    private final Server server = new Server();
    private final List<Step> underWay = new ArrayList<>();
    private long nowNanos = NANOS_AT_START;
    private long suspendedMillis;
    private long sequence;
    private long round;
    private long session = 7;
    private long term = 1;
    private long epoch = 1;
    private @Nullable AgentCore core;
    private String saidPermission = "";

    /** The transcript with its outputs derived anew. */
    static String play(String file, String text) {
        Script script = new Script();
        return script.out.play(file, text, script::input);
    }

    private void input(Line line) {
        if (line.verb().equals("agent")) {
            agent(line);
            return;
        }
        AgentCore mind = core == null
                ? start(new AgentLimits(250, 500, 30_000, 500, 2_000, 3_000, 10), 0, Long.MIN_VALUE, true)
                : core;
        switch (line.verb()) {
            case "look" -> look(line, mind);
            case "beat" -> {
                line.atMost(0);
                beat(mind);
            }
            case "answer" -> answer(line, mind);
            case "wait" -> {
                line.atMost(1);
                waiting(mind, line.millis(line.argument(0, "time"), "a time"));
            }
            case "suspended" -> {
                // The monotonic clock stands still while the machine does.
                line.atMost(1);
                suspendedMillis += line.millis(line.argument(0, "time"), "a time");
            }
            case "done" -> {
                line.atMost(1);
                mind.ended(ended(line), null, nowNanos);
            }
            case "failed" -> {
                String problem = line.argument(1, "problem").replace('_', ' ');
                line.atMost(2);
                mind.ended(ended(line), problem, nowNanos);
            }
            case "died" -> {
                String evidence = line.argument(0, "evidence").replace('_', ' ');
                line.atMost(1);
                mind.died(server.instance(), evidence);
            }
            case "remembered" -> {
                line.atMost(1);
                mind.remembered(line.number(line.argument(0, "epoch"), "an epoch"));
            }
            case "peer-asks" -> peerAsks(line, mind);
            case "ask-peers" -> {
                line.atMost(0);
                askPeers(mind);
            }
            case "peer-answers" -> peerAnswers(line, mind);
            case "stop" -> {
                line.atMost(0);
                stop(mind);
                return;
            }
            case "health" -> {
                line.atMost(0);
                health(mind);
            }
            case "permitted" -> {
                line.atMost(1);
                long asked = line.number(line.argument(0, "epoch"), "an epoch");
                say("may open writes under epoch " + asked + ": " + (mind.permitted(asked, nowNanos) ? "yes" : "no"));
            }
            default -> throw line.wrong("unknown verb '" + line.verb() + "' (known: " + VERBS + ")");
        }
        proceed(mind);
    }

    /** What load balancers would be told now, of what the loop has published in its last turn. */
    private void health(AgentCore mind) {
        HealthAnswers answers = new HealthAnswers(
                IDENTITY,
                mind::health,
                epochAsked -> mind.permitted(epochAsked, nowNanos),
                () -> nowNanos,
                STALE_MILLIS);
        for (String path : List.of("/primary", "/replica", "/read-only", "/health")) {
            HealthAnswers.Answer answer = answers.answer(path, path.equals("/read-only") ? "max-lag=1s" : null);
            Object why = Objects.requireNonNull(answer.body().get("why"));
            say(path + ": " + answer.status() + (why.equals("") ? "" : ": " + why));
        }
    }

    /** Starts an agent; a second one is a restart of the process, which forgets all but the epoch it kept on disk. */
    private void agent(Line line) {
        int slack = 250;
        int retry = 500;
        int unanswered = 2_000;
        int known = 0;
        long heldUntil = Long.MIN_VALUE;
        boolean survives = true;
        for (String word : line.arguments()) {
            String[] parts = line.pair(word);
            switch (parts[0]) {
                case "session" -> session = line.number(parts[1], "a session");
                case "known-epoch" -> known = line.number(parts[1], "an epoch");
                case "slack" -> slack = line.millis(parts[1], "the slack");
                case "retry" -> retry = line.millis(parts[1], "the time between tries");
                case "unanswered" -> unanswered = line.millis(parts[1], "the unanswered time");
                case "held" -> heldUntil = nowNanos + line.millis(parts[1], "the permission held") * 1_000_000L;
                case "history-survives" -> survives = line.yesOrNo(parts[1], parts[0]);
                default ->
                    throw line.wrong("unknown setting '" + parts[0]
                            + "' (known: session, known-epoch, slack, retry, unanswered, held, history-survives)");
            }
        }
        start(new AgentLimits(slack, retry, 30_000, 500, unanswered, 3_000, 10), known, heldUntil, survives);
    }

    private AgentCore start(AgentLimits limits, long knownEpoch, long heldUntil, boolean survives) {
        underWay.clear();
        sequence = 0;
        saidPermission = "";
        AgentCore started = new AgentCore(
                IDENTITY,
                new Traits("mariadb", PositionKind.MARIADB_GTID, survives),
                limits,
                session,
                knownEpoch,
                heldUntil,
                nowNanos);
        core = started;
        return started;
    }

    private void look(Line line, AgentCore mind) {
        long began = nowNanos;
        for (String word : line.arguments()) {
            String[] parts = line.pair(word);
            if (parts[0].equals("began")) {
                // So many ms ago: what happened since may not show.
                began -= line.millis(parts[1], "how long ago the look began") * 1_000_000L;
            } else {
                server.set(line, parts[0], parts[1]);
            }
        }
        mind.observed(server.look(), began);
    }

    private void beat(AgentCore mind) {
        Heartbeat heartbeat = mind.heartbeat(nowNanos);
        sequence = heartbeat.sequence();
        Sighting s = heartbeat.sighting();
        say("heartbeat " + sequence + ": " + s.state().name().toLowerCase(Locale.ROOT)
                + (s.detail().isEmpty() ? "" : " (" + s.detail() + ")")
                + (s.writable() ? ", may be taking writes" : "")
                + (s.receiving() ? ", receiving" : "")
                + (s.openEpoch() == 0 ? "" : ", open at epoch " + s.openEpoch())
                + (s.sealedEpoch() == 0 ? "" : ", sealed at epoch " + s.sealedEpoch())
                + (s.fencedEpoch() == 0 ? "" : ", fenced at epoch " + s.fencedEpoch())
                + (s.historyComplete() ? "" : ", history not complete")
                + ", term " + s.acceptedTerm() + " epoch " + s.acceptedEpoch()
                + (heartbeat.lookAnswered() == 0 ? "" : ", looked after the answer to " + heartbeat.lookAnswered())
                + (s.peering().list().isEmpty()
                        ? ""
                        : ", its peers are " + s.peering().list())
                + (s.peering().promised() ? ", keeps a promise" : "")
                + (s.peering().askedMillis() < 0 ? "" : ", asked " + s.peering().askedMillis() + " ms ago")
                + (s.rebuilding() ? ", its data isn't whole" : "")
                + (s.problems().isEmpty() ? "" : ", problems: " + String.join("; ", s.problems())));
    }

    private void answer(Line line, AgentCore mind) {
        Role role = line.oneOf(Role.class, line.argument(0, "role"), "role");
        Endpoint source = null;
        String upTo = "";
        long lease = role == Role.PRIMARY ? 3_000 : 0;
        int acknowledgers = 0;
        boolean acknowledges = false;
        String position = "";
        String[] peers = {};
        boolean hold = true;
        long to = sequence;
        long answered = session;
        for (String word : line.arguments().subList(1, line.arguments().size())) {
            String[] parts = line.pair(word);
            switch (parts[0]) {
                case "term" -> term = line.number(parts[1], "a term");
                case "epoch" -> epoch = line.number(parts[1], "an epoch");
                case "source" -> source = Server.address(parts[1]);
                case "up-to" -> upTo = parts[1];
                case "lease" -> lease = line.millis(parts[1], "the lease");
                case "acknowledgers" -> acknowledgers = line.number(parts[1], "a number of acknowledgers");
                case "acknowledges" -> acknowledges = line.yesOrNo(parts[1], parts[0]);
                case "position" -> position = parts[1];
                case "peers" -> peers = parts[1].split(",");
                case "hold" -> hold = line.yesOrNo(parts[1], parts[0]);
                case "to" -> to = line.number(parts[1], "a heartbeat");
                case "session" -> answered = line.number(parts[1], "a session");
                default ->
                    throw line.wrong("unknown setting '" + parts[0] + "' (known: term, epoch, source, up-to, lease,"
                            + " acknowledgers, acknowledges, position, peers, hold, to, session)");
            }
        }
        if (role == Role.REPLICA && source == null) {
            throw line.wrong("a replica needs source=MEMBER");
        }
        Goal goal = new Goal(
                term,
                epoch,
                role,
                source,
                upTo,
                lease,
                acknowledgers,
                acknowledges,
                position,
                list(peers, hold),
                "the leader says so");
        mind.answered(new Answer(answered, to, goal), nowNanos);
    }

    private void stop(AgentCore mind) {
        Step.Fence fence = mind.fenceBeforeStop(nowNanos);
        long held = mind.heldUntilNanos();
        if (fence != null) {
            say("before it stops: " + text(fence));
        } else {
            say("stops, and leaves the server as it is"
                    + (held == Long.MIN_VALUE
                            ? ""
                            : " by a permission of " + (held - nowNanos) / 1_000_000 + " ms more"));
        }
    }

    private static PeerList list(String[] names, boolean hold) {
        return new PeerList(
                Arrays.stream(names)
                        .map(name -> new Peer(name, new Endpoint(name, 7401)))
                        .toList(),
                names.length > 0 && hold);
    }

    private void peerAsks(Line line, AgentCore mind) {
        String member = line.argument(0, "member");
        int asked = line.number(line.argument(1, "epoch"), "an epoch");
        boolean open = true;
        int lease = 3_000;
        for (String word : line.arguments().subList(2, line.arguments().size())) {
            String[] parts = line.pair(word);
            switch (parts[0]) {
                case "open" -> open = line.yesOrNo(parts[1], parts[0]);
                case "lease" -> lease = line.millis(parts[1], "the lease");
                default -> throw line.wrong("unknown setting '" + parts[0] + "' (known: open, lease)");
            }
        }
        PeerAnswer answer = mind.asked(new PeerRequest("shop", member, 9, 1, asked, open, lease), nowNanos);
        say("answers " + member + ": " + (answer.granted() ? "go on" : "no, " + answer.reason()));
    }

    private void askPeers(AgentCore mind) {
        PeerRequest request = mind.peerRequest(nowNanos);
        if (request == null) {
            say("asks nobody");
            return;
        }
        round = request.round();
        say("asks its peers, round " + round + ", for " + request.leaseMillis() + " ms at epoch " + request.epoch()
                + (request.open() ? "" : ", in order to open"));
    }

    private void peerAnswers(Line line, AgentCore mind) {
        String member = line.argument(0, "member");
        long known = epoch;
        long answeredRound = round;
        String refusal = "";
        for (String word : line.arguments().subList(1, line.arguments().size())) {
            String[] parts = line.pair(word);
            switch (parts[0]) {
                case "epoch" -> known = line.number(parts[1], "an epoch");
                case "round" -> answeredRound = line.number(parts[1], "a round");
                case "refuses" -> refusal = parts[1].replace('_', ' ');
                default -> throw line.wrong("unknown setting '" + parts[0] + "' (known: epoch, round, refuses)");
            }
        }
        mind.peerAnswered(new PeerAnswer(member, session, answeredRound, known, refusal.isEmpty(), refusal));
    }

    /** The core is woken by each heartbeat's time and by its own deadlines, as in the agent's loop. */
    private void waiting(AgentCore mind, long millis) {
        long end = nowNanos + millis * 1_000_000;
        while (nowNanos < end) {
            long beat = nowNanos - nowNanos % HEARTBEAT_NANOS + HEARTBEAT_NANOS;
            nowNanos = Math.min(end, Math.min(beat, mind.deadlineNanos(nowNanos)));
            proceed(mind);
        }
    }

    private void proceed(AgentCore mind) {
        long wall = WALL_AT_START + (nowNanos - NANOS_AT_START) / 1_000_000 + suspendedMillis;
        for (Step step = mind.next(nowNanos, wall); step != null; step = mind.next(nowNanos, wall)) {
            underWay.add(step);
            say("engine: " + text(step));
        }
        Goal goal = mind.goal();
        String permission = goal != null && mind.permitted(goal.epoch(), nowNanos)
                ? "has the permission to write at epoch " + goal.epoch()
                : "";
        if (!permission.equals(saidPermission)) {
            say(permission.isEmpty() ? "has no permission to write any more" : permission);
            saidPermission = permission;
        }
    }

    private Step ended(Line line) {
        String wanted = line.argument(0, "step");
        for (Step step : underWay) {
            if (Transcript.kind(step.getClass()).equals(wanted)) {
                underWay.remove(step);
                return step;
            }
        }
        throw line.wrong("no '" + wanted + "' is under way (under way: "
                + underWay.stream().map(s -> Transcript.kind(s.getClass())).toList() + ")");
    }

    private static String text(Step step) {
        String text = Transcript.kind(step.getClass()) + " at epoch " + step.epoch();
        if (step instanceof Step.Fence fence) {
            return text + " (" + fence.why() + ")";
        }
        if (step instanceof Step.Promote promote) {
            return text
                    + (promote.promotion().upTo().isEmpty()
                            ? ""
                            : " up to " + promote.promotion().upTo())
                    + ", commits wait for " + promote.promotion().acknowledgers();
        }
        if (step instanceof Step.Follow follow) {
            return text + " " + follow.following().source().host()
                    + (follow.following().acknowledges() ? " and acknowledge" : "");
        }
        if (step instanceof Step.Rebuild rebuild) {
            return text + " from " + rebuild.donor().host();
        }
        if (step instanceof Step.RequireAcknowledgers require) {
            return text + ": " + require.acknowledgers();
        }
        return text;
    }

    private void say(String text) {
        out.say((nowNanos - NANOS_AT_START) / 1_000_000, text);
    }
}
