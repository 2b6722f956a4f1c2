package org.haarbiter.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Who runs the command, for the switch log. It is what the machine says, not a proof. */
final class Operator {
    private Operator() {}

    static String of(Map<String, String> environment) {
        // The person behind a sudo says more than "root".
        String user = environment.getOrDefault("SUDO_USER", System.getProperty("user.name", "unknown"));
        return user + "@" + host(environment);
    }

    private static String host(Map<String, String> environment) {
        try {
            // Asking for the local host's name may ask a DNS server, which may be what is broken.
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return environment.getOrDefault("HOSTNAME", "unknown-host");
        }
    }
}
