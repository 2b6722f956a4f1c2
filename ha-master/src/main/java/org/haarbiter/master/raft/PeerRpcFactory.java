package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.rpc.RaftRpcFactory;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.rpc.RpcServer;
import com.alipay.sofa.jraft.util.Endpoint;
import com.alipay.sofa.jraft.util.SPI;
import org.jspecify.annotations.Nullable;

/**
 * How the Raft library finds our transport, by its service file. The library's own transport binds every interface and
 * decodes Java objects.
 */
@SPI(priority = 100)
public final class PeerRpcFactory implements RaftRpcFactory {

    /** Called by the library, once a process. */
    public PeerRpcFactory() {}

    @Override
    public void registerProtobufSerializer(String className, Object... args) {
        // The messages that are taken are listed in PeerMessage; the library can't add to them.
    }

    @Override
    public RpcClient createRpcClient(@Nullable ConfigHelper<RpcClient> helper) {
        PeerClient client = new PeerClient();
        if (helper != null) {
            helper.config(client);
        }
        return client;
    }

    /** PeerServer keeps the order itself; see there. */
    @Override
    public boolean isReplicatorPipelineEnabled() {
        return false;
    }

    @Override
    public RpcServer createRpcServer(Endpoint endpoint, @Nullable ConfigHelper<RpcServer> helper) {
        throw new UnsupportedOperationException("servers are made by PeerTransport, which knows their TLS settings");
    }
}
