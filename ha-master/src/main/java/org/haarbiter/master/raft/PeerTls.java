package org.haarbiter.master.raft;

import io.netty.handler.ssl.SslContext;
import java.util.function.Supplier;
import org.haarbiter.link.PeerCheck;
import org.haarbiter.link.Tls;

/**
 * Mutual TLS between masters. Both are asked for at each connection, so that renewed certificates count from then on.
 *
 * @param server for inbound connections
 * @param client for outbound connections
 * @param check whether the other end is a master
 */
public record PeerTls(Supplier<SslContext> server, Supplier<SslContext> client, PeerCheck check) {

    /** With these keys; the other end's certificate must name a master. */
    public static PeerTls of(Tls tls) {
        return new PeerTls(tls::server, tls::client, tls.rules().anyMaster());
    }
}
