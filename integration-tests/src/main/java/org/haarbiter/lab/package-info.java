/**
 * The lab: real servers as child processes, a client that writes all the time and remembers what was acknowledged, and
 * hosts as network namespaces. The demo, the benchmarks and the tests on real servers are built on it.
 */
@NullMarked
package org.haarbiter.lab;

import org.jspecify.annotations.NullMarked;
