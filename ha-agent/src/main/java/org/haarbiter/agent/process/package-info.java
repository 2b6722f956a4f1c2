/** The server's process as the kernel shows it: who it is, whether it ends, its connections, its end by force. Linux only. */
@NullMarked
package org.haarbiter.agent.process;

import org.jspecify.annotations.NullMarked;
