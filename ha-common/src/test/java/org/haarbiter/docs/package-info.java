/** Pages of the documentation that are printed from the code. */
@NullMarked
package org.haarbiter.docs;

import org.jspecify.annotations.NullMarked;
