/** The engines' contract, on real servers. */
@NullMarked
package org.haarbiter.engine;

import org.jspecify.annotations.NullMarked;
