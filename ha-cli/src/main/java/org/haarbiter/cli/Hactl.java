package org.haarbiter.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line of the arbiter. */
@Command(
        name = "hactl",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Hactl.Version.class,
        sortOptions = false,
        description = "Asks and commands the HA Arbiter.",
        subcommands = {
            StatusCommand.class,
            WatchCommand.class,
            TopologyCommand.class,
            GroupCommand.class,
            ClassCommand.class,
            DnsCommand.class,
            EndpointCommand.class,
            ImportCommand.class,
            WhyCommand.class,
            LogCommand.class,
            PromoteCommand.class,
            SwitchoverCommand.class,
            DemoteCommand.class,
            RebuildCommand.class,
            AckCommand.class,
            PauseCommand.class,
            ResumeCommand.class,
            MasterCommand.class,
            Hactl.Completion.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:refused by the arbiter, the switch ended in another way than was asked for, or DNS names differ (dns diff)",
            "2:the command line or the settings are wrong",
            "3:no master can be reached, or not the Sentinel that is to be read",
            "4:masters answer, and there is no leader",
            "5:no such group, member, master or switch",
            "6:sent, and not known to be complete in time",
            "7:not allowed: the masters don't know who you are, or your role is too low"
        })
public final class Hactl implements Runnable {

    /** How answers are written. */
    enum Output {
        /** For people. */
        table,
        /** The API's own answer: one JSON object. */
        json,
        /** The same as YAML, a document for each object. */
        yaml
    }

    /** Prints a script for bash and zsh; sourcing it completes commands and options. */
    @Command(
            name = "completion",
            description = "Prints a completion script for bash and zsh: source <(hactl completion)")
    static final class Completion implements Runnable {
        @Spec
        private @Nullable CommandSpec spec;

        @Override
        public void run() {
            if (spec != null) {
                CommandLine root = spec.root().commandLine();
                root.getOut().print(AutoComplete.bash("hactl", root));
                root.getOut().flush();
            }
        }
    }

    /** The build's version. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            Properties properties = new Properties();
            try (InputStream in = Hactl.class.getResourceAsStream("hactl.properties")) {
                if (in != null) {
                    properties.load(in);
                }
            }
            return new String[] {"hactl " + properties.getProperty("version", "of unknown version")};
        }
    }

    private final Surroundings surroundings;

    @Option(
            names = "--masters",
            scope = ScopeType.INHERIT,
            paramLabel = "HOST:PORT,...",
            description = "The masters' admin addresses; otherwise $HA_MASTERS, ~/.config/ha-arbiter/hactl.yaml or"
                    + " /etc/ha-arbiter/hactl.yaml.")
    private @Nullable String masters;

    @Option(
            names = "--ca",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "Who issues the masters' certificates: HTTPS; otherwise $HA_CA or 'ca' of that file; without it plain"
                            + " HTTP.")
    private @Nullable Path ca;

    @Option(
            names = "--cert",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description = "Your certificate; otherwise $HA_CERT or 'certificate' of that file.")
    private @Nullable Path certificate;

    @Option(
            names = "--key",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description = "Its key, readable by you alone; otherwise $HA_KEY or 'key' of that file.")
    private @Nullable Path key;

    @Option(
            names = "--token-file",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "What holds your token, readable by you alone; otherwise $HA_TOKEN_FILE or 'token-file' of that"
                            + " file.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--timeout",
            scope = ScopeType.INHERIT,
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "The longest to wait for an answer (default: ${DEFAULT-VALUE}).")
    private double timeoutSeconds;

    @Option(
            names = {"-o", "--output"},
            scope = ScopeType.INHERIT,
            paramLabel = "FORMAT",
            defaultValue = "table",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Output output = Output.table;

    @Option(names = "--no-color", scope = ScopeType.INHERIT, description = "No colours, even on a terminal.")
    private boolean noColor;

    @Spec
    private @Nullable CommandSpec spec;

    Hactl(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** Ends the process with the command's exit code. */
    public static void main(String[] arguments) {
        System.exit(run(Surroundings.ofProcess(), arguments));
    }

    /** Runs one command and returns its exit code. */
    static int run(Surroundings surroundings, String... arguments) {
        Hactl hactl = new Hactl(surroundings);
        CommandLine commandLine = new CommandLine(hactl);
        commandLine.setOut(surroundings.out());
        commandLine.setErr(surroundings.err());
        commandLine.setColorScheme(CommandLine.Help.defaultColorScheme(
                hactl.wouldColor(surroundings) ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
        commandLine.setExecutionExceptionHandler((exception, failed, parsed) -> {
            if (!(exception instanceof CliException e)) {
                throw exception;
            }
            if (hactl.forMachines() && !e.json().isEmpty()) {
                hactl.print(e.json());
            }
            surroundings.err().println("hactl: " + e.getMessage());
            return e.exitCode();
        });
        int code = commandLine.execute(arguments);
        surroundings.out().flush();
        surroundings.err().flush();
        return code;
    }

    @Override
    public void run() {
        CommandSpec own = spec;
        if (own != null) {
            throw new ParameterException(own.commandLine(), "which command? (see below)");
        }
    }

    private boolean wouldColor(Surroundings where) {
        return where.terminal() && !noColor && !where.environment().containsKey("NO_COLOR");
    }

    Surroundings surroundings() {
        return surroundings;
    }

    /** Answers are the API's own, and nothing else is written to standard output. */
    boolean forMachines() {
        return output != Output.table;
    }

    /** Prints an answer of the API in the form that was asked for. */
    void print(String json) throws CliException {
        if (output == Output.yaml) {
            surroundings.out().print(YamlText.of(json));
        } else {
            surroundings.out().println(json);
        }
    }

    Paint paint() {
        return new Paint(wouldColor(surroundings) && !forMachines());
    }

    AdminClient client() throws CliException {
        return new AdminClient(
                MastersSetting.find(new MastersSetting.Options(masters, ca, certificate, key, tokenFile), surroundings),
                limitMillis());
    }

    /** The longest to wait for an answer; 100 to 3,600,000 ms. */
    int limitMillis() throws CliException {
        if (!(timeoutSeconds >= 0.1 && timeoutSeconds <= 3_600)) {
            throw new CliException(ExitCode.USAGE, "--timeout: " + timeoutSeconds + " (must be 0.1 to 3600 seconds)");
        }
        return (int) (timeoutSeconds * 1_000);
    }
}
