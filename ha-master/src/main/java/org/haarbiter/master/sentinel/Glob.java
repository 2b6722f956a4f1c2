package org.haarbiter.master.sentinel;

import java.util.regex.Pattern;

/** A channel pattern of PSUBSCRIBE: {@code *}, {@code ?}, {@code [abc]}, and {@code \} before a character that is meant. */
final class Glob {
    private final Pattern pattern;

    private Glob(Pattern pattern) {
        this.pattern = pattern;
    }

    static Glob of(String text) {
        StringBuilder regex = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            char next = text.charAt(at++);
            int close = next == '[' ? text.indexOf(']', at) : -1;
            if (next == '*') {
                regex.append(".*");
            } else if (next == '?') {
                regex.append('.');
            } else if (close > at) {
                String set = text.substring(at, close);
                boolean not = set.startsWith("^");
                regex.append(not ? "[^" : "[")
                        .append(set.substring(not ? 1 : 0)
                                .replace("\\", "\\\\")
                                .replace("[", "\\[")
                                .replace("&", "\\&"))
                        .append(']');
                at = close + 1;
            } else {
                char meant = next == '\\' && at < text.length() ? text.charAt(at++) : next;
                regex.append(Pattern.quote(String.valueOf(meant)));
            }
        }
        return new Glob(Pattern.compile(regex.toString(), Pattern.DOTALL));
    }

    boolean matches(String channel) {
        return pattern.matcher(channel).matches();
    }
}
