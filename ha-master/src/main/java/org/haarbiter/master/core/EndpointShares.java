package org.haarbiter.master.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who takes how much of the clients' traffic of an {@link EndpointGroup}. A region's clients are sent to the first of its sites
 * where an endpoint is served; how much that can't hold goes to the next ones. Immutable.
 *
 * @param perMille by region (empty name: clients of no region) and endpoint, its part of that region's traffic; never 0
 * @param limits where endpoints' capacities keep traffic from where it would go, as sentences; empty where they don't
 */
public record EndpointShares(SortedMap<String, SortedMap<String, Integer>> perMille, List<String> limits) {

    /** So that the smallest load can be divided among the most endpoints of the most different weights. */
    private static final long PARTS = 1_000_000;

    /** Copies the collections. */
    public EndpointShares {
        TreeMap<String, SortedMap<String, Integer>> copies = new TreeMap<>();
        perMille.forEach(
                (region, shares) -> copies.put(region, Collections.unmodifiableSortedMap(new TreeMap<>(shares))));
        perMille = Collections.unmodifiableSortedMap(copies);
        limits = List.copyOf(limits);
    }

    /** What a region's clients still want, and have been given. */
    private static final class Wish {
        /** By how near the site is, and there from the best order on, whom they are sent to. */
        final TreeMap<Integer, TreeMap<Integer, List<String>>> tiers;

        final boolean told;
        final TreeMap<String, Long> given = new TreeMap<>();
        long left;

        Wish(TreeMap<Integer, TreeMap<Integer, List<String>>> tiers, long load) {
            this.tiers = tiers;
            this.told = load > 0;
            this.left = told ? load * PARTS : PARTS;
        }

        List<String> first() {
            return tiers.firstEntry().getValue().firstEntry().getValue();
        }

        List<String> all() {
            return tiers.values().stream()
                    .flatMap(site -> site.values().stream())
                    .flatMap(List::stream)
                    .toList();
        }
    }

    /**
     * How it stands.
     *
     * @param sitesByRegion by region, its sites, the nearest first
     */
    public static EndpointShares of(EndpointGroup group, SortedMap<String, List<String>> sitesByRegion) {
        TreeMap<String, List<String>> regions = new TreeMap<>(sitesByRegion);
        regions.putIfAbsent("", List.of());
        TreeMap<String, Long> room = new TreeMap<>();
        for (String endpoint : group.served()) {
            long capacity = at(group, endpoint).capacity();
            room.put(endpoint, capacity == 0 ? Long.MAX_VALUE : capacity * PARTS);
        }
        TreeMap<String, Wish> wishes = new TreeMap<>();
        regions.forEach((region, sites) ->
                wishes.put(region, new Wish(tiers(group, sites), group.loads().getOrDefault(region, 0L))));
        int farthest = wishes.values().stream()
                .mapToInt(wish -> wish.tiers.lastKey())
                .max()
                .orElse(0);
        // Each region has what is near to it before one that is farther away is sent there for want of better.
        for (int site = 0; site <= farthest; site++) {
            for (Wish wish : wishes.values()) {
                TreeMap<Integer, List<String>> there = wish.tiers.get(site);
                if (wish.told && there != null) {
                    there.values().forEach(tier -> fill(group, tier, wish, room));
                }
            }
        }
        List<String> limits = new ArrayList<>();
        TreeMap<String, SortedMap<String, Integer>> shares = new TreeMap<>();
        wishes.forEach((region, wish) -> {
            long without = wish.told ? wish.left / PARTS : 0;
            if (wish.left > 0) {
                List<String> takers = wish.told ? wish.all() : wish.first();
                TreeMap<String, Long> boundless = new TreeMap<>();
                takers.forEach(endpoint -> boundless.put(endpoint, Long.MAX_VALUE));
                fill(group, takers, wish, boundless);
            }
            String limit = limit(group, region, wish, without);
            if (!limit.isEmpty()) {
                limits.add(limit);
            }
            long all = wish.given.values().stream().mapToLong(Long::longValue).sum();
            TreeMap<String, Integer> parts = new TreeMap<>();
            wish.given.forEach((endpoint, part) ->
                    parts.put(endpoint, (int) Math.max(1, part / Math.max(1, all / 1_000))));
            shares.put(region, parts);
        });
        return new EndpointShares(shares, limits);
    }

