package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.haarbiter.lab.HistoryCheck.Read;
import org.haarbiter.lab.HistoryCheck.Verdict;
import org.haarbiter.lab.HistoryCheck.Writer;
import org.haarbiter.lab.WriteHistory.Acknowledgement;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;

class HistoryCheckTest {

    private static final Endpoint A = new Endpoint("127.77.0.1", 3306);
    private static final Endpoint B = new Endpoint("127.77.0.2", 3306);
    private static final Endpoint C = new Endpoint("127.77.0.3", 3306);
    private static final List<Writer> TWO = List.of(new Writer(1, 100), new Writer(100, 200));

    /** Times in milliseconds. */
    private static Acknowledgement ack(long id, Endpoint server, double sent, double acked) {
        return new Acknowledgement(id, server, 0, nanos(sent), nanos(acked));
    }

    private static Read read(Endpoint server, double sent, double answered, Long... newest) {
        return new Read(server, List.of(newest), nanos(sent), nanos(answered));
    }

    private static long nanos(double millis) {
        return Math.round(millis * 1e6);
    }

    private static Verdict writes(List<Endpoint> primaries, Acknowledgement... acknowledgements) {
        return HistoryCheck.judge(
                primaries, List.of(acknowledgements), TWO, List.of(), Set.of(1L, 2L, 3L, 4L, 5L), true);
    }

    private static Verdict reads(List<Acknowledgement> acknowledgements, Read... reads) {
        return HistoryCheck.judge(List.of(A, B), acknowledgements, TWO, List.of(reads), Set.of(1L, 2L, 3L, 101L), true);
    }

    @Test
    void anOrderlySwitchAndASwitchBackAreFaultless() {
        Verdict verdict =
                writes(List.of(A, B, A), ack(1, A, 0, 1), ack(2, B, 5, 6), ack(3, B, 6.5, 7), ack(4, A, 20, 21));

        assertThat(verdict.acknowledged()).isEqualTo(4);
        assertThat(verdict.lost()).isEmpty();
        assertThat(verdict.secondWriters()).isEmpty();
        assertThat(verdict.twoWritersMillis()).isZero();
        assertThat(verdict.readsBack()).isEmpty();
    }

    @Test
    void anAcknowledgedWriteThatTheLastPrimaryLacksIsLost() {
        Verdict verdict = writes(List.of(A, B), ack(1, A, 0, 1), ack(77, A, 2, 3), ack(78, B, 5, 6), ack(2, B, 7, 8));

        assertThat(verdict.lost()).containsExactly(77L, 78L);
    }

    @Test
    void theOldPrimaryThatAcknowledgesAfterTheNewOneIsASecondWriter() {
        Acknowledgement first = ack(2, B, 5, 6);
        Acknowledgement late = ack(3, A, 6.5, 9);

        Verdict verdict = writes(List.of(A, B), ack(1, A, 0, 1), first, late, ack(4, B, 10, 11));

        assertThat(verdict.secondWriters()).containsExactly(new HistoryCheck.SecondWriter(late, first));
        assertThat(verdict.twoWritersMillis()).isEqualTo(3);
    }

    @Test
    void theClientsMayBeDifferentOnes() {
        // The client of the first writer stays with A, that of the second goes over to B.
        Verdict verdict = writes(List.of(A, B), ack(1, A, 0, 1), ack(101, B, 5, 6), ack(2, A, 7, 8));

        assertThat(verdict.secondWriters()).hasSize(1);
        assertThat(verdict.twoWritersMillis()).isEqualTo(2);
    }

    @Test
    void anAnswerThatWasOnItsWayIsNoSecondWriter() {
        Verdict verdict = writes(List.of(A, B), ack(1, A, 0, 1), ack(2, A, 5.5, 9), ack(3, B, 5, 6));

        assertThat(verdict.secondWriters()).isEmpty();
    }

    @Test
    void aThirdTurnOfTheSameServerNeedsAThirdEpoch() {
        Acknowledgement[] there = {ack(1, A, 0, 1), ack(2, B, 5, 6), ack(3, A, 20, 21), ack(4, B, 30, 31)};

        assertThat(writes(List.of(A, B, A, B), there).secondWriters()).isEmpty();
        assertThat(writes(List.of(A, B, A), there).secondWriters())
                .extracting(s -> s.write().id())
                .containsExactly(4L);
        assertThat(writes(List.of(A, B), there).secondWriters())
                .extracting(s -> s.write().id())
                .containsExactly(3L);
    }

    @Test
    void aFormerPrimaryThatComesBackWritesBesideTheLaterOneFromThenOnOnly() {
        Verdict verdict = writes(
                List.of(A, B),
                ack(1, A, 0, 1),
                ack(2, B, 5, 6),
                ack(3, A, 20, 21),
                ack(4, B, 22, 23),
                ack(5, A, 30, 31));

        assertThat(verdict.overlapMillis()).isEqualTo(11);
        assertThat(verdict.twoWritersMillis()).isEqualTo(25);
    }

