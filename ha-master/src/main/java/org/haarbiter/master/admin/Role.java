package org.haarbiter.master.admin;

import java.util.Locale;

/** What somebody may do at the admin port. Each may do what those before it may. */
public enum Role {
    /** Reads everything that the API shows, metrics included. */
    VIEWER("a viewer"),
    /** Acts on groups and endpoints that there are: switches, rebuilds, pauses, holds, acknowledges, repairs the DNS. */
    OPERATOR("an operator"),
    /** Changes what there is and by which rules: masters, policies, classes, records, endpoints, expected and forgotten groups. */
    ADMIN("an admin");

    private final String phrase;

    Role(String phrase) {
        this.phrase = phrase;
    }

    /** As settings and token files say it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Within a sentence. */
    String phrase() {
        return phrase;
    }

    boolean covers(Role needed) {
        return compareTo(needed) >= 0;
    }
}
