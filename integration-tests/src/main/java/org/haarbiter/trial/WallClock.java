package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.haarbiter.lab.Servers;

/** The wall clock of one process, which can be set; its monotonic clock stays the machine's. */
final class WallClock {
    private final Path file;

    /** One that goes right as yet. */
    WallClock(Path file) throws IOException {
        this.file = file.toAbsolutePath();
        set(0);
    }

    /** What the process must have in its environment. */
    List<String> environment() {
        return List.of(
                "LD_PRELOAD=" + Servers.faketime(),
                "FAKETIME_TIMESTAMP_FILE=" + file,
                "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                // With this on, waits with a time limit end early on newer C libraries.
                "FAKETIME_FORCE_MONOTONIC_FIX=0");
    }

    /** Sets it so many seconds forward, from the right time; back where negative. */
    void set(long seconds) throws IOException {
        // Moved there: the process reads it at any time.
        Path written = file.resolveSibling(file.getFileName() + ".new");
        Files.writeString(written, (seconds < 0 ? "" : "+") + seconds + "\n");
        Files.move(written, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }
}
