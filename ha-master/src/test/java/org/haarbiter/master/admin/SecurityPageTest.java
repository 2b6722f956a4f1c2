package org.haarbiter.master.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The page about security says which role each action needs; {@code -Ddocs.rewrite=true} writes that part anew. */
class SecurityPageTest {
    private static final Path PAGE = Path.of("..", "docs", "security.md");
    private static final String BEGIN = "<!-- from the program: roles of actions -->\n";
    private static final String END = "<!-- by hand -->\n";

    @Test
    void thePageSaysWhatEachActionNeeds() throws IOException {
        StringBuilder table = new StringBuilder("\n| action of the API | needs |\n| --- | --- |\n");
        AdminServer.roles()
                .forEach((action, role) -> table.append("| `")
                        .append(action)
                        .append("` | `")
                        .append(role.word())
                        .append("` |\n"));
        table.append("\n");
        String page = Files.readString(PAGE);
        int from = page.indexOf(BEGIN) + BEGIN.length();
        int to = page.indexOf(END, from);
        if (Boolean.getBoolean("docs.rewrite")) {
            Files.writeString(PAGE, page.substring(0, from) + table + page.substring(to));
        } else {
            assertThat(page.substring(from, to)).isEqualTo(table.toString());
        }
    }

    @Test
    void everyRoleIsOnThePage() throws IOException {
        String page = Files.readString(PAGE);
        for (Role role : Role.values()) {
            assertThat(page).contains("| `" + role.word() + "` | ");
        }
    }
}
