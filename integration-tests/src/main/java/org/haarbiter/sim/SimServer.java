package org.haarbiter.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.haarbiter.agent.engine.Observation;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/**
 * A database server as MySQL, MariaDB or Redis behave where it matters to a failover: a log of numbered transactions, streams to
 * who follows, commits that wait for acknowledgements without time limit, a start that refuses clients, a crash whose
 * recovery decides over what nobody had acknowledged. Redis acknowledges at once, begins a new history with each promotion,
 * and overwrites whoever follows without a common one.
 */
final class SimServer extends SimProcess {
    private static final int SOURCE_TIMEOUT_MILLIS = 1_000;
    private static final int ORIGIN_SHIFT = 40;

    /** One replica's connection, seen from both sides. */
    private final class Dump {
        final SimServer replica;
        final SimNetwork.Stream down = new SimNetwork.Stream();
        final SimNetwork.Stream back = new SimNetwork.Stream();
        final int sourceLife = life();
        final int replicaLife;
        final boolean acknowledges;
        final int history = SimServer.this.history;

        /** The replica has no common history, and a copy of everything is on its way. */
        boolean copying;

        int sent;
        int acknowledged;

        Dump(SimServer replica) {
            this.replica = replica;
            this.replicaLife = replica.life();
            this.acknowledges = replica.acknowledges;
        }

        SimServer source() {
            return SimServer.this;
        }
    }

    private record Waiting(long transaction, int index, long since) {}

    final SimGroup group;
    final int number;
    final Endpoint address;
    private final SimNetwork network;
    private final Chance chance;
    private final String uuid;

    private final List<Long> log = new ArrayList<>();
    private final ArrayDeque<Long> relay = new ArrayDeque<>();
    private final BitSet[] holds;
    private final BitSet[] visible;
    private final BitSet[] applied;
    /** The newest in its log of each origin, as a MariaDB server keeps it. */
    private final int[] logged;

    private long lastHeld;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private long committedAt;
    private boolean clientsThere;

    private int starts;
    boolean starting;

    /** Its agent stood still or ended, nothing else fenced it, and it wasn't fenced since. */
    boolean unguarded;

    /** Somebody made its commits wait for nobody, and the arbiter hasn't put that back. */
    boolean meddled;

    boolean writable;
    int required;
    private boolean acknowledges;
    private @Nullable Endpoint source;
    private boolean input;
    private @Nullable Dump dump;
    private long attempt;
    private final List<Dump> dumps = new ArrayList<>();
    private long sourceHeardAt = Long.MIN_VALUE;
    private boolean applying;

    /** Of Redis: the history that it is in, the one that this went on from, and where; 0 for none. */
    private int history;

    private int olderHistory;
    private int olderEnd;

    /** Of Redis: it follows nobody by order, rather than a source that isn't there. */
    private boolean master;

    /** Of Redis: what it holds is of its source's history. */
    private boolean copied;

    private int written;

    /** Of Redis: it was restarted and has lost some of what it had, and nobody's data has replaced the rest. */
    boolean shortened;

    /** Of Redis: it was restarted, and nobody knows how what it has compares with what others have. */
    boolean restarted;

    /** Of MySQL: clients are cut off, and so are replicas. */
    private boolean offline;

    /** Its source has said that their histories have parted; a person sees that as replication's error. */
    boolean parted;

    /** A copy of another server's data is being put in place of its own; on its agent's disk. */
    boolean rebuilding;

    long applyLagNanos = 1_000_000;

    private @Nullable Observation lastRunning;

    @Nullable
    Consumer<String> deathWatch;

    SimServer(
            String name,
            int number,
            int servers,
            SimGroup group,
            Timeline timeline,
            SimNetwork network,
            Chance chance) {
        super(name, timeline, chance);
        this.group = group;
        this.number = number;
        this.network = network;
        this.chance = chance;
        this.address = new Endpoint(name, 3306);
        this.uuid = "00000000-0000-0000-0000-%012d".formatted(number);
        this.holds = sets(servers);
        this.visible = sets(servers);
        this.applied = sets(servers);
        this.logged = new int[servers + 1];
    }

    private static BitSet[] sets(int servers) {
        BitSet[] sets = new BitSet[servers + 1];
        for (int i = 0; i < sets.length; i++) {
            sets[i] = new BitSet();
        }
        return sets;
    }

    private boolean mysql() {
        return group.kind == PositionKind.MYSQL_GTID;
    }

