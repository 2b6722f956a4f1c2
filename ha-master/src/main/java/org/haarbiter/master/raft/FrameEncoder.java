package org.haarbiter.master.raft;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToByteEncoder;

/** Writes frames as {@link FrameDecoder} reads them. */
@Sharable
final class FrameEncoder extends MessageToByteEncoder<Frame> {
    static final FrameEncoder INSTANCE = new FrameEncoder();

    private FrameEncoder() {
        super(Frame.class);
    }

    @Override
    protected ByteBuf allocateBuffer(ChannelHandlerContext context, Frame frame, boolean preferDirect) {
        int size = Integer.BYTES + Frame.HEAD_BYTES + frame.message().getSerializedSize();
        return preferDirect
                ? context.alloc().directBuffer(size)
                : context.alloc().heapBuffer(size);
    }

    @Override
    protected void encode(ChannelHandlerContext context, Frame frame, ByteBuf out) throws Exception {
        out.writeInt(Frame.HEAD_BYTES + frame.message().getSerializedSize());
        out.writeByte(frame.kind().number());
        out.writeLong(frame.call());
        try (ByteBufOutputStream stream = new ByteBufOutputStream(out)) {
            frame.message().writeTo(stream);
        }
    }
}
