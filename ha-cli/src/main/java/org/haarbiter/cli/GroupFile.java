package org.haarbiter.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.haarbiter.admin.ClassChange;
import org.haarbiter.admin.GroupSettings;
import org.haarbiter.admin.PolicyChange;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;
import org.jspecify.annotations.Nullable;

/** Groups as people write them down, with what is usual for all of a file. Every key and its limits: docs/hactl.md. */
final class GroupFile {
    private static final int LEAST_PRIORITY = 9;
    private static final String MEMBER = "a member's name";

    private GroupFile() {}

    private enum Durability {
        LOSSLESS,
        BOUNDED,
        AVAILABLE
    }

    private enum OnNoAcknowledger {
        WAIT,
        DEGRADE
    }

    private enum Follow {
        PRIMARY,
        REPLICAS
    }

    private enum FallBack {
        NONE,
        REPLICAS,
        ANY
    }

    /**
     * Reads files that make one whole.
     *
     * @return by name of the group
     * @throws SettingsException with every mistake of every file; a group that stands in two of them is one
     */
    static SortedMap<String, GroupSettings> read(List<Path> files) {
        TreeMap<String, GroupSettings> groups = new TreeMap<>();
        TreeMap<String, Path> origins = new TreeMap<>();
        List<String> mistakes = new ArrayList<>();
        for (Path file : files) {
            try {
                SettingsReader.file(file).read(GroupFile::from).forEach((name, settings) -> {
                    Path other = origins.putIfAbsent(name, file);
                    if (other == null) {
                        groups.put(name, settings);
                    } else {
                        mistakes.add(file + ": groups." + name + ": it stands in " + other
                                + " too (must stand in one file, once)");
                    }
                });
            } catch (SettingsException e) {
                mistakes.addAll(e.mistakes());
            }
        }
        if (!mistakes.isEmpty()) {
            throw new SettingsException(mistakes, null);
        }
        return groups;
    }

    /** A group as it is, as a file that {@link #read} takes. */
    static String text(String name, GroupSettings settings) {
        Map<String, Object> group = new LinkedHashMap<>();
        PolicyChange policy = settings.policy();
        put(group, "durability", policy.durability());
        put(group, "max-lag-millis", policy.maxLagMillis());
        put(group, "max-lag-transactions", policy.maxLagTransactions());
        put(group, "on-no-acknowledger", policy.onNoAcknowledger());
        put(group, "priority", policy.priority());
        Map<String, Object> classes = new LinkedHashMap<>();
        for (ClassChange each : settings.classes() == null ? List.<ClassChange>of() : settings.classes()) {
            classes.put(
                    each.name(),
                    each.pins().isEmpty()
                            ? Map.of("follow", each.follows())
                            : new TreeMap<>(Map.of("pin", each.pins(), "fall-back", each.fallBack())));
        }
        group.put("classes", classes);
        return YamlText.of(Map.of("groups", Map.of(name, group)));
    }

    private static void put(Map<String, Object> group, String key, @Nullable Object value) {
        if (value != null) {
            group.put(key, value);
        }
    }

    private static SortedMap<String, GroupSettings> from(Section root) {
        PolicyChange usual = policy(root.section("defaults"), PolicyChange.NONE);
        TreeMap<String, GroupSettings> groups = new TreeMap<>();
        for (Map.Entry<String, Section> each :
                root.sectionMap("groups", Section::groupProblem).entrySet()) {
            groups.put(each.getKey(), group(each.getValue(), usual));
        }
        root.check(!groups.isEmpty(), "groups", "none", "must be one or more groups, by name");
        return groups;
    }

    private static GroupSettings group(Section section, PolicyChange usual) {
        PolicyChange policy = policy(section, usual);
        section.check(
                !"bounded".equals(policy.durability()) || limited(policy),
                "durability",
                "bounded",
                "needs max-lag-millis, max-lag-transactions or both, greater than 0");
        return new GroupSettings(policy, section.has("classes") ? classes(section) : null);
    }

    /** Where a limit isn't given it stays, and may be there. */
    private static boolean limited(PolicyChange policy) {
        Long millis = policy.maxLagMillis();
        Long transactions = policy.maxLagTransactions();
        return millis == null || transactions == null || millis > 0 || transactions > 0;
    }

    private static PolicyChange policy(Section section, PolicyChange usual) {
        return new PolicyChange(
                section.has("durability") ? word(section.oneOf("durability", Durability.class)) : usual.durability(),
                number(section, "max-lag-millis", usual.maxLagMillis()),
                number(section, "max-lag-transactions", usual.maxLagTransactions()),
                section.has("on-no-acknowledger")
                        ? word(section.oneOf("on-no-acknowledger", OnNoAcknowledger.class))
                        : usual.onNoAcknowledger(),
                section.has("priority")
                        ? Long.valueOf(section.longAt("priority", 1, LEAST_PRIORITY))
                        : usual.priority());
    }

    private static @Nullable Long number(Section section, String key, @Nullable Long usual) {
        return section.has(key) ? Long.valueOf(section.longAt(key, 0, Long.MAX_VALUE)) : usual;
    }

    private static List<ClassChange> classes(Section section) {
        TreeMap<String, ClassChange> classes = new TreeMap<>();
        for (Map.Entry<String, Section> each : section.sectionMap("classes").entrySet()) {
            classes.put(each.getKey(), trafficClass(each.getKey(), each.getValue()));
        }
        return List.copyOf(classes.values());
    }

    private static ClassChange trafficClass(String name, Section section) {
        boolean pins = section.has("pin");
        if (!pins) {
            section.check(
                    !section.has("fall-back"),
                    "fall-back",
                    section.string("fall-back", ""),
                    "only with pin: what else could it fall back from?");
            return new ClassChange(name, word(section.oneOf("follow", Follow.class)), List.of(), word(FallBack.NONE));
        }
        section.check(
                !section.has("follow"),
                "follow",
                section.string("follow", ""),
                "must not stand beside pin: one of both");
        return new ClassChange(
                name,
                "members",
                section.strings("pin", 1, 64, Section.NAME, MEMBER).stream()
                        .sorted()
                        .toList(),
                word(section.oneOf("fall-back", FallBack.NONE)));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
