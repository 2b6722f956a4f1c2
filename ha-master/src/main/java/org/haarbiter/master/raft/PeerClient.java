package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.ReplicatorGroup;
import com.alipay.sofa.jraft.error.InvokeTimeoutException;
import com.alipay.sofa.jraft.error.RemotingException;
import com.alipay.sofa.jraft.option.RpcOptions;
import com.alipay.sofa.jraft.rpc.InvokeCallback;
import com.alipay.sofa.jraft.rpc.InvokeContext;
import com.alipay.sofa.jraft.rpc.RpcClient;
import com.alipay.sofa.jraft.util.Endpoint;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The library's view of the links to the other masters. No call waits for a connection: the library asks while it holds
 * the node's lock, and a peer without power would stop the votes of the living.
 */
final class PeerClient implements RpcClient {
    private @Nullable ReplicatorGroup replicators;
    private @Nullable PeerTransport transport;

    @Override
    public boolean init(RpcOptions options) {
        if (!(options instanceof RaftNodeOptions nodeOptions)) {
            throw new IllegalArgumentException("options of " + options.getClass() + " (must be RaftNodeOptions)");
        }
        transport = nodeOptions.transport();
        if (replicators != null) {
            transport.onConnected(replicators);
        }
        return true;
    }

    @Override
    public void shutdown() {
        // The links belong to the transport, which outlives the node for the last answers.
    }

    @Override
    public boolean checkConnection(Endpoint endpoint) {
        return transport().isConnected(endpoint);
    }

    @Override
    public boolean checkConnection(Endpoint endpoint, boolean createIfAbsent) {
        return createIfAbsent
                ? transport().link(endpoint).isReady()
                : transport().isConnected(endpoint);
    }

    @Override
    public void closeConnection(Endpoint endpoint) {
        transport().link(endpoint).drop("the node asked for a new connection");
    }

    @Override
    public void registerConnectEventListener(ReplicatorGroup replicatorGroup) {
        replicators = replicatorGroup;
    }

    @Override
    public Object invokeSync(Endpoint endpoint, Object request, @Nullable InvokeContext context, long timeoutMillis)
            throws InterruptedException, RemotingException {
        CompletableFuture<Object> answer = new CompletableFuture<>();
        InvokeCallback callback = (result, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else {
                answer.complete(result);
            }
        };
        invokeAsync(endpoint, request, context, callback, timeoutMillis);
        try {
            return answer.get(timeoutMillis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new InvokeTimeoutException(e);
        } catch (ExecutionException e) {
            throw new RemotingException(e.getCause());
        }
    }

    @Override
    public void invokeAsync(
            Endpoint endpoint,
            Object request,
            @Nullable InvokeContext context,
            InvokeCallback callback,
            long timeoutMillis)
            throws RemotingException {
        transport().link(endpoint).call(request, callback, timeoutMillis);
    }

    private PeerTransport transport() {
        PeerTransport known = transport;
        if (known == null) {
            throw new IllegalStateException("used before init");
        }
        return known;
    }
}
