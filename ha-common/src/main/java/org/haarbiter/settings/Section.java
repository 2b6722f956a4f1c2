package org.haarbiter.settings;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.haarbiter.words.Endpoint;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * One mapping of a settings file. A key that is asked for is known; any other is reported. A value that is wrong or
 * missing is noted, and some legal value is given in its stead; {@link SettingsReader#finish} then throws. Where a
 * method takes a fallback, it stands for an absent key and isn't checked. For one thread.
 */
public final class Section {
    /** Group, member and site names: they stand in file names, metrics and DNS records. */
    public static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    private static final String NAME_EXPECTED =
            "1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit";

    private static final String NO_UNDERSCORE = "must not contain '_': it becomes part of DNS names";

    private static final Pattern ANYTHING = Pattern.compile("(?s).+");

    private static final String ENDPOINT = "HOST:PORT, the port 1 to 65535, an IPv6 address as [ADDRESS]";

    private record Entry(Node value, int line) {}

    private final SettingsReader reader;
    private final String prefix;
    private final int line;
    private final boolean given;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Set<String> known = new LinkedHashSet<>();

    Section(SettingsReader reader, String prefix, @Nullable MappingNode node, int line) {
        this.reader = reader;
        this.prefix = prefix;
        this.line = line;
        this.given = node != null;
        reader.add(this);
        for (NodeTuple tuple : node == null ? List.<NodeTuple>of() : node.getValue()) {
            int keyLine = SettingsReader.lineOf(tuple.getKeyNode(), line);
            if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                reader.mistake(keyLine, prefix + "?", "the key is a list or a mapping (must be a word)");
                continue;
            }
            Entry earlier = entries.putIfAbsent(key.getValue(), new Entry(tuple.getValueNode(), keyLine));
            if (earlier != null) {
                mistakeAt(
                        keyLine,
                        key.getValue(),
                        "given twice (must be given once; it stands in line " + earlier.line + " too)");
            }
        }
    }

    /** Why a group can't be named so, as a sentence with the name; null where it can. */
    public static @Nullable String groupProblem(String name) {
        if (!NAME.matcher(name).matches()) {
            return "'" + name + "' (must be " + NAME_EXPECTED + ")";
        }
        // BIND refuses addresses at names with an underscore.
        return name.indexOf('_') < 0 ? null : "'" + name + "' (" + NO_UNDERSCORE + ")";
    }

    /** True where this section stands in the file, even if empty of known keys. */
    public boolean given() {
        return given;
    }

    /** True where the key stands in the file. It counts as known from now on. */
    public boolean has(String key) {
        known.add(key);
        return entries.containsKey(key);
    }

    /** A text that must be given and may be any but empty. */
    public String string(String key) {
        return string(key, ANYTHING, "a text");
    }

    /** A text that must be given and match as a whole. */
    public String string(String key, Pattern pattern, String expected) {
        return required(key, "?", expected, matching(pattern));
    }

    /** A text that may be left out, and may be any but empty where it is given. */
    public String string(String key, String fallback) {
        return string(key, fallback, ANYTHING, "a text");
    }

    /** A text that may be left out, and must match as a whole where it is given. */
    public String string(String key, String fallback, Pattern pattern, String expected) {
        return optional(key, fallback, expected, matching(pattern));
    }

    /** A group's, member's or site's name; see {@link #NAME}. */
    public String name(String key) {
        return string(key, NAME, NAME_EXPECTED);
    }

    /** The name of a group; see {@link #groupProblem}. */
    public String groupName(String key) {
        String name = name(key);
        check(name.indexOf('_') < 0, key, name, NO_UNDERSCORE);
        return name;
    }

    /** A name that may be left out. */
    public String name(String key, String fallback) {
        return string(key, fallback, NAME, NAME_EXPECTED);
    }

    /** A text that must be given and that no message quotes. */
    public String secret(String key) {
        Node node = find(key);
        if (node instanceof ScalarNode scalar && !scalar.getValue().isEmpty()) {
            return scalar.getValue();
        }
        mistake(key, node == null ? "missing (must be given)" : "(must be a text, not empty)");
        return "?";
    }

    /** A whole number that must be given, {@code min} to {@code max}. */
    public int intAt(String key, int min, int max) {
        return (int) longAt(key, min, max);
    }

    /** A whole number, {@code min} to {@code max}. */
    public int intAt(String key, int fallback, int min, int max) {
        return (int) longAt(key, fallback, min, max);
    }

    /** A whole number that must be given, {@code min} to {@code max}. */
    public long longAt(String key, long min, long max) {
        return required(key, min, range(min, max), number(min, max));
    }

    /** A whole number, {@code min} to {@code max}. */
    public long longAt(String key, long fallback, long min, long max) {
        return optional(key, fallback, range(min, max), number(min, max));
    }

    /** {@code true} or {@code false}. */
    public boolean flag(String key, boolean fallback) {
        return optional(key, fallback, "true or false", text -> switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> null;
        });
    }

    /** A constant that must be given, written in kebab-case. */
    public <E extends Enum<E>> E oneOf(String key, Class<E> type) {
        E[] constants = type.getEnumConstants();
        return required(key, constants[0], "one of " + words(constants), constant(constants));
    }

    /** A constant, written in kebab-case. */
    public <E extends Enum<E>> E oneOf(String key, E fallback) {
        E[] constants = fallback.getDeclaringClass().getEnumConstants();
        return optional(key, fallback, "one of " + words(constants), constant(constants));
    }

    /** {@code HOST:PORT} that must be given. */
    public Endpoint endpoint(String key) {
        return required(key, new Endpoint("unknown", 1), ENDPOINT, Section::toEndpoint);
    }

    /** {@code HOST:PORT}. */
    public Endpoint endpoint(String key, Endpoint fallback) {
        return optional(key, fallback, ENDPOINT, Section::toEndpoint);
    }

    /** A list of {@code HOST:PORT} without repetition, {@code min} to {@code max} long; empty where absent and min is 0. */
    public List<Endpoint> endpoints(String key, int min, int max) {
        return list(key, min, max, ENDPOINT, Section::toEndpoint);
    }

    /** A list of texts without repetition, {@code min} to {@code max} long; empty where absent and min is 0. */
    public List<String> strings(String key, int min, int max, Pattern pattern, String expected) {
        return list(key, min, max, expected, matching(pattern));
    }

    /** A path that must be given; a relative one counts from the directory of the settings file. */
    public Path path(String key) {
        return required(key, Path.of("?"), "a path of a file", this::toPath);
    }

    /** A path; a relative one counts from the directory of the settings file. The fallback is taken as it is. */
    public Path path(String key, Path fallback) {
        return optional(key, fallback, "a path of a file", this::toPath);
    }

    /** A mapping of texts, in the order of the file; empty where absent. */
    public Map<String, String> stringMap(String key) {
        Section section = section(key);
        Map<String, String> map = new LinkedHashMap<>();
        section.entries.keySet().forEach(name -> map.put(name, section.string(name)));
        return Collections.unmodifiableMap(map);
    }

    /** A nested mapping; without any key where absent, so that what must be given in it is reported as missing. */
    public Section section(String key) {
        Node node = find(key);
        return node == null ? new Section(reader, prefix + key + ".", null, line) : nested(key, node);
    }

    /** Nested mappings by name, in the order of the file; empty where absent. */
    public Map<String, Section> sectionMap(String key) {
        return sectionMap(key, name -> null);
    }

    /**
     * As above, of which each key must be a name.
     *
     * @param problem what is wrong with a name, such as {@code 'a b' (must be ...)}; null where nothing is
     */
    public Map<String, Section> sectionMap(String key, Function<String, @Nullable String> problem) {
        Section section = section(key);
        Map<String, Section> map = new LinkedHashMap<>();
        section.entries.keySet().forEach(name -> {
            String wrong = problem.apply(name);
            if (wrong != null) {
                section.mistake(name, wrong);
            }
            map.put(name, section.section(name));
        });
        return Collections.unmodifiableMap(map);
    }

    /** A list of mappings, in the order of the file; empty where absent. */
    public List<Section> sections(String key) {
        Node node = find(key);
        List<Section> list = new ArrayList<>();
        if (node instanceof SequenceNode sequence) {
            for (Node element : sequence.getValue()) {
                list.add(nested(key + "[" + list.size() + "]", element));
            }
        } else if (node != null) {
            mistake(key, shown(node) + "(must be a list of mappings)");
        }
        return List.copyOf(list);
    }

    /**
     * Notes a mistake unless the condition holds, for relations between values. Says nothing where the key has a
     * mistake already.
     *
     * @param value what the key is, given or by default
     * @param expected what it must be, such as {@code must be at least 3 x heartbeat-millis = 600}
     */
    public void check(boolean holds, String key, Object value, String expected) {
        if (!holds && !reader.isWrong(prefix + key)) {
            mistake(key, value + " (" + expected + ")");
        }
    }

    private Section nested(String key, Node node) {
        int nodeLine = SettingsReader.lineOf(node, lineOf(key));
        if (node instanceof MappingNode mapping) {
            return new Section(reader, prefix + key + ".", mapping, nodeLine);
        }
        if (!node.getTag().equals(Tag.NULL)) {
            mistakeAt(nodeLine, key, shown(node) + "(must be a mapping of KEY: VALUE lines)");
        }
        return new Section(reader, prefix + key + ".", null, nodeLine);
    }

    private <T> T required(String key, T standIn, String expected, Function<String, @Nullable T> parser) {
        Node node = find(key);
        if (node == null) {
            mistake(key, "missing (must be " + expected + ")");
            return standIn;
        }
        T value = parse(key, node, expected, parser);
        return value == null ? standIn : value;
    }

    private <T> T optional(String key, T fallback, String expected, Function<String, @Nullable T> parser) {
        Node node = find(key);
        T value = node == null ? null : parse(key, node, expected, parser);
        return value == null ? fallback : value;
    }

    private <T> List<T> list(String key, int min, int max, String expected, Function<String, @Nullable T> parser) {
        Node node = find(key);
        Set<T> values = new LinkedHashSet<>();
        String length = "a list of " + range(min, max) + " entries";
        if (node instanceof SequenceNode sequence) {
            for (Node element : sequence.getValue()) {
                T value = parse(key, element, expected, parser);
                if (value != null && !values.add(value)) {
                    mistakeAt(SettingsReader.lineOf(element, line), key, value + " (must stand in the list once)");
                }
            }
            check(
                    sequence.getValue().size() >= min && sequence.getValue().size() <= max,
                    key,
                    sequence.getValue().size() + " entries",
                    "must be " + length);
        } else if (node != null) {
            mistake(key, shown(node) + "(must be " + length + ", each " + expected + ")");
        } else if (min > 0) {
            mistake(key, "missing (must be " + length + ", each " + expected + ")");
        }
        return List.copyOf(values);
    }

    private <T> @Nullable T parse(String key, Node node, String expected, Function<String, @Nullable T> parser) {
        if (node instanceof ScalarNode scalar && !node.getTag().equals(Tag.NULL)) {
            T value = parser.apply(scalar.getValue());
            if (value != null) {
                return value;
            }
        }
        mistakeAt(SettingsReader.lineOf(node, lineOf(key)), key, shown(node) + "(must be " + expected + ")");
        return null;
    }

    private @Nullable Node find(String key) {
        known.add(key);
        Entry entry = entries.get(key);
        return entry == null ? null : entry.value;
    }

    private int lineOf(String key) {
        Entry entry = entries.get(key);
        return entry == null ? line : entry.line;
    }

    private void mistake(String key, String text) {
        mistakeAt(lineOf(key), key, text);
    }

    private void mistakeAt(int at, String key, String text) {
        reader.mistake(at, prefix + key, text);
    }

    void reportUnknownKeys() {
        entries.forEach((key, entry) -> {
            if (!known.contains(key)) {
                mistakeAt(entry.line, key, "unknown (" + suggestion(key) + ")");
            }
        });
    }

    private String suggestion(String key) {
        String nearest = null;
        int least = 1 + Math.max(2, key.length() / 3);
        for (String candidate : known) {
            int distance = distance(key, candidate);
            if (distance < least) {
                least = distance;
                nearest = candidate;
            }
        }
        return nearest != null ? "did you mean " + nearest + "?" : "known here: " + String.join(", ", known);
    }

    /** Levenshtein's: how many letters must be put in, taken out or changed. */
    private static int distance(String left, String right) {
        int[] row = new int[right.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= left.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.length(); j++) {
                int changed = diagonal + (left.charAt(i - 1) == right.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[right.length()];
    }

    private static String shown(Node node) {
        if (!(node instanceof ScalarNode scalar)) {
            return node instanceof SequenceNode ? "a list " : "a mapping ";
        }
        String text = scalar.getValue();
        return text.isEmpty() ? "empty " : (text.length() > 80 ? text.substring(0, 80) + "..." : text) + " ";
    }

    private static String range(long min, long max) {
        return max == Integer.MAX_VALUE || max == Long.MAX_VALUE ? min + " or more" : min + " to " + max;
    }

    private static Function<String, @Nullable Long> number(long min, long max) {
        return text -> {
            if (!text.matches("-?[0-9]{1,18}")) {
                return null;
            }
            long value = Long.parseLong(text);
            return value < min || value > max ? null : value;
        };
    }

    private static Function<String, @Nullable String> matching(Pattern pattern) {
        return text -> pattern.matcher(text).matches() ? text : null;
    }

    private static @Nullable Endpoint toEndpoint(String text) {
        try {
            return Endpoint.parse(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private @Nullable Path toPath(String text) {
        try {
            return reader.resolve(text);
        } catch (InvalidPathException e) {
            return null;
        }
    }

    private static <E extends Enum<E>> Function<String, @Nullable E> constant(E[] constants) {
        return text -> Arrays.stream(constants)
                .filter(constant -> kebab(constant).equals(text))
                .findFirst()
                .orElse(null);
    }

    private static <E extends Enum<E>> String words(E[] constants) {
        return Arrays.stream(constants).map(Section::kebab).collect(Collectors.joining(", "));
    }

    private static String kebab(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
