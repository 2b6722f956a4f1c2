package org.haarbiter.sim;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/**
 * Proves that the simulator sees: each bug is one small change of the real sources, compiled in memory beside the rest, and
 * must break an invariant, or progress, within its number of seeds. The seed that found it last is tried first, since a search
 * may take minutes; {@link #main} writes down anew which those are.
 */
final class PlantedBugs {
    private static final Path ROOT = root();
    private static final Path LAST_SEEDS = ROOT.resolve("integration-tests/src/test/resources/planted-bugs.txt");
    private static final String MASTER = "ha-master/src/main/java/org/haarbiter/master/core/";
    private static final String AGENT = "ha-agent/src/main/java/org/haarbiter/agent/core/";
    private static final String WORDS = "ha-common/src/main/java/org/haarbiter/words/";
    private static final String SIM = "integration-tests/src/main/java/org/haarbiter/sim/";

    /**
     * A bug.
     *
     * @param story what is wrong, as a sentence
     * @param file whose source is changed
     * @param edits pairs: a text that must occur exactly once, and what stands there instead
     * @param from the first seed to try
     * @param seeds how many seeds may be needed
     */
    record Bug(String story, String file, List<String> edits, long from, int seeds) {}

    /** What became of a bug: invariant and sentence are null where no seed found it. */
    record Found(
            Bug bug,
            long seed,
            @Nullable String invariant,
            @Nullable String sentence,
            long millis) {

        @Override
        public String toString() {
            return invariant == null
                    ? "NOT FOUND within " + bug.seeds() + " seeds: " + bug.story()
                    : String.format("seed %5d, %6d ms: %s (%s)", seed, millis, bug.story(), sentence);
        }
    }

