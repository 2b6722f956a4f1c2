package org.haarbiter.engine;

import java.util.Set;
import org.haarbiter.lab.DatabaseServer;

/** How an application reaches the servers of an engine. */
interface Clients<S extends DatabaseServer> {

    /** One connection of an application. */
    interface Client extends AutoCloseable {
        /**
         * Adds a row.
         *
         * @param acknowledged waits until a replica has it, where the server doesn't do so by itself
         */
        void write(long id, boolean acknowledged) throws Refused;

        @Override
        void close() throws Refused;
    }

    Client connect(S server) throws Refused;

    /** All rows, whether or not it takes writes. */
    Set<Long> rows(S server);
}
