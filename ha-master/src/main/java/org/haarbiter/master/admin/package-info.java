/** The admin API: what {@code hactl}, scripts and Prometheus ask a master, over HTTP. */
@NullMarked
package org.haarbiter.master.admin;

import org.jspecify.annotations.NullMarked;
