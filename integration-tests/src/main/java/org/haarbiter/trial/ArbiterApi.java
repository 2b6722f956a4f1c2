package org.haarbiter.trial;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.EventView;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MemberView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.SwitchView;
import org.haarbiter.lab.Host;
import org.haarbiter.master.admin.AdminServer;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;

/** Asks the masters' admin API, as programs do. One thread. */
public final class ArbiterApi {
    private static final int TIMEOUT_MILLIS = 2_000;
    private static final long PAUSE_NANOS = 50_000_000;

    /** Transactions that a replica of a group at work may lack at any moment. */
    private static final long AT_HEELS = 100;
    /** The same in bytes, where positions count these. */
    private static final long AT_HEELS_BYTES = 100 * 1024;

    private final List<Endpoint> masters;
    private final Host host;
    private final ObjectMapper json = new ObjectMapper();
    private @Nullable IOException lastSilence;

    ArbiterApi(List<Endpoint> masters, Host host) {
        this.masters = List.copyOf(masters);
        this.host = host;
    }

    /** As {@code HA_MASTERS} wants them. */
    public String addresses() {
        return masters.stream().map(Endpoint::toString).collect(Collectors.joining(","));
    }

    /** Where each master can be looked at. */
    public List<String> consoles() {
        return masters.stream().map(m -> "http://" + m + "/v1/status").toList();
    }

    /** The group as the leader sees it; null while there is no leader, or it doesn't know the group. */
    public @Nullable GroupView group(String name) {
        return ask("/v1/groups/" + name, GroupView.class);
    }

    /** The newest switches of a group, newest first; empty while there is no leader. */
    public List<SwitchView> switches(String group) {
        LogView log = ask("/v1/log?group=" + group, LogView.class);
        return log == null ? List.of() : log.switches();
    }

    /** Waits until the primary is open, every other member follows it, and DNS shows it; returns the primary's name. */
    public String awaitSteady(String group, Duration limit) {
        return await(
                        group,
                        "has an open primary and DNS shows it",
                        limit,
                        g -> g.phase().equals("steady")
                                && open(g)
                                && g.names().state().equals("served"))
                .primary();
    }

    /** Waits until DNS shows the present primary everywhere. */
    public void awaitPublished(String group, Duration limit) {
        await(
                group,
                "is steady and published",
                limit,
                g -> g.phase().equals("steady") && g.names().state().equals("served"));
    }

    /** Waits until all members are there, healthy, with commits waiting for as many acknowledgements as they should. */
    public void awaitWhole(String group, int members, Duration limit) {
        await(group, "is whole", limit, g -> whole(g, members));
    }

    /** True once the group is whole, false as soon as a member stays away from it for what only that one has. */
    public boolean awaitWholeUnlessKeptAway(String group, int members, Duration limit) {
        GroupView reached = await(
                group,
                "is whole, or keeps a member away",
                limit,
                g -> whole(g, members) || g.members().stream().anyMatch(ArbiterApi::keptAway));
        return whole(reached, members);
    }

    /** Whether it must stay fenced for transactions that nobody acknowledged, which the primary lacks. */
    static boolean keptAway(MemberView member) {
        return member.role().equals("away")
                && member.problems().stream().anyMatch(problem -> problem.startsWith("holds transactions that "));
    }

    /** Whether all members are there, healthy, with commits waiting for as many acknowledgements as they should. */
    static boolean whole(GroupView group, int members) {
        return group.phase().equals("steady")
                && open(group)
                && group.acknowledgers() == group.acknowledgersWanted()
                && group.members().stream().filter(MemberView::healthy).count() == members
                && group.members().stream().noneMatch(m -> m.role().equals("away") || !caughtUp(group, m))
                // A cluster has been compared with the primary; one that settings keep from promotion, too.
                && group.members().stream()
                        .allMatch(m -> m.electable() || m.problems().isEmpty())
                && group.names().state().equals("served");
    }

    /** An empty server that has begun to receive is a healthy replica, with all of the group's history to go. */
    private static boolean caughtUp(GroupView group, MemberView member) {
        return member.transactionsBehind() >= 0
                && member.transactionsBehind() + member.transactionsToApply()
                        <= (group.unit().equals("bytes") ? AT_HEELS_BYTES : AT_HEELS);
    }

