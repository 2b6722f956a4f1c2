package org.haarbiter.master.admin;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.EndpointsChange;
import org.haarbiter.admin.ExpectedGroup;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.admin.RecordsChange;
import org.haarbiter.master.core.CheckedEndpoint;
import org.haarbiter.master.core.Command;
import org.haarbiter.master.core.Durability;
import org.haarbiter.master.core.EndpointCheck;
import org.haarbiter.master.core.EndpointGroup;
import org.haarbiter.master.core.OnNoAcknowledger;
import org.haarbiter.master.core.RecordsByHand;
import org.haarbiter.master.core.TrafficClass;
import org.haarbiter.settings.Section;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
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
            case "pause" -> new Command.Pause(group, by, reason, request.forMillis());
            case "resume" -> new Command.Resume(group, by, reason);
            case "set-policy" -> changePolicy(request, request.policy());
            case "expect-group" -> expectGroup(request);
            case "set-class" -> setClass(request);
            case "remove-class" ->
                new Command.SetClass(group, className(request).name(), TrafficClass.REMOVED, by, reason);
            case "set-records", "remove-records" -> setRecords(request);
            case "set-endpoints" -> setEndpoints(request);
            case "remove-endpoints" -> new Command.RemoveEndpoints(group, by, reason);
            case "drain-endpoint" -> orderEndpoint(request, Command.EndpointAct.DRAIN);
            case "undrain-endpoint" -> orderEndpoint(request, Command.EndpointAct.UNDRAIN);
            case "hold-endpoint" -> orderEndpoint(request, Command.EndpointAct.HOLD);
            case "hold-endpoint-in" -> orderEndpoint(request, Command.EndpointAct.HOLD_IN);
            case "hold-endpoint-out" -> orderEndpoint(request, Command.EndpointAct.HOLD_OUT);
            case "release-endpoint" -> orderEndpoint(request, Command.EndpointAct.RELEASE);
            case "forget-group" -> new Command.ForgetGroup(group, by, reason);
            default -> null;
        };
    }

    private static Command expectGroup(CommandRequest request) throws AdminException {
        ExpectedGroup expected = request.expected();
        if (expected == null) {
            throw new AdminException(AdminException.Kind.BAD_REQUEST, "expected: missing (expect-group needs it)");
        }
        String problem = Section.groupProblem(request.group());
        if (problem != null) {
            throw new AdminException(AdminException.Kind.BAD_REQUEST, "group: " + problem);
        }
        if (!Section.NAME.matcher(expected.engine()).matches()) {
            throw new AdminException(
                    AdminException.Kind.BAD_REQUEST,
                    "engine: '" + expected.engine()
                            + "' (must be the word that the group's agents have in their settings)");
        }
        return new Command.ExpectGroup(
                expected.engine(),
                Objects.requireNonNull(word("positionKind", expected.positionKind(), List.of(PositionKind.values()))),
                addresses(expected.members()),
                changePolicy(request, request.policy() == null ? PolicyChange.NONE : request.policy()));
    }

    private static Command setClass(CommandRequest request) throws AdminException {
        ClassChange change = className(request);
        TrafficClass.Follows follows = word(
                "follows",
                change.follows(),
                List.of(TrafficClass.Follows.PRIMARY, TrafficClass.Follows.REPLICAS, TrafficClass.Follows.MEMBERS));
        TrafficClass.FallBack fallBack =
                word("fallBack", orNull(change.fallBack()), List.of(TrafficClass.FallBack.values()));
        TreeSet<String> pins = new TreeSet<>(change.pins());
        TrafficClass.FallBack given = fallBack == null ? TrafficClass.FallBack.NONE : fallBack;
        String problem = TrafficClass.problem(Objects.requireNonNull(follows), pins, given);
        if (problem != null) {
            throw new AdminException(AdminException.Kind.BAD_REQUEST, "trafficClass: " + problem);
        }
        return new Command.SetClass(
                request.group(), change.name(), new TrafficClass(follows, pins, given), request.by(), request.reason());
    }

    private static Command setRecords(CommandRequest request) throws AdminException {
        RecordsChange change = Objects.requireNonNull(request.records(), "records");
        boolean removes = request.action().equals("remove-records");
        if (removes == !change.values().isEmpty()) {
            throw new AdminException(
                    AdminException.Kind.BAD_REQUEST,
                    removes ? "values: " + change.values() + " (must be none)" : "values: none (must be one at least)");
        }
        return new Command.SetRecords(
                new RecordsByHand(
                        change.name().toLowerCase(Locale.ROOT),
                        change.type().toUpperCase(Locale.ROOT),
                        change.region(),
                        removes ? 0 : change.ttlSeconds(),
                        change.values()),
                request.by(),
                request.reason());
    }

    private static Command orderEndpoint(CommandRequest request, Command.EndpointAct act) {
        return new Command.OrderEndpoint(request.group(), request.member(), act, request.by(), request.reason());
    }

    private static Command setEndpoints(CommandRequest request) throws AdminException {
        EndpointsChange change = Objects.requireNonNull(request.endpoints(), "endpoints");
        check("group", Section.groupProblem(request.group()));
        check(
                "group",
                request.group().equals(request.group().toLowerCase(Locale.ROOT))
                        ? null
                        : "'" + request.group() + "' (must be in small letters: the DNS doesn't tell them apart)");
        EndpointsChange.Check given = change.check();
        EndpointCheck check = new EndpointCheck(
                Objects.requireNonNull(word("check: kind", given.kind(), List.of(EndpointCheck.Kind.values()))),
                given.port(),
                given.path(),
                given.host(),
                given.expectedStatus(),
                given.expectedBody(),
                given.trusted(),
                given.intervalMillis(),
                given.timeoutMillis(),
                given.rise(),
                given.fall());
        TreeMap<String, CheckedEndpoint> endpoints = new TreeMap<>();
        for (Map.Entry<String, EndpointsChange.Endpoint> each :
                change.endpoints().entrySet()) {
            EndpointsChange.Endpoint wanted = each.getValue();
            check("endpoints", nameProblem(each.getKey()));
            check("endpoint " + each.getKey() + ": site", wanted.site().isEmpty() ? null : nameProblem(wanted.site()));
            endpoints.put(
                    each.getKey(),
                    new CheckedEndpoint(
                            address(each.getKey(), wanted.address()),
                            wanted.site(),
                            wanted.weight(),
                            wanted.order(),
                            wanted.capacity(),
                            new CheckedEndpoint.State(CheckedEndpoint.Health.UNCHECKED, "", 0, false, null)));
        }
        for (String region : change.loads().keySet()) {
            check("loads", region.isEmpty() ? null : nameProblem(region));
        }
        return new Command.SetEndpoints(
                new EndpointGroup(
                        request.group(),
                        change.ttlSeconds(),
                        Objects.requireNonNull(word("mode", change.mode(), List.of(EndpointGroup.Mode.values()))),
                        change.minHealthy(),
                        check,
                        change.loads(),
                        0,
                        0,
                        endpoints),
                request.by(),
                request.reason());
    }

    private static @Nullable String nameProblem(String name) {
        return Section.NAME.matcher(name).matches() ? null : "'" + name + "' (must be a name)";
    }

    /** The one form in which it is compared with others. */
    private static String address(String endpoint, String given) throws AdminException {
        byte[] bytes = given.indexOf('%') >= 0 ? null : NetUtil.createByteArrayFromIpAddressString(given);
        if (bytes == null) {
            throw new AdminException(
                    AdminException.Kind.BAD_REQUEST,
                    "endpoint " + endpoint + ": address: '" + given
                            + "' (must be an IPv4 or IPv6 address, not a host name)");
        }
        try {
            return NetUtil.toAddressString(InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            throw new AdminException(
                    AdminException.Kind.BAD_REQUEST, "endpoint " + endpoint + ": address: '" + given + "'", e);
        }
    }

    private static void check(String what, @Nullable String problem) throws AdminException {
        if (problem != null) {
            throw new AdminException(AdminException.Kind.BAD_REQUEST, what + ": " + problem);
        }
    }

    private static ClassChange className(CommandRequest request) throws AdminException {
        ClassChange change = request.trafficClass();
        String problem = change == null ? "missing" : Section.groupProblem(change.name());
        if (change == null || problem != null) {
            throw new AdminException(AdminException.Kind.BAD_REQUEST, "trafficClass: name: " + problem);
        }
        return change;
    }

    private static TreeSet<Endpoint> addresses(List<String> texts) throws AdminException {
        TreeSet<Endpoint> addresses = new TreeSet<>();
        for (String text : texts) {
            try {
                addresses.add(Endpoint.parse(text));
            } catch (IllegalArgumentException e) {
                throw new AdminException(AdminException.Kind.BAD_REQUEST, "members: " + e.getMessage(), e);
            }
        }
        if (addresses.isEmpty() || texts.size() > ExpectedGroup.MOST_MEMBERS) {
            throw new AdminException(
                    AdminException.Kind.BAD_REQUEST,
                    "members: " + texts.size() + " addresses (must be 1 to " + ExpectedGroup.MOST_MEMBERS + ")");
        }
        return addresses;
    }

    private static Command.ChangePolicy changePolicy(CommandRequest request, @Nullable PolicyChange policy)
            throws AdminException {
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
