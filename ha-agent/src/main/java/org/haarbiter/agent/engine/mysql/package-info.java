/**
 * The engine for MySQL (8.4 and newer) and MariaDB (10.11 and newer). It speaks the servers' protocol itself, over the Unix
 * socket only: every wait has a limit of its own, a statement that isn't answered in time stays outstanding instead of
 * costing the connection, and the socket tells which process it leads to.
 */
@NullMarked
package org.haarbiter.agent.engine.mysql;

import org.jspecify.annotations.NullMarked;
