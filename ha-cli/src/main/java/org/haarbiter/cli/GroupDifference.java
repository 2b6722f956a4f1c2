package org.haarbiter.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.admin.PolicyChange;
import org.jspecify.annotations.Nullable;

/**
 * What must change for a group to be as it is wanted.
 *
 * @param policy what of its policy, null for what stays
 * @param set classes that are to be made, or become others
 * @param removed names of classes that are to go
 * @param lines the same for people, one a change
 */
record GroupDifference(PolicyChange policy, List<ClassChange> set, List<String> removed, List<Line> lines) {

    /**
     * A change.
     *
     * @param setting such as {@code priority} or {@code class marketing}
     * @param from how it is; empty where it is to be made
     * @param to how it is to be; empty where it is to go
     */
    record Line(String setting, String from, String to) {
        @Override
        public String toString() {
            if (from.isEmpty()) {
                return "+ " + setting + ": " + to;
            }
            return to.isEmpty() ? "- " + setting + ": " + from : "~ " + setting + ": " + from + " -> " + to;
        }
    }

    /** Between the two. */
    static GroupDifference of(GroupSettings now, GroupSettings wanted) {
        List<Line> lines = new ArrayList<>();
        PolicyChange is = now.policy();
        PolicyChange shall = wanted.policy();
        PolicyChange policy = new PolicyChange(
                changed(lines, "durability", is.durability(), shall.durability()),
                changed(lines, "max-lag-millis", is.maxLagMillis(), shall.maxLagMillis()),
                changed(lines, "max-lag-transactions", is.maxLagTransactions(), shall.maxLagTransactions()),
                changed(lines, "on-no-acknowledger", is.onNoAcknowledger(), shall.onNoAcknowledger()),
                changed(lines, "priority", is.priority(), shall.priority()));
        List<ClassChange> set = new ArrayList<>();
        List<String> removed = new ArrayList<>();
        if (wanted.classes() != null) {
            Map<String, ClassChange> before = byName(now.classes());
            Map<String, ClassChange> after = byName(wanted.classes());
            TreeSet<String> names = new TreeSet<>(before.keySet());
            names.addAll(after.keySet());
            for (String name : names) {
                ClassChange old = before.get(name);
                ClassChange wantedClass = after.get(name);
                if (Objects.equals(old, wantedClass)) {
                    continue;
                }
                lines.add(new Line("class " + name, words(old), words(wantedClass)));
                if (wantedClass == null) {
                    removed.add(name);
                } else {
                    set.add(wantedClass);
                }
            }
        }
        return new GroupDifference(policy, List.copyOf(set), List.copyOf(removed), List.copyOf(lines));
    }

    private static <T> @Nullable T changed(List<Line> lines, String setting, @Nullable T is, @Nullable T shall) {
        if (shall == null || shall.equals(is)) {
            return null;
        }
        lines.add(new Line(setting, String.valueOf(is), shall.toString()));
        return shall;
    }

    private static Map<String, ClassChange> byName(@Nullable List<ClassChange> classes) {
        TreeMap<String, ClassChange> byName = new TreeMap<>();
        if (classes != null) {
            classes.forEach(each -> byName.put(each.name(), each));
        }
        return byName;
    }

    private static String words(@Nullable ClassChange rule) {
        if (rule == null) {
            return "";
        }
        if (rule.pins().isEmpty()) {
            return "follows " + rule.follows();
        }
        return "pinned to " + String.join(", ", rule.pins())
                + (rule.fallBack().equals("none") ? "" : ", falls back to " + rule.fallBack());
    }
}
