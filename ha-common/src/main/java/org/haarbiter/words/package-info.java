/** The words of the design as records: what agents, masters and the CLI mean by the same names. No IO, no clocks. */
@NullMarked
package org.haarbiter.words;

import org.jspecify.annotations.NullMarked;