    private boolean redis() {
        return group.kind == PositionKind.REPLICATION_OFFSET;
    }

    private static int origin(long transaction) {
        return (int) (transaction >>> ORIGIN_SHIFT);
    }

    private static int sequence(long transaction) {
        return (int) transaction;
    }

    static String text(long transaction) {
        return origin(transaction) + ":" + sequence(transaction);
    }

    String instance() {
        return name + "#" + starts;
    }

    boolean holds(long transaction) {
        return holds[origin(transaction)].get(sequence(transaction));
    }

    /** A transaction that this server has and the other lacks; 0 where there is none. */
    long beyond(SimServer other) {
        for (int i = 0; i < holds.length; i++) {
            BitSet rest = (BitSet) holds[i].clone();
            rest.andNot(other.holds[i]);
            if (!rest.isEmpty()) {
                return ((long) i << ORIGIN_SHIFT) | rest.nextSetBit(0);
            }
        }
        return 0;
    }

    // ---- processes

    void boot(long recoveryNanos) {
        begin();
        starts++;
        starting = true;
        unguarded = false;
        unmeddled();
        writable = false;
        required = 0;
        acknowledges = false;
        input = false;
        offline = mysql();
        lastRunning = null;
        recover();
        after(recoveryNanos, () -> {
            starting = false;
            housekeeping();
        });
    }

    private void recover() {
        if (redis()) {
            recoverRedis();
            return;
        }
        if (mysql()) {
            log.forEach(t -> {
                visible[origin(t)].set(sequence(t));
                applied[origin(t)].set(sequence(t));
            });
            applyLater();
            return;
        }
        // What was received and not applied is gone; so is the unacknowledged end of an old primary's log, and some
        // more.
        relay.clear();
        int cut = Math.min(unacknowledgedAtCrash + (unacknowledgedAtCrash > 0 ? chance.below(4) : 0), log.size());
        for (int i = 0; i < cut; i++) {
            log.remove(log.size() - 1);
        }
        for (int i = 0; i < holds.length; i++) {
            holds[i].clear();
        }
        log.forEach(t -> holds[origin(t)].set(sequence(t)));
        Arrays.fill(logged, 0);
        log.forEach(this::logs);
        lastHeld = log.isEmpty() ? 0 : log.get(log.size() - 1);
    }

    /** It keeps nothing, what it had last saved, or everything; then it doesn't know any more of which history that is. */
    private void recoverRedis() {
        master = false;
        source = null;
        int keeps = chance.below(3);
        int kept = keeps == 0 ? 0 : keeps == 1 ? Math.max(0, log.size() - chance.below(40)) : log.size();
        restarted = !log.isEmpty();
        shortened |= kept < log.size();
        if (keeps == 1 && kept >= olderEnd) {
            olderHistory = 0;
        } else if (keeps == 1) {
            history = olderHistory;
            olderHistory = 0;
        } else {
            history = group.nextHistory();
            olderHistory = 0;
        }
        olderEnd = 0;
        keep(List.copyOf(log.subList(0, kept)));
        if (kept == 0) {
            group.world.count("came-back-empty");
        }
    }

    private void keep(List<Long> all) {
        forget();
        log.addAll(all);
        log.forEach(t -> holds[origin(t)].set(sequence(t)));
    }

    private int unacknowledgedAtCrash;

    /** The process ends; its kernel still delivers what it had sent. */
    void crash(String evidence) {
        if (!up()) {
            return;
        }
        group.world.timeline.note("server " + name + " ended: " + evidence);
        String ended = instance();
        unacknowledgedAtCrash = waiting.size();
        clientsThere = false;
        waiting.clear();
        cutReplicas();
        dropInput();
        end();
        starting = false;
        writable = false;
        Consumer<String> watch = deathWatch;
        if (watch != null) {
            watch.accept(ended);
        }
    }

    private void sourceGone(Dump ended, SimServer from) {
        if (network.cut(from.name, name)) {
            return;
        }
        int inLife = life();
        timeline.after(
                chance.millis(1, 80),
                () -> arrive(inLife, () -> {
                    if (dump == ended) {
                        dropInput();
                    }
                }));
    }

