package org.haarbiter.settings;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * One settings file. {@link #read} hands its root {@link Section} to a function that builds the settings record, and
 * then reports all mistakes of the file at once. For one thread.
 *
 * <pre>{@code
 * AgentSettings settings = SettingsReader.file(path).read(root -> new AgentSettings(
 *         root.name("group"), root.endpoint("server"), Timing.read(root.section("timing"))));
 * }</pre>
 */
public final class SettingsReader {
    private record Mistake(int line, String key, String text) {}

    private final String label;
    private final @Nullable Path directory;
    private final List<Mistake> mistakes = new ArrayList<>();
    private final List<Section> sections = new ArrayList<>();
    private final Section root;

    private SettingsReader(String label, @Nullable Path directory, String yaml) {
        this.label = label;
        this.directory = directory;
        this.root = new Section(this, "", mapping(yaml), 1);
    }

    /**
     * Reads a file in UTF-8.
     *
     * @throws SettingsException where the file can't be read or isn't one YAML mapping
     */
    public static SettingsReader file(Path file) {
        return new SettingsReader(file.toString(), file.toAbsolutePath().getParent(), content(file));
    }

    /**
     * Reads a text.
     *
     * @param label stands in messages where a file's name would
     * @throws SettingsException where the text isn't one YAML mapping
     */
    public static SettingsReader text(String label, String yaml) {
        return new SettingsReader(label, null, yaml);
    }

    static String content(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new SettingsException(file + ": not found (must be a readable file)", e);
        } catch (CharacterCodingException e) {
            throw new SettingsException(file + ": not UTF-8 (must be a text file in UTF-8)", e);
        } catch (IOException e) {
            throw new SettingsException(file + ": can't be read (" + e + "); must be a readable file", e);
        }
    }

    private @Nullable MappingNode mapping(String yaml) {
        Optional<Node> node;
        try {
            node = new Compose(LoadSettings.builder().setLabel(label).build()).composeString(yaml);
        } catch (MarkedYamlEngineException e) {
            // Only the problem and its line: the library's own message quotes the text around it, perhaps a password.
            int line = e.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
            throw new SettingsException(label + ":" + line + ": " + e.getProblem() + " (must be valid YAML)", e);
        } catch (YamlEngineException e) {
            throw new SettingsException(label + ": " + e.getMessage() + " (must be valid YAML)", e);
        }
        if (node.isEmpty() || node.get().getTag().equals(Tag.NULL)) {
            return null;
        }
        if (node.get() instanceof MappingNode mapping) {
            return mapping;
        }
        throw new SettingsException(
                label + ":" + lineOf(node.get(), 1) + ": must be a mapping of KEY: VALUE lines", null);
    }

    /**
     * Builds the settings and checks that no mistake was made.
     *
     * @param builder asks for every key there may be; where a value is wrong or missing it is given some legal value, so
     *     that it can go on to the next
     * @throws SettingsException with every mistake, unknown and repeated keys among them
     */
    public <T> T read(Function<Section, T> builder) {
        T settings;
        try {
            settings = builder.apply(root);
        } catch (RuntimeException e) {
            // A stand-in for a wrong value may not please the record's constructor: the mistakes say more.
            if (mistakes.isEmpty()) {
                throw e;
            }
            throw exception(e);
        }
        finish();
        return settings;
    }

    /** The whole file, for those who don't build with {@link #read}; {@link #finish} must follow. */
    public Section root() {
        return root;
    }

    /** Throws a {@link SettingsException} with all mistakes, where there are any. */
    public void finish() {
        List.copyOf(sections).forEach(Section::reportUnknownKeys);
        if (!mistakes.isEmpty()) {
            throw exception(null);
        }
    }

    private SettingsException exception(@Nullable Throwable cause) {
        List<String> texts = mistakes.stream()
                .sorted(Comparator.comparingInt(Mistake::line))
                .map(mistake -> label + ":" + mistake.line() + ": " + mistake.key() + ": " + mistake.text())
                .distinct()
                .toList();
        return new SettingsException(texts, cause);
    }

    void add(Section section) {
        sections.add(section);
    }

    void mistake(int line, String key, String text) {
        mistakes.add(new Mistake(line, key, text));
    }

    boolean isWrong(String key) {
        return mistakes.stream().anyMatch(mistake -> mistake.key().equals(key));
    }

    /** A relative path counts from the directory of the settings file, so that moving the process changes nothing. */
    Path resolve(String path) {
        return directory == null ? Path.of(path) : directory.resolve(path).normalize();
    }

    static int lineOf(Node node, int otherwise) {
        Optional<Mark> mark = node.getStartMark();
        return mark.map(start -> start.getLine() + 1).orElse(otherwise);
    }
}
