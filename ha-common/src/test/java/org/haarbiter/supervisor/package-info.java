@NullMarked
package org.haarbiter.supervisor;

import org.jspecify.annotations.NullMarked;
