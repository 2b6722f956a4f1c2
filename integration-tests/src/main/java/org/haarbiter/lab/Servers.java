package org.haarbiter.lab;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the programs of the real servers: a path given in the environment ({@code HA_MYSQLD}, {@code HA_MARIADBD},
 * {@code HA_REDIS_SERVER}, {@code HA_ELASTICSEARCH}, {@code HA_NAMED}, {@code HA_HAPROXY}), the directory that {@code scripts/install-servers.sh} fills, then {@code PATH}. A server that is
 * missing or too old is an {@link IllegalStateException} that names the command that brings it.
 */
public final class Servers {

    private static final Pattern VERSION =
            Pattern.compile("(?:Ver |BIND |server v=|HAProxy version )(\\d+)\\.(\\d+)(\\.\\d+)?");

    private static final Pattern ELASTICSEARCH_JAR =
            Pattern.compile("^(elasticsearch|opensearch)-((\\d+)\\.\\d+\\.\\d+)\\.jar$");
    private static final int OLDEST_ELASTICSEARCH = 8;
    private static final int OLDEST_OPENSEARCH = 2;

    private Servers() {}

    /**
     * A server program.
     *
     * @param path the executable
     * @param version what it says of itself, such as {@code 9.7.4}
     */
    public record Program(Path path, String version) {}

    /** Where servers and the templates of their data directories are kept. */
    public static Path directory() {
        String given = System.getenv("HA_SERVERS_DIR");
        if (given != null && !given.isEmpty()) {
            return Path.of(given);
        }
        return Path.of(System.getProperty("user.home"), ".cache", "ha-arbiter");
    }

    /** Where the clients of Node.js are; see {@code scripts/install-servers.sh clients}. */
    public static Path clientModules() {
        Path modules = directory().resolve("clients").resolve("node_modules");
        if (!Files.isDirectory(modules)) {
            throw new IllegalStateException("no " + modules + ". Run scripts/install-servers.sh clients");
        }
        return modules;
    }

    /** MySQL 8.4 or newer. */
    public static Program mysql() {
        return find(
                "mysql",
                "HA_MYSQLD",
                "mysqld",
                "--version",
                8,
                4,
                false,
                directory().resolve("mysql/bin/mysqld"));
    }

    /** MariaDB 10.11 or newer. */
    public static Program mariadb() {
        return find("mariadb", "HA_MARIADBD", "mariadbd", "--version", 10, 11, true, null);
    }

    /** Redis 7.0 or newer, or Valkey. */
    public static Program redis() {
        return find("redis", "HA_REDIS_SERVER", "redis-server", "--version", 7, 0, false, null);
    }

    /** Redis 8.0 or newer, besides what {@link #redis} finds. */
    public static Program newestRedis() {
        return find(
                "redis-newest",
                "HA_NEW_REDIS_SERVER",
                "redis-server",
                "--version",
                8,
                0,
                false,
                directory().resolve("redis-newest/bin/redis-server"));
    }

    /** Valkey. */
    public static Program valkey() {
        return find(
                "redis-newest",
                "HA_VALKEY_SERVER",
                "valkey-server",
                "--version",
                7,
                2,
                false,
                directory().resolve("redis-newest/bin/valkey-server"));
    }