    private static boolean open(GroupView group) {
        return group.members().stream()
                .anyMatch(m -> m.name().equals(group.primary()) && m.openEpoch() == group.epoch() && m.writable());
    }

    /** Everything else that was decided, newest first; empty while there is no leader. */
    public List<EventView> events() {
        LogView log = ask("/v1/log", LogView.class);
        return log == null ? List.of() : log.events();
    }

    /** The fleet as the leader sees it; null while there is none. */
    public @Nullable StatusView status() {
        return ask("/v1/status", StatusView.class);
    }

    /** What one master, leader or not, knows itself; null while it doesn't answer. */
    public @Nullable StatusView ownStatus(Endpoint admin) {
        try {
            return host.call(() -> get(admin, "/v1/status?local=true", StatusView.class));
        } catch (IOException e) {
            lastSilence = e;
            return null;
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("can't ask " + admin, e);
        }
    }

    /** Durations of the newest switch's phases in ms, as the leader measured them. */
    public SortedMap<String, Double> phases(String group) {
        List<SwitchView> switches = switches(group);
        return switches.isEmpty() ? new TreeMap<>() : switches.get(0).phasesMillis();
    }

    /** Waits until the group is as asked. */
    public GroupView await(String group, String what, Duration limit, Predicate<GroupView> condition) {
        long end = System.nanoTime() + limit.toNanos();
        GroupView last = null;
        while (System.nanoTime() - end < 0) {
            GroupView now = group(group);
            last = now == null ? last : now;
            if (now != null && condition.test(now)) {
                return now;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        throw new IllegalStateException(
                "waited " + limit.toSeconds() + " s until group " + group + " " + what + "; last seen: " + last,
                lastSilence);
    }

    /** Sends a manual act to the leader, without a hactl process of its own that would take the servers' time. */
    CommandResult command(CommandRequest request) throws IOException {
        CommandResult result = first(master -> post(master, request));
        if (result == null) {
            throw new IOException("no master takes the command", lastSilence);
        }
        return result;
    }

    private @Nullable CommandResult post(Endpoint master, CommandRequest request) throws IOException {
        HttpURLConnection connection = open(master, "/v1/commands");
        try {
            connection.setRequestMethod("POST");
            connection.setRequestProperty(AdminServer.COMMAND_HEADER, "1");
            connection.setDoOutput(true);
            try (OutputStream body = connection.getOutputStream()) {
                json.writeValue(body, request);
            }
            // A follower names the leader instead.
            return connection.getResponseCode() != 200 ? null : read(connection, CommandResult.class);
        } finally {
            connection.disconnect();
        }
    }

    private static HttpURLConnection open(Endpoint master, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://" + master + path).toURL().openConnection();
        connection.setConnectTimeout(TIMEOUT_MILLIS);
        connection.setReadTimeout(TIMEOUT_MILLIS);
        connection.setInstanceFollowRedirects(false);
        return connection;
    }

    private <T> T read(HttpURLConnection connection, Class<T> type) throws IOException {
        try (InputStream body = connection.getInputStream()) {
            return json.readValue(body, type);
        }
    }

    private <T> @Nullable T ask(String path, Class<T> type) {
        return first(master -> get(master, path, type));
    }

    private interface Question<T> {
        @Nullable
        T to(Endpoint master) throws IOException;
    }

    private <T> @Nullable T first(Question<T> question) {
        IOException silent = null;
        for (Endpoint master : masters) {
            try {
                T answer = host.call(() -> question.to(master));
                if (answer != null) {
                    return answer;
                }
            } catch (IOException e) {
                // This master is down or busy: the next may answer, and whoever waits asks again.
                silent = e;
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("can't ask " + master, e);
            }
        }
        lastSilence = silent;
        return null;
    }

    private <T> @Nullable T get(Endpoint master, String path, Class<T> type) throws IOException {
        HttpURLConnection connection = open(master, path);
        try {
            return connection.getResponseCode() != 200 ? null : read(connection, type);
        } finally {
            connection.disconnect();
        }
    }
}