    @Test
    void aServerThatNeverWasPrimaryIsASecondWriterFromItsFirstWrite() {
        Verdict verdict = writes(List.of(A, B), ack(1, A, 0, 1), ack(2, C, 2, 3), ack(3, B, 5, 6));

        assertThat(verdict.secondWriters()).extracting(s -> s.write().id()).containsExactly(2L);
    }

    @Test
    void aSwitchThatNoWriteSawLeavesNoGap() {
        Verdict verdict = writes(List.of(A, C, B), ack(1, A, 0, 1), ack(2, B, 5, 6));

        assertThat(verdict.secondWriters()).isEmpty();
    }

    @Test
    void theOrderHoldsAlsoWhereTheClockPassesItsLargestValue() {
        long last = Long.MAX_VALUE - 1_000_000;
        Acknowledgement first = new Acknowledgement(1, B, 0, last, last + 500_000);
        Acknowledgement late = new Acknowledgement(2, A, 0, last + 3_000_000, last + 4_000_000);

        assertThat(writes(List.of(A, B), late, first).secondWriters()).hasSize(1);
        assertThat(writes(List.of(B, A), late, first).secondWriters()).isEmpty();
    }

    @Test
    void aReadThatFindsEverythingAcknowledgedBeforeItBeganIsFaultless() {
        Verdict verdict = reads(
                List.of(ack(1, A, 0, 1), ack(2, A, 2, 5), ack(101, A, 0, 1)),
                read(A, 3, 4, 1L, 101L),
                read(A, 6, 7, 2L, 101L));

        assertThat(verdict.readsBack()).isEmpty();
        assertThat(verdict.stalestMillis()).isZero();
    }

    @Test
    void aReadThatMissesAnAcknowledgedWriteOfAnybodyWentBack() {
        Read stale = read(A, 10, 11, 1L, 101L);

        Verdict verdict = reads(List.of(ack(1, A, 0, 1), ack(101, A, 0, 1), ack(2, B, 3, 4), ack(3, B, 5, 6)), stale);

        assertThat(verdict.readsBack()).containsExactly(new HistoryCheck.ReadBack(stale, 3, 1, 6));
        assertThat(verdict.stalestMillis()).isEqualTo(6);
    }

    @Test
    void aReadThatMissesWhatAnEarlierReadFoundWentBack() {
        // 2 was never acknowledged: its writer's connection broke.
        Verdict verdict = reads(List.of(ack(1, A, 0, 1)), read(A, 3, 4, 2L, 0L), read(B, 8, 9, 1L, 0L));

        assertThat(verdict.readsBack()).extracting(r -> r.read().server()).containsExactly(B);
        assertThat(verdict.stalestMillis()).isEqualTo(4);
    }

    @Test
    void readsAtTheSameTimeMayFindMoreOrLess() {
        Verdict verdict = reads(List.of(ack(1, A, 0, 1)), read(A, 3, 6, 2L, 0L), read(A, 4, 5, 1L, 0L));

        assertThat(verdict.readsBack()).isEmpty();
    }

    @Test
    void lostWritesReachBackFromTheirServersLastAcknowledgement() {
        // B's 4 was acknowledged in between: A's 5 is another turn.
        Verdict verdict = HistoryCheck.judge(
                List.of(A, B, A),
                List.of(ack(1, A, 0, 1), ack(2, A, 2, 3), ack(3, A, 6, 8), ack(4, B, 9, 10), ack(5, A, 20, 21)),
                TWO,
                List.of(),
                Set.of(1L, 4L, 5L),
                false);

        assertThat(verdict.lost()).containsExactly(2L, 3L);
        assertThat(verdict.lostMillis()).isEqualTo(5);
    }

    @Test
    void whereWritesMayBeLostALaterReadNeedntFindThoseThatAre() {
        List<Acknowledgement> acknowledged = List.of(ack(1, A, 0, 1), ack(2, A, 2, 3));
        Read seen = read(A, 4, 5, 2L, 0L);
        Read after = read(B, 8, 9, 1L, 0L);
        Read stale = read(B, 8, 9, 0L, 0L);

        assertThat(HistoryCheck.judge(List.of(A, B), acknowledged, TWO, List.of(seen, after), Set.of(1L), true)
                        .readsBack())
                .extracting(HistoryCheck.ReadBack::read)
                .containsExactly(after);
        assertThat(HistoryCheck.judge(List.of(A, B), acknowledged, TWO, List.of(seen, after, stale), Set.of(1L), false)
                        .readsBack())
                .extracting(HistoryCheck.ReadBack::read)
                .containsExactly(stale);
    }
}