    private void housekeeping() {
        after(100_000_000, this::housekeeping);
        for (Dump next : List.copyOf(dumps)) {
            if (next.down.broken) {
                dumps.remove(next);
            } else {
                network.stream(name, next.replica.name, next.down, () -> next.replica.sourceSpoke(next));
            }
        }
        Dump present = dump;
        if (present != null && timeline.now() - sourceHeardAt > SOURCE_TIMEOUT_MILLIS * 1_000_000L) {
            dropInput();
        }
        if (input && dump == null) {
            connect();
        }
    }

    /** Its data is given up for a copy of another's: it is empty and healthy until that is whole. */
    void rebuildBegins() {
        rebuilding = true;
        if (redis()) {
            return;
        }
        crash("its data is given up");
        forget();
        boot(20_000_000);
    }

    private void copy(List<Long> all, int ofHistory) {
        keep(List.copyOf(all));
        history = ofHistory;
        olderHistory = 0;
        olderEnd = 0;
        shortened = false;
        restarted = false;
    }

    private void forget() {
        log.clear();
        relay.clear();
        for (int i = 0; i < holds.length; i++) {
            holds[i].clear();
            visible[i].clear();
            applied[i].clear();
        }
        Arrays.fill(logged, 0);
        lastHeld = 0;
    }

    /** Its data is replaced by a copy of another's. */
    void provision(SimServer from) {
        if (redis()) {
            copy(from.log, from.history);
            rebuilding = false;
            group.world.timeline.note(name + " holds a copy of " + from.name + "'s: " + offset());
            return;
        }
        crash("provisioned anew from " + from.name);
        rebuilding = false;
        forget();
        from.log.stream()
                .filter(t -> !mysql() || from.visible[origin(t)].get(sequence(t)))
                .forEach(log::add);
        log.forEach(t -> holds[origin(t)].set(sequence(t)));
        log.forEach(this::logs);
        lastHeld = log.isEmpty() ? 0 : log.get(log.size() - 1);
        unacknowledgedAtCrash = 0;
        parted = false;
        boot(50_000_000);
    }

    // ---- replication, the replica's side

    private void dropInput() {
        Dump present = dump;
        attempt++;
        if (present != null) {
            dump = null;
            present.down.closed = true;
            present.down.broken = true;
        }
    }

    /** Its connection to its source breaks; it comes back by itself. */
    void loseConnection() {
        if (up() && dump != null) {
            dropInput();
        }
    }

    private void connect() {
        SimServer from = group.at(source);
        if (from == null) {
            return;
        }
        long mine = ++attempt;
        int fromLife = from.life();
        int inLife = life();
        network.datagram(name, from.name, () -> from.arrive(fromLife, () -> from.follower(this, inLife, mine)));
    }

    /** Source's side: a replica has come. */
    private void follower(SimServer replica, int replicaLife, long replicaAttempt) {
        if (starting || !replica.up() || replica.life() != replicaLife || replica.attempt != replicaAttempt) {
            return;
        }
        if (offline || (redis() && !master && (dump == null || dump.copying))) {
            return;
        }
        Dump next = new Dump(replica);
        if (redis()) {
            feed(next, replicaAttempt);
            return;
        }
        boolean known = mysql() || replica.lastHeld == 0 || log.contains(replica.lastHeld);
        if (!known) {
            group.world.count("source-refused-replica");
            replica.parted = true;
            return;
        }
        network.stream(
                name,
                replica.name,
                next.down,
                () -> replica.arrive(replicaLife, () -> replica.attached(next, replicaAttempt)));
        while (next.sent < log.size() && replica.holds(log.get(next.sent))) {
            next.sent++;
        }
        next.acknowledged = next.sent;
        dumps.add(next);
        push(next);
        commitWhatIsAcknowledged();
    }

    /** From where the replica stands, where that is part of this history, or else with a copy of everything. */
    private void feed(Dump next, long replicaAttempt) {
        SimServer replica = next.replica;
        int offset = replica.log.size();
        boolean partial = (replica.history == history && offset <= log.size())
                || (replica.history == olderHistory && olderHistory > 0 && offset <= olderEnd);
        next.copying = !partial;
        next.sent = partial ? offset : 0;
        dumps.add(next);
        network.stream(
                name,
                replica.name,
                next.down,
                () -> replica.arrive(next.replicaLife, () -> replica.attached(next, replicaAttempt)));
        if (partial) {
            push(next);
            return;
        }
        after(chance.millis(20, 400), () -> {
            if (!dumps.contains(next) || next.down.broken) {
                return;
            }
            List<Long> all = List.copyOf(log);
            int ofHistory = history;
            next.copying = false;
            next.sent = all.size();
            network.stream(
                    name,
                    replica.name,
                    next.down,
                    () -> replica.arrive(next.replicaLife, () -> replica.loaded(next, all, ofHistory)));
            push(next);
        });
    }

