package org.haarbiter.dns;

/**
 * How an update ended.
 *
 * @param result the kind
 * @param detail a sentence for an operator: what the server said and what to do; empty when published
 */
public record PublishOutcome(Result result, String detail) {

    /** What came of it. */
    public enum Result {
        /** The server took it. Whether every server shows it, only the read-back tells. */
        PUBLISHED,
        /** The zone holds a newer epoch: whoever asked has been replaced. Nothing changed. */
        NEWER_EPOCH,
        /** The server refused (key, policy, zone, clock): retrying without a person's help won't do. */
        REFUSED,
        /** No verified answer in time: it may yet be applied; ask again. */
        UNKNOWN
    }
}
