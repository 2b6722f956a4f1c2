@NullMarked
package org.haarbiter.master.sentinel;

import org.jspecify.annotations.NullMarked;
