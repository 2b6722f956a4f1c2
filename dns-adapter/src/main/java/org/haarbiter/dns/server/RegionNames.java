package org.haarbiter.dns.server;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The regions that there are, each with a number. Immutable; any thread. */
final class RegionNames {

    /** The number that stands for no region. */
    static final int NONE = -1;

    private final List<String> names;
    private final Map<String, Integer> numbers = new HashMap<>();

    /** Numbers them in this order, from 0. */
    RegionNames(List<String> names) {
        this.names = List.copyOf(names);
        for (String name : this.names) {
            numbers.put(name, numbers.size());
        }
    }

    int size() {
        return names.size();
    }

    boolean contains(String name) {
        return numbers.containsKey(name);
    }

    String name(int number) {
        return names.get(number);
    }

    /** The number of a region that there is. */
    int number(String name) {
        Integer number = numbers.get(name);
        if (number == null) {
            throw new IllegalArgumentException("region: '" + name + "' (must be one of " + this + ")");
        }
        return number;
    }

    @Override
    public String toString() {
        return names.isEmpty() ? "none" : String.join(", ", names);
    }
}
