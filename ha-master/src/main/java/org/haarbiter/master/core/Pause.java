package org.haarbiter.master.core;

/**
 * Nothing automatic happens while it stands; a person's commands still do.
 *
 * @param by who set it
 * @param reason why
 * @param wallMillis when, for people
 */
public record Pause(String by, String reason, long wallMillis) {}
