package org.haarbiter.cli;

import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.haarbiter.settings.Credentials;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** Reads what a Redis Sentinel watches; changes nothing. For one thread. */
final class SentinelReader {
    private static final int CONNECT_LIMIT_MILLIS = 1_500;
    private static final String EXPECTED = "must be the address of a Redis Sentinel, whose usual port is 26379";

    private final Endpoint asked;
    private final @Nullable Credentials login;
    private final int limitMillis;

    /**
     * A reader that isn't connected yet.
     *
     * @param login for this Sentinel and the others that it knows; null for none
     * @param limitMillis the longest to wait for an answer
     */
    SentinelReader(Endpoint asked, @Nullable Credentials login, int limitMillis) {
        this.asked = asked;
        this.login = login;
        this.limitMillis = limitMillis;
    }

    /** An answer without a field that every Sentinel gives. */
    private static final class UnreadableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnreadableException(String sentence, @Nullable Throwable cause) {
            super(sentence, cause);
        }
    }

    /**
     * All groups that the Sentinel watches, by name.
     *
     * @throws CliException with why it can't be read: nobody answers, it isn't a Sentinel, or it wants another login
     */
    List<WatchedGroup> groups() throws CliException {
        List<WatchedGroup> groups = new ArrayList<>();
        SortedMap<Endpoint, List<String>> others = new TreeMap<>();
        try (Jedis sentinel = connected(asked)) {
            for (Map<String, String> primary : sentinel.sentinelMasters()) {
                WatchedGroup group = group(sentinel, primary);
                groups.add(group);
                group.others()
                        .forEach(other -> others.computeIfAbsent(other.sentinel(), s -> new ArrayList<>())
                                .add(group.name()));
            }
        } catch (JedisException e) {
            throw unread(e);
        } catch (UnreadableException e) {
            throw new CliException(
                    ExitCode.USAGE, asked + " isn't a Redis Sentinel: " + e.getMessage() + " (" + EXPECTED + ")");
        }
        Map<Endpoint, Map<String, WatchedGroup.Opinion>> opinions = new TreeMap<>();
        others.forEach((sentinel, names) -> opinions.put(sentinel, opinions(sentinel, names)));
        return groups.stream()
                .map(group -> withOthers(
                        group,
                        group.others().stream()
                                .map(other -> opinions.getOrDefault(other.sentinel(), Map.of())
                                        .getOrDefault(group.name(), other))
                                .toList()))
                .sorted(Comparator.comparing(WatchedGroup::name))
                .toList();
    }

    private Jedis connected(Endpoint sentinel) {
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder()
                .autoNegotiateProtocol(false)
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                .connectionTimeoutMillis(Math.min(CONNECT_LIMIT_MILLIS, limitMillis))
                .socketTimeoutMillis(limitMillis);
        if (login != null) {
            config.user(login.user()).password(login.password());
        }
        Jedis jedis = new Jedis(new HostAndPort(sentinel.host(), sentinel.port()), config.build());
        try {
            jedis.connect();
            return jedis;
        } catch (JedisException e) {
            jedis.close();
            throw e;
        }
    }

    private static WatchedGroup group(Jedis sentinel, Map<String, String> primary) {
        String name = text(primary, "name");
        List<WatchedGroup.Replica> replicas = new ArrayList<>();
        for (Map<String, String> replica : sentinel.sentinelReplicas(name)) {
            String sourceHost = replica.getOrDefault("master-host", "?");
            String sourcePort = replica.getOrDefault("master-port", "0");
            replicas.add(new WatchedGroup.Replica(
                    address(replica),
                    flags(replica, "slave"),
                    number(replica, "slave-priority"),
                    replica.getOrDefault("master-link-status", "").equals("ok"),
                    sourcePort.equals("0") ? null : address(sourceHost, sourcePort)));
        }
        replicas.sort(Comparator.comparing(WatchedGroup.Replica::address));
        List<WatchedGroup.Opinion> others = new ArrayList<>();
        for (Map<String, String> other : sentinel.sentinelSentinels(name)) {
            others.add(new WatchedGroup.Opinion(address(other), null, "wasn't asked"));
        }
        others.sort(Comparator.comparing(WatchedGroup.Opinion::sentinel));
        return new WatchedGroup(
                name,
                address(primary),
                flags(primary, "master"),
                number(primary, "quorum"),
                number(primary, "down-after-milliseconds"),
                number(primary, "failover-timeout"),
                number(primary, "parallel-syncs"),
                primary.getOrDefault("notification-script", ""),
                primary.getOrDefault("client-reconfig-script", ""),
                replicas,
                others);
    }

    private static WatchedGroup withOthers(WatchedGroup group, List<WatchedGroup.Opinion> others) {
        return new WatchedGroup(
                group.name(),
                group.primary(),
                group.flags(),
                group.quorum(),
                group.downAfterMillis(),
                group.failoverTimeoutMillis(),
                group.parallelSyncs(),
                group.notificationScript(),
                group.clientReconfigScript(),
                group.replicas(),
                others);
    }

    /** What another Sentinel says; a problem is an answer too. */
    private Map<String, WatchedGroup.Opinion> opinions(Endpoint sentinel, List<String> groups) {
        Map<String, WatchedGroup.Opinion> opinions = new TreeMap<>();
        Function<String, WatchedGroup.Opinion> mute = problem -> new WatchedGroup.Opinion(sentinel, null, problem);
        try (Jedis other = connected(sentinel)) {
            for (String group : groups) {
                List<String> primary = other.sentinelGetMasterAddrByName(group);
                opinions.put(
                        group,
                        primary == null || primary.size() != 2
                                ? mute.apply("doesn't watch this group")
                                : new WatchedGroup.Opinion(sentinel, address(primary.get(0), primary.get(1)), ""));
            }
        } catch (JedisException e) {
            groups.forEach(group -> opinions.putIfAbsent(group, mute.apply("can't be asked: " + words(e))));
        } catch (UnreadableException e) {
            groups.forEach(group ->
                    opinions.putIfAbsent(group, mute.apply("gives an answer that can't be read: " + e.getMessage())));
        }
        return opinions;
    }

    private CliException unread(JedisException e) {
        String said = words(e);
        if (said.startsWith("NOAUTH")) {
            return new CliException(
                    ExitCode.USAGE,
                    asked + " wants a login, and "
                            + (login == null ? "none was given" : "that of " + login.user() + " isn't one")
                            + ": " + said
                            + " (give --credentials-file, a file with 'user:' and 'password:'; the user of"
                            + " requirepass is 'default'; it " + EXPECTED + ")");
        }
        if (said.startsWith("WRONGPASS") || said.contains("AUTH")) {
            return new CliException(
                    ExitCode.USAGE,
                    asked + " refuses the login of "
                            + (login == null ? "nobody" : login.user()) + ": " + said
                            + " (see --credentials-file; the user of requirepass is 'default')");
        }
        if (said.startsWith("NOPERM")) {
            return new CliException(
                    ExitCode.USAGE,
                    "the Sentinel " + asked + " doesn't let " + (login == null ? "the user default" : login.user())
                            + " ask: " + said + " (the user must be allowed +sentinel)");
        }
        boolean unknown = said.toLowerCase(Locale.ROOT).contains("unknown command");
        if (unknown || e instanceof JedisDataException) {
            return new CliException(
                    ExitCode.USAGE,
                    asked + " isn't a Redis Sentinel" + (unknown ? " but a plain Redis" : "") + ": it answers '" + said
                            + "' (" + EXPECTED + ")");
        }
        boolean silent = cause(e, ConnectException.class) != null
                || cause(e, SocketTimeoutException.class) != null
                || cause(e, UnknownHostException.class) != null;
        return new CliException(
                silent ? ExitCode.UNREACHABLE : ExitCode.USAGE,
                (silent ? "nobody answers at " : "whoever answers isn't a Redis Sentinel at ") + asked + ": " + said
                        + " (" + EXPECTED + ")");
    }

    /** In one line: what the other end said, or what the network said. */
    private static String words(JedisException e) {
        if (cause(e, UnknownHostException.class) != null) {
            return "the host name isn't known";
        }
        Throwable timeout = cause(e, SocketTimeoutException.class);
        if (timeout != null) {
            return "no answer in time (" + timeout.getMessage() + ")";
        }
        if (cause(e, ConnectException.class) != null) {
            return "the connection is refused";
        }
        Throwable innermost = e;
        while (e instanceof JedisConnectionException && innermost.getCause() != null) {
            innermost = innermost.getCause();
        }
        return clean(String.valueOf(innermost.getMessage())).strip().replaceFirst("\\.$", "");
    }

    private static <T extends Throwable> @Nullable T cause(Throwable e, Class<T> type) {
        for (Throwable at = e; at != null; at = at.getCause()) {
            if (type.isInstance(at)) {
                return type.cast(at);
            }
            for (Throwable suppressed : at.getSuppressed()) {
                if (type.isInstance(suppressed)) {
                    return type.cast(suppressed);
                }
            }
        }
        return null;
    }

    // Fields

    private static String text(Map<String, String> fields, String name) {
        String text = fields.get(name);
        if (text == null || text.isEmpty()) {
            throw new UnreadableException("it gives no " + name, null);
        }
        return clean(text);
    }

    /** What comes over the network goes to a terminal. */
    private static String clean(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    private static long number(Map<String, String> fields, String name) {
        String text = text(fields, name);
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new UnreadableException("its " + name + " is '" + text + "' (must be a number)", e);
        }
    }

    private static Endpoint address(Map<String, String> fields) {
        return address(text(fields, "ip"), text(fields, "port"));
    }

    private static Endpoint address(String host, String port) {
        try {
            return new Endpoint(clean(host), Integer.parseInt(port));
        } catch (IllegalArgumentException e) {
            throw new UnreadableException(
                    "'" + clean(host) + "' and '" + clean(port) + "' aren't an address (" + e.getMessage() + ")", e);
        }
    }

    private static List<String> flags(Map<String, String> fields, String usual) {
        List<String> flags = new ArrayList<>(List.of(text(fields, "flags").split(",")));
        flags.remove(usual);
        return flags;
    }
}
