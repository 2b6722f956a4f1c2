/** Settings files into records: typed access that gathers every mistake and reports them at once, with line numbers. */
@NullMarked
package org.haarbiter.settings;

import org.jspecify.annotations.NullMarked;
