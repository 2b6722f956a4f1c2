package org.haarbiter.words;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PositionTest {
    private static final String A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    private static final String B = "4f22fa47-71ca-11e1-9e33-c80aa9429562";

    @Test
    void aGtidSetIsPrintedInOneForm() {
        assertThat(mysql(B + ":7,\n" + A.toUpperCase(java.util.Locale.ROOT) + ":4-5:1-3 "))
                .hasToString(A + ":1-5," + B + ":7");
    }

    @Test
    void tagsAreSourcesOfTheirOwn() {
        Position tagged = mysql(A + ":1-11:e42:1-2");
        assertThat(tagged.covers(mysql(A + ":1-11"))).isTrue();
        assertThat(mysql(A + ":1-11").covers(tagged)).isFalse();
        assertThat(tagged.minus(mysql(A + ":1-11"))).hasToString(A + ":e42:1-2");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void gtidSetsAgreeWithSetsOfNumbers(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            Set<Integer> left = numbers(random);
            Set<Integer> right = numbers(random);
            Set<Integer> difference = new HashSet<>(left);
            difference.removeAll(right);
            assertThat(mysql(text(left)).minus(mysql(text(right)))).isEqualTo(mysql(text(difference)));
            assertThat(mysql(text(left)).covers(mysql(text(right)))).isEqualTo(left.containsAll(right));
            assertThat(mysql(text(left)).transactions()).isEqualTo(left.size());
            Set<Integer> union = new HashSet<>(left);
            union.addAll(right);
            assertThat(((GtidSet) mysql(text(left))).plus((GtidSet) mysql(text(right))))
                    .isEqualTo(mysql(text(union)));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0-1-100,0-1-99,true",
        "0-1-100,0-2-99,false",
        "'0-1-99,0-2-100',0-1-99,true",
        "'0-1-90,0-2-100',0-1-99,false",
        "'0-1-90,0-2-100,0-3-110',0-2-95,true",
        "'0-1-90,0-2-100','0-1-80,0-2-95',true",
        "0-1-100,0-1-100,true",
        "0-1-100,0-2-100,false",
        "0-1-99,0-1-100,false",
        "'0-1-99,5-1-3',0-1-99,true",
        "0-1-99,'0-1-99,5-1-3',false",
        "0-1-1,'',true"
    })
    void mariadbPositionsCompareByTheNewestOfEachDomain(String left, String right, boolean covers) {
        assertThat(PositionKind.MARIADB_GTID.parse(left).covers(PositionKind.MARIADB_GTID.parse(right)))
                .isEqualTo(covers);
    }

    @ParameterizedTest
    @CsvSource({
        "a:100,a:90,true",
        "a:90,a:100,false",
        "a:100,b:90,false",
        "'b:150,a:100',a:100,true",
        "'b:150,a:100',a:120,false",
        "a:120,'b:150,a:100',false",
        "a:120,'b:100,a:100',true",
        "'b:150,a:100','b:150,a:90',true",
        "'b:150,a:90','b:150,a:100',true",
        "'b:95,a:90','b:150,a:100',false",
        "'b:95,a:90',a:96,false",
        "'c:300,b:200',a:100,false",
        "a:1,'',true",
        "'',a:0,true",
        "'',a:1,false"
    })
    void redisPositionsCompareWithinOneHistory(String left, String right, boolean covers) {
        assertThat(redis(left).covers(redis(right))).isEqualTo(covers);
    }

    @ParameterizedTest
    @CsvSource({
        "'b:150,a:100',a:80,'b:150,a:81-100',70",
        "'b:150,a:100','b:95,a:90','b:150,a:96-100',55",
        "a:120,'b:150,a:100',a:101-120,20",
        "'b:150,a:100',c:9,'b:150,a:100',150",
        "'b:150,a:100','b:150,a:90','',0"
    })
    void whatARedisServerHasBeforeAnotherIsCountedInBytes(String left, String right, String rest, long bytes) {
        assertThat(redis(left).minus(redis(right))).hasToString(rest).isEqualTo(redis(rest));
        assertThat(redis(left).minus(redis(right)).transactions()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a:-1", "a:x", "xyz:1", "a:5-3", "b:90,a:100", "a:1;b:2"})
    void nonsenseIsNoReplicationOffset(String text) {
        assertThatThrownBy(() -> redis(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(text);
    }

    @ParameterizedTest
    @CsvSource({
        "'a:10,b:5','a:9,b:5',a:10,1",
        "'a:10,b:5',a:7,'a:10,b:5',8",
        "'a:10,b:5','a:11,b:5,c:1','',0",
        "'a:10,b:0','','a:10',10"
    })
    void whatAStreamHasBeyondAnotherIsCountedInMessages(String left, String right, String rest, long messages) {
        Position one = PositionKind.STREAM_OFFSETS.parse(left);
        Position other = PositionKind.STREAM_OFFSETS.parse(right == null ? "" : right);
        assertThat(one.minus(other)).hasToString(rest).isEqualTo(PositionKind.STREAM_OFFSETS.parse(rest));
        assertThat(one.beyond(other)).isEqualTo(messages);
        assertThat(other.covers(one)).isEqualTo(messages == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", ":1", "a:-1", "a:x", "a:1;b:2"})
    void nonsenseIsNoStreamPosition(String text) {
        assertThatThrownBy(() -> PositionKind.STREAM_OFFSETS.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must be PARTITION:NUMBER");
    }

    @Test
    void whatAMariadbServerLacksIsCountedFromItsOwnNewest() {
        Position primary = PositionKind.MARIADB_GTID.parse("0-1-1000,5-1-3");
        assertThat(primary.beyond(PositionKind.MARIADB_GTID.parse("0-1-990,5-1-3")))
                .isEqualTo(10);
        // Another line of the history: how much of it is common can't be seen.
        assertThat(primary.beyond(PositionKind.MARIADB_GTID.parse("0-2-1500,5-1-1")))
                .isEqualTo(3);
    }

    private static Position redis(String text) {
        return PositionKind.REPLICATION_OFFSET.parse(text);
    }

    @Test
    void aMariadbPositionIsCanonicalAndKnowsItsNewest() {
        DomainGtids position = (DomainGtids) PositionKind.MARIADB_GTID.parse("5-9-7, 0-2-100,0-1-90,0-2-98");
        assertThat(position).hasToString("0-1-90,0-2-100,5-9-7");
        assertThat(position.newest()).hasToString("0-2-100,5-9-7");
        assertThat(position.transactions()).isEqualTo(107);
        assertThat(position.plus((DomainGtids) PositionKind.MARIADB_GTID.parse("0-1-95,7-1-1")))
                .hasToString("0-1-95,0-2-100,5-9-7,7-1-1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "3e11fa47-71ca-11e1-9e33-c80aa9429562",
                "3e11fa47-71ca-11e1-9e33-c80aa9429562:0",
                "3e11fa47-71ca-11e1-9e33-c80aa9429562:5-1"
            })
    void whatIsNoGtidSetIsRefusedByName(String text) {
        assertThatThrownBy(() -> mysql(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("GTID set");
    }

    @Test
    void positionsOfTwoKindsAreNeverCompared() {
        assertThatThrownBy(() -> mysql("").minus(PositionKind.MARIADB_GTID.parse("0-1-1")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Position mysql(String text) {
        return PositionKind.MYSQL_GTID.parse(text);
    }

    private static Set<Integer> numbers(Random random) {
        Set<Integer> numbers = new HashSet<>();
        for (int i = random.nextInt(12); i > 0; i--) {
            numbers.add(1 + random.nextInt(15));
        }
        return numbers;
    }

    private static String text(Set<Integer> numbers) {
        return numbers.isEmpty() ? "" : A + numbers.stream().map(n -> ":" + n).collect(Collectors.joining());
    }
}
