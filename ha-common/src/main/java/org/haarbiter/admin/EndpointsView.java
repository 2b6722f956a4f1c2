package org.haarbiter.admin;

import java.util.List;

/**
 * All groups of endpoints. {@code GET /v1/endpoints}.
 *
 * @param groups in the order of their names
 */
public record EndpointsView(List<EndpointGroupView> groups) {
    /** Copies the list. */
    public EndpointsView {
        groups = List.copyOf(groups);
    }
}
