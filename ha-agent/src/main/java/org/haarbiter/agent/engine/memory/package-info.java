/** Database servers that live in this process's memory: the engine SPI's reference, for tests of everything above it. */
@NullMarked
package org.haarbiter.agent.engine.memory;

import org.jspecify.annotations.NullMarked;
