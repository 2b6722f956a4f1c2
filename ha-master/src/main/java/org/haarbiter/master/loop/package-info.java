/** The decision loop: one thread that hears, decides, proposes and answers. */
@NullMarked
package org.haarbiter.master.loop;

import org.jspecify.annotations.NullMarked;
