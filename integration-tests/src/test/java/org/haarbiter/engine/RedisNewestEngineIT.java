package org.haarbiter.engine;

import org.haarbiter.lab.Servers;
import org.junit.jupiter.api.Tag;

/** The same on the newest Redis there is. */
@Tag("servers")
class RedisNewestEngineIT extends RedisEngineIT {
    @Override
    Servers.Program program() {
        return Servers.newestRedis();
    }
}
