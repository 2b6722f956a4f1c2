package org.haarbiter.sim;

import java.util.TreeMap;

/** Two authoritative servers: a name moves only to a newer epoch, by compare-and-set; updates come late or never. */
final class SimDns {
    record Served(long epoch, String primary) {}

    private final World world;
    private final Chance chance;
    private final TreeMap<String, Served> first = new TreeMap<>();
    private final TreeMap<String, Served> second = new TreeMap<>();

    SimDns(World world, Chance chance) {
        this.world = world;
        this.chance = chance;
    }

    void publish(SimMaster master, String group, long epoch, String primary) {
        if (chance.percent(15)) {
            return;
        }
        long delay = chance.percent(5) ? chance.millis(500, 3_000) : chance.millis(1, 10);
        world.timeline.after(delay, () -> update(group, new Served(epoch, primary)));
        int life = master.life();
        world.timeline.after(chance.millis(5, 40), () -> {
            if (epoch(first, group) == epoch && epoch(second, group) == epoch) {
                master.arrive(life, () -> master.namesServed(group, epoch));
            }
        });
    }

    private static long epoch(TreeMap<String, Served> server, String group) {
        Served served = server.get(group);
        return served == null ? 0 : served.epoch();
    }

    private void update(String group, Served wanted) {
        if (wanted.epoch() <= epoch(first, group)) {
            return;
        }
        first.put(group, wanted);
        world.timeline.after(chance.millis(1, 50), () -> transfer(group));
    }

    private void transfer(String group) {
        Served now = first.get(group);
        if (now == null) {
            return;
        }
        long before = epoch(second, group);
        if (now.epoch() < before) {
            throw world.truth.violated(
                    "8 DNS never goes back", group + " went from epoch " + before + " to " + now.epoch());
        }
        second.put(group, now);
    }

    boolean shows(String group, long epoch, String primary) {
        Served served = second.get(group);
        return served != null && served.epoch() == epoch && served.primary().equals(primary);
    }
}
