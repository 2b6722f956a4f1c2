package org.haarbiter.words;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A Redis position: the history by its replication ID, and how many bytes of its replication stream the server has. Since Redis
 * starts a new history with each promotion and remembers the one that it went on from, a position has up to two parts, the
 * present history first: {@code ID:OFFSET,OLD-ID:OFFSET}, as {@code master_replid:master_repl_offset} and
 * {@code master_replid2:second_repl_offset - 1} of {@code INFO replication}.
 *
 * <p>Offsets of histories that have nothing to do with each other say nothing: neither covers the other. That a server went
 * through a history which it has forgotten since can't be seen, so what it has may be underestimated, never overestimated.
 */
public final class ReplicationOffset implements Position {

    /** The bytes {@code after + 1} to {@code to} of the stream of a history; never none. */
    private record Part(String id, long after, long to) {}

    /** Newest first. */
    private final List<Part> parts;

    private ReplicationOffset(List<Part> parts) {
        this.parts = List.copyOf(parts);
    }

    static ReplicationOffset parse(String text) {
        List<Part> parts = new ArrayList<>();
        String[] fields = text.isBlank() ? new String[0] : text.split(",", -1);
        long goesOnAt = 0;
        for (int i = fields.length - 1; i >= 0; i--) {
            String field = fields[i].strip().toLowerCase(Locale.ROOT);
            if (!field.matches("[0-9a-f]{1,40}:(\\d{1,18}-)?\\d{1,18}")) {
                throw new IllegalArgumentException("replication offset: '" + fields[i] + "' in '" + text
                        + "' (must be ID:OFFSET or ID:FIRST-LAST with a hexadecimal replication ID)");
            }
            String id = field.substring(0, field.indexOf(':'));
            String range = field.substring(field.indexOf(':') + 1);
            int dash = range.indexOf('-');
            long after = dash < 0 ? goesOnAt : Long.parseLong(range.substring(0, dash)) - 1;
            long to = Long.parseLong(range.substring(dash + 1));
            if (after < 0 || to < after) {
                throw new IllegalArgumentException("replication offset: '" + fields[i] + "' in '" + text
                        + "' (must not end before it begins; a history goes on where the older one ended)");
            }
            if (to > after) {
                parts.add(0, new Part(id, after, to));
            }
            goesOnAt = to;
        }
        return new ReplicationOffset(parts);
    }

    @Override
    public boolean covers(Position other) {
        return other.minus(this).isEmpty();
    }

    /** The bytes that this has and the other isn't known to have. */
    @Override
    public ReplicationOffset minus(Position other) {
        if (!(other instanceof ReplicationOffset theirs)) {
            throw new IllegalArgumentException(
                    "position: '" + other + "' (must be a Redis replication offset to be compared with one)");
        }
        List<Part> rest = new ArrayList<>();
        // An offset counts from the beginning of the oldest history: whoever has a newer one so far has the older ones
        // so
        // far, too, even where it went over to the newer one early and remembers less of the older.
        long reached = 0;
        for (Part part : parts) {
            reached = Math.max(reached, theirs.reach(part.id()));
            long after = Math.max(part.after(), reached);
            if (after < part.to()) {
                rest.add(new Part(part.id(), after, part.to()));
            }
        }
        return new ReplicationOffset(rest);
    }

    /** How far it holds a history; 0 where it isn't known to hold any of it. */
    private long reach(String id) {
        return parts.stream()
                .filter(part -> part.id().equals(id))
                .mapToLong(Part::to)
                .max()
                .orElse(0);
    }

    /** The bytes of the replication stream in it. */
    @Override
    public long transactions() {
        return parts.stream().mapToLong(part -> part.to() - part.after()).sum();
    }

    @Override
    public boolean isEmpty() {
        return parts.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ReplicationOffset offset && parts.equals(offset.parts);
    }

    @Override
    public int hashCode() {
        return parts.hashCode();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            long goesOnAt = i + 1 < parts.size() ? parts.get(i + 1).to() : 0;
            text.append(i == 0 ? "" : ",").append(part.id()).append(':');
            if (part.after() != goesOnAt) {
                text.append(part.after() + 1).append('-');
            }
            text.append(part.to());
        }
        return text.toString();
    }
}
