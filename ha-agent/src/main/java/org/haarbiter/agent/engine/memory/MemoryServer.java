package org.haarbiter.agent.engine.memory;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.agent.engine.DeathListener;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.PositionKind;
import org.haarbiter.words.ServerState;
import org.jspecify.annotations.Nullable;

/** One server of a {@link MemoryFleet}. What tests do to it is public; what an agent does goes through {@link MemoryEngine}. */
public final class MemoryServer {

    /** A committed transaction. */
    public record Transaction(String gtid, String payload) {}

    private final MemoryFleet fleet;
    private final Endpoint address;
    private final String uuid;
    private final List<Transaction> history = new ArrayList<>();
    private final List<DeathListener> deathListeners = new ArrayList<>();
    private GtidSet executed = (GtidSet) PositionKind.MYSQL_GTID.parse("");
    private long written;
    private int starts = 1;
    private ServerState state = ServerState.RUNNING;
    private boolean cut;
    boolean writable;
    boolean receiving;
    boolean acknowledges;
    int acknowledgersRequired;
    private @Nullable Endpoint source;

    MemoryServer(MemoryFleet fleet, Endpoint address, int number) {
        this.fleet = fleet;
        this.address = address;
        this.uuid = "00000000-0000-0000-0000-%012d".formatted(number);
    }

    /** Where it is reached. */
    public Endpoint address() {
        return address;
    }

    /** Its lasting identity. */
    public String serverId() {
        return uuid;
    }

    /** Sets whom it follows without starting to, as a person does who prepares a replica. */
    public void configureSource(Endpoint newSource) {
        locked(() -> source = newSource);
    }

    /**
     * A client's write: returns when it is acknowledged.
     *
     * @return false where it was refused, or no acknowledgement came in time: then nobody knows what became of it
     */
    public boolean write(String payload, long limitMillis) throws InterruptedException {
        fleet.lock.lock();
        try {
            if (state != ServerState.RUNNING || !writable) {
                return false;
            }
            int start = starts;
            written++;
            Transaction transaction = new Transaction(uuid + ":" + written, payload);
            commit(transaction);
            int required = acknowledgersRequired;
            fleet.replicate();
            return fleet.await(() -> starts == start && !cut && holders(transaction) >= required, limitMillis)
                    && state == ServerState.RUNNING
                    && writable;
        } finally {
            fleet.lock.unlock();
        }
    }

    private long holders(Transaction transaction) {
        return fleet.receiversOf(this).stream()
                .filter(r -> r.acknowledges && r.history.contains(transaction))
                .count();
    }

    /** What it has committed, in order. */
    public List<String> payloads() {
        fleet.lock.lock();
        try {
            return history.stream().map(Transaction::payload).toList();
        } finally {
            fleet.lock.unlock();
        }
    }

    /** Ends its process. */
    public void kill() {
        List<DeathListener> listeners = new ArrayList<>();
        String instance = instance();
        locked(() -> {
            state = ServerState.DEAD;
            writable = false;
            receiving = false;
            listeners.addAll(deathListeners);
        });
        listeners.forEach(listener -> listener.died(instance, "killed in memory"));
    }

    /** Starts its process again: fenced, with all that it had committed. */
    public void restart() {
        locked(() -> {
            starts++;
            state = ServerState.RUNNING;
            writable = false;
            receiving = false;
            acknowledges = false;
            acknowledgersRequired = 0;
        });
    }

    /** Nothing of it runs any more, until {@link #thaw}. */
    public void freeze() {
        locked(() -> state = ServerState.HUNG);
    }

    /** It goes on where it stopped. */
    public void thaw() {
        locked(() -> state = ServerState.RUNNING);
    }

    /** Cuts it off from the other servers, or joins it to them again. */
    public void cut(boolean isCut) {
        locked(() -> cut = isCut);
    }

    /** Its server process. */
    public String instance() {
        return uuid + "/" + starts;
    }

    ServerState state() {
        return state;
    }

    @Nullable
    Endpoint source() {
        return source;
    }

    GtidSet executed() {
        return executed;
    }

    /** What it has committed, in order. Under the lock. */
    List<Transaction> history() {
        return history;
    }

    /** Takes over everything that the other holds, and follows nobody. Under the lock. */
    void become(MemoryServer other) {
        history.clear();
        history.addAll(other.history);
        executed = other.executed;
        written = Math.max(written, other.written);
        receiving = false;
        source = null;
    }

    void follow(@Nullable Endpoint newSource) {
        source = newSource;
        receiving = newSource != null;
    }

    void onDeath(DeathListener listener) {
        locked(() -> deathListeners.add(listener));
    }

    boolean receivesFrom(MemoryServer other) {
        return receiving
                && other.address.equals(source)
                && state == ServerState.RUNNING
                && other.state == ServerState.RUNNING
                && !cut
                && !other.cut;
    }

    boolean receive(MemoryServer other) {
        boolean moved = false;
        for (Transaction transaction : other.history) {
            if (!history.contains(transaction)) {
                commit(transaction);
                moved = true;
            }
        }
        return moved;
    }

    private void commit(Transaction transaction) {
        history.add(transaction);
        executed = executed.plus((GtidSet) PositionKind.MYSQL_GTID.parse(transaction.gtid()));
    }

    private void locked(Runnable change) {
        fleet.lock.lock();
        try {
            change.run();
            fleet.replicate();
        } finally {
            fleet.lock.unlock();
        }
    }
}
