package org.haarbiter.master.sentinel;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Replies as they cross the wire, in version 2 or 3 of the Redis protocol (RESP). */
final class ReplyWriter {
    private ReplyWriter() {}

    /** @param version 2 or 3 */
    static void write(Reply reply, int version, ByteBuf to) {
        if (reply instanceof Reply.Simple simple) {
            line(to, '+', simple.text());
        } else if (reply instanceof Reply.Failure failure) {
            line(to, '-', failure.text());
        } else if (reply instanceof Reply.Whole whole) {
            line(to, ':', Long.toString(whole.value()));
        } else if (reply instanceof Reply.Text text) {
            byte[] bytes = text.value().getBytes(StandardCharsets.UTF_8);
            line(to, '$', Integer.toString(bytes.length));
            to.writeBytes(bytes);
            to.writeBytes(END);
        } else if (reply instanceof Reply.NullArray) {
            line(to, version == 3 ? '_' : '*', version == 3 ? "" : "-1");
        } else if (reply instanceof Reply.Array array) {
            items(to, '*', array.items(), version);
        } else if (reply instanceof Reply.Push push) {
            items(to, version == 3 ? '>' : '*', push.items(), version);
        } else if (reply instanceof Reply.Fields fields) {
            int size = fields.values().size();
            line(to, version == 3 ? '%' : '*', Integer.toString(version == 3 ? size : 2 * size));
            fields.values().forEach((name, value) -> {
                write(new Reply.Text(name), version, to);
                write(value, version, to);
            });
        }
    }

    private static final byte[] END = {'\r', '\n'};

    private static void items(ByteBuf to, char kind, List<Reply> items, int version) {
        line(to, kind, Integer.toString(items.size()));
        items.forEach(item -> write(item, version, to));
    }

    private static void line(ByteBuf to, char kind, String text) {
        to.writeByte(kind);
        // What a client sent may stand in an error: it must not end the line.
        to.writeCharSequence(text.replace('\r', ' ').replace('\n', ' '), StandardCharsets.UTF_8);
        to.writeBytes(END);
    }
}