    private static TreeMap<Integer, TreeMap<Integer, List<String>>> tiers(EndpointGroup group, List<String> sites) {
        TreeMap<Integer, TreeMap<Integer, List<String>>> tiers = new TreeMap<>();
        for (String endpoint : group.served()) {
            CheckedEndpoint each = at(group, endpoint);
            int site = sites.indexOf(each.site());
            tiers.computeIfAbsent(site < 0 ? sites.size() : site, s -> new TreeMap<>())
                    .computeIfAbsent(
                            group.mode() == EndpointGroup.Mode.FIRST ? each.order() : 0, o -> new ArrayList<>())
                    .add(endpoint);
        }
        return tiers;
    }

    /** Gives each by its weight, as far as there is room; what one can't take the others of the same tier do. */
    private static void fill(EndpointGroup group, List<String> tier, Wish wish, TreeMap<String, Long> room) {
        List<String> open = new ArrayList<>(tier);
        open.removeIf(endpoint -> room.getOrDefault(endpoint, 0L) == 0);
        while (wish.left > 0 && !open.isEmpty()) {
            long toShare = wish.left;
            long weights = open.stream()
                    .mapToLong(endpoint -> at(group, endpoint).weight())
                    .sum();
            for (String endpoint : List.copyOf(open)) {
                long weight = at(group, endpoint).weight();
                long part = toShare * weight / weights;
                toShare -= part;
                weights -= weight;
                long free = room.getOrDefault(endpoint, 0L);
                long taken = Math.min(part, free);
                if (taken > 0) {
                    wish.given.merge(endpoint, taken, Long::sum);
                }
                wish.left -= taken;
                room.put(endpoint, free == Long.MAX_VALUE ? free : free - taken);
                if (taken == free) {
                    open.remove(endpoint);
                }
            }
        }
    }

    private static String limit(EndpointGroup group, String region, Wish wish, long without) {
        List<String> elsewhere = new ArrayList<>(wish.given.keySet());
        elsewhere.removeAll(wish.first());
        if (!wish.told || (without == 0 && elsewhere.isEmpty())) {
            return "";
        }
        String of = "the clients of " + (region.isEmpty() ? "no region" : "region " + region) + " send "
                + group.loads().get(region);
        return of
                + (elsewhere.isEmpty()
                        ? ""
                        : ", more than " + String.join(", ", wish.first()) + " can hold: the rest goes to "
                                + String.join(", ", elsewhere))
                + (without == 0
                        ? ""
                        : (elsewhere.isEmpty() ? "," : ", and") + " " + without
                                + " more than all that are served can hold");
    }

    private static CheckedEndpoint at(EndpointGroup group, String endpoint) {
        CheckedEndpoint each = group.endpoints().get(endpoint);
        if (each == null) {
            throw new IllegalArgumentException("no endpoint '" + endpoint + "' in '" + group.name() + "'");
        }
        return each;
    }

    /** Each endpoint's part of all traffic whose size is told, in thousandths; where none is told, of that of no region. */
    public SortedMap<String, Integer> ofAll(SortedMap<String, Long> loads) {
        TreeMap<String, Long> sums = new TreeMap<>();
        long all = 0;
        for (Map.Entry<String, SortedMap<String, Integer>> region : perMille.entrySet()) {
            long load = loads.isEmpty() && region.getKey().isEmpty() ? 1 : loads.getOrDefault(region.getKey(), 0L);
            all += load;
            region.getValue().forEach((endpoint, part) -> sums.merge(endpoint, part * load, Long::sum));
        }
        TreeMap<String, Integer> parts = new TreeMap<>();
        for (Map.Entry<String, Long> sum : sums.entrySet()) {
            parts.put(sum.getKey(), (int) (sum.getValue() / Math.max(1, all)));
        }
        return parts;
    }
}
