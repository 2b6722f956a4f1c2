package org.haarbiter.master.raft;

import com.alipay.sofa.jraft.util.SPI;
import com.alipay.sofa.jraft.util.timer.DefaultRaftTimerFactory;
import com.alipay.sofa.jraft.util.timer.DefaultTimer;
import com.alipay.sofa.jraft.util.timer.Timer;

/**
 * Raft's timers as threads that sleep until something is due. The library's own are wheels that turn a thousand times a
 * second each, four of them a node: an idle master was seen to spend a tenth of a core on turning.
 */
@SPI(priority = 100)
public final class SleepingTimerFactory extends DefaultRaftTimerFactory {
    /** Made by the library's service loader. */
    public SleepingTimerFactory() {}

    @Override
    public Timer getElectionTimer(boolean shared, String name) {
        return createTimer(name);
    }

    @Override
    public Timer getVoteTimer(boolean shared, String name) {
        return createTimer(name);
    }

    @Override
    public Timer getStepDownTimer(boolean shared, String name) {
        return createTimer(name);
    }

    @Override
    public Timer getSnapshotTimer(boolean shared, String name) {
        return createTimer(name);
    }

    @Override
    public Timer createTimer(String name) {
        return new DefaultTimer(1, name);
    }
}
