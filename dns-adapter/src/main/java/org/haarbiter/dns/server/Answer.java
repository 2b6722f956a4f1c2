package org.haarbiter.dns.server;

import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Records as they go into a response, each with a pointer to the question's name for its owner; whoever answers for another
 * owner puts another pointer there. Immutable, though arrays aren't copied; any thread.
 */
final class Answer {

    /** A pointer to the first byte behind the header, where the question's name begins. */
    static final int QUESTION_POINTER = 0xc00c;

    /** Where in a record its data begins: behind owner, type, class, TTL and length. */
    static final int DATA_OFFSET = 12;

    final byte[] bytes;
    final int count;
    /** Where in {@link #bytes} the record begins that stands first, one response after the other, round and round. */
    final int[] firsts;
    /** Of a CNAME, the name it leads to. */
    final byte @Nullable [] target;

    /** Records that stand first equally often. */
    Answer(int type, int ttlSeconds, List<byte[]> data, byte @Nullable [] target) {
        this(type, ttlSeconds, data, Collections.nCopies(data.size(), 1), target);
    }

    /** @param shares for each record, how often it stands first, beside the others; 1 or more */
    Answer(int type, int ttlSeconds, List<byte[]> data, List<Integer> shares, byte @Nullable [] target) {
        int length = 0;
        for (byte[] one : data) {
            length += DATA_OFFSET + one.length;
        }
        bytes = new byte[length];
        count = data.size();
        int[] starts = new int[count];
        this.target = target;
        int at = 0;
        for (int i = 0; i < data.size(); i++) {
            byte[] one = data.get(i);
            starts[i] = at;
            at = Wire.putShort(bytes, at, QUESTION_POINTER);
            at = Wire.putShort(bytes, at, type);
            at = Wire.putShort(bytes, at, Wire.CLASS_IN);
            at = Wire.putInt(bytes, at, ttlSeconds);
            at = Wire.putShort(bytes, at, one.length);
            System.arraycopy(one, 0, bytes, at, one.length);
            at += one.length;
        }
        firsts = Turns.of(shares).map(record -> starts[record]).toArray();
    }
}
