package org.haarbiter.master.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.DnsView;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsView;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MasterView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.admin.NamesView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.WhyView;
import org.haarbiter.master.admin.AdminBackend;
import org.haarbiter.master.admin.AdminException;
import org.haarbiter.master.admin.MasterFacts;
import org.haarbiter.master.admin.Requests;
import org.haarbiter.master.admin.Views;
import org.haarbiter.master.core.Arbiter;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Group;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.master.loop.MasterLoop;
import org.haarbiter.master.raft.NotLeaderException;
import org.haarbiter.time.Ticker;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** Answers the admin API from the loop and the log. */
final class LoopBackend implements AdminBackend {
    private final MasterNode node;
    private final MasterSettings settings;
    private final MasterChanges changes;

    LoopBackend(MasterNode node, MasterSettings settings, MasterChanges changes) {
        this.node = node;
        this.settings = settings;
        this.changes = changes;
    }

    /** A question to the arbiter on its own thread. */
    @FunctionalInterface
    private interface Question<T> {
        T answer(Arbiter arbiter, MasterFacts facts, long nowNanos, long wallMillis) throws AdminException;
    }

    @Override
    public CompletableFuture<StatusView> status(boolean local) {
        return ask(local, Views::status);
    }

    @Override
    public CompletableFuture<GroupView> group(String name, boolean local) {
        return ask(local, (arbiter, facts, now, wall) -> Views.group(arbiter, facts, name, now, wall));
    }

    @Override
    public CompletableFuture<WhyView> why(String name, boolean local) {
        return ask(local, (arbiter, facts, now, wall) -> Views.why(arbiter, facts, name, now, wall));
    }

    @Override
    public CompletableFuture<DnsView> dns(@Nullable String group, boolean readNow, boolean local) {
        CompletableFuture<Void> read =
                readNow ? node.readNames(group == null ? "" : group) : CompletableFuture.completedFuture(null);
        return read.thenCompose(nothing -> ask(local, (arbiter, facts, now, wall) -> Views.dns(arbiter, facts, group)));
    }

    @Override
    public CompletableFuture<EndpointsView> endpoints(boolean local) {
        return ask(local, (arbiter, facts, now, wall) -> Views.endpoints(arbiter, facts, now));
    }

    @Override
    public CompletableFuture<EndpointGroupView> endpointGroup(String name, boolean local) {
        return ask(local, (arbiter, facts, now, wall) -> Views.endpointGroup(arbiter, facts, name, now));
    }

    @Override
    public CompletableFuture<LogView> log(LogQuery query, boolean local) {
        return ask(local, (arbiter, facts, now, wall) -> Views.log(arbiter.state(), facts, query));
    }

    @Override
    public CompletableFuture<MastersView> masters(boolean local) {
        return ask(local, (arbiter, facts, now, wall) -> Views.masters(facts));
    }

    @Override
    public boolean leading() {
        Endpoint leader = node.log().leader();
        return leader != null && leader.equals(settings.own().raft());
    }

    private <T> CompletableFuture<T> ask(boolean local, Question<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        node.loop()
                .ask(arbiter -> {
                    try {
                        if (!local && !arbiter.leading()) {
                            throw notLeader(node.log().leader());
                        }
                        return question.answer(
                                arbiter, facts(arbiter), Ticker.SYSTEM.nanos(), System.currentTimeMillis());
                    } catch (AdminException e) {
                        throw new CompletionException(e);
                    }
                })
                .whenComplete((value, failure) -> finish(answer, value, failure, Function.identity()));
        return answer;
    }

