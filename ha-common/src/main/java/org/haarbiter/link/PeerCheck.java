package org.haarbiter.link;

import org.jspecify.annotations.Nullable;

/** Whether the other end of a TLS connection is who it should be. Called once a handshake, on any thread; must not block. */
@FunctionalInterface
public interface PeerCheck {
    /** Whoever the authority vouches for. */
    PeerCheck ANYBODY = names -> null;

    /** What speaks against this peer, a sentence with what it should have been; null where nothing does. */
    @Nullable
    String problem(CertificateNames names);
}
