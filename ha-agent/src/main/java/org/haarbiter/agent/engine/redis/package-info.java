/** The engine for Redis 7.0 and newer, and for Valkey. */
@NullMarked
package org.haarbiter.agent.engine.redis;

import org.jspecify.annotations.NullMarked;
