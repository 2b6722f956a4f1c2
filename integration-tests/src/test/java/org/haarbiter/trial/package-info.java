/** Whole arbiters on real servers, broken in every way that can be produced. */
@NullMarked
package org.haarbiter.trial;

import org.jspecify.annotations.NullMarked;
