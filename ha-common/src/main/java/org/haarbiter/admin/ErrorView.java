package org.haarbiter.admin;

import org.jspecify.annotations.Nullable;

/**
 * Why a request wasn't answered.
 *
 * @param error {@code bad-request}, {@code unauthenticated}, {@code forbidden}, {@code not-found}, {@code too-many-requests}, {@code not-leader}, {@code no-leader}, {@code overloaded},
 *     {@code timeout} or {@code fault}
 * @param sentence for an operator, with what to do
 * @param leader where the leader's admin API is, {@code HOST:PORT}; null where unknown
 */
public record ErrorView(
        String error, String sentence, @Nullable String leader) {}
