package org.haarbiter.agent.engine.redis;

import redis.clients.jedis.exceptions.JedisDataException;

/** Why there is no answer, or which error it is. */
final class RedisProblem extends Exception {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final String code;

    enum Kind {
        /** The server has answered with an error. */
        REFUSED,
        /** The time is over; the answer may still come. */
        NO_ANSWER,
        /** The connection is gone; whether the command was carried out isn't known. */
        LOST
    }

    private RedisProblem(Kind kind, String code, String message) {
        super(message);
        this.kind = kind;
        this.code = code;
    }

    static RedisProblem refused(JedisDataException error) {
        String said = String.valueOf(error.getMessage());
        return new RedisProblem(Kind.REFUSED, said.split(" ", 2)[0], said);
    }

    static RedisProblem noAnswer(String what) {
        return new RedisProblem(Kind.NO_ANSWER, "", what);
    }

    static RedisProblem lost(String why) {
        return new RedisProblem(Kind.LOST, "", why);
    }

    Kind kind() {
        return kind;
    }

    /** The word that the server's error begins with, BUSY or NOPERM say; empty where it isn't an error of the server. */
    String code() {
        return code;
    }

    boolean is(String word) {
        return code.equals(word);
    }

    /** A full server says this to a new connection and closes it. */
    boolean tooManyClients() {
        return kind == Kind.REFUSED && String.valueOf(getMessage()).contains("max number of clients");
    }
}
