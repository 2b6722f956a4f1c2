/**
 * The simulator: the real cores of masters and agents, on one thread, from one seed, in a world whose time, network,
 * servers and faults are made up. Nothing here reads a clock or draws chance from anywhere but the seed.
 */
@NullMarked
package org.haarbiter.sim;

import org.jspecify.annotations.NullMarked;