    private <T, R> void finish(
            CompletableFuture<R> answer, @Nullable T value, @Nullable Throwable failure, Function<T, R> result) {
        if (failure == null && value != null) {
            answer.complete(result.apply(value));
            return;
        }
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof AdminException) {
            answer.completeExceptionally(cause);
        } else if (cause instanceof NotLeaderException notLeader) {
            answer.completeExceptionally(notLeader(notLeader.leader()));
        } else if (cause instanceof RejectedExecutionException) {
            answer.completeExceptionally(
                    new AdminException(AdminException.Kind.OVERLOADED, String.valueOf(cause.getMessage())));
        } else {
            answer.completeExceptionally(cause == null ? new IllegalStateException("no answer") : cause);
        }
    }

    private AdminException notLeader(@Nullable Endpoint leader) {
        MasterSettings.Addresses known =
                leader == null ? null : settings.masters().get(settings.nameOf(leader));
        return AdminException.notLeader(known == null ? null : known.admin());
    }

    private MasterFacts facts(Arbiter arbiter) {
        Endpoint leader = node.log().leader();
        String leaderName = "";
        List<MasterView> masters = new ArrayList<>();
        for (Endpoint member : node.log().members()) {
            String name = settings.nameOf(member);
            MasterSettings.Addresses known = settings.masters().get(name);
            boolean leads = member.equals(leader);
            if (leads) {
                leaderName = name;
            }
            boolean reached = member.equals(settings.own().raft()) || node.log().reaches(member);
            masters.add(new MasterView(
                    name,
                    member.toString(),
                    known == null ? "" : known.agents().toString(),
                    known == null ? "" : known.admin().toString(),
                    leads ? "leader" : reached ? "follower" : "unreachable",
                    leads || reached
                            ? ""
                            : "no connection from " + settings.name()
                                    + " (start it, or look at its log and at the network)"));
        }
        TreeMap<String, NamesView> names = new TreeMap<>();
        node.names()
                .forEach((group, status) -> names.put(
                        group, Views.names(status.wanted(), status.served(), status.detail(), status.readings())));
        return new MasterFacts(
                settings.clusterId(),
                settings.name(),
                leaderName,
                arbiter.term(),
                node.loop().appliedIndex(),
                masters,
                settings.names() == null ? "" : settings.names().provider().zone(),
                node.zoneKeptBy(),
                settings.sitesByRegion(),
                names,
                node.groupProblems(),
                node.problems());
    }

    @Override
    public CompletableFuture<CommandResult> command(CommandRequest request) {
        CompletableFuture<CommandResult> answer = new CompletableFuture<>();
        try {
            Command command = Requests.command(request);
            if (command != null) {
                judge(command, answer);
                return answer;
            }
        } catch (AdminException e) {
            answer.completeExceptionally(e);
            return answer;
        }
        switch (request.action()) {
            case "add-master" -> {
                Endpoint master = raftAddress(request, answer);
                if (master != null) {
                    changes.add(request.by(), request.reason(), master).thenAccept(answer::complete);
                }
            }
            case "remove-master" -> {
                Endpoint master = raftAddress(request, answer);
                if (master != null) {
                    changes.remove(request.by(), request.reason(), master).thenAccept(answer::complete);
                }
            }
            case "transfer-leader" -> {
                Endpoint master = raftAddress(request, answer);
                if (master != null) {
                    changes.transfer(request.by(), request.reason(), master).thenAccept(answer::complete);
                }
            }
            case "repair-dns" -> {
                if (leading()) {
                    answer.complete(node.repairNames(request.group()));
                } else {
                    answer.completeExceptionally(notLeader(node.log().leader()));
                }
            }
            default ->
                answer.completeExceptionally(
                        new AdminException(AdminException.Kind.BAD_REQUEST, "no action '" + request.action() + "'"));
        }
        return answer;
    }

    private void judge(Command command, CompletableFuture<CommandResult> answer) {
        String named =
                command instanceof Command.SetClass set && !set.trafficClass().equals(TrafficClass.REMOVED)
                        ? set.name()
                        : command instanceof Command.SetEndpoints set ? set.name() : "";
        if (!named.isEmpty()) {
            String problem = node.nameProblem(named);
            if (problem != null) {
                answer.complete(new CommandResult(false, problem, 0, 0));
                return;
            }
        }
        if (command instanceof Command.SetRecords set && !set.records().values().isEmpty()) {
            node.recordsProblem(set.records()).whenComplete((problem, failure) -> {
                if (failure == null && problem.isEmpty()) {
                    submit(command, answer);
                } else if (failure == null) {
                    answer.complete(new CommandResult(false, problem, 0, 0));
                } else {
                    finish(answer, null, failure, Function.identity());
                }
            });
            return;
        }
        submit(command, answer);
    }

    private void submit(Command command, CompletableFuture<CommandResult> answer) {
        node.loop()
                .command(command)
                .whenComplete((judged, failure) -> finish(answer, judged, failure, j -> result(command, j)));
    }

    private CommandResult result(Command command, MasterLoop.Judged judged) {
        boolean accepted = judged.outcome().entry() != null;
        Group group = accepted ? node.loop().group(command.group()) : null;
        return new CommandResult(
                accepted, judged.outcome().sentence(), group == null ? 0 : group.nextEpoch(), judged.index());
    }

    /** The master that is meant; null where the request can't be followed, which {@code answer} then says. */
    private @Nullable Endpoint raftAddress(CommandRequest request, CompletableFuture<CommandResult> answer) {
        if (!leading()) {
            answer.completeExceptionally(notLeader(node.log().leader()));
            return null;
        }
        try {
            return Endpoint.parse(request.member());
        } catch (IllegalArgumentException e) {
            answer.completeExceptionally(new AdminException(
                    AdminException.Kind.BAD_REQUEST,
                    "the master must be given as its Raft address HOST:PORT: " + e.getMessage()));
            return null;
        }
    }
}
