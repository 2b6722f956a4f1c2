package org.haarbiter.trial;

import java.io.IOException;
import java.time.Duration;
import java.util.SortedMap;
import org.haarbiter.lab.DatabaseServer;
import org.haarbiter.lab.WriteLoad;

/** What keeps an arena's group available: this arbiter, or another that it is compared with. One thread. */
interface Keeper {

    /** As tables name it. */
    String word();

    /** Waits until all members are there and one of them is primary; returns that one. */
    DatabaseServer awaitWhole(Duration limit) throws IOException;

    /** Waits until a switch is over, for whoever asks for the primary; returns that one. */
    DatabaseServer awaitSettled(Duration limit) throws IOException;

    /** Where such a client looks for the primary. */
    WriteLoad.Target target(FailoverTrial.Client client);

    /** Asks for a planned switch; returns at once. */
    void switchOver() throws IOException;

    /** How long each part of the last switch took, in ms, where that is on record. */
    SortedMap<String, Double> phases();
}
