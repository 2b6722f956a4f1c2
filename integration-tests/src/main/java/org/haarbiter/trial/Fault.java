package org.haarbiter.trial;

import java.io.IOException;
import org.haarbiter.lab.DatabaseServer;

/** What is done to the primary. */
public enum Fault {
    /** SIGKILL. */
    KILL,
    /** SIGSTOP: connects still succeed, nothing is answered. */
    HANG,
    /** Its host is cut off from everything. */
    PARTITION,
    /** None: a person moves the primary while it is well. */
    SWITCHOVER;

    /** Does it. */
    void strike(Arena arena, Keeper keeper, DatabaseServer primary) throws IOException {
        switch (this) {
            case KILL -> primary.kill9();
            case HANG -> primary.freeze();
            case PARTITION -> arena.cut(primary.name(), true);
            case SWITCHOVER -> keeper.switchOver();
        }
    }

    /** Ends it: the server is there again, in whatever state its keeper left it. */
    void end(Arena arena, DatabaseServer struck) throws IOException {
        switch (this) {
            case KILL -> {}
            case HANG -> struck.thaw();
            case PARTITION -> arena.cut(struck.name(), false);
            case SWITCHOVER -> {
                return;
            }
        }
        if (!struck.isAlive()) {
            struck.restart();
        }
    }

    /** As commands write it. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
