package org.haarbiter.admin;

/**
 * Nothing automatic happens while it stands.
 *
 * @param by who set it
 * @param reason why
 * @param wallMillis when
 * @param untilMillis when it ends by itself, by the leader's wall clock; 0 where a person must end it
 */
public record PauseView(String by, String reason, long wallMillis, long untilMillis) {}
