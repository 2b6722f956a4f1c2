package org.haarbiter.master.admin;

import java.util.List;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.jspecify.annotations.Nullable;

/** What a request asks of the decision thread. */
public final class Requests {
    private Requests() {}

    /**
     * The command; null where the request is about masters.
     *
     * @throws AdminException for a word that isn't known
     */
    public static @Nullable Command command(CommandRequest request) throws AdminException {
        String group = request.group();
        String member = request.member();
        String by = request.by();
        String reason = request.reason();
        return switch (request.action()) {
            case "promote" -> new Command.Promote(group, member, request.acceptDataLoss(), by, reason);
            case "switchover" -> new Command.Switchover(group, orNull(member), by, reason);
            case "demote" -> new Command.Demote(group, member, by, reason);
            case "rebuild" -> new Command.Rebuild(group, member, orNull(request.donor()), by, reason);
            case "ack" -> new Command.Acknowledge(group, by, reason);
            case "pause" -> new Command.Pause(group, by, reason);
            case "resume" -> new Command.Resume(group, by, reason);
            case "set-policy" -> changePolicy(request);
            default -> null;
        };
    }

    private static Command changePolicy(CommandRequest request) throws AdminException {
        PolicyChange policy = request.policy();
        if (policy == null) {
            throw new AdminException(AdminException.Kind.BAD_REQUEST, "policy: missing (set-policy needs it)");
        }
        return new Command.ChangePolicy(
                request.group(),
                word("durability", policy.durability(), List.of(Durability.values())),
                policy.maxLagMillis(),
                policy.maxLagTransactions(),
                word("onNoAcknowledger", policy.onNoAcknowledger(), List.of(OnNoAcknowledger.values())),
                policy.priority(),
                request.by(),
                request.reason());
    }

    private static <E extends Enum<E>> @Nullable E word(String field, @Nullable String given, List<E> values)
            throws AdminException {
        if (given == null) {
            return null;
        }
        List<String> words = values.stream().map(Views::word).toList();
        int at = words.indexOf(given);
        if (at < 0) {
            throw new AdminException(
                    AdminException.Kind.BAD_REQUEST,
                    field + ": '" + given + "' (must be one of " + String.join(", ", words) + ")");
        }
        return values.get(at);
    }

    private static @Nullable String orNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
