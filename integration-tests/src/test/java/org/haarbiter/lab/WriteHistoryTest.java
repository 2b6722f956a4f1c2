package org.haarbiter.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.haarbiter.lab.WriteHistory.Acknowledgement;
import org.haarbiter.words.Endpoint;
import org.junit.jupiter.api.Test;

class WriteHistoryTest {

    private static final Endpoint OLD = new Endpoint("127.0.1.1", 3306);
    private static final Endpoint NEW = new Endpoint("127.0.1.2", 3306);

    /** An acknowledgement at a time in milliseconds, sent half a millisecond before. */
    private static Acknowledgement ack(long id, Endpoint server, double connected, double acked) {
        return new Acknowledgement(id, server, nanos(connected), nanos(acked - 0.5), nanos(acked));
    }

    private static long nanos(double millis) {
        return Math.round(millis * 1e6);
    }

    @Test
    void anOutageLastsFromTheOldServersLastToTheNewServersFirstAcknowledgement() {
        WriteHistory history = new WriteHistory(List.of(
                ack(1, OLD, 0, 90),
                ack(2, OLD, 0, 100.25),
                ack(3, NEW, 50, 140),
                ack(4, NEW, 130, 150),
                ack(5, NEW, 50, 151)));

        WriteHistory.Outage outage = history.outage(nanos(100), OLD).orElseThrow();

        assertThat(outage.lastOldMillis()).isEqualTo(0.25);
        assertThat(outage.firstNewMillis()).isEqualTo(40);
        assertThat(outage.firstFreshMillis()).isEqualTo(50);
        assertThat(outage.newServer()).isEqualTo(NEW);
        assertThat(outage.silenceMillis()).isEqualTo(39.75);
    }

    @Test
    void anOutageIsNotOverBeforeAFreshConnectionWasAcknowledged() {
        WriteHistory history = new WriteHistory(List.of(ack(1, OLD, 0, 90), ack(2, NEW, 50, 140)));

        assertThat(history.outage(nanos(100), OLD)).isEmpty();
    }

    @Test
    void acknowledgementsOfTheOldServerAfterItsReturnAreNotPartOfTheOutage() {
        WriteHistory history =
                new WriteHistory(List.of(ack(1, OLD, 0, 90), ack(2, NEW, 110, 140), ack(3, OLD, 900, 1_000)));

        assertThat(history.outage(nanos(100), OLD).orElseThrow().lastOldMillis())
                .isEqualTo(-10);
    }

    @Test
    void theOrderIsThatOfTheAcknowledgementsAlsoWhereTheClockPassesItsLargestValue() {
        Acknowledgement before = new Acknowledgement(1, OLD, 0, 0, Long.MAX_VALUE - 1_000_000);
        Acknowledgement after = new Acknowledgement(2, OLD, 0, 0, Long.MIN_VALUE + 999_999);

        WriteHistory history = new WriteHistory(List.of(after, before));

        assertThat(history.acknowledgements()).containsExactly(before, after);
        assertThat(history.longestSilenceMillis()).isCloseTo(2, within(1e-6));
    }

    @Test
    void oneServerAfterTheOtherIsNotTwoWriters() {
        WriteHistory history = new WriteHistory(List.of(ack(1, OLD, 0, 10), ack(2, OLD, 0, 20), ack(3, NEW, 0, 20.1)));

        assertThat(history.twoWritersMillis()).isZero();
        assertThat(history.provenTwoWritersMillis()).isZero();
    }

    @Test
    void twoWritersOverlapFromTheNewServersFirstToTheOldServersLast() {
        WriteHistory history = new WriteHistory(
                List.of(ack(1, OLD, 0, 10), ack(2, NEW, 0, 20), ack(3, OLD, 0, 27), ack(4, NEW, 0, 30)));

        assertThat(history.twoWritersMillis()).isEqualTo(7);
        assertThat(history.provenTwoWritersMillis()).isEqualTo(7);
    }

    @Test
    void anAnswerThatWasOnItsWayProvesNoSecondWriter() {
        // Sent at 19.7, before the new server's first acknowledgement at 20, read at 20.2.
        WriteHistory history = new WriteHistory(List.of(ack(1, OLD, 0, 10), ack(2, NEW, 0, 20), ack(3, OLD, 0, 20.2)));

        assertThat(history.twoWritersMillis()).isCloseTo(0.2, within(1e-6));
        assertThat(history.provenTwoWritersMillis()).isZero();
    }

    @Test
    void aPartOfAHistoryLeavesOutASwitchBack() {
        WriteHistory history = new WriteHistory(List.of(ack(1, OLD, 0, 10), ack(2, NEW, 0, 20), ack(3, OLD, 0, 500)));

        assertThat(history.twoWritersMillis()).isEqualTo(480);
        assertThat(history.between(nanos(0), nanos(400)).twoWritersMillis()).isZero();
    }

    @Test
    void anEmptyHistoryHasNothing() {
        WriteHistory history = new WriteHistory(List.of());

        assertThat(history.longestSilenceMillis()).isZero();
        assertThat(history.twoWritersMillis()).isZero();
        assertThat(history.outage(0, OLD)).isEmpty();
        assertThat(history.ids()).isEmpty();
    }
}
