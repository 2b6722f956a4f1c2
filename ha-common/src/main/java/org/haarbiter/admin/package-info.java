/**
 * What the masters' admin API says, as records: written by the masters, read by {@code hactl} and by scripts. In JSON each
 * component is a field of the same name, in camelCase. Fields are added, never renamed or taken away; readers ignore what
 * they don't know. Words in lower case are part of the interface, sentences are for people and may change.
 *
 * <p>Times that end in {@code Millis} are durations in milliseconds; {@code wallMillis} are wall-clock times in
 * milliseconds since 1970, as the leader's clock had them, and only labels. A duration of -1 is unknown.
 */
@NullMarked
package org.haarbiter.admin;

import org.jspecify.annotations.NullMarked;
