package org.haarbiter.logging;

import java.util.logging.ConsoleHandler;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;

/** One line an event on standard error, where systemd or a supervisor collects it. */
public final class Logging {
    // Held here: the JDK keeps loggers only weakly, and would forget their levels.
    private static final Logger ROOT = Logger.getLogger("");
    private static final Logger RAFT = Logger.getLogger("com.alipay");
    private static final Logger PROTOBUF = Logger.getLogger("com.google.protobuf");
    private static final Logger NETTY = Logger.getLogger("io.netty");

    private Logging() {}

    /** Sets the format and the levels: ours from INFO on, libraries' from WARNING on. Called once, first thing in main. */
    public static void configure() {
        if (System.getProperty("java.util.logging.config.file") != null) {
            return;
        }
        LogManager.getLogManager().reset();
        if (System.getProperty("java.util.logging.SimpleFormatter.format") == null) {
            System.setProperty(
                    "java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT.%1$tL%1$tz %4$s %3$s: %5$s%6$s%n");
        }
        Handler console = new ConsoleHandler();
        console.setLevel(Level.ALL);
        ROOT.addHandler(console);
        ROOT.setLevel(Level.INFO);
        RAFT.setLevel(Level.SEVERE);
        NETTY.setLevel(Level.WARNING);
        // The Raft library's generated messages are older than the protobuf runtime; it says so at each of them.
        PROTOBUF.setLevel(Level.OFF);
    }
}
