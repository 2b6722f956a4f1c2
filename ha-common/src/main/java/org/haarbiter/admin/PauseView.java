package org.haarbiter.admin;

/**
 * Nothing automatic happens while it stands.
 *
 * @param by who set it
 * @param reason why
 * @param wallMillis when
 */
public record PauseView(String by, String reason, long wallMillis) {}
