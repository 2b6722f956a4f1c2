package org.haarbiter.link;

import io.netty.channel.Channel;
import java.util.function.Supplier;
import org.haarbiter.wire.LinkFrame;
import org.haarbiter.wire.LinkWriter;
import org.haarbiter.wire.WireException;
import org.haarbiter.words.Answer;
import org.haarbiter.words.Endpoint;
import org.haarbiter.words.PeerAnswer;
import org.jspecify.annotations.Nullable;

/** One agent's connection to this process. For any thread. */
public final class AgentConnection {
    private final long id;
    private final Endpoint remote;
    private final Channel channel;
    private final Newest<Supplier<LinkFrame>> answers = new Newest<>(Supplier::get);

    // The rest belongs to the event loop.
    private CertificateNames names = CertificateNames.NONE;
    private @Nullable PeerRules rules;
    private String provenGroup = "";
    private String provenMember = "";

    AgentConnection(long id, Endpoint remote, Channel channel) {
        this.id = id;
        this.remote = remote;
        this.channel = channel;
    }

    /** Unique in the life of the server; grows. */
    public long id() {
        return id;
    }

    /** Where the agent's end of the connection is. */
    public Endpoint remote() {
        return remote;
    }

    /**
     * Sends at once and never blocks. Where the agent reads more slowly than it is answered, the newest answer
     * replaces the one that waits; on a closed connection it is dropped.
     */
    public void send(Answer answer) {
        send(() -> LinkWriter.frame(answer));
    }

    /** As {@link #send(Answer)}. */
    public void send(PeerAnswer answer) {
        send(() -> LinkWriter.frame(answer));
    }

    private void send(Supplier<LinkFrame> framing) {
        if (answers.put(framing)) {
            Frames.execute(channel.eventLoop(), this::flush);
        }
    }

    /** From now on it is taken only for whom its certificate names. On the event loop. */
    void proven(CertificateNames owner, PeerRules how) {
        names = owner;
        rules = how;
    }

    /**
     * On the event loop.
     *
     * @throws WireException where the certificate isn't that of this member's agent
     */
    void mustSpeakFor(String group, String member) throws WireException {
        PeerRules how = rules;
        // A heartbeat is like the one before: its names needn't be put together again.
        if (how == null || (member.equals(provenMember) && group.equals(provenGroup))) {
            return;
        }
        String problem = how.agentOf(group, member).problem(names);
        if (problem != null) {
            throw new WireException("it speaks for " + member + " of group " + group + ", and " + problem);
        }
        provenGroup = group;
        provenMember = member;
    }

    /** Gives up the connection; the agent will connect anew. */
    public void close() {
        var unused = channel.close();
    }

    void flush() {
        answers.flush(channel);
    }

    /** {@code agent connection 7 from 10.0.0.1:40312}. */
    @Override
    public String toString() {
        return "agent connection " + id + " from " + remote;
    }
}
