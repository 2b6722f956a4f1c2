package org.haarbiter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Groups as files. */
class GroupApplyTest {
    private static final String REASON = "--reason=as it was agreed";

    @TempDir
    private Path directory;

    private ArbiterOfOne arbiter;

    @BeforeEach
    void start() throws IOException {
        arbiter = ArbiterOfOne.withOrders();
        arbiter.addGroup("items", 2);
        arbiter.settle();
    }

    @AfterEach
    void stop() {
        arbiter.close();
    }

    private Result hactl(String... arguments) {
        return Result.of(directory, Map.of("HA_MASTERS", arbiter.address()), "", false, arguments);
    }

    private String file(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content).toString();
    }

    @Test
    void groupsBecomeWhatAFileSaysAndNothingElse() throws IOException {
        String file = file("groups.yaml", """
                defaults: {priority: 3}
                groups:
                  orders:
                    durability: bounded
                    max-lag-millis: 5000
                    priority: 1
                    classes:
                      reports: {follow: replicas}
                      marketing: {pin: [db-3], fall-back: any}
                  items:
                """);

        Result dry = hactl("group", "apply", "-f", file, "--dry-run");

        assertThat(dry.code()).as(dry.err()).isZero();
        assertThat(dry.out()).isEqualTo("""
                Group items
                  ~ priority: 5 -> 3
                Group orders
                  ~ durability: lossless -> bounded
                  ~ max-lag-millis: 0 -> 5000
                  ~ priority: 5 -> 1
                  + class marketing: pinned to db-3, falls back to any
                  + class reports: follows replicas
                2 group(s): 2 would change, 0 were so already; nothing was changed
                """);
        assertThat(hactl("group", "show", "orders").out()).contains("lossless");

        Result applied = hactl("group", "apply", "--file", file, REASON);

        assertThat(applied.code()).as(applied.err()).isZero();
        assertThat(applied.out()).endsWith("2 group(s): 2 changed, 0 were so already\n");
        JsonNode settings =
                hactl("group", "show", "orders", "-o", "json").json().path("settings");
        assertThat(settings.at("/policy/durability").asText()).isEqualTo("bounded");
        assertThat(settings.at("/policy/priority").asInt()).isEqualTo(1);
        assertThat(settings.at("/classes/0/pins/0").asText()).isEqualTo("db-3");
        assertThat(hactl("log", "orders").out()).contains("as it was agreed");
        assertThat(hactl("group", "apply", "-f", file, REASON).out())
                .isEqualTo("2 group(s): 0 changed, 2 were so already\n");
    }

    @Test
    void theSampleCanBeRead() {
        assertThat(GroupFile.read(List.of(Path.of("..", "conf", "groups.yaml"))))
                .hasSize(3);
    }

    @Test
    void classesThatAFileNoLongerNamesGo() throws IOException {
        hactl("class", "set", "orders", "old", "--follow", "replicas", REASON);
        String silent = file("silent.yaml", "groups: {orders: {priority: 5}}");
        String none = file("none.yaml", "groups: {orders: {classes: {new: {follow: primary}}}}");

        assertThat(hactl("group", "apply", "-f", silent, REASON).out()).contains("0 changed");
        assertThat(hactl("group", "apply", "-f", none, REASON).out())
                .contains("+ class new: follows primary", "- class old: follows replicas", "1 changed");
        assertThat(hactl("group", "show", "orders", "-o", "json").json().at("/settings/classes"))
                .hasSize(1);
    }

    @Test
    void everyMistakeOfEveryFileIsNamedAndNothingIsChanged() throws IOException {
        Path files = Files.createDirectory(directory.resolve("groups"));
        Files.writeString(files.resolve("a.yaml"), """
                groups:
                  orders: {durability: safe, prioriti: 1}
                  items:
                    priority: 10
                    classes:
                      m: {follow: replicas, pin: [db-1]}
                      n: {follow: primary, fall-back: any}
                """);
        Files.writeString(files.resolve("b.yaml"), """
                groups:
                  users: {priority: 1}
                  accounts_: {durability: bounded, max-lag-millis: 0, max-lag-transactions: 0}
                """);

        Result result = hactl("group", "apply", "-f", files.toString(), REASON);

        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err())
                .contains("a.yaml:2: groups.orders.durability: safe (must be one of lossless, bounded, available)")
                .contains("a.yaml:2: groups.orders.prioriti: unknown (did you mean priority?)")
                .contains("a.yaml:4: groups.items.priority: 10 (must be 1 to 9)")
                .contains("a.yaml:6: groups.items.classes.m.follow: replicas (must not stand beside pin: one of both)")
                .contains("a.yaml:7: groups.items.classes.n.fall-back: any (only with pin")
                .contains("b.yaml:3: groups.accounts_: 'accounts_' (must not contain '_'")
                .contains("b.yaml:3: groups.accounts_.durability: bounded (needs max-lag-millis");
        assertThat(hactl("log").out()).doesNotContain("policy-changed");
    }

    @Test
    void aGroupThatIsNotThereKeepsAllFromChanging() throws IOException {
        String file = file("groups.yaml", "groups: {orders: {priority: 1}, users: {priority: 2}}");
        String again = file("again.yaml", "groups: {orders: {priority: 2}}");

        Result result = hactl("group", "apply", "-f", file, REASON);

        assertThat(result.code()).isEqualTo(5);
        assertThat(result.err()).contains("users").contains("nothing was changed");
        assertThat(hactl("log").out()).doesNotContain("policy-changed");
        assertThat(hactl("group", "apply", "-f", file, "-f", again, REASON).err())
                .contains("groups.orders: it stands in " + file + " too");
        assertThat(hactl("group", "apply", "-f", file).err()).contains("--reason: missing");
        assertThat(hactl("group", "apply", "-f", directory.resolve("none.yaml").toString(), REASON)
                        .err())
                .contains("none.yaml: not found");
        Path empty = Files.createDirectory(directory.resolve("empty"));
        assertThat(hactl("group", "apply", "-f", empty.toString(), REASON).err())
                .contains("no file in it ends with .yaml");
    }

    @Test
    void aRefusalIsToldAndTheOtherGroupsAreChanged() throws IOException {
        String file = file("groups.yaml", """
                groups:
                  items: {durability: bounded, max-lag-millis: 100}
                  orders: {priority: 1}
                """);

        Result result = hactl("group", "apply", "-f", file, REASON);

        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out())
                .contains("  ! refused: max-lag-millis is 100 (must be at least")
                .contains("2 group(s): 1 changed, 0 were so already, 1 refused");
        assertThat(hactl("group", "apply", "-f", file, "--dry-run", "-o", "json")
                        .json()
                        .at("/groups/1/changes"))
                .isEmpty();
    }

    private Result edit(String editor) {
        return Result.of(
                directory,
                Map.of("HA_MASTERS", arbiter.address(), "EDITOR", editor),
                "",
                false,
                "group",
                "edit",
                "orders",
                REASON);
    }

    @Test
    void aGroupBecomesWhatWasSavedInAnEditor() throws IOException {
        hactl("class", "set", "orders", "marketing", "--pin", "db-3", "--fall-back", "any", REASON);

        Result same = edit("true");
        assertThat(same.code()).as(same.err()).isZero();
        assertThat(same.out()).isEqualTo("1 group(s): 0 changed, 1 were so already\n");

        Result changed = edit("sed -i -e 's/priority: 5/priority: 2/' -e 's/fall-back: any/fall-back: none/'");
        assertThat(changed.code()).as(changed.err()).isZero();
        assertThat(changed.out())
                .contains(
                        "~ priority: 5 -> 2",
                        "~ class marketing: pinned to db-3, falls back to any -> pinned to db-3",
                        "1 changed");

        assertThat(edit("false").err()).contains("the editor 'false' ended with 1; nothing was changed");
        Result wrong = edit("sed -i 's/priority: 2/priority: 20/'");
        assertThat(wrong.code()).isEqualTo(2);
        assertThat(wrong.err()).contains("priority: 20 (must be 1 to 9)").contains("nothing was changed");
        assertThat(kept(wrong)).contains("priority: 20");
        Result other = edit("sed -i 's/orders:/items:/'");
        assertThat(other.err()).contains("groups: items (must be orders)");
        assertThat(kept(other)).contains("items:");
    }

    /** What was saved, as the file has it of which hactl speaks; it goes. */
    private static String kept(Result result) throws IOException {
        Matcher file = Pattern.compile("kept for hactl group apply -f (\\S+)").matcher(result.err());
        assertThat(file.find()).as(result.err()).isTrue();
        Path path = Path.of(file.group(1));
        String content = Files.readString(path);
        Files.delete(path);
        return content;
    }
}
