package org.haarbiter.master.core;

/** What a rule says of a group. */
public sealed interface Verdict {

    /** The sentence an operator reads. */
    String sentence();

    /** Propose this entry; no later rule is asked. */
    record Act(Entry entry, String sentence) implements Verdict {}

    /**
     * The rule applies and holds everything after it back.
     *
     * @param forTurn it would act, were not so many other groups switching
     */
    record Hold(String sentence, boolean forTurn) implements Verdict {
        Hold(String sentence) {
            this(sentence, false);
        }
    }

    /** The rule doesn't apply; the next one is asked. */
    record Pass(String sentence) implements Verdict {}
}
