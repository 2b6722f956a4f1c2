package org.haarbiter.agent.scenario;

import java.util.List;

/** One input line of a transcript, split into words; every complaint names the file and the line. */
record Line(String file, int number, List<String> words) {

    static Line of(String file, int number, String text) {
        return new Line(file, number, List.of(text.strip().split(" +")));
    }

    String verb() {
        return words.get(0);
    }

    /** The words after the verb. */
    List<String> arguments() {
        return words.subList(1, words.size());
    }

    String argument(int position, String what) {
        if (position >= arguments().size()) {
            throw wrong("the " + what + " is missing");
        }
        return arguments().get(position);
    }

    void atMost(int count) {
        if (arguments().size() > count) {
            throw wrong("'" + arguments().get(count) + "' isn't expected");
        }
    }

    int millis(String text, String what) {
        return number(text, what + " in ms");
    }

    int number(String text, String what) {
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

    boolean yesOrNo(String text, String what) {
        return switch (text) {
            case "yes" -> true;
            case "no" -> false;
            default -> throw wrong(what + " is '" + text + "' (must be yes or no)");
        };
    }

    IllegalArgumentException wrong(String problem) {
        return new IllegalArgumentException(complaint(problem));
    }

    private String complaint(String problem) {
        return file + ":" + number + ": " + String.join(" ", words) + ": " + problem;
    }
}
