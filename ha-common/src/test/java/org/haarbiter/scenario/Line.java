package org.haarbiter.scenario;

import java.util.List;
import java.util.Locale;

/** One input line of a transcript, split into words; every complaint names the file and the line. */
public record Line(String file, int number, List<String> words) {

    static Line of(String file, int number, String text) {
        return new Line(file, number, List.of(text.strip().split(" +")));
    }

    public String verb() {
        return words.get(0);
    }

    /** The words after the verb. */
    public List<String> arguments() {
        return words.subList(1, words.size());
    }

    public String argument(int position, String what) {
        if (position >= arguments().size()) {
            throw wrong("the " + what + " is missing");
        }
        return arguments().get(position);
    }

    public void atMost(int count) {
        if (arguments().size() > count) {
            throw wrong("'" + arguments().get(count) + "' isn't expected");
        }
    }

    public int millis(String text, String what) {
        return number(text, what + " in ms");
    }

    public int number(String text, String what) {
        try {
            int number = Integer.parseInt(text);
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    complaint("'" + text + "' isn't " + what + " (a whole number, 0 or more)"), e);
        }
        throw wrong("'" + text + "' isn't " + what + " (a whole number, 0 or more)");
    }

    public boolean yesOrNo(String text, String what) {
        return switch (text) {
            case "yes" -> true;
            case "no" -> false;
            default -> throw wrong(what + " is '" + text + "' (must be yes or no)");
        };
    }

    /** One of an enum's values, whose names a transcript writes in small letters. */
    public <E extends Enum<E>> E oneOf(Class<E> values, String text, String what) {
        List<E> known = List.of(values.getEnumConstants());
        for (E value : known) {
            if (value.name().toLowerCase(Locale.ROOT).equals(text)) {
                return value;
            }
        }
        throw wrong(what + " is '" + text + "' (must be one of " + known + ", in small letters)");
    }

    /** A word of this line that must be SETTING=VALUE: its setting, then its value. */
    public String[] pair(String word) {
        String[] parts = word.split("=", 2);
        if (parts.length != 2) {
            throw wrong("'" + word + "' must be SETTING=VALUE");
        }
        return parts;
    }

    public IllegalArgumentException wrong(String problem) {
        return new IllegalArgumentException(complaint(problem));
    }

    private String complaint(String problem) {
        return file + ":" + number + ": " + String.join(" ", words) + ": " + problem;
    }
}