    private PlantedBugs() {}

    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        return Files.isDirectory(here.resolve("ha-master"))
                ? here
                : here.resolveSibling(".").normalize();
    }

    /** Those that the simulator finds within minutes. */
    static List<Bug> usual() {
        return BugList.USUAL;
    }

    private static List<Bug> all() {
        List<Bug> all = new ArrayList<>(BugList.USUAL);
        all.addAll(BugList.RARE);
        return all;
    }

    static String master(String name) {
        return MASTER + name + ".java";
    }

    static String agent(String name) {
        return AGENT + name + ".java";
    }

    static String words(String name) {
        return WORDS + name + ".java";
    }

    static String sim(String name) {
        return SIM + name + ".java";
    }

    /** Runs them on all cores, in the order of the list. */
    static List<Found> hunt(List<Bug> bugs) throws IOException, InterruptedException {
        for (Bug bug : bugs) {
            // One that no longer fits is told at once, not after minutes.
            planted(bug);
        }
        TreeMap<Integer, Found> found = new TreeMap<>();
        AtomicInteger next = new AtomicInteger();
        TreeMap<Integer, Throwable> failures = new TreeMap<>();
        Thread[] threads = new Thread[Runtime.getRuntime().availableProcessors()];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                for (int at = next.getAndIncrement(); at < bugs.size(); at = next.getAndIncrement()) {
                    try {
                        Found one = hunt(bugs.get(at));
                        System.out.println(one);
                        synchronized (found) {
                            found.put(at, one);
                        }
                    } catch (IOException | ReflectiveOperationException | RuntimeException e) {
                        synchronized (found) {
                            failures.put(at, e);
                        }
                    }
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        synchronized (found) {
            if (!failures.isEmpty()) {
                int at = failures.firstKey();
                throw new IllegalStateException("bug '" + bugs.get(at).story() + "'", failures.get(at));
            }
            return List.copyOf(found.values());
        }
    }

    private static Found hunt(Bug bug) throws IOException, ReflectiveOperationException {
        long began = System.nanoTime();
        String source = planted(bug);
        Class<?> simulation = new Planted(compile(bug.file(), source)).loadClass("org.haarbiter.sim.Simulation");
        java.lang.reflect.Method run = simulation.getMethod("run", long.class);
        Long last = lastSeeds().get(bug.story());
        for (long seed = last == null ? bug.from() : bug.from() - 1; seed < bug.from() + bug.seeds(); seed++) {
            long tried = last != null && seed < bug.from() ? last : seed;
            Object result = run.invoke(null, tried);
            Object invariant = result.getClass().getMethod("invariant").invoke(result);
            if (invariant != null) {
                Object sentence = result.getClass().getMethod("sentence").invoke(result);
                return new Found(bug, tried, invariant.toString(), String.valueOf(sentence), millisSince(began));
            }
        }
        return new Found(bug, -1, null, null, millisSince(began));
    }

    /** By story. */
    private static TreeMap<String, Long> lastSeeds() throws IOException {
        TreeMap<String, Long> seeds = new TreeMap<>();
        for (String line : Files.readAllLines(LAST_SEEDS)) {
            String[] parts = line.split(" ", 2);
            seeds.put(parts[1], Long.valueOf(parts[0]));
        }
        return seeds;
    }

    /** Writes down the seeds that found them, beside those of other bugs that are on the list still. */
    static void rewrite(List<Found> found) throws IOException {
        TreeMap<String, Long> seeds = lastSeeds();
        seeds.keySet().retainAll(all().stream().map(Bug::story).toList());
        found.stream()
                .filter(f -> f.invariant() != null)
                .forEach(f -> seeds.put(f.bug().story(), f.seed()));
        List<String> lines = new ArrayList<>();
        seeds.forEach((story, seed) -> lines.add(seed + " " + story));
        Files.write(LAST_SEEDS, lines);
    }

    /** The source with the bug in it. */
    private static String planted(Bug bug) throws IOException {
        String source = Files.readString(ROOT.resolve(bug.file()));
        for (int i = 0; i < bug.edits().size(); i += 2) {
            String right = bug.edits().get(i);
            int first = source.indexOf(right);
            if (first < 0 || source.indexOf(right, first + 1) >= 0) {
                throw new IllegalStateException(
                        bug.file() + ": '" + right + "' must occur once (the planted bug no longer fits the source)");
            }
            source = source.substring(0, first) + bug.edits().get(i + 1) + source.substring(first + right.length());
        }
        return source;
    }

    private static long millisSince(long began) {
        return (System.nanoTime() - began) / 1_000_000;
    }

    private static TreeMap<String, byte[]> compile(String file, String source) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        TreeMap<String, ByteArrayOutputStream> classes = new TreeMap<>();
        JavaFileObject in = new SimpleJavaFileObject(URI.create("string:///" + file), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreErrors) {
                return source;
            }
        };
        java.io.StringWriter said = new java.io.StringWriter();
        try (JavaFileManager standard = compiler.getStandardFileManager(null, null, null);
                JavaFileManager memory = new ForwardingJavaFileManager<>(standard) {
                    @Override
                    public JavaFileObject getJavaFileForOutput(
                            Location location, String name, JavaFileObject.Kind kind, javax.tools.FileObject sibling) {
                        return new SimpleJavaFileObject(URI.create("memory:///" + name), kind) {
                            @Override
                            public OutputStream openOutputStream() {
                                return classes.computeIfAbsent(name, n -> new ByteArrayOutputStream());
                            }
                        };
                    }
                }) {
            List<String> options = List.of("-nowarn", "-proc:none", "-cp", System.getProperty("java.class.path"));
            if (!compiler.getTask(said, memory, null, options, null, List.of(in))
                    .call()) {
                throw new IllegalStateException(file + " with the planted bug doesn't compile: " + said);
            }
        }
        TreeMap<String, byte[]> bytes = new TreeMap<>();
        classes.forEach((name, out) -> bytes.put(name, out.toByteArray()));
        return bytes;
    }

    /** Loads cores and simulator anew, the changed classes instead of the real ones. */
    private static final class Planted extends ClassLoader {
        private final TreeMap<String, byte[]> changed;

        Planted(TreeMap<String, byte[]> changed) {
            super(PlantedBugs.class.getClassLoader());
            this.changed = changed;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("org.haarbiter.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded != null) {
                    return loaded;
                }
                byte[] bytes = changed.containsKey(name) ? changed.get(name) : original(name);
                return defineClass(name, bytes, 0, bytes.length);
            }
        }

        private byte[] original(String name) throws ClassNotFoundException {
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                return in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Tells what was found of each; with arguments only of the bugs whose story contains one of them. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        List<Bug> bugs = arguments.length == 0
                ? all()
                : all().stream()
                        .filter(b -> java.util.Arrays.stream(arguments)
                                .anyMatch(a -> b.story().contains(a)))
                        .toList();
        rewrite(hunt(bugs));
    }
}
