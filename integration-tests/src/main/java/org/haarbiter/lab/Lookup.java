package org.haarbiter.lab;

import java.io.IOException;
import java.util.Optional;
import org.haarbiter.words.Endpoint;

/** How a client finds the primary, each time anew. Threads: one. */
interface Lookup extends AutoCloseable {

    /** Where it is; empty when whoever is asked says that there is none. */
    Optional<Endpoint> primary() throws IOException;

    @Override
    void close();
}
