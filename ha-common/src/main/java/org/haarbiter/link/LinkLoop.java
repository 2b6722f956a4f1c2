package org.haarbiter.link;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The one thread that all of an agent's {@link LinkClient}s, and its other doings, share; close them first, then it. */
public final class LinkLoop implements AutoCloseable {
    private static final int RESOLVERS = 8;

    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("agent-loop", true), NioIoHandler.newFactory());
    /** Name look-ups can hang for many seconds, and must not hold up the other masters' connections. */
    private final ThreadPoolExecutor resolvers = new ThreadPoolExecutor(
            RESOLVERS,
            RESOLVERS,
            5,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            new DefaultThreadFactory("link-resolver", true));

    /** Starts no thread before the first client does. */
    public LinkLoop() {
        resolvers.allowCoreThreadTimeOut(true);
    }

    /** The thread. Nothing that blocks may run there: the links to all masters wait meanwhile. */
    public EventExecutor thread() {
        return group.next();
    }

    EventLoopGroup group() {
        return group;
    }

    /** Each client has at most one look-up under way, which bounds the queue. */
    ThreadPoolExecutor resolvers() {
        return resolvers;
    }

    /** A few frames a second don't pay for a pool, and an agent has little memory. */
    ByteBufAllocator allocator() {
        return Allocator.SMALL;
    }

    /** Ends the threads; returns when that is done. */
    @Override
    public void close() {
        resolvers.shutdownNow();
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static final class Allocator {
        static final ByteBufAllocator SMALL = new UnpooledByteBufAllocator(false);
    }
}
