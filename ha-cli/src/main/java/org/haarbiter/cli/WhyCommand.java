package org.haarbiter.cli;

import org.haarbiter.admin.WhyView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "why", description = "What the arbiter does about a group, and what keeps it from doing more.")
final class WhyCommand extends ArbiterCommand {
    @Parameters(paramLabel = "GROUP", description = "The group's name.")
    private String group = "";

    @Option(names = "--rules", description = "With what each rule is for.")
    private boolean rules;

    @Override
    int run(AdminClient client) throws CliException {
        return show(client, "/v1/groups/" + segment(group) + "/why", WhyView.class, this::print);
    }

    private void print(WhyView why) {
        Paint paint = hactl().paint();
        out().println(paint.bold("Group " + why.group()) + ": " + paint.state(why.state()));
        out().println(why.summary());
        if (!why.problems().isEmpty()) {
            out().println();
            out().println(paint.bold("PROBLEMS"));
            why.problems().forEach(problem -> out().println("  ! " + paint.problem(problem)));
        }
        out().println();
        out().println(paint.bold("PROTECTION"));
        why.protections().forEach(sentence -> out().println("  - " + sentence));
        if (!why.figures().isEmpty()) {
            out().println();
            out().println(paint.bold("POSITIONS"));
            why.figures().forEach(sentence -> out().println("  - " + sentence));
        }
        out().println();
        out().println(paint.bold("RULES")
                + ", in the order in which they are asked; the first that acts or holds ends it");
        int width = why.rules().stream().mapToInt(r -> r.rule().length()).max().orElse(0);
        for (WhyView.RuleView rule : why.rules()) {
            out().println("  " + pad(rule.rule(), width) + "  " + paint.state(pad(rule.outcome(), 9)) + "  "
                    + rule.sentence());
            if (rules) {
                out().println("  " + pad("", width) + "  " + rule.does());
            }
        }
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
