package org.haarbiter.link;

import com.google.protobuf.InvalidProtocolBufferException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import org.haarbiter.wire.LinkFrame;
import org.haarbiter.wire.WireException;
import org.haarbiter.wire.WireLimits;

/** Bytes to frames. A length is checked before anything is allocated for it. */
final class FrameDecoder extends ByteToMessageDecoder {
    private static final int LENGTH_BYTES = 3;

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws WireException {
        int start = in.readerIndex();
        int length = 0;
        for (int i = 0; ; i++) {
            if (i == LENGTH_BYTES) {
                throw new WireException("frame length: more than " + LENGTH_BYTES + " bytes long (must be at most "
                        + WireLimits.FRAME_BYTES + "); is this an agent's or a master's link port?");
            }
            if (!in.isReadable()) {
                in.readerIndex(start);
                return;
            }
            byte next = in.readByte();
            length |= (next & 0x7f) << (7 * i);
            if (next >= 0) {
                break;
            }
        }
        if (length > WireLimits.FRAME_BYTES) {
            throw new WireException("frame length: " + length + " (must be at most " + WireLimits.FRAME_BYTES + ")");
        }
        if (in.readableBytes() < length) {
            in.readerIndex(start);
            return;
        }
        try {
            out.add(LinkFrame.parseFrom(in.nioBuffer(in.readerIndex(), length)));
        } catch (InvalidProtocolBufferException e) {
            throw new WireException("frame: " + e.getMessage() + " (must be a LinkFrame message)");
        }
        in.skipBytes(length);
    }
}
