package org.haarbiter.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.haarbiter.admin.EndpointsChange;
import org.haarbiter.settings.Section;
import org.haarbiter.settings.SettingsException;
import org.haarbiter.settings.SettingsReader;

/** A group of endpoints as a person writes it down. Every setting and its limits: docs/endpoints.md. */
final class EndpointFile {
    private static final int USUAL_TTL_SECONDS = 5;
    private static final int USUAL_INTERVAL_MILLIS = 2_000;
    private static final int USUAL_TIMEOUT_MILLIS = 1_000;
    private static final int USUAL_RISE = 2;
    private static final int USUAL_FALL = 3;
    private static final int MOST_INTERVAL_MILLIS = 3_600_000;
    private static final int MOST_COUNT = 100;
    private static final int MOST_WEIGHT = 1_000;
    private static final int MOST_ENDPOINTS = 64;
    private static final long MOST_CAPACITY = 1_000_000_000;

    private EndpointFile() {}

    private enum Mode {
        ALL,
        FIRST
    }

    private enum Kind {
        TCP,
        HTTP,
        HTTPS,
        TLS
    }

    private enum Certificate {
        ANY,
        TRUSTED
    }

    /**
     * Reads it.
     *
     * @throws SettingsException with every mistake
     */
    static EndpointsChange read(Path file) {
        return SettingsReader.file(file).read(EndpointFile::from);
    }

    private static EndpointsChange from(Section root) {
        TreeMap<String, EndpointsChange.Endpoint> endpoints = new TreeMap<>();
        for (Map.Entry<String, Section> each : root.sectionMap("endpoints").entrySet()) {
            endpoints.put(each.getKey(), endpoint(each.getValue()));
        }
        root.check(
                !endpoints.isEmpty() && endpoints.size() <= MOST_ENDPOINTS,
                "endpoints",
                endpoints.size(),
                "must be 1 to " + MOST_ENDPOINTS + ", by name, each with an address");
        return new EndpointsChange(
                root.intAt("ttl-seconds", USUAL_TTL_SECONDS, 0, 86_400),
                word(root.oneOf("mode", Mode.ALL)),
                root.intAt("min-healthy", 1, 0, MOST_ENDPOINTS),
                check(root.section("check")),
                loads(root),
                endpoints);
    }

    private static EndpointsChange.Endpoint endpoint(Section section) {
        return new EndpointsChange.Endpoint(
                section.string("address"),
                section.name("site", ""),
                section.intAt("weight", 1, 1, MOST_WEIGHT),
                section.intAt("order", 0, 0, MOST_WEIGHT),
                section.longAt("capacity", 0, 0, MOST_CAPACITY));
    }

    private static EndpointsChange.Check check(Section section) {
        Kind kind = section.oneOf("kind", Kind.class);
        boolean asks = kind == Kind.HTTP || kind == Kind.HTTPS;
        int interval = section.intAt("interval-millis", USUAL_INTERVAL_MILLIS, 200, MOST_INTERVAL_MILLIS);
        return new EndpointsChange.Check(
                word(kind),
                section.intAt("port", 1, 65_535),
                asks ? section.string("path", "/") : "",
                kind == Kind.TCP ? "" : optional(section, "host"),
                asks && section.has("expected-status") ? section.intAt("expected-status", 100, 599) : 0,
                asks ? optional(section, "expected-body") : "",
                (kind == Kind.TLS || kind == Kind.HTTPS)
                        && section.oneOf("certificate", Certificate.ANY) == Certificate.TRUSTED,
                interval,
                section.intAt("timeout-millis", Math.min(USUAL_TIMEOUT_MILLIS, interval), 50, interval),
                section.intAt("rise", USUAL_RISE, 1, MOST_COUNT),
                section.intAt("fall", USUAL_FALL, 1, MOST_COUNT));
    }

    private static TreeMap<String, Long> loads(Section root) {
        TreeMap<String, Long> loads = new TreeMap<>();
        if (root.has("load")) {
            loads.put("", root.longAt("load", 1, MOST_CAPACITY));
        }
        Section byRegion = root.section("loads");
        for (String region : root.stringMap("loads").keySet()) {
            loads.put(region, byRegion.longAt(region, 1, MOST_CAPACITY));
        }
        return loads;
    }

    private static String optional(Section section, String key) {
        return section.has(key) ? section.string(key) : "";
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
