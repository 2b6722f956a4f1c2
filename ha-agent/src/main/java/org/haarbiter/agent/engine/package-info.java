/** The engine SPI: what the agent needs of a database server, in the words of the design. */
@NullMarked
package org.haarbiter.agent.engine;

import org.jspecify.annotations.NullMarked;
