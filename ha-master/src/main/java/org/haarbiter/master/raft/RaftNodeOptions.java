package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.option.NodeOptions;

/** The library hands its options to the client it has the factory make: the way a node's transport reaches its client. */
final class RaftNodeOptions extends NodeOptions {
    private final PeerTransport transport;

    RaftNodeOptions(PeerTransport transport) {
        this.transport = transport;
    }

    PeerTransport transport() {
        return transport;
    }
}
