/** What engines have in common on the disks of their hosts. */
@NullMarked
package org.haarbiter.agent.engine.disk;

import org.jspecify.annotations.NullMarked;
