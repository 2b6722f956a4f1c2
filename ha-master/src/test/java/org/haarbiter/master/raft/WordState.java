package org.haarbiter.master.raft;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A state that is the list of all words ever committed. */
final class WordState implements LogListener {
    /** Applying this word throws. */
    static final String POISON = "poison";

    private final List<String> words = new ArrayList<>();
    private final List<Long> terms = new ArrayList<>();
    final AtomicInteger snapshotsSaved = new AtomicInteger();
    final AtomicInteger snapshotsLoaded = new AtomicInteger();
    final AtomicReference<@Nullable String> fault = new AtomicReference<>();
    private long leadingTerm = -1;
    private long lastIndex;

    @Override
    public synchronized void apply(long index, long term, byte[] entry) {
        String word = new String(entry, StandardCharsets.UTF_8);
        if (word.equals(POISON)) {
            throw new IllegalStateException("can't apply " + word);
        }
        if (index <= lastIndex) {
            throw new IllegalStateException("index " + index + " after " + lastIndex);
        }
        lastIndex = index;
        words.add(word);
        terms.add(term);
    }

    @Override
    public synchronized byte[] saveSnapshot() {
        snapshotsSaved.incrementAndGet();
        return String.join("\n", words).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public synchronized void loadSnapshot(long upTo, byte[] snapshot) {
        snapshotsLoaded.incrementAndGet();
        words.clear();
        words.addAll(List.of(new String(snapshot, StandardCharsets.UTF_8).split("\n")));
    }

    @Override
    public synchronized void leaderStarted(long term) {
        leadingTerm = term;
    }

    @Override
    public synchronized void leaderStopped(long term) {
        leadingTerm = -1;
    }

    @Override
    public void fault(String sentence, Throwable cause) {
        fault.compareAndSet(null, sentence);
    }

    synchronized List<String> words() {
        return List.copyOf(words);
    }

    synchronized int size() {
        return words.size();
    }

    /** The term it was told to lead in; -1 when it doesn't. */
    synchronized long leadingTerm() {
        return leadingTerm;
    }
}
