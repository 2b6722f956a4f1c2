/** The switch log as a file of JSON lines. */
@NullMarked
package org.haarbiter.master.audit;

import org.jspecify.annotations.NullMarked;
