package org.haarbiter.master.sentinel;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.MessageToMessageDecoder;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.redis.ArrayHeaderRedisMessage;
import io.netty.handler.codec.redis.ArrayRedisMessage;
import io.netty.handler.codec.redis.BulkStringHeaderRedisMessage;
import io.netty.handler.codec.redis.FixedRedisMessagePool;
import io.netty.handler.codec.redis.FullBulkStringRedisMessage;
import io.netty.handler.codec.redis.InlineCommandRedisMessage;
import io.netty.handler.codec.redis.RedisArrayAggregator;
import io.netty.handler.codec.redis.RedisBulkStringAggregator;
import io.netty.handler.codec.redis.RedisCodecException;
import io.netty.handler.codec.redis.RedisDecoder;
import io.netty.handler.codec.redis.RedisMessage;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Turns what clients send into the words of a command, and refuses more than any client of Sentinel needs. */
final class RequestDecoding {
    private static final int WORDS_LIMIT = 64;
    private static final int WORD_BYTES_LIMIT = 4_096;

    private RequestDecoding() {}

    static void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(new RedisDecoder(WORD_BYTES_LIMIT, FixedRedisMessagePool.INSTANCE, true));
        pipeline.addLast(new Limits());
        pipeline.addLast(new RedisBulkStringAggregator());
        pipeline.addLast(new RedisArrayAggregator(WORDS_LIMIT, 1));
        pipeline.addLast(new Words());
    }

    /** Looks at the sizes that are announced, before anything is kept for them. */
    private static final class Limits extends MessageToMessageDecoder<RedisMessage> {
        Limits() {
            super(RedisMessage.class);
        }

        @Override
        protected void decode(ChannelHandlerContext context, RedisMessage message, List<Object> out) {
            if (message instanceof ArrayHeaderRedisMessage array
                    && (array.length() < 1 || array.length() > WORDS_LIMIT)) {
                throw new TooLongFrameException(
                        "a command of " + array.length() + " words (must be 1 to " + WORDS_LIMIT + ")");
            }
            if (message instanceof BulkStringHeaderRedisMessage text
                    && (text.bulkStringLength() < 0 || text.bulkStringLength() > WORD_BYTES_LIMIT)) {
                throw new TooLongFrameException(
                        "a word of " + text.bulkStringLength() + " bytes (must be 0 to " + WORD_BYTES_LIMIT + ")");
            }
            out.add(ReferenceCountUtil.retain(message));
        }
    }

    private static final class Words extends MessageToMessageDecoder<RedisMessage> {
        Words() {
            super(RedisMessage.class);
        }

        @Override
        protected void decode(ChannelHandlerContext context, RedisMessage message, List<Object> out) {
            List<String> words = new ArrayList<>();
            if (message instanceof InlineCommandRedisMessage inline) {
                words.addAll(List.of(inline.content().strip().split("\\s+")));
                words.removeIf(String::isEmpty);
            } else if (message instanceof ArrayRedisMessage array) {
                for (RedisMessage child : array.children()) {
                    if (!(child instanceof FullBulkStringRedisMessage text)) {
                        throw new RedisCodecException("a command must be an array of bulk strings");
                    }
                    words.add(text.content().toString(StandardCharsets.UTF_8));
                }
            } else {
                throw new RedisCodecException("a command must be an array of bulk strings, or a line");
            }
            if (!words.isEmpty()) {
                out.add(List.copyOf(words));
            }
        }
    }
}
