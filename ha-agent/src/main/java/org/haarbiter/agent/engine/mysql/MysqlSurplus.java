package org.haarbiter.agent.engine.mysql;

import java.util.List;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.PositionKind;
import org.jspecify.annotations.Nullable;

/** A set of GTIDs in MySQL's binary logs, as {@code mysqlbinlog} prints them. */
record MysqlSurplus(GtidSet gtids) implements SurplusFile.Contents {
    private static final String BEGINNING = "SET @@SESSION.GTID_NEXT= '";
    private static final String END = BEGINNING + "AUTOMATIC'";

    @Override
    public String program() {
        return "mysqlbinlog";
    }

    @Override
    public List<String> options() {
        return List.of("--no-defaults", "-vv", "--include-gtids=" + gtids);
    }

    @Override
    public String key() {
        return gtids.toString();
    }

    @Override
    public @Nullable String before(List<String> lines) {
        StringBuilder set = null;
        for (String line : lines) {
            if (line.contains("Previous-GTIDs")) {
                set = new StringBuilder();
            } else if (set != null) {
                if (!line.startsWith("# ") || line.startsWith("# at ")) {
                    break;
                }
                set.append(line.contains("[empty]") ? "" : line.substring(2));
            }
        }
        return set == null ? null : set.toString();
    }

    @Override
    public boolean noneIn(String before) {
        return gtids.minus(PositionKind.MYSQL_GTID.parse(before)).equals(gtids);
    }

    @Override
    public @Nullable String gtid(String line) {
        return line.startsWith(BEGINNING) && !line.startsWith(END)
                ? line.substring(BEGINNING.length(), line.indexOf('\'', BEGINNING.length()))
                : null;
    }

    @Override
    public String domain(String gtid) {
        return gtid.substring(0, gtid.lastIndexOf(':'));
    }

    @Override
    public String positions(SurplusFile.Found found) throws EngineException {
        if (found.transactions() < gtids.transactions()) {
            throw new EngineException("saving the surplus transactions " + gtids + ": only " + found.transactions()
                    + " of " + gtids.transactions() + " are in the binary logs");
        }
        return gtids.toString();
    }
}
