package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.admin.ClassChange;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "class",
        description = {
            "Traffic classes: clients of a group with a DNS name of their own, and a rule for which members it leads to. hactl"
                    + " group show lists a group's."
        },
        subcommands = {ClassCommand.Set.class, ClassCommand.Remove.class})
final class ClassCommand extends CommandOfCommands {

    ClassCommand() {
        super("which one? hactl class set GROUP NAME, or hactl class remove GROUP NAME");
    }

    private static final String NAME = "The class, and its name in the DNS, relative to the zone.";

    /** Which members a name leads to. Picocli sees to it that exactly one is given. */
    static final class Rule {
        @Option(
                names = "--follow",
                paramLabel = "WORD",
                description = {
                    "primary: the name leads to whoever takes writes. replicas: to the healthy replicas to which no class is pinned, and"
                            + " where there is none to the primary."
                })
        private @Nullable String follow;

        @Option(
                names = "--pin",
                paramLabel = "MEMBER,...",
                split = ",",
                description = {
                    "The name leads to those of these members that are well. The group's read name leads there no more."
                })
        private @Nullable List<String> pins;
    }

    @Command(
            name = "set",
            description = {
                "Says where the name of a traffic class leads. A member to which one is pinned can still be promoted, unless its"
                        + " agent's settings say electable: false."
            })
    static final class Set extends ActCommand {
        @Parameters(paramLabel = "GROUP", description = "The group's name.")
        private String group = "";

        @Parameters(paramLabel = "NAME", description = NAME)
        private String name = "";

        @ArgGroup(multiplicity = "1")
        private Rule rule = new Rule();

        @Option(
                names = "--fall-back",
                paramLabel = "WORD",
                description = {
                    "With --pin, while none of the members is well. none (if not given): the name stays, so that its clients wait and hurt"
                            + " nobody else. replicas: it leads to healthy replicas to which no class is pinned. any: to those, and where"
                            + " there is none, to the primary."
                })
        private @Nullable String fallBack;

        @Override
        int run(AdminClient client) throws CliException {
            List<String> pins = rule.pins == null ? new ArrayList<>() : rule.pins;
            if (rule.follow != null && fallBack != null) {
                throw new CliException(
                        ExitCode.USAGE,
                        "--fall-back: " + fallBack + " (only with --pin: what else could it fall back from?)");
            }
            send(
                    client,
                    "set-class",
                    group,
                    new ClassChange(
                            name,
                            rule.follow == null ? "members" : rule.follow,
                            pins.stream().map(String::strip).toList(),
                            fallBack == null ? "" : fallBack));
            return ExitCode.OK;
        }
    }

    @Command(name = "remove", description = "Ends a traffic class: its name goes from the DNS.")
    static final class Remove extends ActCommand {
        @Parameters(paramLabel = "GROUP", description = "The group's name.")
        private String group = "";

        @Parameters(paramLabel = "NAME", description = NAME)
        private String name = "";

        @Override
        int run(AdminClient client) throws CliException {
            send(client, "remove-class", group, new ClassChange(name, "", List.of(), ""));
            return ExitCode.OK;
        }
    }
}
