package org.haarbiter.agent.engine.mysql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A result as text. Column names are compared without regard to case. */
final class Rows {
    private final List<String> columns = new ArrayList<>();
    private final List<List<@Nullable String>> rows = new ArrayList<>();

    void column(String name) {
        columns.add(name.toLowerCase(Locale.ROOT));
    }

    void row(List<@Nullable String> values) {
        rows.add(values);
    }

    int size() {
        return rows.size();
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    /** The value; empty where it is NULL or there is no such column. */
    String text(int row, String column) {
        int at = columns.indexOf(column.toLowerCase(Locale.ROOT));
        return at < 0 ? "" : text(row, at);
    }

    /** The value; empty where it is NULL. */
    String text(int row, int column) {
        String value = rows.get(row).get(column);
        return value == null ? "" : value;
    }

    /** The value beside the name in a result of two columns, such as SHOW STATUS gives; empty where it isn't there. */
    String named(String name) {
        for (int i = 0; i < rows.size(); i++) {
            if (text(i, 0).equalsIgnoreCase(name)) {
                return text(i, 1);
            }
        }
        return "";
    }

    /** As {@link #named}, as a number; {@code missing} where there is none. */
    long number(String name, long missing) {
        return parse(named(name), missing);
    }

    long number(int row, String column, long missing) {
        return parse(text(row, column), missing);
    }

    private static long parse(String text, long missing) {
        return text.matches("-?\\d{1,18}") ? Long.parseLong(text) : missing;
    }
}
