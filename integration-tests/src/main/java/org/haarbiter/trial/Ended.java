package org.haarbiter.trial;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A command that has ended: its exit code, and what it printed. */
record Ended(int code, String out, String err) {

    /** Runs it to its end, with nothing to read on its standard input. */
    static Ended of(ProcessBuilder command) throws IOException, InterruptedException {
        Path out = Files.createTempFile("out-", ".txt");
        Path err = Files.createTempFile("err-", ".txt");
        try {
            Process process = command.redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            process.getOutputStream().close();
            return new Ended(process.waitFor(), Files.readString(out), Files.readString(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** All that it printed: standard output, then standard error. */
    String said() {
        return out + err;
    }
}
