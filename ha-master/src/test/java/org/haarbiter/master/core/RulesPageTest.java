package org.haarbiter.master.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The page of rules is printed from the table; -Ddocs.rewrite=true writes it anew. */
class RulesPageTest {
    @Test
    void thePageSaysWhatTheTableSays() throws IOException {
        StringBuilder page = new StringBuilder("""
                # The rules

                The leader looks at every group with this table, in this order; the first rule that acts or holds ends the search.
                `hactl why GROUP --rules` shows what each says of a group now.

                | rule | what it does |
                | --- | --- |
                """);
        for (Rule rule : Rule.values()) {
            page.append("| `")
                    .append(rule)
                    .append("` | ")
                    .append(rule.sentence())
                    .append(" |\n");
        }
        Path file = Path.of("..", "docs", "rules.md");
        if (Boolean.getBoolean("docs.rewrite")) {
            Files.writeString(file, page);
        }
        assertThat(file).content().isEqualTo(page.toString());
    }
}
