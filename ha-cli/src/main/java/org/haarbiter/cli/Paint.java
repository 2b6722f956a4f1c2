package org.haarbiter.cli;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import com.github.freva.asciitable.OverflowBehaviour;
import com.github.freva.asciitable.Styler;
import java.util.List;
import java.util.Locale;

/** How things look: tables without borders, colours only where they are wanted. */
record Paint(boolean colored) {
    private static final String RED = "31";
    private static final String GREEN = "32";
    private static final String YELLOW = "33";
    private static final int WIDEST_CELL = 400;

    /** A state in the colour that goes with it. */
    String state(String word) {
        return switch (word.strip()) {
            case "ok", "running", "leader", "served", "matches", "completed", "acts" -> paint(GREEN, word);
            case "down", "dead", "hung", "unreachable", "silent", "NOT" -> paint(RED, word);
            case "degraded",
                    "switching",
                    "not-adopted",
                    "paused",
                    "pending",
                    "unknown",
                    "refusing",
                    "starting",
                    "differs",
                    "abandoned",
                    "superseded",
                    "under-way",
                    "holds",
                    "away" -> paint(YELLOW, word);
            default -> word;
        };
    }

    String problem(String sentence) {
        return paint(YELLOW, sentence);
    }

    String bold(String text) {
        return paint("1", text);
    }

    private String paint(String code, String text) {
        return colored && !text.isBlank() ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }

    /** The padding stays uncoloured: it is what lines are trimmed by. */
    private String cell(String padded) {
        String word = padded.strip();
        return word.isEmpty() ? padded : padded.replace(word, state(word));
    }

    /** Columns as wide as they need be, never cut: a name that can't be copied from a table is worth nothing. */
    String table(List<String> headers, List<List<String>> rows) {
        Column[] columns = headers.stream()
                .map(header -> new Column()
                        .header(header)
                        .headerAlign(HorizontalAlign.LEFT)
                        .dataAlign(HorizontalAlign.LEFT)
                        .maxWidth(WIDEST_CELL, OverflowBehaviour.NEWLINE))
                .toArray(Column[]::new);
        Object[][] data = rows.stream().map(List::toArray).toArray(Object[][]::new);
        String text = AsciiTable.builder()
                .border(AsciiTable.NO_BORDERS)
                .styler(new Styler() {
                    @Override
                    public List<String> styleCell(Column column, int row, int col, List<String> lines) {
                        return lines.stream().map(Paint.this::cell).toList();
                    }
                })
                .data(columns, data)
                .asString();
        StringBuilder trimmed = new StringBuilder();
        text.lines()
                .filter(line -> !line.isBlank())
                .forEach(line -> trimmed.append((line.startsWith(" ") ? line.substring(1) : line).stripTrailing())
                        .append('\n'));
        return trimmed.toString();
    }

    /** 850 ms, 4.2 s, 3 min, 5 h; a dash where it isn't known. */
    static String duration(long millis) {
        if (millis < 0) {
            return "-";
        }
        if (millis < 1_000) {
            return millis + " ms";
        }
        if (millis < 120_000) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1_000.0);
        }
        return millis < 7_200_000 ? millis / 60_000 + " min" : millis / 3_600_000 + " h";
    }

    static String orDash(String text) {
        return text.isEmpty() ? "-" : text;
    }
}
