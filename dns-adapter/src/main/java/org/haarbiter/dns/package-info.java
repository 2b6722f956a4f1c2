/** The DNS provider SPI: names that converge to what the log says. */
@NullMarked
package org.haarbiter.dns;

import org.jspecify.annotations.NullMarked;
