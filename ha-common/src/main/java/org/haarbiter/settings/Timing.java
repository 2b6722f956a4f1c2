package org.haarbiter.settings;

/**
 * How fast the arbiter is. All in ms but the drift.
 *
 * @param heartbeatMillis an agent speaks at least this often; it also speaks at once when something changed
 * @param silenceMillis a member unheard for so long is suspected
 * @param leaseMillis a primary may write for so long after it sent a heartbeat that was answered
 * @param fenceBudgetMillis the agent begins to fence itself this long before its lease ends
 * @param driftPerMille how much faster one clock may run than another, in thousandths; a lease is waited out longer by it
 * @param gatherMillis once enough replicas have sealed, the leader waits this long for the other reachable ones
 * @param hungMillis a server that hasn't answered for so long counts as hung
 * @param watchMillis how often the agent looks at the state of the server's process
 * @param electionTimeoutMillis the masters elect another leader after so long without one
 */
public record Timing(
        int heartbeatMillis,
        int silenceMillis,
        int leaseMillis,
        int fenceBudgetMillis,
        int driftPerMille,
        int gatherMillis,
        int hungMillis,
        int watchMillis,
        int electionTimeoutMillis) {

    /** Values that fit each other. */
    public enum Profile {
        /** For one LAN. */
        FAST,
        /** For data centres of one region. */
        NORMAL,
        /** For masters and members in several regions. */
        WIDE;

        /** The profile's values. */
        public Timing timing() {
            return switch (this) {
                case FAST -> new Timing(100, 500, 1000, 200, 10, 100, 500, 1, 500);
                case NORMAL -> new Timing(250, 1500, 3000, 500, 10, 250, 1500, 2, 1000);
                case WIDE -> new Timing(1000, 6000, 10_000, 1000, 10, 1000, 6000, 5, 3000);
            };
        }
    }

    /**
     * Reads {@code profile} (normal where absent) and what overrides it, and checks the relations between the values.
     * Agents and masters of one arbiter must be given the same.
     */
    public static Timing read(Section section) {
        Timing base = section.oneOf("profile", Profile.NORMAL).timing();
        Timing timing = new Timing(
                section.intAt("heartbeat-millis", base.heartbeatMillis, 10, 60_000),
                section.intAt("silence-millis", base.silenceMillis, 30, 600_000),
                section.intAt("lease-millis", base.leaseMillis, 40, 600_000),
                section.intAt("fence-budget-millis", base.fenceBudgetMillis, 10, 300_000),
                section.intAt("drift-per-mille", base.driftPerMille, 0, 500),
                section.intAt("gather-millis", base.gatherMillis, 0, 60_000),
                section.intAt("hung-millis", base.hungMillis, 50, 600_000),
                section.intAt("watch-millis", base.watchMillis, 1, 1000),
                section.intAt("election-timeout-millis", base.electionTimeoutMillis, 100, 60_000));
        timing.check(section);
        return timing;
    }

    /** The same with this budget for a fence, or the most that the lease leaves room for. */
    public Timing withFenceBudgetMillis(int wanted) {
        int most = Math.min((leaseMillis - 1) / 2, leaseMillis - 3 * heartbeatMillis);
        return new Timing(
                heartbeatMillis,
                silenceMillis,
                leaseMillis,
                Math.min(wanted, most),
                driftPerMille,
                gatherMillis,
                hungMillis,
                watchMillis,
                electionTimeoutMillis);
    }

    private void check(Section section) {
        atLeast(section, "silence-millis", silenceMillis, 3, "heartbeat-millis", heartbeatMillis);
        atLeast(section, "lease-millis", leaseMillis, 4, "heartbeat-millis", heartbeatMillis);
        atLeast(section, "hung-millis", hungMillis, 2, "watch-millis", watchMillis);
        section.check(
                2 * fenceBudgetMillis < leaseMillis,
                "fence-budget-millis",
                fenceBudgetMillis,
                "must be less than half of lease-millis = " + leaseMillis / 2);
        // Otherwise two heartbeats lost in a row would already fence a healthy primary.
        section.check(
                leaseMillis - fenceBudgetMillis >= 3 * heartbeatMillis,
                "lease-millis",
                leaseMillis,
                "must be at least fence-budget-millis + 3 x heartbeat-millis = "
                        + (fenceBudgetMillis + 3 * heartbeatMillis));
    }

    private static void atLeast(Section section, String key, int value, int factor, String unit, int unitMillis) {
        section.check(
                value >= factor * unitMillis,
                key,
                value,
                "must be at least " + factor + " x " + unit + " = " + factor * unitMillis);
    }

    /** How long a lease granted elsewhere may still be running by this clock, in ms: the lease and the drift allowance. */
    public long leaseWithDriftMillis() {
        return leaseMillis + (leaseMillis * (long) driftPerMille + 999) / 1000;
    }
}
