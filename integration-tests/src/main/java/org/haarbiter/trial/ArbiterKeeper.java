package org.haarbiter.trial;

import java.io.IOException;
import java.time.Duration;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.WriteLoad;

/** The arena's own masters and agents. */
record ArbiterKeeper(Arena arena) implements Keeper {

    @Override
    public String word() {
        return "ha-arbiter";
    }

    @Override
    public DatabaseServer awaitWhole(Duration limit) {
        arena.api().awaitWhole(Arena.GROUP, arena.plan().members(), limit);
        return arena.awaitPrimary(limit);
    }

    @Override
    public DatabaseServer awaitSettled(Duration limit) {
        arena.api().awaitPublished(Arena.GROUP, limit);
        return arena.awaitPrimary(limit);
    }

    @Override
    public WriteLoad.Target target(FailoverTrial.Client client) {
        return switch (client) {
            case DNS -> arena.byName();
            case ANY -> arena.byMembers();
            case SENTINEL -> new WriteLoad.Sentinels(arena.sentinels(), Arena.GROUP);
        };
    }

    @Override
    public void switchOver() throws IOException {
        arena.switchOver("", "measuring a planned switch");
    }

    @Override
    public SortedMap<String, Double> phases() {
        return new TreeMap<>(arena.api().phases(Arena.GROUP));
    }
}
