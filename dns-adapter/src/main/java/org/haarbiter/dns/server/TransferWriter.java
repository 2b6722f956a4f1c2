package org.haarbiter.dns.server;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.TSIG;
import org.xbill.DNS.TSIGRecord;

/** Writes the records of a zone into messages of about 16 KB, each signed where the query was (RFC 5936, RFC 8945 5.3.1). For one thread. */
final class TransferWriter {

    /** Longer ones compress no better, and the receiver holds each as a whole. */
    private static final int USUAL_BYTES = 16 * 1024;

    private final byte[] query;
    private final int questionEnd;
    private final byte[] origin;
    private final @Nullable TSIG key;
    private @Nullable TSIGRecord last;
    private final LongWay.Client client;
    private final byte[] buffer = new byte[Responder.MAX_BYTES];
    private int at;
    private int records;
    private boolean first = true;
    private long sent;

    /**
     * @param query the query, whose question is repeated in each message; its name is the zone's
     * @param origin the zone's name in small letters
     * @param key that signed the query; null where none did
     * @param signature of the query
     */
    TransferWriter(
            byte[] query, byte[] origin, @Nullable TSIG key, @Nullable TSIGRecord signature, LongWay.Client client) {
        this.query = query;
        this.questionEnd = Wire.HEADER_BYTES + origin.length + 4;
        this.origin = origin;
        this.key = key;
        this.last = signature;
        this.client = client;
        begin();
    }

    private void begin() {
        System.arraycopy(query, 0, buffer, 0, questionEnd);
        buffer[2] = (byte) (0x84 | (query[2] & 0x01)); // a response, authoritative
        buffer[3] = 0;
        Wire.putShort(buffer, 4, 1);
        Arrays.fill(buffer, 6, Wire.HEADER_BYTES, (byte) 0);
        at = questionEnd;
        records = 0;
    }

    /** One record. The owner is in the zone, absolute and in small letters. */
    void record(byte[] owner, int type, int ttlSeconds, byte[] data) throws IOException {
        int labels = owner.length - origin.length;
        int bytes = labels + Answer.DATA_OFFSET + data.length;
        if (records > 0 && at + bytes > USUAL_BYTES) {
            flush();
        }
        System.arraycopy(owner, 0, buffer, at, labels);
        at = Wire.putShort(buffer, at + labels, Answer.QUESTION_POINTER);
        at = Wire.putShort(buffer, at, type);
        at = Wire.putShort(buffer, at, Wire.CLASS_IN);
        at = Wire.putInt(buffer, at, ttlSeconds);
        at = Wire.putShort(buffer, at, data.length);
        System.arraycopy(data, 0, buffer, at, data.length);
        at += data.length;
        records++;
    }

    /** Sends what hasn't been sent. */
    void flush() throws IOException {
        Wire.putShort(buffer, 6, records);
        if (key != null) {
            Message id = new Message(Wire.getShort(query, 0));
            TSIGRecord signature = key.generate(id, Arrays.copyOf(buffer, at), Rcode.NOERROR, last, first);
            last = signature;
            at = LongWay.append(buffer, at, signature.toWire(Section.ADDITIONAL));
        }
        client.send(buffer, at);
        sent += at;
        first = false;
        begin();
    }

    /** How many bytes were sent. */
    long sentBytes() {
        return sent;
    }
}
