package org.haarbiter.admin;

/** How a group is, in one word; in the order of what an operator should look at first. */
public enum GroupState {
    /** Nobody takes writes, and no switch is getting anywhere. */
    DOWN("down"),
    /** A switch is under way. */
    SWITCHING("switching"),
    /** It takes writes, and something is wrong with it. */
    DEGRADED("degraded"),
    /** The arbiter watches it and does nothing: it isn't clear which member is the primary. */
    NOT_ADOPTED("not-adopted"),
    /** It takes writes, and a person has stopped everything automatic. */
    PAUSED("paused"),
    /** All is well. */
    OK("ok");

    private final String word;

    GroupState(String word) {
        this.word = word;
    }

    /** As the API says it. */
    public String word() {
        return word;
    }
}
