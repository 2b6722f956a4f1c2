package org.haarbiter.dns.zonefile;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.haarbiter.dns.zonefile.ZoneFileSettings.Format;
import org.junit.jupiter.api.Test;

class HostsFileTest extends NamesFileContract {

    @Override
    protected Format format() {
        return Format.HOSTS;
    }

    @Override
    protected String mark() {
        return "#";
    }

    @Override
    protected boolean knowsTtls() {
        return false;
    }

    @Override
    protected List<String> lookup(String name) {
        List<String> addresses = new ArrayList<>();
        for (String line : lines()) {
            String[] words = line.split("\t", -1);
            if (!line.startsWith("#") && words.length == 2 && words[1].equals(name + ".db.test")) {
                addresses.add(words[0].replaceFirst("^fd00(:0)+:", "fd00::"));
            }
        }
        return addresses;
    }

    @Override
    protected List<String> epochTexts(String epochName) {
        String beginning = "# epoch " + epochName + ".db.test ";
        return lines().stream()
                .filter(line -> line.startsWith(beginning))
                .map(line -> line.substring(beginning.length()))
                .toList();
    }

    @Test
    void theWholeBlock() {
        published(provider(), wanted(3, "10.0.0.1", "10.0.0.2", "10.0.0.3"));
        assertThat(lines())
                .containsExactly(
                        "# BEGIN HA Arbiter db.test. (written by the masters; changes by hand in here are lost)",
                        "# epoch " + epochName() + ".db.test 3",
                        "10.0.0.2\t" + ro() + ".db.test",
                        "10.0.0.3\t" + ro() + ".db.test",
                        "10.0.0.1\t" + rw() + ".db.test",
                        "# END HA Arbiter db.test.");
    }
}
