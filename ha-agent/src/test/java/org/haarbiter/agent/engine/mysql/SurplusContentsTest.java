package org.haarbiter.agent.engine.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.haarbiter.agent.engine.EngineException;
import org.haarbiter.words.DomainGtids;
import org.haarbiter.words.GtidSet;
import org.haarbiter.words.PositionKind;
import org.junit.jupiter.api.Test;

class SurplusContentsTest {
    private static final String UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    private static MariadbSurplus mariadb(String primary, String logged, String applied) {
        return new MariadbSurplus(gtids(primary), gtids(logged), gtids(applied));
    }

    private static DomainGtids gtids(String text) {
        return (DomainGtids) PositionKind.MARIADB_GTID.parse(text);
    }

    @Test
    void historiesPartAfterTheNewestThatBothHave() {
        MariadbSurplus surplus = mariadb("0-1-103,0-2-120", "0-1-105", "");
        assertThat(surplus.isEmpty()).isFalse();
        assertThat(surplus.key()).isEqualTo("after 0-1-103 to 0-1-105");
        assertThat(surplus.options()).contains("--start-position=0-1-103");
    }

    @Test
    void anEarlierPrimarysWritesAreNoSurplus() {
        assertThat(mariadb("0-1-100,0-2-130", "0-1-100,0-2-110", "0-2-110").isEmpty())
                .isTrue();
        assertThat(mariadb("0-3-200", "0-3-150,0-1-105", "0-3-150").isEmpty()).isTrue();
    }

    @Test
    void eachDomainPartsByItself() {
        MariadbSurplus surplus = mariadb("0-1-10,5-1-7", "0-1-10,5-1-9,6-1-2", "");
        assertThat(surplus.key()).isEqualTo("after 5-1-7 to 5-1-9, after 6-1-0 to 6-1-2");
        assertThat(surplus.options()).contains("--start-position=0-1-10,5-1-7,6-1-0");
    }

    @Test
    void whoWasMadeFromACopyPartsWhereTheCopyEnds() {
        MariadbSurplus surplus = mariadb("0-1-150,0-3-170", "0-2-160", "0-1-150");
        assertThat(surplus.key()).isEqualTo("after 0-1-150 to 0-2-160");
    }

    @Test
    void aLogIsNeededUnlessAllBeforeItIsCommon() {
        MariadbSurplus surplus = mariadb("0-1-103", "0-1-109", "");
        List<String> head = List.of(
                "# at 4",
                "#261121 20:57:43 server id 1  end_log_pos 299 CRC32 0x4a59bb94 \tGtid list [0-1-104,",
                "# 5-1-2]");
        assertThat(surplus.before(head)).isEqualTo("0-1-104,5-1-2");
        assertThat(surplus.noneIn("0-1-104,5-1-2")).isFalse();
        assertThat(surplus.noneIn("0-1-103,5-1-2")).isTrue();
        assertThat(surplus.noneIn("")).isTrue();
        assertThat(surplus.before(List.of("# at 4"))).isNull();
    }

    @Test
    void onlyALineOfTheProgramItselfIsATransaction() {
        MariadbSurplus surplus = mariadb("0-1-103", "0-1-109", "");
        assertThat(surplus.gtid("#261121 20:57:43 server id 1  end_log_pos 757 CRC32 0xc725db59 \tGTID 0-1-6 trans"))
                .isEqualTo("0-1-6");
        assertThat(surplus.gtid("###   @1='\tGTID 0-1-6 trans'")).isNull();
        assertThat(surplus.gtid("SET @@session.gtid_seq_no=4")).isNull();
    }

    @Test
    void aLogThatEndsTooEarlyIsRefused() {
        SurplusFile.Found found = new SurplusFile.Found();
        found.add("0", "0-1-104");
        assertThatThrownBy(() -> mariadb("0-1-103", "0-1-105", "").positions(found))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("only up to 0-1-104");
    }

    @Test
    void aSetOfMysqlIsReadBack() throws EngineException {
        MysqlSurplus surplus = new MysqlSurplus((GtidSet) PositionKind.MYSQL_GTID.parse(UUID + ":6-7:tag:1"));
        assertThat(surplus.options()).contains("--include-gtids=" + UUID + ":6-7," + UUID + ":tag:1");
        assertThat(surplus.before(
                        List.of("#... Previous-GTIDs", "# " + UUID + ":1-5,", "# " + UUID + ":tag:1", "# at 158")))
                .isEqualTo(UUID + ":1-5," + UUID + ":tag:1");
        assertThat(surplus.before(List.of("#... Previous-GTIDs", "# [empty]"))).isEmpty();
        assertThat(surplus.noneIn(UUID + ":1-5")).isTrue();
        assertThat(surplus.noneIn(UUID + ":1-6")).isFalse();
        assertThat(surplus.gtid("SET @@SESSION.GTID_NEXT= '" + UUID + ":6'/*!*/;"))
                .isEqualTo(UUID + ":6");
        assertThat(surplus.gtid("SET @@SESSION.GTID_NEXT= 'AUTOMATIC' /* added by mysqlbinlog */ /*!*/;"))
                .isNull();
        SurplusFile.Found found = new SurplusFile.Found();
        found.add(UUID, UUID + ":6");
        assertThatThrownBy(() -> surplus.positions(found))
                .isInstanceOf(EngineException.class)
                .hasMessageContaining("only 1 of 3");
    }
}
