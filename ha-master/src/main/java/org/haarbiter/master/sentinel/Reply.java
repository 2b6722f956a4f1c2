package org.haarbiter.master.sentinel;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is said to a client, before it is known in which version of the protocol. Immutable. */
sealed interface Reply {
    Reply OK = new Simple("OK");
    Reply NOBODY = new NullArray();

    /** A word without line breaks, such as OK. */
    record Simple(String text) implements Reply {}

    /** A failure; the first word is its code. */
    record Failure(String text) implements Reply {}

    /** A whole number. */
    record Whole(long value) implements Reply {}

    /** A text. */
    record Text(String value) implements Reply {}

    /** Where a list would stand and there is none: a null array, in version 3 a null. */
    record NullArray() implements Reply {}

    /** A list. */
    record Array(List<Reply> items) implements Reply {
        /** Copies the list. */
        public Array {
            items = List.copyOf(items);
        }
    }

    /** Names with values, in this order; in version 2 a list of names and values by turns. */
    record Fields(LinkedHashMap<String, Reply> values) implements Reply {}

    /** What a subscriber is told; in version 2 a list as any other. */
    record Push(List<Reply> items) implements Reply {
        /** Copies the list. */
        public Push {
            items = List.copyOf(items);
        }
    }

    /** An error of the usual kind. */
    static Failure error(String sentence) {
        return new Failure("ERR " + sentence);
    }

    static Array texts(String... values) {
        return new Array(Arrays.stream(values).<Reply>map(Text::new).toList());
    }

    static Fields fields(Map<String, String> values) {
        LinkedHashMap<String, Reply> replies = new LinkedHashMap<>();
        values.forEach((name, value) -> replies.put(name, new Text(value)));
        return new Fields(replies);
    }
}
