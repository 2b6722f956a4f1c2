package org.haarbiter.agent.engine.redis;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import org.haarbiter.link.Tls;
import org.haarbiter.link.TlsSettings;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the agent's connections, and knows which of the server's clients they are. Threads: any. */
final class Links {
    private static final Logger LOG = LoggerFactory.getLogger(Links.class);

    private final RedisSettings settings;
    private final @Nullable Tls tls;
    private final Set<Long> own = ConcurrentHashMap.newKeySet();

    /** @throws org.haarbiter.settings.SettingsException where the TLS files can't be used */
    Links(RedisSettings settings) {
        this.settings = settings;
        TlsSettings given = settings.tls();
        this.tls = given == null ? null : Tls.load(given);
    }

    /** Connects, and doesn't log in yet. */
    Link connect(long deadlineNanos) throws IOException {
        TlsSettings given = settings.tls();
        SSLContext context = null;
        if (tls != null) {
            tls.look();
            context = tls.clientContext();
        }
        return new Link(
                this,
                new AnswerSocket(settings.address(), context, given != null && given.verifyHost(), deadlineNanos));
    }

    /** Connects and logs in. */
    Link open(long deadlineNanos) throws RedisProblem {
        Link link;
        try {
            link = connect(deadlineNanos);
        } catch (IOException e) {
            throw RedisProblem.lost("can't connect to " + settings.address() + ": " + e.getMessage());
        }
        try {
            link.login(deadlineNanos);
            return link;
        } catch (RedisProblem e) {
            link.close();
            throw e;
        }
    }

    String user() {
        return settings.user();
    }

    String password() {
        return settings.password();
    }

    void opened(long id) {
        own.add(id);
    }

    void closed(long id) {
        own.remove(id);
    }

    /** The agent's own connections among the server's clients. */
    List<Long> own() {
        return List.copyOf(own);
    }

    void closingFailed(IOException e) {
        LOG.debug("closing a connection to {}: {}", settings.address(), e.toString());
    }
}
