package org.haarbiter.cli;

import org.haarbiter.admin.PolicyChange;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a group is to promise, as options of a command. */
final class PolicyOptions {

    @Option(
            names = "--durability",
            paramLabel = "WORD",
            description = {
                "lossless: no acknowledged write is ever missing after a switch. bounded: nobody is promoted by itself who"
                        + " lacks more than the limits say. available: whoever is newest."
            })
    private @Nullable String durability;

    @Option(
            names = "--max-lag-millis",
            paramLabel = "MS",
            description = "With bounded: a candidate may lack what was written in this time; 0 for any.")
    private @Nullable Long maxLagMillis;

    @Option(
            names = "--max-lag-transactions",
            paramLabel = "N",
            description = "With bounded: a candidate may lack so many transactions; 0 for any.")
    private @Nullable Long maxLagTransactions;

    @Option(
            names = "--on-no-acknowledger",
            paramLabel = "WORD",
            description = {
                "With lossless, when no replica is left to acknowledge. wait: writes wait for one. degrade: they go on,"
                        + " and no switch is automatic until one is back."
            })
    private @Nullable String onNoAcknowledger;

    @Option(
            names = "--priority",
            paramLabel = "N",
            description =
                    "When many groups must switch at once: 1 before all others to 9 after them; 5 where none was set.")
    private @Nullable Long priority;

    PolicyChange change() {
        return new PolicyChange(durability, maxLagMillis, maxLagTransactions, onNoAcknowledger, priority);
    }
}
