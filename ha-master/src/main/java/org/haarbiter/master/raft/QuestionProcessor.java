package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.error.RaftError;
import com.alipay.sofa.jraft.rpc.RpcContext;
import com.alipay.sofa.jraft.rpc.RpcProcessor;
import com.alipay.sofa.jraft.rpc.RpcRequests;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;

/** Answers one kind of question that a leader asks beside Raft. */
final class QuestionProcessor<Q, A> implements RpcProcessor<Q> {
    private final Class<Q> question;
    private final Function<Q, CompletableFuture<A>> answers;
    private final Executor executor;

    QuestionProcessor(Class<Q> question, Function<Q, CompletableFuture<A>> answers, Executor executor) {
        this.question = question;
        this.answers = answers;
        this.executor = executor;
    }

    @Override
    public void handleRequest(RpcContext context, Q request) {
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
        return question.getName();
    }

    @Override
    public Executor executor() {
        return executor;
    }
}
