package org.haarbiter.lab;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Hosts as network namespaces, joined by a switch that is a namespace too. Their addresses are 127.77.0.1, 127.77.0.2 and
 * so on, in the order of their names; nothing of this machine's own network is touched. Traffic is cut at the switch, so
 * that it is lost without a word, as behind a pulled cable.
 *
 * <p>A process reaches a host by {@link Host#enter()}, a thread of this JVM by {@link Host#threads} or {@link Host#call}:
 * sockets that such a thread opens are on that host. Needs root. Threads: any; changes are made one at a time.
 */
public final class NetworkLab implements AutoCloseable {

    private static final int CLONE_NEWNET = 0x40000000;
    private static final int O_RDONLY = 0;
    private static final AtomicInteger LABS = new AtomicInteger();

    private interface LibC extends Library {
        LibC INSTANCE = Native.load("c", LibC.class);

        int open(String path, int flags) throws LastErrorException;

        int setns(int descriptor, int kind) throws LastErrorException;

        int close(int descriptor) throws LastErrorException;
    }

    /** A host of the lab. */
    public static final class Node implements Host {
        private final String name;
        private final String namespace;
        private final String address;
        private final String port;

        private Node(String name, String namespace, String address, String port) {
            this.name = name;
            this.namespace = namespace;
            this.address = address;
            this.port = port;
        }

        /** Its name. */
        public String name() {
            return name;
        }

        /** Its address. */
        public String address() {
            return address;
        }

        @Override
        public List<String> enter() {
            return List.of(Servers.onPath("ip").toString(), "netns", "exec", namespace);
        }

        @Override
        public ThreadFactory threads(String threadName) {
            return runnable -> {
                Thread thread = new Thread(
                        () -> {
                            moveThisThread();
                            runnable.run();
                        },
                        name + "-" + threadName);
                thread.setDaemon(true);
                return thread;
            };
        }

        @Override
        public <T> T call(Callable<T> work) throws Exception {
            FutureTask<T> task = new FutureTask<>(work);
            // A thread of its own: a namespace is a property of a thread, and this one's must stay as it is.
            Thread thread = threads("call").newThread(task);
            thread.start();
            try {
                return task.get();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Exception cause) {
                    throw cause;
                }
                throw e;
            }
        }

        private String lossChain() {
            return "loss-" + port;
        }

        private void moveThisThread() {
            int descriptor = LibC.INSTANCE.open("/var/run/netns/" + namespace, O_RDONLY);
            try {
                LibC.INSTANCE.setns(descriptor, CLONE_NEWNET);
            } finally {
                LibC.INSTANCE.close(descriptor);
            }
        }

        @Override
        public boolean ownsLoopback() {
            return false;
        }

        @Override
        public String toString() {
            return name + " (" + address + ")";
        }
    }

    private final String ip = Servers.onPath("ip").toString();
    private final String nft = Servers.onPath("nft").toString();
    private final String switchNamespace;
    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private final Map<Node, DelayedLink> delayed = new LinkedHashMap<>();
    private final Thread cleaner = new Thread(this::removeQuietly, "lab-removes-its-hosts");

    private NetworkLab(String switchNamespace) {
        this.switchNamespace = switchNamespace;
    }

    /** Why there can be no lab on this machine; empty when there can. */
    public static Optional<String> missing() {
        if (!"root".equals(System.getProperty("user.name"))) {
            return Optional.of("network namespaces need root; run as root");
        }
        try {
            open(List.of("probe")).close();
            return Optional.empty();
        } catch (IOException | IllegalStateException e) {
            return Optional.of("network namespaces can't be made here: " + e.getMessage());
        }
    }

    /** Makes the hosts and joins them; takes everything away again when that fails. At most 200 hosts. */
    public static NetworkLab open(List<String> names) throws IOException {
        if (names.isEmpty() || names.size() > 200) {
            throw new IllegalArgumentException("hosts: " + names.size() + " (must be 1 to 200)");
        }
        String prefix = "ha" + ProcessHandle.current().pid() + "x" + LABS.incrementAndGet();
        NetworkLab lab = new NetworkLab(prefix + "-switch");
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            lab.nodes.put(name, new Node(name, prefix + "-" + (i + 1), "127.77.0." + (i + 1), "port" + (i + 1)));
        }
        try {
            lab.build();
        } catch (IOException e) {
            lab.removeQuietly();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(lab.cleaner);
        return lab;
    }

    private void build() throws IOException {
        StringBuilder script = new StringBuilder("set -e\n");
        line(script, ip, "netns add", switchNamespace);
        line(script, ip, "-n", switchNamespace, "link add bridge type bridge");
        line(script, ip, "-n", switchNamespace, "link set bridge up");
        for (Node node : nodes.values()) {
            line(script, ip, "netns add", node.namespace);
            line(
                    script,
                    ip,
                    "-n",
                    node.namespace,
                    "link add eth0 type veth peer name",
                    node.port,
                    "netns",
                    switchNamespace);
            line(script, ip, "-n", switchNamespace, "link set", node.port, "master bridge up");
            // With these, 127.77.0.0/24 is a network like any other and not this host itself.
            String settings = "/proc/sys/net/ipv4/conf/";
            line(
                    script,
                    ip,
                    "netns exec",
                    node.namespace,
                    "sh -c 'echo 1 > " + settings + "all/route_localnet; echo 1 > " + settings
                            + "eth0/route_localnet'");
            line(script, ip, "-n", node.namespace, "link set lo up");
            line(script, ip, "-n", node.namespace, "route del local 127.0.0.0/8 dev lo table local");
            line(script, ip, "-n", node.namespace, "addr add", node.address + "/24", "dev eth0");
            line(script, ip, "-n", node.namespace, "link set eth0 up");
        }
        Commands.run(List.of("sh"), script.toString());
        StringBuilder chains = new StringBuilder();
        StringBuilder jumps = new StringBuilder();
        for (Node node : nodes.values()) {
            line(chains, "chain", node.lossChain(), "{ }");
            line(jumps, "iifname", node.port, "jump", node.lossChain());
            line(jumps, "oifname", node.port, "jump", node.lossChain());
        }
        change("""
                table bridge lab {
                  set from { type ifname; }
                  set to { type ifname; }
                  set pairs { type ifname . ifname; }
                  %schain forward {
                    type filter hook forward priority 0;
                    iifname @from drop
                    oifname @to drop
                    iifname . oifname @pairs drop
                    %s}
                }
                """.formatted(chains, jumps));
    }

    private static void line(StringBuilder script, String... words) {
        script.append(String.join(" ", words)).append('\n');
    }

    private synchronized void change(String rules) throws IOException {
        Commands.run(List.of(ip, "netns", "exec", switchNamespace, nft, "-f", "-"), rules);
    }

    /** The host of that name. */
    public Node host(String name) {
        Node node = nodes.get(name);
        if (node == null) {
            throw new IllegalArgumentException("no host '" + name + "' (must be one of " + nodes.keySet() + ")");
        }
        return node;
    }

    /** All hosts, in order. */
    public List<Node> hosts() {
        return new ArrayList<>(nodes.values());
    }

    /** Nothing passes to or from the host any more. */
    public void cut(Node host) throws IOException {
        refuseDelayed(host);
        change("add element bridge lab from { " + host.port + " }\nadd element bridge lab to { " + host.port + " }\n");
    }

    /** What the host sends is lost; it still hears the others. */
    public void cutFrom(Node host) throws IOException {
        refuseDelayed(host);
        change("add element bridge lab from { " + host.port + " }\n");
    }

    /** What is sent to the host is lost; the others still hear it. */
    public void cutTo(Node host) throws IOException {
        refuseDelayed(host);
        change("add element bridge lab to { " + host.port + " }\n");
    }

    /** Nothing passes between the two hosts, in both directions. */
    public void cut(Node one, Node other) throws IOException {
        refuseDelayed(one);
        refuseDelayed(other);
        change("add element bridge lab pairs { " + one.port + " . " + other.port + ", " + other.port + " . " + one.port
                + " }\n");
    }

    /** Nothing passes between the hosts of one side and those of the other, in both directions. */
    public void part(List<Node> side, List<Node> others) throws IOException {
        partOneWay(side, others);
        partOneWay(others, side);
    }

    /** What one side sends to the other is lost; it still hears the other. */
    public void partOneWay(List<Node> senders, List<Node> receivers) throws IOException {
        StringBuilder rules = new StringBuilder();
        for (Node sender : senders) {
            for (Node receiver : receivers) {
                refuseDelayed(sender);
                refuseDelayed(receiver);
                if (sender == receiver) {
                    throw new IllegalArgumentException(sender + " is on both sides (must be on one)");
                }
                line(rules, "add element bridge lab pairs {", sender.port, ".", receiver.port, "}");
            }
        }
        change(rules.toString());
    }

    /** So much of what the host sends is lost, and of what is sent to it, by chance; 1 to 100 per cent. */
    public void lose(Node host, int percent) throws IOException {
        if (percent < 1 || percent > 100) {
            throw new IllegalArgumentException("percent: " + percent + " (must be 1 to 100)");
        }
        refuseDelayed(host);
        change("flush chain bridge lab " + host.lossChain() + "\nadd rule bridge lab " + host.lossChain()
                + " numgen random mod 100 < " + percent + " drop\n");
    }

    /**
     * Everything that the host sends, and that is sent to it, takes so much longer each way, more or less by {@code jitter}. Can't
     * be combined with a cut or with loss at that host.
     */
    public void delay(Node host, Duration delay, Duration jitter) throws IOException {
        synchronized (this) {
            if (delayed.containsKey(host)) {
                throw new IllegalStateException(host + " is delayed already (heal it first)");
            }
            String near = "near" + host.port;
            String far = "far" + host.port;
            StringBuilder script = new StringBuilder("set -e\n");
            line(script, ip, "-n", switchNamespace, "link add", near, "type veth peer name", far);
            line(script, ip, "-n", switchNamespace, "link set", near, "up");
            line(script, ip, "-n", switchNamespace, "link set", far, "up");
            Commands.run(List.of("sh"), script.toString());
            delayed.put(host, join(host.port, near, delay, jitter));
            script.setLength(0);
            line(script, "set -e");
            line(script, ip, "-n", switchNamespace, "link set", host.port, "nomaster");
            line(script, ip, "-n", switchNamespace, "link set", far, "master bridge");
            Commands.run(List.of("sh"), script.toString());
        }
    }

    /** Its frames don't come through the port that the rules know. */
    private synchronized void refuseDelayed(Node host) {
        if (delayed.containsKey(host)) {
            throw new IllegalStateException(
                    host + " is delayed: it can't be cut or lose packets as well (heal it first)");
        }
    }

    private DelayedLink join(String port, String near, Duration delay, Duration jitter) throws IOException {
        Node here = new Node("switch", switchNamespace, "", "");
        try {
            return here.call(() -> DelayedLink.join(port, near, delay, jitter, here.threads("delays-" + port)));
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("can't delay " + port, e);
        }
    }

    private synchronized void endDelay(Node host) throws IOException {
        DelayedLink link = delayed.remove(host);
        if (link != null) {
            StringBuilder script = new StringBuilder("set -e\n");
            line(script, ip, "-n", switchNamespace, "link del", "near" + host.port);
            line(script, ip, "-n", switchNamespace, "link set", host.port, "master bridge");
            Commands.run(List.of("sh"), script.toString());
            link.close();
        }
    }

    /** Everything passes again to and from the host, whatever was cut, lost or delayed there. */
    public void heal(Node host) throws IOException {
        endDelay(host);
        StringBuilder rules = new StringBuilder();
        line(rules, "flush chain bridge lab", host.lossChain());
        // Adding first makes deleting valid also where nothing was cut.
        for (String set : List.of("from", "to")) {
            addAndDelete(rules, set, host.port);
        }
        for (Node other : nodes.values()) {
            if (other != host) {
                addAndDelete(rules, "pairs", host.port + " . " + other.port);
                addAndDelete(rules, "pairs", other.port + " . " + host.port);
            }
        }
        change(rules.toString());
    }

    private static void addAndDelete(StringBuilder rules, String set, String element) {
        rules.append("add element bridge lab ")
                .append(set)
                .append(" { ")
                .append(element)
                .append(" }\n");
        rules.append("delete element bridge lab ")
                .append(set)
                .append(" { ")
                .append(element)
                .append(" }\n");
    }

    /** Everything passes again. */
    public void healAll() throws IOException {
        for (Node node : nodes.values()) {
            endDelay(node);
        }
        StringBuilder rules =
                new StringBuilder("flush set bridge lab from\nflush set bridge lab to\nflush set bridge lab pairs\n");
        nodes.values().forEach(node -> line(rules, "flush chain bridge lab", node.lossChain()));
        change(rules.toString());
    }

    /** Takes the hosts away. Processes on them must have been ended before: they keep their namespace alive. */
    @Override
    public void close() throws IOException {
        for (Node node : nodes.values()) {
            endDelay(node);
        }
        removeAll();
        Runtime.getRuntime().removeShutdownHook(cleaner);
    }

    private void removeAll() throws IOException {
        String present = Commands.run(List.of(ip, "netns", "list"), "");
        List<String> ours = new ArrayList<>(List.of(switchNamespace));
        nodes.values().forEach(node -> ours.add(node.namespace));
        for (String namespace : ours) {
            if (present.lines().anyMatch(l -> l.equals(namespace) || l.startsWith(namespace + " "))) {
                Commands.run(List.of(ip, "netns", "del", namespace), "");
            }
        }
    }

    /** For the end of the JVM and of a failed start, where there is nobody left to throw to. */
    private void removeQuietly() {
        try {
            removeAll();
        } catch (IOException e) {
            System.err.println("the lab's network namespaces couldn't be removed: " + e.getMessage()
                    + ". 'ip netns list' shows them, 'ip netns del NAME' removes one.");
        }
    }
}
