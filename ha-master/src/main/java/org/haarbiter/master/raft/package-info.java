/** The replicated log: sofa-jraft behind a small edge of our own. */
@NullMarked
package org.haarbiter.master.raft;

import org.jspecify.annotations.NullMarked;