    private void loaded(Dump from, List<Long> all, int ofHistory) {
        if (dump != from) {
            return;
        }
        group.world.count("copied-by-following");
        group.world.truth.follows(this, from.source());
        copy(all, ofHistory);
        copied = true;
    }

    private void attached(Dump next, long replicaAttempt) {
        // The same request may have reached the source twice.
        if (attempt != replicaAttempt || !input || dump != null) {
            next.down.closed = true;
            next.down.broken = true;
            return;
        }
        dump = next;
        parted = false;
        copied = !next.copying;
        sourceHeardAt = timeline.now();
        group.world.truth.follows(this, next.source());
        shortened &= next.copying;
        restarted &= next.copying;
        if (redis() && !next.copying && history != next.history) {
            olderHistory = history;
            olderEnd = log.size();
            history = next.history;
        }
    }

    private void sourceSpoke(Dump from) {
        arrive(from.replicaLife, () -> {
            if (dump == from) {
                sourceHeardAt = timeline.now();
            }
        });
    }

    private void push(Dump to) {
        if (to.copying) {
            return;
        }
        while (to.sent < log.size()) {
            long transaction = log.get(to.sent);
            int index = ++to.sent;
            if (mysql() && to.replica.holds(transaction)) {
                continue;
            }
            network.stream(
                    name,
                    to.replica.name,
                    to.down,
                    () -> to.replica.arrive(to.replicaLife, () -> to.replica.receive(to, transaction, index)));
        }
    }

    private void receive(Dump from, long transaction, int index) {
        if (dump != from) {
            return;
        }
        sourceHeardAt = timeline.now();
        if (redis()) {
            if (index != log.size() + 1) {
                throw new IllegalStateException(name + " gets transaction " + index + " after " + log.size());
            }
            log.add(transaction);
            holds[origin(transaction)].set(sequence(transaction));
            dumps.forEach(this::push);
            return;
        }
        if (!mysql() && sequence(transaction) != sequence(lastHeld) + 1) {
            dropInput();
            return;
        }
        holds[origin(transaction)].set(sequence(transaction));
        visible[origin(transaction)].set(sequence(transaction));
        lastHeld = transaction;
        relay.add(transaction);
        applyLater();
        if (from.acknowledges && acknowledges) {
            network.stream(
                    name,
                    from.source().name,
                    from.back,
                    () -> from.source()
                            .arrive(from.sourceLife, () -> from.source().acknowledged(from, index)));
            if (from.back.broken) {
                // A reset ends a connection in both directions.
                dropInput();
            }
        }
    }

    private void applyLater() {
        if (applying || relay.isEmpty()) {
            return;
        }
        applying = true;
        int inLife = life();
        timeline.after(applyLagNanos, () -> {
            applying = false;
            if (life() == inLife && !frozen()) {
                applyRelay();
            } else if (up()) {
                timeline.after(20_000_000, this::applyLater);
            }
        });
    }

    /** It has caught up, and lags no more. */
    void applyNow() {
        applyLagNanos = 1_000_000;
        if (up() && !frozen() && !starting) {
            applyRelay();
        }
    }

    private void applyRelay() {
        while (!relay.isEmpty()) {
            long transaction = relay.remove();
            log.add(transaction);
            logs(transaction);
            applied[origin(transaction)].set(sequence(transaction));
        }
        dumps.forEach(this::push);
    }

    // ---- the source's side

    private void acknowledged(Dump from, int index) {
        from.acknowledged = Math.max(from.acknowledged, index);
        commitWhatIsAcknowledged();
    }

    private void commitWhatIsAcknowledged() {
        while (!waiting.isEmpty()) {
            Waiting first = waiting.peek();
            // A replica that has connected anew counts once: a server keeps acknowledgements by the replica's id.
            long acknowledgements = dumps.stream()
                    .filter(d -> d.acknowledges && d.acknowledged > first.index())
                    .map(d -> d.replica)
                    .distinct()
                    .count();
            if (acknowledgements < required) {
                return;
            }
            waiting.remove();
            committedAt = timeline.now();
            visible[number].set(sequence(first.transaction()));
            applied[number].set(sequence(first.transaction()));
            if (clientsThere) {
                group.world.truth.acknowledged(this, first.transaction());
            }
        }
    }

