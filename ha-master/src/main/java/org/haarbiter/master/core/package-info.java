/**
 * What the masters decide and how: the replicated state, the entries that change it, the rules that propose them, and the
 * goals that follow from it. Pure: time comes in as numbers, nothing here reads a clock, a file or a socket, or starts a
 * thread. No collection with an order that changes between runs is used.
 */
@NullMarked
package org.haarbiter.master.core;

import org.jspecify.annotations.NullMarked;
