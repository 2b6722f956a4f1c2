package org.haarbiter.trial;

import java.io.IOException;
import org.haarbiter.admin.CommandRequest;
import org.haarbiter.admin.CommandResult;
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
    void strike(Arena arena, DatabaseServer primary) throws IOException {
        switch (this) {
            case KILL -> primary.kill9();
            case HANG -> primary.freeze();
            case PARTITION -> arena.cut(primary.name(), true);
            case SWITCHOVER -> switchover(arena);
        }
    }

    private static void switchover(Arena arena) throws IOException {
        CommandResult result = arena.api()
                .command(new CommandRequest(
                        "switchover", Arena.GROUP, "", false, "", "bench", "measuring a planned switch"));
        if (!result.accepted()) {
            throw new IOException("the planned switch was refused: " + result.sentence());
        }
    }

    /** As commands write it. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