    private void logs(long transaction) {
        logged[origin(transaction)] = Math.max(logged[origin(transaction)], sequence(transaction));
    }

    /** A client tries to write. */
    void write() {
        if (!up() || frozen() || starting || !writable || waiting.size() >= 4) {
            return;
        }
        if (redis()) {
            writeUnlessAlone();
            return;
        }
        int sequence = mysql() ? holds[number].length() : sequence(lastHeld) + 1;
        long transaction = ((long) number << ORIGIN_SHIFT) | Math.max(1, sequence);
        holds[number].set(sequence(transaction));
        log.add(transaction);
        logs(transaction);
        lastHeld = transaction;
        clientsThere = true;
        waiting.add(new Waiting(transaction, log.size() - 1, timeline.now()));
        dumps.forEach(this::push);
        commitWhatIsAcknowledged();
    }

    /** Acknowledged at once, if as many replicas are attached as are asked for. */
    private void writeUnlessAlone() {
        if (attached() < required) {
            return;
        }
        long transaction = ((long) number << ORIGIN_SHIFT) | ++written;
        log.add(transaction);
        holds[number].set(written);
        clientsThere = true;
        dumps.forEach(this::push);
        group.world.truth.acknowledged(this, transaction);
    }

    private int attached() {
        return (int) dumps.stream()
                .filter(d -> !d.down.broken && !d.copying && (d.acknowledges || redis()))
                .count();
    }

    private void cutClients() {
        clientsThere = false;
    }

    /** A replica that refuses writes and receives from its source. */
    boolean follows() {
        return !writable && dump != null;
    }

    // ---- what an agent can do; each calls back with a sentence where it failed

    interface Done {
        void ended(@Nullable String problem);
    }

    void fence(Done done) {
        unmeddled();
        unguarded = false;
        writable = false;
        cutClients();
        if (mysql()) {
            offline = true;
            cutReplicas();
        }
        if (redis()) {
            followNobody();
        }
        if (!mysql()) {
            // Killing a client there ends its waiting as well.
            required = 0;
            commitWhatIsAcknowledged();
        }
        done.ended(null);
    }

    /**
     * Commits wait for acknowledgements, and their clients are gone. They are in its log, not in its position, and will be in
     * its position some day; only an acknowledgement or the end of the process ends them.
     */
    boolean stranded() {
        return !waiting.isEmpty();
    }

    void drain(BooleanSupplier alive, long deadline, Done done) {
        writable = false;
        if (waiting.isEmpty()) {
            done.ended(null);
        } else if (timeline.now() > deadline) {
            writable = true;
            done.ended("commits wait for acknowledgements");
        } else if (alive.getAsBoolean()) {
            after(5_000_000, () -> drain(alive, deadline, done));
        }
    }

    /** Its source is an address at which nobody answers. */
    private void followNobody() {
        master = false;
        source = null;
        input = false;
        dropInput();
    }

    void seal(Done done) {
        input = false;
        dropInput();
        if (redis()) {
            followNobody();
        }
        done.ended(null);
    }

    void awaitApplied(String upTo, long deadline, BooleanSupplier alive, Done done) {
        if (group.kind.parse(appliedText()).covers(group.kind.parse(upTo))) {
            done.ended(null);
        } else if (timeline.now() > deadline) {
            done.ended("not applied in time");
        } else if (alive.getAsBoolean()) {
            after(5_000_000, () -> awaitApplied(upTo, deadline, alive, done));
        }
    }

    void open(long epoch, int acknowledgers) {
        unmeddled();
        required = acknowledgers;
        commitWhatIsAcknowledged();
        input = false;
        dropInput();
        offline = false;
        if (redis()) {
            beginHistory();
            source = null;
        }
        writable = true;
        group.world.truth.opened(this, epoch);
    }

    /** A server that is promoted writes on in a history of its own; one that was primary all the time doesn't. */
    private void beginHistory() {
        if (!master) {
            olderHistory = history;
            olderEnd = log.size();
            history = group.nextHistory();
            master = true;
            cutReplicas();
        }
    }

    private void cutReplicas() {
        for (Dump next : List.copyOf(dumps)) {
            next.down.broken = true;
            next.replica.sourceGone(next, this);
        }
        dumps.clear();
    }

