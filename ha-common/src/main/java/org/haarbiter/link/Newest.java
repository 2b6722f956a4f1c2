package org.haarbiter.link;

import io.netty.channel.Channel;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.haarbiter.wire.LinkFrame;
import org.jspecify.annotations.Nullable;

/**
 * A mailbox for one message: the newest replaces the one that waits. Heartbeats and answers each say everything, so
 * losing an older one costs nothing, and a peer that doesn't read can't fill the memory.
 *
 * <p>While a message waits, either a flush is on its way to the event loop, or the channel isn't ready; whoever makes it
 * ready calls {@link #flush}.
 */
final class Newest<T> {
    private final AtomicReference<@Nullable T> waiting = new AtomicReference<>();
    private final Function<T, @Nullable LinkFrame> framing;

    /** {@code framing} runs on the event loop; it returns null for a message that has grown too old to be sent. */
    Newest(Function<T, @Nullable LinkFrame> framing) {
        this.framing = framing;
    }

    /** Puts the message in; true where nothing waited, so that the caller must see to a {@link #flush}. Any thread. */
    boolean put(T message) {
        return waiting.getAndSet(message) == null;
    }

    /** Sends what waits, at once, if the channel takes it. On the channel's event loop. */
    void flush(Channel channel) {
        if (!channel.isWritable()) {
            return;
        }
        T message = waiting.getAndSet(null);
        LinkFrame frame = message == null ? null : framing.apply(message);
        if (frame != null) {
            Frames.send(channel, frame);
        }
    }
}
