package org.haarbiter.trial;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import org.haarbiter.lab.DataClient;
import org.haarbiter.trial.ArenaPlan.Engine;

/**
 * A fault, told as data. Whatever it is, the clients' histories must be faultless, and the group must be whole once it is over.
 *
 * @param name as commands write it
 * @param usual whether it is played when none is asked for by name
 * @param engines whose servers it can befall
 * @param hidesReplica whether a replica that acknowledged writes may be out of reach while another is promoted; then a write that
 *     only it had may be lost where the group isn't lossless
 * @param seconds how long it lasts; 0 where it is over as soon as it is done
 * @param preparation makes it ready
 * @param expectation what the arbiter must do about it
 * @param tells the same for people
 */
record Story(
        String name,
        boolean usual,
        Set<Engine> engines,
        boolean hidesReplica,
        int seconds,
        Preparation preparation,
        Expectation expectation,
        String tells) {

    /** The engines whose members are single servers. */
    static final Set<Engine> SERVERS = Set.copyOf(EnumSet.complementOf(EnumSet.of(Engine.ELASTICSEARCH)));

    /** Copies the engines. */
    Story {
        engines = Set.copyOf(engines);
    }

    /** One of all engines whose members are single servers: nothing is told yet of what befalls clusters. */
    static Story of(String name, int seconds, Preparation preparation, Expectation expectation, String tells) {
        return new Story(name, true, SERVERS, false, seconds, preparation, expectation, tells);
    }

    /** One that needs no preparation. */
    static Story of(String name, int seconds, Blow blow, Expectation expectation, String tells) {
        return of(name, seconds, (arena, random) -> new Stage(blow, () -> {}), expectation, tells);
    }

    /** The same, played only when it is asked for by name. */
    Story onlyByName() {
        return new Story(name, false, engines, hidesReplica, seconds, preparation, expectation, tells);
    }

    /** The same, for these engines only. */
    Story only(Set<Engine> some) {
        return new Story(name, usual, some, hidesReplica, seconds, preparation, expectation, tells);
    }

    /** The same; see {@link #hidesReplica}. */
    Story hidingReplica() {
        return new Story(name, usual, engines, true, seconds, preparation, expectation, tells);
    }

    /** What must become of the group's epoch. */
    enum Expected {
        /** A new epoch: another primary, or the same one again after it was lost. */
        SWITCH,
        /** No new epoch. */
        NO_SWITCH,
        /**
         * No new epoch as long as it lasts. An agent that comes back after its lease fences its server until a leader confirms it,
         * and ends a server that doesn't let itself be fenced in time, as may happen on a busy machine.
         */
        NO_SWITCH_MEANWHILE,
        /** It depends on chance, or on figures of the machine. */
        EITHER
    }

    /** Does it, and hands back what ends it. */
    interface Blow {
        Undo strike(Scene scene) throws IOException, DataClient.Failure;
    }

    /** Ends a fault, or takes a preparation back. */
    interface Undo {
        void undo() throws IOException;
    }

    /** Makes a whole arena ready for the blow, before there are clients. It is whole again then. */
    interface Preparation {
        Stage ready(Arena arena, Random random) throws IOException;
    }

    /**
     * An arena that is ready.
     *
     * @param blow the fault
     * @param clear takes the preparation back, when there are no clients any more
     */
    record Stage(Blow blow, Undo clear) {}

    /** Looks at the scene before the fault. */
    interface Expectation {
        Expected of(Scene scene);
    }

    @Override
    public String toString() {
        return name;
    }
}
