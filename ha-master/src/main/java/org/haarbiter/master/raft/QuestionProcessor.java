package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.haarbiter.wire.HearingAnswer;
import org.haarbiter.wire.HearingRequest;

/** Answers a leader that asks whom this master hears. */
final class HearingProcessor implements RpcProcessor<HearingRequest> {
    private final Function<HearingRequest, CompletableFuture<HearingAnswer>> answers;
    private final Executor executor;

    HearingProcessor(Function<HearingRequest, CompletableFuture<HearingAnswer>> answers, Executor executor) {
        this.answers = answers;
        this.executor = executor;
    }

    @Override
    public void handleRequest(RpcContext context, HearingRequest request) {
        answers.apply(request).whenComplete((answer, failure) -> {
            if (failure == null) {
                context.sendResponse(answer);
            } else {
                context.sendResponse(RpcRequests.ErrorResponse.newBuilder()
                        .setErrorCode(RaftError.EBUSY.getNumber())
                        .setErrorMsg("not answered: " + failure)
                        .build());
            }
        });
    }

    @Override
    public String interest() {
        return HearingRequest.class.getName();
    }

    @Override
    public Executor executor() {
        return executor;
    }
}
