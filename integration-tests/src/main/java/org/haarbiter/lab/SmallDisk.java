package org.haarbiter.lab;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A disk of its own under a directory: an ext4 file system in a file. It can be filled, and made to hang and to be slow, without
 * harm to anything beside it. Needs root and loop devices. What was in the directory is on the disk then, and stays in
 * the directory when the disk is taken away. Threads: one.
 */
public final class SmallDisk implements AutoCloseable {

    /** An agent says that a disk is full from here on. */
    private static final long LEAST_LEFT = 1 << 20;

    private static final long MOST_CRUMBS = 16L << 20;
    private static final int PULSES_PER_SECOND = 5;

    private final Path directory;
    private final Path image;
    private final Path away;
    private final Path ballast;
    private final Thread cleaner = new Thread(this::removeQuietly, "lab-removes-a-disk");

    private SmallDisk(Path directory) {
        this.directory = directory.toAbsolutePath();
        this.image = beside("disk");
        this.away = beside("away");
        this.ballast = this.directory.resolve("ballast");
    }

    private Path beside(String what) {
        return directory.resolveSibling(directory.getFileName() + "." + what);
    }

    /** Puts a disk under a directory that nobody uses now. */
    public static SmallDisk under(Path directory, int megabytes) throws IOException {
        SmallDisk disk = new SmallDisk(directory);
        Runtime.getRuntime().addShutdownHook(disk.cleaner);
        try {
            Commands.run(List.of("truncate", "-s", megabytes + "M", disk.image.toString()), "");
            Commands.run(
                    List.of(
                            Servers.onPath("mkfs.ext4").toString(),
                            "-q",
                            "-F",
                            "-m",
                            "0",
                            "-O",
                            "^has_journal",
                            disk.image.toString()),
                    "");
            Files.move(disk.directory, disk.away);
            Files.createDirectory(disk.directory);
            Commands.run(List.of("mount", "-o", "loop", disk.image.toString(), disk.directory.toString()), "");
            Files.delete(disk.directory.resolve("lost+found"));
            Commands.run(List.of("cp", "-a", disk.away + "/.", disk.directory.toString()), "");
        } catch (IOException e) {
            disk.removeQuietly();
            Runtime.getRuntime().removeShutdownHook(disk.cleaner);
            throw e;
        }
        return disk;
    }

    /** Takes all room that is left, without a write that would hold up others. */
    public void fill() throws IOException {
        long room = Files.getFileStore(directory).getUsableSpace();
        // What is in use by then, and the crumbs, go to whoever is quickest; it ends where there is no room for more.
        Commands.run(
                List.of(
                        "sh",
                        "-c",
                        "fallocate -l \"$1\" \"$0\" 2>/dev/null; head -c \"$2\" /dev/zero >>\"$0\" 2>/dev/null; true",
                        ballast.toString(),
                        Long.toString(room),
                        Long.toString(MOST_CRUMBS)),
                "");
        long left = Files.getFileStore(directory).getUsableSpace();
        if (left > LEAST_LEFT) {
            throw new IOException(directory + " has " + left + " bytes left after it was filled");
        }
    }

    /** Gives the room back. */
    public void empty() throws IOException {
        Files.deleteIfExists(ballast);
    }

    /** Whoever writes waits, from now on for so long. It ends by itself, also without this JVM. */
    public void hang(int seconds) throws IOException {
        background("fsfreeze -f \"$0\"; sleep " + seconds + "; fsfreeze -u \"$0\"");
    }

    /** For so long, whoever writes waits for most of each fifth of a second. It ends by itself, also without this JVM. */
    public void slow(int seconds) throws IOException {
        background("i=0; while [ $i -lt " + seconds * PULSES_PER_SECOND
                + " ]; do i=$((i+1)); fsfreeze -f \"$0\"; sleep 0.15; fsfreeze -u \"$0\"; sleep 0.05; done");
    }

    private void background(String script) throws IOException {
        new ProcessBuilder("sh", "-c", script, directory.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
    }

    /** Takes the disk away from under a directory that nobody uses now; what is on it stays in the directory. */
    @Override
    public void close() throws IOException {
        Runtime.getRuntime().removeShutdownHook(cleaner);
        empty();
        Commands.run(List.of("rm", "-rf", away.toString()), "");
        Commands.run(List.of("cp", "-a", directory + "/.", Files.createDirectory(away) + "/"), "");
        Commands.run(List.of("umount", "-l", directory.toString()), "");
        Files.delete(directory);
        Files.move(away, directory);
        Files.delete(image);
    }

    private void removeQuietly() {
        try {
            // A disk that still hangs can't be unmounted for whoever waits on it.
            Commands.run(
                    List.of(
                            "sh",
                            "-c",
                            "if mountpoint -q \"$0\"; then fsfreeze -u \"$0\" 2>/dev/null; umount -l \"$0\"; fi; rm -f \"$1\"",
                            directory.toString(),
                            image.toString()),
                    "");
        } catch (IOException e) {
            System.err.println("the disk at " + directory + " couldn't be taken away: " + e.getMessage()
                    + ". 'umount -l " + directory + "' does it.");
        }
    }
}
