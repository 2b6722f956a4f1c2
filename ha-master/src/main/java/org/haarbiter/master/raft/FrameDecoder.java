package org.haarbiter.master.raft;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Reads frames: a length of four bytes, the number of a {@link PeerMessage}, the call, and the message as protobuf. The
 * side that accepted the connection first reads a greeting: a length, the word {@code HARAFT1} and the cluster's group
 * id. Whatever doesn't fit ends the connection before anything is made of it: a length is checked before a byte is kept
 * for it, a kind before its body is looked at.
 */
final class FrameDecoder extends ByteToMessageDecoder {
    static final String GREETING = "HARAFT1 ";
    private static final int MOST_GREETING_BYTES = 128;

    private final String groupId;
    private final boolean requests;
    private boolean greeted;

    private FrameDecoder(String groupId, boolean requests, boolean greeted) {
        this.groupId = groupId;
        this.requests = requests;
        this.greeted = greeted;
    }

    /** For an accepted connection: a greeting of this group, then requests. */
    static FrameDecoder ofRequests(String groupId) {
        return new FrameDecoder(groupId, true, false);
    }

    /** For a connection this node made: answers only. */
    static FrameDecoder ofAnswers(String groupId) {
        return new FrameDecoder(groupId, false, true);
    }

    boolean greeted() {
        return greeted;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws Exception {
        if (in.readableBytes() < Integer.BYTES) {
            return;
        }
        int length = in.getInt(in.readerIndex());
        int most = greeted ? Frame.MOST_BYTES : MOST_GREETING_BYTES;
        int least = greeted ? Frame.HEAD_BYTES : 1;
        if (length < least || length > most) {
            throw new TooLongFrameException(
                    "a frame says it has " + length + " bytes (must be " + least + " to " + most + ")");
        }
        if (in.readableBytes() < Integer.BYTES + length) {
            return;
        }
        in.skipBytes(Integer.BYTES);
        ByteBuf body = in.readSlice(length);
        if (greeted) {
            out.add(frame(body));
        } else {
            greet(body.toString(StandardCharsets.UTF_8));
        }
    }

    private void greet(String text) {
        if (!text.startsWith(GREETING)) {
            throw new CorruptedFrameException("the greeting is not that of a master of this version");
        }
        String theirs = text.substring(GREETING.length());
        if (!theirs.equals(groupId)) {
            throw new CorruptedFrameException(
                    "the peer belongs to cluster '" + theirs + "' (must be '" + groupId + "')");
        }
        greeted = true;
    }

    private Frame frame(ByteBuf body) throws IOException {
        int number = body.readUnsignedByte();
        PeerMessage kind = PeerMessage.numbered(number);
        if (kind == null || kind.isRequest() != requests) {
            throw new CorruptedFrameException("message kind " + number + " is not taken on this connection");
        }
        long call = body.readLong();
        try (ByteBufInputStream stream = new ByteBufInputStream(body)) {
            return new Frame(kind, call, kind.parse(stream));
        } catch (InvalidProtocolBufferException e) {
            throw new CorruptedFrameException("a message of kind " + kind + " can't be read", e);
        }
    }
}
