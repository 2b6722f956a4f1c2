package org.haarbiter.master.core;

import java.util.Objects;
import org.haarbiter.master.core.Command.Outcome;
import org.jspecify.annotations.Nullable;

/** Judges what a person asks for about groups of endpoints. A refusal says what is wrong and changes nothing. */
final class EndpointCommands {
    private EndpointCommands() {}

    static Outcome check(ClusterState state, Command.OfEndpoints command, long wallMillis) {
        if (command.reason().isBlank()) {
            return Outcome.refused("a reason is needed (--reason)");
        }
        if (command instanceof Command.SetEndpoints set) {
            return set(state, set, wallMillis);
        }
        EndpointGroup present = state.endpoints().get(command.name());
        if (present == null) {
            return Outcome.refused("no group of endpoints '" + command.name() + "'"
                    + (state.endpoints().isEmpty()
                            ? " (there is none)"
                            : " (known: " + String.join(", ", state.endpoints().keySet()) + ")"));
        }
        return command instanceof Command.OrderEndpoint order
                ? order(present, order, wallMillis)
                : Outcome.accepted(
                        new Entry.EndpointGroupRemoved(command.name(), command.by(), command.reason(), wallMillis),
                        "removed: " + present.words());
    }

    /** Why a group of endpoints can't have this name; null where it can. */
    static @Nullable String nameProblem(ClusterState state, String name) {
        Group carrier = state.groupOfClass(name);
        if (carrier != null) {
            return "the name '" + name + "' belongs to a traffic class of group '" + carrier.name()
                    + "' (another name, or remove that one first)";
        }
        if (state.group(name) != null || state.expectedGroup(name) != null) {
            return "there is a group '" + name + "' of databases (another name)";
        }
        for (RecordsByHand records : state.records().values()) {
            if (records.name().equals(name)) {
                return "'" + name + "' has " + records.type()
                        + " records that were set by hand (hactl dns remove them first)";
            }
        }
        return null;
    }

    /** Why no traffic class, database or record by hand can have this name; null where no endpoints have it. */
    static @Nullable String takenProblem(ClusterState state, String name) {
        return state.endpoints().containsKey(name)
                ? "the name '" + name + "' is that of a group of endpoints (another name, or hactl endpoint remove "
                        + name + " first)"
                : null;
    }

    private static Outcome set(ClusterState state, Command.SetEndpoints command, long wallMillis) {
        EndpointGroup before = state.endpoints().get(command.name());
        String problem = before == null ? nameProblem(state, command.name()) : null;
        int others = state.endpoints().values().stream()
                .filter(group -> !group.name().equals(command.name()))
                .mapToInt(group -> group.endpoints().size())
                .sum();
        int all = others + command.wanted().endpoints().size();
        if (problem == null && all > EndpointGroup.MOST_IN_ALL) {
            problem = "endpoints: " + all + " with those of other groups (must be at most " + EndpointGroup.MOST_IN_ALL
                    + " in all)";
        }
        EndpointGroup after = command.wanted().after(before, before == null ? 0 : before.setIndex(), wallMillis);
        if (problem == null) {
            problem = after.problem();
        }
        if (problem == null && after.equals(before)) {
            problem = "the group of endpoints '" + command.name() + "' is that already";
        }
        return problem != null
                ? Outcome.refused(problem)
                : Outcome.accepted(
                        new Entry.EndpointGroupSet(command.wanted(), command.by(), command.reason(), wallMillis),
                        "set: " + after.words());
    }

    private static Outcome order(EndpointGroup group, Command.OrderEndpoint command, long wallMillis) {
        String endpoint = command.endpoint();
        CheckedEndpoint present = group.endpoints().get(endpoint);
        if (present == null) {
            return Outcome.refused(Objects.requireNonNull(group.orderProblem(endpoint, null)));
        }
        CheckedEndpoint.ByHand before = present.state().byHand();
        CheckedEndpoint.Order wanted = wanted(command.act(), present);
        CheckedEndpoint.Order is = before == null ? null : before.order();
        String refusal = refusal(command.act(), wanted, is, endpoint);
        if (refusal != null) {
            return Outcome.refused(refusal);
        }
        CheckedEndpoint.ByHand order =
                wanted == null ? null : new CheckedEndpoint.ByHand(wanted, command.by(), command.reason(), wallMillis);
        String problem = group.orderProblem(endpoint, order);
        if (problem != null) {
            return Outcome.refused(problem);
        }
        EndpointGroup after = group.ordered(endpoint, order);
        long fit =
                after.endpoints().values().stream().filter(CheckedEndpoint::fit).count();
        return Outcome.accepted(
                new Entry.EndpointOrdered(group.name(), endpoint, order, command.by(), command.reason(), wallMillis),
                endpoint + " is " + (wanted == null ? "left to the checks again" : wanted.words()) + "; '"
                        + group.name()
                        + "' leads to " + String.join(", ", after.served())
                        + (wanted != null && wanted.keepsOut() && fit < group.minHealthy()
                                ? ". That is fewer than min-healthy, " + group.minHealthy()
                                        + ": nobody more is taken out by the checks"
                                : ""));
    }

    private static CheckedEndpoint.@Nullable Order wanted(Command.EndpointAct act, CheckedEndpoint present) {
        return switch (act) {
            case DRAIN -> CheckedEndpoint.Order.DRAINED;
            case HOLD -> present.state().served() ? CheckedEndpoint.Order.HELD_IN : CheckedEndpoint.Order.HELD_OUT;
            case HOLD_IN -> CheckedEndpoint.Order.HELD_IN;
            case HOLD_OUT -> CheckedEndpoint.Order.HELD_OUT;
            case UNDRAIN, RELEASE -> null;
        };
    }

    private static @Nullable String refusal(
            Command.EndpointAct act,
            CheckedEndpoint.@Nullable Order wanted,
            CheckedEndpoint.@Nullable Order is,
            String endpoint) {
        boolean drained = is == CheckedEndpoint.Order.DRAINED;
        return switch (act) {
            case UNDRAIN -> drained ? null : endpoint + " isn't drained" + (is == null ? "" : ", it is " + is.words());
            case RELEASE ->
                is == null || drained ? endpoint + " isn't held" + (drained ? ", it is drained" : "") : null;
            case DRAIN -> drained ? endpoint + " is drained already" : null;
            case HOLD, HOLD_IN, HOLD_OUT ->
                drained
                        ? endpoint + " is drained (undrain it first)"
                        : is != null && is == wanted ? endpoint + " is " + is.words() + " already" : null;
        };
    }
}
