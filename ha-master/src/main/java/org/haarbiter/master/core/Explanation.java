package org.haarbiter.master.core;

/**
 * What one rule says of a group now.
 *
 * @param rule the rule
 * @param outcome {@code acts}, {@code holds}, {@code passes} or {@code not asked}
 * @param sentence the evidence, or what stopped it
 */
public record Explanation(Rule rule, String outcome, String sentence) {}
