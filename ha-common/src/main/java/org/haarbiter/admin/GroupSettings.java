package org.haarbiter.admin;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What people settle of a group. Of a group as it is, nothing is null; of a group as it is wanted, null is what stays as it is.
 *
 * @param policy what is promised of its writes, and when it switches among many
 * @param classes all its traffic classes, by name
 */
public record GroupSettings(PolicyChange policy, @Nullable List<ClassChange> classes) {
    /** Copies the list. */
    public GroupSettings {
        classes = classes == null ? null : List.copyOf(classes);
    }
}
