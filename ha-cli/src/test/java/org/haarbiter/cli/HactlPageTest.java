package org.haarbiter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.Writer;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.haarbiter.admin.CommandResult;
import org.haarbiter.admin.EndpointGroupView;
import org.haarbiter.admin.EndpointsView;
import org.haarbiter.admin.GroupView;
import org.haarbiter.admin.LogView;
import org.haarbiter.admin.MastersView;
import org.haarbiter.admin.StatusView;
import org.haarbiter.admin.WhyView;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The marked parts of the page of commands are printed from the commands themselves; -Ddocs.rewrite=true writes them anew. What
 * stands between them is written by hand.
 */
class HactlPageTest {
    private static final Path PAGE = Path.of("..", "docs", "hactl.md");
    private static final Pattern PART =
            Pattern.compile("(<!-- from the program: ([a-z -]+) -->\n)(.*?)(<!-- by hand -->\n)", Pattern.DOTALL);

    @Test
    void thePageSaysWhatTheCommandsAre() throws IOException {
        CommandSpec root = root();
        Map<String, String> parts = parts(root);
        if (Boolean.getBoolean("docs.rewrite")) {
            String written = PART.matcher(Files.readString(PAGE))
                    .replaceAll(part -> Matcher.quoteReplacement(
                            part.group(1) + parts.getOrDefault(part.group(2), part.group(3)) + part.group(4)));
            Files.writeString(PAGE, written);
        }
        Map<String, String> found = new LinkedHashMap<>();
        for (MatchResult part : PART.matcher(Files.readString(PAGE)).results().toList()) {
            assertThat(found).as("parts that the page has twice").doesNotContainKey(part.group(2));
            found.put(part.group(2), part.group(3));
        }
        assertThat(found.keySet()).containsExactlyElementsOf(parts.keySet());
        parts.forEach((name, text) -> assertThat(found.get(name))
                .as("part '%s' of docs/hactl.md (-Ddocs.rewrite=true writes it anew)", name)
                .isEqualTo(text));
    }

    @Test
    void everyCommandHasAnExample() throws IOException {
        String page = Files.readString(PAGE);
        for (String command : commands(root()).keySet()) {
            int section = page.indexOf("## hactl " + command + "\n");
            assertThat(section).as("section of hactl %s", command).isNotNegative();
            int end = page.indexOf("\n## ", section + 1);
            assertThat(page.substring(section, end < 0 ? page.length() : end))
                    .as("section of hactl %s", command)
                    .containsPattern("(?m)^ {4}\\$ .*hactl (-o json )?" + command);
        }
    }

    private static CommandSpec root() {
        Surroundings nothing = new Surroundings(
                Map.of(),
                List.of(),
                "nobody@nowhere",
                false,
                new BufferedReader(Reader.nullReader()),
                new PrintWriter(Writer.nullWriter()),
                new PrintWriter(Writer.nullWriter()));
        return new CommandLine(new Hactl(nothing)).getCommandSpec();
    }

    /** Those that can be run, by their words, in the order of the help. */
    private static Map<String, CommandSpec> commands(CommandSpec root) {
        Map<String, CommandSpec> commands = new LinkedHashMap<>();
        collect(root, "", commands);
        return commands;
    }

    private static void collect(CommandSpec spec, String words, Map<String, CommandSpec> to) {
        if (spec.subcommands().isEmpty() || spec.userObject() instanceof ArbiterCommand) {
            to.put(words, spec);
        }
        spec.subcommands()
                .forEach((name, command) ->
                        collect(command.getCommandSpec(), words.isEmpty() ? name : words + " " + name, to));
    }

