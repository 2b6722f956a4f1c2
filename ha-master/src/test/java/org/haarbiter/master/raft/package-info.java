/** Tests of the replicated log with real nodes. */
@NullMarked
package org.haarbiter.master.raft;

import org.jspecify.annotations.NullMarked;
