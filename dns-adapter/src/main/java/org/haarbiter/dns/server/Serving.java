package org.haarbiter.dns.server;

/** What the handlers of all channels share. Any thread. */
interface Serving {

    /** A responder for one thread. */
    Responder responder();

    /** Gives the responder what it answers from now, and the time. */
    void refresh(Responder responder);

    DnsServerMetrics metrics();

    Warnings warnings();

    LongWay longWay();

    DnsServerSettings settings();
}
