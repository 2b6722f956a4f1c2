package org.haarbiter.master.sentinel;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.PatternSyntaxException;
import org.haarbiter.settings.Credentials;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/**
 * One client's talk: which version of the protocol it speaks, who it is, what it has subscribed to, and what it is answered. Pure
 * but for the groups, which it asks for. Confined to the thread of the client's connection.
 */
final class Conversation {

    /** What every conversation knows of this master. */
    record Self(
            String id,
            List<Endpoint> others,
            List<String> othersIds,
            @Nullable Credentials credentials) {}

    /** The Redis groups as this master has them now. */
    interface Groups {
        /** All of them. */
        SortedMap<String, Watched> all();

        /** One; null where there is none of that name. */
        @Nullable
        Watched of(String name);
    }

    /** What is said to a request. */
    record Answer(List<Reply> replies, boolean thenClose) {
        static Answer of(Reply reply) {
            return new Answer(List.of(reply), false);
        }
    }

    private static final int SUBSCRIPTIONS_LIMIT = 64;

    /** Clients look here for what the protocol can do. */
    private static final String PROTOCOL_OF_REDIS = "7.2.0";

    private final Self self;
    private final long number;
    private final Groups groups;
    private final TreeSet<String> channels = new TreeSet<>();
    private final TreeMap<String, Glob> patterns = new TreeMap<>();
    private int version = 2;
    private boolean known;
    private String name = "";

    Conversation(Self self, long number, Groups groups) {
        this.self = self;
        this.number = number;
        this.groups = groups;
        this.known = self.credentials() == null;
    }

    /** 2 or 3, as the client wants it. */
    int version() {
        return version;
    }

    /** What a subscriber is told of an event; empty where it doesn't listen to it. */
    List<Reply> told(String channel, String message) {
        List<Reply> told = new ArrayList<>();
        if (channels.contains(channel)) {
            told.add(push("message", channel, message));
        }
        patterns.forEach((pattern, glob) -> {
            if (glob.matches(channel)) {
                told.add(push("pmessage", pattern, channel, message));
            }
        });
        return told;
    }

    private static Reply push(String... words) {
        return new Reply.Push(Reply.texts(words).items());
    }

    /** The answer depends on the groups, so this master must know first that it has what the quorum has. */
    boolean needsGroups(List<String> request) {
        return known
                && List.of("SENTINEL", "INFO", "ROLE").contains(word(request, 0))
                && !word(request, 1).equals("MYID");
    }

