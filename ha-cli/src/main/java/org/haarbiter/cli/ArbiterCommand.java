package org.haarbiter.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What the commands have in common. */
abstract class ArbiterCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    final Hactl hactl() {
        CommandSpec own = spec;
        if (own == null) {
            throw new IllegalStateException("picocli hasn't set the command up");
        }
        return (Hactl) own.root().userObject();
    }

    final PrintWriter out() {
        return hactl().surroundings().out();
    }

    @Override
    public final Integer call() throws CliException {
        return run(hactl().client());
    }

    /** Does it, and returns the exit code. */
    abstract int run(AdminClient client) throws CliException;

    /**
     * Asks for a view and shows it: the API's own answer where JSON was asked for, otherwise as the printer does. Without a
     * leader, what one master knows is all that there is: it is shown, and the exit code says so.
     */
    final <T> int show(AdminClient client, String path, Class<T> type, Printer<T> printer) throws CliException {
        String body;
        int code = ExitCode.OK;
        try {
            body = client.get(path);
        } catch (CliException e) {
            if (e.exitCode() != ExitCode.NO_LEADER) {
                throw e;
            }
            body = client.get(path + (path.indexOf('?') < 0 ? "?" : "&") + "local=true");
            code = e.exitCode();
            hactl().surroundings().err().println("hactl: " + e.getMessage() + "; this is what one master knows");
        }
        if (hactl().json()) {
            out().println(body);
        } else {
            printer.print(client.read(body, type));
        }
        return code;
    }

    /** Writes a record for people. */
    @FunctionalInterface
    interface Printer<T> {
        /** Writes it. */
        void print(T view) throws CliException;
    }

    static String segment(String name) {
        return java.net.URLEncoder.encode(name, java.nio.charset.StandardCharsets.UTF_8)
                .replace("+", "%20");
    }
}
