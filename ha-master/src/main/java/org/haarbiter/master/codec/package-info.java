/** Log entries and snapshots as bytes. */
@NullMarked
package org.haarbiter.master.codec;

import org.jspecify.annotations.NullMarked;
