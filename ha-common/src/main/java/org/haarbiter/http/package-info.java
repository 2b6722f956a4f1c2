/** What the arbiter's small HTTP servers have in common. */
@NullMarked
package org.haarbiter.http;

import org.jspecify.annotations.NullMarked;