    private static Map<String, String> parts(CommandSpec root) {
        Map<String, String> parts = new LinkedHashMap<>();
        StringBuilder common = new StringBuilder(head("option of every command"));
        root.options().forEach(option -> common.append(row(option)));
        parts.put("common options", common.toString());
        StringBuilder codes = new StringBuilder(head("exit code"));
        root.usageMessage()
                .exitCodeList()
                .forEach((code, meaning) -> codes.append("| ")
                        .append(code)
                        .append(" | ")
                        .append(meaning)
                        .append(" |\n"));
        parts.put("exit codes", codes.toString());
        parts.put("json", json());
        commands(root).forEach((words, spec) -> parts.put(words, command(spec)));
        return parts;
    }

    private static String head(String first) {
        return "\n| " + first + " | meaning |\n| --- | --- |\n";
    }

    private static String command(CommandSpec spec) {
        StringBuilder text = new StringBuilder("\n");
        text.append(String.join(" ", spec.usageMessage().description())).append('\n');
        // Options that every command has stand once, above.
        List<OptionSpec> own = spec.options().stream()
                .filter(o -> !o.inherited() && !isStandard(o))
                .toList();
        if (!own.isEmpty() || !spec.positionalParameters().isEmpty()) {
            text.append(head("argument"));
            for (PositionalParamSpec parameter : spec.positionalParameters()) {
                text.append("| `")
                        .append(parameter.paramLabel())
                        .append(parameter.required() || parameter.group() != null ? "` | " : "` (may be left out) | ")
                        .append(meaning(parameter))
                        .append(" |\n");
            }
            own.forEach(option -> text.append(row(option)));
        }
        return text.toString();
    }

    private static boolean isStandard(OptionSpec option) {
        return option.usageHelp() || option.versionHelp();
    }

    private static String row(OptionSpec option) {
        String value = option.arity().max() == 0 ? "" : " " + option.paramLabel();
        String negated = option.negatable() ? ", `--no-" + option.longestName().substring(2) + "`" : "";
        return "| "
                + Arrays.stream(option.names())
                        .map(name -> "`" + name + value + "`")
                        .collect(Collectors.joining(", "))
                + negated
                + (option.required() && option.group() == null ? " (required)" : "")
                + " | " + meaning(option) + " |\n";
    }

    private static String meaning(ArgSpec argument) {
        String text = String.join(" ", argument.description());
        String alternative =
                argument.group() != null && argument.group().multiplicity().equals(CommandLine.Range.valueOf("1"))
                        ? " Exactly one of "
                                + argument.group().args().stream()
                                        .map(a -> a instanceof OptionSpec o ? o.longestName() : a.paramLabel())
                                        .map(name -> "`" + name + "`")
                                        .collect(Collectors.joining(" and "))
                                + " is given."
                        : "";
        return (text + alternative).replace("|", "\\|");
    }

    private static String json() {
        Map<String, Class<? extends Record>> answers = new LinkedHashMap<>();
        answers.put("hactl -o json status", StatusView.class);
        answers.put("hactl -o json group list", StatusView.class);
        answers.put("hactl -o json group show GROUP", GroupView.class);
        answers.put("hactl -o json why GROUP", WhyView.class);
        answers.put("hactl -o json endpoint list", EndpointsView.class);
        answers.put("hactl -o json endpoint show NAME", EndpointGroupView.class);
        answers.put("hactl -o json log GROUP", LogView.class);
        answers.put("hactl -o json master list", MastersView.class);
        answers.put("hactl -o json import sentinel HOST:PORT", SentinelImport.class);
        answers.put("an accepted or refused act", CommandResult.class);
        StringBuilder text = new StringBuilder("\n| command | members of the answer |\n| --- | --- |\n");
        answers.forEach(
                (command, type) -> text.append(command.startsWith("hactl") ? "| `" + command + "`" : "| " + command)
                        .append(" | ")
                        .append(Arrays.stream(type.getRecordComponents())
                                .map(RecordComponent::getName)
                                .map(name -> "`" + name + "`")
                                .collect(Collectors.joining(", ")))
                        .append(" |\n"));
        return text.toString();
    }
}
