package org.haarbiter.agent.engine.redis;

import org.haarbiter.agent.process.ServerProcess;

/**
 * The process that serves the address.
 *
 * @param runId what the server calls this run of it; empty where it has never answered
 */
record Attached(ServerProcess process, String runId) {

    /** Names the process for ever. */
    String instance() {
        return process.instance();
    }
}
