package org.haarbiter.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The page of metrics, whose tables are printed from the code; {@code -Ddocs.rewrite=true} writes them anew. */
public final class MetricsPage {
    private static final Path PAGE = Path.of("..", "docs", "metrics.md");
    private static final Path RULES = Path.of("..", "conf", "prometheus", "rules.yml");
    private static final Pattern NAME = Pattern.compile("\\bha_[a-z_]+");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(ha_[a-z_]+)` \\| ([a-z]+)");

    /**
     * A metric.
     *
     * @param name as Prometheus knows it
     * @param type such as gauge
     * @param help the sentence that is exported with it
     */
    public record Row(String name, String type, List<String> labels, String help) {}

    private MetricsPage() {}

    /** The row of a family: counters' names end with {@code _total}. */
    public static Row row(String family, Enum<?> type, String help, Object labelled) {
        String kind = type.name().toLowerCase(Locale.ROOT);
        return new Row(kind.equals("counter") ? family + "_total" : family, kind, labels(labelled), help);
    }

    /** The library keeps the names of the labels to itself, and a family without a series shows none. */
    private static List<String> labels(Object labelled) {
        for (Class<?> type = labelled.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (field.getName().equals("labelNames")) {
                    return strings(field, labelled);
                }
            }
        }
        return List.of();
    }

    private static List<String> strings(Field field, Object labelled) {
        try {
            field.setAccessible(true);
            List<String> names = new ArrayList<>();
            ((List<?>) field.get(labelled)).forEach(name -> names.add(String.valueOf(name)));
            return names;
        } catch (IllegalAccessException e) {
            throw new AssertionError(labelled + " keeps its labels from us", e);
        }
    }

    /** Fails where the first table under the heading isn't that of these metrics, by name. */
    public static void check(String heading, List<Row> rows) throws IOException {
        TreeMap<String, Row> sorted = new TreeMap<>();
        rows.forEach(row -> sorted.put(row.name(), row));
        TreeMap<String, List<String>> alerts = alerts();
        StringBuilder table =
                new StringBuilder("| metric | type | labels | meaning | alerts |\n| --- | --- | --- | --- | --- |\n");
        for (Row row : sorted.values()) {
            table.append("| `")
                    .append(row.name())
                    .append("` | ")
                    .append(row.type())
                    .append(" | ");
            table.append(quoted(row.labels())).append(" | ").append(row.help()).append(" | ");
            table.append(quoted(alerts.getOrDefault(row.name(), List.of()))).append(" |\n");
        }
        String page = Files.readString(PAGE);
        int start = page.indexOf("| metric |", page.indexOf(heading + "\n"));
        assertThat(start).as("a table under '%s' of %s", heading, PAGE).isPositive();
        int end = page.indexOf("\n\n", start);
        String expected = page.substring(0, start) + table + (end < 0 ? "" : page.substring(end + 1));
        if (Boolean.getBoolean("docs.rewrite")) {
            Files.writeString(PAGE, expected);
        }
        assertThat(PAGE).content().isEqualTo(expected);
    }

    private static String quoted(List<String> names) {
        return names.stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
    }

    /** The alerts that look at each metric. */
    private static TreeMap<String, List<String>> alerts() throws IOException {
        TreeMap<String, List<String>> alerts = new TreeMap<>();
        String alert = "";
        for (String line : Files.readAllLines(RULES)) {
            if (line.contains("- alert: ")) {
                alert = line.substring(line.indexOf(": ") + 2);
            } else if (line.contains("expr: ")) {
                for (String name : names(line)) {
                    alerts.computeIfAbsent(name, n -> new ArrayList<>()).add(alert);
                }
            }
        }
        return alerts;
    }

    /** The metrics that a text names, without what a histogram's series are called besides. */
    public static TreeSet<String> names(String text) {
        TreeSet<String> names = new TreeSet<>();
        Matcher matcher = NAME.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group().replaceFirst("_(bucket|sum|count)$", ""));
        }
        return names;
    }

    /** The metrics on the page. */
    public static TreeSet<String> listed() throws IOException {
        TreeSet<String> listed = new TreeSet<>();
        Matcher matcher = ROW.matcher(Files.readString(PAGE));
        while (matcher.find()) {
            listed.add(matcher.group(1));
        }
        return listed;
    }
}
