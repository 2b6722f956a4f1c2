package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.rpc.RpcRequests;
import com.google.protobuf.Message;
import java.io.IOException;
import java.io.InputStream;
import org.haarbiter.wire.EndpointsAnswer;
import org.haarbiter.wire.EndpointsRequest;
import org.haarbiter.wire.HearingAnswer;
import org.haarbiter.wire.HearingRequest;
import org.jspecify.annotations.Nullable;

/**
 * The messages that may cross a connection between masters, each with its number on the wire. Nothing else is ever
 * decoded: the library's administrative calls are left out on purpose, as they would let any peer change the members.
 */
enum PeerMessage {
    PING(1, RpcRequests.PingRequest.getDefaultInstance(), null),
    VOTE(2, RpcRequests.RequestVoteRequest.getDefaultInstance(), RpcRequests.RequestVoteResponse.class),
    APPEND(3, RpcRequests.AppendEntriesRequest.getDefaultInstance(), RpcRequests.AppendEntriesResponse.class),
    INSTALL_SNAPSHOT(
            4, RpcRequests.InstallSnapshotRequest.getDefaultInstance(), RpcRequests.InstallSnapshotResponse.class),
    GET_FILE(5, RpcRequests.GetFileRequest.getDefaultInstance(), RpcRequests.GetFileResponse.class),
    TIMEOUT_NOW(6, RpcRequests.TimeoutNowRequest.getDefaultInstance(), RpcRequests.TimeoutNowResponse.class),
    READ_INDEX(7, RpcRequests.ReadIndexRequest.getDefaultInstance(), RpcRequests.ReadIndexResponse.class),
    HEARING(8, HearingRequest.getDefaultInstance(), HearingAnswer.class),
    ENDPOINTS(9, EndpointsRequest.getDefaultInstance(), EndpointsAnswer.class),
    ERROR_ANSWER(65, RpcRequests.ErrorResponse.getDefaultInstance(), null),
    VOTE_ANSWER(66, RpcRequests.RequestVoteResponse.getDefaultInstance(), null),
    APPEND_ANSWER(67, RpcRequests.AppendEntriesResponse.getDefaultInstance(), null),
    INSTALL_SNAPSHOT_ANSWER(68, RpcRequests.InstallSnapshotResponse.getDefaultInstance(), null),
    GET_FILE_ANSWER(69, RpcRequests.GetFileResponse.getDefaultInstance(), null),
    TIMEOUT_NOW_ANSWER(70, RpcRequests.TimeoutNowResponse.getDefaultInstance(), null),
    READ_INDEX_ANSWER(71, RpcRequests.ReadIndexResponse.getDefaultInstance(), null),
    HEARING_ANSWER(72, HearingAnswer.getDefaultInstance(), null),
    ENDPOINTS_ANSWER(73, EndpointsAnswer.getDefaultInstance(), null);

    private static final int FIRST_ANSWER = 65;
    private static final @Nullable PeerMessage[] BY_NUMBER = new PeerMessage[128];

    static {
        for (PeerMessage message : values()) {
            BY_NUMBER[message.number] = message;
        }
    }

    private final int number;
    private final Message prototype;
    private final @Nullable Class<? extends Message> answer;

    PeerMessage(int number, Message prototype, @Nullable Class<? extends Message> answer) {
        this.number = number;
        this.prototype = prototype;
        this.answer = answer;
    }

    /** The kind with this number; null when there is none. */
    static @Nullable PeerMessage numbered(int number) {
        return number >= 0 && number < BY_NUMBER.length ? BY_NUMBER[number] : null;
    }

    /** The kind of a message object; null when it may not cross. */
    static @Nullable PeerMessage of(Object message) {
        for (PeerMessage kind : values()) {
            if (kind.prototype.getClass() == message.getClass()) {
                return kind;
            }
        }
        return null;
    }

    /** The request kind of a class name; null when requests of that class are not taken. */
    static @Nullable PeerMessage requestNamed(String className) {
        for (PeerMessage kind : values()) {
            if (kind.isRequest() && kind.prototype.getClass().getName().equals(className)) {
                return kind;
            }
        }
        return null;
    }

    int number() {
        return number;
    }

    boolean isRequest() {
        return number < FIRST_ANSWER;
    }

    /** True when {@code message} may answer a request of this kind: its own answer, or an error. */
    boolean isAnsweredBy(Message message) {
        return message instanceof RpcRequests.ErrorResponse || (answer != null && answer.isInstance(message));
    }

    /** Reads one message of this kind. */
    Message parse(InputStream body) throws IOException {
        return prototype.getParserForType().parseFrom(body);
    }
}
