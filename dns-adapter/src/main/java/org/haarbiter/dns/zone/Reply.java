package org.haarbiter.dns.zone;

import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Message;

/**
 * What came back for one message.
 *
 * @param kind how it ended
 * @param message what was received; null unless {@link Kind#ANSWERED} or {@link Kind#UNVERIFIED}
 * @param detail a sentence where there is no usable answer; else empty
 */
public record Reply(Kind kind, @Nullable Message message, String detail) {

    /** How it ended. */
    public enum Kind {
        /** An answer to this message, with a valid signature where one was asked for. */
        ANSWERED,
        /** An answer to this message whose signature is missing or wrong. */
        UNVERIFIED,
        /** Nothing came in time. What was sent may yet be acted on. */
        SILENT,
        /** It couldn't be delivered: nobody listens there, or there is no way there. */
        UNDELIVERED
    }

    static Reply answered(Message message) {
        return new Reply(Kind.ANSWERED, message, "");
    }

    static Reply unverified(Message message) {
        return new Reply(Kind.UNVERIFIED, message, "");
    }
}
