package org.haarbiter.trial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A root directory into which the Debian packages of this build are installed by dpkg; the machine's own is left alone. One thread. */
final class PackageRoot {
    private final Path root;

    /** Makes an empty one. */
    PackageRoot(Path root) throws IOException {
        this.root = root;
        Path dpkg = root.resolve("var").resolve("lib").resolve("dpkg");
        Files.createDirectories(dpkg.resolve("info"));
        Files.createDirectories(dpkg.resolve("updates"));
        Files.createFile(dpkg.resolve("status"));
        Files.createFile(dpkg.resolve("available"));
        Files.createDirectories(root.resolve("etc"));
    }

    /** A file of one module's directory {@code target}: the package, or the archive. */
    static Path built(String module, String start, String end) throws IOException {
        Path target = Arena.home().resolve(module).resolve("target");
        try (Stream<Path> files = Files.list(target)) {
            return files.filter(file -> file.getFileName().toString().startsWith(start)
                            && file.getFileName().toString().endsWith(end))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no " + start + "*" + end + " in " + target
                            + ": run 'mvn -Ppackages -DskipTests package' first"));
        }
    }

    /** The packages, master's first. */
    static List<Path> debs() throws IOException {
        return List.of(
                built("ha-master", "ha-arbiter-master_", ".deb"),
                built("ha-agent", "ha-arbiter-agent_", ".deb"),
                built("ha-cli", "ha-arbiter-cli_", ".deb"));
    }

    /** Runs a command that must succeed; returns its standard output. */
    static String output(String... command) throws IOException, InterruptedException {
        Ended ended = Ended.of(new ProcessBuilder(command));
        assertThat(ended.code())
                .as(String.join(" ", command) + ": " + ended.said())
                .isZero();
        return ended.out();
    }

    /** Installs, or upgrades to, these packages. */
    void install(List<Path> debs) throws IOException, InterruptedException {
        dpkg("--install", debs.stream().map(Path::toString).toList());
    }

    /** Removes packages with their settings and state. */
    void purge(List<String> names) throws IOException, InterruptedException {
        dpkg("--purge", names);
    }

    private void dpkg(String action, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "dpkg",
                "--root=" + root,
                "--log=" + root.resolve("dpkg.log"),
                "--force-script-chrootless",
                // Java and systemd are the machine's.
                "--force-depends",
                action));
        command.addAll(arguments);
        output(command.toArray(String[]::new));
    }

    /** A path in it; without the first slash. */
    Path at(String path) {
        return root.resolve(path);
    }

    /** The same package with a higher version, all of whose libraries have other names. */
    static Path successor(Path deb, Path directory) throws IOException, InterruptedException {
        Path tree = directory.resolve(deb.getFileName() + ".tree");
        output("dpkg-deb", "-R", deb.toString(), tree.toString());
        Path control = tree.resolve("DEBIAN").resolve("control");
        Files.writeString(control, Files.readString(control).replaceFirst("(?m)^Version: .*$", "$0+next"));
        // It names the libraries, and dpkg doesn't ask for it.
        Files.delete(tree.resolve("DEBIAN").resolve("md5sums"));
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path library : files.filter(
                            file -> file.toString().matches(".*/lib/ha-arbiter/[a-z]+/lib/[^/]+\\.jar"))
                    .toList()) {
                Files.move(library, library.resolveSibling("next-" + library.getFileName()));
            }
        }
        Path successor = directory.resolve("next-" + deb.getFileName());
        output("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree.toString(), successor.toString());
        return successor;
    }
}
