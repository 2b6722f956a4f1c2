package org.haarbiter.admin;

import java.util.List;

/**
 * What the arbiter does about a group, and what keeps it from doing more. {@code GET /v1/groups/NAME/why}.
 *
 * @param group the group
 * @param state the word of a {@link GroupState}
 * @param summary the answer in one sentence
 * @param protections what the group could bear now, and what not, as sentences
 * @param figures how far each member is in its message stream, and what it holds, as sentences; only of groups that have one
 * @param problems as in {@link GroupView}
 * @param rules every rule in the order in which they are asked
 */
public record WhyView(
        String group,
        String state,
        String summary,
        List<String> protections,
        List<String> figures,
        List<String> problems,
        List<RuleView> rules) {
    /** Copies the lists. */
    public WhyView {
        protections = List.copyOf(protections);
        figures = List.copyOf(figures);
        problems = List.copyOf(problems);
        rules = List.copyOf(rules);
    }

    /**
     * What one rule says.
     *
     * @param rule its name
     * @param does what the rule is for
     * @param outcome {@code acts}, {@code holds}, {@code passes} or {@code not asked}
     * @param sentence the evidence, or what stopped it
     */
    public record RuleView(String rule, String does, String outcome, String sentence) {}
}