    Answer answer(List<String> request) {
        String command = word(request, 0);
        if (!known && !List.of("AUTH", "HELLO", "QUIT").contains(command)) {
            return Answer.of(new Reply.Failure("NOAUTH Authentication required."));
        }
        if (version == 2
                && listens()
                && !List.of("SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "PING", "QUIT")
                        .contains(command)) {
            return Answer.of(Reply.error("Can't execute '" + request.get(0)
                    + "': only (P)SUBSCRIBE / (P)UNSUBSCRIBE / PING / QUIT are allowed in this context"));
        }
        return switch (command) {
            case "HELLO" -> hello(request);
            case "AUTH" -> auth(request);
            case "PING" -> Answer.of(ping(request));
            case "CLIENT" -> Answer.of(client(request));
            case "SENTINEL" -> Answer.of(sentinel(request));
            case "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE" -> subscriptions(command, request);
            case "ROLE" ->
                Answer.of(new Reply.Array(List.of(
                        new Reply.Text("sentinel"),
                        Reply.texts(groups.all().keySet().toArray(String[]::new)))));
            case "INFO" -> Answer.of(new Reply.Text(info()));
            case "COMMAND" -> Answer.of(new Reply.Array(List.of()));
            case "QUIT" -> new Answer(List.of(Reply.OK), true);
            default ->
                Answer.of(Reply.error("unknown command '" + request.get(0)
                        + "' (this is a master of HA Arbiter, which answers as a Sentinel)"));
        };
    }

    private static String word(List<String> request, int at) {
        return at < request.size() ? request.get(at).toUpperCase(Locale.ROOT) : "";
    }

    private static Reply wrongNumber(String command) {
        return Reply.error("wrong number of arguments for '" + command.toLowerCase(Locale.ROOT) + "' command");
    }

    // ---- the connection

    private Answer hello(List<String> request) {
        int wanted = version;
        int at = 1;
        if (request.size() > 1) {
            switch (request.get(1)) {
                case "2" -> wanted = 2;
                case "3" -> wanted = 3;
                default -> {
                    return Answer.of(new Reply.Failure("NOPROTO unsupported protocol version"));
                }
            }
            at = 2;
        }
        String newName = name;
        boolean knownNow = known;
        while (at < request.size()) {
            if (word(request, at).equals("AUTH") && at + 2 < request.size()) {
                if (!matches(request.get(at + 1), request.get(at + 2))) {
                    return Answer.of(wrongPassword());
                }
                knownNow = true;
                at += 3;
            } else if (word(request, at).equals("SETNAME") && at + 1 < request.size()) {
                newName = request.get(at + 1);
                at += 2;
            } else {
                return Answer.of(Reply.error("Syntax error in HELLO option '" + request.get(at) + "'"));
            }
        }
        if (!knownNow) {
            return Answer.of(
                    new Reply.Failure("NOAUTH HELLO must be called with the client already authenticated, otherwise"
                            + " the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select"
                            + " the RESP protocol version at the same time"));
        }
        known = true;
        name = newName;
        version = wanted;
        LinkedHashMap<String, Reply> about = new LinkedHashMap<>();
        about.put("server", new Reply.Text("redis"));
        about.put("version", new Reply.Text(PROTOCOL_OF_REDIS));
        about.put("proto", new Reply.Whole(version));
        about.put("id", new Reply.Whole(number));
        about.put("mode", new Reply.Text("sentinel"));
        about.put("role", new Reply.Text("master"));
        about.put("modules", new Reply.Array(List.of()));
        return Answer.of(new Reply.Fields(about));
    }

    private Answer auth(List<String> request) {
        if (request.size() < 2 || request.size() > 3) {
            return Answer.of(wrongNumber("auth"));
        }
        if (self.credentials() == null) {
            return Answer.of(
                    Reply.error("AUTH called without any password configured for the masters of HA Arbiter (see"
                            + " sentinel-credentials-file)"));
        }
        boolean right = request.size() == 2
                ? matches(self.credentials().user(), request.get(1))
                : matches(request.get(1), request.get(2));
        known |= right;
        return Answer.of(right ? Reply.OK : wrongPassword());
    }

    private static Reply wrongPassword() {
        return new Reply.Failure("WRONGPASS invalid username-password pair or user is disabled.");
    }

    private boolean matches(String user, String password) {
        Credentials credentials = self.credentials();
        return credentials == null || (same(credentials.user(), user) && same(credentials.password(), password));
    }

    /** In a time that doesn't tell how much of it was right. */
    private static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    private Reply ping(List<String> request) {
        if (request.size() > 2) {
            return wrongNumber("ping");
        }
        if (version == 2 && listens()) {
            return Reply.texts("pong", request.size() == 2 ? request.get(1) : "");
        }
        return request.size() == 2 ? new Reply.Text(request.get(1)) : new Reply.Simple("PONG");
    }

    private Reply client(List<String> request) {
        switch (word(request, 1)) {
            case "ID" -> {
                return new Reply.Whole(number);
            }
            case "GETNAME" -> {
                return new Reply.Text(name);
            }
            case "SETNAME" -> {
                if (request.size() != 3) {
                    return wrongNumber("client|setname");
                }
                name = request.get(2);
                return Reply.OK;
            }
            case "SETINFO", "MAINT_NOTIFICATIONS", "CAPA", "NO-EVICT", "NO-TOUCH" -> {
                return Reply.OK;
            }
            default -> {
                return Reply.error("unknown subcommand '" + (request.size() > 1 ? request.get(1) : "")
                        + "' of CLIENT (known: ID, GETNAME, SETNAME, SETINFO)");
            }
        }
    }

    // ---- subscriptions

    private boolean listens() {
        return !channels.isEmpty() || !patterns.isEmpty();
    }

    private Answer subscriptions(String command, List<String> request) {
        boolean begins = !command.contains("UNSUB");
        boolean byPattern = command.startsWith("P");
        List<String> named = new ArrayList<>(request.subList(1, request.size()));
        if (begins && named.isEmpty()) {
            return Answer.of(wrongNumber(command));
        }
        if (begins && channels.size() + patterns.size() + named.size() > SUBSCRIPTIONS_LIMIT) {
            return Answer.of(Reply.error("too many subscriptions (at most " + SUBSCRIPTIONS_LIMIT + " for a client)"));
        }
        if (!begins && named.isEmpty()) {
            named.addAll(byPattern ? patterns.keySet() : channels);
        }
        TreeMap<String, Glob> globs = new TreeMap<>();
        if (byPattern && begins) {
            for (String pattern : named) {
                try {
                    globs.put(pattern, Glob.of(pattern));
                } catch (PatternSyntaxException e) {
                    return Answer.of(Reply.error("'" + pattern + "' isn't a pattern: " + e.getDescription()));
                }
            }
        }
        List<Reply> replies = new ArrayList<>();
        for (String one : named) {
            if (byPattern && begins) {
                patterns.putAll(globs.subMap(one, true, one, true));
            } else if (byPattern) {
                patterns.remove(one);
            } else if (begins) {
                channels.add(one);
            } else {
                channels.remove(one);
            }
            replies.add(subscribed(command, new Reply.Text(one)));
        }
        if (replies.isEmpty()) {
            replies.add(subscribed(command, Reply.NOBODY));
        }
        return new Answer(replies, false);
    }

    private Reply subscribed(String command, Reply what) {
        return new Reply.Push(List.of(
                new Reply.Text(command.toLowerCase(Locale.ROOT)),
                what,
                new Reply.Whole(channels.size() + patterns.size())));
    }

    // ---- what Sentinel knows

    private Reply sentinel(List<String> request) {
        String subcommand = word(request, 1);
        switch (subcommand) {
            case "MYID" -> {
                return new Reply.Text(self.id());
            }
            case "MASTERS" -> {
                return new Reply.Array(
                        groups.all().values().stream().map(this::primary).toList());
            }
            case "GET-MASTER-ADDR-BY-NAME", "MASTER", "REPLICAS", "SLAVES", "SENTINELS", "CKQUORUM" -> {
                if (request.size() != 3) {
                    return wrongNumber("sentinel|" + subcommand);
                }
                return about(subcommand, groups.of(request.get(2)));
            }
            case "FAILOVER",
                    "RESET",
                    "SET",
                    "MONITOR",
                    "REMOVE",
                    "FLUSHCONFIG",
                    "CONFIG",
                    "SIMULATE-FAILURE",
                    "DEBUG" -> {
                return Reply.error(
                        "SENTINEL " + subcommand + " isn't available: this is a master of HA Arbiter, which answers"
                                + " questions only (use hactl: hactl switchover GROUP, hactl group set GROUP)");
            }
            default -> {
                return Reply.error(
                        "unknown subcommand '" + (request.size() > 1 ? request.get(1) : "") + "' of SENTINEL");
            }
        }
    }

    private Reply about(String subcommand, @Nullable Watched group) {
        if (group == null) {
            return subcommand.equals("GET-MASTER-ADDR-BY-NAME")
                    ? Reply.NOBODY
                    : Reply.error("No such master with that name");
        }
        return switch (subcommand) {
            case "GET-MASTER-ADDR-BY-NAME" ->
                Reply.texts(
                        group.primary().host(), Integer.toString(group.primary().port()));
            case "MASTER" -> primary(group);
            case "SENTINELS" -> sentinels();
            case "CKQUORUM" ->
                new Reply.Simple("OK " + (self.others().size() + 1)
                        + " masters of HA Arbiter. A quorum of them has confirmed this answer");
            default ->
                new Reply.Array(group.replicas().stream()
                        .map(replica -> replica(group, replica))
                        .toList());
        };
    }

    private Reply primary(Watched group) {
        LinkedHashMap<String, String> values = new LinkedHashMap<>();
        values.put("name", group.name());
        values.put("ip", group.primary().host());
        values.put("port", Integer.toString(group.primary().port()));
        values.put("runid", "");
        values.put("flags", group.down() ? "master,s_down,o_down" : "master");
        values.put("role-reported", "master");
        values.put("config-epoch", Long.toString(group.epoch()));
        values.put("num-slaves", Integer.toString(group.replicas().size()));
        values.put("num-other-sentinels", Integer.toString(self.others().size()));
        values.put("quorum", Integer.toString((self.others().size() + 1) / 2 + 1));
        return Reply.fields(values);
    }

    private static Reply replica(Watched group, Watched.Replica replica) {
        LinkedHashMap<String, String> values = new LinkedHashMap<>();
        values.put("name", replica.address().toString());
        values.put("ip", replica.address().host());
        values.put("port", Integer.toString(replica.address().port()));
        values.put("runid", "");
        values.put("flags", replica.down() ? "slave,s_down,disconnected" : "slave");
        values.put("role-reported", "slave");
        values.put("master-link-status", replica.linked() ? "ok" : "err");
        values.put("master-host", group.primary().host());
        values.put("master-port", Integer.toString(group.primary().port()));
        values.put("slave-priority", Integer.toString(replica.priority()));
        return Reply.fields(values);
    }

    private Reply sentinels() {
        List<Reply> all = new ArrayList<>();
        for (int i = 0; i < self.others().size(); i++) {
            Endpoint other = self.others().get(i);
            LinkedHashMap<String, String> values = new LinkedHashMap<>();
            values.put("name", self.othersIds().get(i));
            values.put("ip", other.host());
            values.put("port", Integer.toString(other.port()));
            values.put("runid", self.othersIds().get(i));
            values.put("flags", "sentinel");
            all.add(Reply.fields(values));
        }
        return new Reply.Array(all);
    }

    private String info() {
        SortedMap<String, Watched> all = groups.all();
        StringBuilder text = new StringBuilder();
        text.append("# Server\r\nredis_version:")
                .append(PROTOCOL_OF_REDIS)
                .append("\r\nredis_mode:sentinel\r\nrun_id:")
                .append(self.id())
                .append("\r\n\r\n# Sentinel\r\nsentinel_masters:")
                .append(all.size())
                .append("\r\n");
        int at = 0;
        for (Watched group : all.values()) {
            text.append("master")
                    .append(at++)
                    .append(":name=")
                    .append(group.name())
                    .append(",status=")
                    .append(group.down() ? "odown" : "ok")
                    .append(",address=")
                    .append(group.primary())
                    .append(",slaves=")
                    .append(group.replicas().size())
                    .append(",sentinels=")
                    .append(self.others().size() + 1)
                    .append("\r\n");
        }
        return text.toString();
    }
}
