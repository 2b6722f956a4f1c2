/**
 * What an agent does next: its lease, its goal, and how its server converges to it. Pure: time comes in as numbers, nothing
 * here reads a clock, a file or a socket, or starts a thread.
 */
@NullMarked
package org.haarbiter.agent.core;

import org.jspecify.annotations.NullMarked;
