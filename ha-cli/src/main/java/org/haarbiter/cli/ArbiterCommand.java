package org.haarbiter.cli;

/** What the commands that ask the masters have in common. */
abstract class ArbiterCommand extends HactlCommand {

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
        if (hactl().forMachines()) {
            hactl().print(body);
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
