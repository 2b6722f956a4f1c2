/** Checks the endpoints that aren't databases, and tells the leader what each master finds. */
@NullMarked
package org.haarbiter.master.endpoints;

import org.jspecify.annotations.NullMarked;