    void settle(Done done) {
        source = null;
        done.ended(null);
    }

    void follow(Endpoint from, boolean acknowledging, Done done) {
        writable = false;
        cutClients();
        dropInput();
        offline = false;
        master = false;
        source = from;
        acknowledges = acknowledging;
        input = true;
        connect();
        done.ended(null);
    }

    void require(int before, int acknowledgers, Done done) {
        if (required != before) {
            done.ended("commits wait for " + required + ", not " + before);
            return;
        }
        if (meddled) {
            group.world.truth.putBack(this);
        }
        meddled = false;
        required = acknowledgers;
        commitWhatIsAcknowledged();
        done.ended(null);
    }

    private void unmeddled() {
        if (meddled) {
            meddled = false;
            group.world.truth.gaveUp(this);
        }
    }

    /** Somebody changes a setting behind the arbiter's back. */
    void meddle(int what) {
        if (!answers()) {
            return;
        }
        group.world.timeline.note("somebody meddles with " + name + " (" + what + ")");
        if (what == 0) {
            acknowledges = !acknowledges;
            dropInput();
        } else {
            meddled |= what == 1 && required > 0;
            required = what == 1 ? 0 : required + 1;
            commitWhatIsAcknowledged();
        }
    }

    /** A person sets it up before any agent is there. */
    void configured(@Nullable Endpoint from, boolean open, int acknowledgers) {
        source = from;
        input = from != null;
        acknowledges = true;
        writable = open;
        required = acknowledgers;
        offline = mysql() && from == null && !open;
        if (redis() && from == null) {
            beginHistory();
            master = open;
        }
    }

    // ---- what an agent can see

    private String appliedText() {
        if (redis()) {
            return offset();
        }
        return mysql() ? gtids(applied) : domain();
    }

    private String offset() {
        if (log.isEmpty()) {
            return "";
        }
        return Integer.toHexString(history) + ":" + log.size()
                + (olderHistory > 0 && olderEnd > 0 ? "," + Integer.toHexString(olderHistory) + ":" + olderEnd : "");
    }

    private String receivedText() {
        if (redis()) {
            return offset();
        }
        // Of what was received and not applied the newest only is known.
        return mysql()
                ? gtids(visible)
                : lastHeld == 0 ? "" : domain() + ",0-" + text(lastHeld).replace(':', '-');
    }

    private String domain() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < logged.length; i++) {
            if (logged[i] > 0) {
                text.append(text.isEmpty() ? "" : ",")
                        .append("0-")
                        .append(i)
                        .append('-')
                        .append(logged[i]);
            }
        }
        return text.toString();
    }

    private String gtids(BitSet[] sets) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < sets.length; i++) {
            BitSet set = sets[i];
            if (set.isEmpty()) {
                continue;
            }
            text.append(text.isEmpty() ? "" : ",").append(group.uuids[i]);
            int first = set.nextSetBit(0);
            while (first >= 0) {
                int end = set.nextClearBit(first);
                text.append(':').append(first).append('-').append(end - 1);
                first = set.nextSetBit(end);
            }
        }
        return text.toString();
    }

    /** What it answers now, if it runs. */
    Observation look() {
        Observation seen = new Observation(
                ServerState.RUNNING,
                "",
                instance(),
                uuid,
                "1",
                writable,
                source,
                dump != null,
                !redis() || dump == null || copied,
                receivedText(),
                appliedText(),
                0,
                dump == null ? -1 : (timeline.now() - sourceHeardAt) / 1_000_000,
                attached(),
                required,
                acknowledges,
                waiting.isEmpty()
                        ? 0
                        : (timeline.now()
                                        - Math.max(
                                                committedAt, waiting.getFirst().since()))
                                / 1_000_000,
                List.of(),
                rebuilding,
                Observation.USUAL_PRIORITY,
                null);
        lastRunning = seen;
        return seen;
    }

    /** What the agent makes of it where it doesn't run. */
    Observation lookFromOutside() {
        ServerState state = !up() ? ServerState.DEAD : starting ? ServerState.STARTING : ServerState.HUNG;
        Observation last = lastRunning;
        return last == null
                ? Observation.unseen(state, "it is " + state, instance())
                : last.inState(state, "it is " + state, -1);
    }

    boolean answers() {
        return up() && !frozen() && !starting;
    }

    String uuid() {
        return uuid;
    }
}
