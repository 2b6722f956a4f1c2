/** Time as an argument: whoever measures is given its clock. */
@NullMarked
package org.haarbiter.time;

import org.jspecify.annotations.NullMarked;
