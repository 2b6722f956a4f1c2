/** Real sockets, checked. */
@NullMarked
package org.haarbiter.master.endpoints;

import org.jspecify.annotations.NullMarked;
