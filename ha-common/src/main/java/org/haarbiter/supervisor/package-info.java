/** What a service manager is told of this process, in systemd's words. */
@NullMarked
package org.haarbiter.supervisor;

import org.jspecify.annotations.NullMarked;
