package org.haarbiter.dns.zone;

import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;

/**
 * One message in the form that is sent, with its signature. Made anew for each attempt: signing the same message twice puts
 * two signatures into it, which servers answer with FORMERR.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared or printed
public record Outgoing(
        Message message,
        byte[] wire,
        @Nullable TSIG key,
        @Nullable TSIGRecord signature) {

    /** Without a signature; any reply to it counts. */
    public static Outgoing unsigned(Message message) {
        return new Outgoing(message, message.toWire(), null, null);
    }

    /** Adds the signature to the message, which mustn't have one. */
    public static Outgoing signed(Message message, TSIG key) {
        TSIGRecord signature = key.generate(message, message.toWire(), Rcode.NOERROR, null);
        message.addRecord(signature, Section.ADDITIONAL);
        return new Outgoing(message, message.toWire(), key, signature);
    }

    /** True where the reply carries our key's signature over this very question, or where none was asked for. */
    boolean verifies(Message reply, byte[] replyWire) {
        if (key == null) {
            return true;
        }
        // A reply without a signature must not count, whatever it says: whoever can guess a port can send one.
        return reply.getTSIG() != null
                && key.verify(reply, replyWire, signature) == Rcode.NOERROR
                && reply.isVerified();
    }
}
