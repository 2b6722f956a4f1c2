/** The words of the link as bytes: generated messages, and their translation from and to the words. No IO. */
@NullMarked
package org.haarbiter.wire;

import org.jspecify.annotations.NullMarked;
