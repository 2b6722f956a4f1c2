package org.haarbiter.link;

import com.google.protobuf.CodedOutputStream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToByteEncoder;
import java.io.IOException;
import org.haarbiter.wire.LinkFrame;
import org.haarbiter.wire.WireException;
import org.haarbiter.wire.WireLimits;

/** Frames to bytes: a varint length, then the message. */
@ChannelHandler.Sharable
final class FrameEncoder extends MessageToByteEncoder<LinkFrame> {
    static final FrameEncoder INSTANCE = new FrameEncoder();

    private FrameEncoder() {
        super(LinkFrame.class);
    }

    @Override
    protected ByteBuf allocateBuffer(ChannelHandlerContext context, LinkFrame frame, boolean preferDirect)
            throws WireException {
        int length = frame.getSerializedSize();
        if (length > WireLimits.FRAME_BYTES) {
            throw new WireException("frame length: " + length + " (must be at most " + WireLimits.FRAME_BYTES + ")");
        }
        int size = CodedOutputStream.computeUInt32SizeNoTag(length) + length;
        return preferDirect ? context.alloc().ioBuffer(size) : context.alloc().heapBuffer(size);
    }

    @Override
    protected void encode(ChannelHandlerContext context, LinkFrame frame, ByteBuf out) throws IOException {
        try (ByteBufOutputStream stream = new ByteBufOutputStream(out)) {
            frame.writeDelimitedTo(stream);
        }
    }
}
