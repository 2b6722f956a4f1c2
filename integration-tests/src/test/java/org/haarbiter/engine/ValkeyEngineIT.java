package org.haarbiter.engine;

import org.haarbiter.lab.Servers;
import org.junit.jupiter.api.Tag;

/** The same on Valkey. */
@Tag("servers")
class ValkeyEngineIT extends RedisEngineIT {
    @Override
    Servers.Program program() {
        return Servers.valkey();
    }
}
