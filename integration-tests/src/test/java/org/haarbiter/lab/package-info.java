/** Tests of the lab; those on real servers end in IT and carry the tag "servers". */
@NullMarked
package org.haarbiter.lab;

import org.jspecify.annotations.NullMarked;