    /** Elasticsearch 8.0 or newer, or OpenSearch 2.0 or newer: its {@code bin/elasticsearch} or {@code bin/opensearch}. */
    public static Program elasticsearch() {
        String given = System.getenv("HA_ELASTICSEARCH");
        Path home =
                given != null && !given.isEmpty() ? Path.of(given) : directory().resolve("elasticsearch");
        // Its own jar tells the version; the program would take a second for it.
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(home.resolve("lib"), "*search-[0-9]*.jar")) {
            for (Path jar : jars) {
                Matcher version = ELASTICSEARCH_JAR.matcher(String.valueOf(jar.getFileName()));
                if (!version.find()) {
                    continue;
                }
                Path program = home.resolve("bin/" + version.group(1)).toAbsolutePath();
                int oldest = version.group(1).equals("opensearch") ? OLDEST_OPENSEARCH : OLDEST_ELASTICSEARCH;
                if (Files.isExecutable(program) && Integer.parseInt(version.group(3)) >= oldest) {
                    return new Program(program, version.group(2));
                }
            }
        } catch (IOException e) {
            throw noElasticsearch(home, e);
        }
        throw noElasticsearch(home, null);
    }

    private static IllegalStateException noElasticsearch(Path home, @Nullable IOException why) {
        return new IllegalStateException(
                "no usable elasticsearch in " + home
                        + " (must be a directory with bin/elasticsearch, 8.0 or newer, or bin/opensearch, 2.0 or newer). Run"
                        + " scripts/install-servers.sh elasticsearch, or set HA_ELASTICSEARCH to such a directory",
                why);
    }

    /** BIND 9. */
    public static Program bind() {
        return find("bind", "HA_NAMED", "named", "-v", 9, 0, false, null);
    }

    /** HAProxy 2.4 or newer. */
    public static Program haproxy() {
        return find("haproxy", "HA_HAPROXY", "haproxy", "-v", 2, 4, false, null);
    }

    /**
     * Runs a program of the PATH to its end.
     *
     * @return what it printed
     * @throws IOException with that, where it ended with an error
     */
    public static String run(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(onPath(program).toString()));
        command.addAll(List.of(arguments));
        return Commands.run(command, "");
    }

    /** The program of that name on the PATH, also in the directories of system programs. */
    public static Path onPath(String name) {
        for (Path candidate : candidates(name)) {
            if (Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("no '" + name + "' on the PATH. Run scripts/install-servers.sh");
    }

    /**
     * The library that gives a program another wall clock when it is preloaded. With {@code HA_LIBFAKETIME} set that one, else
     * where Debian puts it.
     */
    public static Path faketime() {
        String given = System.getenv("HA_LIBFAKETIME");
        if (given != null && !given.isEmpty()) {
            return Path.of(given);
        }
        try (DirectoryStream<Path> libraries = Files.newDirectoryStream(Path.of("/usr/lib"), "*-linux-gnu*")) {
            for (Path library : libraries) {
                Path candidate = library.resolve("faketime/libfaketime.so.1");
                if (Files.isReadable(candidate)) {
                    return candidate;
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("can't look for libfaketime in /usr/lib", e);
        }
        throw new IllegalStateException(
                "no libfaketime.so.1 here. Run scripts/install-servers.sh faketime, or set HA_LIBFAKETIME to its path");
    }

    private static List<Path> candidates(String name) {
        String path = Map.copyOf(System.getenv()).getOrDefault("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin";
        List<Path> found = new ArrayList<>();
        for (String directory : path.split(":", -1)) {
            if (!directory.isEmpty()) {
                found.add(Path.of(directory, name));
            }
        }
        return found;
    }

    private static Program find(
            String kind,
            String variable,
            String name,
            String versionOption,
            int major,
            int minor,
            boolean mariadb,
            @Nullable Path installed) {
        String wanted = kind + " " + major + "." + minor + " or newer";
        String given = System.getenv(variable);
        List<Path> candidates = new ArrayList<>();
        if (given != null && !given.isEmpty()) {
            candidates.add(Path.of(given));
        } else {
            if (installed != null) {
                candidates.add(installed);
            }
            candidates.addAll(candidates(name));
        }
        List<String> refused = new ArrayList<>();
        for (Path candidate : candidates) {
            if (!Files.isExecutable(candidate)) {
                continue;
            }
            String said = say(candidate, versionOption);
            Matcher version = VERSION.matcher(said);
            boolean isMariadb = said.contains("MariaDB");
            if (version.find() && isMariadb == mariadb) {
                int hasMajor = Integer.parseInt(version.group(1));
                int hasMinor = Integer.parseInt(version.group(2));
                if (hasMajor > major || (hasMajor == major && hasMinor >= minor)) {
                    String patch = version.group(3) == null ? "" : version.group(3);
                    return new Program(candidate, hasMajor + "." + hasMinor + patch);
                }
            }
            refused.add(candidate + " says '" + said.strip() + "'");
        }
        throw new IllegalStateException(
                "no usable " + kind + " server (must be " + wanted + (refused.isEmpty() ? "" : "; " + refused)
                        + "). Run scripts/install-servers.sh " + kind + ", or set " + variable + " to its path");
    }

    private static String say(Path program, String option) {
        try {
            Process process = new ProcessBuilder(program.toString(), option)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            return said;
        } catch (IOException e) {
            return "can't be run: " + e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while asking " + program + " for its version", e);
        }
    }
}
